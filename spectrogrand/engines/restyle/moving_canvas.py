"""A stream drawn with a picture: the stream's shapes stay, in the picture's colours, over its texture as if under water."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ...image.colour import luma, oklab, shrink, stretch
from ...image.kernels import compiled, draw_moving, widen
from ...image.transport import directions, quantiles, transport
from ...image.warp import Plate
from ...types import Frames, Image
from .palette import LEVELS, PAD, ROW, TONES, packed, table
from .pulse import Moment, moments

_GRID = 128
_EVERY, _FOLLOW = 8, 0.2
_ROUNDS = 8
_RELIEF, _GRAIN, _DEEP = 2600.0, 75.0, 2.2
_FLARE, _FLOOR = 60.0, 0.4
"""Levels by which a row brightens per standard deviation of its band, and how much of the texture is seen in silence."""

_CALM, _QUICK = 4.0, 40.0
"""How fast that light follows the sound, per second, between beats and on one: what falls between beats is no flicker."""
_REST = 0.75
"""Share of the stream's contrast that is left where the director wants nothing to move."""
_DUSK = 0.5
"""Share of the director's dark that is drawn: where little sounds a stream is dark already."""
_DIM = 0.14
"""Least lightness: under a dark cover, what is silent can still be seen."""
_LEAP = 0.22
"""Share of the way between two beats in which most of the stream's way is gone."""
_ZOOM, _PULSE = 0.07, 90.0
"""How much nearer the whole picture comes on a beat, and the levels by which it lights up at full `light`."""


class MovingCanvas:
    """Renders a stream of content under one style; made anew for every walk over the frames."""

    def __init__(self, content: Frames, style: Image | Frames, settings: Mapping[str, Any]) -> None:
        self.content, self.style = content, style
        self.strength, self.light = float(settings["strength"]), float(settings["light"])
        self.push = float(settings["displacement"]) / 1000 * max(content.size)
        self.now, self.solve = float(settings["now"]), int(settings["solve"])

    def frames(self) -> Iterator[np.ndarray]:
        """The frames in order."""
        rows, columns = self.content.size
        self._bases = directions(_ROUNDS)
        self._table = np.zeros(0, np.float32)
        height = np.linspace(1, 0, rows, dtype=np.float32)[:, None]
        self._base = ((height * (TONES - 1) + 0.5).astype(np.int16) * np.int16(ROW) + np.int16(PAD)).ravel()
        x = np.linspace(0, 1, columns, dtype=np.float32) - np.float32(self.now)
        self._ray = np.exp(-((x / 0.1) ** 2))
        self._near = np.exp(-((x / 0.55) ** 2)) * np.float32(self.light)
        self._sight = 1 - 0.3 * np.clip(x / 0.5, 0, 1) - 0.12 * np.clip(-x / 0.5, 0, 1)
        styles = iter(self.style) if isinstance(self.style, Frames) else None
        if isinstance(self.style, Image):
            self._dress(self.style.pixels, drawn=True)
        self._lit = np.zeros(0, np.float32)
        reel = _Reel(self.content)
        for k, moment in enumerate(moments(self.content, self.now)):
            grey, picture = reel.at(k + moment.leap(_LEAP) * float(self.content.fps))
            if styles is not None:
                style = next(styles)
                if k % _EVERY == 0:
                    self._dress(style, drawn=k == 0)
            if k % _EVERY == 0:
                self._palette(picture)
            self._table += (self._goal - self._table) * np.float32(_FOLLOW)
            yield self._draw(grey, moment)

    def _draw(self, grey: np.ndarray, moment: Moment) -> np.ndarray:
        rows, columns = self.content.size
        beat = moment.energy * moment.strength * float(np.exp(-moment.beat / 0.2))
        calm = np.float32(_REST + (1 - _REST) * moment.energy)
        grey = self._pushed(grey, 1 + _ZOOM * beat)
        small = shrink(grey, _GRID, _GRID).astype(np.float32) / 255
        down, right = (_slope(small, axis) for axis in (0, 1))
        gain = calm * np.float32((LEVELS - 1) / 255) * (self._sight + np.float32(0.35 * beat) * self._ray)
        bend = np.float32(-_DEEP * 10 * self.push * (0.6 + beat))
        pulse = np.float32(_PULSE * self.light * beat)
        relief = widen((self.light * _RELIEF / _GRID) * calm * (-down - 0.6 * right) + np.float32(0.4) * pulse, columns)
        amount = (np.float32((0.9 + 0.5 * beat) / LEVELS), np.float32(0.12), np.float32(_FLOOR))
        frame = np.empty((rows, columns, 3), np.uint8)
        compiled(draw_moving)(
            grey, gain.astype(np.float32), *self._plate.ground(), *self._plate.ways(bend * down, bend * right), relief, amount,
            calm * self._flare(moment) + pulse, self._near, self._base, np.float32(-PAD), np.float32(LEVELS + PAD - 1),
            packed(self._table * np.float32(1 - _DUSK * (1 - moment.light))), frame, 0, rows,
        )  # fmt: skip
        return frame

    def _pushed(self, grey: np.ndarray, zoom: float) -> np.ndarray:
        """The stream's picture come nearer, about the present: all of it moves with a beat, and flows back."""
        if zoom < 1.001:
            return grey
        rows, columns = grey.shape
        y = (np.arange(rows) - rows / 2) / zoom + rows / 2
        x = (np.arange(columns) - self.now * columns) / zoom + self.now * columns
        at = np.clip(y, 0, rows - 1).astype(np.intp), np.clip(x, 0, columns - 1).astype(np.intp)
        return np.asarray(grey.take(at[0], 0).take(at[1], 1))

    def _flare(self, moment: Moment) -> np.ndarray:
        """Levels that each row gains while its band is louder than usual, and loses while it is softer, shape=(row,)."""
        from scipy.ndimage import uniform_filter1d

        rows = self.content.size[0]
        over = np.clip((moment.now - moment.usual) / np.maximum(moment.spread, 0.04), -1.5, 2.5)
        even = uniform_filter1d(over, 9, mode="nearest")
        at = np.linspace(len(even) - 1, 0, rows)
        wanted = np.interp(at, np.arange(len(even)), even)
        speed = _CALM + (_QUICK - _CALM) * moment.strength * float(np.exp(-moment.beat / 0.1))
        follow = 1 - np.exp(-speed / float(self.content.fps))
        self._lit = wanted if not len(self._lit) else self._lit + follow * (wanted - self._lit)
        return np.asarray(_FLARE * self._lit, np.float32)

    def _dress(self, pixels: np.ndarray, drawn: bool) -> None:
        """Take the colours of the style; its texture, too, where that is asked for."""
        from scipy.ndimage import gaussian_filter

        rows, columns = self.content.size
        side = shrink(pixels, min(pixels.shape[0], self.solve), min(pixels.shape[1], self.solve))
        self._target = quantiles(oklab(side).reshape(-1, 3), self._bases)
        if not drawn:
            return
        grey = stretch(luma(pixels).astype(np.float32) / 255, rows, columns)
        detail = sum(grey - gaussian_filter(grey, max(rows, columns) / part) for part in (40, 12))
        detail = np.clip(detail / max(float(detail.std()), 0.03), -2.5, 2.5) * _GRAIN

        def draw(size: tuple[int, int]) -> np.ndarray:
            return stretch(detail, *size).astype(np.int16)

        self._plate = Plate(draw, (rows, columns))

    def _palette(self, picture: np.ndarray) -> None:
        """Colours for (pitch, level): height decides where equal colours go, so that pitch has a colour of its own."""
        side = self.solve
        small = shrink(picture, side, side)
        level, points = luma(small).ravel() / np.float32(255), oklab(small).reshape(-1, 3)
        height = np.repeat(np.linspace(1, 0, side, dtype=np.float32), side)
        ramp = np.linspace(0, 1, 12, dtype=np.float32)
        extra_level, extra_height = (part.ravel() for part in np.meshgrid(ramp, ramp))
        level, height = np.append(level, np.tile(extra_level, 4)), np.append(height, np.tile(extra_height, 4))
        flat = np.stack([level, 0.3 * (height - 0.5), 0 * height], 1)
        moved = transport(flat, self._target, self._bases)
        own = np.concatenate([points, flat[len(points) :]])
        gain = np.array([0.9, 1, 1], np.float32) * np.float32(self.strength)
        drawn = own + gain * (moved - own)
        drawn[:, 0] = 0.45 * drawn[:, 0] + 0.55 * (0.2 + 0.8 * level)
        drawn[:, 0] = _DIM + (1 - _DIM) * drawn[:, 0]
        drawn[:, 1:] *= 1 + 0.3 * self.strength  # colours are averaged where they meet, which pales them
        self._goal = table(level, height, drawn)
        if not self._table.size:
            self._table = self._goal.copy()


class _Reel:
    """A stream's luma between two of its frames; it goes forward, and keeps no more than the frames that it shows."""

    def __init__(self, frames: Frames) -> None:
        self._pictures = iter(frames)
        self._last = frames.count - 1
        self._read, self._place = -1, 0.0
        self._kept: deque[np.ndarray] = deque(maxlen=2)
        self._picture = np.zeros(0, np.uint8)

    def at(self, place: float) -> tuple[np.ndarray, np.ndarray]:
        """(luma, the newest frame of what it is made from) at a place in frames, never before one that was shown."""
        self._place = min(max(place, self._place), self._last)
        below, part = int(self._place), self._place - int(self._place)
        while self._read < min(below + 1, self._last):
            self._picture = next(self._pictures)
            self._kept.append(luma(self._picture))
            self._read += 1
        first = self._kept[0 if self._read > below else -1]
        if part < 1e-3:
            return first, self._picture
        mixed = first * np.float32(1 - part) + self._kept[-1] * np.float32(part)
        return np.asarray(mixed + np.float32(0.5), first.dtype), self._picture


def _slope(field: np.ndarray, axis: int) -> np.ndarray:
    """Smoothed slope of a field along an axis, per point."""
    from scipy.ndimage import uniform_filter1d

    even = uniform_filter1d(uniform_filter1d(field, 5, axis=0, mode="nearest"), 5, axis=1, mode="nearest")
    return np.asarray(np.gradient(even, axis=axis), np.float32)
