"""What a music video is drawn from: keyframes (a caption, its art movement, artworks), a walk between pictures, a film."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from ..errors import InvalidValue
from ..types import Audio, Frames, Image, frame_count


@dataclass(frozen=True, eq=False)
class Keyframe:
    """What one picture of a music video is made from.

    `caption` says what its stretch of music sounds like; `genre` is the word found in it and `movement` the style that goes
    with that genre, both None where the caption names no genre; `artworks` are the user's own pictures, often none; `topic` is
    what the user says it is about, None where nothing was said.

    Raises:
        InvalidValue: a caption that is blank or no text, or artworks that are no pictures.
    """

    caption: str
    genre: str | None = None
    movement: str | None = None
    artworks: tuple[Image, ...] = ()
    topic: str | None = None

    @property
    def text(self) -> str:
        """The caption, after the topic where there is one.

        >>> Keyframe("Calm music.", topic="the sea").text
        'the sea. Calm music.'
        """
        return f"{self.topic}. {self.caption}" if self.topic else self.caption

    def __post_init__(self) -> None:
        if not isinstance(self.caption, str) or not self.caption.strip():
            raise InvalidValue(f"a caption is a sentence, got {self.caption!r}")
        if not all(isinstance(a, Image) for a in self.artworks):
            raise InvalidValue("artworks are pictures: load them with load_image")


@dataclass(frozen=True, eq=False)
class Walk:
    """A way along pictures, frame by frame.

    `positions`, float64, shape=(frame,), in [0, pictures - 1]: k is picture k itself, k + 0.5 half way to the next one.
    `pictures` may be any sequence that reads a picture when it is asked for, so that an hour's need not lie in memory.

    Raises:
        InvalidValue: no pictures, or positions that are not finite, leave the pictures, or go back.

    >>> Walk([Image(np.zeros((4, 4, 3), np.uint8))] * 2, np.array([0, 0.5, 1]), Fraction(30)).count
    3
    """

    pictures: Sequence[Image]
    positions: np.ndarray
    fps: Fraction

    def __post_init__(self) -> None:
        x, last = self.positions, len(self.pictures) - 1
        if last < 0:
            raise InvalidValue("a walk needs at least one picture")
        if x.ndim != 1 or not len(x) or not np.isfinite(x).all() or x.min() < 0 or x.max() > last:
            raise InvalidValue(f"positions are finite numbers from 0 to {last}, shape=(frame,)")
        if (np.diff(x) < 0).any():
            raise InvalidValue("positions never go back")

    @property
    def count(self) -> int:
        """Frames."""
        return len(self.positions)


@dataclass(frozen=True, eq=False)
class Film:
    """Pictures and the sound that they go with; both begin at 0 seconds.

    Raises:
        InvalidValue: their lengths differ by more than a frame.

    >>> sound = Audio(np.zeros((1, 8000), np.float32), 8000)
    >>> Film(Frames.still(Image(np.zeros((4, 4, 3), np.uint8)), 10, Fraction(10)), sound).frames.count
    10
    """

    frames: Frames
    sound: Audio

    def __post_init__(self) -> None:
        if abs(self.frames.count - frame_count(self.sound.duration, self.frames.fps)) > 1:
            raise InvalidValue(
                f"a film's pictures last {float(self.frames.duration):.3f} s and its sound "
                f"{float(self.sound.duration):.3f} s: make them of the same song"
            )


def genre_of(caption: str, genres: Sequence[str] | Mapping[str, str]) -> str | None:
    """The first of `genres`, in their own order, that the caption names as a whole word; None where it names none.

    The published visualiser (Pina and Li, arXiv:2412.05694) looks for the letters anywhere: "rap" in "therapy", "house"
    in "warehouse", "metal" in "metallic percussion". Here only whole words count; a hyphen is a space.

    >>> genre_of("A metallic hip-hop beat for a warehouse.", ["house", "metal", "hip hop"])
    'hip hop'
    """
    text = f" {_words(caption)} "
    return next((g for g in genres if f" {_words(g)} " in text), None)


def _words(text: str) -> str:
    return " ".join(re.findall(r"[\w&']+", text.lower().replace("_", " ")))
