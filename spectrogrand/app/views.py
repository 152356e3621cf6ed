"""What the page shows, as escaped HTML from a run's record: where a job stands, what it made, the gallery of past runs."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ..errors import StoreError
from ..report.record import load_record
from ..report.view import view
from .jobs import Job, Jobs, read

STAGES: dict[str, tuple[tuple[str, str], ...]] = {
    "audiovisual": (
        ("song", "Making songs"), ("song scores", "Rating songs"), ("genre", "Hearing the genre"), ("cover", "Drawing covers"),
        ("cover scores", "Rating covers"), ("static video", "Static video"), ("dynamic_content video", "Cover as content"),
        ("dynamic_style video", "Cover as style"), ("motion video", "Motion"),
    ),
    "music_visuals": (
        ("song", "Making songs"), ("song scores", "Rating songs"), ("captioner", "Putting it into words"),
        ("images", "Painting pictures"), ("music_visuals video", "Walking through them"),
    ),
    "latent_visualizer": (
        ("song", "Making songs"), ("vectors", "Following the chords"), ("visualizer video", "Drawing patterns"),
    ),
    "album_cover": (
        ("song", "Hearing the song"), ("genre", "Naming the genre"), ("cover", "Drawing covers"),
        ("cover scores", "Rating covers"),
    ),
    "image_to_music": (
        ("cover", "Reading the picture"), ("captioner", "Finding words"), ("song", "Making songs"),
        ("song scores", "Rating songs"), ("genre", "Hearing the genre"), ("static video", "Static video"),
        ("motion video", "Motion"),
    ),
    "recommendation": (("cover", "Reading the picture"), ("captioner", "Finding words"), ("search", "Searching the lyrics")),
}  # fmt: skip
"""The steps of each pipeline as its record names them, and what a visitor is told."""
OWN = {"Making songs": "Reading your song", "Rating songs": "Rating your song"}
"""What is told where the song is the visitor's."""
SHOWN = 24


def progress(jobs: Jobs, job: Job) -> str:
    """Where a job stands: the queue, or its stages with those that are done."""
    if job.state == "waiting":
        ahead = jobs.ahead(job)
        told = (
            "Your turn is next."
            if ahead == 0
            else f"Waiting: {ahead} {'job is' if ahead == 1 else 'jobs are'} ahead of you."
        )
        return _render("status.html.j2", line=told, stages=[], seconds="", share=0.0, left="", run=None, base="")
    record = jobs.record(job)
    config = record.get("config") or {}
    known = _stages(config) or _stages(_words(job))
    done = {str(s.get("slot")): s for s in record.get("steps") or []}
    if job.commands[0][0] == "index":
        known = [("index", "Indexing your lyrics"), *known]
        if record:  # the run begins when its index is there
            done["index"] = {}
    stages = [{"label": label, "done": slot in done, "now": False} for slot, label in known]
    todo = next((s for s in stages if not s["done"]), None)
    if todo:
        todo["now"] = True
    made = sum(bool(s["done"]) for s in stages)
    line = "Getting ready"
    if record or known[:1] == [("index", "Indexing your lyrics")]:
        line = str(todo["label"]) if todo else "Writing the report"
    made_so_far = view(record, job.folder, posters=False) if job.folder and record.get("choices") else None
    left = time_left(jobs.output, config, set(done), [slot for slot, _ in known])
    # once there is something to play, the clock stands still: the panel is drawn anew at each change, which stops players
    return _render(
        "status.html.j2", line=f"{line} …", stages=stages, share=made / max(1, len(stages)), left=left, run=made_so_far,
        seconds="" if made_so_far else _clock(time.time() - job.begun),
        base=f"/runs/{job.folder.name}" if job.folder else "",
    )  # fmt: skip


def time_left(output: Path, config: Mapping[str, Any], done: set[str], slots: Sequence[str]) -> str:
    """About how long the steps that are left took in past runs of the same kind; "" where there are none.

    Runs of the same pipeline, size, shape and frame rate are looked at, the latest first, five at most; the median of each
    step that made something counts.
    """
    if not config:
        return ""
    alike = [str(config.get(k)) for k in ("pipeline", "size", "shape", "fps")]
    took: dict[str, list[float]] = {}
    seen = 0
    for path in sorted(output.glob("*/run.json"), key=lambda p: p.stat().st_mtime, reverse=True)[:40]:
        record = read(path.parent)
        past = record.get("config") or {}
        if (
            record.get("state") != "finished"
            or [str(past.get(k)) for k in ("pipeline", "size", "shape", "fps")] != alike
        ):
            continue
        seen += 1
        for step in record.get("steps") or []:
            if step.get("made"):
                took.setdefault(str(step.get("slot")), []).append(float(step.get("seconds") or 0))
        if seen == 5:
            break
    left = sum(statistics.median(took[slot]) for slot in slots if slot not in done and slot in took)
    if not took or left < 2:
        return ""
    return f"About {5 * max(1, round(left / 5))} s left" if left < 90 else f"About {round(left / 60)} min left"


def ended(jobs: Jobs, job: Job) -> str:
    """What came of a job: its run, or one line that says what to do."""
    record = jobs.record(job)
    if job.state == "finished" and job.folder:
        return run_card(job.folder)
    if job.state == "cancelled":
        return message("Cancelled.", "What was finished is kept: the same again goes on from there.")
    return message("That did not work.", job.error or str(record.get("error") or "no reason was given"), bad=True)


def message(title: str, text: str, bad: bool = False) -> str:
    """A notice: what happened and what to do.

    >>> "&lt;b&gt;" in message("No.", "<b>")
    True
    """
    return _render("notice.html.j2", title=title, text=text[:1].upper() + text[1:], bad=bad)


def run_card(folder: Path) -> str:
    """A finished run: videos, sound, picture, scores, candidates, songs found."""
    record = read(folder)
    return _render(
        "run.html.j2",
        run=view(record, folder),
        base=f"/runs/{quote(folder.name)}",
        open=True,
        name=folder.name,
        seed=_next(record),
    )


def _next(record: Mapping[str, Any]) -> int:
    """The seed after a run's own."""
    seed = (record.get("config") or {}).get("seed")
    return (seed if isinstance(seed, int) else 0) + 1


def gallery(output: Path) -> str:
    """The latest runs, newest first, each with its players, score bars and candidates."""
    folders = sorted((p.parent for p in output.glob("*/run.json")), key=_changed, reverse=True)
    runs, odd = [], []
    for folder in folders[:SHOWN]:
        base = f"/runs/{quote(folder.name)}"
        try:
            runs.append(
                {
                    "run": view(load_record(folder), folder, posters=False),
                    "base": base,
                    "name": quote(folder.name),
                    "seed": _next(load_record(folder)),
                }  # fmt: skip
            )
        except StoreError:  # being written, or no run
            odd.append(folder.name.encode("utf-8", "replace").decode())
    return _render("gallery.html.j2", runs=runs, odd=odd, more=max(0, len(folders) - SHOWN))


def _changed(folder: Path) -> float:
    try:
        return folder.stat().st_mtime
    except OSError:
        return 0.0


def _stages(config: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The stages that this configuration goes through: unwanted videos, a genre that is told, an absent picture are left out."""
    stages = STAGES.get(str(config.get("pipeline")), ())
    videos = config.get("videos")
    wanted = [
        s for s in stages if not s[0].endswith(" video") or videos is None or s[0].removesuffix(" video") in videos
    ]
    if config.get("pipeline") == "album_cover" and config.get("genres"):
        wanted = [s for s in wanted if s[0] != "genre"]
    song = config.get("song")
    if (song.get("name") if isinstance(song, Mapping) else song) in ("file", "song_file"):
        wanted = [(slot, OWN.get(label, label)) for slot, label in wanted]
    if config.get("pipeline") == "recommendation" and not config.get("picture"):
        return [s for s in wanted if s[0] == "search"]
    return wanted


def _words(job: Job) -> dict[str, Any]:
    """A job's own settings, before its run has written them down."""
    return dict(w.split("=", 1) for w in job.commands[-1] if "=" in w and not w.startswith("videos="))


def _clock(elapsed: float) -> str:
    return f"{int(elapsed)} s" if elapsed < 60 else f"{int(elapsed) // 60}:{int(elapsed) % 60:02d} min"


@lru_cache(maxsize=1)
def _pages() -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("spectrogrand", "data/app"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip


def _render(template: str, **values: Any) -> str:
    return str(_pages().get_template(template).render(**values))


def choices(values: Sequence[Any]) -> list[tuple[str, Any]]:
    """Sizes as a form shows them.

    >>> choices([256])
    [('256 px', 256)]
    """
    return [(f"{v} px", v) for v in values]
