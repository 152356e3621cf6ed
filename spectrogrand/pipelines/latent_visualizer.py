"""A song (+ lyrics) -> classes; chroma -> class vectors, mel power and its gradient -> noise vectors -> frames -> video."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..run.run import Run
from ..types import Audio, Topic
from ._latent import checked, choose_classes, excerpt, picture, vectors, walker


def check(config: Mapping[str, Any]) -> str:
    """Check the settings before anything is made; returns what the run is called: its topic, or its own song's name."""
    return checked(config)


def run(config: Mapping[str, Any], run: Run) -> Path:
    """Make everything and return the report's path."""
    generator = walker(run)
    classes = choose_classes(run)
    song = run.best("song", Audio, [Topic(check(config))])
    heard = excerpt(song, config["duration"])
    walk, digest = vectors(run, song, classes, heard.value.duration)
    inputs = {"vectors": digest, "seed": run.seed, "seconds": str(heard.value.duration)}
    video = run.video("visualizer", [generator], inputs, heard, lambda: generator.generate([walk], [run.seed])[0])
    picture(run, video)
    return run.finish()
