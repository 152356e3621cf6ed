"""Water: reflections of what stands above it, and a glittering path under the light."""

from __future__ import annotations

import numpy as np

from ..canvas import Array, Canvas, noise, resize, smoothstep
from ..composition import Scene
from ..palette import ramp


def ripples(scene: Scene, horizon: float, scale: float = 1.0, role: str = "ripples") -> Array:
    """Waves in perspective, float32 about [-1, 1], shape=(row, column) of the water below `horizon` at half resolution."""
    from scipy.ndimage import map_coordinates

    rng = scene.stream(role)
    side = 512
    y = (np.arange(side, dtype=np.float32)[:, None] + 0.5) / side
    x = (np.arange(side, dtype=np.float32)[None, :] + 0.5) / side
    depth = 0.16 / (np.clip(y, 0, 1) + 0.16)  # 1 at the horizon, small near the eye
    tile = noise(rng, 56, 3, 0.6, side=512, stretch=6.0) * 2 - 1
    u = (0.5 + (x - 0.5) * (0.15 + 1.1 * depth) * scale) * 511
    v = (2.2 * depth * scale) * 511 * np.ones_like(x)
    return map_coordinates(tile, [v, u * np.ones_like(v)], order=1, mode="mirror").astype(np.float32)


def reflect(scene: Scene, horizon: float, calm: float = 0.5) -> None:
    """Mirror the picture at `horizon` into the part below, broken by ripples, darker and tinted, with a glittering path."""
    c, p = scene.canvas, scene.palette
    n, wide = c.size, c.width
    row = c.row(horizon)
    rows = c.height - row
    if rows < 2:
        return
    waves = resize(ripples(scene, horizon), rows, wide)
    t = ((np.arange(rows, dtype=np.float32) + 0.5) / rows)[:, None]
    sway = (waves * (0.004 + 0.035 * t) * (1.2 - calm) * n).astype(np.int32)
    stretch = np.clip(row - 1 - (np.arange(rows)[:, None] * 1.15).astype(np.int32) + 2 * sway, 0, row - 1)
    across = np.clip(np.arange(wide)[None, :] + sway, 0, wide - 1)
    tint = p.between(p.sky[1], p.ink, 0.35)
    for k in range(3):
        mirrored = c.light[k][stretch, across]
        c.light[k, row:] = mirrored * (0.80 - 0.30 * t) + np.float32(tint[k]) * (0.08 + 0.22 * t)
    glitter(scene, horizon, waves)


def glitter(scene: Scene, horizon: float, waves: Array, strength: float = 0.9) -> None:
    """Sparks of the light's colour on wave crests, in a path that widens towards the eye."""
    c, p = scene.canvas, scene.palette
    rows = waves.shape[0]
    row = c.height - rows
    t = ((np.arange(rows, dtype=np.float32) + 0.5) / rows)[:, None]
    path = np.exp(-(((c.x - np.float32(scene.focus[0])) / (0.05 + 0.11 * t + 0.5 * scene.sun * (1 - t))) ** 2))
    spark = smoothstep(0.52, 0.80, waves * 0.5 + 0.5 * (0.45 + 0.75 * path)) * path
    tint = p.between(p.glow, p.pale, 0.45)
    spark *= np.float32(strength) * (1 - 0.45 * t)
    for k in range(3):
        part = c.light[k, row:]
        part += np.clip(spark, 0, 1) * (np.float32(tint[k]) - part)


def sea(scene: Scene, horizon: float) -> None:
    """Open water: graded from the horizon's haze to the deep, waves in perspective, a glittering path."""
    c, p = scene.canvas, scene.palette
    row = c.row(horizon)
    rows = c.height - row
    if rows < 2:
        return
    waves = resize(ripples(scene, horizon), rows, c.width)
    t = ((np.arange(rows, dtype=np.float32) + 0.5) / rows)[:, None]
    tone = np.clip(0.06 + 0.9 * np.sqrt(t) + waves * (0.10 + 0.16 * t), 0, 1)
    day = p.key == "day"
    deep = p.between(p.sky[0], p.ink, 0.25 if day else 0.45)
    table = ramp(p.between(p.haze, p.sky[1], 0.30), p.between(p.sky[2], p.sky[1], 0.6), p.sky[0], deep)
    c.light[:, row:] = _below(c, tone.astype(np.float32), table)
    glitter(scene, horizon, waves)


def _below(c: Canvas, tone: Array, table: Array) -> Array:
    index = np.clip(tone * (table.shape[1] - 1) + 0.5, 0, table.shape[1] - 1).astype(np.int16)
    return np.stack([entry.take(index) for entry in table])
