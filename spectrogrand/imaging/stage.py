"""A cover as a stage: depth, light and lens, drawn from one enlarged plate for every position of the camera."""

from __future__ import annotations

import numpy as np

from .colour import stretch
from .focus import depth, focus_of, saliency, soft_luma
from .warp import Plate, pack, unpack

_GRID = 96


class Stage:
    """Everything about a cover that stays the same, at `size` (rows, columns)."""

    def __init__(self, pixels: np.ndarray, size: tuple[int, int]) -> None:
        from PIL import Image

        self.size = size
        whole = Image.fromarray(_cropped(pixels, size))

        def draw(wanted: tuple[int, int]) -> np.ndarray:
            return pack(np.asarray(whole.resize((wanted[1], wanted[0]), Image.Resampling.LANCZOS)).astype(np.float32))

        self._plate = Plate(draw, size)
        cover = np.asarray(whole.resize((size[1], size[0]), Image.Resampling.LANCZOS))
        fy, fx = focus_of(cover)
        y, x = np.mgrid[0:_GRID, 0:_GRID].astype(np.float32) / (_GRID - 1)
        self._y, self._x = (y - fy) * size[0], (x - fx) * size[1]
        self._u, self._v = x, y
        self._depth = depth(cover, _GRID) - 0.5
        soft = soft_luma(cover, _GRID)
        shine = np.clip(soft * 1.4 - 0.2, 0, 1) * (0.4 + stretch(saliency(cover), _GRID, _GRID))
        self._shine = shine / max(float(shine.max()), 1e-6)
        self._vignette = 1 - 0.35 * np.clip(np.hypot(x - 0.5, y - 0.5) * 1.5 - 0.35, 0, 1) ** 1.5

    def draw(
        self, *, zoom: float, pan: tuple[float, float], parallax: tuple[float, float], waves: np.ndarray, turn: float,
        light: float, split: int,
    ) -> np.ndarray:  # fmt: skip
        """One frame.

        Args:
            zoom: magnification about the focal point, at least 1.
            pan, parallax: (down, right) in pixels, of everything, and of near against far.
            waves: three amplitudes in pixels (low, middle, high) of flowing displacement, `turn` their phase in turns.
            light: 0 none, 1 a full pulse on what shines.
            split: distance in pixels between the red and the blue picture.
        """
        reach = np.float32(1 / zoom - 1)
        near = self._depth * (1 + 4 * reach)
        tau = 2 * np.pi
        wave_y = waves[0] * np.sin(tau * (1.1 * self._u + turn)) + waves[2] * np.sin(
            tau * (3.1 * self._u - 2 * turn + 0.3)
        )
        wave_x = waves[1] * np.sin(tau * (1.7 * self._v - turn)) + waves[2] * np.sin(tau * (2.7 * self._v + 3 * turn))
        dy = self._y * reach + pan[0] + parallax[0] * near + wave_y * (0.6 + self._depth)
        dx = self._x * reach + pan[1] + parallax[1] * near + wave_x * (0.6 + self._depth)
        out = unpack(self._plate.sample(stretch(dy, *self.size), stretch(dx, *self.size)))
        gain = stretch(self._vignette * (1 + 0.55 * light * self._shine), *self.size)
        lit = np.minimum(out * gain[..., None], 255).astype(np.uint8)
        if split > 0 and split < self.size[1]:
            red, blue = lit[:, :-split, 0].copy(), lit[:, split:, 2].copy()
            lit[:, split:, 0], lit[:, :-split, 2] = red, blue
        return lit


def _cropped(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The largest part of the cover with the frames' shape, about its focal point."""
    rows, columns = pixels.shape[:2]
    wide = min(columns, max(1, round(rows * size[1] / size[0])))
    tall = min(rows, max(1, round(columns * size[0] / size[1])))
    fy, fx = focus_of(pixels)
    top = int(np.clip(round(fy * rows - tall / 2), 0, rows - tall))
    left = int(np.clip(round(fx * columns - wide / 2), 0, columns - wide))
    return np.ascontiguousarray(pixels[top : top + tall, left : left + wide])
