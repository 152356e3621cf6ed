"""A song and what is known of it -> an album cover that follows both.

song + album, artist, genres -> arousal, valence and emotion words -> colours and prompts -> N covers -> score -> cover, report
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from .. import registry
from ..albums.brief import PROMPTS, AlbumBrief, looks
from ..albums.genres import singular
from ..audio.emotion import CIRCUMPLEX, Emotion, estimate
from ..errors import ConfigError, UnknownName, nearest
from ..run.run import Run
from ..selection import RULES
from ..types import Audio, Image, Topic
from ._settings import own_files, whole

GIVES = {"song": (Topic, Audio), "cover": (AlbumBrief, Image)}
MOST_LYRICS = 1 << 20


@runtime_checkable
class Checks(Protocol):
    """A generator that can tell without being loaded whether its model draws with these settings."""

    def check_settings(self) -> None:
        """Raise an error where it does not; nothing where the model is not here."""


def check(config: Mapping[str, Any]) -> str:
    """Check the settings before anything is made; returns what the run is called: the album's title, or the song's name."""
    whole(config, "covers", 1, 1000)
    whole(config, "emotions", 1, len(CIRCUMPLEX))
    whole(config, "seed", 0, 2**31)
    if config["prompt"] not in PROMPTS:
        raise UnknownName(f"no prompt {config['prompt']!r}; {nearest(str(config['prompt']), PROMPTS)}")
    if config["selection"] not in RULES:
        raise UnknownName(f"no selection rule {config['selection']!r}; {nearest(str(config['selection']), RULES)}")
    for slot in ("song", "cover", "genre"):
        if not isinstance(config.get(slot), Mapping):
            raise ConfigError(f"nothing fills the slot {slot!r}: choose one with {slot}=NAME")
    if config["prompt"] == "lyrics" or config.get("lyric_file"):
        _lyrics(config)
    song = dict(config["song"])
    if song["name"] == "song_file" and not song.get("path"):
        raise ConfigError("nothing to make a cover for: give song.path=FILE, or song=house_synth topic=...")
    own = config.get("album") or config.get("topic") or (Path(str(song["path"])).stem if song.get("path") else None)
    if own is None:
        raise ConfigError('nothing to make a cover for: give album="..." or topic="..."')
    own_files(config, "song")
    sized(config)
    return Topic(str(own)).text


def run(config: Mapping[str, Any], run: Run) -> Path:
    """Make everything and return the report's path."""
    album = check(config)
    run.config["cover"] = sized(config)
    song = run.best("song", Audio, [Topic(str(config.get("topic") or album))])
    feeling = estimate(song.value)
    genre = _genre(config, run, song)
    named = feeling.words(config["emotions"])
    run.record["emotion"] = feeling.as_dict() | {"words": list(named)}
    run.record["facts"] = [*_facts(config, genre), f"{feeling.tempo:.0f} BPM", *named]

    known = {
        "album": album, "artist": str(config.get("artist") or ""), "emotions": named, "style": config["prompt"],
        "lyrics": _lyrics(config) if config.get("lyric_file") else "", "feeling": feeling, "song": song.value,
    }  # fmt: skip
    run.best("cover", Image, briefs(album, genre, feeling, known, config["covers"]))
    return run.finish()


def sized(config: Mapping[str, Any]) -> dict[str, Any]:
    """The cover's settings with the run's `size` in them, checked to be one that this generator (and its model) can draw.

    Raises:
        ConfigError: the generator has no size to set. InvalidValue: it, or its model, does not draw in this one.

    >>> sized({"cover": {"name": "music_cover", "size": 1024}, "size": 256})["size"]
    256
    """
    cover, size = dict(config["cover"]), config.get("size")
    if size is not None:
        whole(config, "size", 16, 4096)
        if "size" not in inspect.signature(registry.get("generators", str(cover.get("name")))).parameters:
            raise ConfigError(f"cover={cover.get('name')} cannot be told a size: leave size={size} out")
        cover["size"] = size
    made = registry.build("generators", cover)
    if isinstance(made, Checks):
        made.check_settings()
    return cover


def briefs(album: str, genre: str, feeling: Emotion, known: Mapping[str, Any], count: int) -> list[AlbumBrief]:
    """`count` briefs of one record: the same words and song, the colours that fit it in order."""
    return [AlbumBrief(album, genre, colour, word, **known) for colour, word in looks(feeling, count)]


def _genre(config: Mapping[str, Any], run: Run, song: Any) -> str:
    """The record's genre: what the user says, normalised; else the classifier's, unless it says that it is none of its own."""
    if config.get("genres"):
        return singular(str(config["genres"])) or str(config["genres"])
    found = run.classify("genre", song)
    if run.record["genre"].get("none_of_these"):
        run.record["genre"] = None
        run.record["warnings"].pop()  # that the nearest one does not fit: it has no say then
        return ""
    return f"{found} house"


def _facts(config: Mapping[str, Any], genre: str) -> list[str]:
    return [str(f) for f in (config.get("artist"), genre if config.get("genres") else None) if f]


def _lyrics(config: Mapping[str, Any]) -> str:
    file = config.get("lyric_file")
    if not file:
        raise ConfigError("the prompt is the lyrics and there are none: set lyric_file=FILE, or prompt=album_genre")
    try:
        with open(Path(str(file)).expanduser(), encoding="utf-8-sig") as stream:
            text = stream.read(MOST_LYRICS)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read the lyrics in {file} ({error}): give a text file in UTF-8") from error
    if not text.strip():
        raise ConfigError(f"{file} holds no lyrics: give a text file with some lines")
    return text
