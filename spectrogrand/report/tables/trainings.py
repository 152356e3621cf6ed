"""Many trainings as one table: what was set, what was measured on the test split, and means over seeds with their intervals."""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from .rows import Cell
from .table import Table, _groups

PARTS = ("data", "model", "recipe")
"""Parts of a training's config whose name is a column."""
_NOT_SETTINGS = ("seed", "task")


def training_table(paths: Iterable[str | Path]) -> Table:
    """All finished trainings in the given folders and below them, by name; a folder named twice counts once.

    A training is a folder with the metrics.json that `train/*.py` write. Columns: run, task, seed, the names of data, model and
    recipe, every other setting in which the trainings differ, and each measure that is a number. Trainings that differ in
    nothing but the seed make a group.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp()) / "mine"
    >>> folder.mkdir()
    >>> found = {"state": "finished", "accuracy": 0.5, "config": {"seed": 1, "recipe": {"name": "ours"}}}
    >>> _ = (folder / "metrics.json").write_text(json.dumps(found))
    >>> training_table([folder]).rows
    ({'run': 'mine', 'seed': 1, 'recipe': 'ours', 'accuracy': 0.5},)
    """
    found = list(_finished(paths))
    leaves = [dict(_leaves(metrics.get("config"))) for _, metrics in found]
    names = [f"{part}.name" for part in PARTS]
    every = dict.fromkeys(k for leaf in leaves for k in leaf)
    varying = [
        k for k in sorted(every)
        if k not in (*_NOT_SETTINGS, *names) and len({json.dumps(leaf.get(k)) for leaf in leaves}) > 1
    ]  # fmt: skip
    rows: list[Mapping[str, Cell]] = []
    measures: dict[str, None] = {}
    for (name, metrics), leaf in zip(found, leaves, strict=True):
        row: dict[str, Cell] = {"run": name, **{k: _cell(leaf[k]) for k in ("task", "seed") if leaf.get(k) is not None}}
        row |= {part: _cell(leaf[f"{part}.name"]) for part in PARTS if f"{part}.name" in leaf}
        row |= {k: _cell(leaf.get(k)) for k in varying}
        numbers = {k: v for k, v in metrics.items() if isinstance(v, int | float) and not isinstance(v, bool)}
        measures |= dict.fromkeys(numbers)
        rows.append(row | {k: v for k, v in numbers.items() if math.isfinite(v)})
    present = {k for row in rows for k in row}
    settings = tuple(k for k in ("task", *PARTS, *varying) if k in present)
    columns = tuple(k for k in ("run", "task", "seed", *PARTS, *varying, *measures) if k in present)
    kept = tuple(m for m in measures if m in present)
    return Table(columns, settings, kept, tuple(rows), tuple(_groups(rows, settings, kept)))


def _finished(paths: Iterable[str | Path]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and metrics of each finished training; what cannot be read is warned of and left out."""
    for file in sorted({f.resolve() for p in paths for f in Path(p).rglob("metrics.json")}):
        try:
            metrics = json.loads(file.read_text("utf-8"))
        except (OSError, ValueError) as error:
            warnings.warn(f"left out: {file} cannot be read ({error})", stacklevel=3)
            continue
        if isinstance(metrics, dict) and metrics.get("state") == "finished":
            yield file.parent.name, metrics


def _leaves(plain: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted path and value of everything in nested plain data; a list is one value."""
    if isinstance(plain, Mapping):
        for key, value in plain.items():
            yield from _leaves(value, f"{path}.{key}" if path else str(key))
    elif path:
        yield path, plain


def _cell(value: Any) -> Cell:
    return value if isinstance(value, str | int | float) or value is None else json.dumps(value)
