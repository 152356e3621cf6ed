"""Forms: what the drums, the bass and the desk do. House is the default; a topic, a word or the user chooses another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

_NONE: Mapping[str, float] = MappingProxyType({})


@dataclass(frozen=True)
class Form:
    """A way of making a song. Patterns are bars of sixteenths: "x" loud, "o" middle, "-" soft, "." silent."""

    name: str
    tempo: tuple[int, int] | None
    """Lowest and highest tempo in beats per minute; None: the sub-genre's."""
    kick: tuple[str, ...]
    """One bar or two that alternate."""
    clap: str
    hats: str | None = None
    """None: the sub-genre's, by energy."""
    opened: str = "..x...x...x...x."
    perc: tuple[str, ...] = ()
    swing: float | None = None
    bass: str | None = None
    """Voice of the bass; None: the sub-genre's."""
    line: str | None = None
    """Whose bass lines; None: the sub-genre's."""
    chords: str | None = None
    rhythm: str | None = None
    leads: tuple[str, ...] = ()
    """Voices that the lead may have; none: the sub-genre's own and the topic's."""
    gains: Mapping[str, float] = field(default_factory=lambda: _NONE)
    """Changes of the desk in dB; a track at -60 or less is silent."""
    soft_opening: bool = False
    """No drums before the first drop, nor in breaks."""
    kit: str = "house"
    """Colour of the drums: house, break, dust, hand."""
    leaning: tuple[float, ...] = (0.0,) * 6
    """How it leans on energy, valence, tension, brightness, space, era."""
    motifs: tuple[str, ...] = ()


_FOUR = ("x...x...x...x...",)
FORMS: dict[str, Form] = {
    f.name: f
    for f in (
        Form("club", None, _FOUR, "....x.......x..."),
        Form("breakbeat", (132, 140), ("x.....x...x.....", "x.....x..x......"), "....x..-.-..x..-", "o.o.o.o.o.o.o.oo",
             "..............x.", ("..-....o..-.....",), 0.53, "reese", "break", "stab", "bass", ("choir", "acid", "saw"),
             {"perc": 4, "clap": 4, "chords": -3, "arp": -4, "hats": 2, "texture": 2}, kit="break",
             leaning=(0.6, -0.2, 0.4, 0.2, -0.2, 0.3), motifs=("city", "machines")),
        Form("halftime", (138, 148), ("x.........x.....", "x..-......x..o.."), "........x.......", "o.o.o.o.o.o-o.oo",
             "................", ("......-.......o.",), 0.5, "sub", "half", "choir", "held", ("bell", "brass", "flute"),
             {"bass": 3, "pad": 4, "hats": -3, "clap": 3, "chords": -2}, kit="break",
             leaning=(-0.1, -0.6, 0.5, -0.4, 0.4, 0.4), motifs=("machines", "space", "geometry")),
        Form("garage", (130, 135), ("x.........x.....", "x......o..x....."), "....x.......x...", "o-.oo-.oo-.oo-.o",
             "..x.......x.....", ("...o..-..-....o.",), 0.61, "round", "skip", "organ", "bass", ("vocal", "marimba", "organ"),
             {"hats": 4, "perc": 3, "chords": 1, "pad": -6}, kit="dust",
             leaning=(0.2, 0.4, -0.2, 0.2, -0.3, 0.1), motifs=("faces", "city")),
        Form("piano", (116, 124), _FOUR, "....x.......x...", "..-...-...-...-.", "..o...o...o...o.",
             ("...-..-..-..-...",), 0.52, "upright", "walk", "piano", "piano", ("piano", "strings", "flute"),
             {"chords": 4, "arp": -7, "hats": -6, "perc": -5, "clap": -5, "pad": -3, "bass": -2, "texture": 1}, kit="dust",
             leaning=(-0.3, 0.4, -0.4, 0.0, 0.2, -0.6), motifs=("faces", "forest")),
        Form("ambient", (82, 98), ("x.........-.....",), "........-.......", "....-.......-...", "................",
             ("...........-....",), 0.5, "sub", "half", "strings", "held", ("bell", "flute", "harp", "strings"),
             {"kick": -9, "clap": -9, "hats": -9, "perc": -6, "bass": -5, "chords": 2, "pad": 8, "arp": 2, "texture": 8},
             True, "dust", (-0.8, 0.1, -0.5, 0.0, 0.9, 0.0), ("sea", "mountains", "space", "forest")),
        Form("acid", (126, 134), _FOUR, "....x.......x...", "-.o.-.o.-.o.-.oo", "..x...x...x...x.",
             ("...o..-....o..-.",), 0.5, "acid", "acid", "stab", "bass", ("acid", "vocal", "saw"),
             {"bass": 3, "chords": -8, "pad": -10, "arp": -8, "lead": -6, "hats": 2, "perc": 2},
             leaning=(0.7, -0.1, 0.5, 0.4, -0.3, 0.3), motifs=("machines", "geometry", "abstract")),
        Form("organic", (108, 118), ("x...x...x...x...",), "............-...", "-.-.-.-.-.-.-.-.", "................",
             ("x..o..x.o..x..o.", "o..x.o..x..o..x.", "x.oo..x..o.x.oo."), 0.56, "upright", "tumbao", "pluck", "melodic",
             ("marimba", "flute", "harp"),
             {"perc": 10, "clap": -10, "hats": -4, "arp": -6, "pad": -2, "kick": -2, "chords": 1, "texture": 4}, kit="hand",
             leaning=(0.1, 0.3, -0.2, -0.3, 0.2, -0.5), motifs=("forest", "mountains", "sea", "waves")),
    )
}  # fmt: skip
"""The eight forms by name."""


@dataclass(frozen=True)
class Take:
    """How one candidate of a topic differs from the others; four in a row differ in each of these."""

    form: str
    number: int
    """0 to 3: the place among four candidates."""
    drop: str
    """Where the drop stands: plain, early, late."""
    quiet: bool
    rank: int
    """Which of the topic's sub-genres: 0 is the nearest."""


def choose_take(axes: np.ndarray, motif: Mapping[str, float], words: int, seed: int, form: str | None) -> Take:
    """The candidate that a seed stands for: seeds 4k to 4k + 3 give a house take, two other forms and a quiet one.

    Args:
        axes: the topic on energy, valence, tension, brightness, space, era; shape=(6,).
        motif: the share of each motif family.
        words: hash of the topic.
        seed: 0 or more.
        form: what was asked for, for all takes; None: chosen.
    """
    number, block = seed % 4, seed // 4
    names = [n for n in FORMS if n != "club"]
    own = np.random.default_rng([words & 0xFFFFFFFF, words >> 32, 3]).normal(0, 0.25, len(names))
    fit = {
        n: float(np.dot(FORMS[n].leaning, axes) + sum(1.2 * motif.get(m, 0.0) for m in FORMS[n].motifs) + own[i])
        for i, n in enumerate(names)
    }
    ranked = sorted(names, key=lambda n: -fit[n])
    still = max((n for n in ranked if n in ("ambient", "piano")), key=lambda n: fit[n])
    others = [n for n in ranked if n != still]
    turn = block % max(1, len(others) - 1)
    others = others[turn:] + others[:turn]
    chosen = form or ("club", others[0], others[1 % len(others)], still)[number]
    return Take(chosen, number, ("plain", "early", "late", "plain")[number], number == 3, (0, 1, 0, 2)[number])
