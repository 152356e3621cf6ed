"""Waves: ridges of a pulse one behind the other, ribbons of many strings, rings that interfere, bars of a spectrum."""

from __future__ import annotations

import numpy as np

from .. import light
from ..canvas import Array, Pen, noise
from ..composition import Scene
from ..palette import ramp


def paint(scene: Scene) -> None:
    """Ribbons, rings or bars: ridges of a pulse alone on a dark ground are another record's sleeve and stay a setting."""
    scene.notes["no rays"] = True
    kind = scene.pick(
        "waves",
        ribbons=1.6,
        rings=0.7 + 4 * (scene.gesture == "rings"),
        bars=0.7 + 0.5 * scene.axis("energy"),
    )
    {"ribbons": ribbons, "rings": rings, "bars": bars}[kind](scene)


def setting(scene: Scene) -> None:
    """Ridges of a pulse from the horizon to the lower edge."""
    ridges(scene, scene.horizon, 1.03, 26)


def ground(scene: Scene) -> None:
    """Dark (or pale) ground with a slow gradient."""
    c, p, rng = scene.canvas, scene.palette, scene.stream("waves ground")
    small = c.small()
    a = rng.uniform(0, 2 * np.pi)
    t = 0.5 + 0.6 * ((small.x - 0.5) * np.cos(a) + (small.y - 0.5) * np.sin(a)) + 0.2 * (noise(rng, 2, 3) - 0.5)
    stops = (
        (p.sky[1], p.sky[2], p.between(p.sky[2], p.pale, 0.7))
        if p.key == "day"
        else (p.sky[0] * 0.55, p.sky[0], p.sky[1])
    )
    c.light[:] = c.grade(c.up(np.clip(t, 0, 1).astype(np.float32)), ramp(*stops))


def ridges(scene: Scene, top: float = 0.24, bottom: float = 0.80, count: int = 36) -> None:
    """Stacked profiles that hide each other, high in the middle, still at the sides (as pulsar CP 1919 was plotted in 1970)."""
    c, p, rng = scene.canvas, scene.palette, scene.stream("ridges of a pulse")
    whole = top == 0.24
    if whole:
        ground(scene)
        light.glow(c, 0.5, 0.36, 0.3, p.sky[2], 0.35 if p.key != "day" else 0.0)
    middle = scene.focus[0] if not whole else 0.5 + 0.3 * (scene.focus[0] - 0.5)
    n = 500
    t = np.linspace(0.10, 0.90, n) if whole else np.linspace(-0.02, 1.02, n)
    field = noise(rng, 13, 3, 0.42)
    slow = noise(rng, 5, 2)
    day = p.key == "day"
    dark = p.between(p.pale, p.sky[3], 0.35) if day else p.between(p.ink, p.sky[0], 0.4)
    far, near = (p.sky[0], p.accent) if day else (p.between(p.sky[3], p.pale, 0.3), p.between(p.accent, p.glow, 0.35))
    lines = []
    for k in range(count):
        q = k / (count - 1)
        hump = np.exp(-(((t - middle) / (0.135 + 0.05 * slow[k * 3 % 256, 0])) ** 2))
        row = np.interp(t, np.linspace(0, 1, 256), np.clip(field[int(q * 255)] - 0.34, 0, 1) * 1.9) * (
            0.5 + slow[int(q * 255), 128]
        )
        y = (
            top
            + (bottom - top) * q
            - 0.15 * hump * row
            - 0.004 * np.interp(t, np.linspace(0, 1, 256), field[int(q * 255)])
        )
        lines.append(np.stack([t, y], 1))

    def skirts(pen: Pen, line: Array, ink: float) -> None:
        pen.polygon(np.vstack([line, (line[-1, 0], line[-1, 1] + 0.10), (line[0, 0], line[0, 1] + 0.10)]), ink)

    def fill(pen: Pen) -> None:
        for line in lines:
            skirts(pen, line, 1.0)

    def draw(pen: Pen) -> None:
        for line in lines:
            skirts(pen, line, 0.0)  # hides what lies behind
            pen.line(line, 0.0027)

    if not whole:
        c.over(dark, c.shapes(fill))
    elif not day:
        c.over(dark, 0.85 * c.shapes(fill) * np.clip((np.float32(bottom) - c.y) / c.px + 0.5, 0, 1))
    down = np.clip((c.y - np.float32(top)) / np.float32(bottom - top), 0, 1) * np.ones_like(c.x)
    c.over(c.grade(down, ramp(far, near)), c.shapes(draw))


def ribbons(scene: Scene) -> None:
    """Bundles of many strings that twist through each other, bright where they gather."""
    c, p, rng = scene.canvas, scene.palette, scene.stream("ribbons")
    ground(scene)
    day = p.key == "day"
    t = np.linspace(c.left - 0.05, c.right + 0.05, 260)
    tilt = rng.uniform(-0.35, 0.35)
    tints = (
        (p.accent, p.glow, p.sky[3])
        if not day
        else (p.accent, p.between(p.sky[0], p.ink, 0.35), p.between(p.accent, p.ink, 0.55))
    )
    for k in range(3):
        centre = 0.5 + rng.normal(0, 0.07)
        strings = int(rng.integers(34, 60))
        a1, a2 = rng.uniform(0.08, 0.17), rng.uniform(0.03, 0.09)
        f1, f2 = rng.uniform(0.6, 1.3), rng.uniform(1.4, 2.6)
        p1, p2, twist = rng.random() * 6.28, rng.random() * 6.28, rng.uniform(1.2, 3.2)

        def draw(
            pen: Pen,
            centre: float = centre,
            strings: int = strings,
            a1: float = a1,
            a2: float = a2,
            f1: float = f1,
            f2: float = f2,
            p1: float = p1,
            p2: float = p2,
            twist: float = twist,
        ) -> None:
            for j in range(strings):
                u = j / (strings - 1) - 0.5
                spread = 0.20 * np.sin(np.pi * (t * 1.1) * twist * 0.5 + p2) + 0.05
                y = (
                    centre
                    + tilt * (t - 0.5)
                    + a1 * np.sin(2 * np.pi * f1 * t + p1 + 0.5 * u)
                    + a2 * np.sin(2 * np.pi * f2 * t + p2 + 1.6 * u)
                    + u * spread
                )
                pen.line(np.stack([t, y], 1), 0.0016, 0.35 + 0.65 * (1 - abs(2 * u)))

        mask = c.shapes(draw)
        across = np.clip(0.5 + 0.5 * np.sin(2 * np.pi * (c.x * 0.6 + 0.13 * k)) + 0 * c.y, 0, 1).astype(np.float32)
        colour = c.grade(across, ramp(tints[k], p.between(tints[k], tints[(k + 1) % 3], 0.7)))
        c.over(colour, mask * 0.9)
        if not day:
            haze = c.blur(mask, 0.014)
            for q in range(3):
                c.light[q] += 0.55 * haze * colour[q]
    x = scene.focus[0]
    light.glow(c, x, 0.5, 0.10, p.pale, 0.35 if not day else 0.1)


def rings(scene: Scene) -> None:
    """Circular waves from two or three sources, added: crests and still lines."""
    c, p, rng = scene.canvas, scene.palette, scene.stream("rings")
    sources = [(scene.focus[0], scene.focus[1] + 0.06)] if scene.gesture == "rings" and rng.random() < 0.5 else []
    for _ in range(2 if not sources else 1):
        sources.append((rng.uniform(0.15, 0.85), rng.uniform(0.2, 0.85)))
    length = rng.uniform(0.035, 0.06)
    total = np.zeros((c.height, c.width), np.float32)
    level = np.zeros_like(total)
    for x, y in sources:
        d = c.distance(x, y)
        weight = np.float32(1) / (1 + d * 2.2)
        total += weight * np.cos(d * np.float32(2 * np.pi / length))
        level += weight
    height = total / level
    fall = np.gradient(height, axis=1) * c.size * length * 0.16
    slow = c.up(noise(rng, 2.5, 4))
    tone = np.clip(0.42 + 0.25 * height + 0.30 * fall - 0.30 * (c.y - 0.4) + 0.25 * (slow - 0.5), 0, 1)
    day = p.key == "day"
    table = (
        ramp(p.sky[0] * 0.5, p.sky[0], p.sky[1], p.sky[2], p.sky[3], p.glow)
        if not day
        else ramp(p.between(p.sky[0], p.ink, 0.35), p.sky[0], p.sky[1], p.sky[3], p.pale)
    )
    c.light[:] = c.grade(tone.astype(np.float32), table)
    for k, (x, y) in enumerate(sources):
        light.glow(c, x, y, 0.04, p.glow if not day else p.pale, 0.5)
        c.over(p.accent if k == 0 else p.pale, c.disc(x, y, 0.016 if k == 0 else 0.008))


def bars(scene: Scene) -> None:
    """The bars of a spectrum about a middle line, mirrored and dimmed below it."""
    c, p, rng = scene.canvas, scene.palette, scene.stream("bars")
    ground(scene)
    line = 0.60
    count = int(rng.choice([32, 40, 56]))
    at = (np.arange(count) + 0.5) / count
    shape = np.exp(-(((at - scene.focus[0]) / 0.24) ** 2)) + 0.6 * np.exp(-(((at - rng.uniform(0.1, 0.9)) / 0.10) ** 2))
    heights = 0.02 + 0.36 * shape * (0.25 + 0.75 * rng.random(count)) / shape.max()
    left, width = 0.08, 0.84 / count

    def draw(pen: Pen, up: bool) -> None:
        for k in range(count):
            x0, x1 = left + k * width + 0.18 * width, left + (k + 1) * width - 0.18 * width
            h = heights[k]
            pen.box(x0, line - h if up else line + 0.006, x1, line if up else line + 0.006 + 0.55 * h)
            if up:
                pen.disc((x0 + x1) / 2, line - h, (x1 - x0) / 2)

    day = p.key == "day"
    table = (
        ramp(p.accent, p.between(p.accent, p.glow, 0.6), p.sky[3]) if not day else ramp(p.accent, p.sky[0], p.sky[1])
    )
    rise = np.clip((np.float32(line) - c.y) / 0.38, 0, 1) * np.ones_like(c.x)
    mask = c.shapes(draw, True)
    c.over(c.grade(rise, table), mask)
    mirror = c.shapes(draw, False) * np.clip(1 - (c.y - np.float32(line)) / 0.2, 0, 1)
    c.over(c.grade(rise, table), 0.35 * mirror)
    if not day:
        haze = c.blur(mask, 0.02)
        colour = c.grade(rise, table)
        for k in range(3):
            c.light[k] += 0.5 * haze * colour[k]
