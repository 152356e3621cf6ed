"""What a run's videos say of themselves: title, artist, how they were asked for, and a thumbnail."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from pathlib import Path

from .. import media
from ..errors import MediaError
from ..store import file_digest, write_json
from ..types import Image
from .record import read_record

PRIVATE = ("output", "store", "weights", "job", "index")
"""Settings that say where somebody works and nothing of what was made."""


def write_command(words: Sequence[str]) -> str:
    """The command that a run was asked for by, as others may read it: folders of this machine are left out.

    >>> write_command(["topic=it's raining", "song=file", "song.path=/home/me/track.mp3", "output=/tmp/x"])
    'spectrogrand run "topic=it\\'s raining" song=file song.path=track.mp3'
    """
    kept = []
    for word in words:
        key, equals, value = word.lstrip("+").partition("=")
        if equals and key in PRIVATE:
            continue
        if equals and os.sep in value and (key.endswith("path") or value.startswith((os.sep, "~", "."))):
            word = f"{key}={os.path.basename(value)}"
        kept.append(word)
    return " ".join(["spectrogrand run", *(_quoted(w) for w in kept)]) if kept else ""


def _quoted(word: str) -> str:
    return f'"{word}"' if "'" in word and not set(word) & set('"$`\\!') else shlex.quote(word)


def tag_videos(folder: Path) -> None:
    """Put title, artist, command and thumbnail into the videos of a run's folder, and their new hashes into its record.

    The stored videos stay as they were encoded: runs that were asked for otherwise share them. A video that cannot be tagged
    stays without tags, and the record says so.
    """
    record = read_record(folder)
    videos = record.get("videos") or {}
    if not videos:
        return
    told = {k: str(v) for k, v in dict(record.get("tags") or {}).items()}
    told["comment"] = f"spectrogrand {record.get('version') or ''}: {record.get('command') or ''}".strip(": ")
    thumbnail = _thumbnail(folder)
    for name in videos.values():
        path = folder / str(name)
        try:
            media.write_tags(path, told, thumbnail)
        except MediaError as error:
            record.setdefault("warnings", []).append(str(error))
            continue
        if name in (record.get("files") or {}):
            record["files"][name] = {"sha256": file_digest(path), "bytes": path.stat().st_size}
    write_json(folder / "run.json", record)


def _thumbnail(folder: Path) -> Image | None:
    """The run's cover, 320 pixels long; None where it has none."""
    try:
        cover = media.load_image(folder / "cover.png")
    except MediaError:
        return None
    rows, columns = (max(2, round(n * 320 / max(cover.size))) for n in cover.size)
    return cover.resized(rows, columns)
