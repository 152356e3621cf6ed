"""Values of a run's record as the report wants them: text for numbers, an empty one for what is odd or missing."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any


def number(value: Any) -> str:
    """A score as text: three significant digits or more, never an exponent for everyday sizes.

    >>> number(0.31249), number(12.5), number(None), number(float("nan"))
    ('0.312', '12.5', '–', '–')
    """
    if not isinstance(value, int | float) or not math.isfinite(value):
        return "–"
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.4g}"


def seconds(value: Any) -> str:
    """A length of time for reading.

    >>> seconds(0.042), seconds(9.5), seconds(125)
    ('42 ms', '9.5 s', '2:05 min')
    """
    if not isinstance(value, int | float) or not math.isfinite(value):
        return "–"
    if value < 1:
        return f"{1000 * value:.0f} ms"
    return f"{value:.1f} s" if value < 60 else f"{int(value) // 60}:{int(value) % 60:02d} min"


def mapping(value: Any) -> Mapping[str, Any]:
    """The value if it is a mapping, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def items(value: Any) -> list[Any]:
    """The value if it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def finite(value: Any) -> float | None:
    """The value if it is a finite number."""
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


def share(value: Any, best: float) -> float:
    """How long a bar is, 0 to 1."""
    x = finite(value)
    return 0.0 if x is None or best <= 0 else min(1.0, max(0.0, x / best))


def largest(values: Iterable[Any]) -> float:
    """The largest finite number, 0 without any."""
    return max((finite(v) or 0.0 for v in values), default=0.0)
