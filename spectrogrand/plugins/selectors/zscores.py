"""Selection by standard scores."""

from __future__ import annotations

import numpy as np

from ...interfaces import Card, Selector
from ...registry import register


@register("zscores")
class ZScores(Selector):
    """u = (s - mean) / standard deviation of the scorer's reference scores, or of the candidates' own where it has none.

    Scores far outside the reference still differ, which quantiles lose; one odd scorer can decide alone, which ranks prevent.

    Args:
        clip: standard scores beyond this count as this.
    """

    card = Card("standard scores against each scorer's references", paper="SCORE, arXiv 2509.19831")

    def __init__(self, clip: float = 6.0) -> None:
        self.clip = clip

    def utility(self, name: str, scores: np.ndarray, reference: np.ndarray | None) -> tuple[np.ndarray, str | None]:
        """Standard scores within the clip; 0 where nothing varies."""
        sample = reference if reference is not None and len(reference) > 1 else scores
        spread = float(np.std(sample))
        if not spread > 1e-12 * max(1.0, float(np.max(np.abs(sample)))):
            return np.zeros(len(scores)), None
        return np.clip((scores - np.mean(sample)) / spread, -self.clip, self.clip), None
