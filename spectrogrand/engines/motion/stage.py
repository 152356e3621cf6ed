"""A cover as a stage: depth, lamps, dust and lens, drawn from one enlarged plate for every position of the camera."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...image.colour import luma, oklab, shrink, srgb, stretch
from ...image.focus import depth, focus_of, looseness, saliency, soft_luma
from ...image.kernels import compiled, draw_stage
from ...image.warp import Plate, pack

_GRID = 96
_TAU = 2 * np.pi
_CYCLES = (1.1, 1.7, 3.1, 2.7)


@dataclass(frozen=True)
class Shot:
    """Where the camera and the lamps are in one frame; distances in pixels.

    `zoom` is the magnification at the focal point; `dolly` how much more near parts grow than far ones; `pan` and
    `parallax` are (down, right), of everything and of near against far; `waves` the amplitudes of three flowing
    displacements (low, middle, high) and `turn` their phase in turns; `light` 0 none, 1 a full pulse on what shines;
    `level` scales the whole picture's light; `dust` is the brightness of the dust, about 0 to 1; `split` the distance
    between the red and the blue picture.
    """

    zoom: float = 1.0
    dolly: float = 0.0
    pan: tuple[float, float] = (0.0, 0.0)
    parallax: tuple[float, float] = (0.0, 0.0)
    waves: tuple[float, float, float] = (0.0, 0.0, 0.0)
    turn: float = 0.0
    light: float = 0.0
    level: float = 1.0
    dust: float = 0.0
    split: float = 0.0


class Stage:
    """Everything about a cover that stays the same, at `size` (rows, columns)."""

    def __init__(self, pixels: np.ndarray, size: tuple[int, int], seed: int = 0) -> None:
        from PIL import Image

        self.size = size
        whole = Image.fromarray(_cropped(pixels, size))

        def draw(wanted: tuple[int, int]) -> np.ndarray:
            return pack(np.asarray(whole.resize((wanted[1], wanted[0]), Image.Resampling.LANCZOS)))

        cover = np.asarray(whole.resize((size[1], size[0]), Image.Resampling.LANCZOS))
        grey = luma(cover).astype(np.float32) / 255
        edges = sum(float(np.abs(np.diff(grey, axis=axis)).sum()) / grey.size for axis in (0, 1))
        self.calm = float(np.clip((0.03 / max(edges * max(size) / 512, 1e-6)) ** 0.5, 0.8, 1.9))
        """How far the camera may go: little where the cover is full of detail, more where it is plain."""
        self._plate = Plate(draw, size, self._ways(cover))
        y, x = np.linspace(-0.5, 0.5, size[0])[:, None], np.linspace(-0.5, 0.5, size[1])[None]
        self._vignette = (1 - 0.35 * np.clip(np.hypot(y, x) * 1.5 - 0.35, 0, 1) ** 1.5).astype(np.float32)
        soft = soft_luma(cover, _GRID)
        shine = np.clip(soft * 1.4 - 0.2, 0, 1) * (0.4 + stretch(saliency(cover), _GRID, _GRID))
        self._shine = self._vignette * stretch(0.5 * shine / max(float(shine.max()), 1e-6), *size)
        self._bloom = _bloom(cover)
        self._dust = Dust(cover, seed)

    def _ways(self, cover: np.ndarray) -> list[np.ndarray]:
        """Ways of moving: from the focal point, as one, by depth, from the focal point by depth, and eight waves."""
        fy, fx = focus_of(cover)
        v, u = np.mgrid[0:_GRID, 0:_GRID].astype(np.float32) / (_GRID - 1)
        loose = looseness(cover, _GRID)
        near = _layered(depth(cover, _GRID), loose) - 0.5
        y, x, one = (v - fy) * self.size[0], (u - fx) * self.size[1], np.ones((_GRID, _GRID), np.float32)
        ways = [y, x, one, near, y * near, x * near]
        for cycles, along in zip(_CYCLES, (u, v, u, v), strict=True):
            reach = loose * (0.6 + near)
            ways += [np.sin(_TAU * cycles * along) * reach, np.cos(_TAU * cycles * along) * reach]
        return ways

    def draw(self, shot: Shot) -> np.ndarray:
        """One frame, uint8, shape=(row, column, rgb)."""
        reach, turn = 1 / shot.zoom - 1, _TAU * shot.turn
        low, middle, high = shot.waves

        def wave(amplitude: float, phase: float) -> list[float]:
            return [amplitude * np.cos(phase), amplitude * np.sin(phase)]

        none = [0.0, 0.0]
        down = [reach, 0, shot.pan[0], shot.parallax[0], -shot.dolly, 0]
        down += [*wave(low, turn), *none, *wave(high, -2 * turn), *none]
        right = [0, reach, shot.pan[1], shot.parallax[1], 0, -shot.dolly]
        right += [*none, *wave(middle, -turn), *none, *wave(high, 3 * turn)]
        out = np.empty((*self.size, 3), np.uint8)
        compiled(draw_stage)(
            *self._plate.ground(), *self._plate.ways(down, right), self._vignette, self._shine, self._bloom,
            np.float32(shot.level), np.float32(shot.light), np.float32(0.9 * shot.light), *self._dust.specks(self.size, shot),
            float(shot.split), out, 0, self.size[0],
        )  # fmt: skip
        return out


def _layered(near: np.ndarray, loose: np.ndarray) -> np.ndarray:
    """Depth that is even within what must stay rigid: there it is the mean of a wide neighbourhood of rigid places."""
    from scipy.ndimage import gaussian_filter

    rigid, wide = 1 - loose, len(near) / 2
    mean = gaussian_filter(near * rigid, wide) / np.maximum(gaussian_filter(rigid, wide), 1e-3)
    return np.asarray(near + rigid * (np.clip(mean, 0, 1) - near), np.float32)


class Dust:
    """Soft specks at different depths that rise slowly and catch the light, in the cover's brightest colour."""

    def __init__(self, cover: np.ndarray, seed: int, count: int = 44) -> None:
        rng = np.random.default_rng([seed, count])
        self._y, self._x, self._near, self._twinkle = rng.uniform(0, 1.2, (4, count))
        self._size = (0.9 + 2.6 * self._near**2) * max(cover.shape) / 512
        lab = oklab(shrink(cover, min(64, cover.shape[0]), min(64, cover.shape[1]))).reshape(-1, 3)
        bright = lab[lab[:, 0] >= np.quantile(lab[:, 0], 0.9)].mean(0) * (1, 1.2, 1.2)
        bright[0] = max(float(bright[0]), 0.8)
        self._colour = srgb(bright.astype(np.float32))

    def specks(self, size: tuple[int, int], shot: Shot) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Corners of the specks in a frame of `size`, their sides, how bright each row and column is, and the colour."""
        rows, columns = size
        wide = 0.04 * np.sin(_TAU * (shot.turn + self._twinkle))
        y = ((self._y - 1.2 * shot.turn) % 1.2 - 0.1) * rows - shot.parallax[0] * self._near
        x = (self._x + wide) * columns - 2 * shot.parallax[1] * (self._near - 0.5)
        twinkle = 0.5 + 0.5 * np.sin(_TAU * (3 * shot.turn + self._twinkle))
        power = shot.dust * (0.25 + 0.75 * twinkle) * (0.9 - 0.6 * self._near)
        reach = np.ceil(2.5 * self._size).astype(int)
        first = np.stack([y, x]).astype(int) - reach
        steps = first[..., None] + np.arange(2 * reach.max() + 2)
        falls = np.exp(-0.5 * ((steps - np.stack([y, x])[..., None]) / self._size[:, None]) ** 2).astype(np.float32)
        falls[0] *= power[:, None]
        return first, (2 * reach + 2) * (shot.dust > 0), falls, self._colour


def _bloom(cover: np.ndarray) -> np.ndarray:
    """What glows around the cover's highlights, float32, shape=(rgb, row, column)."""
    from scipy.ndimage import gaussian_filter

    small = shrink(cover, _GRID, _GRID).astype(np.float32)
    level = small.mean(2, keepdims=True) / 255
    bright = np.clip((level - np.quantile(level, 0.75)) / 0.3, 0, 1) * small
    glow = 0.5 * gaussian_filter(bright, (2, 2, 0)) + 0.5 * gaussian_filter(bright, (7, 7, 0))
    return np.clip(np.stack([stretch(glow[..., c], *cover.shape[:2]) for c in range(3)]), 0, 120)


def _cropped(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The largest part of the cover with the frames' shape, about its focal point."""
    rows, columns = pixels.shape[:2]
    wide = min(columns, max(1, round(rows * size[1] / size[0])))
    tall = min(rows, max(1, round(columns * size[0] / size[1])))
    fy, fx = focus_of(pixels)
    top = int(np.clip(round(fy * rows - tall / 2), 0, rows - tall))
    left = int(np.clip(round(fx * columns - wide / 2), 0, columns - wide))
    return np.ascontiguousarray(pixels[top : top + tall, left : left + wide])
