"""Scenes: which family paints the subject, which one the sky and the ground, and the light that binds them."""

from __future__ import annotations

from collections.abc import Mapping

from ..types import CoverBrief
from . import backdrop, light, mountains, space
from .canvas import Array, Canvas
from .composition import Scene, plan

PAINTERS = {"space": space, "mountains": mountains}


def paint(brief: CoverBrief, row: Mapping[str, float], seed: int, size: int) -> Array:
    """Paint a brief: uint8 sRGB, shape=(size, size, 3). `row` holds the encoder's numbers for the topic."""
    scene = plan(brief, row, seed, Canvas(size))
    scene.notes["sky"] = sky
    PAINTERS.get(scene.family, space).paint(scene)
    return finish(scene)


def sky(scene: Scene) -> None:
    """The sky behind a landscape: by the setting's family, stars at night."""
    backdrop.sky(scene)
    if scene.palette.key == "night":
        backdrop.stars(scene, 300, scene.horizon)
    backdrop.sun(scene)
    backdrop.clouds(scene)


def finish(scene: Scene) -> Array:
    """The light that falls over everything, then grain and print."""
    c, p, rng = scene.canvas, scene.palette, scene.stream("finish")
    if scene.gesture in ("burst", "flare", "reveal") and p.key != "day":
        light.rays(c, *scene.focus, p.glow, 0.10 if scene.gesture != "burst" else 0.2, rng)
    light.bloom(c, 0.55 if p.key != "day" else 0.85, 0.55 if p.key != "day" else 0.25)
    light.vignette(c, 0.38 if p.key != "day" else 0.12)
    return light.develop(c, scene.stream("grain"), 0.020 if scene.retro else 0.013, 0.035 if scene.retro else 0.012)
