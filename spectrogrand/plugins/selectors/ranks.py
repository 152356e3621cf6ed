"""Selection by ranks among the candidates: the offline default."""

from __future__ import annotations

import numpy as np

from ...interfaces import Card, Selector
from ...registry import register
from ...selection import ranks


@register("ranks")
class Ranks(Selector):
    """u = share of the other candidates that one beats, ties half (Borda's count)."""

    card = Card("share of the other candidates that one beats")

    def utility(self, name: str, scores: np.ndarray, reference: np.ndarray | None) -> tuple[np.ndarray, str | None]:
        """Ranks in [0, 1]."""
        return ranks(scores), None
