"""Machines and circuits: a chip and its traces, a train of gears, or the dial of an engine."""

from __future__ import annotations

import numpy as np

from .. import light
from ..canvas import Array, Pen, noise, smoothstep
from ..composition import Scene
from ..palette import ramp
from .robots import portrait


def paint(scene: Scene) -> None:
    """A circuit, gears or a dial."""
    scene.notes["no rays"] = True
    era = scene.axis("era")
    kind = scene.pick("machines", circuit=1.5 + era, gears=0.9 - 0.6 * era, dial=0.6 + 0.3 * era, robot=1.4)
    {"circuit": circuit, "gears": gears, "dial": dial, "robot": portrait}[kind](scene)


def setting(scene: Scene) -> None:
    """A glowing grid that runs to the horizon."""
    c, p = scene.canvas, scene.palette
    h = scene.horizon
    rows = np.clip(c.y - h, 1e-4, None)
    z = np.float32(0.055) / rows
    c.over(p.between(p.ink, p.sky[0], 0.35), np.clip((c.y - h) / c.px + 0.5, 0, 1) * np.ones_like(c.x))
    along = np.abs(np.mod(z * 7.0, 1.0) - 0.5) * 2
    step = z * 7.0 / rows * c.px  # cells a pixel: antialiasing
    lines_z = smoothstep(0.90 - 2.0 * np.clip(step, 0, 0.4), 1.0, along) * np.clip(1.6 - 2.2 * step, 0, 1)
    u = (c.x - np.float32(scene.focus[0])) * z * 11
    across = np.abs(np.mod(u, 1.0) - 0.5) * 2
    width = np.clip(z * 11 * c.px * 2.4, 0.03, 1)
    lines_x = np.clip((across - (1 - width)) / width, 0, 1) * np.clip(1.3 - 0.5 * width, 0, 1)
    fade = np.exp(-z / 1.1) * (c.y > h)
    grid = np.maximum(lines_z, lines_x) * fade
    c.add(p.between(p.accent, p.glow, 0.35), 0.9 * grid.astype(np.float32))
    c.add(p.glow, c.up(0.5 * np.exp(-np.abs(c.small().y - h) / 0.012) * np.ones((1, 256), np.float32)))


def _ground(scene: Scene) -> None:
    """Dark ground with a pool of light about the focus."""
    c, p, rng = scene.canvas, scene.palette, scene.stream("ground")
    small = c.small()
    d = small.distance(*scene.focus) + 0.06 * (noise(rng, 3, 4) - 0.5)
    day = p.key == "day"
    stops = (
        (p.sky[3], p.sky[2], p.sky[1], p.sky[0])
        if day
        else (p.sky[1], p.between(p.sky[1], p.sky[0], 0.55), p.sky[0], p.sky[0] * 0.6)
    )
    c.light[:] = c.grade(c.up(np.clip(d * 1.25, 0, 1).astype(np.float32)), ramp(*stops))


def circuit(scene: Scene) -> None:
    """A chip in the middle; its traces run out straight and at 45 degrees to pads, some of them alight."""
    c, p, rng = scene.canvas, scene.palette, scene.stream("circuit")
    scene.focus = (0.5, 0.5) if scene.centred else (scene.focus[0], 0.46)
    _ground(scene)
    fx, fy = scene.focus
    day = p.key == "day"
    pitch = 0.0165
    half = pitch * int(rng.integers(4, 7)) + pitch / 2
    paths: list[tuple[Array, bool]] = []
    pins = int(2 * half / pitch)
    for side in range(4):
        for k in range(pins):
            off = (k - (pins - 1) / 2) * pitch
            lean = np.sign(off) if abs(off) > 0.2 * pitch else rng.choice([-1, 1])
            rank = abs(k - (pins - 1) / 2)
            run = 0.02 + pitch * (0.45 * (pins / 2 - rank)) + 0.012 + (0.10 * rng.random() if rng.random() < 0.4 else 0)
            slant = pitch * (0.8 + 2.4 * rank) * rng.choice([0.6, 1.0, 1.0])
            end = rng.uniform(0.10, 0.75)
            pts = [
                (off, half),
                (off, half + run),
                (off + lean * slant, half + run + slant),
                (off + lean * slant, half + run + slant + end),
            ]
            if rng.random() < 0.45:
                q = rng.uniform(0.03, 0.10)
                pts.append((pts[-1][0] + lean * q, pts[-1][1] + q))
                pts.append((pts[-1][0], pts[-1][1] + rng.uniform(0.03, 0.3)))
            a = side * np.pi / 2
            turn = np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])
            paths.append((np.array(pts) @ turn.T + (fx, fy), bool(rng.random() < 0.33)))

    def traces(pen: Pen) -> None:
        for path, _ in paths:
            pen.line(path, 0.0032)
            pen.dot(path[-1], 0.0062)

    def holes(pen: Pen) -> None:
        for path, _ in paths:
            pen.dot(path[-1], 0.0028)
        for _ in range(60):
            pen.disc(c.scatter(rng), rng.random(), 0.0022)

    def live(pen: Pen) -> None:
        for path, on in paths:
            if on:
                pen.line(path, 0.0026)
                pen.dot(path[-1], 0.0058)

    reach = np.exp(-c.distance(fx, fy) / np.float32(0.36))
    copper = p.between(p.sky[2], p.haze, 0.3) if not day else p.between(p.sky[0], p.ink, 0.45)
    c.over(copper, c.shapes(traces) * (0.25 + 0.75 * np.clip(reach * 1.6, 0, 1)))
    c.over(p.ink, c.shapes(holes))
    hot = p.between(p.glow, p.accent, 0.35) if not day else p.accent
    lit = c.shapes(live)
    c.over(hot, lit)
    if not day:
        c.add(hot, 0.9 * c.blur(lit, 0.010) + 0.5 * c.blur(lit, 0.03))

    def body(pen: Pen, grow: float = 0.0) -> None:
        h = half + grow
        pen.polygon(
            [(fx - h, fy - h), (fx + h - 0.02, fy - h), (fx + h, fy - h + 0.02), (fx + h, fy + h), (fx - h, fy + h)]
        )

    if not day:
        c.add(p.glow, 0.9 * c.blur(c.shapes(body), 0.035))
    c.over(hot, c.shapes(body, 0.0035))
    slope = np.clip((c.x - fx + c.y - fy) / np.float32(4 * half) + 0.5, 0, 1)
    c.over(c.grade(slope, ramp(p.between(p.ink, p.sky[1], 0.55), p.ink)), c.shapes(body))
    for k, r in enumerate((0.70, 0.52, 0.34)):
        ring = c.disc(fx, fy, half * r) - c.disc(fx, fy, half * r - 0.0028 - 0.002 * k)
        c.over(p.between(hot, p.pale, 0.3 * k), ring)
    light.glow(c, fx, fy, half * 0.32, hot, 0.9)
    c.over(p.pale, c.disc(fx, fy, half * 0.13))


def gears(scene: Scene) -> None:
    """Gears that mesh, in planes of shade, the largest cut by the edge."""
    c, p, rng = scene.canvas, scene.palette, scene.stream("gears")
    _ground(scene)
    tooth = rng.uniform(0.017, 0.022)
    placed: list[tuple[float, float, int, float]] = []
    x, y, teeth, phase = scene.focus[0], rng.uniform(0.5, 0.62), int(rng.integers(34, 46)), 0.0
    placed.append((x, y, teeth, phase))
    angle = rng.uniform(0, 2 * np.pi)
    for k in range(26):
        bx, by, bn, bp = placed[0] if k < 9 else placed[int(rng.integers(1, len(placed)))]
        angle += rng.uniform(0.8, 2.0)
        n = int(rng.integers(9, 26))
        d = tooth * (bn + n) / np.pi * 1.0
        nx, ny = bx + d * np.cos(angle), by + d * np.sin(angle)
        if len(placed) > 9 or any(np.hypot(nx - q[0], ny - q[1]) < tooth * (n + q[2]) / np.pi * 0.97 for q in placed):
            continue
        mesh = angle + np.pi - (np.pi / n) * (1 + 2 * ((angle - bp) * bn / (2 * np.pi) % 1.0))
        placed.append((nx, ny, n, float(mesh)))
    metal = (
        p.between(p.ink, p.sky[1], 0.35),
        p.between(p.sky[1], p.sky[2], 0.5),
        p.between(p.accent, p.ink, 0.2),
        p.between(p.sky[2], p.glow, 0.4),
    )
    for k in sorted(range(len(placed)), key=lambda i: -placed[i][2]):
        gx, gy, n, start = placed[k]
        r = tooth * n / np.pi
        outline = _gear(gx, gy, r, n, start, tooth)
        colour = metal[1] if k == 0 else metal[(k * 5 + 2) % 4]
        spokes, rim = int(rng.integers(4, 8)), r - 2.3 * tooth

        def draw(
            pen: Pen,
            o: Array = outline,
            gx: float = gx,
            gy: float = gy,
            r: float = r,
            rim: float = rim,
            m: int = spokes,
            s: float = start,
        ) -> None:
            pen.polygon(o)
            if rim > 0.06:
                for j in range(m):
                    a = np.linspace(s + 2 * np.pi * j / m + 0.16, s + 2 * np.pi * (j + 1) / m - 0.16, 20)
                    ring = [(gx + rim * np.cos(b), gy + rim * np.sin(b)) for b in a]
                    pen.polygon(ring + [(gx + 0.30 * r * np.cos(b), gy + 0.30 * r * np.sin(b)) for b in a[::-1]], 0)
            pen.disc(gx, gy, 0.10 * r, 0)

        mask = c.shapes(draw)
        c.over(p.ink * 0.5, np.clip(c.shift(c.blur(mask, 0.010), 0.0, 0.011), 0, 1) * 0.55)
        sweep = 0.5 + 0.5 * np.cos(2 * np.arctan2(c.y - np.float32(gy), c.x - np.float32(gx)) - 0.9)
        tone = np.clip(0.25 + 0.5 * sweep - 0.35 * (c.distance(gx, gy) / np.float32(r) - 0.6), 0, 1)
        c.over(c.grade(tone, ramp(p.between(colour, p.ink, 0.5), colour, p.between(colour, p.pale, 0.45))), mask)
        c.over(p.between(colour, p.pale, 0.6), 0.7 * (c.disc(gx, gy, 0.20 * r) - c.disc(gx, gy, 0.20 * r - 0.003)))
    light.glow(c, *scene.focus, 0.3, p.glow, 0.12)


def _gear(x: float, y: float, r: float, n: int, start: float, tooth: float) -> Array:
    """A gear's outline: trapezoid teeth about the pitch radius r."""
    marks = np.array([-0.30, -0.17, 0.17, 0.30])
    heights = np.array([-0.5, 0.55, 0.55, -0.5]) * tooth
    a = (start + 2 * np.pi * (np.arange(n)[:, None] + marks) / n).ravel()
    q = (r + np.tile(heights, n)).ravel()
    return np.stack([x + q * np.cos(a), y + q * np.sin(a)], 1)


def dial(scene: Scene) -> None:
    """Concentric arcs, ticks and marks of an instrument, its pointer at the focus."""
    c, p, rng = scene.canvas, scene.palette, scene.stream("dial")
    scene.focus = (0.5, 0.5)
    _ground(scene)
    day = p.key == "day"
    lines = p.between(p.sky[3], p.pale, 0.4) if not day else p.ink
    hot = p.between(p.accent, p.glow, 0.25) if not day else p.accent
    groups: tuple[list[tuple[float, float, float, float]], ...] = ([], [])
    r = 0.085
    while r < 0.45:
        w = rng.choice([0.002, 0.004, 0.012, 0.026], p=[0.35, 0.3, 0.2, 0.15])
        for _ in range(int(rng.integers(1, 4))):
            a0 = rng.uniform(0, 2 * np.pi)
            groups[int(rng.random() < 0.3)].append((r, w, a0, a0 + rng.uniform(0.6, 4.6)))
        r += w + rng.uniform(0.008, 0.026)

    def arcs(pen: Pen, g: int) -> None:
        for q, w, a0, a1 in groups[g]:
            a = np.linspace(a0, a1, 120)
            outer = np.stack([0.5 + (q + w) * np.cos(a), 0.5 + (q + w) * np.sin(a)], 1)
            inner = np.stack([0.5 + q * np.cos(a), 0.5 + q * np.sin(a)], 1)
            pen.polygon(np.vstack([outer, inner[::-1]]), 1.0 if w < 0.02 else 0.65)

    def ticks(pen: Pen) -> None:
        for q, n, long in ((0.462, 180, 5), (0.30, 72, 6)):
            for k in range(n):
                a, h = 2 * np.pi * k / n, 0.016 if k % long == 0 else 0.008
                pen.line(
                    [
                        (0.5 + q * np.cos(a), 0.5 + q * np.sin(a)),
                        (0.5 + (q + h) * np.cos(a), 0.5 + (q + h) * np.sin(a)),
                    ],
                    0.0015,
                )

    fade = 0.45 + 0.55 * np.exp(-c.distance(0.5, 0.5) / np.float32(0.3))
    c.over(lines, c.shapes(arcs, 0) * fade * 0.85)
    c.over(lines, c.shapes(ticks) * 0.7)
    bright = c.shapes(arcs, 1)
    c.over(hot, bright)
    if not day:
        c.add(hot, 0.8 * c.blur(bright, 0.014))
    light.glow(c, 0.5, 0.5, 0.05, p.glow, 1.2 if not day else 0.3)
    c.over(p.pale, c.disc(0.5, 0.5, 0.052))
    c.over(p.ink, c.disc(0.5, 0.5, 0.044) - c.disc(0.5, 0.5, 0.018))
