"""Selection among the candidates that no other beats in every score."""

from __future__ import annotations

import numpy as np

from ...interfaces import Card, Selector
from ...registry import register
from ...selection import ranks


@register("pareto")
class Pareto(Selector):
    """Of the candidates that no other one equals or beats in every score while beating it in one, the highest mean rank."""

    card = Card("the highest mean rank among candidates that no other beats in every score")
    among = "that no other beats in every score"

    def utility(self, name: str, scores: np.ndarray, reference: np.ndarray | None) -> tuple[np.ndarray, str | None]:
        """Ranks in [0, 1]."""
        return ranks(scores), None

    def allowed(self, scores: np.ndarray) -> np.ndarray:
        """Those on the front."""
        beaten = (scores[:, :, None] >= scores[:, None, :]).all(0) & (scores[:, :, None] > scores[:, None, :]).any(0)
        return np.asarray(~beaten.any(0))
