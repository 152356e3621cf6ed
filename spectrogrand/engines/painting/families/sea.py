"""Sea: a boat on the path of light, great waves in layers, or a whale in the deep."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import backdrop, light
from ..canvas import Array, Pen, noise, rotate, smoothstep
from ..composition import Scene
from ..palette import ramp
from .palms import palms
from .water import sea


def paint(scene: Scene) -> None:
    """Boat, waves, whale or palms on the shore."""
    rng = scene.stream("sea")
    kind = scene.pick(
        "sea",
        boat=1,
        waves=0.9 + 0.8 * scene.axis("energy"),
        whale=0.9 - 0.8 * scene.axis("brightness"),
        palms=0.7 + 0.9 * scene.axis("valence"),
    )
    if kind == "whale":
        whale(scene)
        return
    scene.horizon = rng.uniform(0.56, 0.64) if kind == "boat" else 0.6 if kind == "waves" else 0.76
    scene.focus = (scene.focus[0], min(scene.focus[1], scene.horizon - 0.4 * scene.sun))
    scene.draw_sky()
    sea(scene, scene.horizon)
    if kind == "boat":
        boat(scene)
        backdrop.birds(scene, 5)
    elif kind == "palms":
        palms(scene)
    else:
        great_waves(scene)


def setting(scene: Scene) -> None:
    """Open water from the horizon down."""
    sea(scene, scene.horizon)


def boat(scene: Scene) -> None:
    """A sailing boat, dark against the light, and its shadow in the water."""
    c, p, rng = scene.canvas, scene.palette, scene.stream("boat")
    s = rng.uniform(0.085, 0.13)
    x = scene.focus[0] + rng.uniform(-0.03, 0.03) + (0.0 if scene.centred else 0.06)
    y = scene.horizon + rng.uniform(0.045, 0.09)
    lean = rng.uniform(-0.10, 0.10)
    t = np.linspace(0, 1, 24)

    def curve(a: tuple[float, float], b: tuple[float, float], belly: float) -> np.ndarray:
        """From a to b, bulging to the side by `belly`."""
        line = np.outer(1 - t, a) + np.outer(t, b)
        line[:, 0] += belly * np.sin(np.pi * t)
        return line

    main = np.vstack([curve((0.03, -1.55), (0.03, -0.16), 0.0), curve((0.62, -0.2), (0.03, -1.55), 0.16)])
    jib = np.vstack([curve((-0.04, -1.38), (-0.58, -0.18), 0.02), curve((-0.05, -0.22), (-0.04, -1.38), -0.12)])
    hull = np.vstack([curve((-0.72, -0.10), (0.66, -0.10), 0.0), [(0.52, 0.10), (-0.42, 0.12)]])

    def place(q: Any) -> Array:
        return rotate(np.asarray(q, float) * s + (x, y), lean, (x, y))

    sail = p.between(p.ink, p.accent, 0.55) if p.key != "day" else p.pale
    shade = np.clip((c.x - np.float32(x)) / np.float32(s) * 0.8 + 0.5, 0, 1) * np.ones_like(c.y)
    c.over(c.grade(shade, ramp(p.between(sail, p.ink, 0.35), sail)), c.polygons(place(main)))
    c.over(p.between(sail, p.pale, 0.25), c.polygons(place(jib)))

    def dark(pen: Pen) -> None:
        pen.polygon(place(hull))
        pen.line(place([(0, -1.62), (0, 0)]), 0.0022)

    c.over(p.ink, c.shapes(dark))
    small = c.small()
    streak = (
        np.exp(-(((small.x - x) / (0.42 * s)) ** 2))
        * smoothstep(y, y + 0.01, small.y)
        * smoothstep(y + 1.7 * s, y, small.y)
    )
    c.over(p.ink, c.up((0.55 * streak * (0.4 + 0.6 * noise(rng, 60, 2, stretch=0.2).T)).astype(np.float32)))


def great_waves(scene: Scene) -> None:
    """Waves as overlapping fans of rings (seigaiha), small at the horizon and large near the eye, rocking in a swell."""
    c, p, rng = scene.canvas, scene.palette, scene.stream("fans")
    c.over(p.between(p.sky[1], p.ink, 0.4), np.clip((c.y - scene.horizon) / c.px + 0.5, 0, 1) * np.ones_like(c.x))
    y, r, row = scene.horizon + 0.012, 0.020, 0
    day = p.key == "day"
    first, second = (
        (p.pale, p.sky[0]) if day else (p.between(p.sky[3], p.pale, 0.35), p.between(p.sky[1], p.sky[0], 0.3))
    )
    rings = int(rng.integers(3, 5))
    swell, tilt = rng.uniform(0.5, 0.9), rng.random() * 6.28
    while y - r < c.bottom:
        t = np.clip((y - scene.horizon) / (1 - scene.horizon), 0, 1)
        shift = row % 2 * r + 0.5 * (scene.focus[0] - 0.5)
        index = np.floor((c.x - np.float32(0.5 + shift)) / np.float32(2 * r))
        rock = np.float32(swell * 0.55 * r) * np.sin(index * np.float32(1.1 + 0.5 * r) + np.float32(tilt + 0.9 * row))
        across = np.mod(c.x - np.float32(0.5 + shift), np.float32(2 * r)) - np.float32(r)
        d = np.hypot(across, c.y - np.float32(y + r) - rock) / np.float32(r)
        wide = np.float32(1.35)  # fans are larger than their place and hide their neighbours' feet
        inside = np.clip((wide - d) * np.float32(r / c.px) + 0.5, 0, 1)
        phase = (wide - d) * np.float32(rings / 1.1)
        saw = np.abs(np.mod(phase, 1.0) - 0.45) - 0.22
        stripe = np.clip(saw * np.float32(-r * 1.1 / rings / c.px) + 0.5, 0, 1) * (phase < rings)
        glowing = np.exp(-(((c.x - np.float32(scene.focus[0])) / np.float32(0.10 + 0.25 * t)) ** 2))
        crest = p.between(first, p.glow, 0.5 * (1 - float(t)))
        deep = p.between(p.between(second, p.haze, 0.55 * (1 - float(t))), p.ink, 0.10 + 0.30 * float(t))
        c.over(deep, inside)
        c.over(crest, stripe * inside * (0.50 + 0.45 * glowing))
        y, r, row = y + 0.62 * r, r * 1.17, row + 1


def whale(scene: Scene) -> None:
    """A whale under the surface in shafts of light."""
    c, p, rng = scene.canvas, scene.palette, scene.stream("whale")
    x0 = scene.focus[0]
    deep(scene, rng)
    t = np.linspace(0, 1, 60)
    s, turn = rng.uniform(0.30, 0.36), rng.uniform(-0.42, -0.12)
    face = rng.choice([-1, 1])
    top = np.stack([t * 2 - 1, -0.33 * np.sin(np.pi * t**0.66) ** 0.75 * (1 - 0.42 * t) + 0.05 * t], 1)
    q = 1 - t
    bottom = np.stack([1 - 2 * t, 0.31 * np.sin(np.pi * q**0.60) ** 0.7 * (1 - 0.55 * q) + 0.05 * q], 1)
    body = np.vstack([top, bottom])
    fluke = [
        (0.93, 0.05),
        (1.16, -0.16),
        (1.34, -0.24),
        (1.25, -0.02),
        (1.14, 0.06),
        (1.28, 0.16),
        (1.32, 0.30),
        (1.10, 0.20),
    ]
    fin = [(-0.35, 0.16), (-0.20, 0.52), (-0.02, 0.66), (-0.06, 0.40), (-0.10, 0.14)]
    back = [(0.36, -0.05), (0.47, -0.17), (0.58, -0.22), (0.60, -0.03)]
    cx, cy = 0.5 + face * 0.02, rng.uniform(0.50, 0.58)

    def place(q: Any) -> Array:
        return rotate(np.asarray(q, float) * (face * s, s) + (cx, cy), face * turn, (cx, cy))

    dark = p.between(p.sky[0], p.ink, 0.55)
    c.over(dark, c.polygons(place(fluke), place(fin), place(back)))
    mask = c.polygons(place(body))
    tone = np.clip((c.y - np.float32(cy)) / np.float32(s * 0.55) + 0.62, 0, 1) * np.ones_like(c.x)
    rim = p.between(p.sky[2], p.glow, 0.3)
    c.over(c.grade(tone, ramp(rim, p.between(p.sky[1], p.ink, 0.5), dark, at=(0, 0.30, 1))), mask)

    def pleats(pen: Pen) -> None:
        for k in range(6):
            a = 0.055 + 0.026 * k
            q = np.stack([-0.93 + 0.92 * t * (1 - 0.06 * k), a + 0.10 * np.sin(np.pi * t * 0.6)], 1)
            pen.line(place(q), 0.0016)
        pen.dot(place([(-0.62, 0.0)])[0], 0.0042)

    c.over(rim, 0.45 * c.shapes(pleats) * mask)

    specks(scene, rng)
    school = place([(-1.2 + 0.1 * rng.random(), -0.75)])[0]

    def fish(pen: Pen) -> None:
        for _ in range(16):
            fx, fy, q = school[0] + rng.normal(0, 0.06), school[1] + rng.normal(0, 0.03), rng.uniform(0.006, 0.010)
            pen.ellipse(fx, fy, q, 0.36 * q)
            pen.polygon(
                [(fx + face * 0.8 * q, fy), (fx + face * 1.6 * q, fy - 0.45 * q), (fx + face * 1.6 * q, fy + 0.45 * q)]
            )

    c.over(p.ink, 0.8 * c.shapes(fish))
    scene.notes["light"] = (x0, -0.1)


def deep(scene: Scene, rng: np.random.Generator | None = None) -> None:
    """The sea from within: light above, dark below, shafts of light between."""
    c, p = scene.canvas, scene.palette
    rng = scene.stream("deep") if rng is None else rng
    x0 = scene.focus[0]
    small = c.small()
    depth = small.y + 0.18 * np.hypot(small.x - x0, small.y) + 0.05 * (noise(rng, 3, 3) - 0.5)
    abyss = p.sky[0] if p.key == "day" else p.sky[0] * 0.55
    stops = (p.pale, p.between(p.sky[3], p.glow, 0.4), p.sky[2], p.sky[1], p.sky[0], abyss)
    c.light[:] = c.grade(c.up(np.clip(depth, 0, 1).astype(np.float32)), ramp(*stops, at=(0, 0.1, 0.3, 0.55, 0.8, 1)))
    light.rays(c, x0, -0.12, p.glow, 0.34, rng, beams=34, reach=1.1)


def specks(scene: Scene, rng: np.random.Generator | None = None) -> None:
    """What floats in the water."""
    c, p = scene.canvas, scene.palette
    rng = scene.stream("specks") if rng is None else rng

    def draw(pen: Pen) -> None:
        for _ in range(160):
            pen.disc(
                c.scatter(rng),
                c.top + (c.bottom - c.top) * rng.random(),
                0.0006 + 0.0018 * rng.random() ** 4,
                rng.uniform(0.2, 0.9),
            )

    c.add(p.pale, 0.55 * c.shapes(draw))
