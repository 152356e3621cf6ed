"""A choice as run.json tells it: each candidate with its scores, and who chose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..interfaces import CreativityScorer
from ..selection import Choice
from .artefacts import Item


def describe_choice(
    items: Sequence[Item | None], files: Sequence[str | None], scorers: Mapping[str, CreativityScorer],
    weights: Mapping[str, float], scores: Mapping[str, np.ndarray], choice: Choice,
) -> dict[str, Any]:  # fmt: skip
    """The choice as plain data.

    Args:
        items: the candidates, None where one failed.
        files: where each lies in the run's folder.
        scorers: by the names that the config gives them.
        weights: of the scorers, 1 where none is given.
        scores: float64, shape=(item,), by scorer; not a number where there is none.
        choice: what the rule said.
    """
    rows = []
    for i, item in enumerate(items):
        plan = getattr(item.value, "plan", None) if item else None
        notes = getattr(item.value, "notes", None) if item else None
        rows.append({
            "index": i, "failed": choice.failed[i], "seed": item.seed if item else None,
            "brief": item.brief if item else None, "plan": plan.as_dict() if plan else None,
            "notes": dict(notes) if notes else None, "file": files[i], "sha256": item.digest if item else None,
            "scores": {k: _number(v[i]) for k, v in scores.items()},
            "used": {k: _number(v[i]) for k, v in choice.used.items()}, "total": _number(choice.totals[i]),
        })  # fmt: skip
    return {
        "rule": choice.rule, "why": choice.why, "notes": list(choice.notes), "margin": _number(choice.margin),
        "noise": choice.noise, "chosen": choice.index if choice.index >= 0 else None, "candidates": rows,
        "scorers": {
            k: {
                "plugin": s.name, "aspect": s.aspect, "weight": weights.get(k, 1.0),
                "reference": vars(r) if (r := s.reference()) else None,
            }
            for k, s in scorers.items()
        },
    }  # fmt: skip


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
