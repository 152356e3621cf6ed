"""What the report shows of songs that were found by their words: each with its score, its matching lines and how to hear it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from .links import web

NOTES = {
    "best_lines": "The score is how unlikely it is that unrelated lines, as many as the song has, come this close: "
    "2 means one in a hundred, 4 one in ten thousand.",
    "published": "The score is the mean cosine of the song's lines among the nearest lines of all songs, as published.",
}


def found(record: Any, folder: Path, link: Callable[[Any, Path], str | None]) -> dict[str, Any] | None:
    """Plain values for the template; None where nothing was looked for. Odd entries are left out.

    >>> found({"query": "rain", "ranking": "published", "songs": []}, Path(), lambda name, folder: None)["query"]
    'rain'
    """
    if not isinstance(record, Mapping):
        return None
    songs = [s for s in record.get("songs") or [] if isinstance(s, Mapping)]
    best = max((_number(s.get("score")) for s in songs), default=0.0)
    index = _map(record.get("index"))
    rows = []
    for place, song in enumerate(songs, 1):
        score = _number(song.get("score"))
        features = _map(song.get("features"))
        url = str(song.get("url") or "")
        rows.append({
            "place": place, "title": str(song.get("title") or "untitled"), "artist": str(song.get("artist") or ""),
            "score": f"{score:.2f}", "share": max(0.0, min(1.0, score / best)) if best > 0 else 0.0,
            "audio": link(song.get("file"), folder), "url": url if web(url) else None,
            "lines": [_line(x) for x in song.get("lines") or [] if isinstance(x, Mapping)],
            "features": ", ".join(f"{k} {_number(v):.2f}" for k, v in features.items()),
        })  # fmt: skip
    model = _map(index.get("embedder"))
    return {
        "query": str(record.get("query") or ""), "rule": str(record.get("ranking") or ""), "songs": rows,
        "note": NOTES.get(str(record.get("ranking")), ""),
        "about": f"Of {_number(index.get('songs')):,.0f} songs with {_number(index.get('lines')):,.0f} lines, "
        f"by {model.get('name', '?')}.",
    }  # fmt: skip


def _line(line: Mapping[str, Any]) -> dict[str, Any]:
    cosine = _number(line.get("cosine"))
    return {"text": str(line.get("text") or ""), "share": max(0.0, min(1.0, cosine)), "cosine": f"{cosine:.2f}"}


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else 0.0


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
