"""Shows a topic: which finish and layout a seed gets, and what is painted where the topic names no thing."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ....types import CoverBrief
from .. import typefaces
from ..composition import FAMILIES, Scene
from ..finishes import constellation, landscape, neon, paper, prints, tiles
from . import poster
from .stage import Stage, set_stage
from .vocabulary import Reading

FINISHES: dict[str, tuple[Callable[[Stage], None], bool]] = {
    "moonlit": (landscape.moonlit, True), "gouache": (landscape.gouache, True), "paper": (paper.paper, True),
    "neon": (neon.neon, False), "linocut": (prints.linocut, False), "stencil": (prints.stencil, False),
    "engraved": (prints.engraved, False), "mosaic": (tiles.mosaic, False), "glass": (tiles.glass, False),
    "constellation": (constellation.constellation, False),
}  # fmt: skip
"""Every finish, and whether it draws a landscape."""
GROUNDED = ("stand", "near", "far")
SURE = 0.30
"""A family whose share of a topic is this large is understood; the largest share of a topic without any meaning is about 0.15."""


def order(names: tuple[str, ...], scene: Scene, brief: CoverBrief) -> list[str]:
    """The finishes in the order in which the seeds of a topic take them: those that fit the topic's mood rather first.

    Neighbouring seeds always take different ones, and two landscapes never follow each other.
    """
    rng = np.random.default_rng([zlib.crc32(brief.topic.encode()), zlib.crc32(brief.genre.encode()), 14])
    keys = {name: rng.random() + 0.35 * _suits(name, scene) for name in names}
    ranked = sorted(names, key=lambda n: -keys[n])
    wide = [n for n in ranked if FINISHES[n][1]]
    rest = [n for n in ranked if not FINISHES[n][1]]
    found: list[str] = []
    while wide or rest:
        for part in (rest, wide) if keys[(rest or wide)[0]] > keys[(wide or rest)[0]] else (wide, rest):
            if part:
                found.append(part.pop(0))
    return found


def _suits(name: str, scene: Scene) -> float:
    """How well a finish suits a mood, about 0."""
    energy, valence, era = scene.axis("energy"), scene.axis("valence"), scene.axis("era")
    tension, space = scene.axis("tension"), scene.axis("space")
    return {
        "neon": energy + 0.6 * era, "moonlit": space - 0.3 * energy, "gouache": valence, "paper": valence - energy,
        "linocut": tension - era, "constellation": space - 0.5 * energy, "stencil": energy + tension,
        "mosaic": valence - 0.5 * era,
        "engraved": -era - 0.3 * energy, "glass": valence + 0.3 * tension,
    }.get(name, 0.0)  # fmt: skip


def unset(topic: str) -> dict[str, str]:
    """What a poster says of letters that no face here has."""
    lost = typefaces.unset(topic)
    return {"unset": f"no face here has the letters {lost[:12]}: {typefaces.INSTALL}"} if lost else {}


def paint_topic(
    scene: Scene, reading: Reading, brief: CoverBrief, row: Mapping[str, float], seed: int,
    painters: Mapping[str, Callable[[Scene], object]],
) -> dict[str, Any]:  # fmt: skip
    """Paint what a topic is about on the scene's canvas.

    Args:
        scene: planned for the topic.
        reading: what the topic names.
        brief, row, seed: as in `scenes.paint`.
        painters: the families' own painters by name.

    Returns:
        The notes of the picture: `shown`, `missed`, `finish`.
    """
    if reading.things:
        names = order(tuple(FINISHES), scene, brief)
        name = names[seed % len(names)]
        hand, grounded = FINISHES[name]
        kind = GROUNDED[(seed + seed // len(names)) % 3] if grounded else "alone"
        stage = set_stage(scene, reading, kind, grounded)
        hand(stage)
        scene.notes["unframed"] = (
            kind == "far"
            or scene.notes.get("aside")
            or name
            in (
                "linocut",
                "engraved",
            )
        )  # small already, or framed by its own margin
        x0, _, x1, _ = stage.bounds()
        scene.notes["group width"] = x1 - x0
        if scene.family in ("faces", "geometry"):
            scene.family = "abstract"
        around = [
            {"word": word, "shape": key, "box": [0.0, 0.0, 1.0, 1.0]}
            for word, key in (*reading.around, *reading.manners)
            if word not in stage.shown
        ]
        notes = stage.notes()
        return {"shown": [*notes["shown"], *around], "missed": notes["missed"], "finish": name, "layout": kind}
    shares = {name: float(row.get("motif_" + name, 0.0)) for name in FAMILIES}
    ground = reading.meaning("sea", "mountains", "forest", "meadow", "dunes", "city", "space")
    if ground:
        scene.family = {"meadow": "forest", "dunes": "space"}.get(ground, ground)
    elif max(shares.values()) < SURE:
        poster.set_poster(scene, brief.topic, seed)
        return {"shown": [], "missed": list(reading.missed), "finish": "type", **unset(brief.topic)}
    painters[scene.family](scene)
    everywhere = [{"word": word, "shape": key, "box": [0.0, 0.0, 1.0, 1.0]} for word, key in reading.around]
    if not ground and scene.family == "abstract" and seed % 2 == 0:  # a mood has no likeness: its name is set on it
        poster.set_poster(scene, brief.topic, seed // 2, painted=True)
        return {"shown": [], "missed": list(reading.missed), "finish": "type on abstract", **unset(brief.topic)}
    return {"shown": everywhere, "missed": list(reading.missed), "finish": f"family {scene.family}"}
