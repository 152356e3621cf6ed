"""Lyrics with times: LRC and SRT files as lines that begin and end."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import ConfigError

ENDINGS = (".lrc", ".srt")
MOST_BYTES, MOST_LINES, LONGEST = 1 << 20, 4000, 200
LAST = 6.0
"""Seconds that a line of an LRC file stays where none follows it."""
_STAMP = re.compile(r"\[([^\]\[]*\d[^\]\[]*)\]")
_TAG = re.compile(r"\[(ar|ti|al|au|by|re|ve|length|offset|la|lr|#)[:\]](.*?)\]?\s*$", re.I)
_WORDS = re.compile(r"<\d+:\d+(?:[.:]\d+)?>")
_SPAN = re.compile(r"(\S+)\s*-->\s*(\S+)")


@dataclass(frozen=True)
class Line:
    """A line of a song, shown in [start, end) seconds."""

    start: float
    end: float
    text: str


def is_timed(path: str) -> bool:
    """Whether a file's name says that its lines have times."""
    return str(path).lower().endswith(ENDINGS)


def read_timed(path: str) -> tuple[Line, ...]:
    """The lines of an LRC or SRT file in order of time; those without words are left out.

    LRC: one or several [mm:ss.xx] before a line, [offset:ms], word stamps <mm:ss.xx> and other tags are known. SRT: numbered
    blocks of "hh:mm:ss,mmm --> hh:mm:ss,mmm" and text.

    Raises:
        ConfigError: no such file, no text, no line in it, or a time that is none; the line's number is in the message.
    """
    place = Path(path).expanduser()
    try:
        if place.stat().st_size > MOST_BYTES:
            raise ConfigError(f"{place.name} is larger than a mebibyte: give the lyrics of one song")
        text = place.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read the lyrics in {path} ({error}): give an LRC or SRT file in UTF-8") from error
    found = _srt(text, place.name) if place.suffix.lower() == ".srt" else _lrc(text, place.name)
    if not found:
        raise ConfigError(
            f"{place.name} holds no timed line: an LRC line is [00:12.50]words, an SRT block has a --> in it"
        )
    if len(found) > MOST_LINES:
        raise ConfigError(f"{place.name} has {len(found):,} lines, at most {MOST_LINES:,} are shown: is it one song's?")
    return found


def on_beats(lines: tuple[Line, ...], beats: np.ndarray, reach: float = 0.3) -> tuple[Line, ...]:
    """The lines with each start moved to the nearest beat (seconds) that is at most `reach` away.

    >>> on_beats((Line(1.1, 2.0, "la"),), np.array([0.5, 1.0]))[0].start
    1.0
    """
    if not len(beats):
        return lines
    moved = []
    for line in lines:
        near = float(beats[np.abs(beats - line.start).argmin()])
        start = near if abs(near - line.start) <= reach and near < line.end else line.start
        moved.append(Line(start, line.end, line.text))
    for k, (line, after) in enumerate(zip(moved, moved[1:], strict=False)):
        if line.end > after.start > line.start:
            moved[k] = Line(line.start, after.start, line.text)
    return tuple(moved)


def _lrc(text: str, name: str) -> tuple[Line, ...]:
    starts: list[tuple[float, str]] = []
    offset = 0.0
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if tag := _TAG.match(line):
            if tag[1].lower() == "offset":
                offset = _offset(tag[2], name, number)
            continue
        rest, stamps = line, []
        while stamp := _STAMP.match(rest):
            stamps.append(_seconds(stamp[1], name, number))
            rest = rest[stamp.end() :].lstrip()
        words = _clean(_WORDS.sub("", rest))
        starts += [(max(0.0, at - offset), words) for at in stamps]
    starts.sort(key=lambda pair: pair[0])
    ends = [at for at, _ in starts[1:]] + [at + LAST for at, _ in starts[-1:]]
    return tuple(Line(at, end, words) for (at, words), end in zip(starts, ends, strict=True) if words and end > at)


def _srt(text: str, name: str) -> tuple[Line, ...]:
    found: list[Line] = []
    rows = [*text.splitlines(), ""]
    k = 0
    while k < len(rows):
        span = _SPAN.search(rows[k])
        if not span:
            k += 1
            continue
        start, end = (_seconds(part, name, k + 1) for part in (span[1], span[2]))
        if end <= start:
            raise ConfigError(f"line {k + 1} of {name} ends before it begins: {rows[k].strip()!r}")
        words = []
        k += 1
        while k < len(rows) and rows[k].strip():
            words.append(rows[k])
            k += 1
        if said := _clean(re.sub(r"<[^>]{0,40}>|\{\\[^}]{0,40}\}", "", " ".join(words))):
            found.append(Line(start, end, said))
    return tuple(sorted(found, key=lambda line: line.start))


def _seconds(stamp: str, name: str, number: int) -> float:
    parts = stamp.strip().replace(",", ".").split(":")
    known = 2 <= len(parts) <= 3 and all(re.fullmatch(r"\d{1,4}(\.\d{1,4})?", p) for p in parts)
    numbers = [float(p) for p in parts] if known else []
    if not known or max(numbers[1:]) >= 60:
        raise ConfigError(f"line {number} of {name} begins at {stamp!r}, which is no time: write 01:23.45")
    return sum(n * 60**k for k, n in enumerate(reversed(numbers)))


def _offset(value: str, name: str, number: int) -> float:
    try:
        return int(value.strip()) / 1000
    except ValueError:
        raise ConfigError(f"line {number} of {name} has the offset {value!r}: it is in milliseconds") from None


def _clean(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:LONGEST]
