"""Reads a CSV of songs as a stream, however long: finds its columns, splits lyrics into lines, and says what was left out."""

from __future__ import annotations

import codecs
import csv
import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from ..errors import ConfigError, MediaError, nearest

FEATURES = ("energy", "acousticness", "danceability", "valence")
ALIASES = {
    "id": ("id", "song_id", "track_id", "spotify_id", "ytid", "uri"),
    "title": ("title", "song", "song_name", "track_name", "name", "track"),
    "artist": ("artist", "artists", "artist_name", "singer", "band"),
    "lyrics": ("lyrics", "lyric", "lines", "text", "words", "caption", "lyrics_text"),
    "place": ("path", "file", "filename", "audio", "url", "link", "href", "preview_url", "song_url", "spotify_url"),
    **{name: (name,) for name in FEATURES},
}
"""Column names that mean each field, most telling first; compared in lower case with underscores for blanks."""
LONGEST_FIELD = 4_000_000
"""Characters of one field; more means a quotation mark that is never closed."""
LONGEST_LINE = 300
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Song:
    """One row: who sings what, its different lines, where it can be heard ("" where unknown), features in [0, 1] or None."""

    id: str
    title: str
    artist: str
    lines: tuple[str, ...]
    place: str = ""
    energy: float | None = None
    acousticness: float | None = None
    danceability: float | None = None
    valence: float | None = None


@dataclass
class Table:
    """A CSV of songs, checked once from end to end (encoding, sha256) and then read as often as is needed.

    Args:
        path: the file; comma, semicolon, tab or bar separated.
        columns: what the columns are called, in order, where the file has no header row.
        lyrics: the name of the column with the words, where it is none of the usual ones.
        encoding: a Python codec; None takes UTF-8, or what a byte order mark says.

    Raises:
        MediaError: missing, empty, or not in this encoding. ConfigError: no column with words.
    """

    path: Path
    columns: Sequence[str] | None = None
    lyrics: str | None = None
    encoding: str | None = None
    sha256: str = field(init=False)
    size: int = field(init=False)
    counts: Counter[str] = field(init=False, default_factory=Counter)
    position: int = field(init=False, default=0)
    """Bytes read so far of the pass under way."""

    def __post_init__(self) -> None:
        self.path = Path(self.path).expanduser()
        self.sha256, self.size = self._checked()
        self._delimiter, self._fields = self._header()

    def __iter__(self) -> Iterator[Song]:
        """The songs in order. `counts` says afterwards how many rows were read, kept, and left out for which reason."""
        self.counts = Counter()
        known: set[bytes] = set()
        for number, row in enumerate(self._rows(), 1):
            if not any(cell.strip() for cell in row):
                continue
            self.counts["rows"] += 1
            given = {k: row[i].strip() if i < len(row) else "" for k, i in self._fields.items()}
            lines = split(given["lyrics"])
            key = given.get("id") or ("" if "id" in self._fields else f"row {number}")
            mark = hashlib.blake2b(key.encode(), digest_size=8).digest()
            if not lines:
                self.counts["without words"] += 1
            elif key and mark in known:
                self.counts["with an id seen before"] += 1
            else:
                known.add(mark)
                self.counts["songs"] += 1
                self.counts["lines"] += len(lines)
                features = {k: _share(given[k]) if k in given else None for k in FEATURES}
                title = _clean(given.get("title", ""))[:200] or (f"song {key}" if key else f"row {number}")
                yield Song(
                    key or f"row {number}", title, _clean(given.get("artist", ""))[:200], lines,
                    _clean(given.get("place", ""))[:2000], **features,
                )  # fmt: skip

    def left_out(self) -> str:
        """What was left out, for people: "3 without words, 1 with an id seen before"; empty where nothing was."""
        kinds = ("without words", "with an id seen before")
        return ", ".join(f"{self.counts[k]:,} {k}" for k in kinds if self.counts[k])

    def _checked(self) -> tuple[str, int]:
        total, size = hashlib.sha256(), 0
        try:
            with open(self.path, "rb") as file:
                head = file.read(4)
                self.encoding = self.encoding or _marked(head)
                file.seek(0)
                decoder = codecs.getincrementaldecoder(self.encoding)("strict")
                while block := file.read(_BLOCK):
                    total.update(block)
                    decoder.decode(block)
                    size += len(block)
                decoder.decode(b"", True)
        except OSError as error:
            raise MediaError(
                f"the lyrics file {str(self.path)!r} cannot be read ({error.strerror}): give a CSV file"
            ) from error
        except LookupError as error:
            raise ConfigError(f"no encoding {self.encoding!r}: utf-8, utf-16, latin-1, cp1252, ...") from error
        except UnicodeDecodeError as error:
            raise MediaError(
                f"{str(self.path)!r} is not {str(self.encoding).removesuffix('-sig')} (near byte {size + error.start:,}):"
                " save it as UTF-8, or name what it is in, encoding=cp1252 for example"
            ) from error
        if not size:
            raise MediaError(
                f"the lyrics file {str(self.path)!r} is empty: give a CSV file with a header row and songs"
            )
        return total.hexdigest(), size

    def _header(self) -> tuple[str, dict[str, int]]:
        with open(self.path, encoding=self.encoding, newline="") as file:
            first = file.readline(_BLOCK)
        delimiter = max(",;\t|", key=first.count)
        names = self.columns or next(csv.reader([first], delimiter=delimiter), [])
        plain = ["_".join(str(n).strip().lower().split()) for n in names]
        wanted = {**ALIASES, "lyrics": ("_".join(self.lyrics.lower().split()),)} if self.lyrics else ALIASES
        fields = {
            k: plain.index(hit) for k, known in wanted.items() if (hit := next((a for a in known if a in plain), ""))
        }
        if "lyrics" not in fields:
            if self.lyrics:
                raise ConfigError(f"{self.path.name} has no column {self.lyrics!r}; {nearest(self.lyrics, plain)}")
            shown = ", ".join(repr(str(n)[:30]) for n in names[:6]) or "blank"
            hint = (
                "name the column: lyrics_column=NAME"
                if fields
                else "it seems to have no header row: add the line title,artist,lyrics, or set columns=title,artist,lyrics"
            )
            raise ConfigError(f"{self.path.name} has no column of lyrics (its first row: {shown}); {hint}")
        return delimiter, fields

    def _rows(self) -> Iterator[list[str]]:
        before = csv.field_size_limit(LONGEST_FIELD)
        try:
            with open(self.path, "rb") as raw:
                reader = csv.reader(self._lines(raw), delimiter=self._delimiter)
                if not self.columns:
                    next(reader, None)
                yield from reader
        except csv.Error as error:
            raise MediaError(
                f"{self.path.name} cannot be read near byte {self.position:,} ({error}): is a quotation mark never closed there?"
            ) from error
        finally:
            csv.field_size_limit(before)

    def _lines(self, raw: BinaryIO) -> Iterator[str]:
        """Decoded lines, counting bytes; newlines are kept, as quoted fields hold them."""
        import io

        with io.TextIOWrapper(raw, encoding=self.encoding, newline="") as text:
            for line in text:
                self.position = raw.tell()
                yield line


def split(lyrics: str) -> tuple[str, ...]:
    """The different lines of a song's words, in order: headings in brackets, noise and repeats are left out.

    A text without line breaks (a caption, a review) is split into its sentences.

    >>> split("[Chorus]\\nLet it snow\\nlet it  snow\\n(oh)\\nThe fire is so delightful")
    ('Let it snow', 'The fire is so delightful')
    >>> split("A calm piano. It rains outside!")
    ('A calm piano.', 'It rains outside!')
    """
    text = lyrics.replace("\\r", "").replace("\\n", "\n").replace("\r", "\n")  # some tables hold them as two characters
    parts = text.split("\n")
    if len(parts) == 1:
        parts = re.split(r"(?<=[.!?।])\s+", text)
    kept: dict[str, str] = {}
    for part in parts:
        line = _clean(re.sub(r"\[[^\]]*\]|^\W*\([^)]*\)\W*$", " ", part))
        letters = re.sub(r"[\W_]+", " ", line).strip().casefold()
        if len(letters) >= 3:
            kept.setdefault(letters, line[:LONGEST_LINE])
    return tuple(kept.values())


def _clean(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _share(text: str) -> float | None:
    """A feature in [0, 1]; None where it is missing or no such number."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 <= value <= 1 else None


def _marked(head: bytes) -> str:
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    return "utf-8-sig"
