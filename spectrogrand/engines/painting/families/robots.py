"""Robots: a head and shoulders of riveted metal with lamps for eyes, looking at us."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....image.inks import ramp
from .. import backdrop, light
from ..canvas import Array, Pen, noise
from ..composition import Scene


def portrait(scene: Scene) -> None:
    """A robot's portrait before a disc of light: head, antenna, eyes, grille, neck and shoulders."""
    c, p, rng = scene.canvas, scene.palette, scene.stream("robot")
    scene.focus = (0.5, 0.40)
    backdrop.sky(scene, 1.2)
    if rng.random() < 0.75:
        scene.sun = 0.33
        backdrop.sun(scene, "stripes" if scene.retro else "disc", 0.33)
    x, y, s = 0.5, 0.47, rng.uniform(0.215, 0.245)
    tall, wide, drop = rng.uniform(0.78, 1.0), rng.uniform(0.88, 1.05), rng.uniform(0.75, 1.08)

    def put(q: Any) -> Array:
        return np.asarray(q, float) * s + (x, y)

    def slab(w: float, top: float, bottom: float, foot: float, corner: float) -> Array:
        """A rounded four-sided plate, symmetric about the middle."""
        turn = np.linspace(0, np.pi / 2, 7)
        upper = np.stack([w - corner + corner * np.sin(turn), top + corner - corner * np.cos(turn)], 1)
        lower = np.stack([foot - corner + corner * np.cos(turn), bottom - corner + corner * np.sin(turn)], 1)
        half = np.vstack([upper, lower])
        return np.vstack([half, half[::-1] * (-1, 1)])

    head = slab(wide, -tall, tall, wide * drop, 0.22)
    chest = slab(1.55, tall + 0.42, 4.0, 1.75, 0.35)
    neck = np.array([(-0.34, tall - 0.1), (0.34, tall - 0.1), (0.38, tall + 0.5), (-0.38, tall + 0.5)])
    steel = (
        p.between(p.ink, p.sky[0], 0.25),
        p.between(p.sky[1], p.ink, 0.30),
        p.between(p.sky[2], p.accent, 0.15),
        p.between(p.glow, p.pale, 0.35),
    )
    metal = ramp(*steel)
    dark = p.between(p.ink, p.sky[0], 0.2)
    shade = np.clip(
        0.72
        - 0.42 * np.abs((c.x - np.float32(x + 0.18 * s)) / np.float32(1.6 * s))
        - 0.16 * (c.y - np.float32(y)) / np.float32(s),
        0,
        1,
    )
    shade = shade + 0.10 * (c.up(noise(rng, 5, 5, 0.6, stretch=3.0)) - 0.5)
    body = c.polygons(put(chest))
    c.over(c.grade(np.clip(shade - 0.22, 0, 1).astype(np.float32), metal), body)
    c.over(dark, c.polygons(put(neck)))

    def rings(pen: Pen) -> None:
        for k in range(4):
            v = tall + 0.06 + 0.11 * k
            pen.line(put([(-0.36, v), (0.36, v)]), 0.007)

    c.over(c.grade(np.clip(shade, 0, 1).astype(np.float32), metal), c.shapes(rings))
    for side in (-1, 1):
        ear = np.array([(wide * 0.92, -0.30), (wide + 0.20, -0.22), (wide + 0.20, 0.22), (wide * 0.92, 0.30)]) * (
            side,
            1,
        )
        c.over(dark, c.polygons(put(ear)))
    face = c.polygons(put(head))
    c.over(p.ink, np.clip(c.blur(face, 0.015) - face, 0, 1) * 0.55)
    c.over(c.grade(np.clip(shade + 0.08, 0, 1).astype(np.float32), metal), face)
    half = np.clip((c.x - np.float32(x)) / c.px + 0.5, 0, 1) * np.ones_like(c.y)
    c.over(p.ink, 0.26 * face * half)
    mast = rng.uniform(0.35, 0.6)

    def fittings(pen: Pen) -> None:
        pen.line(put([(0, -tall), (0, -tall - mast)]), 0.008)
        pen.polygon(put([(-0.22, -tall + 0.02), (-0.13, -tall - 0.10), (0.13, -tall - 0.10), (0.22, -tall + 0.02)]))
        for u in (-1, 1):
            for v in (-tall + 0.16, tall - 0.16):
                pen.dot(put([(u * (wide * (1 if v < 0 else drop) - 0.16), v)])[0], 0.0062)

    c.over(dark, c.shapes(fittings))
    brow, gap, r = -0.22 * tall, rng.uniform(0.38, 0.46), rng.uniform(0.22, 0.29)
    visor = slab(gap + r + 0.14, brow - r - 0.12, brow + r + 0.12, gap + r + 0.14, 0.18)
    c.over(p.ink, c.polygons(put(visor)))
    lamp = p.between(p.accent, p.glow, 0.25)
    for side in (-1, 1):
        ex, ey = put([(side * gap, brow)])[0]
        c.over(p.between(lamp, p.ink, 0.45), c.disc(ex, ey, r * s))
        c.over(lamp, c.disc(ex, ey, 0.78 * r * s))
        c.over(p.pale, c.disc(ex, ey, 0.36 * r * s))
        light.glow(c, ex, ey, 0.5 * r * s, lamp, 0.8 if p.key != "day" else 0.25)
    tip = put([(0, -tall - mast)])[0]
    c.over(lamp, c.disc(float(tip[0]), float(tip[1]), 0.014))
    light.glow(c, float(tip[0]), float(tip[1]), 0.02, lamp, 0.9 if p.key != "day" else 0.2)
    mouth = slab(0.52, 0.36 * tall, 0.78 * tall, 0.48, 0.08)
    c.over(p.ink, c.polygons(put(mouth)))
    level = 0.25 + 0.75 * rng.random(9)

    def grille(pen: Pen) -> None:
        for k in range(9):
            u, h = -0.42 + 0.105 * k, 0.17 * tall * level[k]
            pen.line(put([(u, 0.57 * tall - h), (u, 0.57 * tall + h)]), 0.0085)

    c.over(lamp, c.shapes(grille))

    def panel(pen: Pen) -> None:
        pen.line(put([(-0.9, tall + 0.75), (0.9, tall + 0.75), (0.9, 4), (-0.9, 4), (-0.9, tall + 0.75)]), 0.004)
        for k in range(5):
            pen.dot(put([(-0.6 + 0.3 * k, tall + 0.98)])[0], 0.011, 1.0 if k != int(5 * level[0]) % 5 else 0.0)

    c.over(dark, 0.8 * c.shapes(panel) * body)
    sparks = c.small()
    c.add(p.glow, c.up((0.06 * np.exp(-((sparks.distance(0.5, 0.4) / 0.4) ** 2))).astype(np.float32)))
