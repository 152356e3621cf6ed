"""One picture becomes another: its parts flow to where they belong, its colours turn, its details change in waves."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...image.colour import luma, oklab, shrink, srgb
from ...image.transport import directions, quantiles, transport
from .correspondence import pairs

FIELD = 48
"""Cells to a side of the fields that move and mix: they are smooth, so they are enlarged."""
FRONT = 144
"""Cells to a side of the field that says when each place changes over."""
_ROUNDS, _POINTS, _SPREAD = 10, 96, 1.1
_COLOURS, _WIDTH, _MOST = 17, 0.25, 4_000_000


class Morph:
    """Everything between picture `a` and picture `b`, at `size` (rows, columns); `draw(t)` for t from 0 to 1.

    At t = 0 it is `a`, at t = 1 it is `b`, exactly. Between, three things happen at once and none is a cross-fade:
    patches travel along the optimal transport between the two pictures (`correspondence`), so that both pictures are bent
    into one common shape; colours go along the optimal transport between the two palettes (displacement interpolation,
    McCann 1997), so that no grey lies half way; and where the one's surface gives way to the other's is decided place by
    place, by a front that runs over them along their light and a slow turbulence.

    Args:
        flow: how far patches travel, 1 is all the way.
        turbulence: side lengths that the eddies bend, half way.
    """

    def __init__(
        self, a: np.ndarray, b: np.ndarray, size: tuple[int, int], *, seed: int = 0, flow: float = 1.0,
        turbulence: float = 0.02,
    ) -> None:  # fmt: skip
        self.size = size
        self._a, self._b = _fitted(a, size), _fitted(b, size)
        self._flow = flow
        self._pairs = pairs(self._a, self._b)
        self._scale = int(max(1, min(3, (_MOST / (size[0] * size[1])) ** 0.5)))
        self._first = _packed(self._a, _turned(self._a, self._b), self._scale)
        self._second = _packed(self._b, _turned(self._b, self._a), self._scale)
        self._eddies = _eddies(np.random.default_rng([seed, 48]), turbulence)
        self._front = _front(self._a, self._b, np.random.default_rng([seed, 49]))
        down, right = np.arange(size[0], dtype=np.float32)[:, None], np.arange(size[1], dtype=np.float32)[None]
        # rounding is dithered from pixel to pixel: a slow drift then flows instead of stepping as one
        self._y, self._x = (
            (along + np.mod(52.9829189 * np.mod(p * down + q * right, 1), 1) / self._scale).astype(np.float32)
            for along, p, q in ((down, 0.06711056, 0.00583715), (right, 0.00583715, 0.06711056))
        )

    def draw(self, t: float) -> np.ndarray:
        """The picture at `t`, uint8, shape=(row, column, rgb)."""
        if t <= 0 or t >= 1:
            return self._b if t >= 1 else self._a
        rows, columns = self.size
        way, swell = self._way(t), np.float32(np.sin(np.pi * t))
        eddy = swell * (self._eddies[0] * np.float32(np.cos(2 * t)) + self._eddies[1] * np.float32(np.sin(2 * t)))
        sides = np.array(self.size, np.float32)
        first = [_stretch(p, rows, columns) for p in np.moveaxis((eddy - np.float32(t) * way) * sides, 2, 0)]
        whole = [_stretch(p, rows, columns) for p in np.moveaxis(way * sides, 2, 0)]
        mix = np.clip((t * (1 + _WIDTH) - self._front) / _WIDTH, 0, 1)
        share = _stretch(256 * mix * mix * (3 - 2 * mix), rows, columns)
        share = np.clip(share, 0, 256).astype(np.uint16)[..., None]
        one = self._sampled(self._first, first[0], first[1], t)
        two = self._sampled(self._second, first[0] + whole[0], first[1] + whole[1], 1 - t)
        return _blended(one, two, share)

    def _sampled(self, packed: np.ndarray, down: np.ndarray, right: np.ndarray, turned: float) -> np.ndarray:
        """A picture at displaced places, `turned` of the way to the other's colours, uint8, shape=(row, column, rgb)."""
        rows, columns = (n * self._scale for n in self.size)
        y, x = (self._y + down) * np.float32(self._scale), (self._x + right) * np.float32(self._scale)
        at = np.clip(y, 0, rows - 1).astype(np.int32) * columns + np.clip(x, 0, columns - 1).astype(np.int32)
        eight = packed.take(at).view(np.uint8).reshape(*at.shape, 8)
        return _blended(eight[..., :3], eight[..., 4:7], np.uint16(round(256 * turned)))

    def _way(self, t: float) -> np.ndarray:
        """How far what now lies in a cell travels from `a` to `b`, in sides, float32, shape=(FIELD, FIELD, 2)."""
        from scipy.ndimage import gaussian_filter

        start, end = self._pairs.start, self._pairs.end
        travel = (end - start) * np.float32(self._flow)
        now = np.clip((start + np.float32(t) * travel) * FIELD, 0, FIELD - 1e-3).astype(np.int64)
        cell = now[:, 0] * FIELD + now[:, 1]
        weight = self._pairs.weight
        sums = [np.bincount(cell, w * weight, FIELD * FIELD) for w in (travel[:, 0], travel[:, 1], 1.0)]
        held = np.stack(sums, -1).reshape(FIELD, FIELD, 3)
        near = gaussian_filter(held, (_SPREAD, _SPREAD, 0), mode="nearest")
        far = gaussian_filter(held, (5, 5, 0), mode="nearest")
        near += 1e-3 * far
        way = near[..., :2] / np.maximum(near[..., 2:], 1e-9)
        return np.asarray(gaussian_filter(way, (_SPREAD, _SPREAD, 0), mode="nearest"), np.float32)


def _blended(one: np.ndarray, two: np.ndarray, share: Any) -> np.ndarray:
    """`share` / 256 of the way from one to two, uint8, in whole numbers."""
    mixed = one * (np.uint16(256) - share)
    mixed += two * share
    mixed += np.uint16(128)
    mixed >>= 8
    return mixed.astype(np.uint8)


def _stretch(field: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """A smooth field enlarged, float32, linearly: it has no corners to soften."""
    from PIL import Image

    return np.asarray(
        Image.fromarray(np.ascontiguousarray(field, np.float32)).resize((columns, rows), Image.Resampling.BILINEAR)
    )


def _packed(pixels: np.ndarray, turned: np.ndarray, scale: int) -> np.ndarray:
    """A picture and itself in other colours, enlarged, eight bytes a point, so that one look-up of places serves both."""
    from PIL import Image

    out = np.zeros((pixels.shape[0] * scale, pixels.shape[1] * scale, 8), np.uint8)
    for k, picture in ((0, pixels), (4, turned)):
        whole = Image.fromarray(picture).resize(out.shape[1::-1], Image.Resampling.BICUBIC)
        out[..., k : k + 3] = np.asarray(whole)
    return out.view(np.uint64).ravel()


def _fitted(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    from ...types import Image

    return np.ascontiguousarray(Image(pixels).resized(*size).pixels)


def _turned(pixels: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The picture in the other's colours: sliced optimal transport of a few thousand points, then a table of colours."""
    bases = directions(_ROUNDS)
    small = oklab(shrink(pixels, _POINTS, _POINTS)).reshape(-1, 3)
    target = quantiles(oklab(shrink(other, _POINTS, _POINTS)).reshape(-1, 3), bases)
    moved = transport(small, target, bases)
    table = _table(shrink(pixels, _POINTS, _POINTS).reshape(-1, 3), moved - small)
    out = oklab(pixels) + _looked_up(table, pixels)
    return np.clip(srgb(out) + 0.5, 0, 255).astype(np.uint8)


def _table(points: np.ndarray, shifts: np.ndarray) -> np.ndarray:
    """Shifts of colours as a smooth table over RGB, float32, shape=(17, 17, 17, lab)."""
    from scipy.ndimage import gaussian_filter

    at = np.round(points.astype(np.float32) / 255 * (_COLOURS - 1)).astype(np.int64)
    cell = (at[:, 0] * _COLOURS + at[:, 1]) * _COLOURS + at[:, 2]
    sums = [np.bincount(cell, w, _COLOURS**3) for w in (*shifts.T, np.ones(len(cell)))]
    held = np.stack(sums, -1).reshape(_COLOURS, _COLOURS, _COLOURS, 4)
    total = np.zeros_like(held)
    for spread, weight in ((0.8, 1.0), (2.0, 1e-2), (6.0, 1e-4), (16.0, 1e-7)):
        total += weight * gaussian_filter(held, (spread, spread, spread, 0), mode="nearest")
    return np.asarray(total[..., :3] / np.maximum(total[..., 3:], 1e-15), np.float32)


def _looked_up(table: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    from scipy.ndimage import map_coordinates

    at = np.moveaxis(pixels.astype(np.float32) / 255 * (_COLOURS - 1), 2, 0)
    return np.stack([map_coordinates(table[..., k], at, order=1, mode="nearest") for k in range(3)], -1)


def _eddies(rng: np.random.Generator, turbulence: float) -> np.ndarray:
    """Two fields without sources (the curl of smooth noise; Bridson et al. 2007), in sides, shape=(2, FIELD, FIELD, 2)."""
    from scipy.ndimage import gaussian_filter

    out = np.zeros((2, FIELD, FIELD, 2), np.float32)
    for k in range(2):
        potential = sum(
            weight * gaussian_filter(rng.standard_normal((FIELD, FIELD)), FIELD / part, mode="wrap") * FIELD / part
            for part, weight in ((5, 1.0), (11, 0.6))
        )
        down, right = np.gradient(potential)
        field = np.stack([right, -down], -1)
        out[k] = field / max(float(np.sqrt((field**2).sum(-1)).mean()), 1e-9) * turbulence
    return out


def _front(a: np.ndarray, b: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """When each place changes over, float32 in [0, 1], shape=(FRONT, FRONT): by both pictures' light and slow noise."""
    from scipy.ndimage import gaussian_filter

    light = [gaussian_filter(luma(shrink(p, FRONT, FRONT)).astype(np.float32) / 255, 1.2) for p in (a, b)]
    raw = 1.6 * (light[0] - light[1])
    for part, weight in ((7, 1.0), (22, 0.3)):
        noise = gaussian_filter(rng.standard_normal((FRONT, FRONT)), FRONT / part, mode="wrap")
        raw = raw + weight * noise / max(float(noise.std()), 1e-9)
    order = np.argsort(np.argsort(raw.ravel(), kind="stable"), kind="stable").reshape(FRONT, FRONT)
    return np.asarray(gaussian_filter(order / (FRONT * FRONT - 1), 0.8, mode="nearest"), np.float32)
