"""What the page throws away: uploads after a day, and indexes of uploaded tables beyond an age, a number and a size."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from ..errors import InvalidValue

UPLOAD_SECONDS = 86_400
INDEX_SECONDS = 30 * 86_400
MOST_INDEXES = 20
MOST_BYTES = 5 * 10**9
MOST_UPLOADED = 4 * 10**9
"""Bytes of all visitors' uploads together."""


def sweep_uploads(uploads: Path) -> None:
    """Remove uploads of more than a day ago: gradio removes its own, but not those of a page that was killed."""
    for path in uploads.rglob("*"):
        if path.is_file() and time.time() - path.stat().st_mtime > UPLOAD_SECONDS:
            path.unlink(missing_ok=True)


def fit_uploads(uploads: Path, most: int = MOST_UPLOADED) -> None:
    """Check that all uploads together are no more than `most` bytes; those of more than a day ago go first.

    Raises:
        InvalidValue: they are.
    """
    if _size(uploads) <= most:
        return
    sweep_uploads(uploads)
    if _size(uploads) > most:
        raise InvalidValue(
            "the page holds as many uploads as it may: try again later, or ask its owner to empty .uploads"
        )


def _size(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.lstat().st_size if path.is_file() else 0
        except OSError:  # gone since
            continue
    return total


def sweep_indexes(folder: Path, needed: Path | None = None) -> list[Path]:
    """Keep the indexes that were used last: at most 20, 5 GB together, none unused for 30 days; returns those that went.

    An index that went is built again from its table when it is asked for. `spectrogrand index` touches the folder at each use.

    Args:
        folder: holds one folder per index.
        needed: the index of the job that is about to run, which stays.

    >>> sweep_indexes(Path("no such folder"))
    []
    """
    if not folder.is_dir():
        return []
    places = [p for p in folder.iterdir() if p.is_dir() and not p.is_symlink()]
    used = {p: p.stat().st_mtime for p in places}
    gone, total = [], 0
    for rank, place in enumerate(sorted(places, key=lambda p: (p != needed, -used[p], p.name))):
        total += sum(f.stat().st_size for f in place.rglob("*") if f.is_file())
        old = time.time() - used[place] > INDEX_SECONDS
        if place != needed and (old or rank >= MOST_INDEXES or total > MOST_BYTES):
            shutil.rmtree(place, ignore_errors=True)
            gone.append(place)
    return gone
