"""Brush strokes: a picture painted anew along its own shapes, and painted over, stroke by stroke, by what sounds."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ...image.colour import shrink
from ...image.warp import Plate
from .palette import LEVELS, PAD, ROW
from .pulse import ROWS, Moment

ANGLES = 24
"""Directions of a brush in half a turn."""
BRUSHES = ((1 / 10, 1 / 30), (1 / 18, 1 / 60), (1 / 36, 1 / 120))
"""Length and width of a stroke as shares of the longer side: ground, body and detail."""
COATS = (3.0, 1.6, 1.8)
"""How many times strokes of each brush cover the picture before the song begins; detail goes where the picture has some."""
BURST, STEADY = 0.45, 0.01
"""Share of the picture that a beat, and a frame between beats, paints over."""
LIFT = 70.0
"""Levels by which a stroke is lighter where its pitch sounds at twice its usual spread above the usual."""
_GRID = 64
GLAZE = (0.55, 0.2)
"""Share of a stroke's own colour over what the picture has below it, where it is plain and where it is full of lines: thin paint
keeps letters, faces and thin lines legible."""
_BRISTLES = 10.0
_BROKEN = 0.06
"""Broken colour: how far strokes side by side differ in level, as a share of all levels (standard deviation)."""


class Strokes:
    """Paints on a plate of codes.

    A stroke has the one colour of the picture at its middle, with the grain of its bristles, and lies along the picture's
    shapes (the minor axis of the smoothed structure tensor); where there are none, along a slow swirl. Each beat paints
    large strokes; what is quiet is mended by small ones.

    Args:
        plate: of codes, painted in place.
        level: the picture's light in [0, 1], shape=(row, column), at the frames' size.
        amount: 0 to 1, how thick the paint is.
        seed: of the places.
    """

    def __init__(self, plate: Plate, level: np.ndarray, amount: float = 1.0, seed: int = 0) -> None:
        self._plate, self._amount = plate, amount
        self._level = level
        self._rows, self._columns = level.shape
        self._rng = np.random.default_rng([seed, 23])
        self._angle, self._detail = _shapes(level)
        self._turn = 0.0
        side = max(level.shape) * plate.scale
        self._brushes = [_brush(max(5, round(a * side)), max(2, round(b * side))) for a, b in BRUSHES]
        for size, coats in enumerate(COATS):
            for y, x in self._places(self._count(size, coats), size):
                self._stroke(size, y, x, 0.0)

    def step(self, moment: Moment, beat: float, fresh: bool) -> None:
        """Paint what this frame adds: `beat` is how much of the last beat is left, `fresh` whether it falls into this frame."""
        self._turn += 0.002 + 0.02 * beat
        lift = np.clip((moment.now - moment.usual) / (2 * moment.spread + 0.1), -1, 1.5)
        energy = float(np.clip(lift, 0, None).mean())
        share = moment.energy * (STEADY * (0.4 + 4 * energy) + (BURST * moment.strength if fresh else 0.0))
        for size, part in ((0, 0.55 if fresh else 0.0), (1, 0.35 if fresh else 0.4), (2, 0.1 if fresh else 0.6)):
            count = self._count(size, share * part)
            rows = self._sounding(lift, count) if size < 2 else self._rng.random(count)
            columns = self._rng.random(count)
            for y, x in zip(rows, columns, strict=True):
                pitch = float(lift[min(ROWS - 1, int((1 - y) * ROWS))])
                self._stroke(size, float(y), float(x), LIFT * max(0.0, pitch) if size < 2 else 0.0)

    def _count(self, size: int, coats: float) -> int:
        """Strokes of a brush that cover the picture `coats` times; a part of one is one by chance."""
        long, broad = BRUSHES[size]
        ratio = min(self._rows, self._columns) / max(self._rows, self._columns)
        wanted = coats * ratio / (long * broad)
        return int(wanted) + int(self._rng.random() < wanted % 1)

    def _places(self, count: int, size: int) -> np.ndarray:
        """Middles of strokes in shares of height and width, shape=(stroke, 2): anywhere, details where the picture has some."""
        if size < 2:
            return np.asarray(self._rng.random((count, 2)))
        chance = (self._detail**2 + 0.01).ravel()
        at = self._rng.choice(chance.size, count, p=chance / chance.sum())
        inside = self._rng.random((count, 2))
        return np.asarray((np.stack(np.divmod(at, _GRID), 1) + inside) / _GRID)

    def _sounding(self, lift: np.ndarray, count: int) -> np.ndarray:
        """Heights, in shares from above, of what sounds more than usual; one in three anywhere."""
        weight = np.clip(lift, 0, None).astype(np.float64) ** 2 + 1e-3
        pitch = self._rng.choice(ROWS, count, p=weight / weight.sum())
        heard = 1 - (pitch + self._rng.random(count)) / ROWS
        return np.where(self._rng.random(count) < 1 / 3, self._rng.random(count), heard)

    def _stroke(self, size: int, y: float, x: float, lift: float) -> None:
        row, column = min(self._rows - 1, int(y * self._rows)), min(self._columns - 1, int(x * self._columns))
        gy, gx = min(_GRID - 1, int(y * _GRID)), min(_GRID - 1, int(x * _GRID))
        swirl = self._turn + 0.35 * self._rng.standard_normal() * (1 - 0.8 * self._detail[gy, gx])
        angle = self._angle[gy, gx] + swirl * (1 - self._detail[gy, gx])
        runs, grain = self._brushes[size][int(angle / np.pi * ANGLES) % ANGLES]
        own = _BROKEN * (1 - 0.7 * float(self._detail[gy, gx])) * self._rng.standard_normal()
        level = float(self._level[row, column]) * (LEVELS - 1) + lift + own * LEVELS
        share = self._amount * (GLAZE[0] + (GLAZE[1] - GLAZE[0]) * float(self._detail[gy, gx]))
        limits = (-PAD, LEVELS + PAD - 1)
        self._plate.glaze(y, x, runs, grain, level, limits, PAD, ROW, share)


def _shapes(level: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Direction of the picture's lines in radians, and how much of a line there is in [0, 1], each shape=(_GRID, _GRID)."""
    from scipy.ndimage import gaussian_filter

    rows, columns = level.shape
    small = shrink(level, min(rows, 4 * _GRID), min(columns, 4 * _GRID)).astype(np.float32)
    if min(small.shape) < 2:  # a line of pixels has no shapes
        return np.zeros((_GRID, _GRID)), np.zeros((_GRID, _GRID))
    even = gaussian_filter(small, 1.5)
    down, right = np.gradient(even, axis=0), np.gradient(even, axis=1)
    wide = max(2.0, max(small.shape) / 60)
    yy, xx, yx = (gaussian_filter(part, wide) for part in (down * down, right * right, down * right))
    angle = 0.5 * np.arctan2(2 * yx, xx - yy) + np.pi / 2
    power = np.sqrt(np.hypot(xx - yy, 2 * yx))
    detail = np.clip(power / max(float(np.quantile(power, 0.9)), 1e-4), 0, 1)
    at = tuple(np.linspace(0, n - 1, _GRID).round().astype(int) for n in small.shape)
    return np.asarray(angle[np.ix_(*at)]), np.asarray(detail[np.ix_(*at)])


@lru_cache(maxsize=16)
def _brush(length: int, width: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """A brush in each direction: the runs of what it covers, shape=(run, 3): row, first and past its last column; and the light
    of its bristles in levels, float32, shape=(row, column)."""
    rng = np.random.default_rng([length, width])
    from scipy.ndimage import gaussian_filter1d

    half = length // 2 + 2
    y, x = np.mgrid[-half : half + 1, -half : half + 1].astype(np.float32)
    bristles = gaussian_filter1d(rng.standard_normal(4 * width + 8), 0.05 * (4 * width + 8))
    bristles *= _BRISTLES / max(float(bristles.std()), 1e-6)
    ragged = gaussian_filter1d(rng.standard_normal(4 * width + 8), 1.0) * 0.12 * length
    made = []
    for k in range(ANGLES):
        turn = np.pi * (k + 0.5) / ANGLES
        along, across = x * np.cos(turn) + y * np.sin(turn), -x * np.sin(turn) + y * np.cos(turn)
        hair = np.clip((across / width + 0.5) * (len(bristles) - 1), 0, len(bristles) - 1).astype(int)
        end = length / 2 * np.sqrt(np.clip(1 - (2 * across / width) ** 4, 0, 1)) - np.abs(ragged[hair])
        mask = (np.abs(across) <= width / 2) & (np.abs(along) <= end)
        made.append((_runs(mask), (bristles[hair] * (1 - 0.3 * along / length)).astype(np.float32)))
    return made


def _runs(mask: np.ndarray) -> np.ndarray:
    """Where a mask is true, run by run: row, first column and the one after the last, int64, shape=(run, 3).

    >>> _runs(np.array([[False, True, True], [True, False, True]])).tolist()
    [[0, 1, 3], [1, 0, 1], [1, 2, 3]]
    """
    edges = np.diff(np.pad(mask, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    (row, first), (_, last) = np.nonzero(edges == 1), np.nonzero(edges == -1)
    return np.stack([row, first, last], 1)
