"""`spectrogrand prepare wikipedia OUT.csv PAGE ...`: the album tables of encyclopaedia pages to the published columns."""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Iterable
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import quote

from ..albums.genres import singular, tags
from ..albums.table import AlbumRow, write
from ..errors import ConfigError, InvalidValue
from ..progress import bar
from .polite import Gone, Polite, Queue

SITE = "https://en.wikipedia.org"
COLUMNS = {
    "artist": ("artist", "artists", "artist(s)", "performer", "performer(s)", "band", "act"),
    "album": ("album", "albums", "title", "album title", "release", "record"),
    "genre": ("genre", "genres", "genre(s)", "style"),
}
"""What the columns are called in older and newer pages."""
USAGE = (
    "spectrogrand prepare wikipedia OUT.csv 'List of 2019 albums' ['List of 2020 albums' ...] [site=URL] [per_second=1]"
)


def main(words: list[str]) -> int:
    """`prepare wikipedia OUT.csv PAGE ... [site=URL] [per_second=1]`; pages that were read are not asked for again."""
    if not words or {"-h", "--help"} & set(words):
        sys.stdout.write(USAGE + "\n")
        return 0 if words else 2
    options = {"site": SITE, "per_second": "1"} | dict(
        w.split("=", 1) for w in words if w.split("=")[0] in ("site", "per_second")
    )
    out, *pages = [w for w in words if w.split("=")[0] not in ("site", "per_second")]
    if not pages:
        raise ConfigError(f"no page is named: {USAGE}")
    try:
        pace = float(options["per_second"])
    except ValueError as error:
        raise ConfigError(f"per_second is a number, got {options['per_second']!r}: per_second=1") from error
    sys.stdout.write(
        f"{collect(Path(out).expanduser(), pages, Polite(per_second=pace), options['site'])} albums in {out}\n"
    )
    return 0


def collect(out: Path, pages: Iterable[str], polite: Polite, site: str = SITE) -> int:
    """Read pages (by title), find their album tables, write them as one CSV; returns how many albums.

    A page that is not there, or holds no album table, is named on standard error and left out.

    Raises:
        InvalidValue: no page had an album. MediaError: a page gave no answer after all tries; run it again to go on.
    """
    queue = Queue(out.with_suffix(".pages.jsonl"))
    rows: dict[str, AlbumRow] = {}
    titles = list(dict.fromkeys(pages))
    with bar("pages") as tick:
        for i, title in enumerate(titles):
            if title not in queue.done:
                try:
                    page = polite.get(f"{site.rstrip('/')}/wiki/{quote(title.replace(' ', '_'), safe='')}")
                    queue.add(title, [list(found) for found in album_rows(page)])
                except Gone as error:
                    queue.add(title, [])
                    sys.stderr.write(f"spectrogrand: {error}\n")
            if not queue.done[title]:
                sys.stderr.write(f"spectrogrand: {title!r} holds no album table\n")
            for artist, album, genre in queue.done[title]:
                made = _row(artist, album, genre)
                rows.setdefault(made.album_id, made)
            tick(i + 1, len(titles))
    if not rows:
        raise InvalidValue(
            "no page had a table of albums with an artist and an album column: name pages such as 'List of 2019 albums'"
        )
    return write(out, list(rows.values()))


def album_rows(page: str) -> list[tuple[str, str, str]]:
    """(artist, album, genres) of every table row of a page that has an artist and an album column; spans are filled in.

    >>> header = "<tr><th>Artist</th><th>Album</th></tr>"
    >>> album_rows(f"<table>{header}<tr><td rowspan=2>A</td><td><i>B</i></td></tr><tr><td>C</td></tr></table>")
    [('A', 'B', ''), ('A', 'C', '')]
    """
    reader = _Tables()
    reader.feed(page)
    reader.close()
    found = []
    for table in reader.tables:
        place: dict[str, int] | None = None
        for row in _filled(table):
            here = _columns(row)
            if here is not None:
                place = here
            elif place is not None:
                cells = [
                    row[i] if i is not None and i < len(row) else ""
                    for i in (place.get(k) for k in ("artist", "album", "genre"))
                ]
                if cells[0] and cells[1]:
                    found.append((cells[0], cells[1], cells[2]))
    return found


def _columns(row: list[str]) -> dict[str, int] | None:
    """Where a header row has which column; None where it is no header of an album table."""
    names = [cell.lower() for cell in row]
    place = {key: next((i for i, n in enumerate(names) if n in known), -1) for key, known in COLUMNS.items()}
    place = {key: i for key, i in place.items() if i >= 0}
    return place if {"artist", "album"} <= set(place) else None


def _filled(table: list[list[tuple[str, int, int]]]) -> list[list[str]]:
    """A table's rows with row and column spans written out."""
    rows: list[list[str]] = []
    held: dict[int, tuple[str, int]] = {}
    for cells in table:
        row: list[str] = []
        waiting = list(cells)
        while waiting or len(row) in held:
            if len(row) in held:
                text, left = held.pop(len(row))
                if left > 1:
                    held[len(row)] = (text, left - 1)
                row.append(text)
                continue
            text, tall, wide = waiting.pop(0)
            for _ in range(wide):
                if tall > 1:
                    held[len(row)] = (text, tall - 1)
                row.append(text)
        rows.append(row)
    return rows


class _Tables(HTMLParser):
    """The tables of a page, innermost ones on their own: rows of (text, rowspan, colspan)."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: list[list[list[tuple[str, int, int]]]] = []
        self._open: list[list[list[tuple[str, int, int]]]] = []
        self._cell: list[str] | None = None
        self._span = (1, 1)
        self._skip = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "table":
            self._end_cell()
            self._open.append([])
        elif tag == "tr" and self._open:
            self._end_cell()
            self._open[-1].append([])
        elif tag in ("td", "th") and self._open:
            self._end_cell()
            if not self._open[-1]:
                self._open[-1].append([])
            self._cell, self._span = [], (_span(given.get("rowspan")), _span(given.get("colspan")))
        elif tag in ("sup", "style", "script"):
            self._skip += 1
        elif tag in ("br", "li") and self._cell is not None:
            self._cell.append(", ")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th", "tr"):
            self._end_cell()
        elif tag in ("sup", "style", "script"):
            self._skip = max(0, self._skip - 1)
        elif tag == "table" and self._open:
            self._end_cell()
            self.tables.append([row for row in self._open.pop() if row])

    def handle_data(self, data: str) -> None:
        if self._cell is not None and not self._skip:
            self._cell.append(data)

    def _end_cell(self) -> None:
        if self._cell is not None and self._open and self._open[-1]:
            text = " ".join("".join(self._cell).split())
            text = re.sub(r"( ?, ?)+", ", ", re.sub(r"\[\w{1,3}\]", "", text)).strip(" ,")
            self._open[-1][-1].append((text, *self._span))
        self._cell = None


def _span(value: str | None) -> int:
    return min(1000, max(1, int(value))) if value and value.isdigit() else 1


def _row(artist: str, album: str, genre: str) -> AlbumRow:
    """A row whose ids follow from artist and album: the same album has the same id in every collection."""
    name = hashlib.sha256(f"{artist.casefold()}\0{album.casefold()}".encode()).hexdigest()[:16]
    return AlbumRow(artist, album, "", name, name, tuple(tags(genre)), singular(genre), (), None)
