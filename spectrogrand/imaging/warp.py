"""Sub-pixel warping of a picture that stays the same: enlarged once, then sampled by index, several times a millisecond."""

from __future__ import annotations

import numpy as np

_MOST = 8_000_000


class Plate:
    """A code picture (uint16 or packed uint32) enlarged k times, so that nearest sampling is exact to 1/k pixel.

    Args:
        draw: gives the code picture at (rows, columns).
        size: (rows, columns) of the frames to come.
    """

    def __init__(self, draw, size: tuple[int, int]) -> None:  # type: ignore[no-untyped-def]
        rows, columns = size
        self.scale = int(max(1, min(4, (_MOST / (rows * columns)) ** 0.5)))
        codes = draw((rows * self.scale, columns * self.scale))
        self.rows, self.columns = codes.shape
        self._codes = np.ascontiguousarray(codes).ravel()
        middle = (self.scale - 1) / 2
        self.y = (np.arange(rows, dtype=np.float32)[:, None] * self.scale + middle) + np.zeros((1, columns), np.float32)
        self.x = (np.arange(columns, dtype=np.float32)[None] * self.scale + middle) + np.zeros((rows, 1), np.float32)

    def sample(self, dy: np.ndarray, dx: np.ndarray) -> np.ndarray:
        """Codes at each pixel's place plus (dy, dx) pixels, shape=(row, column); beyond the edge, the edge."""
        y = np.clip(self.y + dy * np.float32(self.scale) + np.float32(0.5), 0, self.rows - 1).astype(np.int32)
        x = np.clip(self.x + dx * np.float32(self.scale) + np.float32(0.5), 0, self.columns - 1).astype(np.int32)
        np.multiply(y, self.columns, out=y)
        np.add(y, x, out=y)
        return self._codes.take(y.astype(np.intp))


def pack(rgb: np.ndarray) -> np.ndarray:
    """Float RGB in [0, 255] to packed uint32 (little-endian R, G, B, 255), shape=(...)."""
    out = np.full((*rgb.shape[:-1], 4), 255, np.uint8)
    out[..., :3] = np.clip(rgb + 0.5, 0, 255)
    return out.view(np.uint32)[..., 0]


def unpack(packed: np.ndarray) -> np.ndarray:
    """Packed uint32 to uint8, shape=(row, column, rgb).

    >>> unpack(pack(np.array([[[1.0, 2.0, 300.0]]], np.float32))).tolist()
    [[[1, 2, 255]]]
    """
    return np.ascontiguousarray(packed.view(np.uint8).reshape(*packed.shape, 4)[..., :3])
