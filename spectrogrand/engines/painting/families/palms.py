"""Palms: a few leaning palm trees, dark against the light over the sea."""

from __future__ import annotations

import numpy as np

from ..canvas import Array, Pen, ridge_line
from ..composition import Scene


def palms(scene: Scene) -> None:
    """Two to four palms on a strip of shore, their crowns at different heights."""
    c, p, rng = scene.canvas, scene.palette, scene.stream("palms")
    side = 1.0 if scene.focus[0] < 0.5 or (scene.centred and rng.random() < 0.5) else -1.0
    roots = [0.5 + side * v for v in (0.30, 0.40, 0.22, -0.40)[: int(rng.integers(2, 5))]]
    shore = 0.955 - 0.05 * side * (np.linspace(c.left, c.right, 200) - 0.5) * 2 + 0.012 * ridge_line(rng, 200, 0.5, 4)
    trees: list[tuple[Array, float]] = []
    for k, x in enumerate(roots):
        y0 = float(np.interp(x, np.linspace(c.left, c.right, 200), shore)) + 0.02
        height = rng.uniform(0.46, 0.66) * (0.62 if k == 3 else 1.0) * (1 - 0.12 * k)
        lean = -side * rng.uniform(0.05, 0.2) * (1 if k != 3 else -0.5)
        t = np.linspace(0, 1, 24)
        trees.append((np.stack([x + lean * t**1.7, y0 - height * t + 0.03 * np.sin(np.pi * t)], 1), height))

    def draw(pen: Pen) -> None:
        for trunk, height in trees:
            w = 0.017 * height * (1.25 - 0.55 * np.linspace(0, 1, 24))
            w[0] *= 1.7
            rings = 1 + 0.10 * (np.arange(24) % 2)
            pen.polygon(
                np.vstack([trunk + np.stack([w * rings, 0 * w], 1), (trunk - np.stack([w * rings, 0 * w], 1))[::-1]])
            )
            _crown(pen, rng, trunk[-1], 0.36 * height)

    c.over(p.ink, np.maximum(c.shapes(draw), c.below(shore)))


def _crown(pen: Pen, rng: np.random.Generator, top: Array, length: float) -> None:
    """Fronds that rise, bend over and droop, each a rib with leaflets on both sides."""
    count = int(rng.integers(9, 12))
    for k in range(count):
        angle = np.pi * (0.02 + 0.96 * (k + rng.uniform(-0.2, 0.2)) / (count - 1))
        reach, droop = (
            length * rng.uniform(0.95, 1.2),
            length * (0.35 + 0.45 * np.cos(angle) ** 2) * rng.uniform(0.8, 1.15),
        )
        t = np.linspace(0, 1, 26)
        x = top[0] + reach * np.cos(angle) * t
        y = top[1] - reach * (0.38 + 0.75 * np.sin(angle)) * t * (1 - 0.30 * t) + droop * t**2.3
        rib = np.stack([x, y], 1)
        pen.line(rib, 0.0032)
        along = np.gradient(rib, axis=0)
        along /= np.linalg.norm(along, axis=1, keepdims=True) + 1e-9
        for q, at, way in zip(t[2:], rib[2:], along[2:], strict=True):
            size = 0.24 * length * np.sin(np.pi * (0.12 + 0.86 * q)) ** 0.8
            for hand in (-1, 1):
                across = hand * np.array([-way[1], way[0]])
                tip = at + size * (0.70 * way + 0.55 * across + np.array([0.0, 0.30])) * rng.uniform(0.85, 1.1)
                pen.polygon([at - 0.0035 * way, at + 0.0035 * way, tip])
    for _ in range(4):
        pen.dot(top + rng.normal(0, 0.012, 2) + (0, 0.012), 0.010)
