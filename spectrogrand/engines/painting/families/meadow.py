"""Meadows: poppies and daisies on long stems before a wide sky."""

from __future__ import annotations

import numpy as np

from ....image.inks import ramp
from .. import backdrop
from ..canvas import Array, Canvas, Pen, ridge_line, rotate
from ..composition import Scene


def meadow(scene: Scene) -> None:
    """Three depths of flowers, far ones small and hazy, near ones large enough to show their petals."""
    c, p, rng = scene.canvas, scene.palette, scene.stream("meadow")
    scene.horizon = 0.72
    scene.draw_sky()
    tints = (p.accent, p.between(p.accent, p.glow, 0.45), p.between(p.pale, p.glow, 0.25))
    for k in range(4):
        t = (k + 1) / 4
        base = 0.74 + 0.27 * (k / 3) ** 1.2
        ground = base + (0.015 + 0.02 * t) * ridge_line(rng, 300, 0.4, 1.8)
        field = p.between(p.haze, p.ink, 0.30 + 0.70 * t)
        fade = np.clip((c.y - np.float32(base - 0.03)) / np.float32(0.14), 0, 1) * np.ones_like(c.x)
        c.over(c.grade(fade, ramp(field, p.between(field, p.ink, 0.6))), c.below(ground))
        count, size = (60, 44, 30, 17)[k], 0.007 + 0.040 * t**2.2
        stems: list[Array] = []
        heads: list[tuple[float, float, float, float, int, bool]] = []
        for _ in range(count):
            x = c.left + (c.right - c.left) * (rng.random() * 1.1 - 0.05)
            y0 = float(np.interp(x, np.linspace(c.left, c.right, 300), ground)) + 0.01
            h = size * rng.uniform(1.2, 5.5)
            bend = rng.normal(0, 0.25) * h
            q = np.linspace(0, 1, 10)
            stems.append(np.stack([x + bend * q**2, y0 - h * q], 1))
            heads.append(
                (
                    x + bend,
                    y0 - h,
                    size * rng.uniform(0.65, 1.1),
                    rng.normal(0, 0.3),
                    int(rng.integers(0, 3)),
                    bool(rng.random() < 0.4),
                )
            )

        def stalks(pen: Pen, stems: list[Array] = stems, size: float = size) -> None:
            for stem in stems:
                pen.line(stem, max(0.0012, 0.06 * size))

        def grass(pen: Pen, size: float = size, ground: Array = ground) -> None:
            for gx in c.scatter(rng, 260):
                gy = float(np.interp(gx, np.linspace(c.left, c.right, 300), ground))
                h = size * rng.uniform(0.6, 2.2)
                pen.polygon(
                    [
                        (gx - 0.05 * size, gy + 0.006),
                        (gx + 0.05 * size, gy + 0.006),
                        (gx + rng.normal(0, 0.4) * h, gy - h),
                    ]
                )

        c.over(p.between(field, p.ink, 0.4), np.maximum(c.shapes(stalks), c.shapes(grass)))
        for tone in range(3):
            chosen = [head for head in heads if head[4] == tone]
            colour = p.between(p.haze, tints[tone], 0.35 + 0.65 * t)
            _blossoms(scene.canvas, chosen, colour, p.between(colour, p.ink, 0.55))
    backdrop.birds(scene, 4)


def _blossoms(c: Canvas, heads: list[tuple[float, float, float, float, int, bool]], colour: Array, dark: Array) -> None:
    """Cups seen from the side (poppies) and stars seen from the front (daisies)."""
    t = np.linspace(0, np.pi, 16)
    cup = np.vstack(
        [
            np.stack([np.cos(t), 0.75 * np.sin(t)], 1),
            [(-1.0, -0.30), (-0.5, -0.62), (0, -0.42), (0.5, -0.66), (1.0, -0.28)],
        ]
    )
    front = np.vstack(
        [
            np.stack([0.86 * np.cos(t), 0.60 * np.sin(t) + 0.1], 1),
            [(-0.86, -0.05), (-0.35, -0.30), (0.35, -0.22), (0.86, -0.05)],
        ]
    )
    back: list[Array] = []
    over: list[Array] = []
    hearts: list[tuple[float, float, float]] = []
    for x, y, r, turn, _, poppy in heads:
        if poppy:
            back.append(rotate(cup * r, turn) + (x, y))
            over.append(rotate(front * r, turn) + (x, y))
        else:
            a = turn + 2 * np.pi * np.arange(11) / 11
            for b in a:
                petal = np.array([(0, 0), (0.16, -0.55), (0.14, -0.92), (0, -1.05), (-0.14, -0.92), (-0.16, -0.55)]) * r
                over.append(rotate(petal, b) * (1, 0.85) + (x, y))
            hearts.append((x, y, 0.26 * r))

    def discs(pen: Pen) -> None:
        for x, y, r in hearts:
            pen.ellipse(x, y, r, 0.85 * r)

    if back:
        c.over(0.5 * colour + 0.5 * dark, c.polygons(*back))
    if over:
        c.over(colour, c.polygons(*over))
    if hearts:
        c.over(dark, c.shapes(discs))
