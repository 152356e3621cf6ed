"""What is said when a run ends: its videos, what was understood, and what one can do next."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .values import finite, items, mapping, seconds
from .words import tell_words


def next_steps(record: Mapping[str, Any], folder: Path) -> list[tuple[str, str]]:
    """(what it gives, the command) of things to do with a finished run, the nearest first.

    >>> next_steps({"config": {"seed": 3}, "choices": {"song": {"chosen": 0}}}, Path("outputs/a"))[0]
    ('another song', 'spectrogrand again outputs/a seed=4')
    """
    config, choices = mapping(record.get("config")), mapping(record.get("choices"))
    run = f"spectrogrand again {shlex.quote(str(folder))}"
    seed = f"seed={int(finite(config.get('seed')) or 0) + 1}"
    made = [slot for slot in ("song", "cover") if slot in choices and mapping(choices[slot]).get("rule") != "given"]
    steps = [(f"another {' and '.join(made) or 'one'}", f"{run} {seed}")]
    if "song" in choices and "cover" in made:
        steps.append(("another cover for this song", f"{run} keep=song {seed}"))
    for slot in made:
        other = _runner_up(mapping(choices[slot]))
        if other is not None:
            steps.append((f"the same with {slot} {other}", f"{run} {slot}={other}"))
    if record.get("videos"):
        wanted = "9:16" if config.get("shape") != "9:16" else "16:9"
        # not keep=cover: a cover that is made again is painted in the new shape, one that is kept is cut to it
        steps.append((f"the same in {wanted}", f"{run} shape={wanted}"))
    return steps


def understood(record: Mapping[str, Any]) -> str:
    """What a run took its topic and its song for, in a line; empty where it says nothing of it.

    >>> understood({"genre": {"chosen": "bass"}, "choices": {}})
    'bass house'
    """
    choices = mapping(record.get("choices"))
    song, cover = (_chosen(mapping(choices.get(slot))) for slot in ("song", "cover"))
    plan, brief = mapping(song.get("plan")), mapping(cover.get("brief"))
    told = []
    if mapping(record.get("genre")).get("chosen"):
        told.append(f"{mapping(record['genre'])['chosen']} house")
    if finite(plan.get("tempo")):
        told.append(f"{plan['tempo']:g} BPM")
    if plan.get("key"):
        told.append(f"in {plan['key']} {plan.get('mode') or ''}".strip())
    if brief.get("colour") and brief.get("word"):
        told.append(f"a {brief['colour']} cover that {brief['word']}")
    if words := tell_words(cover.get("notes")):
        told.append(f"words {words}")
    return ", ".join(told)


def closing(record: Mapping[str, Any], folder: Path) -> str:
    """The lines that end a run on the command line."""
    lines = [f"made in {seconds(record.get('seconds'))}:"]
    lines += [f"  {name:<16} {folder / str(file)}" for name, file in mapping(record.get("videos")).items()]
    lines.append(f"  {'page':<16} {folder / 'report.html'}")
    if told := understood(record):
        lines.append(f"understood: {told}")
    steps = next_steps(record, folder)[:3]
    width = max(len(what) for what, _ in steps)
    lines += ["next:", *(f"  {what:<{width}}  {command}" for what, command in steps)]
    return "\n".join(lines)


def main_video(record: Mapping[str, Any], folder: Path) -> Path:
    """The video that is opened: the one that moves most; the page where there is none."""
    videos = mapping(record.get("videos"))
    for name in ("motion", "visualizer", "music_visuals", *videos):
        if name in videos:
            return folder / str(videos[name])
    return folder / "report.html"


def _chosen(choice: Mapping[str, Any]) -> Mapping[str, Any]:
    rows = [mapping(row) for row in items(choice.get("candidates"))]
    return next((row for row in rows if row.get("index") == choice.get("chosen")), {})


def _total(row: Mapping[str, Any]) -> float:
    found = finite(row.get("total"))
    return -1e9 if found is None else found


def _runner_up(choice: Mapping[str, Any]) -> int | None:
    """The best other candidate that can be used."""
    rows = [mapping(row) for row in items(choice.get("candidates"))]
    usable = [r for r in rows if not r.get("failed") and r.get("file") and isinstance(r.get("index"), int)]
    others = [r for r in usable if r["index"] != choice.get("chosen")]
    return int(max(others, key=_total)["index"]) if others else None
