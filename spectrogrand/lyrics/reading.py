"""Reads a CSV of songs as a stream, however long: finds its columns, splits lyrics into lines, and says what was left out."""

from __future__ import annotations

import codecs
import contextlib
import csv
import hashlib
import html
import itertools
import re
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from ..errors import ConfigError, MediaError, nearest
from .spreadsheet import LONGEST_FIELD, Dialect, is_workbook, opened, sniff, workbook_rows

FEATURES = ("energy", "acousticness", "danceability", "valence")
ALIASES = {
    "id": ("id", "song_id", "track_id", "spotify_id", "ytid", "uri"),
    "title": (
        "title",
        "song",
        "song_name",
        "song_title",
        "track_name",
        "track_title",
        "name",
        "track",
        "titel",
        "titre",
        "titulo",
    ),
    "artist": (
        "artist",
        "artists",
        "artist_name",
        "artist(s)",
        "artist_names",
        "track_artist",
        "performer",
        "performers",
        "singer",
        "band",
        "interpret",
        "artiste",
        "artista",
    ),
    "lyrics": ("lyrics", "lyric", "lines", "text", "words", "caption", "lyrics_text", "song_lyrics", "plain_lyrics"),
    "place": ("path", "file", "filename", "audio", "url", "link", "href", "preview_url", "song_url", "spotify_url"),
    **{name: (name,) for name in FEATURES},
}
"""Column names that mean each field, most telling first; compared in lower case with underscores for blanks."""
UNKNOWN = {"", "nan", "null", "none", "n/a", "na", "-", "\\n", "#n/a"}
"""What tables write where they know nothing, in lower case."""
WORDLESS = re.compile(
    r"\W*(instrumental( track)?|this (song|track) is( an)? instrumental|(no|missing) lyrics|lyrics? (is |are )?(currently )?"
    r"(not (yet )?available|unavailable|not found|missing)|we do not have the lyrics.*|lyrics for this song have yet to be.*)\W*",
    re.IGNORECASE,
)
"""What stands in place of words where there are none."""
_SAMPLED = 64
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
        path: the file: CSV of any dialect (comma, semicolon, tab or bar), gzipped or not, or a workbook (xlsx, xls, ods).
        columns: what the columns are called, in order, where the file has no header row.
        lyrics: the name of the column with the words, where it is none of the usual ones.
        encoding: a Python codec; None takes UTF-8, or what a byte order mark says.
        title, artist: the names of these columns, where they are none of the usual ones.

    Raises:
        MediaError: missing, empty, or not in this encoding. ConfigError: no column with words.
    """

    path: Path
    columns: Sequence[str] | None = None
    lyrics: str | None = None
    encoding: str | None = None
    title: str | None = None
    artist: str | None = None
    sha256: str = field(init=False)
    size: int = field(init=False)
    counts: Counter[str] = field(init=False, default_factory=Counter)
    position: int = field(init=False, default=0)
    """Bytes read so far of the pass under way."""

    def __post_init__(self) -> None:
        self.path = Path(self.path).expanduser()
        self.sha256, self.size = self._checked()
        self._dialect, self._fields = self._header()
        self._scale, self._ids = self._scales()

    def __iter__(self) -> Iterator[Song]:
        """The songs in order. `counts` says afterwards how many rows were read, kept, and left out for which reason."""
        self.counts = Counter()
        known: set[bytes] = set()
        for number, row in enumerate(self._rows(), 1):
            if not any(cell.strip() for cell in row):
                continue
            self.counts["rows"] += 1
            given = {k: row[i].strip() if i < len(row) else "" for k, i in self._fields.items()}
            words = given["lyrics"]
            wordless = words.lower() in UNKNOWN or bool(WORDLESS.fullmatch(words))
            lines = () if wordless else split(words)
            key = given.get("id", "") if self._ids else ""
            if key.lower() in UNKNOWN:
                key = "" if "id" in self._fields and self._ids else f"row {number}"
            mark = hashlib.blake2b(key.encode(), digest_size=8).digest()
            if wordless and words:
                self.counts["instrumental or of unknown words"] += 1
            elif not lines:
                self.counts["without words"] += 1
            elif key and mark in known:
                self.counts["with an id seen before"] += 1
            else:
                known.add(mark)
                self.counts["songs"] += 1
                self.counts["lines"] += len(lines)
                features = {k: _share(given[k], self._scale[k]) if k in given else None for k in FEATURES}
                title = _clean(given.get("title", ""))[:200] or (f"song {key}" if key else f"row {number}")
                yield Song(
                    key or f"row {number}", title, _clean(given.get("artist", ""))[:200], lines,
                    _clean(given.get("place", ""))[:2000], **features,
                )  # fmt: skip

    def left_out(self) -> str:
        """What was left out, for people: "3 without words, 1 with an id seen before"; empty where nothing was."""
        kinds = ("without words", "instrumental or of unknown words", "with an id seen before")
        return ", ".join(f"{self.counts[k]:,} {k}" for k in kinds if self.counts[k])

    def _checked(self) -> tuple[str, int]:
        total, size = hashlib.sha256(), 0
        try:
            with open(self.path, "rb") as file:
                head = file.read(4)
                self._workbook = is_workbook(head)
                if self._workbook:
                    self.encoding = "utf-8"
                    return hashlib.file_digest(file, "sha256").hexdigest(), self.path.stat().st_size
            with opened(self.path) as file:
                head = file.read(4)
                self.encoding = self.encoding or _marked(head)
                file.seek(0)
                _check_encoding(self.encoding)
                decoder = codecs.getincrementaldecoder(self.encoding)("strict")
                while block := file.read(_BLOCK):
                    total.update(block)
                    decoder.decode(block)
                    size += len(block)
                decoder.decode(b"", True)
        except (OSError, EOFError, zlib.error) as error:
            raise MediaError(
                f"the lyrics file {str(self.path)!r} cannot be read ({getattr(error, 'strerror', None) or error}):"
                " give a CSV file"
            ) from error
        except (LookupError, TypeError, UnicodeEncodeError) as error:
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

    def _header(self) -> tuple[Dialect, dict[str, int]]:
        known = {alias for aliases in ALIASES.values() for alias in aliases}
        known |= {_plain(n) for n in (self.lyrics, self.title, self.artist) if n}
        dialect = Dialect()
        if not self._workbook:
            with opened(self.path) as raw:
                text = codecs.getincrementaldecoder(str(self.encoding))("replace").decode(raw.read(_BLOCK))
            dialect = sniff(text[: _BLOCK // 4], lambda names: sum(_plain(n) in known for n in names))
        names = self.columns or next(self._rows(dialect, header=True), [])
        plain = [_plain(n) for n in names]
        given = {k: (_plain(n),) for k in ("lyrics", "title", "artist") if (n := getattr(self, k))}
        wanted = {**ALIASES, **given}
        for k in ("title", "artist"):
            if k in given and given[k][0] not in plain:
                raise ConfigError(
                    f"{self.path.name} has no column {getattr(self, k)!r}; {nearest(getattr(self, k), plain)}"
                )
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
        return dialect, fields

    def _scales(self) -> tuple[dict[str, float], bool]:
        """What each feature's numbers are divided by (100 for percentages), and whether the ids tell rows apart."""
        rows: list[list[str]] = []
        with contextlib.suppress(MediaError):  # whoever reads the songs is told
            rows.extend(itertools.islice(self._rows(), _SAMPLED))
        scale = {}
        for name in FEATURES:
            place = self._fields.get(name)
            values = [v for r in rows if place is not None and place < len(r) and (v := _number(r[place])) is not None]
            in_hundred = values and sorted(values)[len(values) // 2] > 1 and max(values) <= 100 and min(values) >= 0
            scale[name] = 100.0 if in_hundred else 1.0
        place = self._fields.get("id")
        ids = [r[place].strip() for r in rows if place is not None and place < len(r)]
        return scale, not (len(ids) > 1 and len(set(ids)) == 1)

    def _rows(self, dialect: Dialect | None = None, *, header: bool = False) -> Iterator[list[str]]:
        """All rows; without the header row unless it is asked for."""
        before = csv.field_size_limit(LONGEST_FIELD)
        skip = not self.columns and not header
        try:
            if self._workbook:
                yield from itertools.islice(workbook_rows(self.path), int(skip), None)
                return
            with opened(self.path) as raw:
                reader = (dialect or self._dialect).reader(self._lines(raw))
                if skip:
                    next(reader, None)
                yield from reader
        except (csv.Error, OSError, EOFError, zlib.error) as error:
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
    lyrics = re.sub(r"<\s*(br|/p|/div)\b[^>]*>", "\n", lyrics, flags=re.IGNORECASE)
    lyrics = html.unescape(re.sub(r"<\d+:\d+(\.\d+)?>|</?[a-zA-Z][^<>]{0,200}>", " ", lyrics))
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


def _plain(name: object) -> str:
    return "_".join(str(name).strip().strip('"').lower().split())


def _number(text: str) -> float | None:
    """A number as people write it: 0.8, 0,8, 80 %."""
    text = text.strip().rstrip("%").strip()
    try:
        value = float(text.replace(",", ".") if text.count(",") == 1 and "." not in text else text)
    except ValueError:
        return None
    return value if abs(value) < float("inf") else None


def _share(text: str, scale: float = 1.0) -> float | None:
    """A feature in [0, 1]; None where it is missing or no such number."""
    value = _number(text)
    if value is None:
        return None
    value /= 100 if "%" in text else scale
    return value if 0 <= value <= 1 else None


def _marked(head: bytes) -> str:
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    return "utf-8-sig"


def _check_encoding(name: str) -> None:
    """Check that a name is one of an encoding of text, and not of one of Python's conversions (base64, rot13, idna).

    Raises:
        LookupError: it is not.
    """
    found = codecs.lookup(name) if name.isprintable() and len(name) < 40 else None
    odd = ("idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape", "utf-7")
    if (
        found is None
        or not getattr(found, "_is_text_encoding", False)
        or found.name.replace("_", "-") in {o.replace("_", "-") for o in odd}
    ):
        raise LookupError(name)
