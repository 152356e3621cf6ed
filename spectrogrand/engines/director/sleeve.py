"""An animated sleeve: the whole cover, title and artist, a spectrum that dances, and a waveform that fills as the song goes."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from ...audio.spectrogram import mel_spectrogram
from ...image.lettering import set_lines
from ...image.ramp import colour_ramp
from ...image.shape import fit_picture
from ...types import Audio, Frames, Image, frame_count

BARS = 40
_RANGE = 26.0
"""Decibels under a bar's loudest moments at which it lies flat."""
_FALL = 0.16
"""Seconds in which a bar falls by 1/e; it rises at once."""
LEAST = 96
"""Pixels of the short side below which nothing is written: it could not be read."""


def draw_sleeve(
    cover: Image, song: Audio, *, fps: Fraction, size: tuple[int, int], title: str = "", artist: str = ""
) -> Frames:
    """The sleeve as a stream as long as the song.

    Args:
        cover: shown whole, on its own blurred colours.
        song: what the bars and the waveform show.
        fps: frames a second.
        size: (rows, columns).
        title, artist: written beside or under the cover; "" for none.

    >>> song, cover = Audio(np.zeros((1, 8000), np.float32), 8000), Image(np.full((32, 32, 3), 200, np.uint8))
    >>> frames = draw_sleeve(cover, song, fps=Fraction(4), size=(90, 160), title="Rain")
    >>> frames.count, frames.size
    (4, (90, 160))
    """
    count = frame_count(song.duration, fps)

    def make() -> Iterator[np.ndarray]:
        plan = Layout(size)
        base, bright, dim = _background(cover, plan, title, artist)
        heights = _bars(song, count, float(fps))
        wave = _wave(song, max(8, plan.wave[3] // max(2, round(0.006 * min(size)))))
        for k in range(count):
            frame = base.copy()
            _draw_bars(frame, plan.bars, heights[:, k], bright)
            _draw_wave(frame, plan.wave, wave, (k + 0.5) / count, bright, dim)
            yield frame

    return Frames(make, size, count, fps)


class Layout:
    """Boxes (top, left, height, width) of cover, text, bars and waveform: beside each other where wide, else on a column."""

    def __init__(self, size: tuple[int, int]) -> None:
        self.size = size
        rows, columns = size
        edge = round(0.07 * min(size))
        if columns > 1.25 * rows:
            side = min(rows - 2 * edge, round(0.48 * columns) - edge)
            top, left = (rows - side) // 2, edge
            x, wide = left + side + edge, columns - side - 3 * edge
            self.cover = (top, left, side, side)
            self.text = (top + round(0.08 * side), x, round(0.34 * side), wide)
            self.bars = (top + round(0.46 * side), x, round(0.3 * side), wide)
            self.wave = (top + round(0.84 * side), x, max(2, round(0.1 * side)), wide)
        else:
            tall = rows > 1.4 * columns
            side = min(columns - 2 * edge, round((0.5 if tall else 0.6) * rows))
            top = round((0.1 if tall else 0.045) * rows)
            left, y = (columns - side) // 2, top + side + round(0.4 * edge)
            below = min(round((0.9 if tall else 0.97) * rows) - y, round(0.66 * side))
            self.cover = (top, left, side, side)
            self.text = (y, left, round(0.44 * below), side)
            self.bars = (y + round(0.48 * below), left, round(0.3 * below), side)
            self.wave = (y + round(0.84 * below), left, max(2, round(0.13 * below)), side)
        self.centred = columns <= 1.25 * rows


def _background(cover: Image, plan: Layout, title: str, artist: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What never changes, and the two colours of bars and waveform."""
    from PIL import Image as Pillow
    from PIL import ImageFilter

    top, left, side, _ = plan.cover
    rows, columns = plan.size
    small = Pillow.fromarray(fit_picture(cover, (max(8, rows // 8), max(8, columns // 8))).pixels)
    soft = small.filter(ImageFilter.GaussianBlur(max(2, min(rows, columns) / 60)))
    ground = np.asarray(soft.resize((columns, rows), Pillow.Resampling.BICUBIC), np.float32)
    level = float(ground.mean())
    base = ground * np.float32(min(0.45, 62 / max(level, 1)))
    reach = max(1, round(0.02 * side))
    shade = np.zeros((rows, columns), np.float32)
    shade[top : top + side, left : left + side] = 1
    from scipy.ndimage import gaussian_filter

    base *= 1 - 0.5 * gaussian_filter(shade, reach)[..., None]
    base[top : top + side, left : left + side] = fit_picture(cover, (side, side)).pixels
    ramp = colour_ramp(cover.pixels)
    bright, dim = ramp[205].astype(np.float32), 0.55 * ramp[120].astype(np.float32) + 50
    y, x, tall, wide = plan.text
    if min(rows, columns) >= LEAST:
        place = y
        for text, share, most, light in ((title, 0.33, 2, 250.0), (artist, 0.23, 1, 190.0)):
            ink = set_lines(text, wide, round(share * tall), most, centred=plan.centred)
            if ink.size < 2:
                continue
            ink = ink[: max(1, rows - place), : columns - x]
            at = x + (wide - ink.shape[1]) // 2 if plan.centred else x
            part = base[place : place + len(ink), at : at + ink.shape[1]]
            part += ink[..., None] * (light - part)
            place += len(ink) + round(0.05 * tall)
    return np.clip(base + 0.5, 0, 255).astype(np.uint8), bright, dim


def _bars(song: Audio, count: int, fps: float) -> np.ndarray:
    """Heights in [0, 1], float32, shape=(bar, frame): each bar against its own loudest moments."""
    found = mel_spectrogram(song)
    power = np.stack([part.max(0) for part in np.array_split(found.decibels[:112], BARS)])
    loud = np.maximum(np.quantile(power, 0.97, axis=1, keepdims=True), power.max() - 45)
    at = np.clip(((np.arange(count) + 0.5) / fps * found.frame_rate).astype(int), 0, power.shape[1] - 1)
    heights = np.clip((power - loud) / _RANGE + 1, 0, 1).astype(np.float32)[:, at] ** 1.4
    keep = np.float32(np.exp(-1 / (_FALL * fps)))
    for k in range(1, count):
        heights[:, k] = np.maximum(heights[:, k], heights[:, k - 1] * keep)
    return np.asarray(heights if power.max() > -79 else 0 * heights)


def _wave(song: Audio, columns: int) -> np.ndarray:
    """Loudness along the song in [0, 1], shape=(column,)."""
    x = np.abs(song.mono())
    edges = np.linspace(0, len(x), columns + 1).astype(int)
    rms = np.array([np.sqrt(np.mean(x[a : max(b, a + 1)] ** 2)) for a, b in zip(edges, edges[1:], strict=False)])
    return np.asarray(rms / max(float(rms.max()), 1e-6))


def _draw_bars(frame: np.ndarray, box: tuple[int, int, int, int], heights: np.ndarray, colour: np.ndarray) -> None:
    top, left, tall, wide = box
    step = wide / BARS
    for k, height in enumerate(heights):
        up = max(1, round(float(height) * tall))
        x0, x1 = left + round(k * step), left + max(round(k * step) + 1, round((k + 0.68) * step))
        frame[top + tall - up : top + tall, x0:x1] = colour


def _draw_wave(
    frame: np.ndarray,
    box: tuple[int, int, int, int],
    wave: np.ndarray,
    done: float,
    bright: np.ndarray,
    dim: np.ndarray,
) -> None:
    top, left, tall, wide = box
    step, middle = wide / len(wave), top + tall / 2
    for k, height in enumerate(wave):
        half = max(0.5, float(height) * tall / 2)
        x0, x1 = left + round(k * step), left + max(round(k * step) + 1, round((k + 0.6) * step))
        y0 = round(middle - half)
        frame[y0 : max(y0 + 1, round(middle + half)), x0:x1] = bright if (k + 0.5) / len(wave) <= done else dim
