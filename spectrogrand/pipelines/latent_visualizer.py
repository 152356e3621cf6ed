"""A song (+ lyrics) -> classes; chroma -> class vectors, mel power and its gradient -> noise vectors -> frames -> video."""

from __future__ import annotations

from ..interfaces import Embedder, Generator
from ..runs.run import Run
from ..runs.slots import Slot
from ..types import Audio, Frames, Topic
from ..walks.latents import LatentWalk
from ._latent import Settings, choose_classes, cut_song, cut_walk, find_walk, keep_poster

SLOTS = {
    "song": Slot(Generator, Topic, Audio), "text": Slot(Embedder), "walk": Slot(Generator, LatentWalk, Frames),
}  # fmt: skip

__all__ = ["SLOTS", "Settings", "run"]


def run(run: Run, s: Settings) -> None:
    """Make everything."""
    classes = choose_classes(run, s)
    song = run.best("song", [Topic(s.subject)])
    heard = run.trace(cut_song, song, s.duration)
    walk = run.trace(cut_walk, find_walk(run, s, song, classes), heard.value.duration)
    drawn = s.fit(run, run.generate("walk", walk))
    keep_poster(run, run.video("visualizer", s.caption(run, drawn, heard), heard))
