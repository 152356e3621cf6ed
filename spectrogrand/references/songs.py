"""The reference songs that ship with the package: embeddings by genre, and scores that are known already."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

import numpy as np

from ..errors import InvalidValue, MediaError
from ..interfaces import Reference

SHIPPED = Path(__file__).parents[1] / "data" / "song_reference.safetensors"
"""float32 (item, axis) per genre; "prints.<genre>", uint8 (item, 50, 8), their fingerprints (`audio.fingerprint`); and
"scores.<scorer>", float (item,), of the same songs, genres in sorted order."""
ROBUST = SHIPPED.with_name("robust_axes.safetensors")
"""float32 (statistic,), how much each statistic of `timbre_rhythm` is trusted in squared distances (`train/robust_axes.py`)."""
_SCORES, _PRINTS = "scores.", "prints."


def reference_path(references: str | None) -> Path:
    """The file that a `references` setting means: the shipped one for None."""
    return SHIPPED if references is None else Path(references).expanduser()


@lru_cache(maxsize=8)
def load_reference(path: Path) -> tuple[dict[str, np.ndarray], str]:
    """The arrays of a reference file by key, sorted, and the sha256 of its bytes.

    Raises:
        MediaError: the file is missing or is not a safetensors file.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        data = path.read_bytes()
        arrays = load(data)
    except (OSError, SafetensorError) as error:
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        wanted = "give a safetensors file of (item, axis) arrays"
        raise MediaError(f"the reference {path} cannot be read ({reason}): {wanted}") from error
    return dict(sorted(arrays.items())), hashlib.sha256(data).hexdigest()


def embeddings(path: Path) -> tuple[dict[str, np.ndarray], str]:
    """Genre -> float32 (item, axis), and the file's sha256.

    Raises:
        InvalidValue: an array is not (item, axis), the genres differ in axes, or there are none.
        MediaError: the file cannot be read.
    """
    arrays, digest = load_reference(path)
    genres = {k: v for k, v in arrays.items() if not k.startswith((_SCORES, _PRINTS))}
    axes = {v.shape[1] if v.ndim == 2 and len(v) else 0 for v in genres.values()}
    if len(axes) != 1 or 0 in axes:
        shapes = ", ".join(f"{k} {v.shape}" for k, v in genres.items())
        wanted = "a reference holds (item, axis) embeddings per genre, all with the same axes"
        raise InvalidValue(f"{wanted}, got {shapes or 'none'}")
    return genres, digest


def prints(path: Path) -> dict[str, np.ndarray]:
    """Genre -> fingerprints, uint8 (item, 50, 8); empty for a file that holds none.

    Raises:
        MediaError: the file cannot be read.
    """
    arrays, _ = load_reference(path)
    return {k.removeprefix(_PRINTS): v for k, v in arrays.items() if k.startswith(_PRINTS)}


def shipped_scores(scorer: str) -> tuple[Reference, np.ndarray] | None:
    """The shipped reference songs as a set and their scores by a scorer, float64; None where they are not shipped."""
    if not SHIPPED.is_file():
        return None
    arrays, digest = load_reference(SHIPPED)
    scores = arrays.get(_SCORES + scorer)
    if scores is None:
        return None
    return Reference("shipped house songs", len(scores), digest), scores.astype(np.float64)
