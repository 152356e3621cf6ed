"""How a found song can be heard: its own file copied into the run, or a web address to follow; never anything else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..report.links import web
from ..store import file_digest

if TYPE_CHECKING:
    from ..lyrics.searching import Index
    from .run import Run

LARGEST = 64_000_000
"""Bytes of a song's file that is copied into a run."""


def listen(run: Run, index: Index, song: int, place: int) -> dict[str, str]:
    """`{"url": ...}` for a web address, `{"file": ...}` for a sound copied into the run, or nothing.

    A path is read only where it lies inside the folder of the table that the index was made of, and is copied only where its
    bytes are those of a sound: a table from a stranger cannot bring other files into a report.
    """
    where = str(index.songs["place"][song] or "")
    if web(where):
        return {"url": where}
    home = Path(index.about["table"]["folder"])
    file = inside(home, where)
    if file is None:
        return {}
    name = f"found/{place}{file.suffix.lower()}"
    run.keep(file, name, file_digest(file))
    return {"file": name}


def inside(home: Path, where: str) -> Path | None:
    """The sound file that `where` names inside `home`, links resolved; None for anything else.

    >>> inside(Path("."), "../secret.mp3") is None
    True
    """
    from ..media.sniff import sniff

    if not where or "\x00" in where:
        return None
    try:
        path = (home / where).resolve()
        if not path.is_relative_to(home.resolve()) or not path.is_file() or not 0 < path.stat().st_size <= LARGEST:
            return None
        with open(path, "rb") as file:
            return path if sniff(file) else None
    except (OSError, ValueError, RuntimeError):  # a name that no file can have, a loop of links, no permission
        return None
