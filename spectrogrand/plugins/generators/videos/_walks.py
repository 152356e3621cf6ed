"""What the generators behind a latent walk share: the frame rate and the size of what they draw."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from ....checks import rational, shown
from ....errors import InvalidValue
from ....types import Image


def rate(value: str | int | float) -> Fraction:
    """Frames per second.

    Raises:
        InvalidValue: none above 0 and at most 240.

    >>> rate("30000/1001")
    Fraction(30000, 1001)
    """
    try:
        fps = rational(value)
    except InvalidValue:
        fps = Fraction(0)
    if not 0 < fps <= 240:
        raise InvalidValue(f"frames per second is a number above 0 and at most 240, got {shown(value)}")
    return fps


def sides(part: str, size: int | Sequence[int], step: int = 1, least: int = 16) -> tuple[int, int]:
    """(rows, columns) of a size that is one side or [rows, columns], each the nearest multiple of `step`.

    Raises:
        InvalidValue: no whole numbers from `least` to 4096.

    >>> sides("latent_walk", [512, 910], 8), sides("latent_walk", 64)
    ((512, 912), (64, 64))
    """
    pair = [size, size] if isinstance(size, int) else list(size) if isinstance(size, list | tuple) else []
    if len(pair) != 2 or any(isinstance(n, bool) or not isinstance(n, int) or not least <= n <= 4096 for n in pair):
        raise InvalidValue(
            f"{part} takes size as one side or [rows, columns], each from {least} to 4096 pixels, got {size!r}"
        )
    rows, columns = (max(step, step * round(n / step)) for n in pair)
    return rows, columns


def resized(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A picture, uint8, at another size (rows, columns): cut to its shape about the middle, then Lanczos."""
    return np.ascontiguousarray(Image(np.ascontiguousarray(picture)).resized(*size).pixels)
