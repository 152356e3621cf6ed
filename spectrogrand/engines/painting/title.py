"""Titles: the topic in spaced capitals, in DejaVu Sans (a free font that matplotlib carries with its licence)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .canvas import Array, Pen
from .composition import Scene


def lines_of(text: str, width: int = 22, most: int = 3) -> list[str]:
    """The text in capitals, broken between words into at most `most` lines of about `width` characters.

    >>> lines_of("a futuristic spaceship over the sea")
    ['A FUTURISTIC SPACESHIP', 'OVER THE SEA']
    """
    lines: list[str] = []
    for word in text.upper().split():
        if lines and len(lines[-1]) + 1 + len(word) <= width:
            lines[-1] += " " + word
        elif len(lines) < most:
            lines.append(word[: 2 * width])
        else:
            break
    return lines


def settable(text: str) -> str:
    """The characters that the font has, "" where there is none but space.

    >>> settable("\U0001f680 "), settable("a \U0001f680")
    ('', 'a ')
    """
    from matplotlib import ft2font

    known = ft2font.FT2Font(str(_face())).get_charmap()
    kept = "".join(ch for ch in text if ch.isspace() or ord(ch) in known)
    return kept if kept.strip() else ""


def _face() -> Path:
    from matplotlib import get_data_path

    return Path(get_data_path()) / "fonts" / "ttf" / "DejaVuSans-Bold.ttf"


def set_title(scene: Scene, text: str) -> None:
    """Set `text` at the foot or the head of the cover, whichever is calmer, in the palest or the darkest colour.

    Characters that the font lacks (emoji) are left out; a text of such characters alone leaves the cover without a title.
    """
    from PIL import ImageFont

    face = _face()
    lines = lines_of(settable(text))
    if not lines:
        return
    c, p = scene.canvas, scene.palette
    longest = max(len(line) for line in lines)
    framed = scene.notes.get("frame") is not None
    height = float(np.clip(0.72 / (longest * 1.05), 0.014, 0.024 if framed else 0.036))
    step = 1.75 * height
    tall = step * len(lines)
    foot, head = (0.925 - tall / 2 if framed else 0.945 - tall), 0.06
    foot, head = foot + c.bottom - 1, head + c.top
    top = foot if framed or _busy(scene, foot, foot + tall) <= _busy(scene, head, head + tall) else head

    def draw(pen: Pen) -> None:
        font = ImageFont.truetype(str(face), max(4, round(height * pen.side)))
        gap = 0.34 * height * pen.side
        for k, line in enumerate(lines):
            widths = [font.getlength(ch) + gap for ch in line]
            u, v = pen.offset
            x = u + pen.side / 2 - (sum(widths) - gap) / 2
            for ch, w in zip(line, widths, strict=True):
                pen.draw.text((x, (top + k * step) * pen.side + v), ch, fill=255, font=font)
                x += w

    a = max(c.row(top), 0)
    b = max(c.row(top + tall), a + 1)
    level = float(c.light[:, a:b, c.width // 4 : 3 * c.width // 4 + 1].mean())
    bright = level < 0.30
    letters = c.shapes(draw)
    if not framed:  # a breath of the opposite tone keeps letters readable on busy ground
        c.over(p.ink if bright else p.pale, np.clip(1.6 * c.blur(letters, 0.010), 0, 0.55))
    c.over(p.pale if bright else p.ink, letters)


def _busy(scene: Scene, top: float, bottom: float) -> float:
    c = scene.canvas
    a, n = max(c.row(top), 0), c.width
    part: Array = c.light[1, a : max(c.row(bottom), a + 1), n // 8 : 7 * n // 8]
    return float(np.sqrt(np.clip(part, 0, 1)).std())
