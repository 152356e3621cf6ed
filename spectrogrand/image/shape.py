"""The shape of a picture or a video: 16:9, 9:16, 4:5, 1:1, any other ratio, or pixels such as 1920x1080."""

from __future__ import annotations

import re

from ..errors import InvalidValue

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
