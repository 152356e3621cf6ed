"""A song cut into stretches, each read when it is asked for: an hour is never in memory at once."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import overload

import numpy as np

from ..types import Audio


class Stretches(Sequence[Audio]):
    """A song in stretches of about `seconds`: round(duration / seconds) of them, at least one; the last takes the rest.

    >>> song = Audio(np.zeros((1, 8000 * 27), np.float32), 8000)
    >>> [float(s.duration) for s in Stretches(song, 10)]
    [10.0, 10.0, 7.0]
    """

    def __init__(self, song: Audio, seconds: float | Fraction = 10) -> None:
        self._song = song
        length = Fraction(seconds)
        self._count = max(1, int(song.duration / length + Fraction(1, 2)))
        edges = [min(song.samples.shape[1], int(k * length * song.rate)) for k in range(self._count)]
        self._edges = [*edges, song.samples.shape[1]]

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> Audio: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Audio]: ...
    def __getitem__(self, index: int | slice) -> Audio | Sequence[Audio]:
        if isinstance(index, slice):
            return [self[k] for k in range(*index.indices(self._count))]
        k = range(self._count)[index]
        return Audio(_read(self._song.samples, self._edges[k], self._edges[k + 1]), self._song.rate)


def _read(samples: np.ndarray, first: int, last: int) -> np.ndarray:
    """A copy of some samples; those of a map of a whole file are read from it, so that no page of the map stays."""
    if isinstance(samples, np.memmap) and samples.filename is not None and samples.T.flags.c_contiguous:
        channels = samples.shape[0]
        with open(samples.filename, "rb") as file:
            file.seek(int(samples.offset) + first * channels * 4)
            read = np.fromfile(file, np.float32, (last - first) * channels)
        if len(read) == (last - first) * channels:
            return read.reshape(-1, channels).T
    return np.ascontiguousarray(samples[:, first:last])
