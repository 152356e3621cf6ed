"""The shape of a picture or a video: 16:9, 9:16, 4:5, 1:1, any other ratio, or pixels such as 1920x1080."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from ..errors import InvalidValue
from ..types import Frames, Image
from .focus import focus_of

SMALLEST, LARGEST = 16, 4096
MOST_OBLONG = 4.0
"""The longest side may be this many times the shortest: beyond it no player shows anything but a stripe."""


def frame_size(shape: str = "1:1", size: int = 512) -> tuple[int, int]:
    """Rows and columns of a frame, both even, because video stores colour for two pixels at once.

    Args:
        shape: a ratio "width:height", for which `size` is the short side; or pixels "WIDTHxHEIGHT", which stand alone.
        size: the short side in pixels, rounded down to an even number.

    Raises:
        InvalidValue: neither form, odd pixels, a side outside 16 to 4096, or a ratio beyond 4:1 or 1:4.

    >>> frame_size("16:9", 1080), frame_size("9:16", 1080), frame_size("640x360")
    ((1080, 1920), (1920, 1080), (360, 640))
    """
    found = re.fullmatch(r"\s*(\d{1,5})\s*([:xX])\s*(\d{1,5})\s*", shape) if isinstance(shape, str) else None
    if not found or not int(found[1]) or not int(found[3]):
        raise InvalidValue(f"shape is 16:9, 9:16, 4:5, 1:1 or WIDTHxHEIGHT in pixels such as 1920x1080, got {shape!r}")
    wide, tall = int(found[1]), int(found[3])
    if max(wide, tall) > MOST_OBLONG * min(wide, tall):
        raise InvalidValue(f"shape is at most 4:1 or 1:4, got {shape!r}")
    if found[2] == ":":
        if isinstance(size, bool) or not isinstance(size, int) or not SMALLEST <= size <= LARGEST:
            raise InvalidValue(f"size is the short side, {SMALLEST} to {LARGEST} pixels, got {size!r}")
        short, ratio = size - size % 2, max(wide, tall) / min(wide, tall)
        long = 2 * round(short * ratio / 2)
        rows, columns = (short, long) if wide >= tall else (long, short)
    else:
        rows, columns = tall, wide
        if rows % 2 or columns % 2:
            even = f"{columns - columns % 2}x{rows - rows % 2}"
            raise InvalidValue(f"a video has even sides, got {shape!r}: write {even}")
    if not SMALLEST <= min(rows, columns) or max(rows, columns) > LARGEST:
        raise InvalidValue(f"sides are {SMALLEST} to {LARGEST} pixels, got {columns}x{rows}")
    return rows, columns


def fit_picture(picture: Image, size: tuple[int, int]) -> Image:
    """The largest part of a picture with the shape of `size` (rows, columns), about its focal point, at that size.

    A picture that is smaller than the frame is enlarged (Lanczos).

    >>> fit_picture(Image(np.zeros((40, 40, 3), np.uint8)), (18, 32)).size
    (18, 32)
    """
    if picture.size == size:
        return picture
    from PIL import Image as Pillow

    top, left, tall, wide = _largest_part(picture.pixels, size)
    box = (left, top, left + wide, top + tall)
    drawn = Pillow.fromarray(picture.pixels).resize(size[::-1], Pillow.Resampling.LANCZOS, box=box)
    return Image(np.asarray(drawn))


def fit_frames(frames: Frames, size: tuple[int, int]) -> Frames:
    """Frames at `size` (rows, columns), cut to its shape about their middle; the frames themselves where they fit."""
    if frames.size == tuple(size):
        return frames

    def make() -> Iterator[np.ndarray]:
        for pixels in frames:
            yield Image(pixels).resized(*size).pixels

    return Frames(make, (size[0], size[1]), frames.count, frames.fps)


def _largest_part(pixels: np.ndarray, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Top, left, height and width of the largest part with the shape of `size`, about the focal point."""
    rows, columns = pixels.shape[:2]
    wide = min(columns, max(1, round(rows * size[1] / size[0])))
    tall = min(rows, max(1, round(columns * size[0] / size[1])))
    fy, fx = focus_of(pixels) if (tall, wide) != (rows, columns) else (0.5, 0.5)
    top = int(np.clip(round(fy * rows - tall / 2), 0, rows - tall))
    left = int(np.clip(round(fx * columns - wide / 2), 0, columns - wide))
    return top, left, tall, wide
