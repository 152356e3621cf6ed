"""How well a video keeps time before and after it was synchronised, into the run's record."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from ..audio.features import analyse
from ..metrics.synchrony import measure
from ..progress import bar
from ..runs.artefacts import Traced
from ..runs.run import Run
from ..types import Audio, Frames
from ..walks.timing import retimed

DRAWS = 60
STRENGTH = 0.5
"""How far finished frames are nudged: they are shown earlier or later but not drawn anew, so the whole nudge would jerk."""
SHOWN = ("beat_f1", "consistency", "av_align", "lag")


def save_on_the_beat(run: Run, name: str, frames: Traced[Frames], song: Traced[Audio]) -> Traced[Frames]:
    """The video `name` shown by the beats' clock (`walks.timing`), with its synchrony before and after in the record."""
    nudged = run.trace(retimed, frames, run.trace(find_beats, song), strength=STRENGTH)
    made = run.video(name, nudged, song)
    note_synchrony(run, name, frames, made, song)
    return made


def note_synchrony(run: Run, name: str, before: Traced[Frames], after: Traced[Frames], song: Traced[Audio]) -> None:
    """Measure the frames as they were before (drawn once more, not encoded) and the finished video.

    `synchrony[name]` in the record becomes {"before": ..., "after": ...}, each with value, 95 % interval and chance of
    beat_f1, consistency, av_align and lag.
    """
    measured = run.trace(measure_both, before, after, song, draws=DRAWS)
    found, _ = run.stored(measured, f"{name}_synchrony.json", write_json, read_json)
    run.note(synchrony={name: found.value})


def find_beats(song: Audio) -> Any:
    """The song's beats, declared or tracked."""
    return analyse(song).beats


def measure_both(before: Frames, after: Frames, song: Audio, draws: int) -> dict[str, Any]:
    """The measures of both, as plain data."""
    return {"before": _measure("before", before, song, draws), "after": _measure("after", after, song, draws)}


def write_json(plain: Any, path: Path) -> None:
    """Plain data into a file."""
    path.write_text(json.dumps(plain), "utf-8")


def read_json(path: Path) -> Any:
    """Plain data out of a file."""
    return json.loads(path.read_text("utf-8"))


def _measure(when: str, frames: Frames, song: Audio, draws: int) -> dict[str, Any]:
    with bar(f"synchrony {when}") as tick:
        measures = measure(frames, song, draws=draws, tick=tick)
    return {
        name: {k: round(v, 6) if np.isfinite(v) else None for k, v in asdict(measures[name]).items()} for name in SHOWN
    }
