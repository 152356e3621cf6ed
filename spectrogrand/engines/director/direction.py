"""What camera and light do in each section: how much moves, how bright it is, where the picture is cut and framed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...types import Section

FLASHES = 3
"""Full-field flashes in any second, at most (WCAG 2.3.1)."""
MOVES = {"intro": (0.3, 0.3), "build": (0.4, 0.85), "drop": (1.0, 1.0), "break": (0.3, 0.3), "outro": (0.35, 0.2)}
"""How much moves at a section's start and end; any other section keeps the middle."""
LIGHT = {"intro": (0.8, 0.9), "build": (0.9, 1.0), "drop": (1.0, 1.0), "break": (0.72, 0.78), "outro": (0.9, 0.7)}
_OTHER = (0.7, 0.7)
_FRAMINGS = ((0.0, 0.0, 0.0), (0.16, 0.35, 0.3), (0.1, -0.4, -0.35), (0.2, 0.0, 0.0), (0.13, -0.3, 0.4))
"""Further magnification, and the place it goes to (down, right) from -1 to 1 of the room that it makes."""


@dataclass(frozen=True, eq=False)
class Direction:
    """Curves of shape=(frame,): `energy` scales every movement, `light` the picture; `zoom`, `down` and `right` frame it.

    `cuts` holds the frames at which the framing jumps, shape=(cut,).
    """

    energy: np.ndarray
    light: np.ndarray
    zoom: np.ndarray
    down: np.ndarray
    right: np.ndarray
    cuts: np.ndarray


def direct(sections: Sequence[Section], count: int, fps: float, seed: int = 0) -> Direction:
    """Plan `count` frames; a cut falls into the frame that holds a section's start.

    A song of one section is not cut, and moves as it always does: energy and light are 1.

    >>> plan = direct([Section("intro", 0, 1), Section("drop", 1, 2)], 20, 10.0)
    >>> plan.cuts.tolist(), plan.energy[[0, 15]].tolist()
    ([10], [0.3, 1.0])
    """
    energy, light = np.ones(count), np.ones(count)
    framing = np.zeros((3, count))
    if len(sections) < 2:
        return Direction(energy, light, framing[0], framing[1], framing[2], np.zeros(0, np.int64))
    cuts = []
    order = 1 + np.random.default_rng([seed, 16]).permutation(len(_FRAMINGS) - 1)
    for k, section in enumerate(sections):
        first = min(count, max(0, int(np.floor(section.start * fps + 1e-6))))
        last = min(count, int(np.floor(section.end * fps + 1e-6))) if k + 1 < len(sections) else count
        if last <= first:
            continue
        along = np.linspace(0, 1, last - first)
        for curve, values, other in ((energy, MOVES, _OTHER), (light, LIGHT, (1.0, 1.0))):
            begin, end = values.get(section.name, other)
            curve[first:last] = begin + (end - begin) * along
        view = _FRAMINGS[0] if k == 0 else _FRAMINGS[order[(k - 1) % len(order)]]
        framing[:, first:last] = np.array(view)[:, None]
        if section.name == "build":  # closer and closer, and out again with the drop
            framing[0, first:last] += 0.12 * along
        if k and first:
            cuts.append(first)
    return Direction(energy, light, framing[0], framing[1], framing[2], np.array(cuts, np.int64))


def space_flashes(events: np.ndarray, most: int = FLASHES) -> np.ndarray:
    """Which events, seconds in order, may flash so that no second holds more than `most`, bool, shape=(event,).

    >>> space_flashes(np.arange(8) / 4).tolist()
    [True, True, True, False, False, True, True, True]
    """
    keep = np.zeros(len(events), bool)
    shown: list[float] = []
    for k, at in enumerate(events):
        if len(shown) < most or at - shown[-most] > 1.0:
            keep[k] = True
            shown.append(float(at))
    return keep
