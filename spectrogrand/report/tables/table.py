"""Many runs as one table: what was set, what was chosen and how it scored, and means over seeds with their intervals."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...statistics.intervals import mean_interval
from ..values import mapping
from .rows import (
    OUTCOMES,
    SLOTS,
    Cell,
    leaves_of,
    make_row,
    notes_on,
    read_finished,
    read_unfinished,
    varying_settings,
)  # fmt: skip

_FORMULA = ("=", "+", "-", "@")


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
    notes: tuple[str, ...] = ()
    """What a reader must know: mixed versions, changed reference sets, jobs of a sweep that are not done."""
    folders: tuple[str, ...] = ()
    """Of each row's run."""
    configs: tuple[Mapping[str, Any], ...] = ()
    """Every setting of each row's run, by its dotted key."""


def table(paths: Iterable[str | Path]) -> Table:
    """All finished and failed runs in the given folders and below them, oldest first; a folder named twice counts once.

    Columns: run, topic, seed, the part in every slot, every other setting in which the runs differ, the chosen
    candidates' raw scores and totals (a column for each rule where rules differ), what `evaluate` measured, the genre, the share
    of results that were found in the store, and the seconds of runs and steps in which all was made. Runs that differ in
    nothing but the seed make a group. A failed run is a row with its reason.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "run.json").write_text('{"state": "finished", "name": "a", "topic": "sea", "seed": 1, "seconds": 2.5}')
    >>> print(as_csv(table([folder])), end="")
    row,run,topic,seed,seconds
    run,a,sea,1,2.5
    """
    paths = list(paths)
    records = read_finished(paths)
    leaves = [dict(leaves_of(r.get("config"))) for r in records]
    varying = varying_settings(leaves)
    rules = {str(c.get("rule")) for r in records for c in mapping(r.get("choices")).values()} - {"given"}
    rows = [make_row(r, leaf, varying, len(rules) > 1) for r, leaf in zip(records, leaves, strict=True)]
    present = dict.fromkeys(k for row in rows for k in row)
    parts = [s for s in SLOTS if s in present]
    timed = [k for k in present if k.endswith(": seconds")]
    outcomes = [k for k in present if k.rpartition(": ")[2] in OUTCOMES]
    scores = [k for k in present if k.startswith(("song: ", "cover: ")) and k not in timed]
    columns = ["run", "topic", "seed", *parts, *varying, *sorted(scores, key=_by_slot), *outcomes]
    columns = [c for c in [*columns, "genre found", "reused", "seconds", *timed, "failed"] if c in present]
    settings = ("topic", *parts, *varying)
    measures = tuple(c for c in columns if c in {*scores, *outcomes, *timed, "seconds"})
    notes = (*notes_on(records), *read_unfinished(paths))
    return Table(
        tuple(columns), settings, measures, tuple(rows), tuple(_groups(rows, settings, measures)), notes,
        tuple(str(r["folder"]) for r in records), tuple(leaves),
    )  # fmt: skip


def as_csv(found: Table) -> str:
    """Comma-separated text: one line per run, then three per group (mean, low, high) with the same columns.

    Text that a spreadsheet would run as a formula (it begins with =, +, -, @) gets an apostrophe in front.
    """
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\n").writerow
    write(["row", *map(_plain, found.columns)])
    for row in found.rows:
        write(["run", *(escape_csv(row.get(c)) for c in found.columns)])
    for group in found.groups:
        for k, kind in enumerate(("mean", "low", "high")):
            cells = [
                group[c][k] if c in found.measures and group[c] else escape_csv(group.get(c)) for c in found.columns
            ]
            write([kind, *cells])
    return out.getvalue()


def as_markdown(found: Table) -> str:
    """A table of runs and, where a group has several seeds, a table of means with 95 % intervals, as Markdown."""
    notes = "".join(f"\n- {escape_markdown(note)}" for note in found.notes)
    if not found.rows:
        return "No finished runs there." + (notes and "\n" + notes + "\n")
    columns = [c for c in found.columns if not c.endswith(": seconds")]
    text = _grid(columns, [[escape_markdown(row.get(c)) for c in columns] for row in found.rows])
    if found.groups:
        shown = [c for c in ("seeds", *columns) if c not in ("run", "seed", "genre found", "reused")]
        cells = [
            [_interval(g[c]) if c in found.measures else escape_markdown(g.get(c)) for c in shown] for g in found.groups
        ]
        text += "\nMeans over seeds, with 95 % intervals (Student's t):\n\n" + _grid(shown, cells)
    return text + (notes and notes + "\n")


def interval(values: Sequence[float] | np.ndarray) -> tuple[float, float, float]:
    """Mean and Student's t interval of it: see `spectrogrand.statistics.intervals.mean_interval`.

    >>> interval([1.0, 1.0, 1.0])
    (1.0, 1.0, 1.0)
    """
    return mean_interval(values)


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
    return not name.startswith("song: "), ": total" in name


def _plain(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def escape_csv(value: Cell) -> Cell:
    """A cell for a spreadsheet, which must not run it as a formula."""
    if not isinstance(value, str):
        return value
    text = _plain(value)
    return "'" + text if text.startswith(_FORMULA) else text


def escape_markdown(value: Cell) -> str:
    """A cell that cannot break a table of Markdown."""
    if value is None:
        return ""
    if isinstance(value, str):
        text = _plain(value).replace("\\", "\\\\").replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        return "".join("\\" + c if c in "|`*[]" else c for c in text)
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _interval(found: tuple[float, float, float] | None) -> str:
    return "" if found is None else f"{found[0]:.3g} ({found[1]:.3g} to {found[2]:.3g})"


def _grid(columns: Sequence[str], cells: Sequence[Sequence[str]]) -> str:
    lines = [[escape_markdown(c) for c in columns], ["---"] * len(columns), *cells]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)
