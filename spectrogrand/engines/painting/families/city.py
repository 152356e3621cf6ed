"""City: skylines layer behind layer with lit windows, their mirror in water, or a street running to the light."""

from __future__ import annotations

import numpy as np

from .. import light
from ..canvas import Canvas, Pen, noise
from ..composition import Scene
from ..palette import ramp
from .water import reflect


def paint(scene: Scene) -> None:
    """A skyline over water, a skyline from near, or a street canyon."""
    kind = scene.pick("city", water=1.2 - 0.5 * scene.axis("energy"), street=1 + scene.axis("energy"), near=0.7)
    if kind == "street":
        street(scene)
        return
    scene.horizon = 0.74 if kind == "water" else 0.955
    scene.sun = max(scene.sun, 0.17)
    scene.draw_sky()
    setting(scene, tall=1.25)
    if kind == "water":
        reflect(scene, scene.horizon)


def setting(scene: Scene, tall: float = 0.9) -> None:
    """Three rows of buildings that stand on the horizon, the nearest with lights in the windows."""
    c, p, rng = scene.canvas, scene.palette, scene.stream("skyline")
    ground = scene.horizon
    for k, (t, low, high) in enumerate(((0.28, 0.06, 0.26), (0.58, 0.05, 0.21), (1.0, 0.03, 0.17))):
        blocks = _blocks(rng, c, 0.03 + 0.016 * k, low * tall, high * tall, scene.focus[0])
        colour = p.between(p.haze, p.ink, t)
        mask = c.shapes(_draw, blocks, ground)
        fade = np.clip((c.y - (ground - 0.24)) / 0.24, 0, 1) * (0.5 * (1 - t) + 0.06)
        c.over(c.grade(fade.astype(np.float32), ramp(colour, p.haze)), mask)
        lit = c.shapes(_windows, blocks, ground, scene, k)
        warm = p.between(p.glow, p.accent, 0.3) if p.key != "day" else p.pale
        c.over(warm, lit * (0.30 + 0.45 * t))
    if ground < c.bottom:
        c.over(p.ink, np.clip((c.y - ground) / c.px + 0.5, 0, 1) * np.ones_like(c.x))


def _blocks(
    rng: np.random.Generator, c: Canvas, width: float, low: float, high: float, focus: float
) -> list[tuple[float, float, float, int, float]]:
    """(left, right, height, kind of roof, taper) from left to right, tallest towards the middle distance."""
    blocks, x = [], c.left - 0.02
    peak = focus + rng.normal(0, 0.12)
    while x < c.right + 0.02:
        w = width * rng.uniform(0.6, 1.7)
        swell = 0.45 + 0.75 * np.exp(-(((x - peak) / 0.22) ** 2))
        h = (low + (high - low) * rng.random() ** 1.6) * swell
        if rng.random() < 0.09:
            h *= 1.55
        blocks.append((x, x + w * 0.97, float(h), int(rng.integers(0, 6)), float(rng.uniform(0.15, 0.35))))
        x += w * rng.uniform(0.86, 1.12)
    return blocks


def _draw(pen: Pen, blocks: list[tuple[float, float, float, int, float]], ground: float) -> None:
    for x0, x1, h, roof, taper in blocks:
        w, top = x1 - x0, ground - h
        pen.box(x0, top, x1, ground)
        middle = (x0 + x1) / 2
        if roof == 0:  # set back in steps
            pen.box(x0 + taper * w * 0.6, top - 0.22 * h, x1 - taper * w * 0.6, top)
            pen.box(x0 + taper * w, top - 0.34 * h, x1 - taper * w, top)
        elif roof == 1:  # mast
            pen.box(middle - 0.0014, top - 0.38 * h, middle + 0.0014, top)
            pen.box(middle - 0.1 * w, top - 0.05 * h, middle + 0.1 * w, top)
        elif roof == 2:  # slanted
            pen.polygon([(x0, top), (x1, top), (x1, top - 0.30 * w)])
        elif roof == 3:  # spire
            pen.polygon([(x0 + 0.12 * w, top), (x1 - 0.12 * w, top), (middle, top - 0.3 * h - 0.4 * w)])
        elif roof == 4:  # water tank, aerials
            pen.box(x0 + 0.2 * w, top - 0.010, x0 + 0.5 * w, top)
            pen.box(x1 - 0.25 * w, top - 0.018, x1 - 0.25 * w + 0.0012, top)


def _windows(
    pen: Pen, blocks: list[tuple[float, float, float, int, float]], ground: float, scene: Scene, layer: int
) -> None:
    rng = scene.stream(f"windows{layer}")
    step, size = (0.0085, 0.0026) if layer == 2 else (0.0062, 0.0019)
    for x0, x1, h, _, _ in blocks:
        share = rng.choice([0.04, 0.12, 0.35], p=[0.45, 0.35, 0.2]) * (0.5 + 0.5 * layer)
        columns, rows = int((x1 - x0) / step) - 1, int((h - 0.01) / (step * 1.25))
        if columns < 1 or rows < 1:
            continue
        on = rng.random((rows, columns)) < share
        left = x0 + ((x1 - x0) - columns * step) / 2 + step / 2
        for i, j in np.argwhere(on):
            x, y = left + j * step, ground - h + 0.008 + i * step * 1.25
            pen.box(x - size / 2, y, x + size / 2, y + size * 1.4, 0.55 + 0.45 * ((7 * i + 3 * j) % 4) / 3)


def street(scene: Scene) -> None:
    """A canyon of buildings in one-point perspective, the light at its end, its glow on the road."""
    c, p, rng = scene.canvas, scene.palette, scene.stream("street")
    vx, vy = scene.focus[0] * 0.4 + 0.3, rng.uniform(0.56, 0.64)
    scene.focus, scene.horizon, scene.sun = (vx, vy - 0.10), vy + 0.02, min(max(scene.sun, 0.13), 0.19)
    scene.draw_sky()
    light.glow(c, vx, vy, 0.16, p.glow, 0.5 if p.key != "day" else 0.15)
    road = c.polygons(
        [(vx - 0.004, vy), (vx + 0.004, vy), (c.right + 0.25, c.bottom + 0.02), (c.left - 0.25, c.bottom + 0.02)]
    )
    floor = np.clip((c.y - vy) / (1 - vy), 0, 1)
    wet = c.up(noise(rng, 6, 5, 0.6, stretch=0.25))
    sheen = np.exp(-(((c.x - np.float32(vx)) / (0.02 + 0.30 * floor)) ** 2)) * (1 - 0.55 * floor) * (0.55 + 0.8 * wet)
    table = ramp(p.ink, p.between(p.ink, p.sky[1], 0.7), p.sky[2], p.glow, p.pale)
    c.over(p.between(p.ink, p.haze, 0.10), np.clip((c.y - vy) / c.px, 0, 1) * np.ones_like(c.x))
    c.over(c.grade(np.clip(0.95 * sheen, 0, 1).astype(np.float32), table), road)
    depths = np.geomspace(9.0, 0.27, 14)  # the nearest walls run past the picture's edge
    for far, near in zip(depths[:-1], depths[1:], strict=True):
        t = float(np.clip(1 - (far - 0.9) / 9.0, 0, 1)) ** 1.7
        for side in (-1, 1):
            h, reach = rng.uniform(0.45, 1.6) * (1.25 if rng.random() < 0.3 else 1), 0.27
            gap = far - (far - near) * rng.uniform(0.0, 0.25)
            xn, xf = vx + side * reach / near, vx + side * reach / gap
            wall = [
                (xf, vy + 0.13 / gap),
                (xn, vy + 0.13 / near),
                (xn, vy - h * 0.42 / near),
                (xf, vy - h * 0.42 / gap),
            ]
            xo = vx + side * (reach + 0.8 + 2 * (c.right - c.left - 1)) / gap
            front = [(xf, wall[0][1]), (xo, wall[0][1]), (xo, wall[3][1]), (xf, wall[3][1])]
            dark = p.between(p.haze, p.ink, 0.25 + 0.75 * t)
            c.over(p.between(dark, p.haze, 0.16), c.polygons(front))
            c.over(dark, c.polygons(wall))
            lamps = c.shapes(_panes, scene, vx, vy, gap, near, side, h, reach)
            c.over(p.between(p.glow, p.accent, 0.35 if side > 0 else 0.05), lamps * (0.35 + 0.5 * t))
    trails = [(rng.uniform(-0.19, 0.19), rng.random()) for _ in range(9)]

    def cars(pen: Pen) -> None:
        for offset, ink in trails:
            pen.polygon([(vx, vy), (vx + offset / 0.36, 1.05), (vx + (offset + 0.0035) / 0.36, 1.05)], 0.4 + 0.6 * ink)

    glow = c.shapes(cars) * np.clip((c.y - vy) / 0.1, 0, 1)
    c.add(p.between(p.accent, p.glow, 0.5), 0.9 * glow)


def _panes(
    pen: Pen, scene: Scene, vx: float, vy: float, far: float, near: float, side: int, h: float, reach: float
) -> None:
    """Lit windows as quads on a wall that runs away from the eye."""
    rng = scene.stream(f"panes{far:.4f}{side}")
    columns, rows = 5, max(3, int(h * 15))
    share = rng.choice([0.08, 0.2, 0.4], p=[0.5, 0.3, 0.2])
    z = np.linspace(far, near, columns + 1)
    for j in range(columns):
        a, b = z[j] + 0.25 * (z[j + 1] - z[j]), z[j] + 0.75 * (z[j + 1] - z[j])
        for i in range(rows):
            if rng.random() > share:
                continue
            y0, y1 = h * 0.42 * (i + 0.3) / rows - 0.04, h * 0.42 * (i + 0.62) / rows - 0.04
            quad = [(vx + side * reach / q, vy - y / q) for q, y in ((a, y0), (b, y0), (b, y1), (a, y1))]
            pen.polygon(quad, rng.uniform(0.4, 1.0))
