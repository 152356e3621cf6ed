"""`spectrogrand why RUN`: each choice of a run in words: candidates, scores, what failed, and the lead against the noise."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import ConfigError
from ..files import parse_json


def explain(folder: str | Path) -> str:
    """The choices of one run as text, one block a slot.

    Raises:
        ConfigError: no run.json there, or it is torn.
    """
    path = Path(folder) / "run.json"
    try:
        record = parse_json(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"no readable run.json in {str(folder)!r}: give the folder of one run") from error
    blocks = [_choice(slot, choice) for slot, choice in (record.get("choices") or {}).items()]
    return "\n\n".join(blocks) if blocks else "this run chose nothing"


def _choice(slot: str, choice: Mapping[str, Any]) -> str:
    lines = [f"{slot}: {choice.get('why') or 'no reason was written down'}"]
    for name, scorer in (choice.get("scorers") or {}).items():
        reference = scorer.get("reference") or {}
        against = f", against {reference['count']} {reference['name']}" if reference else ""
        lines.append(f"  {name} ({scorer.get('aspect')}, weight {scorer.get('weight', 1.0):g}{against})")
    for row in choice.get("candidates") or ():
        mark = "*" if row["index"] == choice.get("chosen") else " "
        scores = ", ".join(
            f"{k} {_short(v)} -> {_short((row.get('used') or {}).get(k))}" for k, v in row["scores"].items()
        )
        end = f"failed: it {row['failed']}" if row.get("failed") else f"total {_short(row.get('total'))}"
        lines.append(f"{mark} candidate {row['index']}: {end}" + (f" ({scores})" if scores else ""))
    if choice.get("noise"):
        lines.append(f"  lead {_short(choice.get('margin'))}, its noise {_short(choice['noise'])}")
    return "\n".join(lines)


def _short(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
