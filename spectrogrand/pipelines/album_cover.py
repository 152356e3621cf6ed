"""A song and what is known of it -> an album cover that follows both.

song + album, artist, genres -> arousal, valence and emotion words -> colours and prompts -> N covers -> score -> cover
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from .. import registry
from ..albums.brief import PROMPTS, AlbumBrief, looks
from ..albums.genres import singular
from ..albums.titles import about, about_title
from ..audio.emotion import CIRCUMPLEX, Emotion, estimate
from ..checks import one_of, text, whole
from ..errors import ConfigError
from ..interfaces import Classifier, Generator
from ..runs.artefacts import Item
from ..runs.run import Run
from ..runs.slots import Slot
from ..types import GENRES, Audio, Image, Topic
from ._settings import Common

SLOTS = {
    "song": Slot(Generator, Topic, Audio), "genre": Slot(Classifier), "cover": Slot(Generator, AlbumBrief, Image),
}  # fmt: skip
MOST_LYRICS = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Settings(Common):
    """What may be set beside the plug-ins."""

    NOTHING = "nothing to make a cover for: give song.path=FILE, or song=house_synth topic=..."

    album: str | None = text(default=None)
    artist: str | None = text(default=None)
    genres: str | None = text(default=None)
    lyric_file: str | None = text(default=None)
    prompt: str = one_of(PROMPTS, default="album_genre")
    emotions: int = whole(1, len(CIRCUMPLEX), default=3)
    covers: int = whole(1, 1000, default=4)
    size: int | None = whole(16, 4096, default=None)
    lyrics: str = ""

    @classmethod
    def read(cls, config: Mapping[str, Any]) -> Self:
        """The settings, with the words of `lyric_file`, or of the song's own tags, read into `lyrics`."""
        file = config.get("lyric_file")
        made = super().read({**config, "lyrics": read_lyrics(file) if file else ""})
        if config.get("prompt") != "lyrics" or made.lyrics:
            return made
        return super().read({**config, "lyrics": made.tags.lyrics or read_lyrics(None)})

    def find_subject(self) -> str:
        """The album's title, the topic, or the song's name."""
        return Topic(self.album or self.tags.album).text if self.album or self.tags.album else super().find_subject()

    @property
    def is_titled(self) -> bool:
        """Whether the record is called by its title and not by the name of a file."""
        return bool(self.album or self.tags.album or self.topic or about_title(self.tags.title))

    def painted(self, feeling: tuple[str, ...]) -> str:
        """What the cover is about: the record's title or the topic, else the song's own title, else how it sounds."""
        given = self.album or about_title(self.tags.album) or self.topic or about_title(self.tags.title)
        return given or about("", feeling)

    def fill(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """The config with `size` handed to the cover's generator.

        Raises:
            ConfigError: the generator has no size to set.
        """
        filled, cover = dict(config), config.get("cover")
        if self.size is not None and isinstance(cover, Mapping):
            if "size" not in inspect.signature(registry.get("generators", str(cover.get("name")))).parameters:
                raise ConfigError(f"cover={cover.get('name')} cannot be told a size: leave size={self.size} out")
            filled["cover"] = {**cover, "size": self.size}
        return filled


def run(run: Run, s: Settings) -> None:
    """Make everything."""
    song = run.best("song", [Topic(s.topic or s.subject)])
    feeling = estimate(song.value)
    genre = name_genre(run, s, song)
    named = feeling.words(s.emotions)
    told = [f for f in (s.artist or s.tags.artist, genre if s.genres else None) if f]
    run.note(
        emotion=feeling.as_dict() | {"words": list(named)}, facts=[*told, f"{feeling.tempo:.0f} BPM", *named]
    )  # fmt: skip
    known = {
        "album": s.subject if s.is_titled else s.painted(named),
        "artist": s.artist or s.tags.artist, "emotions": named, "style": s.prompt, "lyrics": s.lyrics,
        "feeling": feeling, "song": song.value,
    }  # fmt: skip
    run.best("cover", write_briefs(s.painted(named), genre, feeling, known, s.covers))


def write_briefs(album: str, genre: str, feeling: Emotion, known: Mapping[str, Any], count: int) -> list[AlbumBrief]:
    """`count` briefs of one record: the same words and song, the colours that fit it in order."""
    return [AlbumBrief(album, genre, colour, word, **known) for colour, word in looks(feeling, count)]


def name_genre(run: Run, s: Settings, song: Item) -> str:
    """The record's genre: what the user says, normalised; else the classifier's, unless it says that it is none of its own."""
    if s.genres:
        return singular(s.genres) or s.genres
    found = run.classify("genre", song, nearest=False)
    return f"{found} house" if found in GENRES else found or ""


def read_lyrics(file: Any) -> str:
    """The words of a text file, at most a mebibyte of them.

    Raises:
        ConfigError: there is none, it cannot be read, or it is empty.
    """
    if not file:
        raise ConfigError("the prompt is the lyrics and there are none: set lyric_file=FILE, or prompt=album_genre")
    try:
        with open(Path(str(file)).expanduser(), encoding="utf-8-sig") as stream:
            found = stream.read(MOST_LYRICS)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read the lyrics in {file} ({error}): give a text file in UTF-8") from error
    if not found.strip():
        raise ConfigError(f"{file} holds no lyrics: give a text file with some lines")
    return found
