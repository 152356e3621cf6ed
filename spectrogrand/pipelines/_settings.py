"""Settings that pipelines share, checked before anything is made."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from ..errors import ConfigError


def whole(config: Mapping[str, Any], key: str, low: int, high: int) -> int:
    """A whole number from `low` to `high`.

    >>> whole({"songs": 4}, "songs", 1, 100)
    4
    """
    value = config.get(key)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ConfigError(
            f"{key} is a whole number from {low:,} to {high:,}, got {value!r}: set {key}={max(low, 1)}, say"
        )
    return value


def frame_rate(config: Mapping[str, Any], key: str = "fps") -> Fraction:
    """Frames per second: any rational above 0 and at most 120, as a number or as text.

    >>> frame_rate({"fps": "30000/1001"})
    Fraction(30000, 1001)
    """
    try:
        fps = Fraction(str(config.get(key)))
    except (ValueError, ZeroDivisionError):
        fps = Fraction(0)
    if not 0 < fps <= 120:
        raise ConfigError(
            f"{key} is a number of frames a second above 0 and at most 120, got {config.get(key)!r}: set {key}=30"
        )
    return fps
