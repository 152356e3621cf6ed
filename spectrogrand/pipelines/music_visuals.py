"""Music drives the picture: captions of the music become pictures, and the song walks from one to the next.

song -> a caption per 10 s -> the caption's genre -> its art movement -> a picture of each (with one's own artworks)
     -> a walk along the pictures, moved on by percussive and harmonic energy (and nudged onto the beats) -> video
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from ..audio.excerpts import Stretches
from ..audio.rhythm.percussive import energies
from ..checks import field, flag, mapping, number, one_of, rational, text, whole
from ..errors import ConfigError
from ..interfaces import Generator
from ..runs.artefacts import Pictures
from ..runs.run import Run
from ..runs.slots import Slot
from ..types import Audio, Frames, Image, Topic
from ..walks.storyboard import Keyframe, Walk
from ..walks.timing import DRIVES, on_beats, positions
from ._settings import Framed
from ._storyboard import check_movements, load_artworks, write_board
from ._synchrony import find_beats, note_synchrony

SLOTS = {
    "song": Slot(Generator, Topic, Audio), "captioner": Slot(Generator, Audio, str),
    "images": Slot(Generator, Keyframe, Image), "morph": Slot(Generator, Walk, Frames),
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Settings(Framed):
    """What may be set beside the plug-ins."""

    NOTHING = 'no music: give song=file song.path=FILE, or topic="a futuristic spaceship" to make a song'

    songs: int = whole(1, 1000, default=4)
    pictures: int = whole(2, 1000, default=4)
    caption_seconds: float = number(1, 60, default=10, unit="seconds")
    smooth: float = number(0, 1, default=0.2)
    drive: str = one_of(DRIVES, default="both")
    mix: float = number(0, 1, default=0.5)
    synchronise: bool = flag(default=False)
    movements: Mapping[str, Any] = mapping()
    genre_hint: str | None = text(default=None)
    artworks: tuple[Image, ...] = field(load_artworks, default=(), text=True, listed=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "artworks", self.artworks or ())
        check_movements(self.movements, self.genre_hint)
        if self.drive == "constant" and self.synchronise:
            raise ConfigError("drive=constant stands still between its cuts: leave synchronise=true out")


def run(run: Run, s: Settings) -> None:
    """Make everything."""
    song = run.best("song", [Topic(s.subject)] * s.songs)
    captions = run.every("captioner", Stretches(song.value, rational(s.caption_seconds)))
    said = [c.value for c in captions]
    keyframes = write_board(said, dict(s.movements), s.artworks, s.genre_hint, s.pictures, s.topic)
    pictures = run.every("images", keyframes)
    run.keep_item(pictures[0], "cover")
    run.note(storyboard=[
        {"caption": k.caption, "genre": k.genre, "movement": k.movement, "file": f"images/{i}.png"}
        for i, k in enumerate(keyframes)
    ])  # fmt: skip

    even = run.trace(walk_along, song, s.fps, len(pictures), drive=s.drive, smooth=s.smooth, mix=s.mix)
    leaping = run.trace(on_beats, even, s.fps, run.trace(find_beats, song)) if s.synchronise else even
    before, after = (
        s.fit(run, run.generate("morph", run.trace(Walk, Pictures(pictures), way, s.fps))) for way in (even, leaping)
    )
    made = run.video("music_visuals", s.caption(run, after, song), song)
    if s.synchronise:
        note_synchrony(run, "music_visuals", before, made, song)


def walk_along(song: Audio, fps: Fraction, stops: int, *, drive: str, smooth: float, mix: float) -> np.ndarray:
    """Where a walk along `stops` pictures stands in every frame, moved on by the song's energy; see `walks.timing`."""
    return positions(energies(song), fps, stops, drive=drive, smooth=smooth, mix=mix)
