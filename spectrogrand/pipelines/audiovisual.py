"""READ FIRST: a topic becomes songs, covers and videos, and at each step the most creative candidate is kept.

topic -> N songs -> score (novelty, value) -> song -> genre -> its colours x words -> N covers -> score (value, surprise)
      -> cover x spectrogram frames -> stylised frames -> static, dynamic and motion videos

`run.best` makes candidates, gates, rates and chooses. `run.trace(f, ...)` is f(...) with the key of how it was made, computed
when somebody reads it: no frame is drawn before its video is written, and none is drawn again that the store has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..audio.emotion import estimate
from ..audio.pictures import draw_spectrogram
from ..checks import field, flag, mapping, one_of, some_of, whole
from ..image.ramp import ramp_of
from ..image.shape import fit_picture
from ..interfaces import Classifier, Component, Generator, Stylizer
from ..runs.run import Run
from ..runs.slots import Slot
from ..types import Audio, CoverBrief, Frames, Image, Scene, Topic
from ._briefs import MOODS, check_classes, check_words, name_mood, write_briefs
from ._settings import SLEEVES, Framed, draw_static
from ._synchrony import save_on_the_beat

SLOTS = {
    "song": Slot(Generator, Topic, Audio), "genre": Slot(Classifier), "cover": Slot(Generator, CoverBrief, Image),
    "stylizer": Slot(Stylizer), "motion": Slot(Generator, Scene, Frames),
}  # fmt: skip
VIDEOS = {"static": None, "dynamic_content": "stylizer", "dynamic_style": "stylizer", "motion": "motion"}
"""Each video, and the slot that draws it."""


@dataclass(frozen=True, kw_only=True)
class Settings(Framed):
    """What may be set beside the plug-ins."""

    songs: int = whole(1, 1000, default=4)
    covers: int = whole(1, 1000, default=4)
    videos: tuple[str, ...] = some_of(tuple(VIDEOS), default=tuple(VIDEOS))
    sleeve: str = one_of(SLEEVES, default="animated")
    synchronise: bool = flag(default=False)
    words: Mapping[str, Any] = field(check_words)
    spectrogram: Mapping[str, Any] = mapping()

    @property
    def in_colours_of_cover(self) -> bool:
        """Whether the spectrogram is drawn in the cover's colours, and in no colour map."""
        return self.spectrogram.get("colormap") == "cover"

    def idle(self) -> set[str]:
        """Slots that no wanted video uses."""
        return {"stylizer", "motion"} - {str(VIDEOS[name]) for name in self.videos}

    def fill(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """The config with the colours and words themselves, not the file that they stand in."""
        return {**super().fill(config), "words": self.words}

    def check_parts(self, parts: Mapping[str, Component]) -> None:
        """Whether each genre that the classifier may name has colours and words."""
        genre = parts.get("genre")
        check_classes(self.words, (genre.classes() if isinstance(genre, Classifier) else None) or ())


def run(run: Run, s: Settings) -> None:
    """Make everything."""
    topic = Topic(s.subject)
    song = run.best("song", [topic] * s.songs)
    genre, words = str(run.classify("genre", song)), s.words
    if run.none_fits("genre"):
        genre, words = name_mood(estimate(song.value)), MOODS
        run.warn(f"the covers' colours and words follow the song's mood instead: {genre}")
    cover = run.best("cover", write_briefs(Topic(s.about(song)), genre, words, s.covers))

    picture = s.shape_cover(run, cover)
    sleeve = run.trace(fit_picture, picture, s.frame)
    look = {
        **s.spectrogram,
        **({"colormap": run.trace(ramp_of, cover), "edges": "mirror"} if s.in_colours_of_cover else {}),
    }
    pictures = run.trace(draw_spectrogram, song, fps=s.fps, size=s.frame, **look)
    draw = {
        "static": lambda: draw_static(run, s, cover, song),
        "dynamic_content": lambda: run.stylize(sleeve, pictures),
        "dynamic_style": lambda: run.stylize(pictures, sleeve),
        "motion": lambda: s.fit(run, run.generate("motion", run.trace(Scene, picture, song))),
    }
    for name in s.videos:
        frames = s.caption(run, draw[name](), song, titled=name == "static" and s.sleeve == "animated")
        if name == "motion" and s.synchronise:
            save_on_the_beat(run, name, frames, song)
        else:
            run.video(name, frames, song)
