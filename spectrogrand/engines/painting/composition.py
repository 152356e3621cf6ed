"""Composition: a topic's axes and motifs become a scene: subject, setting, focal point, horizon, gesture."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...types import CoverBrief
from .canvas import Canvas
from .palette import Palette, compose

FAMILIES = ("space", "city", "sea", "mountains", "forest", "machines", "faces", "geometry", "waves", "abstract")
GESTURES = {
    "unveils": "reveal", "surprises": "offset", "ascends": "rise", "explodes": "burst",
    "balances": "centre", "hypnotizes": "rings", "blends": "mist", "stuns": "flare",
}  # fmt: skip
"""What a published genre word does to the picture; any other word takes the gesture that its checksum names."""


@dataclass
class Scene:
    """Everything that a motif needs to draw itself. Axes in [-1, 1]; places in sides of the picture, y down."""

    canvas: Canvas
    palette: Palette
    axes: Mapping[str, float]
    family: str
    second: str
    gesture: str
    seed: tuple[int, ...]
    retro: bool
    centred: bool
    focus: tuple[float, float] = (0.5, 0.4)
    horizon: float = 0.7
    sun: float = 0.15
    notes: dict[str, Any] = field(default_factory=dict)

    def stream(self, role: str) -> np.random.Generator:
        """A random stream of its own for each role, so that one part's draws never move another's."""
        return np.random.default_rng([*self.seed, zlib.crc32(role.encode())])

    def pick(self, role: str, **weights: float) -> str:
        """One of the named kinds, drawn by its weight (at least 0.1, so that nothing is ever ruled out)."""
        w = np.maximum(np.array(list(weights.values()), float), 0.1)
        return str(self.stream("pick " + role).choice(list(weights), p=w / w.sum()))

    def draw_sky(self) -> None:
        """The sky of the setting's family, or a plain one with a sun (set by `scenes`, which knows all families)."""
        self.notes["sky"](self)

    def axis(self, name: str) -> float:
        """An axis of the topic, 0 where the encoder has none of that name."""
        return float(self.axes.get(name, 0.0))


def plan(brief: CoverBrief, row: Mapping[str, float], seed: int, canvas: Canvas, key: str | None = None) -> Scene:
    """Choose palette, motifs and layout for a brief; `row` holds the encoder's axes and `motif_*` shares of the topic."""
    gesture = GESTURES.get(brief.word.lower().strip())
    gesture = gesture or sorted(set(GESTURES.values()))[zlib.crc32(brief.word.lower().encode()) % len(GESTURES)]
    base = (int(seed), *(zlib.crc32(part.encode()) for part in (brief.topic, brief.colour, brief.word, brief.genre)))
    rng = np.random.default_rng([*base, 1])
    axes = {k: float(np.clip(v, -1, 1)) for k, v in row.items() if not k.startswith("motif_")}
    shares = np.array([max(float(row.get("motif_" + name, 0.0)), 0.0) for name in FAMILIES])
    family, second = choose(shares, rng)
    palette = compose(brief.colour, axes.get("valence", 0), axes.get("energy", 0), axes.get("tension", 0),
                      axes.get("brightness", 0), rng, key)  # fmt: skip
    centred = gesture in ("centre", "rings", "burst") or rng.random() < 0.35
    side = rng.choice([1 / 3, 2 / 3])
    x = 0.5 if centred else float(side + rng.normal(0, 0.02))
    open_space = axes.get("space", 0.0)
    horizon = float(np.clip(0.70 + 0.05 * open_space + rng.normal(0, 0.035), 0.58, 0.82))
    y = float(np.clip(rng.normal(0.40, 0.05) - (0.06 if gesture == "rise" else 0), 0.24, 0.55))
    sun = float(np.clip(rng.normal(0.16, 0.04) + (0.07 if gesture == "flare" else 0), 0.08, 0.30))
    retro = bool(axes.get("era", 0.0) + rng.normal(0, 0.45) < -0.05)
    return Scene(canvas, palette, axes, family, second, gesture, base, retro, centred, (x, y), horizon, sun)


def choose(shares: np.ndarray, rng: np.random.Generator) -> tuple[str, str]:
    """The subject's family, drawn by the fourth power of its share (the second where none has half), and the setting's.

    >>> choose(np.eye(10)[3], np.random.default_rng(0))[0]
    'mountains'
    """
    shares = shares + 1e-6
    power = 4 if shares.max() > 0.5 * shares.sum() else 2  # a topic of many minds may go many ways
    first = shares**power / np.sum(shares**power)
    k = int(rng.choice(len(FAMILIES), p=first))
    rest = (shares + 0.02) ** 2 * (np.arange(len(FAMILIES)) != k)
    j = int(rng.choice(len(FAMILIES), p=rest / rest.sum()))
    return FAMILIES[k], FAMILIES[j]
