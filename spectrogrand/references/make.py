"""`spectrogrand reference FOLDER OUT`: a folder of one's own songs or pictures as a reference set for the scorers.

Songs become embeddings and fingerprints for `novelty` and `near_copy` (`references=OUT`), pictures become statistics for
`cover_surprise` and `aesthetics` (`reference=OUT`). What was computed for a file is kept in the store, so that a folder that
grew costs its new files.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from .. import media, registry
from ..audio.fingerprint import BITS, FRAMES, take_print
from ..errors import ConfigError, InvalidValue, MediaError
from ..files import walked
from ..image.statistics import NAMES, statistics
from ..progress import bar
from ..provenance import fingerprint, source_hash
from ..store import Store, digest, file_digest
from ..types import Audio
from .covers import LEAST

PRINT = FRAMES * BITS // 8
"""Bytes of a song's fingerprint."""


def make_reference(
    folder: str | Path, out: str | Path, *, embedder: Any = "timbre_rhythm", store: Store | None = None
) -> int:
    """Write the reference set of a folder, sub-folders included, and return how many items it holds.

    Droppings of systems and editors (names that begin with a dot or `._`, `@eaDir`, `__MACOSX`) are passed over;
    files that cannot be read are left out, and a warning names the first of them with its reason.

    Raises:
        ConfigError: no such folder, songs and pictures mixed, or neither. InvalidValue: too few to be a set.
        MediaError: not one file can be read; the first is named.
    """
    source, target = Path(folder).expanduser(), Path(out).expanduser()
    if target.suffix != ".safetensors":
        raise ConfigError(f"{target} should end in .safetensors: that is what is written")
    if not source.is_dir():
        raise ConfigError(f"no folder {str(source)!r}: give a folder of songs or of pictures")
    files = walked(source)
    songs = [p for p in files if p.suffix.lower() in media.SOUNDS]
    pictures = [p for p in files if p.suffix.lower() in media.PICTURES]
    if bool(songs) == bool(pictures):
        held = "both songs and pictures" if songs else "neither songs nor pictures"
        raise ConfigError(
            f"{str(source)!r} holds {held}: a reference set is of one kind, put them into a folder of their own"
        )
    store = store or Store(Path("outputs") / ".store")
    if songs:
        if len(songs) < 2:
            raise InvalidValue(f"{str(source)!r} holds {len(songs)} song, a reference set needs at least 2")
        part = registry.build("embedders", embedder)
        known = {"embedder": fingerprint(part), "prints": source_hash(take_print)}
        rows = _rows(songs, known, store, lambda p: _embed_and_print(part, media.load_audio(p)))
        marks = rows[:, -PRINT:].astype(np.uint8).reshape(len(rows), FRAMES, -1)
        _save(target, {"own": rows[:, :-PRINT], "prints.own": marks}, {})
    else:
        if len(pictures) < LEAST:
            raise InvalidValue(
                f"{str(source)!r} holds {len(pictures)} pictures, a reference set needs at least {LEAST}"
            )
        rows = _rows(pictures, {"statistics": list(NAMES)}, store, lambda p: statistics(media.load_image(p)))
        _save(target, {"statistics": rows}, {"names": " ".join(NAMES)})
    return len(rows)


def _embed_and_print(part: Any, song: Audio) -> np.ndarray:
    """The song's vector and its fingerprint's bytes in one row, float32, shape=(axis + 400,)."""
    return np.concatenate([part.embed([song])[0], take_print(song).ravel().astype(np.float32)])


def _rows(files: list[Path], part: dict[str, Any], store: Store, make: Callable[[Path], np.ndarray]) -> np.ndarray:
    """One float32 row per file, shape=(file, axis), from the store where it is known."""
    rows: list[np.ndarray] = []
    skipped: list[MediaError] = []
    with bar("reference") as tick:
        for k, file in enumerate(files):
            key = digest({"step": "reference", "part": part, "file": file_digest(file)})
            entry = store.find(key)
            if entry is None:
                try:
                    row = np.asarray(make(file), np.float32)
                except MediaError as error:
                    skipped.append(error)
                    continue
                if not np.isfinite(row).all():
                    raise MediaError(f"{str(file)!r} gives numbers that are not finite: take it out of the folder")
                with store.writing(key) as draft:
                    np.save(draft / "row.npy", row, allow_pickle=False)
            else:
                row = np.load(entry.path("row.npy"), allow_pickle=False)
            rows.append(row)
            tick(k + 1, len(files))
    if not rows:
        raise skipped[0]
    if skipped:
        warnings.warn(f"{len(skipped)} of {len(files)} files left out, the first: {skipped[0]}", stacklevel=4)
    return np.stack(rows)


def _save(target: Path, arrays: dict[str, np.ndarray], metadata: dict[str, str]) -> None:
    from safetensors.numpy import save

    with media.replacing(target) as draft:
        Path(draft).write_bytes(save({k: np.ascontiguousarray(v) for k, v in arrays.items()}, metadata=metadata))
