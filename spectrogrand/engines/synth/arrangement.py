"""Sections, bars and which instruments play in them."""

from __future__ import annotations

from dataclasses import dataclass, field

from .harmony import Chord, voice
from .style import Style

TRACKS = ("kick", "clap", "hats", "perc", "bass", "chords", "pad", "arp", "lead", "texture")
_LEVELS: dict[str, dict[str, dict[str, float]]] = {
    # loudness of each track (1 is its place in the drop), by section; a track that is not named is silent
    "intro": {
        "": {"kick": 0.8, "hats": 0.6, "perc": 0.7, "texture": 1.2},
        "future": {"chords": 0.4}, "bass": {"chords": 0.5, "clap": 0.5}, "progressive": {"arp": 0.6},
        "melodic": {"arp": 0.55, "pad": 0.5},
    },
    "build": {
        "": {"kick": 0.7, "clap": 0.7, "hats": 0.4, "pad": 0.9, "texture": 0.8},
        "future": {"chords": 0.6}, "bass": {"chords": 0.6, "lead": 0.5}, "progressive": {"chords": 0.45, "arp": 0.7},
        "melodic": {"arp": 0.9, "chords": 0.6},
    },
    "drop": {
        "": {"kick": 1.0, "clap": 1.0, "hats": 1.0, "perc": 1.0, "bass": 1.0, "chords": 1.0, "texture": 0.5},
        "future": {"lead": 1.0, "pad": 0.3}, "bass": {"lead": 1.0}, "progressive": {"arp": 0.8, "lead": 1.0, "pad": 0.7},
        "melodic": {"arp": 1.0, "lead": 0.9, "pad": 0.8},
    },
    "break": {
        "": {"pad": 1.2, "texture": 1.6, "hats": 0.3, "perc": 0.4},
        "future": {"chords": 0.7, "arp": 0.4, "lead": 0.45}, "bass": {"chords": 0.6, "lead": 0.5},
        "progressive": {"arp": 1.0, "lead": 0.5},
        "melodic": {"arp": 0.9, "chords": 0.5},
    },
    "outro": {
        "": {"kick": 0.85, "hats": 0.6, "perc": 0.7, "texture": 1.0, "pad": 0.4},
        "future": {}, "bass": {"clap": 0.5}, "progressive": {"arp": 0.4}, "melodic": {"arp": 0.5},
    },
}  # fmt: skip


@dataclass(frozen=True)
class Bar:
    """One bar of the song: where it stands and what sounds in it."""

    index: int
    section: str
    start: int
    """Bar at which its section begins."""
    count: int
    """Bars in its section."""
    cycle: int
    """How many sections of this name came before."""
    chord: Chord
    levels: dict[str, float] = field(compare=False)
    last: bool = False
    """The song's final bar, cut short by the end: the music holds a closing chord."""
    beats: int = 4
    """Beats that the drums play: fewer in a final bar, and none but the closing hit where less than two fit."""

    @property
    def place(self) -> int:
        """Bar within the section, from 0."""
        return self.index - self.start

    @property
    def left(self) -> int:
        """Bars of the section that follow this one."""
        return self.count - 1 - self.place

    def level(self, track: str) -> float:
        """Loudness of a track here, 1 being its place in the drop."""
        return self.levels.get(track, 0.0)


def plan_sections(bars: int, loop: bool, drop: str = "plain") -> list[tuple[str, int]]:
    """Names and lengths in bars that fill `bars` exactly: miniatures for short clips, phrases of 4 and 8 for long ones.

    `drop` moves bars between the intro and the break of songs with both: "early" shortens the intro, "late" lengthens it.

    >>> plan_sections(5, False)
    [('build', 1), ('drop', 4)]
    >>> plan_sections(31, False)
    [('intro', 4), ('build', 4), ('drop', 8), ('break', 4), ('drop', 8), ('outro', 3)]
    >>> plan_sections(8, True)
    [('drop', 8)]
    """
    if loop:
        return _loop_sections(bars)
    if bars < 4:
        return [("drop", max(1, bars))]
    made = _whole_sections(bars)
    if drop == "plain" or len(made) < 5 or made[0][0] != "intro" or [n for n, _ in made].count("break") == 0:
        return made
    step = max(1, made[0][1] // 2)
    at = [n for n, _ in made].index("break")
    giver, taker = (0, at) if drop == "early" else (at, 0)
    if made[giver][1] <= step:
        giver = max((i for i, (n, _) in enumerate(made) if n == "drop"), key=lambda i: made[i][1])
        if drop == "early" or made[giver][1] <= 2 * step:
            return made
    made[giver], made[taker] = (made[giver][0], made[giver][1] - step), (made[taker][0], made[taker][1] + step)
    return made


def _whole_sections(bars: int) -> list[tuple[str, int]]:
    if 8 <= bars < 14:  # a song in small: every section, the drops longest
        left = bars - 7
        first = 2 + (left + 1) // 3
        second = 2 + (left + 2) // 3
        rise = bars - first - second - 2
        return [("intro", 1), ("build", rise), ("drop", first), ("break", 1), ("drop", second)]
    if bars < 8:
        build = 1 if bars < 6 else 2
        return [("build", build), ("drop", bars - build)]
    unit = max(u for u in (2, 4, 8) if 7 * u <= bars or u == 2)
    body = [("intro", unit), ("build", unit), ("drop", 2 * unit)]
    tail = [("break", unit), ("drop", 2 * unit)] if 7 * unit <= bars else []
    left = bars - sum(c for _, c in body + tail)
    again = [("break", 8), ("build", 8), ("drop", 16)]
    while unit == 8 and left >= 32 + unit:
        body += again
        left -= 32
    if unit == 8 and left >= 8 + unit:  # a build of its own before the last drop
        tail.insert(1, ("build", 8))
        left -= 8
    if unit == 8 and left >= 8 + unit:
        body[0] = ("intro", 16)
        left -= 8
    if unit == 8 and left >= 8 + unit:
        tail[0] = ("break", 16)
        left -= 8
    if unit < 8 and left > 2 * unit:  # too long for an outro: give the second half a build
        tail.insert(1, ("build", unit))
        left -= unit
    if left > 2 * unit:
        tail[-1] = ("drop", 2 * unit + unit)
        left -= unit
    return body + tail + ([("outro", left)] if left else [])


def _loop_sections(bars: int) -> list[tuple[str, int]]:
    if bars <= 16:
        return [("drop", bars)]
    unit = 4 if bars < 32 else 8
    cycles, left = divmod(bars, 4 * unit)
    made: list[tuple[str, int]] = []
    for _ in range(cycles):
        made += [("drop", 2 * unit), ("break", unit), ("build", unit)]
    # the seam falls in the middle of a drop, where it hides
    return [("drop", unit), *made[1:], ("drop", unit + left)]


def lay_out(style: Style, sections: list[tuple[str, int]], tail: int | None) -> list[Bar]:
    """All bars with their chords and levels.

    `tail` is the number of whole beats left for a closing bar that the end of the song cuts short; None: there is none.
    """
    verse, *others = (voice(style.key, p, style.colour, 62 + round(0.6 * style.register)) for p in style.progressions)
    bars: list[Bar] = []
    seen: dict[str, int] = {}
    for name, count in sections:
        cycle = seen.get(name, 0)
        seen[name] = cycle + 1
        start = len(bars)
        for place in range(count):
            # the verse's chords come back; breaks and every second phrase of eight bars take one of the others in turn
            phrase = cycle * -(-count // 8) + place // 8
            away = others[(phrase if name == "break" else phrase // 2) % len(others)]
            chords = away if name == "break" or phrase % 2 else verse
            levels = _levels(style, name)
            bars.append(Bar(start + place, name, start, count, cycle, chords[place % len(chords)], levels))
    if tail is not None:
        end = bars[-1]
        beats = tail if tail >= 2 else 0
        start, count, cycle = end.start, end.count + 1, end.cycle
        bars.append(Bar(end.index + 1, end.section, start, count, cycle, verse[0], end.levels, last=True, beats=beats))
    return bars


def _levels(style: Style, section: str) -> dict[str, float]:
    """The sub-genre's levels in a section, as the form and the take change them."""
    levels = dict(_LEVELS[section][""]) | _LEVELS[section][style.genre]
    if style.form.soft_opening:
        if section in ("intro", "build", "break"):
            levels = {t: v for t, v in levels.items() if t not in ("kick", "clap", "hats", "perc")}
            levels |= {"pad": 0.7, "texture": 1.1}
        if section == "build":
            levels |= {"perc": 0.3, "arp": 0.5}
    if style.take.quiet:  # fewer players, never the kick and the bass of the drop
        for track in ("clap", "hats") if section == "drop" else ("clap", "hats", "kick"):
            if track in levels:
                levels[track] *= 0.6
    if style.form.name in ("acid", "organic") and section == "drop":
        levels.pop("arp", None)
    return levels
