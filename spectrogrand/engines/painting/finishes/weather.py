"""Weather over a stage: rain, snow, storm, fog, and stars large enough to be seen."""

from __future__ import annotations

import numpy as np

from .. import backdrop, light
from ..canvas import Pen, noise
from ..things.stage import Stage


def fall(stage: Stage, colour: np.ndarray | None = None) -> None:
    """Rain, snow or fog between the eye and what stands."""
    meaning = stage.reading.meaning
    if meaning("rain", "storm"):
        rain(stage, colour)
    if meaning("snow"):
        snow(stage, colour)
    if meaning("fog"):
        fog(stage)
    if meaning("stars", "night") and not stage.ground:
        big_stars(stage, colour, stage.canvas.bottom)


def rain(stage: Stage, colour: np.ndarray | None = None) -> None:
    """Slanted streaks at three depths, and rings where drops meet the ground."""
    c, p = stage.canvas, stage.scene.palette
    rng = stage.scene.stream("rain")
    slant = rng.uniform(0.10, 0.24) * rng.choice([-1, 1])
    wide = c.right - c.left

    def draw(pen: Pen) -> None:
        for k in range(round(230 * wide)):
            near = k % 3 / 2
            x, y = c.left - 0.1 + (wide + 0.2) * rng.random(), c.top - 0.1 + (c.bottom - c.top + 0.1) * rng.random()
            h = 0.035 + 0.06 * near * rng.uniform(0.6, 1.2)
            pen.line([(x, y), (x + slant * h, y + h)], 0.0013 + 0.0012 * near, 0.45 + 0.55 * near)

    tint = (
        colour
        if colour is not None
        else p.between(p.pale, p.haze, 0.15)
        if p.key != "day"
        else p.between(p.sky[0], p.ink, 0.55)
    )
    c.over(tint, 0.6 * c.shapes(draw))


def snow(stage: Stage, colour: np.ndarray | None = None) -> None:
    """Flakes from far and small to near and out of focus."""
    c, p = stage.canvas, stage.scene.palette
    rng = stage.scene.stream("snow")
    tint = colour if colour is not None else p.between(p.pale, p.sky[3], 0.05)

    def draw(pen: Pen, near: bool) -> None:
        for _ in range(round((26 if near else 330) * (c.right - c.left))):
            x, y = c.scatter(rng), c.top + (c.bottom - c.top) * rng.random()
            pen.disc(x, y, rng.uniform(0.006, 0.012) if near else rng.uniform(0.0016, 0.0048), rng.uniform(0.6, 1.0))

    c.over(tint, 0.92 * c.shapes(draw, False))
    c.over(tint, 0.6 * c.blur(c.shapes(draw, True), 0.003, 512))


def fog(stage: Stage) -> None:
    """Banks of fog before and behind the feet of things."""
    scene, c = stage.scene, stage.canvas
    rng = scene.stream("fog")
    foot = max((i.y for i in stage.items), default=scene.horizon)
    small = c.small()
    for k in range(3):
        y = foot - 0.02 - 0.09 * k
        field = np.exp(-(((small.y - y) / 0.07) ** 2)) * (0.35 + 0.65 * noise(rng, 3.5, 4, stretch=4.5))
        c.over(
            scene.palette.between(scene.palette.haze, scene.palette.pale, 0.35),
            c.up(np.clip(0.62 * field, 0, 1).astype(np.float32)),
        )


def storm(stage: Stage) -> None:
    """Heavy cloud above and a bolt of lightning that lights it from within."""
    scene, c, p = stage.scene, stage.canvas, stage.scene.palette
    rng = scene.stream("storm")
    small = c.small()
    field = noise(rng, 4, 5, 0.55, stretch=2.2)
    cover = np.clip(1.15 - (small.y - c.top) / 0.42 + 0.7 * (field - 0.5), 0, 1)
    dark = p.between(p.sky[0], p.ink, 0.55)
    c.over(dark, c.up((0.9 * cover).astype(np.float32)))
    x0, _, x1, _ = stage.bounds()
    x = (x1 + 0.5 * (c.right - x1)) if c.right - x1 > x0 - c.left else (c.left + 0.5 * (x0 - c.left))
    x = float(np.clip(x, c.left + 0.1, c.right - 0.1))
    y, path = c.top + 0.06, []
    while y < scene.horizon - 0.02:
        path.append((x, y))
        x += rng.normal(0, 0.028)
        y += rng.uniform(0.035, 0.075)
    path.append((x, scene.horizon))

    def draw(pen: Pen) -> None:
        for k, (a, b) in enumerate(zip(path[:-1], path[1:], strict=True)):
            pen.line([a, b], 0.0085 * (1 - 0.6 * k / len(path)))
        for k in (len(path) // 3, len(path) // 2):
            fx, fy = path[k]
            side = rng.choice([-1, 1])
            pen.line(
                [(fx, fy), (fx + side * 0.05, fy + 0.05), (fx + side * 0.06, fy + 0.11), (fx + side * 0.10, fy + 0.15)],
                0.003,
            )

    bolt = c.shapes(draw)
    light.glow(c, *path[1], 0.16, p.glow, 0.55)
    c.add(p.glow, 0.9 * c.blur(bolt, 0.012))
    c.over(p.pale, bolt)


def big_stars(stage: Stage, colour: np.ndarray | None = None, floor: float | None = None) -> None:
    """A few stars of four rays among the small ones, so that a small picture still shows stars."""
    scene, c, p = stage.scene, stage.canvas, stage.scene.palette
    rng = scene.stream("big stars")
    if floor is None:
        backdrop.stars(scene, 220, scene.horizon)
    free = 1 - np.clip(4 * c.blur(stage.union("body"), 0.012), 0, 1)

    def draw(pen: Pen) -> None:
        for _ in range(22):
            x, y = c.scatter(rng), c.top + ((floor or scene.horizon) - c.top) * rng.random() ** 1.2
            r = rng.uniform(0.008, 0.024)
            q = 0.16 * r
            pen.polygon(
                [
                    (x, y - r),
                    (x + q, y - q),
                    (x + r, y),
                    (x + q, y + q),
                    (x, y + r),
                    (x - q, y + q),
                    (x - r, y),
                    (x - q, y - q),
                ]
            )

    c.over(colour if colour is not None else p.pale if p.key != "day" else p.accent, c.shapes(draw) * free)
