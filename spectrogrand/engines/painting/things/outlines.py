"""Outlines: a shape's lines and its filled silhouette, at any size."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from ..canvas import Array
from .vocabulary import DATA, Shape

FONTS = {"n": "noto_emoji.ttf", "i": "icons.ttf"}


@lru_cache(maxsize=16)
def _font(name: str, size: int) -> Any:
    from PIL import ImageFont

    return ImageFont.truetype(str(DATA / FONTS[name]), size, layout_engine=ImageFont.Layout.BASIC)


def lines(shape: Shape, side: int) -> Array:
    """The shape as drawn, cut to its ink: float32 in [0, 1], shape=(row, column), the longer side about `side` pixels."""
    from PIL import Image, ImageDraw

    font = _font(shape.font, side)
    box = font.getbbox(chr(shape.code))
    picture = Image.new("L", (max(1, int(box[2] - box[0])), max(1, int(box[3] - box[1]))))
    ImageDraw.Draw(picture).text((-box[0], -box[1]), chr(shape.code), fill=255, font=font)
    return np.asarray(picture, np.float32) / 255


def silhouette(drawn: Array) -> Array:
    """The outline filled, holes and all: float32, shape=(row, column).

    >>> ring = np.zeros((9, 9), np.float32); ring[1:8, 1:8] = 1; ring[3:6, 3:6] = 0
    >>> silhouette(ring)[4, 4].item()
    1.0
    """
    from scipy.ndimage import binary_fill_holes

    return np.maximum(drawn, binary_fill_holes(drawn > 0.4).astype(np.float32))
