"""`spectrogrand why RUN`: each choice of a run in words: candidates, scores, what failed, and the lead against the noise."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import ConfigError, StoreError
from .record import load_record


def explain(folder: str | Path) -> str:
    """The choices of one run as text, one block a slot.

    Raises:
        ConfigError: no run.json there, or it is torn.
    """
    try:
        record = load_record(Path(folder))
    except StoreError as error:
        raise ConfigError(str(error)) from error
    blocks = [_choice(slot, choice) for slot, choice in (record.get("choices") or {}).items() if choice]
    return "\n\n".join(blocks) if blocks else "this run chose nothing"


def _choice(slot: str, choice: Mapping[str, Any]) -> str:
    lines = [f"{slot}: {choice.get('why') or 'no reason was written down'}"]
    for name, scorer in (choice.get("scorers") or {}).items():
        scorer = scorer or {}
        reference = scorer.get("reference") or {}
        against = f", against {reference.get('count')} {reference.get('name')}" if reference else ""
        weight = 1.0 if scorer.get("weight") is None else scorer["weight"]
        lines.append(f"  {name} ({scorer.get('aspect')}, weight {weight:g}{against})")
    for row in filter(None, choice.get("candidates") or ()):
        mark = "*" if row.get("index") == choice.get("chosen") else " "
        scores = ", ".join(
            f"{k} {_short(v)} -> {_short((row.get('used') or {}).get(k))}" for k, v in (row.get("scores") or {}).items()
        )
        end = f"failed: it {row['failed']}" if row.get("failed") else f"total {_short(row.get('total'))}"
        lines.append(f"{mark} candidate {row.get('index', '?')}: {end}" + (f" ({scores})" if scores else ""))
    if choice.get("noise"):
        lines.append(f"  lead {_short(choice.get('margin'))}, its noise {_short(choice['noise'])}")
    return "\n".join(lines)


def _short(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
