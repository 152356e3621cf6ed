"""Equal windows of a sound, so that what is measured on them does not depend on how long the sound is."""

from __future__ import annotations

import numpy as np

from ..errors import InvalidValue
from ..types import Audio


def windows(audio: Audio, seconds: float = 10.0, most: int = 6) -> list[Audio]:
    """At most `most` windows of `seconds`, spread evenly from beginning to end; a shorter sound is repeated to fill one.

    A sound of exactly `seconds` is its only window, itself. Overlap is at most a half.

    Raises:
        InvalidValue: seconds is not above 0, or most is under 1.

    >>> long = Audio(np.zeros((1, 300 * 1000), np.float32), 1000)
    >>> [len(windows(long)), float(windows(long)[0].duration), len(windows(Audio(long.samples[:, :4000], 1000)))]
    [6, 10.0, 1]
    """
    if not seconds > 0 or most < 1:
        raise InvalidValue(f"windows are longer than 0 s and at least one, got {seconds} s and {most}")
    size, total = round(seconds * audio.rate), audio.samples.shape[1]
    if total == size:
        return [audio]
    if total < size:
        return [Audio(np.ascontiguousarray(np.tile(audio.samples, (1, -(-size // total)))[:, :size]), audio.rate)]
    count = min(most, 1 + -(-2 * (total - size) // size))
    starts = np.linspace(0, total - size, count).round().astype(int)
    return [Audio(np.ascontiguousarray(audio.samples[:, s : s + size]), audio.rate) for s in starts]
