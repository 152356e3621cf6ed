"""A picture -> caption -> N songs -> score (novelty, value) -> song -> static and motion videos with the picture as the cover."""

from __future__ import annotations

from dataclasses import dataclass

from ..checks import one_of, some_of, whole
from ..interfaces import Classifier, Generator
from ..runs.run import Run
from ..runs.slots import Slot
from ..types import MAX_TOPIC, Audio, CoverBrief, Frames, Image, Scene, Topic
from ._picture import Pictured, show_picture, write_caption
from ._settings import SLEEVES, Framed, draw_static

SLOTS = {
    "cover": Slot(Generator, CoverBrief, Image), "captioner": Slot(Generator, Image, str), "song": Slot(Generator, Topic, Audio),
    "genre": Slot(Classifier), "motion": Slot(Generator, Scene, Frames),
}  # fmt: skip
VIDEOS = ("static", "motion")


@dataclass(frozen=True, kw_only=True)
class Settings(Pictured, Framed):
    """What may be set beside the plug-ins."""

    songs: int = whole(1, 1000, default=4)
    sleeve: str = one_of(SLEEVES, default="animated")
    videos: tuple[str, ...] = some_of(VIDEOS, default=VIDEOS)

    def idle(self) -> set[str]:
        """Slots that no wanted video uses."""
        return {"motion"} - set(self.videos)


def run(run: Run, s: Settings) -> None:
    """Make everything."""
    picture = show_picture(run)
    topic = Topic(write_caption(run, picture)[:MAX_TOPIC])
    song = run.best("song", [topic] * s.songs)
    run.classify("genre", song)

    draw = {
        "static": lambda: draw_static(run, s, picture, song),
        "motion": lambda: s.fit(run, run.generate("motion", run.trace(Scene, picture, song))),
    }
    for name in s.videos:
        run.video(name, s.caption(run, draw[name](), song, titled=name == "static" and s.sleeve == "animated"), song)
