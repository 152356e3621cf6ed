"""The values that travel between parts: small, frozen, checked when made.

Axis names used everywhere: sound is (channel, time), pictures are (row, column, rgb), mel spectrograms are (mel, frame).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from .errors import InvalidValue, PluginError

MAX_TOPIC = 500
GENRES = ("future", "bass", "progressive", "melodic")
"""House sub-genres in the published order of HouseX (arXiv 2207.11690)."""


@dataclass(frozen=True)
class Topic:
    """What the song is about, in words: 1 to 500 characters after whitespace is collapsed.

    Raises:
        InvalidValue: blank, too long, or not text.

    >>> Topic("  a futuristic\\n spaceship ").text
    'a futuristic spaceship'
    """

    text: str

    def __post_init__(self) -> None:
        if not isinstance(self.text, str):
            raise InvalidValue(f'a topic is text, got {type(self.text).__name__}: write topic="a futuristic spaceship"')
        text = " ".join("".join(c if c.isprintable() else " " for c in self.text).split())
        if not text:
            raise InvalidValue('the topic is empty: write a few words, topic="a futuristic spaceship"')
        if len(text) > MAX_TOPIC:
            raise InvalidValue(f"the topic has {len(text):,} characters, at most {MAX_TOPIC} are read: shorten it")
        object.__setattr__(self, "text", text)


@dataclass(frozen=True)
class Section:
    """A stretch of a song: its name (intro, build, drop, break, outro) and [start, end) in seconds."""

    name: str
    start: float
    end: float


@dataclass(frozen=True)
class Plan:
    """What a synthesised song declares about itself; times in seconds, tempo in beats per minute.

    `beats` and `downbeats` are exact grids; `key` is a note name, `mode` "major", "minor", "dorian" and so on.
    """

    tempo: float
    key: str
    mode: str
    genre: str
    beats: tuple[float, ...] = ()
    downbeats: tuple[float, ...] = ()
    sections: tuple[Section, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON; `from_dict` is the inverse.

        >>> plan = Plan(124.0, "A", "minor", "bass", (0.0, 0.5), (0.0,), (Section("drop", 0.0, 1.0),))
        >>> Plan.from_dict(plan.as_dict()) == plan
        True
        """
        from dataclasses import asdict

        plain = asdict(self)
        return {k: list(v) if isinstance(v, tuple) else v for k, v in plain.items()}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Plan:
        """Rebuild a plan from `as_dict`."""
        return cls(
            float(plain["tempo"]), plain["key"], plain["mode"], plain["genre"],
            tuple(map(float, plain["beats"])), tuple(map(float, plain["downbeats"])),
            tuple(Section(s["name"], float(s["start"]), float(s["end"])) for s in plain["sections"]),
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Audio:
    """Sound: float32 samples, shape=(channel, time), nominal range [-1, 1], with its own rate in Hz.

    `samples` may be a read-only `numpy.memmap` (time-major on disk) for sounds too long for memory: read those with `blocks`.
    `plan` is what a synthesised song declares about itself, None for any other sound. `parts` are files that belong to it and
    are kept beside it, by name: bytes, as "stem-bass.wav" or "song.mid".

    Raises:
        InvalidValue: wrong dtype or shape, no samples, more than 8 channels, or a rate outside 1 kHz to 768 kHz.

    >>> Audio(np.zeros((1, 22050), np.float32), 44100).duration
    Fraction(1, 2)
    """

    samples: np.ndarray
    rate: int
    plan: Plan | None = None
    parts: Mapping[str, bytes] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        x = self.samples
        if not isinstance(x, np.ndarray) or x.dtype != np.float32 or x.ndim != 2:
            got = f"{x.dtype} {x.shape}" if isinstance(x, np.ndarray) else type(x).__name__
            raise InvalidValue(f"sound is float32 (channel, time), got {got}")
        if not 1 <= x.shape[0] <= 8 or x.shape[1] < 1:
            raise InvalidValue(f"sound has 1 to 8 channels and at least one sample, got (channel, time) = {x.shape}")
        if not isinstance(self.rate, int) or not 1000 <= self.rate <= 768000:
            raise InvalidValue(f"a sampling rate is a whole number from 1000 to 768000 Hz, got {self.rate!r}")

    @property
    def duration(self) -> Fraction:
        """Length in seconds, exact."""
        return Fraction(self.samples.shape[1], self.rate)

    @property
    def channels(self) -> int:
        """Number of channels."""
        return int(self.samples.shape[0])

    def blocks(self, size: int) -> Iterator[np.ndarray]:
        """Consecutive float32 blocks, shape=(channel, <= size), that cover the sound once.

        A memory-mapped sound is read from its file block by block, so that the process never holds more than one block.
        """
        x, total = self.samples, self.samples.shape[1]
        if isinstance(x, np.memmap) and x.filename is not None and _is_whole(x):
            with open(x.filename, "rb") as file:
                file.seek(int(x.offset))
                for start in range(0, total, size):
                    n = min(size, total - start)
                    yield np.fromfile(file, np.float32, n * x.shape[0]).reshape(n, x.shape[0]).T
            return
        for start in range(0, total, size):
            yield x[:, start : start + size]

    def mono(self) -> np.ndarray:
        """The mean of the channels, float32, shape=(time,). Loads the whole sound: use `blocks` for long ones."""
        return np.ascontiguousarray(self.samples.mean(axis=0, dtype=np.float32))


def _is_whole(samples: np.memmap[Any, Any]) -> bool:
    """Whether a map shows its whole file in order: a slice of a map keeps the offset of the whole."""
    return samples.T.flags.c_contiguous and samples.nbytes == os.path.getsize(str(samples.filename)) - samples.offset


@dataclass(frozen=True, eq=False)
class Image:
    """A picture: uint8, shape=(row, column, rgb).

    `notes` is what a painter says of its picture, plain data that JSON can hold, None where nobody said anything. The painters
    of covers give `shown` (a list of {"word", "shape", "box": [x0, y0, x1, y1]}, the box in shares of width and height from the
    upper left), `missed` (the topic's words that were not drawn) and `finish` (how it was drawn). Pixels alone are the picture:
    a picture that was resized or changed has none.

    Raises:
        InvalidValue: wrong dtype or shape, or a side of no pixels; notes that are no mapping.

    >>> Image(np.zeros((4, 6, 3), np.uint8)).size
    (4, 6)
    """

    pixels: np.ndarray
    notes: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        x = self.pixels
        if not isinstance(x, np.ndarray) or x.dtype != np.uint8 or x.ndim != 3 or x.shape[2] != 3 or 0 in x.shape:
            got = f"{x.dtype} {x.shape}" if isinstance(x, np.ndarray) else type(x).__name__
            raise InvalidValue(f"a picture is uint8 (row, column, rgb), got {got}")
        if self.notes is not None and not isinstance(self.notes, Mapping):
            raise InvalidValue(f"a picture's notes are a mapping or None, got {type(self.notes).__name__}")

    @property
    def size(self) -> tuple[int, int]:
        """(rows, columns)."""
        return int(self.pixels.shape[0]), int(self.pixels.shape[1])

    def resized(self, rows: int, columns: int) -> Image:
        """The same picture at another size: cut to the new aspect around its centre, then Lanczos.

        >>> Image(np.zeros((4, 6, 3), np.uint8)).resized(2, 2).size
        (2, 2)
        """
        if self.size == (rows, columns):
            return self
        from PIL import Image as Pillow
        from PIL import ImageOps

        picture = ImageOps.fit(Pillow.fromarray(self.pixels), (columns, rows), Pillow.Resampling.LANCZOS)
        return Image(np.asarray(picture))


@dataclass(frozen=True, eq=False)
class Spectrogram:
    """A mel spectrogram: float32 decibels, shape=(mel, frame), relative to the song's loudest bin, in [-80, 0].

    Column j is centred on sample j * hop_length of a sound at `rate` Hz.
    """

    decibels: np.ndarray
    rate: int
    hop_length: int

    def __post_init__(self) -> None:
        x = self.decibels
        if x.dtype != np.float32 or x.ndim != 2 or 0 in x.shape or not np.isfinite(x).all():
            raise InvalidValue(f"a mel spectrogram is finite float32 (mel, frame), got {x.dtype} {x.shape}")

    @property
    def frame_rate(self) -> float:
        """Spectrogram columns per second."""
        return self.rate / self.hop_length


def frame_count(duration: Fraction, fps: Fraction) -> int:
    """Pictures needed for `duration` seconds: frame k shows [k/fps, (k+1)/fps), so ceil(duration * fps), exactly.

    >>> frame_count(Fraction(10), Fraction(30000, 1001))
    300
    """
    return max(1, -((-duration * fps) // 1))


@dataclass(frozen=True, eq=False)
class Frames:
    """A re-iterable source of pictures: each iteration calls `make` and yields `count` uint8 arrays (row, column, rgb).

    Nothing is kept in memory; what is yielded is checked, so a plug-in that makes too few or misshapen pictures is named.

    >>> list(Frames(lambda: iter([np.zeros((2, 2, 3), np.uint8)]), size=(2, 2), count=1, fps=Fraction(30)))[0].shape
    (2, 2, 3)
    """

    make: Callable[[], Iterable[np.ndarray]] = field(repr=False)
    size: tuple[int, int]
    count: int
    fps: Fraction

    def __post_init__(self) -> None:
        if not isinstance(self.fps, Fraction) or not 0 < self.fps <= 240:
            raise InvalidValue(f"frames per second is a Fraction above 0 and at most 240, got {self.fps!r}")
        if self.count < 1 or min(self.size) < 1:
            raise InvalidValue(f"frames need a count and a size of at least 1, got {self.count} of {self.size}")

    @classmethod
    def still(cls, image: Image, count: int, fps: Fraction) -> Frames:
        """`count` times the same picture."""
        return cls(lambda: (image.pixels for _ in range(count)), image.size, count, fps)

    @property
    def duration(self) -> Fraction:
        """Seconds, exact."""
        return self.count / self.fps

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[np.ndarray]:
        seen = 0
        for picture in self.make():
            seen += 1
            if seen > self.count:
                raise PluginError(f"a frame source made more than the {self.count} pictures that it declared")
            if picture.dtype != np.uint8 or picture.shape != (*self.size, 3):
                raise PluginError(
                    f"frame {seen - 1} is {picture.dtype} {picture.shape}, declared uint8 {(*self.size, 3)}"
                )
            yield picture
        if seen < self.count:
            raise PluginError(f"a frame source made {seen} of the {self.count} pictures that it declared")


@dataclass(frozen=True)
class CoverBrief:
    """What a cover is made from: the topic, the song's genre, one of the genre's colours and one of its words."""

    topic: str
    genre: str
    colour: str
    word: str

    @property
    def prompt(self) -> str:
        """The published sentence (ICVGIP 2024): "{colour} colored album cover for music about {topic} that {word}".

        >>> CoverBrief("the sea", "melodic", "green", "blends").prompt
        'green colored album cover for music about the sea that blends'
        """
        return f"{self.colour} colored album cover for music about {self.topic} that {self.word}"


@dataclass(frozen=True, eq=False)
class Scene:
    """What motion is made from: a cover and the song that moves it."""

    cover: Image
    song: Audio
