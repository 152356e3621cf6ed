"""Text on pictures, in DejaVu Sans Bold: the free face that matplotlib carries with its licence."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np


@lru_cache(maxsize=1)
def face() -> tuple[str, frozenset[int]]:
    """The face's file, and the code points that it can draw."""
    from matplotlib import ft2font, get_data_path

    file = str(Path(get_data_path()) / "fonts" / "ttf" / "DejaVuSans-Bold.ttf")
    return file, frozenset(ft2font.FT2Font(file).get_charmap())


def drawable(text: str) -> str:
    """The text without characters that the face lacks (emoji, Chinese, Japanese, Korean): they would be empty boxes.

    >>> drawable("rain 雨 🚀 дождь")
    'rain дождь'
    """
    known = face()[1]
    return " ".join("".join(c if ord(c) in known or c.isspace() else " " for c in text).split())


def set_lines(text: str, width: int, height: int, most: int = 2, centred: bool = True) -> np.ndarray:
    """Text as ink, float32 in [0, 1], shape=(row, column), cropped to what is drawn; empty text is one empty pixel.

    Args:
        text: what is written, broken between words.
        width: pixels that a line may take.
        height: of a line in pixels; it shrinks, to a half at least, where the text needs more than `most` lines.
        most: lines; words beyond them end in an ellipsis.
        centred: whether short lines stand in the middle; else all begin at one edge.
    """
    words = drawable(text).split()
    if not words or width < 8 or height < 5:
        return np.zeros((1, 1), np.float32)
    font = lines = None
    for share in (1.0, 0.85, 0.7, 0.6, 0.5):
        font = _font(max(5, round(height * share)))
        lines = _broken(words, font, width)
        if len(lines) <= most:
            break
    assert font is not None and lines is not None
    if len(lines) > most:
        lines = lines[:most]
        while lines[-1] and font.getlength(lines[-1] + "…") > width:
            lines[-1] = lines[-1][:-1].rstrip()
        lines[-1] += "…"
    return _inked(lines, font, centred)


def _font(size: int) -> Any:
    from PIL import ImageFont

    return ImageFont.truetype(face()[0], size)


def _broken(words: list[str], font: Any, width: int) -> list[str]:
    lines: list[str] = []
    for word in words:
        while font.getlength(word) > width and len(word) > 1:  # a word longer than a line is cut
            part = next(k for k in range(len(word) - 1, 0, -1) if k == 1 or font.getlength(word[:k]) <= width)
            lines.append(word[:part])
            word = word[part:]
        if lines and font.getlength(f"{lines[-1]} {word}") <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def _inked(lines: list[str], font: Any, centred: bool) -> np.ndarray:
    from PIL import Image, ImageDraw

    step = round(1.25 * font.size)
    widths = [int(np.ceil(font.getlength(line))) for line in lines]
    picture = Image.new("L", (max(widths) + 4, step * len(lines) + 4))
    draw = ImageDraw.Draw(picture)
    for k, (line, wide) in enumerate(zip(lines, widths, strict=True)):
        draw.text((2 + (max(widths) - wide) // 2 * centred, k * step), line, fill=255, font=font)
    return np.asarray(picture, np.float32) / 255


def shadow_of(ink: np.ndarray, reach: float) -> np.ndarray:
    """A soft dark rim around ink, so that it can be read on any picture, float32 in [0, 1], on a larger field.

    The field is wider by `pad` = ceil(3 * reach) pixels on every side.
    """
    from scipy.ndimage import gaussian_filter

    pad = int(np.ceil(3 * reach))
    wide = np.pad(ink, pad)
    return np.asarray(np.clip(1.8 * gaussian_filter(wide, reach) + 0.5 * gaussian_filter(wide, 2.5 * reach), 0, 0.85))
