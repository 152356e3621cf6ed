"""Many runs as one table: what was set, what was chosen and how it scored, and means over seeds with their intervals."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import StoreError
from .record import load_record

SLOTS = ("song", "cover", "motion", "stylizer", "genre")
_NOT_SETTINGS = ("topic", "seed", "output", "store")
_FORMULA = ("=", "+", "-", "@")
_RESAMPLES = 10_000
Cell = str | int | float | None


@dataclass(frozen=True)
class Table:
    """`rows`: one per run that finished or failed, by column; a failed one says why.

    `groups`: per column (mean, low, high) over the finished runs that differ in the seed only.

    `settings` names the columns that tell groups apart, `measures` those that are averaged.
    """

    columns: tuple[str, ...]
    settings: tuple[str, ...]
    measures: tuple[str, ...]
    rows: tuple[Mapping[str, Cell], ...]
    groups: tuple[Mapping[str, Any], ...]


def table(paths: Iterable[str | Path]) -> Table:
    """All finished and failed runs in the given folders and below them, oldest first; a folder named twice counts once.

    Columns: run, topic, seed, the part in every slot, every other setting in which the runs differ, the chosen
    candidates' raw scores and totals, the genre, the seconds, and why one failed.
    Runs that differ in nothing but the seed make a group.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "run.json").write_text('{"state": "finished", "name": "a", "topic": "sea", "seed": 1, "seconds": 2.5}')
    >>> print(as_csv(table([folder])), end="")
    row,run,topic,seed,seconds
    run,a,sea,1,2.5
    """
    records = _ended(paths)
    leaves = [dict(_leaves(r.get("config"))) for r in records]
    varying = sorted(k for k in {k for leaf in leaves for k in leaf} if len({json.dumps(x.get(k)) for x in leaves}) > 1)
    varying = [k for k in varying if k.split(".")[0] not in _NOT_SETTINGS and not k.endswith(".name")]
    rows = [_row(r, leaf, varying) for r, leaf in zip(records, leaves, strict=True)]
    present = {k for row in rows for k in row}
    parts = [s for s in SLOTS if s in present]
    scores = list(dict.fromkeys(k for row in rows for k in row if k.startswith(("song: ", "cover: "))))
    columns = ["run", "topic", "seed", *parts, *varying, *sorted(scores, key=_by_slot)]
    columns = [c for c in [*columns, "genre found", "seconds", "failed"] if c in present]
    settings = ("topic", *parts, *varying)
    measures = tuple(c for c in columns if c in scores or c == "seconds")
    return Table(tuple(columns), settings, measures, tuple(rows), tuple(_groups(rows, settings, measures)))


def as_csv(found: Table) -> str:
    """Comma-separated text: one line per run, then three per group (mean, low, high) with the same columns.

    Text that a spreadsheet would run as a formula (it begins with =, +, -, @) gets an apostrophe in front.
    """
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\n").writerow
    write(["row", *map(_plain, found.columns)])
    for row in found.rows:
        write(["run", *(_csv(row.get(c)) for c in found.columns)])
    for group in found.groups:
        for k, kind in enumerate(("mean", "low", "high")):
            cells = [group[c][k] if c in found.measures and group[c] else _csv(group.get(c)) for c in found.columns]
            write([kind, *cells])
    return out.getvalue()


def as_markdown(found: Table) -> str:
    """A table of runs and, where a group has several seeds, a table of means with 95 % intervals, as Markdown."""
    if not found.rows:
        return "No finished runs there."
    text = _grid(found.columns, [[_short(row.get(c)) for c in found.columns] for row in found.rows])
    if found.groups:
        shown = [c for c in ("seeds", *found.columns) if c not in ("run", "seed", "genre found")]
        cells = [[_interval(g[c]) if c in found.measures else _short(g.get(c)) for c in shown] for g in found.groups]
        text += "\nMeans over seeds, with 95 % bootstrap intervals:\n\n" + _grid(shown, cells)
    return text


def interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Mean and the 2.5th and 97.5th percentile of the means of 10,000 seeded resamples (Efron 1979, percentile method).

    >>> interval([1.0, 1.0, 1.0])
    (1.0, 1.0, 1.0)
    """
    x = np.sort(np.asarray(values, np.float64))
    picks = np.random.default_rng(0).integers(0, len(x), (_RESAMPLES, len(x)))
    low, high = np.percentile(x[picks].mean(axis=1), [2.5, 97.5])
    return float(x.mean()), float(low), float(high)


def _ended(paths: Iterable[str | Path]) -> list[dict[str, Any]]:
    found = [f for p in paths for f in Path(p).rglob("run.json") if ".store" not in f.relative_to(p).parts]
    files = {os.path.realpath(f.parent): f for f in found}
    records = []
    for _, file in sorted(files.items()):
        try:
            record = load_record(file.parent)
        except StoreError as error:
            warnings.warn(f"left out: {error}", stacklevel=3)
            continue
        if record.get("state") in ("finished", "failed"):
            records.append({**record, "name": record.get("name") or file.parent.name})
    return sorted(records, key=lambda r: str(r.get("started") or ""))


def _leaves(plain: Any, path: str = "") -> Iterable[tuple[str, Any]]:
    """Dotted path and value of everything in nested plain data; a list is one value."""
    if isinstance(plain, Mapping):
        for key, value in plain.items():
            yield from _leaves(value, f"{path}.{key}" if path else str(key))
    elif path:
        yield path, plain


def _row(record: Mapping[str, Any], leaves: Mapping[str, Any], varying: Sequence[str]) -> dict[str, Cell]:
    row: dict[str, Cell] = {k: _cell(record[k]) for k in ("topic", "seed", "seconds") if record.get(k) is not None}
    row["run"] = str(record["name"])
    row.update({slot: _cell(leaves[f"{slot}.name"]) for slot in SLOTS if f"{slot}.name" in leaves})
    row.update({k: _cell(leaves.get(k)) for k in varying})
    if record.get("state") == "failed":
        row["failed"] = str(record.get("error") or "no reason was written down")
    for slot, choice in (record.get("choices") or {}).items():
        for candidate in choice.get("candidates") or []:
            if candidate.get("index") == choice.get("chosen"):
                scores = {**(candidate.get("scores") or {}), "total": candidate.get("total")}
                row.update({f"{slot}: {k}": v for k, v in scores.items() if isinstance(v, int | float)})
    if record.get("genre"):
        row["genre found"] = _cell(record["genre"].get("chosen"))
    return row


def _groups(
    rows: Sequence[Mapping[str, Cell]], settings: Sequence[str], measures: Sequence[str]
) -> Iterable[dict[str, Any]]:
    members: dict[str, list[Mapping[str, Cell]]] = {}
    for row in (r for r in rows if "failed" not in r):
        members.setdefault(json.dumps([row.get(s) for s in settings]), []).append(row)
    for group in members.values():
        seeds = {row.get("seed"): row for row in group}  # a seed that was run again counts once, its last run
        if len(seeds) < 2:
            continue
        summary: dict[str, Any] = {"run": f"{len(seeds)} seeds", "seeds": len(seeds)}
        summary.update({s: group[0].get(s) for s in settings})
        for m in measures:
            values = [v for row in seeds.values() if isinstance(v := row.get(m), int | float) and math.isfinite(v)]
            summary[m] = interval(values) if values else None
        yield summary


def _by_slot(name: str) -> tuple[bool, bool]:
    return not name.startswith("song: "), name.endswith(": total")


def _cell(value: Any) -> Cell:
    return value if isinstance(value, str | int | float) or value is None else json.dumps(value)


def _plain(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _csv(value: Cell) -> Cell:
    if not isinstance(value, str):
        return value
    text = _plain(value)
    return "'" + text if text.startswith(_FORMULA) else text


def _short(value: Cell) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        text = _plain(value).replace("\\", "\\\\").replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        return "".join("\\" + c if c in "|`*[]" else c for c in text)
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _interval(found: tuple[float, float, float] | None) -> str:
    return "" if found is None else f"{found[0]:.3g} ({found[1]:.3g} to {found[2]:.3g})"


def _grid(columns: Sequence[str], cells: Sequence[Sequence[str]]) -> str:
    lines = [[_short(c) for c in columns], ["---"] * len(columns), *cells]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)
