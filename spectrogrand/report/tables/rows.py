"""Finished runs as rows: what was set, what was chosen and how it scored, how the videos came out, and what must be said."""

from __future__ import annotations

import json
import math
import os
import warnings
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ...errors import StoreError
from ..record import load_record
from ..values import mapping

SLOTS = ("song", "cover", "motion", "stylizer", "genre")
OUTCOMES = ("edge_ssim", "beat_f1", "consistency", "av_align", "lag")
"""Measures of `spectrogrand evaluate` that stand beside the scores of each video, where it has been run."""
EVALUATION = "evaluation.json"
"""What `spectrogrand evaluate` leaves beside run.json."""
_NOT_SETTINGS = ("topic", "seed", "output", "store")
Cell = str | int | float | None
Record = Mapping[str, Any]


def read_finished(paths: Iterable[str | Path]) -> list[dict[str, Any]]:
    """The records of all finished and failed runs in the folders and below them, oldest first; `folder` is where each lies.

    A folder named twice counts once; a record that cannot be read is left out with a warning.
    """
    found = [f for p in paths for f in Path(p).rglob("run.json") if ".store" not in f.relative_to(p).parts]
    records = []
    for _, file in sorted({os.path.realpath(f.parent): f for f in found}.items()):
        try:
            record = load_record(file.parent)
        except StoreError as error:
            warnings.warn(f"left out: {error}", stacklevel=3)
            continue
        if record.get("state") in ("finished", "failed"):
            records.append({**record, "name": record.get("name") or file.parent.name, "folder": str(file.parent)})
    return sorted(records, key=lambda r: str(r.get("started") or ""))


def read_unfinished(paths: Iterable[str | Path]) -> list[str]:
    """A line for each job of a sweep in these folders that is not done: its number, overrides, state and error."""
    files = {f.resolve() for p in paths for f in Path(p).rglob("sweep.json") if ".store" not in f.relative_to(p).parts}
    lines = []
    for file in sorted(files):
        try:
            jobs = json.loads(file.read_text("utf-8"))["jobs"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            warnings.warn(f"left out: no readable {file} ({error})", stacklevel=3)
            continue
        for job in jobs:
            if job.get("state") != "finished":
                said = f": {job['error']}" if job.get("error") else ""
                lines.append(
                    f"job {job.get('number')} of {file.parent.name} ({job.get('name')}) is {job.get('state')}{said}"
                )
    return lines


def leaves_of(plain: Any, path: str = "") -> Iterable[tuple[str, Any]]:
    """Dotted path and value of everything in nested plain data; a list is one value.

    >>> dict(leaves_of({"song": {"name": "a", "steps": [1, 2]}}))
    {'song.name': 'a', 'song.steps': [1, 2]}
    """
    if isinstance(plain, Mapping):
        for key, value in plain.items():
            yield from leaves_of(value, f"{path}.{key}" if path else str(key))
    elif path:
        yield path, plain


def varying_settings(leaves: Sequence[Mapping[str, Any]]) -> list[str]:
    """Settings in which runs differ, beside topic, seed, the parts' names and where things are kept."""
    every = {k for leaf in leaves for k in leaf}
    varying = sorted(k for k in every if len({json.dumps(x.get(k)) for x in leaves}) > 1)
    return [k for k in varying if k.split(".")[0] not in _NOT_SETTINGS and not k.endswith(".name")]


def make_row(record: Record, leaves: Mapping[str, Any], varying: Sequence[str], several_rules: bool) -> dict[str, Cell]:
    """One run as cells by column.

    A total by one rule is no total by another, so that where rules differ each has a column of its own. `seconds` is there only
    where nothing was found in the store: seconds of a run that found half of its steps say nothing of how long they take.
    """
    row: dict[str, Cell] = {k: to_cell(record[k]) for k in ("topic", "seed") if record.get(k) is not None}
    row["run"] = str(record["name"])
    row.update({slot: to_cell(leaves[f"{slot}.name"]) for slot in SLOTS if f"{slot}.name" in leaves})
    row.update({k: to_cell(leaves.get(k)) for k in varying})
    if record.get("state") == "failed":
        row["failed"] = str(record.get("error") or "no reason was written down")
    for slot, choice in mapping(record.get("choices")).items():
        total = f"total ({choice.get('rule')})" if several_rules else "total"
        for candidate in choice.get("candidates") or []:
            if candidate.get("index") == choice.get("chosen"):
                scores = {**mapping(candidate.get("scores")), total: candidate.get("total")}
                row.update({f"{slot}: {k}": v for k, v in scores.items() if isinstance(v, int | float)})
    row.update(_outcomes(record))
    if record.get("genre"):
        row["genre found"] = to_cell(record["genre"].get("chosen"))
    steps = [s for s in record.get("steps") or [] if isinstance(s, Mapping)]
    reused, made = (sum(int(s.get(k) or 0) for s in steps) for k in ("reused", "made"))
    if reused:
        row["reused"] = round(reused / (reused + made), 4)
    elif isinstance(record.get("seconds"), int | float):
        row["seconds"] = record["seconds"]
    for step in steps:
        if step.get("made") and not step.get("reused"):
            row[f"{step.get('slot')}: seconds"] = step.get("seconds")
    return row


def _outcomes(record: Record) -> dict[str, Cell]:
    """What `spectrogrand evaluate` measured of this run's videos, as long as they are still the same files."""
    try:
        rows = json.loads((Path(str(record.get("folder"))) / EVALUATION).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    files = mapping(record.get("files"))
    out: dict[str, Cell] = {}
    for row in rows if isinstance(rows, list) else []:
        name = str(row.get("video"))
        if mapping(files.get(name)).get("sha256") != row.get("sha256"):
            continue
        for measure in OUTCOMES:
            if isinstance(row.get(measure), int | float) and math.isfinite(row[measure]):
                out[f"{Path(name).stem}: {measure}"] = row[measure]
    return out


def notes_on(records: Sequence[Record]) -> list[str]:
    """What a reader of several runs must know: versions that are mixed, reference sets that changed in between."""
    notes = []
    versions = Counter(str(r["version"]) for r in records if r.get("version"))
    if len(versions) > 1:
        notes.append("mixed versions: " + ", ".join(f"{v} ({n} runs)" for v, n in sorted(versions.items())))
    sets: dict[str, set[str]] = {}
    for record in records:
        for slot, choice in mapping(record.get("choices")).items():
            for name, scorer in mapping(choice.get("scorers")).items():
                reference = mapping(scorer.get("reference"))
                if reference.get("sha256"):
                    sets.setdefault(f"{slot}: {name}", set()).add(str(reference["sha256"]))
    notes += [
        f"{column} was scored against {len(found)} different reference sets ({', '.join(sorted(s[:8] for s in found))}): "
        "compare within one of them"
        for column, found in sorted(sets.items())
        if len(found) > 1
    ]
    return notes


def to_cell(value: Any) -> Cell:
    """A value as a cell: text and numbers as they are, anything else as JSON."""
    return value if isinstance(value, str | int | float) or value is None else json.dumps(value)
