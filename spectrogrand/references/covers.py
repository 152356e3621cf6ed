"""Reference covers as a table of picture statistics: the shipped set, a safetensors file, or a folder of the user's pictures."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

import numpy as np

from ..errors import InvalidValue, MediaError
from ..image.statistics import NAMES, statistics
from ..interfaces import Reference

SHIPPED = Path(__file__).parents[1] / "data" / "cover_reference.safetensors"
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff")
LEAST = 8
"""Fewer pictures than this are no set."""


class CoverReference:
    """A set of covers, read at first use. `source`: "shipped", a folder of pictures, or a file of train/reference_covers.py.

    Raises (at first use):
        MediaError: no such place, or a file that holds no table of the sixteen statistics.
        InvalidValue: fewer than 8 pictures.
    """

    def __init__(self, source: str = "shipped") -> None:
        self.source = source

    def table(self) -> np.ndarray:
        """The statistics, float64, shape=(reference, 16), columns `picture_statistics.NAMES`."""
        return self._read()[0]

    def card(self) -> Reference:
        """Name, count and the sha256 of the table's bytes (float32, row by row)."""
        table, name = self._read()
        digest = hashlib.sha256(np.ascontiguousarray(table, np.float32).tobytes()).hexdigest()
        return Reference(name, len(table), digest)

    def _read(self) -> tuple[np.ndarray, str]:
        if self.source == "shipped":
            return _file(SHIPPED, SHIPPED.stat().st_mtime_ns if SHIPPED.exists() else 0), "procedural covers (shipped)"
        path = Path(self.source)
        if path.is_dir():
            seen = tuple((str(p), p.stat().st_mtime_ns) for p in sorted(path.iterdir()) if p.suffix.lower() in SUFFIXES)
            return _folder(path, seen), path.name
        return _file(path, path.stat().st_mtime_ns if path.exists() else 0), path.name


def standardised(table: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Statistics by median and MAD of `reference`, bent softly to +-8 and divided by sqrt(16), float64, shape=(item, 16)."""
    middle = np.median(reference, axis=0)
    scale = np.maximum(1.4826 * np.median(np.abs(reference - middle), axis=0), 0.01 * np.ptp(reference, axis=0) + 1e-6)
    return np.asarray(8 * np.tanh((table - middle) / scale / 8) / np.sqrt(table.shape[1]))


@lru_cache(8)
def _file(path: Path, _stamp: int) -> np.ndarray:
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise MediaError(
            f"no reference covers at {path}: give a folder of pictures or a file made by train/reference_covers.py"
        )
    try:
        with safe_open(str(path), framework="numpy") as store:
            names = tuple((store.metadata() or {}).get("names", "").split())
            table = np.asarray(store.get_tensor("statistics"), np.float64)
    except SafetensorError as error:
        raise MediaError(
            f"{path} is no file of cover statistics ({error}): make it with train/reference_covers.py"
        ) from error
    if names != NAMES or table.ndim != 2 or table.shape[1] != len(NAMES) or not np.isfinite(table).all():
        raise MediaError(
            f"{path} holds other statistics than this version computes: make it again with train/reference_covers.py"
        )
    return _enough(table, path)


@lru_cache(8)
def _folder(path: Path, seen: tuple[tuple[str, int], ...]) -> np.ndarray:
    from ..media import load_image

    rows = [statistics(load_image(name)) for name, _ in seen]
    return _enough(np.array(rows, np.float32).astype(np.float64).reshape(len(rows), len(NAMES)), path)


def _enough(table: np.ndarray, path: Path) -> np.ndarray:
    if len(table) < LEAST:
        raise InvalidValue(
            f"{path} holds {len(table)} pictures, a reference set needs at least {LEAST}: add more pictures"
        )
    return table
