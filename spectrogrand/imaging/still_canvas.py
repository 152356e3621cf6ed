"""A still picture drawn with a stream: its shapes stay, the stream's colours, light and beat move over them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ..types import Frames, Image
from .colour import luma, oklab, shrink, stretch
from .focus import focus_of, soft_luma
from .palette import Axes, codes, packed, table
from .pulse import Moment, moments
from .transport import directions, quantiles, transport
from .warp import Plate, unpack

_GRID = 96
_EVERY = 5
_ROUNDS = 10


class StillCanvas:
    """Renders one still content under one style; made anew for every walk over the frames, so that walks never meet."""

    def __init__(self, content: Image, style: Image | Frames, settings: Mapping[str, Any]) -> None:
        self.content, self.style = content, style
        self.strength, self.light = float(settings["strength"]), float(settings["light"])
        self.push = float(settings["displacement"]) / 1000 * max(content.size)
        self.now, self.solve = float(settings["now"]), int(settings["solve"])

    def frames(self) -> Iterator[np.ndarray]:
        """The frames in order."""
        self._prepare()
        if isinstance(self.style, Image):
            self._palette(self.style.pixels)
            yield self._draw(None, None)
            return
        for k, (picture, moment) in enumerate(zip(self.style, moments(self.style, self.now), strict=True)):
            if k % _EVERY == 0:
                self._palette(picture)
            self._table += (self._goal - self._table) * np.float32(0.3)
            yield self._draw(picture, moment)

    def _prepare(self) -> None:
        pixels = self.content.pixels
        rows, columns = pixels.shape[:2]
        small = shrink(pixels, min(rows, self.solve), min(columns, self.solve))
        axes = Axes(small)
        self._bases = directions(_ROUNDS)
        self._points = oklab(small).reshape(-1, 3)
        self._where = luma(small).ravel() / np.float32(255), axes.tone(small).ravel()

        def draw(size: tuple[int, int]) -> np.ndarray:
            level = np.clip(stretch(luma(pixels).astype(np.float32) / 255, *size), 0, 1)
            return codes(level, np.clip(stretch(axes.tone(pixels), *size), 0, 1))

        self._plate = Plate(draw, (rows, columns))
        self._zero = np.zeros((1, 1), np.float32)
        soft = soft_luma(pixels, _GRID)
        self._focus = fy, fx = focus_of(pixels)
        y, x = np.mgrid[0:_GRID, 0:_GRID].astype(np.float32) / (_GRID - 1)
        self._away = np.stack([y - fy, x - fx])
        distance = np.hypot(*self._away)
        pitch = np.clip(1 - y + 0.35 * (soft - soft.mean()), 0, 1)
        self._at = (
            np.clip(((1 - pitch) * (_GRID - 1)).round(), 0, _GRID - 1).astype(int),
            np.clip(((self.now - 0.5 * distance) * (_GRID - 1)).round(), 0, _GRID - 1).astype(int),
        )
        self._glow = np.exp(-((distance / 0.35) ** 2)) * (0.3 + soft)
        self._edge = np.clip(np.minimum.reduce([y, 1 - y, x, 1 - x]) * 8, 0, 1)
        self._mean, self._target = 0.0, np.zeros(0, np.float32)
        self._table = np.zeros(1, np.float32)

    def _palette(self, picture: np.ndarray) -> None:
        sample = oklab(shrink(picture, self.solve, self.solve)).reshape(-1, 3)
        target = quantiles(sample, self._bases)
        self._target = target if not self._target.size else self._target + np.float32(0.2) * (target - self._target)
        moved = transport(self._points, self._target, self._bases)
        gain = np.array([0.75, 1, 1], np.float32) * np.float32(self.strength)
        self._goal = table(*self._where, self._points + gain * (moved - self._points))
        if len(self._table) == 1:
            self._table = self._goal.copy()

    def _draw(self, picture: np.ndarray | None, moment: Moment | None) -> np.ndarray:
        rows, columns = self.content.size
        if picture is None or moment is None:
            code = self._plate.sample(self._zero, self._zero)
        else:
            env = moment.strength * float(np.exp(-moment.since / 0.2))
            energy = luma(shrink(picture, _GRID, _GRID)).astype(np.float32)[self._at] / 255
            self._mean += 0.05 * (float(energy.mean()) - self._mean)
            light = self.light * (200 * (energy - self._mean) + 120 * env * self._glow)
            dy, dx = (stretch(-2 * self.push * env * self._edge * a, rows, columns) for a in self._away)
            added = np.clip(stretch(light, rows, columns), -120, 120).astype(np.int16)
            code = (self._plate.sample(dy, dx).astype(np.int32) + added).astype(np.intp)
        return unpack(packed(self._table).take(code))
