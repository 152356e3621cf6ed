"""The score that every voice plays from: style, grid, bars, and a shelf of one-shot sounds rendered once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .arrangement import Bar
from .style import Mood, Style
from .timing import STEPS, Grid


@dataclass(frozen=True)
class Note:
    """A played note: sample at which it starts, length in samples, MIDI number, velocity in (0, 1]."""

    at: int
    length: int
    midi: int
    force: float


@dataclass
class Score:
    """One song before it sounds. `length` is in samples."""

    style: Style
    grid: Grid
    bars: list[Bar]
    length: int
    loop: bool
    kicks: list[int] = field(default_factory=list)
    """Samples at which the kick sounds: what the side-chain listens to."""
    gaps: list[tuple[int, int]] = field(default_factory=list)
    """Sample ranges of held breath before a drop: everything but the effects is silent."""
    shelf: dict[Any, np.ndarray] = field(default_factory=dict)
    """The one-shots rendered so far."""

    notes: dict[str, list[Note]] = field(default_factory=dict)
    """What each part played: filled as the voices play."""
    melody: tuple[tuple[int, int, int], ...] = ()
    """A tune given from outside: (sixteenth, length in sixteenths, MIDI), for the lead instead of its own."""
    melody_steps: int = 0
    """Sixteenths after which it begins again."""

    def note(self, part: str, at: int, length: int, midi: int, force: float) -> None:
        """Write down a note that a voice plays; what begins past the song's end is left out."""
        if 0 <= at < self.length:
            stop = at + length if self.loop else min(self.length, at + length)
            self.notes.setdefault(part, []).append(Note(at, max(1, stop - at), midi, min(1.0, max(0.05, force))))

    @property
    def mood(self) -> Mood:
        """The topic's place on the axes."""
        return self.style.mood

    def sound(self, key: tuple[Any, ...], make: Callable[..., np.ndarray], *arguments: Any) -> np.ndarray:
        """The sound of this key, rendered by `make(*arguments)` at its first use."""
        if key not in self.shelf:
            self.shelf[key] = np.asarray(make(*arguments), np.float32)
        return self.shelf[key]

    def playing(self, track: str) -> Iterator[tuple[Bar, float]]:
        """The bars in which a track sounds, with its level."""
        for bar in self.bars:
            level = bar.level(track)
            if level > 0:
                yield bar, level


def steps(pattern: str) -> list[tuple[int, float]]:
    """Read a bar of sixteenths: "x" loud, "o" middle, "-" soft, anything else silent.

    >>> steps("x.-.")
    [(0, 1.0), (2, 0.4)]
    """
    force = {"x": 1.0, "o": 0.7, "-": 0.4}
    return [(i, force[c]) for i, c in enumerate(pattern[:STEPS]) if c in force]


def human(rng: np.random.Generator, force: float, spread: float = 0.09) -> float:
    """A played velocity: the written one, scattered, never louder than 1.15."""
    return float(np.clip(force * (1 + spread * rng.standard_normal()), 0.05, 1.15))
