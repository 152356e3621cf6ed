"""Scenes: which family paints the subject, which one the sky and the ground, and the light that binds them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...types import CoverBrief
from . import backdrop, frame, light, title, typefaces
from .canvas import Array, Canvas
from .composition import Scene, plan
from .families import abstract, city, faces, forest, geometry, machines, mountains, sea, space, waves
from .families.water import reflect
from .things import show, vocabulary

SMALLEST = 256
"""Pictures are painted at least at this side."""

PAINTERS = {
    "space": space, "city": city, "sea": sea, "mountains": mountains, "forest": forest, "machines": machines,
    "faces": faces, "geometry": geometry, "waves": waves, "abstract": abstract,
}  # fmt: skip
GROUNDS = {
    "space": space.setting, "city": city.setting, "sea": sea.setting, "mountains": mountains.setting, "forest": forest.setting,
    "machines": machines.setting, "geometry": machines.setting, "waves": waves.setting,
}  # fmt: skip
"""What a family puts under the horizon when it is the setting of another's subject; the rest leave it to water."""


@dataclass(frozen=True)
class Painting:
    """A finished picture, uint8 sRGB, shape=(row, column, 3), and what its painter says of it (see `types.Image.notes`)."""

    pixels: Array
    notes: dict[str, Any]


def paint(
    brief: CoverBrief, row: Mapping[str, float], seed: int, size: int | tuple[int, int], text: str = ""
) -> Painting:
    """Paint a brief.

    What the topic names is drawn, in a finish and a layout that change from seed to seed; a topic that names only a ground or a
    mood of the families is painted by its family; one that nothing is known of is set as type.

    Args:
        brief: topic, genre, colour and word.
        row: the encoder's numbers for the topic.
        seed: seeds that follow each other give different finishes and layouts.
        size: the square's side, or (width, height), in pixels.
        text: a title.
    """
    from PIL import Image

    width, height = (size, size) if isinstance(size, int) else size
    factor = -(
        -SMALLEST // min(width, height)
    )  # fine lines cannot be drawn small: a small picture is a larger one averaged
    reading = vocabulary.read(brief.topic)
    scene = plan(brief, row, seed, Canvas(width * factor, height * factor), hour(reading))
    scene.notes.update(sky=sky, inner=inner, ground=ground)
    notes = show.paint_topic(
        scene, reading, brief, row, seed, {name: family.paint for name, family in PAINTERS.items()}
    )
    pixels = finish(scene, typefaces.settable(text))
    if factor > 1:
        pixels = np.asarray(Image.fromarray(pixels).reduce(factor))
    return Painting(pixels, _framed(notes, scene.notes.get("window")))


def _framed(notes: dict[str, Any], window: tuple[float, float, float, float] | None) -> dict[str, Any]:
    """The notes with their boxes where a frame has put them; a box of the whole picture stays whole."""
    if window is None:
        return notes
    left, top, wide, tall = window

    def moved(box: list[float]) -> list[float]:
        if box == [0.0, 0.0, 1.0, 1.0]:
            return box
        x0, y0, x1, y1 = box
        return [round(v, 4) for v in (left + wide * x0, top + tall * y0, left + wide * x1, top + tall * y1)]

    return {**notes, "shown": [{**entry, "box": moved(entry["box"])} for entry in notes["shown"]]}


def hour(reading: vocabulary.Reading) -> str | None:
    """The palette's key that a topic's hour asks for, None where it names none."""
    return {"night": "night", "stars": "night", "dusk": "dusk", "dawn": "dusk", None: None}[
        reading.meaning("night", "stars", "dusk", "dawn")
    ]


def sky(scene: Scene) -> None:
    """The sky behind a landscape, with what the setting's family brings to it."""
    c, p, rng, second = scene.canvas, scene.palette, scene.stream("sky kind"), scene.second
    night = p.key == "night"
    if second == "space" and night:
        space.heavens(scene, 0.8)
        c.over(
            p.sky[3],
            0.8 * c.up(np.clip((c.small().y - scene.horizon + 0.22) / 0.3, 0, 1) ** 2 * np.ones((1, 256), np.float32)),
        )
    else:
        backdrop.sky(scene)
        if night:
            backdrop.stars(scene, 300, scene.horizon)
    if second == "waves" and p.key != "day":
        backdrop.aurora(scene)
    if scene.gesture in ("burst", "flare", "reveal") and not scene.notes.get("no rays"):
        light.rays(
            c, *scene.focus, p.glow if p.key != "day" else p.pale, 0.20 if scene.gesture == "burst" else 0.12, rng
        )
    if second == "space":
        space.planet(scene, *scene.focus, 1.1 * scene.sun, rng.uniform(-2.6, -0.5), rings=rng.random() < 0.5)
    else:
        backdrop.sun(scene)
    if second in ("geometry", "machines"):
        backdrop.marks(scene)
    if second != "geometry":
        backdrop.clouds(scene, 0.58 if second == "abstract" else 0.45, layers=3 if second in ("abstract", "sea") else 2)


def ground(scene: Scene) -> None:
    """The ground of the setting's family."""
    GROUNDS.get(scene.second, sea.setting)(scene)
    if scene.second == "city":
        reflect(scene, scene.horizon)


def inner(scene: Scene) -> None:
    """A whole landscape of the setting's family, to fill a silhouette with."""
    sky(scene)
    ground(scene)


def finish(scene: Scene, text: str = "") -> Array:
    """The light that falls over everything, a frame and a title where there are any, then grain and print."""
    c, p = scene.canvas, scene.palette
    flat = bool(scene.notes.get("flat"))
    if not flat:
        light.bloom(c, 0.55 if p.key != "day" else 0.85, 0.55 if p.key != "day" else 0.25)
        light.vignette(c, 0.38 if p.key != "day" else 0.12)
    scene.notes["frame"] = frame.choose(scene)
    if scene.notes["frame"]:
        frame.mount(scene, scene.notes["frame"], bool(text))
    if text:
        title.set_title(scene, text)
    grain = 0.024 if flat else scene.notes.get("grain", 0.020 if scene.retro else 0.013)
    return light.develop(c, scene.stream("grain"), grain, 0.032 if scene.retro else 0.012, 0.012 if flat else 0.0)
