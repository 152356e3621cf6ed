"""OKLab, the colour space in which colours are moved and mixed here: lightness apart from hue, even to the eye."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

_TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ],
    np.float32,
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ],
    np.float32,
)
_FROM_LAB, _FROM_LMS = (np.linalg.inv(m.astype(np.float64)).astype(np.float32) for m in (_TO_LAB, _TO_LMS))


@lru_cache(maxsize=1)
def _linear() -> np.ndarray:
    """sRGB bytes to linear light (IEC 61966-2-1), float32, shape=(256,)."""
    v = np.arange(256) / 255
    return np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4).astype(np.float32)


def oklab(pixels: np.ndarray) -> np.ndarray:
    """sRGB bytes to OKLab (Ottosson 2020), float32, shape=(..., lab): L in [0, 1], a and b about [-0.4, 0.4].

    >>> oklab(np.array([[255, 255, 255]], np.uint8)).round(3).tolist()
    [[1.0, 0.0, 0.0]]
    """
    return np.asarray(np.cbrt(_linear()[pixels] @ _TO_LMS.T) @ _TO_LAB.T, np.float32)


def srgb(lab: np.ndarray) -> np.ndarray:
    """OKLab to sRGB as float32 in [0, 255], shape=(..., rgb); colours that no screen shows are clipped.

    >>> srgb(oklab(np.array([[10, 200, 30]], np.uint8))).round().tolist()
    [[10.0, 200.0, 30.0]]
    """
    light = np.clip((lab @ _FROM_LAB.T) ** 3 @ _FROM_LMS.T, 0, 1)
    coded = np.where(light <= 0.0031308, light * 12.92, 1.055 * np.maximum(light, 1e-9) ** (1 / 2.4) - 0.055)
    return np.asarray(coded * 255, np.float32)


def shrink(pixels: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """The picture resized to (rows, columns) by area averaging, uint8, same number of channels."""
    from PIL import Image

    return np.asarray(Image.fromarray(pixels).resize((columns, rows), Image.Resampling.BOX))


def stretch(field: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """A smooth float field enlarged to (rows, columns), float32, without corners between its points.

    >>> stretch(np.ones((4, 4), np.float32), 8, 6).shape
    (8, 6)
    """
    from PIL import Image

    return np.asarray(
        Image.fromarray(np.ascontiguousarray(field, np.float32)).resize((columns, rows), Image.Resampling.BICUBIC)
    )


def luma(pixels: np.ndarray) -> np.ndarray:
    """Rec. 601 luma of an RGB picture, uint8, shape=(row, column)."""
    from PIL import Image

    return np.asarray(Image.fromarray(pixels).convert("L"))
