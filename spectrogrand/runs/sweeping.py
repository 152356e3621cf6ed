"""One's own songs in sweeps: a folder, a list, a glob or several paths become one run a song, and a bad one is a row."""

from __future__ import annotations

import glob
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .. import __version__
from ..config import quoted
from ..errors import ConfigError
from ..files import walked
from ..media import SOUNDS, VIDEOS
from ..store import write_json
from .folders import fresh, slug
from .sharing import cleaned

SWEEP = ("-m", "--multirun")


def with_songs(words: Sequence[str]) -> list[str]:
    """The command line's words with `songs_from=FOLDER|LIST`, and `song.path=` of a sweep, as the paths that they mean.

    Raises:
        ConfigError: a folder without songs, a list that cannot be read or is empty, or both ways at once.

    >>> with_songs(["topic=the sea"])
    ['topic=the sea']
    """
    sources = [w.partition("=")[2] for w in words if w.startswith("songs_from=")]
    sweep = bool(set(SWEEP) & set(words))
    paths = [w for w in words if w.startswith("song.path=")]
    if len(sources) + bool(sources and paths) > 1:
        raise ConfigError("songs_from and song.path both name songs: give one of them")
    if sources:
        rest = [w for w in words if not w.startswith("songs_from=")]
        chosen = [] if any(w.startswith("song=") for w in rest) else ["song=file"]
        return [*([] if sweep else ["-m"]), *rest, *chosen, _setting(songs(sources[0]))]
    if not sweep:
        return list(words)
    return [_setting(several(w.partition("=")[2])) if w in paths and w[10:11] not in ("'", '"') else w for w in words]


def songs(source: str) -> list[str]:
    """The songs that a folder (sub-folders included) or a list in a text file names, in order; what is no song is told.

    Args:
        source: a folder, or a text file with a path a line, relative to the list or to where one is; `#` begins a remark.

    Raises:
        ConfigError: there is none.
    """
    place = Path(source).expanduser()
    if place.is_dir():
        files = walked(place)
        found = [str(f) for f in files if f.suffix.lower() in (*SOUNDS, *VIDEOS)]
        if len(files) > len(found):
            sys.stderr.write(f"spectrogrand: {len(files) - len(found)} of {len(files)} files in {source} are no songs by name\n")
        if not found:
            raise ConfigError(f"no song in the folder {source!r}: expected files such as {', '.join(SOUNDS[:5])}")
        return found
    try:
        lines = [line.strip() for line in place.read_text("utf-8-sig", errors="surrogateescape").splitlines()]
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(f"songs_from names a folder, or a text file with a path a line, got {source!r} ({reason})") from None
    named = [line for line in lines if line and not line.startswith("#")]
    if not named:
        raise ConfigError(f"{source} names no songs: write a path a line")
    return [_beside(place, line) for line in named]


def several(typed: str) -> list[str]:
    """The paths that a setting of a sweep means: a glob, or several with commas between them, some of which may hold commas.

    >>> several("a.wav,b.wav")
    ['a.wav', 'b.wav']
    """
    found, parts = [], typed.split(",")
    while parts:
        for count in range(len(parts), 0, -1):  # the longest that is there
            one = ",".join(parts[:count])
            if count == 1 or Path(one).expanduser().exists():
                break
        expanded = Path(one).expanduser()
        names = sorted(glob.glob(str(expanded), recursive=True)) if glob.has_magic(one) and not expanded.exists() else []
        found += [n for n in names if Path(n).is_file()] or [one]
        parts = parts[count:]
    return found


def note_failure(config: Mapping[str, Any], error: BaseException) -> None:
    """Write down a run of a sweep that failed before it began, so that `spectrogrand table` has a row for it."""
    song = config.get("song")
    path = song.get("path") if isinstance(song, Mapping) else None
    about = str(config.get("topic") or (Path(str(path)).stem if path else "untitled"))
    output = Path(str(config.get("output") or "outputs")).expanduser()
    folder = fresh(output, f"{slug(about)}-{datetime.now().strftime('%Y%m%d-%H%M%S')}")
    record = {
        "schema": 1, "state": "failed", "name": folder.name, "topic": about, "version": __version__, "seconds": 0.0,
        "started": datetime.now(UTC).isoformat(timespec="seconds"), "seed": config.get("seed"), "config": dict(config),
        "error": " ".join(str(error).split()),
    }  # fmt: skip
    write_json(folder / "run.json", cleaned(record, folder))


def _setting(paths: Sequence[str]) -> str:
    return "song.path=" + ",".join(map(quoted, paths))


def _beside(place: Path, line: str) -> str:
    path = Path(line).expanduser()
    beside = place.parent / path
    return str(beside if not path.is_absolute() and beside.exists() else path)
