"""A picture -> caption -> N songs -> score (novelty, value) -> song -> static and motion videos with the picture as the cover."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..audio.features import analyse
from ..errors import UnknownName, nearest
from ..run.run import Run
from ..selection import RULES
from ..types import MAX_TOPIC, Audio, Frames, Image, Scene, Topic, frame_count
from ._picture import caption, named, shown
from ._settings import frame_rate, own_files, slots, wanted, whole

GIVES = {"captioner": (Image, str), "song": (Topic, Audio), "motion": (Scene, Frames)}
VIDEOS = ("static", "motion")


def check(config: Mapping[str, Any]) -> str:
    """Check the settings before anything is made; returns what the run is called: the picture's name."""
    whole(config, "songs", 1, 1000)
    whole(config, "size", 16, 4096)
    whole(config, "seed", 0, 2**31)
    frame_rate(config)
    wanted(config["videos"], VIDEOS)
    if config["selection"] not in RULES:
        raise UnknownName(f"no selection rule {config['selection']!r}; {nearest(str(config['selection']), RULES)}")
    slots(config, "captioner", "song", "cover", "motion", "genre")
    name = named(config)
    own_files(config, "song", "cover")
    return name


def idle(config: Mapping[str, Any]) -> set[str]:
    """Slots that no wanted video uses: their weights need not be here.

    >>> idle({"videos": ["static"]})
    {'motion'}
    """
    return {"motion"} - set(config["videos"])


def run(config: Mapping[str, Any], run: Run) -> Path:
    """Make everything and return the report's path."""
    fps, size = frame_rate(config), config["size"]

    picture = shown(run)
    topic = Topic(caption(run, picture)[:MAX_TOPIC])
    song = run.best("song", Audio, [topic] * config["songs"])
    run.classify("genre", song)

    analyse(song.value)  # one pass over the sound, which the motion reads
    inputs = {"cover": picture.digest, "fps": str(fps), "size": size}
    motion: Any = None if "motion" in idle(config) else run.generator("motion", Frames)
    still = picture.value.resized(size, size)
    scene = Scene(picture.value, song.value)
    count = frame_count(song.value.duration, fps)
    make = {
        "static": ([], inputs, lambda: Frames.still(still, count, fps)),
        "motion": ([motion], inputs | {"seed": run.seed}, lambda: motion.generate([scene], [run.seed])[0]),
    }
    for name in wanted(config["videos"], VIDEOS):
        parts, depends, frames = make[name]
        run.video(name, parts, depends, song, frames)
    return run.finish()
