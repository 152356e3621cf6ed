"""A run's record as read from its run.json: anybody's file, so its size, depth, numbers and types are checked first."""

from __future__ import annotations

import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import StoreError
from ..files import parse_json

LARGEST = 64 << 20
"""Bytes of a run.json; that of a run with 1,000 candidates has some three million."""
DEEPEST = 64
_NUMBER = (int, float)
_SCORER = {"aspect": str, "plugin": str, "weight": _NUMBER, "reference": {"name": str, "count": _NUMBER}}
_PLAN = {"tempo": _NUMBER, "key": str, "mode": str, "genre": str, "sections": [{}], "downbeats": [_NUMBER]}
_CANDIDATE = {
    "index": int, "file": str, "failed": str, "seed": int, "total": _NUMBER, "scores": {"*": _NUMBER},
    "used": {"*": _NUMBER}, "plan": _PLAN, "brief": {}, "notes": {},
}  # fmt: skip
SCHEMA: dict[str, Any] = {
    "state": str, "name": str, "topic": str, "started": str, "version": str, "error": str, "seed": int, "seconds": _NUMBER,
    "config": {}, "platform": {}, "files": {"*": {}}, "videos": {"*": str}, "steps": [{}], "parts": {"*": {}},
    "warnings": [str], "facts": [str], "genre": {"chosen": str, "probabilities": {"*": _NUMBER}},
    "choices": {"*": {
        "rule": str, "why": str, "chosen": int, "noise": _NUMBER, "margin": _NUMBER, "scorers": {"*": _SCORER},
        "candidates": [_CANDIDATE],
    }},
}  # fmt: skip
"""What each part of a record is: a type, a list of one, or a mapping ("*": of any name); null may stand for any."""


def read_record(folder: Path) -> dict[str, Any]:
    """The record of a run as it stands in its folder's run.json; what lies deeper than its names may be odd.

    Raises:
        StoreError: there is none, or it is no record: torn, of another kind, too large, nested too deep.
    """
    path, told = Path(folder) / "run.json", f"run.json in {str(folder)!r}"
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):
            raise StoreError(f"{told} is no file: give the folder of a run")
        if about.st_size > LARGEST:
            raise StoreError(f"{told} holds {about.st_size:,} bytes, which no run writes: give the folder of a run")
        record = parse_json(path.read_bytes().decode("utf-8"))
    except (OSError, ValueError) as error:
        raise StoreError(f"no readable {told} ({error}): give the folder of a run") from error
    if not isinstance(record, dict):
        raise StoreError(f"{told} holds no record: give the folder of a run")
    return _plain(record, told)


def load_record(folder: Path) -> dict[str, Any]:
    """The record of a run, each part of the type that it has in every record that a run writes.

    Raises:
        StoreError: as `read_record`, or a part is of another type: it is named.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "run.json").write_text('{"choices": {"song": []}}')
    >>> load_record(folder)
    Traceback (most recent call last):
    spectrogrand.errors.StoreError: run.json in ... is no run's record (choices.song is a list, not an object): ...
    """
    record = read_record(folder)
    wrong = _mismatch(record, SCHEMA, "")
    if wrong:
        raise StoreError(
            f"run.json in {str(folder)!r} is no run's record ({wrong}): run it again, or delete the folder"
        )
    choices = {k: v for k, v in (record.get("choices") or {}).items() if v}
    for choice in choices.values():
        choice["candidates"] = [c for c in choice.get("candidates") or () if c]
        choice["scorers"] = {k: v or {} for k, v in (choice.get("scorers") or {}).items()}
    record["choices"] = choices
    return record


def _plain(record: dict[str, Any], told: str) -> dict[str, Any]:
    """The record, checked to be of a depth and of numbers that every reader can bear, with text that can be written."""
    todo: list[tuple[Any, int]] = [(record, 0)]
    halves = False
    while todo:
        value, depth = todo.pop()
        if depth > DEEPEST:
            raise StoreError(f"{told} nests more than {DEEPEST} deep, which no run writes: give the folder of a run")
        if isinstance(value, dict):
            halves = halves or any(not _whole(k) for k in value)
            todo += [(v, depth + 1) for v in value.values()]
        elif isinstance(value, list):
            todo += [(v, depth + 1) for v in value]
        elif isinstance(value, str):
            halves = halves or not _whole(value)
        elif isinstance(value, int) and abs(value) >= 1 << 64:
            raise StoreError(f"{told} holds a number of {len(str(value))} digits, which no run writes")
    clean: dict[str, Any] = _mended(record) if halves else record
    return clean


def _mended(value: Any) -> Any:
    """Half characters (a lone surrogate) become question marks: no page can hold them."""
    if isinstance(value, dict):
        return {_mended(k): _mended(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_mended(v) for v in value]
    return value.encode("utf-8", "replace").decode("utf-8") if isinstance(value, str) else value


def _whole(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= c <= "\udfff" for c in text)


def _mismatch(value: Any, wanted: Any, where: str) -> str:
    """The first part of another type, in words; "" where there is none."""
    if value is None:
        return ""
    if isinstance(wanted, dict):
        if not isinstance(value, Mapping):
            return f"{where} is {_kind(value)}, not an object"
        each = wanted.get("*")
        parts = ((k, v, wanted.get(k) if each is None else each) for k, v in value.items())
        return next(
            (w for k, v, t in parts if t is not None and (w := _mismatch(v, t, f"{where}.{k}".lstrip(".")))), ""
        )
    if isinstance(wanted, list):
        if not isinstance(value, list):
            return f"{where} is {_kind(value)}, not a list"
        return next((w for k, v in enumerate(value) if (w := _mismatch(v, wanted[0], f"{where}.{k}"))), "")
    if isinstance(value, bool) or not isinstance(value, wanted):
        names = {str: "text", int: "a whole number"}
        return f"{where[:100]} is {_kind(value)}, not {names.get(wanted, 'a number')}"
    return ""


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "text", bool: "true or false"}
    return names.get(type(value), "a number")
