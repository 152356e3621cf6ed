"""What the report shows of a music video beyond its file: the storyboard, and how well it keeps time."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

MEASURES = {
    "beat_f1": ("beat F1", "visual events within 70 ms of a beat"),
    "consistency": ("consistency", "1 / (1 + warping distance) of strong beats, as published"),
    "av_align": ("AV-Align", "onsets and peaks of motion within a frame"),
}


def storyboard(
    record: Mapping[str, Any], folder: Path, link: Callable[[Any, Path], str | None]
) -> list[dict[str, Any]]:
    """Pictures with their captions, in order; odd rows are left out."""
    rows = record.get("storyboard")
    if not isinstance(rows, Sequence) or isinstance(rows, str):
        return []
    return [
        {"url": link(row.get("file"), folder), "caption": str(row.get("caption") or ""),
         "movement": str(row["movement"]) if row.get("movement") else "", "number": k + 1}
        for k, row in enumerate(rows) if isinstance(row, Mapping)
    ]  # fmt: skip


def synchrony(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A row per video and measure: before, after and what chance gives, as text.

    >>> found = {"value": 0.5, "low": 0.4, "high": 0.6, "shuffled": 0.3}
    >>> synchrony({"synchrony": {"v": {"before": {"beat_f1": found}, "after": {"beat_f1": found}}}})[0]["after"]
    '0.50 (0.40 to 0.60)'
    """
    videos = record.get("synchrony")
    rows = []
    for video, parts in videos.items() if isinstance(videos, Mapping) else ():
        sides = [_map(_map(parts).get(when)) for when in ("before", "after")]
        for measure, (title, note) in MEASURES.items():
            before, after = (_map(side.get(measure)) for side in sides)
            if before and after:
                rows.append({
                    "video": str(video).replace("_", " "), "title": title, "note": note, "before": _interval(before),
                    "after": _interval(after), "chance": _short(after.get("shuffled")),
                })  # fmt: skip
    return rows


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _interval(found: Mapping[str, Any]) -> str:
    value, low, high = (_short(found.get(k)) for k in ("value", "low", "high"))
    return value if "–" in (low, high) else f"{value} ({low} to {high})"


def _short(value: Any) -> str:
    return f"{value:.2f}" if isinstance(value, int | float) and math.isfinite(value) else "–"
