"""What stands behind a subject: graded skies, suns and moons, stars, clouds."""

from __future__ import annotations

import numpy as np

from . import light
from .canvas import Pen, noise, smoothstep
from .composition import Scene
from .palette import ramp


def sky(scene: Scene, horizon: float | None = None, reverse: bool = False) -> None:
    """A graded sky from zenith to horizon, bent towards the light and stirred by slow noise so that it never looks flat."""
    c, rng = scene.canvas, scene.stream("sky")
    horizon = scene.horizon if horizon is None else horizon
    small = c.small()
    t = small.y / horizon
    t = 1 - t if reverse else t
    d = small.distance(*scene.focus)
    t = t + 0.16 * np.exp(-((d / 0.42) ** 2)) + 0.10 * (noise(rng, 2.2, 3) - 0.5)
    c.light[:] = c.grade(c.up(np.clip(t, 0, 1).astype(np.float32)), ramp(*scene.palette.sky, at=(0, 0.42, 0.76, 1.0)))


def stars(scene: Scene, count: int = 420, ceiling: float | None = None) -> None:
    """Small stars thinning out towards the horizon, a few of them with a glow."""
    rng, c = scene.stream("stars"), scene.canvas
    bottom = scene.horizon if ceiling is None else ceiling
    x, y = c.scatter(rng, count), c.top + (bottom - c.top) * rng.random(count) ** 1.5
    r = 0.00045 + 0.0011 * rng.random(count) ** 5
    ink = 0.25 + 0.75 * rng.random(count)

    def draw(pen: Pen) -> None:
        for k in range(count):
            pen.disc(x[k], y[k], r[k], ink[k])

    c.add(scene.palette.pale * 0.9, c.shapes(draw))
    for k in np.argsort(r)[-6:]:
        light.glow(c, x[k], y[k], 0.006, scene.palette.glow, 0.35)


def sun(scene: Scene, kind: str | None = None, radius: float | None = None) -> None:
    """The light: a disc, a striped disc, an eclipse, a crescent or a ring, with its halo."""
    c, p, rng = scene.canvas, scene.palette, scene.stream("sun")
    x, y = scene.focus
    r = scene.sun if radius is None else radius
    kinds = ["disc", "disc", "stripes"] if scene.retro else ["disc", "disc", "eclipse", "ring", "crescent"]
    kind = kind or str(rng.choice(kinds if p.key != "day" else ["disc", "disc", "stripes" if scene.retro else "ring"]))
    body = p.pale if p.key != "day" else p.accent
    tint = p.glow if p.key != "day" else p.pale
    light.glow(c, x, y, 1.5 * r, tint, 0.34 if p.key == "night" else 0.16)
    disc = c.disc(x, y, r)
    low = p.between(p.accent, p.glow, 0.35) if p.key != "day" else p.between(p.accent, p.pale, 0.35)
    body_field = c.grade(
        np.clip((c.y - (y - r)) / (2 * r), 0, 1).astype(np.float32), ramp(body, p.between(body, low, 0.25), low)
    )
    if kind == "disc":
        c.over(body_field, disc)
    elif kind == "stripes":
        v = np.clip((c.y - y) / r, -1, 1)  # gaps widen towards the bottom
        edge = 0.08 + 0.42 * np.clip((v + 0.15) / 1.15, 0, 1)
        phase = np.mod((v + 0.15) * 5.2, 1.0)
        gap = np.clip((edge - phase) / (5.2 * c.px / r) + 0.5, 0, 1) * (v > -0.15)
        c.over(body_field, disc * (1 - gap))
    elif kind == "eclipse":
        light.glow(c, x, y, 1.05 * r, p.pale, 0.9)
        c.over(p.sky[0] * 0.6, disc)
        c.add(p.pale, c.disc(x - 0.012, y - 0.012, r * 1.012, 0.006) * (1 - c.disc(x + 0.003, y + 0.003, r * 1.002)))
    elif kind == "ring":
        width = 0.010 + 0.012 * rng.random()
        c.over(body_field, disc * (1 - c.disc(x, y, r - width)))
    else:
        turn = rng.uniform(-0.7, 0.7)
        c.over(body_field, disc * (1 - c.disc(x + 0.42 * r * np.cos(turn), y - 0.42 * r * np.sin(turn), 0.92 * r)))


def clouds(scene: Scene, cover: float = 0.45, low: float = 0.15, high: float | None = None, layers: int = 2) -> None:
    """Long layered clouds, lit from the side of the light."""
    c, p, rng = scene.canvas, scene.palette, scene.stream("clouds")
    bottom = scene.horizon if high is None else high
    small = c.small()
    d = small.distance(*scene.focus)
    for k in range(layers):
        field = noise(rng, 5 + 3 * k, 5, 0.55, stretch=3.2)
        band = np.exp(-(((small.y - (low + (bottom - low) * (0.35 + 0.5 * rng.random()))) / 0.16) ** 2))
        mask = smoothstep(1 - cover - 0.12, 1 - cover + 0.35, field * (0.55 + 0.45 * band)) * band
        lit = np.clip(np.exp(-d / 0.35) + 0.35 * (field - 0.5), 0, 1)
        shade = p.between(p.sky[1], p.haze, 0.35 + 0.3 * k)
        top = p.between(p.glow, p.pale, 0.4)
        c.over(c.grade(c.up(lit.astype(np.float32)), ramp(shade, p.haze, top)), c.up((0.8 * mask).astype(np.float32)))


def mist(scene: Scene, y: float, depth: float, strength: float = 0.7) -> None:
    """A bank of fog around height y, thicker where slow noise says so."""
    c, rng = scene.canvas, scene.stream(f"mist{y:.3f}")
    small = c.small()
    field = np.exp(-(((small.y - y) / depth) ** 2)) * (0.45 + 0.55 * noise(rng, 4, 4, stretch=4.0))
    c.over(scene.palette.haze, c.up(np.clip(strength * field, 0, 1).astype(np.float32)))


def birds(scene: Scene, count: int = 7) -> None:
    """A loose flock near the light."""
    rng, c = scene.stream("birds"), scene.canvas
    x0, y0 = scene.focus[0] + rng.choice([-1, 1]) * rng.uniform(0.12, 0.25), scene.focus[1] - rng.uniform(-0.02, 0.12)

    def draw(pen: Pen) -> None:
        for _ in range(count):
            x, y, s = x0 + rng.normal(0, 0.06), y0 + rng.normal(0, 0.03), rng.uniform(0.006, 0.014)
            lift = rng.uniform(0.25, 0.6)
            wing = [
                (-1, -lift * 0.7),
                (-0.55, -lift),
                (0, 0),
                (0.55, -lift),
                (1, -lift * 0.7),
                (0.5, -lift * 0.65),
                (0, 0.22),
                (-0.5, -lift * 0.65),
            ]
            pen.polygon([(x + s * a, y + s * b) for a, b in wing])

    c.over(scene.palette.ink, c.shapes(draw))


def figure(scene: Scene, x: float, y: float, height: float) -> None:
    """A person who stands and looks: feet at (x, y), a long shadow towards us."""
    c, p, h = scene.canvas, scene.palette, height

    def draw(pen: Pen) -> None:
        pen.ellipse(x, y - 0.92 * h, 0.062 * h, 0.08 * h)
        coat = [(-0.05, -0.84), (0.05, -0.84), (0.12, -0.76), (0.135, -0.42), (0.10, -0.40), (0.115, -0.30), (-0.115, -0.30),
                (-0.10, -0.40), (-0.135, -0.42), (-0.12, -0.76)]  # fmt: skip
        pen.polygon([(x + a * h, y + b * h) for a, b in coat])
        for side in (-1, 1):
            leg = [(0.005, -0.32), (0.105, -0.32), (0.085, 0.0), (0.03, 0.0)]
            pen.polygon([(x + side * a * h, y + b * h) for a, b in leg])

    body = c.shapes(draw)
    light.glow(c, x, y - 0.55 * h, 0.5 * h, p.glow, 0.22)  # the ground behind is as dark as a coat
    c.over(p.ink * 0.8, body)
    side = 0.003 if scene.focus[0] > x else -0.003
    c.over(p.between(p.glow, p.pale, 0.5), 0.9 * np.clip(body - c.shift(body, -side, 0.0015), 0, 1))


def petals(scene: Scene, count: int = 60) -> None:
    """Petals (or leaves, or ash) on the wind, a few of them near and out of focus."""
    c, p, rng = scene.canvas, scene.palette, scene.stream("petals")

    def draw(pen: Pen, near: bool) -> None:
        for _ in range(7 if near else count):
            x, y = c.scatter(rng), c.top + (c.bottom - c.top) * rng.random()
            r = rng.uniform(0.012, 0.028) if near else rng.uniform(0.002, 0.0065)
            a = rng.uniform(0, np.pi)
            t = np.linspace(0, 2 * np.pi, 14)
            q = np.stack([r * np.cos(t), 0.5 * r * np.sin(t)], 1)
            turn = np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])
            pen.polygon(q @ turn.T + (x, y), rng.uniform(0.5, 1.0))

    c.over(p.accent, 0.9 * c.shapes(draw, False))
    c.over(p.between(p.accent, p.pale, 0.3), 0.55 * c.blur(c.shapes(draw, True), 0.006))


def aurora(scene: Scene) -> None:
    """Curtains of light: folded bands with rays that rise from a sharp lower edge."""
    c, p, rng = scene.canvas, scene.palette, scene.stream("aurora")
    small = c.small()
    for k in range(3):
        path = 0.30 + 0.16 * k * rng.random() + 0.10 * (noise(rng, 3, 2)[:1] - 0.5) * 3
        rays = noise(rng, 26, 2, side=256)[:1]
        up = (path - small.y) / (0.16 + 0.22 * rays)
        band = np.exp(-np.clip(up, 0, 9) * 1.6) * smoothstep(-0.05, 0.02, up) * (0.35 + 0.9 * rays)
        tint = p.between(p.accent, p.glow, 0.3 * k)
        c.add(tint, c.up((0.38 * band).astype(np.float32)) * smoothstep(scene.horizon, 0.3, c.y))


def marks(scene: Scene) -> None:
    """Thin rings, ticks and sight lines about the light, as on a star chart."""
    c, p, rng = scene.canvas, scene.palette, scene.stream("marks")
    x, y = scene.focus
    r = scene.sun
    sides = int(rng.choice([0, 3, 4, 6]))

    def draw(pen: Pen) -> None:
        for k in range(3):
            pen.ring(x, y, r * (1.25 + 0.3 * k), 0.0016)
        for k in range(72):
            a, q = 2 * np.pi * k / 72, r * 1.85
            long = 0.12 * r if k % 6 == 0 else 0.05 * r
            pen.line(
                [(x + q * np.cos(a), y + q * np.sin(a)), (x + (q + long) * np.cos(a), y + (q + long) * np.sin(a))],
                0.0014,
            )
        if sides:
            turns = 2 * np.pi * np.arange(sides + 1) / sides - np.pi / 2
            for q in (1.6, 2.5):
                pen.line(np.stack([x + q * r * np.cos(turns), y + q * r * np.sin(turns)], 1), 0.0020)

    c.over(p.pale if p.key != "day" else p.accent, 0.55 * c.shapes(draw))
