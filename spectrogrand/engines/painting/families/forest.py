"""Forest and flowers: tree lines in mist, tall trunks with shafts of light, one great tree, or a single flower."""

from __future__ import annotations

import numpy as np

from .. import backdrop, light
from ..canvas import Canvas, Pen, noise, ridge_line, rotate
from ..composition import Scene
from ..palette import ramp
from .meadow import meadow


def paint(scene: Scene) -> None:
    """Pines, trunks, one tree or a flower."""
    mood = scene.axis("brightness") + scene.axis("valence")
    kind = scene.pick(
        "forest", pines=1, trunks=0.9 - 0.5 * mood, tree=1, flower=1.2 + 0.8 * mood, meadow=1.0 + 0.8 * mood
    )
    if kind == "flower":
        flower(scene)
    elif kind == "meadow":
        meadow(scene)
    elif kind == "trunks":
        trunks(scene)
    elif kind == "tree":
        tree(scene)
    else:
        scene.horizon = 0.66
        scene.draw_sky()
        setting(scene, start=0.56, layers=5)
        backdrop.birds(scene, 5)


def setting(scene: Scene, start: float | None = None, layers: int = 4) -> None:
    """Rows of conifers on rolling ground, mist rising between them."""
    c, p, rng = scene.canvas, scene.palette, scene.stream("pines")
    start = scene.horizon - 0.02 if start is None else start
    for k in range(layers):
        t = (k + 1) / layers
        base = start + (1.02 - start) * (k / layers) ** 1.1 + 0.05
        ground = base + (0.045 + 0.02 * t) * ridge_line(rng, 300, 0.40, 2.2)
        height = 0.05 + 0.20 * t**1.5
        colour = p.between(p.haze, p.ink, 0.12 + 0.88 * t**1.15)
        pines = _pines(rng, c, ground, height, 0.30 * height, gap=0.75 if k < layers - 1 else 1.5)
        mask = np.maximum(c.polygons(*pines), c.below(ground))
        fade = np.clip((c.y - np.float32(base - 0.4 * height)) / np.float32(height + 0.05), 0, 1) * np.ones_like(c.x)
        far = p.between(colour, p.haze, 0.75 * (1 - t) + 0.08)
        c.over(c.grade(fade, ramp(colour, far)), mask)


def _pines(
    rng: np.random.Generator, c: Canvas, ground: np.ndarray, height: float, spacing: float, gap: float
) -> list[np.ndarray]:
    """Outlines of conifers: tiers of drooping branches, jagged, on the ground's line."""
    shapes, x = [], c.left - 0.03
    while x < c.right + 0.03:
        h = height * (0.45 + 0.75 * rng.random() ** 1.3)
        w = h * rng.uniform(0.15, 0.21)
        y = float(np.interp(x, np.linspace(c.left, c.right, len(ground)), ground)) + 0.01
        tiers = max(7, int(11 + 30 * height))
        t = np.linspace(0.03, 0.92, tiers)
        left, right = [], []
        for q in t:
            reach = w * q**0.9
            a, b = reach * rng.uniform(0.75, 1.15), reach * rng.uniform(0.75, 1.15)
            drop = 0.35 * h / tiers
            left += [(x - 0.42 * a, y - h * (1 - q)), (x - a, y - h * (1 - q) + 1.6 * drop)]
            right += [(x + 0.42 * b, y - h * (1 - q)), (x + b, y - h * (1 - q) + 1.6 * drop)]
        trunk = [
            (x + 0.05 * w, y - 0.06 * h),
            (x + 0.05 * w, y + 0.02),
            (x - 0.05 * w, y + 0.02),
            (x - 0.05 * w, y - 0.06 * h),
        ]
        shapes.append(np.array([(x, y - h), *right, *trunk, *left[::-1]]))
        x += spacing * rng.uniform(0.35, 1.5) * gap * (3.0 if rng.random() < 0.07 else 1.0)
    return shapes


def trunks(scene: Scene) -> None:
    """Inside a forest: trunks in layers of haze, shafts of light from above, ferns in front."""
    c, p, rng = scene.canvas, scene.palette, scene.stream("trunks")
    fx, fy = scene.focus[0], 0.36
    small = c.small()
    d = np.hypot((small.x - fx) * 1.25, small.y - fy) + 0.10 * (noise(rng, 4, 4) - 0.5)
    stops = (p.pale, p.glow, p.haze, p.sky[2], p.sky[1], p.sky[0])
    c.light[:] = c.grade(
        c.up(np.clip(d * 1.05, 0, 1).astype(np.float32)), ramp(*stops, at=(0, 0.12, 0.28, 0.48, 0.75, 1))
    )
    layers = 5
    for k in range(layers):
        t = (k + 1) / layers
        colour = p.between(p.haze, p.ink, 0.10 + 0.90 * t**1.2)
        count = int(16 - 2.4 * k)
        width = 0.006 + 0.046 * t**2.2

        def draw(pen: Pen, count: int = count, width: float = width) -> None:
            for _ in range(count):
                x = c.left + (c.right - c.left) * (rng.random() * 1.1 - 0.05)
                if width > 0.03 and abs(x - fx) < 0.2:
                    continue
                w, lean = width * rng.uniform(0.5, 1.2), rng.normal(0, 0.018)
                y = np.linspace(c.top - 0.02, 1.02, 24)
                wobble = 0.06 * w * np.cumsum(rng.normal(0, 1, 24)) + lean * (1 - y)
                flare = w * (0.42 + 0.10 * y + 0.9 * np.clip((y - 0.86) / 0.14, 0, 1) ** 2)
                pen.polygon(
                    np.vstack([np.stack([x + wobble - flare, y], 1), np.stack([x + wobble + flare, y], 1)[::-1]])
                )
                for _ in range(int(rng.integers(2, 5))):
                    yb, side = rng.uniform(0.02, 0.5), rng.choice([-1, 1])
                    r = w * rng.uniform(2.5, 6)
                    xb = x + lean * (1 - yb)
                    pen.polygon([(xb, yb), (xb + side * r, yb - 0.55 * r), (xb, yb + 0.30 * w)])

        mask = c.shapes(draw)
        fade = np.exp(-c.distance(fx, fy) / np.float32(0.30)) * (0.85 - 0.5 * t)
        c.over(c.grade(np.clip(fade, 0, 1), ramp(colour, p.haze, p.glow)), mask)
        floor = 0.80 + 0.13 * t + 0.02 * ridge_line(rng, 300, 0.4, 3)
        c.over(c.grade(np.clip(fade * 0.8, 0, 1), ramp(colour, p.haze, p.glow)), c.below(floor, 0.012 * (1.2 - t)))
        if k == 2:
            light.rays(c, fx, fy - 0.45, p.glow, 0.22, rng, beams=30, reach=1.0)
    ferns(scene)


def ferns(scene: Scene) -> None:
    """Fronds along the lower edge."""
    c, p, rng = scene.canvas, scene.palette, scene.stream("ferns")

    def draw(pen: Pen) -> None:
        for _ in range(26):
            x, h = c.scatter(rng), rng.uniform(0.05, 0.14)
            bend = rng.normal(0, 0.08)
            t = np.linspace(0, 1, 12)
            spine = np.stack([x + bend * t**2, 1.01 - h * t + 0.25 * h * t**3], 1)
            pen.line(spine, 0.0016)
            for q, (sx, sy) in zip(t[1:], spine[1:], strict=True):
                r = 0.24 * h * (1.05 - q)
                for side in (-1, 1):
                    pen.polygon(
                        [
                            (sx, sy),
                            (sx + side * r, sy + 0.30 * r - 0.1 * h * (1 - q)),
                            (sx + side * 0.45 * r, sy + 0.30 * r),
                        ]
                    )

    c.over(p.ink, c.shapes(draw))


def tree(scene: Scene) -> None:
    """One great tree on a hill before the light, its leaves in the wind."""
    c, p, rng = scene.canvas, scene.palette, scene.stream("tree")
    scene.sun = max(scene.sun, 0.22)
    scene.focus = (scene.focus[0], 0.42)
    scene.horizon = 0.82
    scene.draw_sky()
    x, y = scene.focus[0] + rng.uniform(-0.05, 0.05), 0.80
    hill = 0.80 + 0.10 * ((np.linspace(c.left, c.right, 400) - x) ** 2) * 4 + 0.004 * ridge_line(rng, 400, 0.7, 20)
    tips: list[tuple[float, float, float]] = []
    limbs: list[tuple[np.ndarray, float]] = []

    def grow(x: float, y: float, angle: float, length: float, width: float, depth: int) -> None:
        bend = rng.normal(0, 0.16)
        t = np.linspace(0, 1, 6)
        a = angle + bend * t
        path = np.stack([x + length * np.cumsum(np.cos(a)) / 6, y - length * np.cumsum(np.sin(a)) / 6], 1)
        limbs.append((np.vstack([(x, y), path]), width))
        ex, ey = path[-1]
        if depth <= 2:
            tips.append((ex, ey, length))
        if depth == 0:
            return
        for turn in (
            rng.uniform(0.25, 0.6),
            -rng.uniform(0.25, 0.6),
            *([rng.normal(0, 0.12)] if rng.random() < 0.4 else []),
        ):
            grow(ex, ey, a[-1] + turn, length * rng.uniform(0.68, 0.84), width * 0.66, depth - 1)

    grow(x, y + 0.02, np.pi / 2 + rng.normal(0, 0.06), 0.155, 0.030, 6)

    def wood(pen: Pen) -> None:
        for path, width in limbs:
            pen.line(path, width)
        pen.polygon([(x - 0.045, y + 0.035), (x - 0.013, y - 0.05), (x + 0.013, y - 0.05), (x + 0.045, y + 0.035)])

    bare = rng.random() < 0.3

    def leaves(pen: Pen) -> None:
        for tx, ty, length in tips:
            for _ in range(2 if bare else 5):
                q = rng.normal(0, 0.55 * length + 0.006, 2)
                pen.disc(tx + q[0], ty + q[1], rng.uniform(0.0022, 0.0065))
        for _ in range(30):  # carried off by the wind
            q = rng.random() ** 1.5
            pen.ellipse(x + 0.1 + 0.5 * q, y - 0.42 + 0.3 * q * rng.normal(0, 0.6), 0.0032, 0.0018)

    leaf = p.between(p.accent, p.ink, 0.35) if p.key != "night" else p.accent
    back = c.shapes(leaves)
    shade = np.clip(c.distance(x - 0.12, y - 0.55) / np.float32(0.45), 0, 1)
    c.over(p.ink, np.maximum(c.shapes(wood), c.below(hill)))
    c.over(c.grade(shade, ramp(p.between(leaf, p.pale, 0.35), leaf, p.between(leaf, p.ink, 0.5))), back)

    def grass(pen: Pen) -> None:
        for gx in c.scatter(rng, 420):
            gy = float(np.interp(gx, np.linspace(c.left, c.right, 400), hill))
            h = rng.uniform(0.006, 0.022)
            pen.polygon([(gx - 0.0012, gy + 0.004), (gx + 0.0012, gy + 0.004), (gx + rng.normal(0, 0.006), gy - h)])

    c.over(p.ink, c.shapes(grass))


def flower(scene: Scene) -> None:
    """One flower, petals in whorls that shade from heart to tip, on quiet ground."""
    c, p, rng = scene.canvas, scene.palette, scene.stream("flower")
    scene.notes["no rays"] = True
    backdrop.sky(scene, 1.15, reverse=bool(rng.random() < 0.3))
    x, y = (0.5 if scene.centred else scene.focus[0] * 0.6 + 0.2), rng.uniform(0.42, 0.5)
    if rng.random() < 0.5:
        c.over(p.between(p.sky[3], p.glow, 0.4), 0.85 * c.disc(x, y, 0.33))
    light.glow(c, x, y, 0.35, p.glow, 0.15)
    stem_bend = rng.uniform(-0.12, 0.12)
    t = np.linspace(0, 1, 40)
    stem = np.stack([x + stem_bend * np.sin(np.pi * t * 0.5) * t, y + (1.05 - y) * t], 1)
    green = p.between(p.ink, p.sky[1], 0.25)
    c.over(green, c.shapes(Pen.line, stem, 0.009))
    for side in (-1, 1):
        at = stem[int(rng.integers(20, 30))]
        leaf = _petal(0.26, 0.062, 0.45, 1.25)
        c.over(green, c.polygons(rotate(leaf, float(side)) + at))
    tips = p.accent if p.key != "day" else p.between(p.accent, p.sky[0], 0.2)
    heart = p.between(tips, p.ink, 0.72)
    whorls = int(rng.integers(4, 7))
    size, count = rng.uniform(0.27, 0.33), int(rng.integers(9, 15))
    sharp, squash = rng.uniform(0.7, 1.5), rng.uniform(0.82, 1.0)
    for k in range(whorls):
        t_k = k / whorls
        r = size * (1 - 0.78 * t_k)
        turn = k * np.pi / count + rng.normal(0, 0.03)
        light_k = p.between(tips, p.pale, 0.10 + 0.55 * t_k)
        dark_k = p.between(heart, tips, 0.15 + 0.45 * t_k)
        table = ramp(dark_k, p.between(dark_k, light_k, 0.5), light_k, p.between(light_k, p.pale, 0.35))
        for half in (0, 1):  # neighbours in two passes, so that they overlap
            angles = [turn + 2 * np.pi * j / count for j in range(half, count, 2)]
            petals = [rotate(_petal(r * rng.uniform(0.95, 1.05), r * 2.1 / count * 1.35, 0.58, sharp), a) * (1, squash) + (x, y)
                      for a in angles]  # fmt: skip
            mask = c.polygons(*petals)
            shadow = c.blur(mask, 0.006)
            c.over(heart, np.clip(shadow - mask, 0, 1) * 0.55)
            tone = np.clip(c.distance(x, y) / np.float32(r), 0, 1) * np.float32(1.0 if half else 0.88)
            c.over(c.grade(tone, table), mask)
    seed_r = size * 0.17
    n = 140
    a = np.arange(n) * 2.399963  # the golden angle
    rr = seed_r * np.sqrt(np.arange(n) / n)
    c.over(heart, c.disc(x, y, seed_r * 1.05))

    def seeds(pen: Pen) -> None:
        for q, b in zip(rr, a, strict=True):
            pen.disc(x + q * np.cos(b), y + squash * q * np.sin(b), 0.0028)

    c.over(p.glow, c.shapes(seeds))


def _petal(length: float, width: float, belly: float, sharp: float) -> np.ndarray:
    """A petal's outline, base at the origin, tip up; `belly` is where along its length it is widest."""
    t = np.linspace(0, 1, 30)
    shape = (t / belly) * np.exp((1 - (t / belly) ** 2) / 2) * np.clip(1 - t**3, 0, 1) ** (0.45 * sharp)
    w = width * shape / shape.max()
    return np.vstack([np.stack([w, -length * t], 1), np.stack([-w, -length * t], 1)[::-1]])
