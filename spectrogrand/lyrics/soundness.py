"""Whether an index of lyrics is whole: each of its files, and its index.json itself, has the sha256 that was written down."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..errors import InvalidValue, StoreError
from ..files import parse_json
from ..store import digest, file_digest

FILES = ("vectors.safetensors", "clusters.safetensors", "songs.parquet", "lines.parquet")


def sealed(folder: Path, record: Mapping[str, Any]) -> dict[str, Any]:
    """The record of a finished index with the sha256 of its files, and of the record."""
    whole = {**record, "files": {name: file_digest(folder / name) for name in FILES}}
    return whole | {"sha256": digest(whole)}


def read_about(folder: Path) -> dict[str, Any]:
    """What index.json says.

    Raises:
        StoreError: it is not what was written. OSError: it cannot be read.
    """
    damaged = f"{folder}/index.json is damaged: delete the folder and build the index again"
    try:
        about = parse_json((folder / "index.json").read_bytes())
    except ValueError as error:
        raise StoreError(damaged) from error
    if not isinstance(about, dict):
        raise StoreError(damaged)
    if "sha256" in about and digest({k: v for k, v in about.items() if k != "sha256"}) != about["sha256"]:
        raise StoreError(damaged)
    return about


def damaged(folder: Path, about: Mapping[str, Any]) -> str:
    """What is wrong with the files of an index, in words; "" where each is as it was written. About a second a gigabyte."""
    files = about.get("files")
    for name in FILES:
        try:
            if not isinstance(files, Mapping) or file_digest(folder / name) != files.get(name):
                return f"{name} is not as it was written"
        except OSError as error:
            return f"{name} cannot be read ({error.strerror})"
    return ""


@contextmanager
def arrow_errors(path: Path) -> Iterator[None]:
    """What Arrow raises over a file that changed since the index was opened, as one line."""
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError, ValueError, KeyError, IndexError) as error:
        if isinstance(error, InvalidValue):
            raise
        said = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise InvalidValue(f"{path} is damaged ({said}): delete the folder and build the index again") from error
