"""What the generators behind a latent walk share: the frame rate and the size of what they draw."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from ....checks import rational, shown
from ....errors import InvalidValue


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


def resized(picture: np.ndarray, side: int) -> np.ndarray:
    """A square picture, uint8, at another side."""
    if picture.shape[:2] == (side, side):
        return np.ascontiguousarray(picture)
    from PIL import Image as Pillow

    return np.asarray(Pillow.fromarray(np.ascontiguousarray(picture)).resize((side, side), Pillow.Resampling.LANCZOS))
