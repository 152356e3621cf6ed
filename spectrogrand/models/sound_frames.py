"""A song's middle as features over time, (time, axis): what an adapter reads, from any sound embedder."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import PluginError
from ..types import Audio

MOST = 154
"""Time steps kept: twice CLIP's window, since the adapter's convolution halves them; longer ones are averaged down to it."""


def middle(song: Audio, seconds: float) -> Audio:
    """The middle `seconds` of a song, whole where it is no longer: the published clip is 25 s long.

    >>> middle(Audio(np.zeros((1, 8000 * 60), np.float32), 8000), 25.0).duration
    Fraction(25, 1)
    """
    wanted = round(seconds * song.rate)
    total = song.samples.shape[1]
    if total <= wanted:
        return song
    first = (total - wanted) // 2
    return Audio(np.ascontiguousarray(song.samples[:, first : first + wanted]), song.rate)


def frames_of(embedder: Any, song: Audio, seconds: float, most: int | None = MOST) -> np.ndarray:
    """Features of a song's middle, float32, shape=(time, axis), time at most `most`; None: all of them.

    An embedder with a method `frames(audio) -> (time, axis)` (language-model states) gives them over time; any other's one
    vector is one time step.

    Raises:
        PluginError: the embedder gives another shape, or numbers that are not finite.
    """
    clip = middle(song, seconds)
    rows = embedder.frames(clip) if hasattr(embedder, "frames") else embedder.embed([clip])
    rows = np.asarray(rows, np.float32)
    if rows.ndim != 2 or 0 in rows.shape or not np.isfinite(rows).all():
        raise PluginError(
            f"embedder {embedder.name!r} gave {rows.shape} or numbers that are not finite, not (time, axis)"
        )
    if most is not None and len(rows) > most:
        edges = np.linspace(0, len(rows), most + 1).round().astype(int)
        rows = np.add.reduceat(rows, edges[:-1], axis=0) / np.diff(edges)[:, None]
    return np.ascontiguousarray(rows, np.float32)
