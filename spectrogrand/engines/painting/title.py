"""Titles: the topic in spaced capitals, in the free faces of `typefaces`."""

from __future__ import annotations

import numpy as np

from . import typefaces
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


def spaced(line: str) -> bool:
    """Whether a line's letters stand apart: those of Arabic or Hindi join or run another way and are set as words.

    >>> spaced("DÉJÀ VU"), spaced("قمر"), spaced("चाँद")
    (True, False, False)
    """
    return all(ord(ch) < 0x0590 or 0x2E80 <= ord(ch) <= 0xD7AF for ch in line)


def set_title(scene: Scene, text: str) -> None:
    """Set `text` at the foot or the head of the cover, whichever is calmer, in the palest or the darkest colour.

    Characters that the font lacks (emoji) are left out; a text of such characters alone leaves the cover without a title.
    """
    lines = lines_of(typefaces.settable(text))
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
        pixels = max(4, round(height * pen.side))
        gap = 0.34 * height * pen.side
        u, v = pen.offset
        for k, line in enumerate(lines):
            y = (top + (k + 0.4) * step) * pen.side + v
            if not spaced(line):
                typefaces.write(pen.draw, u + pen.side / 2 - typefaces.length(line, pixels) / 2, y, line, pixels)
                continue
            widths = [typefaces.length(ch, pixels) + gap for ch in line]
            x = u + pen.side / 2 - (sum(widths) - gap) / 2
            for ch, w in zip(line, widths, strict=True):
                typefaces.write(pen.draw, x, y, ch, pixels)
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
