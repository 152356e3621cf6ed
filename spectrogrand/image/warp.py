"""Sub-pixel warping of a picture that stays the same: enlarged once, then sampled by index, several times a millisecond."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from .colour import stretch
from .kernels import compiled, glaze, taps, widen

_MOST = 8_000_000


class Plate:
    """A picture of codes (int16) or packed colours (uint32) enlarged k times: nearest sampling is exact to 1/k pixel.

    Args:
        draw: gives the picture at (rows, columns).
        size: (rows, columns) of the frames to come.
        fields: ways of moving, float32, shape=(field, row, column): displacements in pixels are weighted sums of them.
            Smooth ones may be coarser than the frames: their sum is enlarged.
    """

    def __init__(
        self, draw: Callable[[tuple[int, int]], np.ndarray], size: tuple[int, int], fields: Sequence[np.ndarray] = ()
    ) -> None:
        rows, columns = self._size = size
        self._scale = int(max(1, min(4, (_MOST / (rows * columns)) ** 0.5)))
        codes = draw((rows * self._scale, columns * self._scale))
        self._rows, self._columns = codes.shape
        self._codes = np.ascontiguousarray(codes).ravel()
        self._drawn: np.ndarray | None = None
        down, right = np.arange(rows, dtype=np.float32)[:, None], np.arange(columns, dtype=np.float32)[None]
        # rounding is dithered from pixel to pixel: a slow drift then flows instead of stepping as one
        still = (self._scale - 1) / 2
        y = down * self._scale + still + np.mod(52.9829189 * np.mod(0.06711056 * down + 0.00583715 * right, 1), 1)
        x = right * self._scale + still + np.mod(52.9829189 * np.mod(0.00583715 * down + 0.06711056 * right, 1), 1)
        self._y, self._x = y.astype(np.float32), x.astype(np.float32)
        self._ways = np.array([np.asarray(f, np.float32) * self._scale for f in fields])

    def ground(self) -> tuple[np.ndarray, tuple[int, int], np.ndarray, np.ndarray]:
        """What the loops of `kernels` read: the flat codes, their (rows, columns), and where pixels sample them unmoved."""
        return self._codes, (self._rows, self._columns), self._y, self._x

    def ways(
        self, down: Sequence[float] | np.ndarray, right: Sequence[float] | np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Displacements for those loops: `taps` for the rows, and both fields enlarged along theirs.

        Args:
            down: one weight per field, or a coarse displacement in pixels, shape=(row, column).
            right: the same, to the right.
        """
        if isinstance(down, np.ndarray):
            moved = np.float32(self._scale) * np.asarray((down, right), np.float32)
        else:
            moved = np.tensordot(np.asarray((down, right), np.float32), self._ways, 1)
        rows, columns = self._size
        return *taps(moved.shape[1], rows), widen(moved[0], columns), widen(moved[1], columns)

    @property
    def scale(self) -> int:
        """Pixels of the plate along one of the frames'."""
        return self._scale

    def glaze(
        self, y: float, x: float, runs: np.ndarray, grain: np.ndarray, level: float, limits: tuple[float, float],
        zero: int, row: int, share: float,
    ) -> None:  # fmt: skip
        """Lay a stroke over the plate, its middle at (y, x) in shares of height and width; what hangs over is cut.

        It is mixed with the codes that the plate was drawn with: see `kernels.glaze`.
        """
        if self._drawn is None:
            self._drawn = self._codes.copy()
        top, left = int(y * self._rows) - grain.shape[0] // 2, int(x * self._columns) - grain.shape[1] // 2
        low, high = np.float32(limits[0]), np.float32(limits[1])
        compiled(glaze)(
            self._codes, self._drawn, (self._rows, self._columns), top, left, runs, grain, np.float32(level), low, high,
            zero, row, share,
        )  # fmt: skip

    def sample(
        self,
        down: Sequence[float],
        right: Sequence[float],
        more_down: np.ndarray | float = 0.0,
        more_right: np.ndarray | float = 0.0,
    ) -> np.ndarray:
        """The codes at each pixel's place plus a displacement, shape=(row, column); beyond the edge, its mirror image.

        `down` and `right` hold one weight per field; the others are further pixels, shape=(row, column).
        """
        y, x = self._y.copy(), self._x.copy()
        if len(self._ways):
            ways = np.tensordot(np.asarray((down, right), np.float32), self._ways, 1)
            for place, way in ((y, ways[0]), (x, ways[1])):
                place += way if way.shape == self._size else stretch(way, *self._size)
        for place, more in ((y, more_down), (x, more_right)):
            if isinstance(more, np.ndarray):
                place += more * np.float32(self._scale)
        at = _mirrored(y, self._rows - 1).astype(np.int32)
        at *= self._columns
        at += _mirrored(x, self._columns - 1).astype(np.int32)
        return self._codes.take(at.astype(np.intp))


def _mirrored(place: np.ndarray, last: int) -> np.ndarray:
    """Places beyond 0 or `last` turned back inside, in place."""
    np.abs(place, out=place)
    np.subtract(last + 1, place, out=place)
    np.abs(place, out=place)
    np.subtract(last + 1, place, out=place)
    return np.clip(place, 0, last, out=place)


def pack(rgb: np.ndarray) -> np.ndarray:
    """RGB bytes, or floats in [0, 255], to packed uint32 (bytes R, G, B, 255), shape=(...)."""
    out = np.full((*rgb.shape[:-1], 4), 255, np.uint8)
    out[..., :3] = rgb if rgb.dtype == np.uint8 else np.clip(rgb + 0.5, 0, 255)
    return out.view(np.uint32)[..., 0]


def planes(packed: np.ndarray) -> np.ndarray:
    """Packed uint32 to float32, shape=(rgb, row, column): one plane a channel, so that arithmetic runs along rows."""
    four = packed.view(np.uint8).reshape(*packed.shape, 4)
    out = np.empty((3, *packed.shape), np.float32)
    for channel in range(3):
        out[channel] = four[..., channel]
    return out


def unpack(packed: np.ndarray) -> np.ndarray:
    """Packed uint32 to uint8, shape=(row, column, rgb).

    >>> unpack(pack(np.array([[[1.0, 2.0, 300.0]]], np.float32))).tolist()
    [[[1, 2, 255]]]
    """
    four = packed.view(np.uint8).reshape(*packed.shape, 4)
    out = np.empty((*packed.shape, 3), np.uint8)
    for channel in range(3):
        out[..., channel] = four[..., channel]
    return out
