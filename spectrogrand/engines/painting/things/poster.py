"""A poster of type: the topic, set large, where nothing in it can be drawn."""

from __future__ import annotations

import numpy as np

from .. import backdrop, light, typefaces
from ..canvas import Pen, noise
from ..composition import Scene

LONGEST = 140
"""Characters of a topic that are set; the rest is cut at a word."""


def settable(topic: str) -> str:
    """What of a topic can be set: its known characters in one line, cut at a word after `LONGEST` characters.

    >>> settable("  déjà\\n vu ")
    'déjà vu'
    """
    plain = typefaces.settable(topic)
    if len(plain) <= LONGEST:
        return plain
    return plain[:LONGEST].rsplit(" ", 1)[0] + " \u2026"


def set_poster(scene: Scene, topic: str, seed: int, painted: bool = False) -> None:
    """Set the topic as large as it goes on the picture, or, where it has no letters, a plain form.

    Args:
        scene: its palette and streams.
        topic: the words.
        seed: chooses among four layouts in turn.
        painted: the canvas holds a picture already, which stays as the ground.
    """
    c, p = scene.canvas, scene.palette
    rng = scene.stream("poster")
    scene.notes["unframed"] = True  # a frame would cut the letters
    if not painted:
        _ground(scene, seed)
    text = settable(topic)
    if not text:
        light.glow(c, 0.5, 0.5, 0.2, p.glow, 0.4)
        c.over(p.accent, c.disc(0.5, 0.5, 0.26))
        return
    kind = ("left", "centre", "low", "band")[seed % 4]
    wide, tall = c.right - c.left, c.bottom - c.top
    box_w, box_h = 0.80 * wide, (0.60 if kind != "low" else 0.44) * tall
    lines, height = _broken(text, box_w, box_h)
    step = 1.16 * height
    block = step * len(lines)
    top = {"left": c.top + 0.10 * tall, "low": c.bottom - 0.10 * tall - block}.get(
        kind, (c.top + c.bottom) / 2 - block / 2
    )
    if kind == "left":
        top = max(top, c.top + 0.10 * tall)
    right_to_left = typefaces.right_to_left(text)

    def draw(pen: Pen) -> None:
        pixels = round(height * pen.side)
        for k, line in enumerate(lines):
            length = typefaces.length(line, pixels) / pen.side
            x = c.left + 0.10 * wide
            if kind in ("centre", "band"):
                x = (c.left + c.right) / 2 - length / 2
            elif right_to_left:
                x = c.right - 0.10 * wide - length
            u, v = pen.offset
            typefaces.write(pen.draw, x * pen.side + u, (top + k * step + 0.5 * step) * pen.side + v, line, pixels)

    letters = c.shapes(draw)
    inside = c.light[1, max(c.row(top), 0) : max(c.row(top + block), c.row(top) + 1)]
    dark_ground = float(inside.mean()) < 0.22
    ink = p.pale if dark_ground else p.between(p.ink, p.sky[0], 0.08)
    if kind == "band":
        band = np.clip((block / 2 + 0.05 - np.abs(c.y - np.float32((c.top + c.bottom) / 2))) / c.px + 0.5, 0, 1)
        c.over(
            p.between(p.accent, p.ink, 0.1) if not painted else p.ink,
            band * np.ones_like(c.x) * (1.0 if not painted else 0.88),
        )
        ink = p.pale
    elif painted:
        c.over(p.ink if dark_ground else p.pale, np.clip(1.5 * c.blur(letters, 0.018), 0, 0.6))
    shadow = c.shift(letters, 0.004, 0.004)
    if not painted and kind in ("left", "low"):
        c.over(p.accent if p.key != "day" else p.between(p.accent, p.pale, 0.2), shadow * (rng.random() < 0.6))
    c.over(ink, letters)
    rule = np.clip(
        (0.0022 - np.abs(c.y - np.float32(top - 0.035 if kind == "low" else top + block + 0.035))) / c.px + 0.5, 0, 1
    )
    across = ((c.x > c.left + 0.10 * wide) & (c.x < c.left + 0.10 * wide + 0.22)).astype(np.float32)
    if kind in ("left", "low"):
        c.over(ink, rule * across)


def _ground(scene: Scene, seed: int) -> None:
    """A plain or graded ground with one large form cut by the edge."""
    c, p = scene.canvas, scene.palette
    rng = scene.stream("poster ground")
    if seed % 2:
        backdrop.sky(scene, c.bottom + 0.1, reverse=bool(rng.random() < 0.5))
    else:
        c.over(p.sky[1] if p.key != "day" else p.between(p.sky[3], p.pale, 0.4))
    x, y = float(rng.choice([0.16, 0.84])), float(rng.choice([0.2, 0.8]))
    r = rng.uniform(0.30, 0.46)
    second = p.between(p.sky[2], p.accent, 0.55)
    kind = int(rng.integers(4))
    if kind == 0:
        c.over(second, c.disc(x, y, r))
    elif kind == 1:
        for k in range(9):
            ring = c.disc(x, y, r * (1 - k / 9)) - c.disc(x, y, r * (1 - k / 9) - 0.014)
            c.over(second, np.clip(ring, 0, 1))
    elif kind == 2:
        stripes = np.clip((np.abs(np.mod((c.x + c.y) * 9, 1) - 0.5) - 0.25) * 9 * 12, 0, 1)
        c.over(second, stripes * c.disc(x, y, r))
    else:
        c.over(second, c.disc(x, y, r))
        c.over(p.sky[1] if p.key != "day" else p.pale, c.disc(x + 0.1, y - 0.06, 0.7 * r))
    c.light *= (0.94 + 0.12 * c.up(noise(rng, 3, 4)))[None]
    scene.notes.update(flat=True)


def _broken(text: str, wide: float, tall: float) -> tuple[list[str], float]:
    """The lines and the letters' height with which the text is largest in a box, in sides of the picture.

    Words stay whole; scripts without spaces break anywhere.
    """
    words = text.split(" ")
    glue = " "
    if len(words) == 1 and any(0x2E80 <= ord(ch) <= 0x9FFF or 0xAC00 <= ord(ch) <= 0xD7AF for ch in text):
        words, glue = list(text), ""
    lengths = [typefaces.length(word, 200) / 200 for word in words]
    space = typefaces.length("a a", 200) / 200 - typefaces.length("aa", 200) / 200 if glue else 0.0
    best: tuple[list[str], float] = ([text], 0.0)
    for count in range(1, min(len(words), 9) + 1):
        limit = max(max(lengths), (sum(lengths) + space * (len(words) - count)) / count * 1.08)
        lines: list[list[int]] = [[]]
        used = 0.0
        for k, length in enumerate(lengths):
            if lines[-1] and used + space + length > limit:
                lines.append([])
                used = 0.0
            used += (space if lines[-1] else 0.0) + length
            lines[-1].append(k)
        widest = max(sum(lengths[k] for k in line) + space * (len(line) - 1) for line in lines)
        height = min(wide / max(widest, 1e-6), tall / (1.16 * len(lines)), 0.30)
        if height > best[1]:
            best = ([glue.join(words[k] for k in line) for line in lines], height)
    return best
