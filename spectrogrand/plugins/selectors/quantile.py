"""Selection by quantiles in each scorer's reference scores."""

from __future__ import annotations

import numpy as np

from ...interfaces import Card, Selector
from ...registry import register
from ...selection import quantile, ranks


@register("quantile")
class Quantile(Selector):
    """u = share of the scorer's reference scores below s, ties half; of the candidates' own where it has no reference scores.

    A scorer that puts more than half of the candidates at an end of its reference scores cannot tell them apart: its ranks are
    used, and that is said.
    """

    card = Card("share of each scorer's reference scores that a candidate beats")

    def utility(self, name: str, scores: np.ndarray, reference: np.ndarray | None) -> tuple[np.ndarray, str | None]:
        """Quantiles in [0, 1]."""
        sample = reference if reference is not None and len(reference) else None
        if sample is None:
            return quantile(scores, scores), None
        ended = int(((scores < np.min(sample)) | (scores > np.max(sample))).sum())
        if len(scores) > 1 and 2 * ended > len(scores):
            return ranks(scores), f"{ended} of {len(scores)} lie at an end of {name}'s references: its ranks are used"
        return quantile(scores, sample), None
