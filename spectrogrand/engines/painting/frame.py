"""Frames: the picture inside a window on plain ground, as on a poster: a square, a disc, an arch, a strip."""

from __future__ import annotations

import numpy as np

from .canvas import Canvas, Pen
from .composition import Scene


def choose(scene: Scene) -> str | None:
    """Which frame a scene gets, None for most: more often for "unveils" and for times past."""
    rng = scene.stream("frame")
    chance = 0.12 + 0.28 * (scene.gesture == "reveal") + 0.12 * scene.retro
    if scene.notes.get("unframed") or scene.family in ("faces", "geometry") or rng.random() > chance:
        return None
    if abs(scene.canvas.width / scene.canvas.height - 1) > 0.2:
        return "square"
    if scene.notes.get("group width", 0.0) > 0.58:  # an arch or a disc would cut what stands at the sides
        return "square"
    return str(rng.choice(["square", "disc", "arch", "arch"]))


def mount(scene: Scene, kind: str, titled: bool = False) -> None:
    """Shrink the painted picture into its window on a plain ground, smaller above a title; a hairline runs round it."""
    from PIL import Image

    c, p = scene.canvas, scene.palette
    n = c.size
    share = {"square": 0.80, "disc": 0.84, "arch": 0.80}[kind] - 0.05 * titled
    wide, tall = max(1, round(c.width * share)), max(1, round(c.height * share))
    x0, y0 = (c.width - wide) // 2, round((c.height - n * share) / 2 - n * 0.045 * titled - (tall - n * share) / 2)
    y0 = max(y0, 0)
    light = p.key != "night" or (scene.retro and p.chroma > 0.05)  # black stays black, frame and all
    ground = p.between(p.sky[3], p.pale, 0.75) if light else p.ink
    inner = [np.asarray(Image.fromarray(plane).resize((wide, tall), Image.Resampling.BOX)) for plane in c.light]
    picture = Canvas(c.width, c.height)
    for k in range(3):
        picture.light[k, y0 : y0 + tall, x0 : x0 + wide] = inner[k]
    scene.notes["window"] = (x0 / c.width, y0 / c.height, wide / c.width, tall / c.height)
    cx, cy, r = 0.5, c.top + y0 / n + tall / n / 2, share / 2
    inset = 0.0 if kind != "arch" else 0.07

    def window(pen: Pen, grow: float = 0.0) -> None:
        if kind == "disc":
            pen.disc(cx, cy, r + grow - 0.002)
        elif kind == "square":
            u, v = wide / n / 2 + grow, tall / n / 2 + grow
            pen.box(cx - u, cy - v, cx + u, cy + v)
        else:
            w = r - inset
            pen.disc(cx, cy - r + w, w + grow)
            pen.box(cx - w - grow, cy - r + w, cx + w + grow, cy + r + grow)

    mask = c.shapes(window)
    line = c.shapes(window, 0.012) - c.shapes(window, 0.0095)
    for k in range(3):
        c.light[k] = np.float32(ground[k]) + mask * (picture.light[k] - np.float32(ground[k]))
    c.over(p.between(ground, p.accent if light else p.pale, 0.65), np.clip(line, 0, 1))
