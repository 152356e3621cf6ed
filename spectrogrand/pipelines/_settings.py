"""What the settings of all pipelines share: fields that are declared once and checked when the settings are read."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Self

from .. import registry
from ..albums.titles import about, about_title
from ..audio.emotion import estimate
from ..audio.features import analyse
from ..checks import Checked, frame_rate, one_of, text, whole
from ..engines.director.captions import TITLE, Caption, write_captions
from ..engines.director.sleeve import Layout, draw_sleeve
from ..errors import ConfigError, InvalidValue, MediaError
from ..image.shape import fit_frames, fit_picture, frame_size
from ..interfaces import Component
from ..lyrics.timed import Line, is_timed, on_beats, read_timed
from ..media import Tags, read_tags
from ..registry import names
from ..runs.artefacts import Item, Traced
from ..runs.run import Run
from ..types import Audio, Frames, Image, Topic, frame_count
from ..weights.licences import CHOICES

SLEEVES = ("animated", "still")


@dataclass(frozen=True, kw_only=True)
class Common(Checked):
    """Settings of every pipeline. `subject` is what a run is about and what its directory is called."""

    NOTHING: ClassVar[str] = (
        'nothing to make a song about: give topic="a futuristic spaceship" or song=file song.path=FILE'
    )
    """The error where neither a topic nor a song of one's own is given."""

    topic: str | None = text(default=None)
    seed: int = whole(0, 2**31, default=0)
    selection: str = one_of(names("selectors"), default="ranks", what="selection rule")
    licences: str = one_of(CHOICES, default="any")
    subject: str = dataclasses.field(init=False, default="")
    own_song: str | None = dataclasses.field(default=None, repr=False)
    """The path of the user's own song, where the slot "song" names one."""

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "subject", self.find_subject())

    @classmethod
    def read(cls, config: Mapping[str, Any]) -> Self:
        """The settings in a config.

        Raises:
            ConfigError: a value is out of its range, or there is nothing to make something of.
            UnknownName: a word that is none of those a setting takes.
        """
        song = config.get("song")
        path = song.get("path") if isinstance(song, Mapping) else None
        return super().read({**config, "own_song": None if path is None else str(path)})

    def find_subject(self) -> str:
        """The topic, or the name of the user's own song.

        Raises:
            ConfigError: there is neither.
        """
        if self.topic is None and self.own_song is None:
            raise ConfigError(self.NOTHING)
        return Topic(self.topic if self.topic is not None else self.tags.title or Path(str(self.own_song)).stem).text

    @cached_property
    def tags(self) -> Tags:
        """What the user's own song says of itself; nothing where it is none, or cannot be read."""
        try:
            return read_tags(self.own_song) if self.own_song else Tags()
        except MediaError:  # said when the song is looked at
            return Tags()

    def about(self, song: Traced[Audio]) -> str:
        """What a cover is about: the topic, what the title in the song's own tags names, or how the song sounds."""
        if self.topic is not None:
            return self.topic
        return about_title(self.tags.title) or about("", estimate(song.value).words(3))

    def describe(self) -> dict[str, str]:
        """Title, artist and album of what is made."""
        title = getattr(self, "shown_title", "")
        known = {
            "title": title or self.tags.title or self.subject,
            "artist": str(getattr(self, "artist", None) or self.tags.artist),
            "album": self.tags.album,
        }
        return {k: v for k, v in known.items() if v}

    def fill(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """The config with what these settings hand to plug-ins; the plug-ins are built from it."""
        return dict(config)

    def check_parts(self, parts: Mapping[str, Component]) -> None:
        """Look at the plug-ins together with these settings, before anything is made; the default looks at nothing.

        Args:
            parts: by place, built and inspected.

        Raises:
            ConfigError: they do not go together.
        """
        return None

    def idle(self) -> set[str]:
        """Slots that these settings leave unused: their weights need not be here."""
        return set()


@dataclass(frozen=True, kw_only=True)
class Framed(Common):
    """Settings of pipelines that draw frames: how many a second, their shape, and their short side in pixels."""

    DRAWING: ClassVar[tuple[str, ...]] = ("motion", "morph", "walk")
    """Slots whose plug-ins draw the frames themselves and are told how large these are."""

    UNTIMED: ClassVar[bool] = False
    """Whether lyrics may be a text without times, of which nothing is drawn."""

    fps: Fraction = frame_rate(default=Fraction(30))
    size: int = whole(16, 4096, default=512)
    shape: str = text(default="1:1")
    title: str | None = text(default=None)
    artist: str | None = text(default=None)
    lyrics: str | None = text(default=None)
    lines: tuple[Line, ...] = dataclasses.field(init=False, default=(), repr=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.lyrics is not None and (is_timed(self.lyrics) or not self.UNTIMED):
            if not is_timed(self.lyrics):
                raise ConfigError(f"lyrics are a file with times, .lrc or .srt, got {self.lyrics!r}")
            object.__setattr__(self, "lines", read_timed(self.lyrics))
        try:
            object.__setattr__(self, "_frame", frame_size(self.shape, self.size))
        except InvalidValue as error:
            raise ConfigError(f"{error}: set shape=16:9, say") from error

    @property
    def frame(self) -> tuple[int, int]:
        """(rows, columns) of every frame, both even."""
        found: tuple[int, int] = self.__dict__["_frame"]
        return found

    def fill(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """The config with the frames' size handed to the plug-ins that draw them, where these have none of their own.

        Squares are left to `size`, which the plug-ins' configs follow. A plug-in that draws squares alone draws one as long as
        the longer side, and `fit` cuts it. A model of fixed width and height is given sides of
        the wanted shape, multiples of 64, that hold about as many pixels as before.
        """
        filled = super().fill(config)
        rows, columns = self.frame
        if rows == columns == self.size:
            return filled
        for slot in self.DRAWING:
            part = {"name": filled[slot]} if isinstance(filled.get(slot), str) else filled.get(slot)
            if not isinstance(part, Mapping) or "name" not in part:
                continue
            options = inspect.signature(registry.get("generators", str(part["name"]))).parameters
            if "size" in options and part.get("size") in (None, self.size):
                pair = "list" in str(options["size"].annotation) or "Sequence" in str(options["size"].annotation)
                filled[slot] = {**part, "size": [rows, columns] if pair else max(rows, columns)}
            elif {"width", "height"} <= set(options) and rows != columns:
                area = float(part.get("width", 1024)) * float(part.get("height", 576))
                wide = max(64, 64 * round((area * columns / rows) ** 0.5 / 64))
                filled[slot] = {**part, "width": wide, "height": max(64, 64 * round(area / wide / 64))}
        return filled

    def shape_cover(self, run: Run, cover: Item) -> Traced[Image]:
        """The chosen cover for frames that are no squares: painted anew in their shape where its generator can.

        A cover of one's own, of another run or of a model that draws squares stays as it is, and is cut where it is used.
        """
        rows, columns = self.frame
        if rows == columns or (run.config.get("kept") or {}).get("cover"):
            return cover
        painter = run.part("cover")
        if not painter.shaped or not cover.brief:
            return cover
        larger = max(1.0, painter.size / min(rows, columns))  # as fine as the cover, for those who look closer
        sides = {"width": min(4096, round(larger * columns)), "height": min(4096, round(larger * rows))}
        return run.generate("cover", run.trace(painter.source, **cover.brief), seed=cover.seed, **sides)

    def fit(self, run: Run, frames: Traced[Frames]) -> Traced[Frames]:
        """Frames that a plug-in drew, cut to the wanted shape where they have another."""
        return frames if self.shape == "1:1" else run.trace(fit_frames, frames, self.frame)

    @property
    def shown_title(self) -> str:
        """The title that is drawn: title=true takes the song's own, any other text stands for itself; "" for none."""
        wanted = (self.title or "").strip()
        own = self.tags.title or self.subject
        return "" if wanted.lower() in ("", "false", "no") else own if wanted.lower() in ("true", "yes") else wanted

    def caption(self, run: Run, frames: Traced[Frames], song: Traced[Audio], titled: bool = False) -> Traced[Frames]:
        """The frames with lyrics on the beat, and with title and artist at the beginning; `titled`: they show those already."""
        if not self.lines and (titled or not self.shown_title):
            return frames
        title = "" if titled else self.shown_title
        artist = self.describe().get("artist", "") if title else ""
        return run.trace(caption_frames, frames, song, list(self.lines), title=title, artist=artist, on_cover=titled)


def caption_frames(
    frames: Frames, song: Audio, lines: list[Line], *, title: str, artist: str, on_cover: bool
) -> Frames:
    """`write_captions` of a song's lines, each moved onto the nearest beat, and of title and artist.

    `on_cover`: the frames are an animated sleeve, and its cover is where text is wanted.
    """
    shown = [Caption(line.start, line.end, line.text) for line in on_beats(tuple(lines), analyse(song).beats)]
    named = [Caption(*TITLE, text, kind) for text, kind in ((title, "title"), (artist, "artist")) if text]
    return write_captions(frames, [*named, *shown], Layout(frames.size).cover if on_cover else None)


def draw_static(run: Run, s: Any, cover: Traced[Image], song: Traced[Audio]) -> Traced[Frames]:
    """The cover for as long as the song lasts: with title, spectrum and progress, or still as it was published."""
    if s.sleeve == "still":
        count = frame_count(song.value.duration, s.fps)
        return run.trace(Frames.still, run.trace(fit_picture, cover, s.frame), count, s.fps)
    told = s.describe()
    return run.trace(
        draw_sleeve, cover, song, fps=s.fps, size=s.frame, title=told.get("title", ""), artist=told.get("artist", "")
    )
