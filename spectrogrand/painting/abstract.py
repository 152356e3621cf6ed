"""Abstract flow: marbled ink, silk in folds, clouds of colour with a grain."""

from __future__ import annotations

import numpy as np

from . import light
from .canvas import Array, Canvas, noise, resize, smoothstep
from .composition import Scene
from .palette import ramp

SIDE = 512


def paint(scene: Scene) -> None:
    """Marble, silk or orbs."""
    scene.notes["no rays"] = True
    energy = scene.axis("energy")
    kind = scene.pick("abstract", marble=1 + energy, silk=1.6, orbs=0.9 - 0.6 * energy)
    {"marble": marble, "silk": silk, "orbs": orbs}[kind](scene)


def _fold(rng: np.random.Generator, frequency: float, strength: float, rounds: int = 2) -> tuple[Array, Array]:
    """Noise displaced by noise (Quilez' domain warping): the field and the last displacement, side 512."""
    from scipy.ndimage import map_coordinates

    at = np.arange(SIDE, dtype=np.float32)
    field = resize(noise(rng, frequency, 3, 0.4), SIDE)
    last = field
    for _ in range(rounds):
        dx, dy = (resize(noise(rng, frequency * 0.8, 3, 0.4), SIDE) - 0.5 for _ in range(2))
        last = dx
        reach = strength * SIDE
        field = map_coordinates(field, [at[:, None] + reach * dy, at[None, :] + reach * dx], order=1, mode="mirror")
    return field.astype(np.float32), last


def _colours(scene: Scene) -> Array:
    p = scene.palette
    if p.key == "day":
        return ramp(
            p.between(p.sky[0], p.ink, 0.3),
            p.sky[0],
            p.sky[1],
            p.sky[2],
            p.pale,
            p.sky[3],
            p.accent,
            p.between(p.accent, p.pale, 0.5),
        )
    return ramp(p.sky[0] * 0.4, p.sky[0], p.sky[1], p.sky[2], p.accent, p.glow, p.pale, p.sky[3], p.sky[1])


def marble(scene: Scene) -> None:
    """Inks poured into each other: folded bands with thin bright veins."""
    c, p, rng = scene.canvas, scene.palette, scene.stream("marble")
    field, other = _fold(rng, 2.2, 0.55, 3)
    bands = 0.5 + 0.5 * np.sin(2 * np.pi * (field * rng.uniform(2.2, 3.4) + other))
    tone = c.up((0.12 + 0.62 * bands * (0.5 + field)).astype(np.float32))
    c.light[:] = c.grade(np.clip(tone, 0, 1), _colours(scene))
    dy, dx = np.gradient(c.up(field))
    relief = np.clip((dx * -0.7 + dy * -0.7) * c.size * 0.28, -1, 1)
    c.light *= 1 + 0.30 * relief[None]
    vein = smoothstep(0.035, 0.0, np.abs(c.up(bands.astype(np.float32)) - 0.93))
    c.over(p.glow if p.key != "day" else p.accent, 0.55 * vein)


def silk(scene: Scene) -> None:
    """Folds of cloth: a phase field lit as a surface, with a sheen along the crests."""
    c, p, rng = scene.canvas, scene.palette, scene.stream("silk")
    field, other = _fold(rng, 1.4, 0.45, 2)
    a = rng.uniform(0, np.pi)
    at = (np.arange(SIDE, dtype=np.float32) + 0.5) / SIDE
    along = at[None, :] * np.cos(a) + at[:, None] * np.sin(a)
    phase = c.up((2 * np.pi * (along * rng.uniform(1.6, 2.6) + 2.2 * field)).astype(np.float32))
    height = np.sin(phase) + 0.35 * np.sin(2.0 * phase + 1.0)
    dy, dx = np.gradient(height)
    slope = (dx * np.float32(np.cos(a - 0.6)) + dy * np.float32(np.sin(a - 0.6))) * np.float32(c.size / 26)
    slow = c.up(other) + 0.5
    lit = 0.5 + 0.5 * np.tanh(slope * 1.2)
    d = c.distance(*scene.focus)
    tone = np.clip(0.10 + 0.58 * lit * (0.65 + 0.5 * slow) + 0.30 * np.exp(-((d / 0.4) ** 2)) * lit, 0, 1)
    day = p.key == "day"
    table = (
        ramp(p.sky[0] * 0.35, p.sky[0], p.sky[1], p.sky[2], p.between(p.accent, p.sky[3], 0.4), p.glow, p.pale)
        if not day
        else ramp(
            p.between(p.sky[0], p.ink, 0.35), p.sky[0], p.sky[1], p.sky[3], p.between(p.accent, p.pale, 0.55), p.pale
        )
    )
    c.light[:] = c.grade(tone.astype(np.float32), table)
    sheen = np.clip(1 - np.abs(slope - 0.9) / 0.5, 0, 1) ** 3 * smoothstep(0.5, 0.1, d)
    c.add(p.pale, (0.22 * sheen).astype(np.float32))


def orbs(scene: Scene) -> None:
    """Soft clouds of colour, one clear disc or ring, much grain: a riso print."""
    c, p, rng = scene.canvas, scene.palette, scene.stream("orbs")
    small = Canvas(256)
    day = p.key == "day"
    base = p.sky[0] if not day else p.sky[1]
    light_planes = [np.full((256, 256), v, np.float32) for v in base]
    tints = (
        [p.sky[1], p.sky[2], p.sky[3], p.accent, p.glow]
        if not day
        else [p.sky[0], p.pale, p.sky[3], p.accent, p.sky[1]]
    )
    wx, wy = noise(rng, 2, 3) - 0.5, noise(rng, 2, 3) - 0.5
    for k in rng.permutation(5):
        x, y, r = rng.uniform(0, 1), rng.uniform(0, 1), rng.uniform(0.16, 0.42)
        d2 = (small.x + 0.35 * wx - x) ** 2 + (small.y + 0.35 * wy - y) ** 2
        weight = np.exp(-d2 / (r * r)) * (0.9 if k < 3 else 0.75)
        for q in range(3):
            light_planes[q] += weight * (np.float32(tints[k][q]) - light_planes[q])
    for q in range(3):
        c.light[q] = np.clip(c.up(light_planes[q]), 0, 4)
    x, y, r = scene.focus[0], 0.5 + (scene.focus[1] - 0.4), rng.uniform(0.2, 0.27)
    disc = c.disc(x, y, r)
    a = rng.uniform(0, 2 * np.pi)
    slope = np.clip(
        ((c.x - np.float32(x)) * np.cos(a) + (c.y - np.float32(y)) * np.sin(a)) / np.float32(2 * r) + 0.5, 0, 1
    )
    first, second = (p.glow, p.accent) if not day else (p.accent, p.sky[3])
    c.over(p.ink, 0.30 * np.clip(c.blur(disc, 0.03) - disc, 0, 1))
    c.over(c.grade(slope.astype(np.float32), ramp(first, p.between(first, second, 0.6), second)), disc)
    light.glow(c, x, y, r * 1.3, first, 0.12)
    scene.notes["grain"] = 0.035
