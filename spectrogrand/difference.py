"""How far two artefacts are apart: what "the same bytes" and "within a tolerance" mean in the contract checks."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

import numpy as np

from .types import Audio, Frames, Image, Plan


def difference(a: Any, b: Any) -> float:
    """Largest difference of two artefacts in full scale (1.0); 0 for the same bytes, infinity where unlike in kind.

    >>> black, grey = (Image(np.full((2, 2, 3), v, np.uint8)) for v in (0, 51))
    >>> difference(black, grey), difference(black, black), difference("a", "b")
    (0.2, 0.0, inf)
    """
    if type(a) is not type(b):
        return np.inf
    if isinstance(a, np.ndarray):
        if a.shape != b.shape or a.dtype != b.dtype:
            return np.inf
        if a.tobytes() == b.tobytes():
            return 0.0
        scale = 255.0 if a.dtype == np.uint8 else 1.0
        apart = float(np.max(np.abs(a.astype(np.float64) - b.astype(np.float64)), initial=0.0)) / scale
        return np.inf if np.isnan(apart) else max(apart, np.finfo(float).tiny)
    if isinstance(a, Frames):
        if (a.size, a.count, a.fps) != (b.size, b.count, b.fps):
            return np.inf
        return max(np.inf if x is None or y is None else difference(x, y) for x, y in zip_longest(a, b))
    if dataclasses.is_dataclass(a) and not isinstance(a, Plan):
        return max(difference(getattr(a, f.name), getattr(b, f.name)) for f in dataclasses.fields(a))
    return 0.0 if a == b else np.inf


def prints(batch: Sequence[Any]) -> list[Any]:
    """What an item held before, to see whether a plug-in wrote into it."""
    held = {Audio: lambda x: x.samples.tobytes(), Image: lambda x: x.pixels.tobytes()}
    return [held.get(type(x), lambda x: x)(x) for x in batch]
