"""Tables of albums with the published columns: read row by row whatever their size, what cannot be used counted and named."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import InvalidValue
from .genres import singular, tags

COLUMNS = {
    "artist": "artist", "song_name": "song_name", "genres": "genres", "album_name": "album_name", "song_id": "song_id",
    "album_id": "album_id", "genres_list": "genres_list", "singular_genre": "singular_genre", "top emotions": "emotions",
    "popularity": "popularity", "split": "split", "cover": "cover", "clip": "clip",
}  # fmt: skip
"""The published columns (No-Pain-No-GAN), spelled in lower case, and ours: `split`, and paths of `cover` and `clip`."""
PUBLISHED = (
    "artist", "song_name", "genres", "album_name", "song_id", "album_id", "genres_list", "singular_genre", "Top Emotions",
    "popularity",
)  # fmt: skip
NEEDED = ("artist", "album_name", "song_id")
ENCODINGS = ("utf-8-sig", "cp1252")
LONGEST = 1 << 16
"""Characters of a cell beyond which a row is refused: a quote that never closes would swallow the rest of the file."""


@dataclass(frozen=True)
class AlbumRow:
    """One song of one album: the published columns as text, `genre` normalised, `emotions` and `tags` as lists."""

    artist: str
    album: str
    song: str
    song_id: str
    album_id: str
    tags: tuple[str, ...]
    genre: str
    emotions: tuple[str, ...]
    popularity: float | None
    split: str = ""
    cover: str = ""
    clip: str = ""


class AlbumTable:
    """The rows of a CSV file with the published columns, streamed; walk it once, then read `skipped`.

    Column names are matched without regard to case and order; others are ignored. The file is read as UTF-8, and as Windows-1252
    where its first megabyte is none. Rows without an artist, an album or a song id, rows with too many or too few cells, and
    second rows of one song id are skipped and counted.

    Raises:
        InvalidValue: no file, an empty one, one without a header, or one that is no text.

    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp(), "albums.csv")
    >>> _ = file.write_text("artist,album_name,song_id,genres\\nA,B,1,Synth-pop\\nA,B,1,again\\n,B,2,\\n")
    >>> table = AlbumTable(file)
    >>> [row.genre for row in table], dict(table.skipped)
    (['pop'], {'a song id seen before': 1, 'no artist': 1})
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path).expanduser()
        self.skipped: Counter[str] = Counter()
        if not self.path.is_file():
            raise InvalidValue(f"there is no table {self.path}: give a CSV file with the columns {', '.join(NEEDED)}")
        with open(self.path, "rb") as file:
            start = file.read(1 << 20)
        if not start.strip():
            raise InvalidValue(f"{self.path} is empty: give a CSV file with the columns {', '.join(NEEDED)}")
        if b"\0" in start:
            raise InvalidValue(f"{self.path} is no text: give a CSV file in UTF-8")
        self.encoding = next((e for e in ENCODINGS if _reads(start, e)), "latin-1")
        self._names: list[str] = []

    def __iter__(self) -> Iterator[AlbumRow]:
        self.skipped.clear()
        seen: set[str] = set()
        with open(self.path, encoding=self.encoding, errors="replace", newline="") as file:
            lines = csv.reader(file)
            place = self._header(lines)
            while True:
                try:
                    cells = next(lines)
                except StopIteration:
                    return
                except csv.Error as error:
                    self.skipped[f"not readable ({error})"] += 1
                    continue
                row = self._row(cells, place)
                if row is None:
                    continue
                if row.song_id in seen:
                    self.skipped["a song id seen before"] += 1
                    continue
                seen.add(row.song_id)
                yield row

    def _header(self, lines: Iterator[list[str]]) -> dict[str, int]:
        try:
            header = next(lines, [])
        except csv.Error as error:
            raise InvalidValue(
                f"{self.path} begins with no header ({error}): name the columns in its first line"
            ) from error
        place: dict[str, int] = {}
        for i, name in enumerate(header):
            known = COLUMNS.get(" ".join(name.strip().lower().split()))
            if known is not None:
                place.setdefault(known, i)
        lacking = [name for name in NEEDED if name not in place]
        if lacking:
            raise InvalidValue(
                f"{self.path} has no column {', '.join(lacking)} in its first line: name the columns {', '.join(PUBLISHED)}"
            )
        self._names = header
        return place

    def _row(self, cells: list[str], place: dict[str, int]) -> AlbumRow | None:
        if not any(c.strip() for c in cells):
            return None
        if len(cells) != len(self._names):
            self.skipped["another number of cells than the header"] += 1
            return None
        if max(map(len, cells)) > LONGEST:
            self.skipped["a cell of more than 65,536 characters"] += 1
            return None
        cell = {name: " ".join(cells[i].split()) for name, i in place.items()}
        for name, what in (("artist", "artist"), ("album_name", "album"), ("song_id", "song id")):
            if not cell[name]:
                self.skipped[f"no {what}"] += 1
                return None
        words = cell.get("genres_list") or cell.get("genres") or ""
        genre = singular(words) or singular(cell.get("genres", "")) or singular(cell.get("singular_genre", ""))
        return AlbumRow(
            artist=cell["artist"], album=cell["album_name"], song=cell.get("song_name", ""), song_id=cell["song_id"],
            album_id=cell.get("album_id", ""), tags=tuple(tags(words)), genre=genre,
            emotions=tuple(tags(cell.get("emotions", ""))), popularity=_number(cell.get("popularity", "")),
            split=cell.get("split", ""), cover=cell.get("cover", ""), clip=cell.get("clip", ""),
        )  # fmt: skip


def write(path: str | Path, rows: Iterator[AlbumRow] | list[AlbumRow]) -> int:
    """Write rows with the published columns and ours, whole or not at all; returns how many."""
    from ..files import replacing

    names = (*PUBLISHED, "split", "cover", "clip")
    count = 0
    with replacing(path) as draft, open(draft, "w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(names)
        for row in rows:
            popularity = "" if row.popularity is None else f"{row.popularity:g}"
            out.writerow([
                row.artist, row.song, "; ".join(row.tags), row.album, row.song_id, row.album_id, repr(list(row.tags)), row.genre,
                "; ".join(row.emotions), popularity, row.split, row.cover, row.clip,
            ])  # fmt: skip
            count += 1
    return count


def _reads(start: bytes, encoding: str) -> bool:
    try:
        start[: start.rfind(b"\n") + 1 or len(start)].decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if abs(value) < float("inf") else None
