"""From the topic's place on the text axes, and a seed, to everything that characterises one song."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Collection
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from ...types import GENRES
from .forms import FORMS, Form, Take, choose_take
from .harmony import MODES, PROGRESSIONS, Key
from .words import NO_WISHES, Wishes

AXES = ("energy", "valence", "tension", "brightness", "space", "era")
MOTIFS = ("space", "city", "sea", "mountains", "forest", "machines", "faces", "geometry", "waves", "abstract")
TEMPOS = {"future": (124, 128), "bass": (126, 130), "progressive": (121, 126), "melodic": (117, 122)}
"""Lowest and highest tempo of each sub-genre in beats per minute."""
_NEARBY = {119.5: 119.0, 120.0: 120.5, 121.5: 121.0, 125.0: 124.0, 125.5: 126.0, 127.0: 126.5}
"""Tempi that essentia's beat tracker, whose frames are 11.6 ms, reads 1 to 2 BPM wrong even from a bare click track: where
the tempo is ours to choose we take the neighbour, so that what listeners' tools say agrees with the plan."""
_SWING = {"future": 0.53, "bass": 0.55, "progressive": 0.5, "melodic": 0.51}
_LEANING = {  # how each sub-genre leans on (energy, valence, tension, brightness, space, era)
    "future": (0.35, 0.45, -0.1, 0.8, -0.1, 0.6),
    "bass": (0.7, -0.55, 0.8, -0.4, -0.5, 0.2),
    "progressive": (0.45, 0.5, -0.1, 0.1, 0.55, -0.3),
    "melodic": (-0.9, 0.0, -0.35, -0.3, 0.5, -0.2),
}
_BIAS = np.array((0.08, -0.27, 0.27, -0.08))
"""Makes the four sub-genres equally frequent over some 320 everyday topics."""


@dataclass(frozen=True)
class Mood:
    """The topic on the axes, each in [-1, 1], and its share of each motif family (sum 1)."""

    energy: float
    valence: float
    tension: float
    brightness: float
    space: float
    era: float
    motifs: tuple[float, ...]

    def motif(self, name: str) -> float:
        """Share of a motif family in [0, 1]."""
        return self.motifs[MOTIFS.index(name)]


@dataclass(frozen=True)
class Style:
    """What characterises one song: made once from topic, seed and settings, read by every voice."""

    genre: str
    tempo: Fraction
    key: Key
    swing: Fraction
    mood: Mood
    progressions: tuple[tuple[int, ...], ...]
    colour: int
    words: int
    seed: int
    form: Form = FORMS["club"]
    take: Take = Take("club", 0, "plain", False, 0)
    wishes: Wishes = Wishes()
    band: tuple[int, int] = (60, 200)
    """Lowest and highest tempo that the form allows."""
    lead: str | None = None
    """The lead's voice; None: the sub-genre's own."""
    register: int = 0
    """Semitones by which chords, pads and leads lie higher (whole fifths and octaves do not matter: notes stay in the key)."""

    def rng(self, *names: str | int) -> np.random.Generator:
        """An independent stream of randomness for each use, so that one voice never shifts another."""
        path = [zlib.crc32(str(n).encode()) for n in names]
        return np.random.default_rng([self.seed, self.words & 0xFFFFFFFF, self.words >> 32, *path])

    def taste(self, *names: str | int) -> np.random.Generator:
        """As `rng`, but the same for all seeds of a topic: what belongs to the topic and not to the take."""
        path = [zlib.crc32(str(n).encode()) for n in names]
        return np.random.default_rng([self.words & 0xFFFFFFFF, self.words >> 32, *path])


def hash_words(text: str) -> int:
    """64 bits of the topic's words, case and spacing ignored; the same in every process.

    >>> hash_words("The  Sea") == hash_words("the sea")
    True
    """
    return int.from_bytes(hashlib.blake2b(" ".join(text.casefold().split()).encode(), digest_size=8).digest(), "big")


def read_mood(vector: np.ndarray, axes: tuple[str, ...]) -> Mood:
    """Read the mood from one row of a text embedding by the names of its axes; axes that are missing read as 0."""
    at = {name: float(np.nan_to_num(vector[i])) for i, name in enumerate(axes) if i < len(vector)}
    places = {name: float(np.clip(at.get(name, 0.0), -1, 1)) for name in AXES}
    shares = np.array([max(0.0, at.get("motif_" + name, 0.0)) for name in MOTIFS])
    shares = shares / shares.sum() if shares.sum() > 0 else np.full(len(MOTIFS), 1 / len(MOTIFS))
    return Mood(**places, motifs=tuple(float(s) for s in shares))


def choose_genre(mood: Mood, words: int, seed: int, rank: int = 0) -> str:
    """The sub-genre nearest to the topic's mood (`rank` 1: the next); a draw by the seed lets close calls go either way."""
    axes = np.array([getattr(mood, a) for a in AXES])
    leaning = (np.array([_LEANING[g] for g in GENRES]) * axes).sum(axis=1) + _BIAS
    own = np.random.default_rng([words & 0xFFFFFFFF, words >> 32, 1]).normal(0, 0.1, len(GENRES))
    take = np.random.default_rng([seed, words & 0xFFFFFFFF, words >> 32, 2]).normal(0, 0.2, len(GENRES))
    return GENRES[int(np.argsort(-(leaning + own + take), kind="stable")[rank])]


def choose_mode(mood: Mood, genre: str) -> str:
    """Major for glad topics, minor for dark ones, phrygian where tense; bass house sits darker, future lighter."""
    light = mood.valence - 0.3 * max(0.0, mood.tension) + {"bass": -0.35, "future": 0.1}.get(genre, 0.0)
    if light > 0.35:
        return "major"
    if light > 0.12:
        return "mixolydian"
    if light > -0.15:
        return "dorian"
    return "phrygian" if mood.tension > 0.4 and light < -0.4 else "minor"


def make_style(
    mood: Mood, words: int, seed: int, *, genre: str | None, tempo: Fraction | None, key: tuple[int, str | None] | None,
    swing: float | None, form: str | None = "club", wishes: Wishes = NO_WISHES, held: Collection[str] = (),
) -> Style:  # fmt: skip
    """Decide form, genre, tempo, key, swing, progressions and the lead; what the caller fixed stays fixed.

    `form` None lets topic and seed choose: seeds 4k to 4k + 3 make four songs that differ on purpose (`forms.choose_take`).
    Key and mode come from the topic alone; sound and density also from the take, except on the axes that are `held`.
    A genre that is fixed is a sub-genre of house: it keeps to the club form, if no other is asked for, and to its own tempi.
    """
    axes = np.array([getattr(mood, a) for a in AXES])
    shares = dict(zip(MOTIFS, mood.motifs, strict=True))
    house = genre is not None
    chosen = choose_take(axes, shares, words, seed, form or ("club" if house else wishes.form))
    genre = genre or choose_genre(mood, words, seed, chosen.rank)
    made = FORMS[chosen.form]
    topic = np.random.default_rng([words & 0xFFFFFFFF, words >> 32])
    take = np.random.default_rng([seed, words & 0xFFFFFFFF, words >> 32])
    low, high = band = TEMPOS[genre] if house or made.tempo is None else made.tempo
    if not house and wishes.band is not None:
        low, high = band = wishes.band
    pace = (low + high) / 2 + 0.42 * (high - low) * (mood.energy + topic.uniform(-0.35, 0.35))
    pace = float(np.clip(round(2 * (pace + take.choice((-1.0, -0.5, 0.0, 0.5, 1.0)))) / 2, low, high))
    if not house and wishes.pace != 1:
        pace = float(np.clip(round(2 * wishes.pace * pace) / 2, 60, 180))
        band = (int(pace), int(pace) + 1)
    pace = wishes.tempo or _NEARBY.get(pace, pace)
    mode = choose_mode(mood, genre)
    fifths = round(3.0 * mood.valence + 2.0 * mood.brightness - 2.0 * mood.tension) + int(topic.integers(-3, 4))
    tonic = (9 + 7 * fifths) % 12
    if key is not None:
        tonic, mode = key[0], key[1] or mode
    if form is None:
        mood = lean_mood(mood, chosen.number, held)
    choices = PROGRESSIONS[mode]
    order = np.random.default_rng([words & 0xFFFFFFFF, words >> 32, 4]).permutation(len(choices))
    first = int(order[seed % len(choices)])
    others = [i for i in range(len(choices)) if i != first]
    colour = {"future": 2, "bass": 1, "progressive": 1, "melodic": 1}[genre]
    if mood.tension > 0.45 or mood.space > 0.6:
        colour = min(2, colour + 1)
    if mood.era < -0.6:
        colour = max(0, colour - 1)
    lean = (made.swing or _SWING[genre]) + 0.05 * max(0.0, -mood.era)
    lean = min(0.66, lean + (0.0, 0.015, 0.0, 0.03)[chosen.number])
    register = round(9 * mood.brightness + 4 * mood.valence - 3 * mood.tension)
    return Style(
        genre, tempo or Fraction(pace).limit_denominator(1000), Key(tonic, mode),
        Fraction(swing if swing is not None else round(lean, 3)).limit_denominator(1000), mood,
        (choices[first], *(choices[int(i)] for i in take.permutation(others))), colour, words, seed, made, chosen, wishes, band,
        choose_lead(made, mood, chosen, wishes, words), int(np.clip(register, -10, 10)),
    )  # fmt: skip


def lean_mood(mood: Mood, number: int, held: Collection[str] = ()) -> Mood:
    """The mood as take `number` reads it: as it is, brighter and drier, darker and denser, quieter and wider."""
    leans = ((), (0.3, 0, 0, 0.5, -0.4, 0.1), (0.1, 0, 0.25, -0.55, 0.1, -0.1), (-0.7, 0, -0.2, -0.1, 0.5, -0.2))[
        number
    ]
    moved = {
        axis: float(np.clip(getattr(mood, axis) + by, -1, 1))
        for axis, by in zip(AXES, leans, strict=False)
        if by and axis not in held
    }
    return replace(mood, **moved)  # type: ignore[arg-type]


def choose_lead(form: Form, mood: Mood, take: Take, wishes: Wishes, words: int) -> str | None:
    """The lead's voice: an instrument that the topic names, else one of the form's, else by mood; takes differ."""
    if wishes.instruments:
        if take.number != 2 or not form.leads:  # one take gives the tune to another instrument
            return wishes.instruments[take.number % len(wishes.instruments)]
    topic = np.random.default_rng([words & 0xFFFFFFFF, words >> 32, 5])
    if form.leads:
        order = topic.permutation(len(form.leads))
        return form.leads[int(order[take.number % len(form.leads)])]
    if mood.era < -0.35:
        return ("brass", "organ", "strings")[int(topic.integers(3))]
    if mood.motif("faces") > 0.3:
        return "vocal"
    return None


assert set(MODES) == set(PROGRESSIONS)
