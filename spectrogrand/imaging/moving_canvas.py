"""A stream drawn with a picture: the stream's shapes stay, painted in the picture's colours on the picture's texture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ..types import Frames, Image
from .colour import luma, oklab, shrink, stretch
from .palette import LEVELS, PAD, ROW, TONES, packed, table
from .pulse import moments
from .transport import directions, quantiles, transport
from .warp import unpack

_EVERY = 5
_ROUNDS = 10


class MovingCanvas:
    """Renders a stream of content under one style; made anew for every walk over the frames."""

    def __init__(self, content: Frames, style: Image | Frames, settings: Mapping[str, Any]) -> None:
        self.content, self.style = content, style
        self.strength, self.light = float(settings["strength"]), float(settings["light"])
        self.now, self.solve = float(settings["now"]), int(settings["solve"])

    def frames(self) -> Iterator[np.ndarray]:
        """The frames in order."""
        rows, columns = self.content.size
        self._bases = directions(_ROUNDS)
        styles = iter(self.style) if isinstance(self.style, Frames) else None
        if isinstance(self.style, Image):
            self._dress(self.style.pixels)
        self._table = np.zeros(1, np.float32)
        self._source: np.ndarray | None = None
        tone = np.linspace(1, 0, rows, dtype=np.float32)[:, None] + np.zeros((1, columns), np.float32)
        base = (tone * (TONES - 1) + 0.5).astype(np.int32) * ROW + PAD
        for k, (picture, moment) in enumerate(zip(self.content, moments(self.content, self.now), strict=True)):
            if styles is not None:
                style = next(styles)
                if k % _EVERY == 0:
                    self._dress(style)
            if k % _EVERY == 0:
                self._palette(picture)
            self._table += (self._goal - self._table) * np.float32(0.3)
            env = moment.strength * float(np.exp(-moment.beat / 0.2))
            level = luma(picture).astype(np.float32) * np.float32((LEVELS - 1) / 255)
            level += self._texture * np.float32(60 * (1 + env)) * (level / LEVELS)
            code = base + np.clip(level, -PAD, LEVELS + PAD - 1).astype(np.int32)
            yield unpack(packed(self._table).take(code.astype(np.intp)))

    def _dress(self, pixels: np.ndarray) -> None:
        from scipy.ndimage import gaussian_filter

        self._target = quantiles(oklab(shrink(pixels, self.solve, self.solve)).reshape(-1, 3), self._bases)
        grey = stretch(luma(pixels).astype(np.float32) / 255, *self.content.size)
        detail = grey - gaussian_filter(grey, max(self.content.size) / 64)
        self._texture = detail / max(float(detail.std()), 0.02)

    def _palette(self, picture: np.ndarray) -> None:
        side = self.solve
        small = shrink(picture, side, side)
        points = oklab(small).reshape(-1, 3)
        height = np.repeat(np.linspace(1, 0, side, dtype=np.float32), side)
        spread = points + np.stack([0 * height, 0.05 * (height - 0.5), 0 * height], 1)
        moved = transport(spread, self._target, self._bases)
        gain = np.array([0.85, 1, 1], np.float32) * np.float32(self.strength)
        self._goal = table(luma(small).ravel() / np.float32(255), height, points + gain * (moved - points))
        if len(self._table) == 1:
            self._table = self._goal.copy()
