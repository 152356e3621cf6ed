"""Sound to mel spectrogram, and mel spectrogram to pictures: one per video frame, or one of the whole song."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from fractions import Fraction
from functools import lru_cache
from weakref import WeakKeyDictionary

import numpy as np

from ..errors import InvalidValue, UnknownName, nearest
from ..types import Audio, Frames, Image, Spectrogram
from .stft import ANALYSIS_RATE, analysis_length, power_blocks

FLOOR = -80.0
"""dB below the song's loudest bin: what is quieter is drawn as silence."""
WINDOW = 1.5
"""Seconds of song that one video frame shows by default: most of a bar, so that the eye can follow what moves."""
_known: WeakKeyDictionary[Audio, dict[tuple[int, int, int], Spectrogram]] = WeakKeyDictionary()


def mel_spectrogram(audio: Audio, *, n_mels: int = 128, hop_length: int = 512, n_fft: int = 2048) -> Spectrogram:
    """Mel power spectrogram in decibels relative to the whole song's loudest bin, shape=(mel, frame), in [-80, 0] dB.

    The sound is mixed to one channel and resampled to 22,050 Hz; Hann window, frames centred on multiples of
    `hop_length`, zeros beyond both ends, Slaney's mel filters from 0 to 11,025 Hz: `librosa.feature.melspectrogram` of
    the whole sound, but read in blocks, so that an hour costs what is kept: 79 MB. Loudness shows, because the
    reference is the song's own maximum and not each chunk's (the published way). Silence is -80 dB everywhere.

    The last result is kept for as long as the sound itself lives.

    Raises:
        InvalidValue: a sample is not a finite number, or a setting is out of range.

    >>> tone = np.sin(2 * np.pi * 440 * np.arange(22050) / 22050).astype(np.float32)
    >>> spectrogram = mel_spectrogram(Audio(tone[None], 22050))
    >>> spectrogram.decibels.shape, float(spectrogram.decibels.max())
    ((128, 44), 0.0)
    """
    key = (n_mels, hop_length, n_fft)
    kept = _known.get(audio, {})
    if key not in kept:
        builder = MelBuilder(audio, n_mels=n_mels, hop_length=hop_length, n_fft=n_fft)
        for _, power in power_blocks(audio, hop_length=hop_length, n_fft=n_fft):
            builder.add(power)
        builder.finish()
    return _known[audio][key]


class MelBuilder:
    """Collects power blocks into one mel spectrogram, so that another analysis can share the same pass over a sound."""

    def __init__(self, audio: Audio, *, n_mels: int = 128, hop_length: int = 512, n_fft: int = 2048) -> None:
        if not (1 <= n_mels <= 512 and 16 <= n_fft <= 1 << 16 and 1 <= hop_length <= n_fft):
            raise InvalidValue(
                "a mel spectrogram takes n_mels 1 to 512, n_fft 16 to 65536 and hop_length 1 to n_fft, "
                f"got n_mels={n_mels}, n_fft={n_fft}, hop_length={hop_length}"
            )
        self.audio, self.key = audio, (n_mels, hop_length, n_fft)
        # a filter spans a few bins of a thousand: products of those alone are 20 times fewer than a matrix product's, and
        # their sums have one order, whatever number of threads the machine has
        self._filters = [_support(f) for f in mel_filters(n_mels, n_fft)]
        frames = 1 + analysis_length(audio) // hop_length
        self._mel = np.empty((n_mels, frames), np.float32)
        self._filled = 0

    def add(self, power: np.ndarray) -> np.ndarray:
        """Take the next block of power, shape=(bin, frame); gives its mel power, shape=(mel, frame)."""
        begin, self._filled = self._filled, self._filled + power.shape[1]
        for row, (bins, weights) in zip(self._mel[:, begin : self._filled], self._filters, strict=True):
            np.sum(power[bins] * weights, axis=0, out=row)
        return self._mel[:, begin : self._filled]

    def finish(self) -> Spectrogram:
        """Decibels relative to the maximum, in place; the result is remembered for `mel_spectrogram`."""
        mel, peak = self._mel, float(self._mel.max())
        if peak < 1e-20:  # nothing but zeros, or the rounding noise of zeros
            mel.fill(FLOOR)
        else:
            for row in mel:  # row by row: no second copy of an hour
                np.maximum(row / np.float32(peak), np.float32(10 ** (FLOOR / 10)), out=row)
                np.multiply(np.log10(row, out=row), np.float32(10), out=row)
            np.clip(mel, FLOOR, 0.0, out=mel)
        spectrogram = Spectrogram(mel, ANALYSIS_RATE, self.key[1])
        _known.setdefault(self.audio, {})[self.key] = spectrogram
        return spectrogram


@lru_cache(maxsize=8)
def mel_filters(n_mels: int, n_fft: int) -> np.ndarray:
    """Slaney's area-normalised mel filters from 0 to 11,025 Hz, float32, shape=(mel, bin).

    Slaney, Auditory Toolbox (1998): 15 mels to 1 kHz, then 27 to each factor of 6.4. `librosa.filters.mel` gives the same
    numbers; it is not called because importing it costs as much as analysing two minutes of sound.
    """
    top = 15 + 27 * np.log(ANALYSIS_RATE / 2 / 1000) / np.log(6.4)
    mels = np.linspace(0, top, n_mels + 2)
    edges = np.where(mels < 15, mels * 200 / 3, 1000 * np.exp((mels - 15) * np.log(6.4) / 27))
    bins = np.fft.rfftfreq(n_fft, 1 / ANALYSIS_RATE)
    rising = (bins - edges[:-2, None]) / np.diff(edges)[:-1, None]
    falling = (edges[2:, None] - bins) / np.diff(edges)[1:, None]
    area = 2 / (edges[2:] - edges[:-2])
    return (np.maximum(0, np.minimum(rising, falling)) * area[:, None]).astype(np.float32)


def _support(weights: np.ndarray) -> tuple[slice, np.ndarray]:
    """The bins in which a filter is not zero, and its weights there, shape=(bin, 1)."""
    used = np.flatnonzero(weights)
    bins = slice(int(used[0]), int(used[-1]) + 1) if len(used) else slice(0, 0)
    return bins, weights[bins, None]


@lru_cache(maxsize=8)
def colours(colormap: str) -> np.ndarray:
    """A matplotlib colour map as a table, uint8, shape=(256, rgb): row 0 is -80 dB, row 255 is 0 dB.

    Raises:
        UnknownName: no such colour map.
    """
    import matplotlib

    usual = ("magma", "inferno", "viridis", "plasma", "gray")
    if colormap not in matplotlib.colormaps:
        raise UnknownName(f"no colour map {colormap!r}; {nearest(colormap, usual)}")
    table = matplotlib.colormaps[colormap](np.arange(256) / 255, bytes=True)
    return np.ascontiguousarray(table[:, :3])


def colour_table(colormap: str | np.ndarray) -> np.ndarray:
    """A colour map by its name, or the table itself.

    Raises:
        InvalidValue: a table that is not uint8 of shape=(256, rgb).
        UnknownName: no such colour map.
    """
    if isinstance(colormap, str):
        return colours(colormap)
    if colormap.dtype != np.uint8 or colormap.shape != (256, 3):
        raise InvalidValue(f"a colour table is uint8 (256, rgb), got {colormap.dtype} {colormap.shape}")
    return np.ascontiguousarray(colormap)


def spectrogram_frames(
    spectrogram: Spectrogram,
    *,
    count: int,
    fps: Fraction,
    size: tuple[int, int],
    seconds: float | None = None,
    colormap: str | np.ndarray = "magma",
    relative: str = "song",
    edges: str = "silence",
) -> Frames:
    """The spectrogram as video: frame k shows the song around the middle of [k/fps, (k+1)/fps), low notes below.

    Args:
        size: (rows, columns) in pixels.
        seconds: width of the window; None is 1.5 s. `seconds=0.1, fps=10` shows the published chunks, each frame
            exactly its own [k/10, (k+1)/10).
        colormap: any of matplotlib's, or a table, uint8, shape=(256, rgb), such as `image.ramp.colour_ramp` makes of a cover.
        relative: "song" keeps loudness visible, and cells melt into each other; "chunk" is the published look: each
            window's maximum is brought to 0 dB, cells are flat.
        edges: what windows show beyond the song's ends: "silence", which is dark, or "mirror", the song backwards, so that no
            frame is half empty.

    Raises:
        InvalidValue: `seconds` not in (0, 60], or an unknown `relative`.

    >>> ramp = Spectrogram(np.linspace(-80, 0, 128 * 90, dtype=np.float32).reshape(128, 90), 22050, 512)
    >>> frames = spectrogram_frames(ramp, count=60, fps=Fraction(30), size=(64, 96))
    >>> next(iter(frames)).shape
    (64, 96, 3)
    """
    width = WINDOW if seconds is None else float(seconds)
    if not 0 < width <= 60:
        raise InvalidValue(f"a spectrogram window is longer than 0 and at most 60 seconds, got {seconds}")
    if relative not in ("song", "chunk"):
        raise InvalidValue(f"relative is 'song' or 'chunk', got {relative!r}")
    if edges not in ("silence", "mirror"):
        raise InvalidValue(f"edges is 'silence' or 'mirror', got {edges!r}")
    table, rate = colour_table(colormap), spectrogram.frame_rate
    ticks, unit = 2 * fps.numerator, fps.denominator

    def make() -> Iterator[np.ndarray]:
        levels = _levels(spectrogram.decibels)
        starts = ((2 * k + 1) * unit / ticks - width / 2 for k in range(count))  # whole numbers: no drift over an hour
        draw = _windows if relative == "song" else _chunks
        return draw(levels, table, size, starts, width, rate, edges == "mirror")

    return Frames(make, size, count, fps)


def _windows(
    levels: np.ndarray,
    table: np.ndarray,
    size: tuple[int, int],
    starts: Iterable[float],
    width: float,
    rate: float,
    mirror: bool,
) -> Iterator[np.ndarray]:
    """Windows cut at whole pixels from strips of five windows: neighbours share most of their pixels, drawn once."""
    columns = size[1]
    scale = columns / width
    strip, begin = np.zeros((size[0], 0, 3), np.uint8), 0
    for start in starts:
        at = round(start * scale)
        if not begin <= at <= begin + strip.shape[1] - columns:
            left, right = (pixel / scale * rate + 0.5 for pixel in (at, at + 5 * columns))
            part, first = _cut(levels, left, right, mirror)
            strip = _paint(part, table, (size[0], 5 * columns), (left - first, 0, right - first, len(levels)))
            begin = at
        yield np.ascontiguousarray(strip[:, at - begin : at - begin + columns])


def _chunks(
    levels: np.ndarray,
    table: np.ndarray,
    size: tuple[int, int],
    starts: Iterable[float],
    width: float,
    rate: float,
    mirror: bool,
) -> Iterator[np.ndarray]:
    """Each window by itself, its maximum at 0 dB, in flat cells."""
    rows = ((np.arange(size[0]) + 0.5) * len(levels) / size[0]).astype(np.intp)
    for start in starts:
        left = start * rate + 0.5
        part, first = _cut(levels, left, left + width * rate, mirror)
        if part.any():
            part = np.where(part > 0, part + (255 - part.max()), 0)
        columns = left - first + (np.arange(size[1]) + 0.5) * width * rate / size[1]
        yield table[part].take(columns.astype(np.intp), axis=1).take(rows, axis=0)


def _cut(levels: np.ndarray, left: float, right: float, mirror: bool) -> tuple[np.ndarray, int]:
    """The columns that [left, right] touches, one more to each side, and the first one's number.

    Beyond the song there is silence, or the song backwards.

    Column j is centred on time j / rate and fills [j, j + 1), so that time t lies at t * rate + 0.5.
    """
    first, last = math.floor(left) - 1, math.ceil(right) + 1
    if mirror:
        at = np.arange(first, last) % (2 * levels.shape[1])
        return np.ascontiguousarray(levels[:, np.minimum(at, 2 * levels.shape[1] - 1 - at)]), first
    part = np.zeros((len(levels), last - first), np.uint8)
    low, high = max(first, 0), min(last, levels.shape[1])
    if low < high:
        part[:, low - first : high - first] = levels[:, low:high]
    return part, first


def spectrogram_image(
    spectrogram: Spectrogram, size: tuple[int, int] = (512, 1024), *, colormap: str = "magma"
) -> Image:
    """The whole song in one picture of `size` (rows, columns), time from left to right, low frequencies at the bottom.

    >>> flat = Spectrogram(np.full((128, 90), -80, np.float32), 22050, 512)
    >>> spectrogram_image(flat, (32, 64)).pixels[0, 0].tolist()
    [0, 0, 3]
    """
    levels = _levels(spectrogram.decibels)
    return Image(_paint(levels, colours(colormap), size, (0, 0, levels.shape[1], levels.shape[0])))


def _levels(decibels: np.ndarray) -> np.ndarray:
    """[-80, 0] dB to 0..255, uint8, shape=(row, frame), the lowest band in the last row."""
    levels = np.empty(decibels.shape, np.uint8)
    for level, row in zip(levels[::-1], decibels, strict=True):  # row by row: no float copy of an hour
        level[:] = np.clip((row - np.float32(FLOOR)) * np.float32(255 / -FLOOR) + np.float32(0.5), 0, 255)
    return levels


def _paint(
    levels: np.ndarray, table: np.ndarray, size: tuple[int, int], box: tuple[float, float, float, float]
) -> np.ndarray:
    """Resize levels, then colour: between two levels lies a level, not a mixture of two colours."""
    from PIL import Image as Pillow

    grey = Pillow.fromarray(levels).resize((size[1], size[0]), Pillow.Resampling.BILINEAR, box=box)
    grey.putpalette(table.tobytes())
    return np.asarray(grey.convert("RGB"))
