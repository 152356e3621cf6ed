"""What the forms ask for, as words for the command line: checked, and files taken only from the folder of uploads."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import InvalidValue
from ..types import Topic

FEATURES = ("energy", "acousticness", "danceability", "valence")
SIZES = (256, 512, 1024)
SHAPES = (("Square", "1:1"), ("YouTube 16:9", "16:9"), ("Reels 9:16", "9:16"))
"""Shapes of videos, as a form shows them and as the command line has them."""
AGAIN = re.compile(r"(song|cover)=\d{1,3}|keep=(song|cover|song,cover)|seed=\d{1,10}|shape=(1:1|16:9|9:16|4:5)")
"""What a button may ask of a past run."""


@dataclass(frozen=True)
class Place:
    """Where the page works: runs, uploads, an index of lyrics (or none), and more words for the runs of a pipeline."""

    output: Path
    uploads: Path
    index: Path | None = None
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def upload(self, path: Any, what: str) -> Path:
        """An uploaded file, checked to lie among the uploads whatever the request said.

        Raises:
            InvalidValue: no file, or one from elsewhere.
        """
        if not path:
            raise InvalidValue(f"choose {what} first")
        found = Path(str(path)).resolve()
        if not found.is_relative_to(self.uploads.resolve()) or not found.is_file():
            raise InvalidValue(f"{what} is not there any more: upload it again")
        return found


def text_to_video(
    place: Place, topic: str, seconds: float, songs: float, covers: float, size: Any, seed: float, shape: str = "1:1"
) -> list[list[str]]:
    """A topic, with new songs and covers."""
    chosen = [f"topic={Topic(topic or '').text}", *_song(seconds, songs), f"covers={_whole(covers, 1, 12, 'covers')}"]
    return [_run(place, "audiovisual", *chosen, *_look(size, seed, shape))]


def song_to_video(
    place: Place, song: Any, topic: str, covers: float, size: Any, seed: float, shape: str = "1:1", cover: Any = None,
    lyrics: Any = None,
) -> list[list[str]]:  # fmt: skip
    """The visitor's own song, with a cover and timed lyrics of their own if they like."""
    words = [*_topic(topic), "song=file", f"song.path={place.upload(song, 'a song')}"]
    if cover:
        words += ["cover=file", f"cover.path={place.upload(cover, 'a picture')}"]
    words += [f"covers={_whole(covers, 1, 12, 'covers')}", *_lyrics(place, lyrics)]
    return [_run(place, "audiovisual", *words, *_look(size, seed, shape))]


def song_to_visuals(
    place: Place, song: Any, topic: str, pictures: float, size: Any, seed: float, shape: str = "1:1", art: Any = None,
    lyrics: Any = None,
) -> list[list[str]]:  # fmt: skip
    """Pictures of what the visitor's song sounds like, or of their own artwork in that manner."""
    words = [*_topic(topic), "song=file", f"song.path={place.upload(song, 'a song')}"]
    if art:
        words.append(f"artworks={place.upload(art, 'a picture')}")
    words += [f"pictures={_whole(pictures, 2, 12, 'pictures')}", *_lyrics(place, lyrics)]
    return [_run(place, "music_visuals", *words, *_look(size, seed, shape))]


def song_to_walk(
    place: Place, song: Any, topic: str, size: Any, seed: float, shape: str = "1:1", lyrics: Any = None
) -> list[list[str]]:
    """Patterns that follow the visitor's song; its lyrics, or the topic, choose them."""
    words = [*_topic(topic), "song=file", f"song.path={place.upload(song, 'a song')}"]
    if lyrics:
        words.append(f"lyrics={place.upload(lyrics, 'the lyrics')}")
    return [_run(place, "latent_visualizer", *words, *_look(size, seed, shape))]


def song_to_cover(
    place: Place, song: Any, album: str, artist: str, genres: str, covers: float, size: Any, seed: float
) -> list[list[str]]:
    """A cover for the visitor's own song; size 0 leaves it to what draws it."""
    named = {"album": album, "artist": artist, "genres": genres}
    words = [f"{k}={Topic(v).text}" for k, v in named.items() if (v or "").strip()]
    words += [f"song.path={place.upload(song, 'a song')}", f"covers={_whole(covers, 1, 12, 'covers')}"]
    return [_run(place, "album_cover", *words, *(_look(size, seed) if size else [_seed(seed)]))]


def picture_to_music(
    place: Place, picture: Any, seconds: float, songs: float, size: Any, seed: float, shape: str = "1:1"
) -> list[list[str]]:
    """Songs for the visitor's own picture."""
    words = [f"picture={place.upload(picture, 'a picture')}", *_song(seconds, songs), *_look(size, seed, shape)]
    return [_run(place, "image_to_music", *words)]


def picture_to_songs(
    place: Place, picture: Any, text: str, table: Any, ranking: str, filters: Sequence[tuple[float, float]]
) -> list[list[str]]:
    """Songs that exist, found by their words, in the page's index or in the visitor's own table of lyrics."""
    if picture and (text or "").strip():
        raise InvalidValue("songs for your picture or for your words? remove the picture, or clear the words")
    commands = []
    if table:
        from ..lyrics.building import VERSION
        from ..store import digest, file_digest

        lyrics = place.upload(table, "a table of lyrics")
        fixed = place.words.get("recommendation", ())  # the model that the page's queries are embedded by
        index = place.output / ".indexes" / digest([VERSION, file_digest(lyrics), *fixed])[:24]
        commands.append(["index", str(lyrics), str(index), *fixed])
    elif place.index is not None:
        index = place.index
    else:
        raise InvalidValue("choose a table of lyrics first: a CSV file with the columns title, artist and lyrics")
    about = f"topic={Topic(text).text}" if not picture else f"picture={place.upload(picture, 'a picture')}"
    words = [about, f"index={index}", f"ranking={'published' if ranking == 'published' else 'best_lines'}"]
    for name, (low, high) in zip(FEATURES, filters, strict=True):
        if (low, high) != (0, 1):
            words.append(f"filters.{name}=[{min(low, high):g},{max(low, high):g}]")
    return [*commands, _run(place, "recommendation", *words)]


def again(place: Place, name: str, words: Sequence[str]) -> list[list[str]]:
    """A past run once more, with what a button asks for.

    Raises:
        InvalidValue: there is no such run, or a word that no button has.
    """
    folder = place.output / name
    if name != Path(name).name or name.startswith(".") or not (folder / "run.json").is_file():
        raise InvalidValue("this run is not there any more")
    for word in words:
        if not isinstance(word, str) or not AGAIN.fullmatch(word):
            raise InvalidValue(f"a run is made again with another song, cover, shape or seed, not with {word!r}")
    return [["again", str(folder), *words]]


def with_token(commands: Sequence[Sequence[str]], token: str) -> list[list[str]]:
    """The commands with the job's token in the run's configuration, by which its folder is found."""
    return [[*words, f"+job={token}"] if words[0] in ("run", "again") else [*words] for words in commands]


def _run(place: Place, pipeline: str, *words: str) -> list[str]:
    own = {
        w.split("=", 1)[0] for w in words
    }  # what the form says counts; the options of a part that it replaces go with it
    fixed = [w for w in place.words.get(pipeline, ()) if not {k := w.split("=", 1)[0], k.split(".")[0]} & own]
    return ["run", f"pipeline={pipeline}", f"output={place.output}", *fixed, *words]


def _song(seconds: float, songs: float) -> list[str]:
    if not isinstance(seconds, int | float) or not 2 <= seconds <= 120:
        raise InvalidValue(f"a song takes 2 to 120 seconds, got {seconds!r}")
    return [f"song.duration={float(seconds):g}", f"songs={_whole(songs, 1, 12, 'songs')}"]


def _topic(topic: str) -> list[str]:
    return [f"topic={Topic(topic).text}"] if (topic or "").strip() else []


def _lyrics(place: Place, lyrics: Any) -> list[str]:
    if not lyrics:
        return []
    found = place.upload(lyrics, "the lyrics")
    if found.suffix.lower() not in (".lrc", ".srt"):
        raise InvalidValue("lyrics that are shown need times: choose an .lrc or .srt file")
    return [f"lyrics={found}"]


def _look(size: Any, seed: float, shape: str | None = None) -> list[str]:
    if _whole(size, 64, 2048, "the size") % 2:
        raise InvalidValue(f"the size is an even number of pixels, got {size!r}")
    if shape is not None and shape not in dict(SHAPES).values():
        raise InvalidValue(f"a video is square, 16:9 or 9:16, got {shape!r}")
    return [f"size={int(size)}", *([f"shape={shape}"] if shape else []), _seed(seed)]


def _seed(seed: float) -> str:
    return f"seed={_whole(seed or 0, 0, 2**31 - 1, 'the seed')}"


def _whole(value: Any, low: int, high: int, what: str) -> int:
    try:
        number = int(value)
    except (TypeError, ValueError):
        number = low - 1
    if not low <= number <= high:
        raise InvalidValue(f"{what}: a whole number from {low:,} to {high:,}, got {value!r}")
    return number
