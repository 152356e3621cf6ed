"""Song -> features that were made before: a `.npy` file of (time, axis), as the published project keeps Jukebox's states."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import InvalidValue, StoreError
from ...interfaces import Card, Embedder
from ...registry import register
from ...types import Audio
from ...weights.files import sha256_of, sha256_of_folder

LARGEST = 1 << 30
"""Bytes of a file that is read; an hour of Jukebox's states at 30 a second takes 2 GB, a published one 14 MB."""


@register("features_file")
class FeaturesFile(Embedder):
    """Features out of a file, whatever the song: the published ones are Jukebox's, float32, shape=(714, 4800), of 25 s.

    They are layer 36 of Jukebox's language model at 30 steps a second (jukemirlib; Castellon, Donahue and Liang, ISMIR 2021),
    one `.npy` file a song, called after it. A run reads one file; a training reads the folder of them, by its clips' names.

    Args:
        path: a `.npy` file of finite numbers, shape=(time, axis), or (axis,); or a folder of such files.
    """

    artefact = Audio
    card = Card(
        "features of a song that were made before, from a .npy file (time, axis)",
        paper="Castellon et al., ISMIR 2021, Codified audio language modeling learns useful representations for MIR",
    )

    def __init__(self, *, path: str) -> None:
        self.path = path

    def embed(self, batch: Sequence[Audio]) -> np.ndarray:
        """The file's mean over time for each song, float32, shape=(item, axis).

        Raises:
            InvalidValue: the file holds no such numbers. StoreError: it cannot be read, or is a folder.
        """
        mean = self.frames(None).mean(axis=0)
        return np.tile(mean, (len(batch), 1)).astype(np.float32)

    def frames(self, song: Audio | None) -> np.ndarray:
        """The file's features, float32, shape=(time, axis); the song is not looked at."""
        place = self._place()
        if place.is_dir():
            raise StoreError(f"{place} holds the features of many songs: set path to the one file of this song")
        try:
            if place.stat().st_size > LARGEST:
                raise InvalidValue(f"{place} is larger than a gibibyte: keep fewer seconds of features")
            rows = np.load(place, allow_pickle=False)
        except OSError as error:
            raise StoreError(f"cannot read {place}: {error.strerror or error}") from error
        except (ValueError, EOFError) as error:  # objects, torn, or no .npy at all
            raise InvalidValue(f"{place} is no .npy file of numbers ({str(error).splitlines()[0]})") from error
        rows = rows if not isinstance(rows, np.ndarray) or rows.ndim != 1 else rows[None]
        good = isinstance(rows, np.ndarray) and rows.ndim == 2 and rows.size and rows.dtype.kind in "fiu"
        if not good or not np.isfinite(rows).all():
            got = f"{rows.dtype} {rows.shape}" if isinstance(rows, np.ndarray) else "an archive"
            raise InvalidValue(f"{place} holds {got}: finite numbers (time, axis) were expected, such as (714, 4800)")
        return np.ascontiguousarray(rows, np.float32)

    def of_clip(self, clip: Path) -> FeaturesFile:
        """The features of one clip: the file that is called as it is, where `path` is a folder."""
        place = self._place()
        return FeaturesFile(path=str(place / f"{clip.stem}.npy")) if place.is_dir() else self

    def identity(self) -> Mapping[str, Any]:
        """sha256 of the file, or of the folder's files."""
        place = self._place()
        return {"features": sha256_of_folder(place) if place.is_dir() else sha256_of(place)}

    def inspect(self) -> None:
        """Whether the file is there and holds features."""
        if not self._place().is_dir():
            self.frames(None)

    def _place(self) -> Path:
        place = Path(str(self.path)).expanduser()
        if not place.exists():
            raise StoreError(f"there are no features at {place}: set path to a .npy file, shape (time, axis)")
        return place
