"""Faces and masks: a head in profile filled with another scene, a carved mask, a helmet whose visor mirrors the light."""

from __future__ import annotations

import numpy as np

from .. import backdrop, light
from ..canvas import Array, Pen, noise, rotate, smoothstep
from ..composition import Scene
from ..palette import ramp

PROFILE = np.array(
    [
        (0.0, -0.50),
        (0.17, -0.485),
        (0.295, -0.42),
        (0.362, -0.32),
        (0.384, -0.23),
        (0.395, -0.165),
        (0.379, -0.118),
        (0.410, -0.045),
        (0.472, 0.030),
        (0.466, 0.058),
        (0.407, 0.076),
        (0.402, 0.098),
        (0.424, 0.126),
        (0.402, 0.150),
        (0.417, 0.176),
        (0.386, 0.206),
        (0.394, 0.252),
        (0.358, 0.300),
        (0.270, 0.322),
        (0.180, 0.345),
        (0.140, 0.400),
        (0.140, 0.520),
        (0.190, 0.610),
        (0.33, 0.690),
        (0.50, 0.790),
        (0.60, 1.00),
        (0.62, 1.5),
        (-0.80, 1.5),
        (-0.76, 0.95),
        (-0.62, 0.77),
        (-0.40, 0.66),
        (-0.275, 0.57),
        (-0.240, 0.43),
        (-0.275, 0.29),
        (-0.385, 0.12),
        (-0.452, -0.08),
        (-0.440, -0.25),
        (-0.350, -0.40),
        (-0.190, -0.48),
    ]
)
"""A head facing right: about one unit from crown to throat, y down."""


def smooth(points: Array, steps: int = 8) -> Array:
    """A closed Catmull-Rom curve through the points, shape=(point * steps, 2)."""
    a, b, c, d = (np.roll(points, k, axis=0)[:, None] for k in (1, 0, -1, -2))
    t = np.linspace(0, 1, steps, endpoint=False)[None, :, None]
    return (0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)).reshape(
        -1, 2
    )


def paint(scene: Scene) -> None:
    """Profile, mask or helmet."""
    era = scene.axis("era")
    kind = scene.pick("faces", profile=1.3 - 0.5 * scene.axis("energy"), mask=1.1 - 0.8 * era, helmet=0.8 + 0.8 * era)
    scene.notes["no rays"] = True
    {"profile": profile, "mask": mask, "helmet": helmet}[kind](scene)


def profile(scene: Scene) -> None:
    """A head in profile; inside it the setting's scene, around it quiet ground."""
    c, p, rng = scene.canvas, scene.palette, scene.stream("profile")
    s = rng.uniform(0.62, 0.70)
    face = 1 if rng.random() < 0.5 else -1
    outline = smooth(PROFILE) * (face * s, s) + (0.5 - face * 0.03, 0.44)
    head = c.polygons(outline)
    scene.focus, scene.horizon, scene.sun = (0.5 + face * 0.06, 0.34), 0.60, 0.13
    if scene.second in ("faces", "geometry", "machines"):
        scene.second = "space"
    scene.notes["inner"](scene)
    if p.key != "day":
        c.light *= np.float32(1.15)
    inner = c.light.copy()
    small = c.small()
    d = small.distance(0.5 + face * 0.16, 0.40) + 0.05 * noise(rng, 3, 3)
    if p.key == "night":
        stops = (
            p.between(p.sky[3], p.pale, 0.55),
            p.between(p.sky[3], p.haze, 0.3),
            p.between(p.sky[2], p.sky[3], 0.4),
            p.sky[2],
        )
    else:
        stops = (p.pale, p.between(p.pale, p.sky[3], 0.6), p.sky[3], p.sky[2])
    if p.key == "day":
        stops = (p.sky[1], p.between(p.sky[0], p.sky[1], 0.5), p.sky[0], p.between(p.sky[0], p.ink, 0.25))
    c.light[:] = c.grade(c.up(np.clip(d * 1.2, 0, 1).astype(np.float32)), ramp(*stops))
    shadow = c.blur(head, 0.02)
    c.over(p.between(p.ink, p.sky[1], 0.4), np.clip(shadow - head, 0, 1) * 0.35)
    edge = np.clip(1 - c.blur(head, 0.035), 0, 1)
    inner *= 1 - 0.65 * edge[None] * head[None]
    c.over(inner, head)
    rim = np.clip(head - c.polygons(outline - (face * 0.004, 0.001)), 0, 1)
    c.over(p.pale, rim * 0.5)


def mask(scene: Scene) -> None:
    """A symmetric carved mask in planes: one half lit, one in shade, patterned brow, closed or open eyes."""
    c, p, rng = scene.canvas, scene.palette, scene.stream("mask")
    scene.focus = (0.5, 0.42)
    backdrop.sky(scene, 1.2)
    if rng.random() < 0.7:
        scene.sun = 0.34
        backdrop.sun(scene, "disc" if not scene.retro else None, 0.34)
    x, y, s = 0.5, 0.56, rng.uniform(0.265, 0.29)
    jaw, brow, long = rng.uniform(0.42, 0.62), rng.uniform(0.80, 0.98), rng.uniform(1.12, 1.3)
    half = np.array(
        [
            (0, -1.0),
            (0.33 * brow, -0.96),
            (0.64 * brow, -0.80),
            (0.83 * brow, -0.50),
            (0.87 * brow, -0.20),
            (0.80, 0.10),
            (0.70 * (0.6 + jaw), 0.50),
            (jaw, 0.84),
            (0.20, 1.04),
            (0, 1.08),
        ]
    )
    half[:, 1] *= long

    def put(q: Array, side: int) -> Array:
        return np.asarray(q) * (side * s, s) + (x, y)

    both = smooth(np.vstack([half, (half[1:-1] * (-1, 1))[::-1]]), 10) * s + (x, y)
    head = c.polygons(both)
    horns = int(rng.integers(5, 10))
    spread, reach = rng.uniform(0.7, 1.25), rng.uniform(1.35, 1.65)

    def crown(pen: Pen) -> None:
        for k in range(-horns, horns + 1):
            a = spread * 1.15 * k / horns
            length = reach * (1 - 0.22 * abs(k / horns)) * (1.0 if k % 2 == 0 else 0.88)
            tip = (x + s * length * np.sin(a), y - s * length * long * np.cos(a))
            w = 0.052
            base = [
                (x + s * 0.55 * np.sin(a - w * 2), y - s * 0.75 * long * np.cos(a - w * 2)),
                (x + s * 0.55 * np.sin(a + w * 2), y - s * 0.75 * long * np.cos(a + w * 2)),
            ]
            mid = [
                (x + s * 0.93 * length * np.sin(a + w * 1.2), y - s * 0.90 * length * long * np.cos(a + w * 1.2)),
                (x + s * 0.93 * length * np.sin(a - w * 1.2), y - s * 0.90 * length * long * np.cos(a - w * 1.2)),
            ]
            pen.polygon([base[0], base[1], mid[0], tip, mid[1]], 1.0 if k % 2 == 0 else 0.62)

    c.over(p.ink, np.clip(c.blur(head, 0.02) - head, 0, 1) * 0.5)
    dark, mid_tone = p.between(p.ink, p.sky[1], 0.25), p.between(p.accent, p.ink, 0.25)
    c.over(dark, c.shapes(crown))
    c.over(p.between(p.accent, p.glow, 0.2), np.clip(c.shapes(crown) * 2 - 1.3, 0, 1) * 0.55)
    right = np.clip((c.x - np.float32(x)) / c.px + 0.5, 0, 1) * np.ones_like(c.y)
    height = np.clip((c.y - np.float32(y - s * long)) / np.float32(2 * s * long), 0, 1) * np.ones_like(c.x)
    bright = ramp(p.pale, p.between(p.glow, p.accent, 0.25), mid_tone)
    shade = ramp(p.between(p.sky[2], p.accent, 0.3), p.between(p.sky[1], p.ink, 0.25), p.ink)
    c.over(c.grade(height, bright), head)
    c.over(c.grade(height, shade), head * right)
    open_eyes = rng.random() < 0.6
    tilt = rng.uniform(-0.25, 0.12)
    t = np.linspace(0, 1, 30)
    lid = 0.10 + 0.06 * rng.random()
    lens = np.vstack(
        [
            np.stack([t - 0.5, -lid * np.sin(np.pi * t) ** 0.8], 1),
            np.stack([0.5 - t, 0.75 * lid * np.sin(np.pi * t)], 1),
        ]
    )
    eye = rotate(lens * 0.44, tilt) + (0.37, -0.13)
    nose = [(0, -0.34), (0.07, -0.16), (0.09, 0.18), (0.19, 0.33), (0.08, 0.40), (0, 0.42)]
    lips = np.vstack(
        [
            np.stack([t * 0.33, 0.62 - 0.06 * np.sin(np.pi * (0.25 + t * 0.75)) - 0.01], 1),
            np.stack([(1 - t) * 0.33, 0.62 + 0.10 * np.cos(np.pi / 2 * (1 - t))], 1),
        ]
    )
    arch = np.stack([0.10 + 0.60 * t, -0.26 - 0.16 * np.sin(np.pi * t * 0.8) + tilt * 0.3 * t], 1)

    def features(pen: Pen) -> None:
        for side in (-1, 1):
            pen.polygon(put(eye, side))
            pen.polygon(put(lips, side))
            pen.polygon(put(np.vstack([arch, (arch + (0, 0.055))[::-1]]), side))

    c.over(p.ink, c.shapes(features))
    c.over(p.between(mid_tone, p.ink, 0.35), c.polygons(put(np.array(nose), -1)))
    c.over(p.between(p.glow, p.accent, 0.3), c.polygons(put(np.array(nose), 1)) * 0.9)
    marks = int(rng.integers(3, 6))

    def paintwork(pen: Pen) -> None:
        for side in (-1, 1):
            for k in range(marks):
                q = np.stack([0.34 + 0.30 * t, 0.16 + 0.10 * k + 0.10 * np.sin(np.pi * t) * (1 - 0.1 * k)], 1) * (
                    1 - 0.055 * k,
                    1,
                )
                pen.line(put(q, side), 0.0055)
        for k in range(marks):
            pen.polygon(
                [
                    (x, y - s * long * (0.86 - 0.11 * k)),
                    (x + 0.020, y - s * long * (0.79 - 0.11 * k)),
                    (x, y - s * long * (0.74 - 0.11 * k)),
                    (x - 0.020, y - s * long * (0.79 - 0.11 * k)),
                ]
            )

    c.over(p.sky[0] if p.key != "day" else p.sky[0], c.shapes(paintwork) * 0.85 * head)
    if open_eyes:
        for side in (-1, 1):
            ex, ey = put(np.array([(0.37, -0.13)]), side)[0]
            light.glow(c, ex, ey, 0.016, p.glow, 1.4)
            c.over(p.pale, c.disc(ex, ey, 0.011))


def helmet(scene: Scene) -> None:
    """A helmet of polished metal; in its visor the horizon, the sun and a grid."""
    c, p = scene.canvas, scene.palette
    scene.focus = (0.5, 0.42)
    backdrop.sky(scene, 1.25)
    if p.key == "night":
        backdrop.stars(scene, 160, 0.9)
    light.glow(c, 0.5, 0.45, 0.34, p.glow, 0.45 if p.key != "day" else 0.1)
    x, y, s = 0.5, 0.47, 0.30
    t = np.linspace(0, 2 * np.pi, 240, endpoint=False)

    def egg(w: float, h: float, power: float, drop: float = 0.0) -> Array:
        ct, st = np.cos(t), np.sin(t)
        q = np.stack([w * np.sign(ct) * np.abs(ct) ** (2 / power), h * np.sign(st) * np.abs(st) ** (2 / power)], 1)
        q[:, 0] *= 1 - drop * np.clip(q[:, 1] / h, 0, 1) ** 1.5
        return q

    shoulders = [
        (-1.75, 2.2),
        (-1.55, 1.40),
        (-0.75, 1.12),
        (-0.55, 0.90),
        (0.55, 0.90),
        (0.75, 1.12),
        (1.55, 1.40),
        (1.75, 2.2),
    ]
    c.over(p.ink, c.polygons(smooth(np.array(shoulders), 8) * s + (x, y)))
    shell = egg(0.98, 1.22, 2.6, 0.22) * s + (x, y)
    body = c.polygons(shell)
    u = (c.x - np.float32(x)) / np.float32(s)
    v = (c.y - np.float32(y)) / np.float32(s)
    streak = np.abs(u) * np.ones_like(v)
    chrome = 0.5 + 0.5 * np.sin(5.2 * streak + 0.9 * v + 0.6) * smoothstep(1.1, 0.5, streak) - 0.30 * v - 0.25 * streak
    metal = ramp(p.ink, p.between(p.sky[1], p.ink, 0.4), p.sky[2], p.between(p.haze, p.pale, 0.4), p.pale)
    c.over(c.grade(np.clip(chrome, 0, 1).astype(np.float32), metal), body)
    for side in (-1, 1):
        c.over(p.ink, c.shapes(Pen.ellipse, x + side * 0.99 * s, y + 0.10 * s, 0.13 * s, 0.34 * s))
        c.over(
            p.between(p.accent, p.glow, 0.3),
            c.shapes(Pen.ellipse, x + side * 1.0 * s, y + 0.10 * s, 0.05 * s, 0.22 * s),
        )
    visor = egg(0.86, 0.56, 3.2 if scene.retro else 2.6) * s + (x, y - 0.10 * s)
    glass = c.polygons(visor)
    frame = c.polygons((visor - (x, y - 0.10 * s)) * 1.05 + (x, y - 0.10 * s))
    c.over(p.ink, frame)
    hy = y + 0.06 * s
    fall = np.clip((c.y - np.float32(y - 0.66 * s)) / np.float32(hy - y + 0.66 * s), 0, 1) * np.ones_like(c.x)
    bulge = np.clip(fall - 0.10 * u * u, 0, 1)
    first = p.sky[0] if p.key != "day" else p.between(p.sky[0], p.ink, 0.6)
    c.over(c.grade(bulge, ramp(first, p.sky[1], p.between(p.sky[2], p.accent, 0.45), p.glow)), glass)
    disc = c.disc(x, hy - 0.17 * s, 0.25 * s)
    c.over(p.between(p.pale, p.glow, 0.4), disc * glass)
    curve = np.float32(hy) + np.float32(0.05 * s) * (u * u - 0.2)
    ground = np.clip((c.y - curve) / c.px + 0.5, 0, 1) * glass
    c.over(p.ink, ground)
    z = 0.018 / np.clip(c.y - curve, 1e-3, None)
    gx = np.abs(np.mod((c.x - np.float32(x)) * z * 95, 1) - 0.5) * 2
    gz = np.abs(np.mod(z * 5, 1) - 0.5) * 2
    grid = np.maximum(smoothstep(0.86, 0.97, gx), smoothstep(0.84, 0.96, gz)) * np.exp(-z * 1.4) * ground
    c.add(p.between(p.accent, p.glow, 0.4), (0.9 * grid).astype(np.float32))
    gleam = smoothstep(0.10, 0.0, np.abs(u + 0.55 + 0.5 * v)) + 0.6 * smoothstep(0.04, 0.0, np.abs(u + 0.34 + 0.5 * v))
    c.over(p.pale, (0.32 * gleam * glass * smoothstep(0.4, -0.6, v)).astype(np.float32))

    def seams(pen: Pen) -> None:
        for k in range(5):
            w = 0.30 - 0.025 * k
            pen.line([(x - w * s, y + (0.72 + 0.085 * k) * s), (x + w * s, y + (0.72 + 0.085 * k) * s)], 0.006)

    c.over(p.ink, c.shapes(seams) * body)
