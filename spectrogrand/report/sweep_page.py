"""A sweep as one page that opens from disk: covers, players, every run's cells to sort by, figures, and the comparison."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from .page import templates
from .record import read_record
from .tables.comparison import compare
from .tables.figures import draw_best_of, draw_front, draw_spread
from .tables.formats import HEAD
from .tables.table import Table, table
from .values import mapping

EMBEDDED = 80_000_000
"""Bytes of covers, songs and videos that the page holds in itself; what comes after is linked."""
KINDS = {".png": "image/png", ".wav": "audio/wav", ".mp4": "video/mp4"}


def write_sweep_page(folder: str | Path, by: str | None = None) -> Path:
    """Write `sweep.html` into a folder of runs; returns its path.

    All text is escaped and nothing is loaded from the network. Covers, songs and two videos a run are held in the page itself
    up to 80 MB, later ones are linked.

    Args:
        folder: of a sweep, or of any runs.
        by: settings to compare, "stylizer" or "stylizer,selection"; None: those in which the runs differ, topic and seed aside.

    Raises:
        MediaError: the page cannot be written. UnknownName: no run has such a setting.
    """
    from ..files import replacing

    home = Path(folder)
    found = table([home])
    text = templates().get_template("sweep.html.j2").render(_view(home, found, by))
    with replacing(home / "sweep.html") as draft:
        draft.write_text(text, encoding="utf-8")
    return home / "sweep.html"


def _view(home: Path, found: Table, by: str | None) -> dict[str, Any]:
    keys = by.split(",") if by else _varying(found)
    columns = [c for c in found.columns if not c.endswith(": seconds") and _differs(found, c)]
    budget = [EMBEDDED]
    runs = []
    for row, folder in zip(found.rows, found.folders, strict=True):
        runs.append({
            "name": row.get("run"), **_media(home.resolve(), Path(folder), budget),
            "cells": [_cell(row.get(c)) for c in columns],
        })  # fmt: skip
    comparison, notes = _compared(found, keys) if found.rows and keys else ([], list(found.notes))
    total = f"{len(found.rows)} finished runs" + (f", compared by {' and '.join(keys)}" if keys else "")
    return {
        "title": home.resolve().name, "summary": total, "notes": notes, "figures": _figures(found, keys),
        "comparison": comparison, "columns": columns, "runs": runs,
    }  # fmt: skip


def _varying(found: Table) -> list[str]:
    """Settings with few enough values to compare."""
    some = [k for k in found.settings if k != "topic" and _differs(found, k)]
    return [k for k in some if len({str(r.get(k)) for r in found.rows}) <= max(2, len(found.rows) // 2)][:2]


def _differs(found: Table, column: str) -> bool:
    return column == "run" or len({json.dumps(r.get(column)) for r in found.rows}) > 1


def _compared(found: Table, keys: list[str]) -> tuple[list[dict[str, Any]], list[str]]:
    done = compare(found, keys)
    head = [", ".join(keys), "runs", *done.measures]
    rows = [[_cell(name), _cell(g["runs"]), *(_ends(g[m]) for m in done.measures)] for name, g in done.groups.items()]
    tables = [{"title": "Means with 95 % intervals", "head": head, "rows": rows}]
    if done.differences:
        shown = sorted(done.differences, key=lambda d: d.p_holm)
        cells = [
            [
                _cell(d.measure), _cell(d.a), _cell(d.b), _cell(d.mean), _ends((d.mean, d.low, d.high), False), _cell(d.p),
                _cell(d.p_holm), _cell(d.effect), _cell(d.pairs),
            ]
            for d in shown
        ]  # fmt: skip
        tables.append(
            {"title": f"Differences at the same {' and '.join(done.pair)}", "head": list(HEAD), "rows": cells}
        )
    return tables, list(done.notes)


def _figures(found: Table, keys: list[str]) -> list[str]:
    out = []
    labels = [", ".join(str(r.get(k)) for k in keys) or "all" for r in found.rows]
    totals = [m for m in found.measures if ": " in m and not m.endswith("seconds") and _differs(found, m)]
    for measure in totals[:6]:
        groups: dict[str, list[float]] = {}
        for label, row in zip(labels, found.rows, strict=True):
            value = row.get(measure)
            if isinstance(value, int | float) and np.isfinite(value):
                groups.setdefault(label, []).append(float(value))
        if groups:
            out.append(draw_spread(groups, measure))
    candidates: dict[str, list[tuple[Mapping[str, Any], int | None]]] = {}
    for folder in found.folders:
        for slot, choice in mapping(read_record(Path(folder)).get("choices")).items():
            candidates.setdefault(slot, []).append((choice, choice.get("chosen")))
    for slot, choices in candidates.items():
        lists = [[c["total"] for c in choice["candidates"] if c.get("total") is not None] for choice, _ in choices]
        if max(map(len, lists), default=0) > 1 and len({c.get("rule") for c, _ in choices}) == 1:
            out.append(draw_best_of(lists, f"{slot}: expected best total of N candidates"))
        rows = [
            (c["scores"], c["index"] == won) for choice, won in choices for c in choice["candidates"] if c.get("scores")
        ]
        names = sorted({k for scores, _ in rows for k, v in scores.items() if v is not None})[:2]
        both = [(s, won) for s, won in rows if all(s.get(n) is not None for n in names)]
        if len(names) == 2 and len(both) > 2:
            points = np.array([[s[n] for n in names] for s, _ in both], np.float64)
            front = draw_front(points, np.array([won for _, won in both]), (names[0], names[1]), f"{slot}: candidates")
            out.append(front)
    return out


def _media(home: Path, folder: Path, budget: list[int]) -> dict[str, Any]:
    inside = folder.is_relative_to(home)
    record = read_record(folder)

    def source(name: str) -> str | None:
        path = folder / name
        if not path.is_file() or path.is_symlink() or not path.resolve().is_relative_to(folder.resolve()):
            return None
        size = path.stat().st_size
        if size <= budget[0]:
            budget[0] -= size
            return f"data:{KINDS[path.suffix]};base64,{b64encode(path.read_bytes()).decode()}"
        return quote(path.relative_to(home).as_posix()) if inside else None

    names = [str(v) for v in mapping(record.get("videos")).values() if Path(str(v)).suffix == ".mp4"]
    shown = sorted(names, key=lambda n: (n == "static.mp4", n))[:2]
    videos = [{"name": Path(n).stem.replace("_", " "), "src": src} for n in shown if (src := source(n))]
    report = quote((folder / "report.html").relative_to(home).as_posix()) if inside else None
    return {
        "cover": source("cover.png"), "song": None if videos else source("song.wav"), "videos": videos,
        "report": report if (folder / "report.html").is_file() else None,
    }  # fmt: skip


def _cell(value: Any) -> dict[str, Any]:
    if isinstance(value, float):
        return {"text": "" if np.isnan(value) else f"{value:.4g}", "value": "" if np.isnan(value) else value}
    return {"text": "" if value is None else value, "value": "" if value is None else value}


def _ends(found: tuple[float, float, float] | None, with_mean: bool = True) -> dict[str, Any]:
    if found is None:
        return {"text": "", "value": ""}
    mean, low, high = found
    ends = "" if np.isnan(low) else f"{low:.3g} to {high:.3g}"
    return {"text": f"{mean:.3g}" + (f" ({ends})" if ends else "") if with_mean else ends, "value": mean}
