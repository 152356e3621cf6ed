"""One job of a sweep, in whichever process the launcher runs it: its state is written before, its outcome after."""

from __future__ import annotations

import json
import math
import os
import shutil
import sys
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import ConfigError, SpectrograndError
from ..store import write_json
from .sweep import Sweep


def run_job(sweep: Sweep, number: int, config: Mapping[str, Any], name: str, overrides: tuple[str, ...]) -> float:
    """Run one job where nobody else does.

    Its errors are written down and told, never raised: the others go on.

    Returns:
        The objective, not a number where the job failed, was left to another process, or has none.
    """
    with sweep.holding(number) as mine:
        if not mine:
            return math.nan
        return _held(sweep, number, config, name, overrides)


def _held(sweep: Sweep, number: int, config: Mapping[str, Any], name: str, overrides: tuple[str, ...]) -> float:
    from ..pipelines.execute import execute

    file, begun = sweep.state_file(number), time.monotonic()
    before = _told(file)
    if before.get("state") == "finished":
        return _number(before.get("objective"))
    state: dict[str, Any] = {
        "number": number, "name": name, "overrides": list(overrides), "state": "running", "pid": os.getpid(), "error": None,
        "attempts": int(before.get("attempts") or 0) + 1,
    }  # fmt: skip
    write_json(file, state)
    _remove_unfinished(sweep.folder, name)
    try:
        report = execute({**config, "output": str(sweep.folder)}, folder=name)
    except KeyboardInterrupt:
        write_json(file, {**state, "state": "interrupted"})
        raise
    except Exception as error:  # a defect of one plug-in ends its job, not the sweep
        ours = isinstance(error, SpectrograndError)
        said = " ".join((str(error) if ours else f"{type(error).__name__}: {error}").split())
        if not ours:
            file.with_suffix(".txt").write_text(traceback.format_exc(), "utf-8")
        write_json(file, {**state, "state": "failed", "error": said, "seconds": _since(begun)})
        sys.stderr.write(f"spectrogrand: job {number} ({name}) failed: {said}\n")
        return math.nan
    found = math.nan
    try:
        found = objective(json.loads((report.parent / "run.json").read_text("utf-8")), sweep.fixed.get("objective"))
    except ConfigError as error:
        sys.stderr.write(f"spectrogrand: job {number} ({name}): {error}\n")
    write_json(file, {
        **state, "state": "finished", "folder": report.parent.name, "seconds": _since(begun),
        "objective": found if math.isfinite(found) else None,
    })  # fmt: skip
    sys.stdout.write(f"{report}\n")
    sys.stdout.flush()
    return found


def objective(record: Mapping[str, Any], what: str | None) -> float:
    """What a sweeper maximises: a scorer's mean over a run's candidates, or the mean total of what was chosen.

    Args:
        record: the content of run.json.
        what: "song.novelty", "cover.aesthetics"; None: the chosen candidates' totals.

    Returns:
        Not a number where there is no such finite score.

    Raises:
        ConfigError: the run has no such scorer.

    >>> rows = [{"index": 0, "total": 0.5, "scores": {"novelty": 0.25}}, {"index": 1, "total": 0.1, "scores": {"novelty": 0.75}}]
    >>> record = {"choices": {"song": {"chosen": 0, "candidates": rows}}}
    >>> objective(record, "song.novelty"), objective(record, None)
    (0.5, 0.5)
    """
    choices = record.get("choices") or {}
    if what is None:
        totals = [
            _number(row.get("total"))
            for choice in choices.values()
            for row in choice["candidates"]
            if row["index"] == choice["chosen"]
        ]
        finite = [t for t in totals if math.isfinite(t)]
        return sum(finite) / len(finite) if finite else math.nan
    slot, _, scorer = what.partition(".")
    rows = choices.get(slot, {}).get("candidates") or []
    if not any(scorer in (row.get("scores") or {}) for row in rows):
        known = [f"{s}.{k}" for s, c in choices.items() for k in (c["candidates"][0].get("scores") or {})]
        raise ConfigError(f"no objective {what!r} in this run: one of {', '.join(known) or 'none'}")
    values = [_number(row["scores"].get(scorer)) for row in rows if row.get("scores")]
    finite = [v for v in values if math.isfinite(v)]
    return sum(finite) / len(finite) if finite else math.nan


def _remove_unfinished(sweep: Path, name: str) -> None:
    """The folder that an attempt of this job left when it was stopped: its finished steps are in the store."""
    for folder in sweep.glob(f"{name}*"):
        if folder.name != name and not folder.name.removeprefix(name).removeprefix("-").isdigit():
            continue
        if folder.is_dir() and not folder.is_symlink() and _told(folder / "run.json").get("state") != "finished":
            shutil.rmtree(folder, ignore_errors=True)


def _told(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else math.nan


def _since(begun: float) -> float:
    return round(time.monotonic() - begun, 3)
