"""Neon: glass tubes bent along the lines of things, on a brick wall, their light on it and in the wet floor below."""

from __future__ import annotations

import numpy as np

from ....image.inks import lch, linear_to_oklab
from ..canvas import Array, Pen, noise, smoothstep
from ..things.layout import Item
from ..things.stage import Stage
from . import weather


def neon(stage: Stage) -> None:
    """Paint a stage as a sign."""
    scene, c, p = stage.scene, stage.canvas, stage.scene.palette
    rng = scene.stream("neon")
    c.light[:] = wall(stage)[None] * _wall_colour(stage)[:, None, None]
    c.light *= 0.35 + 0.65 * c.up(noise(rng, 3, 5, 0.6))[None]
    tubes: list[tuple[Array, Array]] = []
    for item in stage.all():
        tubes.append((stage.cover(item, "lines") * stage.free(item), _glow(stage, item)))
    if stage.horizon:
        hidden = 1 - np.clip(4 * c.blur(stage.union("body", stage.items), 0.004, 512), 0, 1)
        tubes.append((stage.horizon.pen * hidden, p.accent if p.key != "day" else p.glow))
    if rng.random() < 0.55 and stage.items:
        tubes.append((_ring(stage), p.glow if p.key != "day" else p.accent))
    bricks = c.light.copy()
    for lines, tint in tubes:  # light on the wall, then the glass itself
        near, wide = c.blur(lines, 0.012, 512), c.blur(lines, 0.07)
        for k in range(3):
            c.light[k] += np.float32(tint[k]) * (
                0.55 * near + wide * (1.5 * bricks[k] / max(float(bricks.mean()), 1e-3) * 0.35 + 0.22)
            )
    for lines, tint in tubes:
        core = np.clip(tint * 0.55 + 0.62, 0, 1.4)
        c.over(tint * 1.25, np.clip(1.25 * c.blur(lines, 0.0022, 1024), 0, 1))
        c.over(core, smoothstep(0.35, 1.0, lines).astype(np.float32))
    if not stage.horizon:
        _floor(stage)
    weather.fall(stage, p.between(p.pale, p.glow, 0.3) * 0.9)
    scene.notes["grain"] = 0.016


def wall(stage: Stage) -> Array:
    """Bricks in running bond: how much light each point gives back, shape=(row, column)."""
    c, rng = stage.canvas, stage.scene.stream("bricks")
    tall, wide, joint = 0.036, 0.105, 0.0045
    row = np.floor((c.y - c.top) / np.float32(tall))
    along = (c.x - np.float32(c.left)) / np.float32(wide) + 0.5 * np.mod(row, 2)
    u, v = np.mod(along, 1) * wide, np.mod(c.y - c.top, tall)
    inside = np.minimum(np.minimum(u, wide - u), np.minimum(v, tall - v) * np.ones_like(u))
    face = np.clip((inside - joint / 2) / (1.2 * c.px + 0.0012), 0, 1)
    table = 0.75 + 0.5 * rng.random(4096)
    index = (np.floor(along).astype(np.int64) * 131 + row.astype(np.int64) * 977) % 4096
    grain = c.up(noise(rng, 90, 2, 0.6))
    return ((0.30 + 0.70 * face) * table[index] * (0.75 + 0.5 * grain)).astype(np.float32)


def _wall_colour(stage: Stage) -> Array:
    p = stage.scene.palette
    return np.asarray(p.between(p.between(p.sky[0], p.ink, 0.6), p.sky[1], 0.10) * 0.55 + 0.004, np.float32)


def _glow(stage: Stage, item: Item) -> Array:
    """The thing's colour as a gas would give it: as bright and full as the hue allows."""
    colour = stage.colour(item)
    _, a, b = linear_to_oklab(colour)
    chroma = float(np.hypot(a, b))
    if chroma < 0.035:
        return np.array([0.86, 0.93, 1.0]) if item.number % 2 == 0 else stage.scene.palette.glow
    hue = float(np.degrees(np.arctan2(b, a))) + (0, 24, -22, 40, -38)[item.number % 5] * 0.6
    return np.clip(lch(0.72, 0.21, hue), 0.01, 1)


def _ring(stage: Stage) -> Array:
    """A circle of tube behind everything, broken where things stand in front."""
    c = stage.canvas
    x0, y0, x1, y1 = stage.bounds()
    r = min(0.56 * max(x1 - x0, y1 - y0), 0.43)

    def draw(pen: Pen) -> None:
        pen.ring((x0 + x1) / 2, (y0 + y1) / 2, r, 0.010)

    return c.shapes(draw) * (1 - np.clip(3 * c.blur(stage.union("body"), 0.008, 512), 0, 1))


def _floor(stage: Stage) -> None:
    """Wet ground along the lower edge that gives the sign back."""
    c, p = stage.canvas, stage.scene.palette
    foot = c.bottom - 0.10 * (c.bottom - c.top)
    row = c.row(foot)
    rows = c.height - row
    t = np.linspace(0, 1, rows, dtype=np.float32)[:, None]
    waves = c.up(noise(stage.scene.stream("wet"), 40, 3, stretch=5))[row:]
    index = np.clip(row - 1 - np.arange(rows) * 4, 0, row - 1)
    sway = ((waves - 0.5) * 0.03 * c.size).astype(int)
    across = np.clip(np.arange(c.width)[None, :] + sway, 0, c.width - 1)
    for k in range(3):
        mirrored = c.light[k][index[:, None], across]
        c.light[k, row:] = np.float32(p.ink[k]) * 0.3 + mirrored * (0.65 - 0.4 * t) * (0.5 + 0.7 * waves)
    c.over(p.ink * 0.3, np.exp(-(((c.y - np.float32(foot)) / 0.004) ** 2)) * np.ones_like(c.x) * 0.7)
