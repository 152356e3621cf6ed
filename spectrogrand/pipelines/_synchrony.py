"""How well a video keeps time before and after it was synchronised, into the run's record."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from ..audio.features import analyse
from ..interfaces import Component
from ..media import load_video
from ..metrics.synchrony import measure
from ..progress import bar
from ..provenance import code_hash, fingerprint
from ..run.artefacts import Item
from ..run.run import Run
from ..store import digest
from ..types import Audio, Frames
from ..walks.timing import retimed

DRAWS = 60
STRENGTH = 0.5
"""How far finished frames are nudged: they are shown earlier or later but not drawn anew, so the whole nudge would jerk."""
SHOWN = ("beat_f1", "consistency", "av_align", "lag")


def report_synchrony(
    run: Run, name: str, parts: Sequence[Component], inputs: Mapping[str, Any], song: Item,
    before: Callable[[], Frames], after: Path,
) -> None:  # fmt: skip
    """Measure the frames as they were before (drawn once more, not encoded) and the finished video; keep both in the store.

    `run.record["synchrony"][name]` becomes {"before": ..., "after": ...}, each with value, 95 % interval and chance of
    beat_f1, consistency, av_align and lag.
    """
    begun = time.monotonic()
    key = digest({
        "step": "synchrony", "parts": [fingerprint(p) for p in parts], "inputs": dict(inputs), "song": song.digest,
        "draws": DRAWS,
        "code": code_hash("spectrogrand.metrics.synchrony"), "media": dict(run.config.get("media") or {}),
    })  # fmt: skip
    entry = run.store.find(key)
    reused = entry is not None
    if entry is None:
        found = {}
        for when, frames in (("before", before), ("after", lambda: load_video(after))):
            with bar(f"synchrony {when}") as tick:
                found[when] = _measured(frames(), song.value, tick)
        with run.store.writing(key) as folder:
            (folder / "synchrony.json").write_text(json.dumps(found), "utf-8")
        entry = run.store.find(key)
        assert entry is not None
    run.record.setdefault("synchrony", {})[name] = json.loads(entry.path("synchrony.json").read_text("utf-8"))
    run._step(f"{name} synchrony", None, int(reused), int(not reused), begun)


def on_the_beat(
    run: Run, name: str, parts: Sequence[Component], inputs: Mapping[str, Any], song: Item, make: Callable[[], Frames]
) -> Path:
    """The video `name` shown by the beats' clock (`timing.retimed`), with its synchrony before and after in the record."""
    beats = analyse(song.value).beats
    nudged = dict(inputs) | {"synchronise": True, "code": code_hash("spectrogrand.walks.timing")}
    made = run.video(name, parts, nudged, song, lambda: retimed(make(), beats, strength=STRENGTH))
    report_synchrony(run, name, parts, nudged, song, make, made)
    return made


def _measured(frames: Frames, song: Audio, tick: Callable[[int, int], None]) -> dict[str, Any]:
    measures = measure(frames, song, draws=DRAWS, tick=tick)
    return {
        name: {k: round(v, 6) if np.isfinite(v) else None for k, v in asdict(measures[name]).items()} for name in SHOWN
    }
