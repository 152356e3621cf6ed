"""Rows of a table as a spreadsheet shows them: CSV of any dialect, gzipped or not, and workbooks."""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from ..errors import MediaError

LONGEST_FIELD = 4_000_000
"""Characters of one field; more means a quotation mark that is never closed."""
_SAMPLE = 1 << 18
_BARE = re.compile(r'(?<=[^"])""(?=,"|;"|\t"|\|"|\r?\n?$)')


@dataclass(frozen=True)
class Dialect:
    """How a CSV is written: delimiter, how a quotation mark inside quotes is, blanks after delimiters, a `sep=` line on top."""

    delimiter: str = ","
    escape: str | None = None
    bare: bool = False
    blanks: bool = False
    sep_line: bool = False

    def reader(self, lines: Iterator[str]) -> Iterator[list[str]]:
        """Rows of decoded lines that keep their line ends."""
        if self.sep_line:
            next(lines, None)
        if self.bare:  # a mark before a delimiter and a quote is an inch mark and the closing quote
            lines = (_BARE.sub('"""', line) for line in lines)
        return csv.reader(
            lines, delimiter=self.delimiter, escapechar=self.escape, doublequote=self.escape is None,
            skipinitialspace=self.blanks,
        )  # fmt: skip


def is_gzip(head: bytes) -> bool:
    """Whether a file with these first bytes is gzipped."""
    return head[:2] == b"\x1f\x8b"


def is_workbook(head: bytes) -> bool:
    """Whether a file with these first bytes is an Excel or OpenDocument workbook (a zip archive, or an old OLE file)."""
    return head[:4] in (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")


def opened(path: Path) -> BinaryIO:
    """A table's bytes, unpacked where they are gzipped."""
    with open(path, "rb") as file:
        packed = is_gzip(file.read(2))
    return gzip.open(path) if packed else open(path, "rb")  # type: ignore[return-value]


def sniff(sample: str, knows: Callable[[list[str]], int]) -> Dialect:
    """The dialect under which most rows of a sample have as many cells as the first, and the first names known columns.

    Args:
        sample: the beginning of the file, decoded.
        knows: how many column names of a row are known.

    >>> sniff('sep=;\\ntitle;lyrics\\n"a";"b, c"\\n', len).delimiter
    ';'
    """
    first = sample.split("\n", 1)[0].strip('\r"').lower()
    sep = first[4:5] if first.startswith("sep=") else ""
    cut = sample.rfind("\n") + 1 if len(sample) >= _SAMPLE else len(sample)
    best, chosen = (-1, -1.0), Dialect()
    for delimiter, escape, bare, blanks in itertools.product(
        sep or ",;\t|", (None, "\\"), (False, True), (False, True)
    ):
        if bare and escape:
            continue
        dialect = Dialect(delimiter, escape, bare, blanks, bool(sep))
        try:
            rows = [r for r in dialect.reader(iter(io.StringIO(sample[:cut], newline=""))) if any(c.strip() for c in r)]
        except csv.Error:
            continue
        if not rows:
            continue
        width = len(rows[0])
        whole = sum(len(r) == width for r in rows) / len(rows)
        stray = sum(c.count('"') + c.count('\\"') for r in rows for c in r) / max(1, sample.count('"'))
        # cells that begin with a blank and a quote were cut at the wrong places
        broken = sum(c.lstrip().startswith('"') for r in rows for c in r) / max(1, sum(map(len, rows)))
        several = 1.0 if width > 1 else 0.0
        score = (knows(rows[0]), several + whole - broken - 0.1 * stray - 0.01 * bare - 0.005 * (escape is not None))
        if (score[0], round(score[1], 6)) > (best[0], round(best[1], 6)):
            best, chosen = score, dialect
    return chosen


def workbook_rows(path: Path) -> Iterator[list[str]]:
    """Rows of the first sheet that holds any, as text.

    Raises:
        MediaError: the package is not installed, or the workbook is damaged.
    """
    try:
        from python_calamine import CalamineWorkbook
    except ImportError:
        raise MediaError(
            f"{path.name} is a workbook, which takes python-calamine: pip install 'spectrogrand[search]', or save it as CSV"
        ) from None
    try:
        book = CalamineWorkbook.from_path(str(path))
        sheets = [book.get_sheet_by_name(name).to_python() for name in book.sheet_names]
    except Exception as error:  # calamine raises its own kinds, and OSError, on damaged files
        raise MediaError(
            f"{path.name} is a workbook that cannot be read ({error}): save it as CSV in UTF-8 and give that"
        ) from error
    for row in next((s for s in sheets if any(any(str(c).strip() for c in r) for r in s)), []):
        yield [_shown(cell) for cell in row]


def _shown(cell: Any) -> str:
    """A cell as a spreadsheet shows it: whole numbers without a point."""
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)
