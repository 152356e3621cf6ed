"""Shapes of videos: known formats, evenness, and what is refused."""

from __future__ import annotations

import pytest

from spectrogrand.errors import InvalidValue
from spectrogrand.image.shape import frame_size


@pytest.mark.parametrize(
    "shape, size, rows, columns",
    [
        ("16:9", 720, 720, 1280), ("16:9", 2160, 2160, 3840), ("9:16", 1080, 1920, 1080), ("4:5", 1080, 1350, 1080),
        ("1:1", 513, 512, 512), ("1920x1080", 99, 1080, 1920), ("2:1", 100, 100, 200), ("16:9", 512, 512, 910),
    ],
)  # fmt: skip
def test_known_formats(shape, size, rows, columns):
    assert frame_size(shape, size) == (rows, columns)


@pytest.mark.parametrize(
    "shape, size, text",
    [
        ("1:100", 512, "at most 4:1"), ("641x360", 512, "write 640x360"), ("wide", 512, "16:9, 9:16"),
        ("0:1", 512, "got '0:1'"), ("16:9", 4096, "16 to 4096"), ("16:9", 8, "short side"), ("8x8", 512, "sides are"),
        (16, 512, "got 16"), ("16:9", True, "short side"),
    ],
)  # fmt: skip
def test_refused(shape, size, text):
    with pytest.raises(InvalidValue, match=text):
        frame_size(shape, size)
