"""From the topic's place on the text axes, and a seed, to everything that characterises one song."""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from ...types import GENRES
from .harmony import MODES, PROGRESSIONS, Key

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


def choose_genre(mood: Mood, words: int, seed: int) -> str:
    """The sub-genre nearest to the topic's mood; a small draw by the seed lets close calls go either way."""
    axes = np.array([getattr(mood, a) for a in AXES])
    leaning = (np.array([_LEANING[g] for g in GENRES]) * axes).sum(axis=1) + _BIAS
    own = np.random.default_rng([words & 0xFFFFFFFF, words >> 32, 1]).normal(0, 0.1, len(GENRES))
    take = np.random.default_rng([seed, words & 0xFFFFFFFF, words >> 32, 2]).normal(0, 0.2, len(GENRES))
    return GENRES[int(np.argmax(leaning + own + take))]


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
    swing: float | None,
) -> Style:  # fmt: skip
    """Decide genre, tempo, key, swing and progressions; what the caller fixed stays fixed."""
    genre = genre or choose_genre(mood, words, seed)
    topic = np.random.default_rng([words & 0xFFFFFFFF, words >> 32])
    take = np.random.default_rng([seed, words & 0xFFFFFFFF, words >> 32])
    low, high = TEMPOS[genre]
    pace = (low + high) / 2 + 0.42 * (high - low) * (mood.energy + topic.uniform(-0.35, 0.35))
    pace = float(np.clip(round(2 * (pace + take.choice((-1.0, -0.5, 0.0, 0.5, 1.0)))) / 2, low, high))
    pace = _NEARBY.get(pace, pace)
    mode = choose_mode(mood, genre)
    fifths = round(3.0 * mood.valence + 2.0 * mood.brightness - 2.0 * mood.tension) + int(topic.integers(-3, 4))
    tonic = (9 + 7 * fifths) % 12
    if key is not None:
        tonic, mode = key[0], key[1] or mode
    choices = PROGRESSIONS[mode]
    first = int(topic.integers(len(choices))) if take.random() < 0.7 else int(take.integers(len(choices)))
    others = [i for i in range(len(choices)) if i != first]
    colour = {"future": 2, "bass": 1, "progressive": 1, "melodic": 1}[genre]
    if mood.tension > 0.45 or mood.space > 0.6:
        colour = min(2, colour + 1)
    if mood.era < -0.6:
        colour = max(0, colour - 1)
    lean = _SWING[genre] + 0.05 * max(0.0, -mood.era)
    return Style(
        genre, tempo or Fraction(pace).limit_denominator(1000), Key(tonic, mode),
        Fraction(swing if swing is not None else round(lean, 3)).limit_denominator(1000), mood,
        (choices[first], *(choices[int(i)] for i in take.permutation(others))), colour, words, seed,
    )  # fmt: skip


assert set(MODES) == set(PROGRESSIONS)
