"""Abstract flow: marbled ink, silk in folds, clouds of colour with a grain."""

from __future__ import annotations

import numpy as np

from .. import light
from ..canvas import Array, noise, resize, smoothstep
from ..composition import Scene
from ..palette import ramp

SIDE = 400
"""Side of the grid on which folds are computed."""
PAD = 160
"""Folds reach beyond the picture by this much, so that no mirrored edge shows."""


def paint(scene: Scene) -> None:
    """Marble, silk, orbs, cut paper or contour lines."""
    scene.notes["no rays"] = True
    energy = scene.axis("energy")
    kinds = {"marble": marble, "silk": silk, "orbs": orbs, "strata": strata, "contours": contours}
    kinds[scene.pick("abstract", marble=1 + energy, silk=1.3, orbs=0.8 - 0.5 * energy, strata=1.1, contours=0.6)](scene)


def _fold(rng: np.random.Generator, frequency: float, strength: float, rounds: int = 2) -> tuple[Array, Array]:
    """Noise displaced by noise (Quilez' domain warping): the field and the last displacement, shape=(400, 400)."""
    from scipy.ndimage import map_coordinates

    wide = SIDE + 2 * PAD
    at = np.arange(wide, dtype=np.float32)
    frequency *= wide / SIDE
    field = resize(noise(rng, frequency, 3, 0.4), wide)
    last = field
    for _ in range(rounds):
        dx, dy = (resize(noise(rng, frequency * 0.8, 3, 0.4), wide) - 0.5 for _ in range(2))
        last = dx
        reach = strength * SIDE
        field = map_coordinates(field, [at[:, None] + reach * dy, at[None, :] + reach * dx], order=1, mode="mirror")
    inner = slice(PAD, PAD + SIDE)
    return field[inner, inner].astype(np.float32), last[inner, inner]


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
    bands = 0.5 + 0.5 * np.sin(2 * np.pi * (field * rng.uniform(3.2, 4.6) + other))
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
    field, other = _fold(rng, 1.6, 0.62, 2)
    a = rng.uniform(0, np.pi)
    at = (np.arange(SIDE, dtype=np.float32) + 0.5) / SIDE
    along = at[None, :] * np.cos(a) + at[:, None] * np.sin(a)
    phase = c.up((2 * np.pi * (along * rng.uniform(1.6, 2.6) + 3.4 * field)).astype(np.float32))
    height = np.sin(phase) + 0.40 * np.sin(2.0 * phase + 1.0) + 0.16 * np.sin(4.0 * phase + 0.4)
    dy, dx = np.gradient(height)
    slope = (dx * np.float32(np.cos(a - 0.6)) + dy * np.float32(np.sin(a - 0.6))) * np.float32(c.size / 26)
    slow = c.up(other) + 0.5
    lit = 0.5 + 0.5 * np.tanh(slope * 1.5)
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
    small = c.small()
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
    first, second = (p.glow, p.accent) if not day else (p.accent, p.sky[3])
    table = ramp(first, p.between(first, second, 0.6), second)
    places = {"one": [(x, y, r)], "ring": [(x, y, r)], "split": [(x - 0.06, y, r), (x + 0.06, y, r)],
              "row": [(0.5, 0.5 + 0.17 * q, 0.15 - 0.022 * abs(q)) for q in (-2, -1, 0, 1, 2)],
              "set": [(x, 0.60, 1.25 * r)]}[kind := str(rng.choice(["one", "ring", "split", "row", "set"]))]  # fmt: skip
    for k, (cx, cy, size) in enumerate(places):
        disc = c.disc(cx, cy, size)
        if kind == "ring":
            disc = disc - c.disc(cx, cy, 0.62 * size)
        if kind == "split":
            disc = disc * np.clip((c.y - np.float32(cy)) / c.px * (1 if k else -1) + 0.5, 0, 1)
        if kind == "set":
            disc = disc * np.clip((np.float32(cy) - c.y) / c.px + 0.5, 0, 1)
        a = rng.uniform(0, 2 * np.pi)
        slope = np.clip(
            ((c.x - np.float32(cx)) * np.cos(a) + (c.y - np.float32(cy)) * np.sin(a)) / np.float32(2 * size) + 0.5, 0, 1
        )
        c.over(p.ink, 0.30 * np.clip(c.blur(disc, 0.03) - disc, 0, 1))
        c.over(c.grade(slope.astype(np.float32), table), disc)
    light.glow(c, x, y, r * 1.3, first, 0.12)
    scene.notes["grain"] = 0.035


def strata(scene: Scene) -> None:
    """Layers of cut paper: the levels of a slow noise, each casting its shadow on the one below."""
    c, p, rng = scene.canvas, scene.palette, scene.stream("strata")
    field, _ = _fold(rng, rng.uniform(1.3, 2.1), 0.35, 1)
    small = c.small(SIDE)
    d = small.distance(scene.focus[0], 0.5)
    sink = 0.55 if rng.random() < 0.6 else 0.0  # some open like a well
    height = field - field.mean()
    height = c.up((height / height.std() * 0.22 + sink * d).astype(np.float32))
    count = int(rng.integers(7, 10))
    day = p.key == "day"
    table = (ramp(p.between(p.sky[0], p.ink, 0.5), p.sky[0], p.sky[1], p.sky[3], p.pale) if day
             else ramp(p.sky[0] * 0.45, p.sky[0], p.sky[1], p.sky[2], p.between(p.sky[3], p.accent, 0.35), p.glow))  # fmt: skip
    if rng.random() < 0.4:
        table = table[:, ::-1]
    levels = np.linspace(float(np.quantile(height, 0.06)), float(np.quantile(height, 0.94)), count)
    dy, dx = np.gradient(height)
    edge = np.maximum(np.hypot(dx, dy), 1e-5)
    c.over(table[:, 0])
    for k, level in enumerate(levels):
        mask = np.clip((height - np.float32(level)) / edge + 0.5, 0, 1)
        shadow = c.shift(c.blur(mask, 0.011, 192), -0.007, 0.011)
        c.light *= 1 - 0.42 * np.clip(shadow - 0.3 * mask, 0, 1)[None]
        tone = table[:, int((k + 1) / count * (table.shape[1] - 1))]
        c.over(tone, mask)
    scene.notes["grain"] = 0.022


def contours(scene: Scene) -> None:
    """The lines of equal height of a folded landscape, every fifth one heavier, lit about the focus."""
    c, p, rng = scene.canvas, scene.palette, scene.stream("contours")
    field, other = _fold(rng, 2.0, 0.4, 1)
    small = c.small(SIDE)
    d = small.distance(*scene.focus)
    height = c.up((field * rng.uniform(22, 32) + 5 * np.exp(-((d / 0.25) ** 2))).astype(np.float32))
    dy, dx = np.gradient(height)
    steep = np.hypot(dx, dy) + np.float32(1e-6)
    near = np.abs(np.mod(height + 0.5, 1) - 0.5) / steep / np.float32(c.size / 1024)
    heavy = np.abs(np.mod(height / 5 + 0.5, 1) - 0.5) * 5 / steep / np.float32(c.size / 1024)
    lines = np.maximum(np.clip(1.5 - near, 0, 1), np.clip(2.9 - heavy, 0, 1))
    day = p.key == "day"
    base = ramp(p.sky[0] * 0.5, p.sky[0], p.sky[1], p.sky[2]) if not day else ramp(p.sky[1], p.sky[2], p.pale)
    c.light[:] = c.grade(c.up(np.clip(0.15 + 0.55 * field + 0.4 * (other * 0.5), 0, 1).astype(np.float32)), base)
    reach = c.up(np.exp(-d / 0.42).astype(np.float32))
    hue = c.grade(
        np.clip(height / 30, 0, 1), ramp(p.sky[3], p.glow, p.accent) if not day else ramp(p.sky[0], p.accent, p.ink)
    )
    c.over(hue, lines * (0.30 + 0.70 * np.clip(1.3 * reach, 0, 1)))
    light.glow(c, *scene.focus, 0.16, p.glow, 0.22 if not day else 0.0)
