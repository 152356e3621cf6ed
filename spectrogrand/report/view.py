"""What the report's template shows, taken from a run's record: every missing or odd part becomes an empty one."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ..types import GENRES
from .closing import next_steps
from .found import found
from .posters import poster
from .story import storyboard, synchrony
from .values import finite as _float
from .values import items as _list
from .values import largest as _largest
from .values import mapping as _map
from .values import number, seconds
from .values import share as _share
from .words import tell_chosen, tell_words

ACCENTS = {
    "future": ("#5b8dff", "#ff5d73"), "bass": ("#b07cff", "#7a5bff"), "progressive": ("#ff9d3c", "#ffd257"),
    "melodic": ("#4fd6a0", "#6fc3ff"),
}  # fmt: skip
"""Two colours per genre, after the published cover colours, light enough to be seen on a dark page."""
VIDEOS = {
    "static": ("Static", "the cover and the song"),
    "dynamic_content": ("Cover as content", "the cover, painted by the spectrogram"),
    "dynamic_style": ("Cover as style", "the spectrogram, painted by the cover"),
    "motion": ("Motion", "the cover, moved by the beat"),
    "visualizer": ("Latent walk", "the song's pitches choose the classes, its loudness moves the noise"),
    "music_visuals": ("Music visuals", "what the music sounds like, painted and moved on by its energy"),
}
RULES = {
    "quantile": "A bar is the score's quantile among the scorer's reference items (among the candidates where it has "
    "none); the numbers are the raw score and that quantile. The total is the weighted mean of the bars.",
    "published": "Raw scores with equal weights, as published; a bar is the score relative to the best candidate.",
    "ranks": "A bar is the share of the other candidates that this one beats; the number is the raw score.",
    "pareto": "No other candidate beats the chosen one in every score; a bar is the share of the others that it beats.",
}
STATES = {
    "failed": "failed", "interrupted": "was interrupted: run it again, finished steps are reused",
    "running": "is not finished",
}  # fmt: skip


def view(record: Mapping[str, Any], folder: Path, posters: bool = True) -> dict[str, Any]:
    """Everything that the template names; files are linked only where they lie inside `folder`.

    Args:
        posters: put a frame of each video into the page, which takes a moment each.
    """
    choices = _map(record.get("choices"))
    genre = _map(record.get("genre"))
    chosen_song = _chosen(_map(choices.get("song")))
    plan = _map(chosen_song.get("plan"))
    files = _map(record.get("files"))
    return {
        "topic": str(record.get("topic") or record.get("name") or "untitled"),
        "accent": ACCENTS.get(str(genre.get("chosen")), ("#8ea2ff", "#e29bff")),
        "found": found(record.get("found"), folder, link),
        "words": tell_chosen(record),
        "caption": str(_map(record.get("caption")).get("text") or ""),
        "caption_how": str(_map(record.get("caption")).get("how") or ""),
        "state": str(record.get("state") or "running"),
        "state_text": STATES.get(str(record.get("state")), STATES["running"]),
        "error": record.get("error"),
        "warnings": [str(w) for w in _list(record.get("warnings"))],
        "song": _main("song", files, chosen_song, folder),
        "cover": _main("cover", files, _chosen(_map(choices.get("cover"))), folder),
        "facts": _facts(record, genre, plan),
        "videos": _videos(_map(record.get("videos")), folder, posters),
        "plan": _plan(plan),
        "classes": [str(_map(c).get("name")) for c in _list(_map(record.get("classes")).get("chosen"))],
        "storyboard": storyboard(record, folder, link),
        "synchrony": synchrony(record),
        "choices": [_choice(slot, _map(choice), folder) for slot, choice in choices.items()],
        "genre": _genre(genre),
        "steps": _steps(_list(record.get("steps"))),
        "parts": [_part(slot, _map(part)) for slot, part in _map(record.get("parts")).items()],
        "again": _again(record),
        "commands": [
            {"what": what[:1].upper() + what[1:], "line": line} for what, line in next_steps(record, Path(folder.name))
        ],
        "config": json.dumps(record.get("config") or {}, indent=2, ensure_ascii=False, default=str),
        "files": [_file(name, _map(entry), folder) for name, entry in files.items()],
        "footer": f"Made by spectrogrand {record.get('version') or ''}".strip(),
    }


def link(name: Any, folder: Path) -> str | None:
    """A relative URL of a file of the run; None where the name is no file inside `folder`.

    >>> link("../secret.png", Path()), link("https://example.org/a.png", Path()), link(None, Path())
    (None, None, None)
    """
    if not isinstance(name, str) or not name or "\x00" in name:
        return None
    path = (folder / name).resolve()
    home = folder.resolve()
    if not path.is_relative_to(home) or not path.is_file():
        return None
    return "./" + quote(Path(name).as_posix())


def _chosen(choice: Mapping[str, Any]) -> Mapping[str, Any]:
    for candidate in _list(choice.get("candidates")):
        if _map(candidate).get("index") == choice.get("chosen"):
            return _map(candidate)
    return {}


def _main(stem: str, files: Mapping[str, Any], chosen: Mapping[str, Any], folder: Path) -> str | None:
    named = [n for n in files if Path(n).parent == Path(".") and Path(n).stem == stem]
    return next((url for n in [*named, chosen.get("file")] if (url := link(n, folder))), None)


def _facts(record: Mapping[str, Any], genre: Mapping[str, Any], plan: Mapping[str, Any]) -> list[str]:
    facts = []
    if genre.get("chosen"):
        facts.append(f"{genre['chosen']} house" if genre["chosen"] in GENRES else str(genre["chosen"]))
    if _float(plan.get("tempo")):
        facts.append(f"{plan['tempo']:g} BPM")
    if plan.get("key"):
        facts.append(f"{plan['key']} {plan.get('mode') or ''}".strip())
    facts += [str(f) for f in _list(record.get("facts"))]
    if record.get("seed") is not None:
        facts.append(f"seed {record['seed']}")
    if _float(record.get("seconds")):
        done = "made in" if record.get("state") == "finished" else "ran for"
        facts.append(f"{done} {seconds(record['seconds'])}")
    return facts


def _videos(videos: Mapping[str, Any], folder: Path, posters: bool = True) -> list[dict[str, Any]]:
    shown = []
    for name, file in sorted(videos.items(), key=lambda item: [*VIDEOS, item[0]].index(item[0])):
        url = link(file, folder)
        title, note = VIDEOS.get(name, (name.replace("_", " ").capitalize(), ""))
        if url:
            shown.append(
                {"url": url, "title": title, "note": note, "poster": poster(folder / file) if posters else None}
            )
    return shown


def _plan(plan: Mapping[str, Any]) -> dict[str, Any] | None:
    sections = [_map(s) for s in _list(plan.get("sections"))]
    spans = [(s, _float(s.get("start")), _float(s.get("end"))) for s in sections]
    rows = [
        {"name": s.get("name") or "", "kind": "".join(c for c in str(s.get("name")) if c.isalnum()),
         "grow": f"{end - start:.3f}", "span": f"{start:.1f} – {end:.1f} s"}
        for s, start, end in spans if start is not None and end is not None and end > start
    ]  # fmt: skip
    if not rows:
        return None
    bars = len(_list(plan.get("downbeats")))
    text = [f"{plan['tempo']:g} beats per minute" if _float(plan.get("tempo")) else "", f"{bars} bars" if bars else ""]
    text += [f"in {plan['key']} {plan.get('mode') or ''}".strip() if plan.get("key") else ""]
    return {"sections": rows, "text": ", ".join(t for t in text if t)}


def _choice(slot: str, choice: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    scorers = {k: _map(v) for k, v in _map(choice.get("scorers")).items()}
    rows = [_map(c) for c in _list(choice.get("candidates"))]
    rule = str(choice.get("rule") or "")
    best = {k: _largest(_map(c.get("used")).get(k) for c in rows) if rule == "published" else 1.0 for k in scorers}
    total = _largest(c.get("total") for c in rows) if rule == "published" else 1.0
    candidates = [_candidate(c, choice.get("chosen"), best, total, folder) for c in rows]
    pictures = any(str(c.get("file") or "").endswith((".png", ".jpg", ".jpeg", ".webp")) for c in rows)
    return {
        "slot": slot, "given": rule == "given", "id": "".join(c if c.isalnum() else "-" for c in slot),
        "why": _sentence(slot, str(choice.get("why") or "")),
        "layout": "covers" if pictures else "songs", "rule_note": RULES.get(rule, ""), "candidates": candidates,
        "scorers": [
            {"name": k, "plugin": s.get("plugin") or k, "aspect": s.get("aspect") or "", "reference": _reference(s),
             "weight": f"{_float(s.get('weight')) or 0:g}"}
            for k, s in scorers.items()
        ],
    }  # fmt: skip


def _candidate(
    row: Mapping[str, Any], chosen: Any, best: Mapping[str, float], total: float, folder: Path
) -> dict[str, Any]:
    used, raw, plan, brief = (_map(row.get(k)) for k in ("used", "scores", "plan", "brief"))
    about = [
        f"{plan['tempo']:g} BPM" if _float(plan.get("tempo")) else "",
        _text(plan, "key", "mode"),
        _text(plan, "genre"),
    ]
    about += [
        _text(brief, "colour"),
        _text(brief, "word"),
        f"seed {row['seed']}" if row.get("seed") is not None else "",
    ]
    failed = row.get("failed")
    rows = [
        {"name": k, "raw": number(raw.get(k)), "share": _share(used.get(k), best.get(k, 1.0)),
         "used": f"{counted:.2f}" if (counted := _float(used.get(k))) is not None and counted != raw[k] else None,
         "label": f"{k}: {number(raw.get(k))}, counted as {number(used.get(k))}"}
        for k in raw if not failed or raw[k] is not None
    ]  # fmt: skip
    words = [_text(brief, "topic"), _text(brief, "colour"), _text(brief, "word")]
    return {
        "index": row.get("index", "?"), "url": link(row.get("file"), folder), "chosen": row.get("index") == chosen and not failed,
        "failed": str(failed) if failed else None, "about": " · ".join(a for a in about if a), "rows": rows,
        "words": tell_words(row.get("notes")),
        "arrows": any(r["used"] for r in rows),
        "alt": ": " + ", ".join(w for w in words if w) if any(words) else "",
        "total": number(row["total"]) if _float(row.get("total")) is not None else None,
        "total_share": _share(row.get("total"), total),
    }  # fmt: skip


def _sentence(slot: str, why: str) -> str:
    """Selection speaks of candidates; the page calls them what they are."""
    text = re.sub(r"\bcandidate (?=\d)", f"{slot} ", why)
    return text[:1].upper() + text[1:]


def _text(plain: Mapping[str, Any], *keys: str) -> str:
    return " ".join(str(plain[k]) for k in keys if plain.get(k))


def _reference(scorer: Mapping[str, Any]) -> str:
    reference = _map(scorer.get("reference"))
    return f"{reference.get('name')} ({reference.get('count')} items)" if reference else ""


def _genre(genre: Mapping[str, Any]) -> dict[str, Any] | None:
    shares = {k: v for k, p in _map(genre.get("probabilities")).items() if (v := _float(p)) is not None}
    if not shares:
        return None
    rows = [
        {"name": k, "share": _share(v, 1.0), "text": f"{100 * v:.1f} %", "chosen": k == genre.get("chosen")}
        for k, v in sorted(shares.items(), key=lambda item: -item[1])
    ]  # fmt: skip
    note = f"Named by {genre['plugin']}." if genre.get("plugin") else ""
    if genre.get("none_of_these") is True:
        note += " It sounds like none of these: the chosen one is only the nearest."
    elif (sure := _float(genre.get("confidence"))) is not None:
        note += f" Confidence {100 * sure:.0f} %."
    return {"rows": rows, "note": note.strip()}


def _steps(steps: list[Any]) -> list[dict[str, Any]]:
    rows = [_map(s) for s in steps]
    longest = _largest(s.get("seconds") for s in rows)
    return [
        {"slot": s.get("slot", ""), "name": s.get("name") or "", "made": s.get("made", ""), "reused": s.get("reused", ""),
         "text": seconds(s.get("seconds")), "share": _share(s.get("seconds"), longest)}
        for s in rows
    ]  # fmt: skip


def _part(slot: str, part: Mapping[str, Any]) -> dict[str, Any]:
    weights = [_map(w) for w in _list(part.get("weights"))]
    return {
        "slot": slot, "name": part.get("name") or "", "summary": part.get("summary") or "",
        "paper": part.get("paper") or "", "licence": part.get("licence") or "not stated", "terms": part.get("terms") or "",
        "weights": [f"{_text(w, 'source')} at {_text(w, 'revision')[:12]} ({_text(w, 'licence')})" for w in weights],
    }  # fmt: skip


def _again(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    facts = [("topic", record.get("topic")), ("seed", record.get("seed")), ("spectrogrand", record.get("version"))]
    facts += [("started", record.get("started")), ("time", seconds(record.get("seconds"))), ("run", record.get("name"))]
    facts += [(str(k), v) for k, v in _map(record.get("platform")).items()]
    return [(name, str(value)) for name, value in facts if value is not None]


def _file(name: str, entry: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    size = _float(entry.get("bytes"))
    shown = "–" if size is None else f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.1f} kB"
    return {"name": name, "url": link(name, folder), "size": shown, "sha256": str(entry.get("sha256") or "")}
