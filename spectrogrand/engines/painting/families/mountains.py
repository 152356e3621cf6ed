"""Mountains: ridge behind ridge fading into haze, or one great peak with a lit and a shaded face."""

from __future__ import annotations

import numpy as np

from .. import backdrop, light
from ..canvas import noise, ridge_line, smoothstep
from ..composition import Scene
from ..palette import ramp


def paint(scene: Scene) -> None:
    """Layered ridges before the light, or a single peak; a lake below in some."""
    rng = scene.stream("mountains")
    scene.horizon = max(scene.horizon, 0.72)
    kind = scene.pick("mountains", ridges=1 - 0.5 * scene.axis("tension"), peak=1.5 + scene.axis("energy"))
    scene.draw_sky()
    if kind == "peak":
        peak(scene)
        setting(scene, start=scene.horizon - 0.02, layers=3, height=0.07)
    else:
        setting(scene, start=scene.focus[1] + 0.12, layers=6, height=0.17)
    if rng.random() < 0.5:
        backdrop.birds(scene)


def setting(scene: Scene, start: float | None = None, layers: int = 5, height: float = 0.12) -> None:
    """Ridges from `start` to the lower edge, each nearer one darker, mist between them."""
    c, p, rng = scene.canvas, scene.palette, scene.stream("ridges")
    start = scene.horizon - 0.10 if start is None else start
    for k in range(layers):
        t = (k + 1) / layers
        base = start + (1.0 - start) * (k / layers) ** 1.15
        shape = ridge_line(rng, 1400, 0.50 + 0.04 * (1 - t), 2.2 + 0.8 * rng.random())
        sharp = 0.55 - 1.1 * np.abs(ridge_line(rng, 1400, 0.45, 3.0))  # folded noise makes crests
        line = base - height * (0.6 + 0.4 * t) * (0.45 * shape + 0.55 * sharp) + 0.02
        colour = p.between(p.haze, p.ink, 0.10 + 0.90 * t**1.1)
        far = p.between(colour, p.haze, 0.55 * (1 - t) + 0.12)
        depth = c.across(line)
        fade = np.clip((c.y - depth[None, :]) / np.float32(0.10 + 0.10 * t), 0, 1)
        c.over(c.grade(fade, ramp(colour, far)), c.below(line))


def peak(scene: Scene) -> None:
    """One mountain: a jagged outline, its sunny face parted from the shaded one by a ridge that winds down from the summit."""
    c, p, rng = scene.canvas, scene.palette, scene.stream("peak")
    n = 1400
    t = np.linspace(c.left, c.right, n)
    x = 0.5 if scene.centred else 1 - scene.focus[0]
    top = rng.uniform(0.24, 0.36)
    base = scene.horizon + 0.06
    width_l, width_r = rng.uniform(0.42, 0.6), rng.uniform(0.42, 0.6)
    rise = np.where(t < x, 1 - (x - t) / width_l, 1 - (t - x) / width_r)
    shoulder = np.maximum(rise, 0.55 - np.abs(t - x - rng.choice([-1, 1]) * rng.uniform(0.25, 0.36)) / 0.5)
    shoulder = np.clip(shoulder, -0.2, 1)
    rough = ridge_line(rng, n, 0.62, 7) * 0.055 * np.clip(1.15 - shoulder, 0.15, 1)
    line = base - (base - top) * np.clip(shoulder, 0, 1) ** 1.12 - rough
    side = 1 if scene.focus[0] >= x else -1
    drop = np.clip((c.y - top) / (base - top), 0, 1)
    spine = (
        x
        - side * 0.05 * drop
        + 0.075 * np.interp(drop[:, 0], np.linspace(0, 1, n), ridge_line(rng, n, 0.6, 5))[:, None] * np.sqrt(drop)
    )
    rock = noise(rng, 9, 5, 0.6)
    tilted = c.warp(
        rock,
        0.35 * side * np.linspace(-1, 1, 256, dtype=np.float32)[:, None] * np.ones((1, 256), np.float32),
        np.zeros((256, 256), np.float32),
    )
    texture = c.up(tilted.astype(np.float32))
    face = smoothstep(-0.004, 0.004, side * (c.x - spine) + 0.10 * (texture - 0.5) * drop)
    tone = (0.14 + 0.50 * face + 0.26 * (texture - 0.5)) * (1 - 0.15 * drop)
    snow = smoothstep(0.06, -0.04, drop - 0.34 + 0.55 * (texture - 0.5))
    tone = np.clip(tone + 0.30 * snow * (0.30 + face), 0, 1)
    shade = p.between(p.ink, p.sky[1], 0.5)
    table = ramp(p.ink, shade, p.between(p.sky[2], p.accent, 0.15), p.glow, p.pale, at=(0, 0.28, 0.55, 0.85, 1))
    mask = c.below(line)
    c.over(c.grade(tone.astype(np.float32), table), mask)
    haze = smoothstep(0.55, 1.05, drop) * np.float32(0.8)
    c.over(p.haze, mask * haze)
    light.glow(c, x + side * 0.06, top + 0.05, 0.12, p.glow, 0.10)
