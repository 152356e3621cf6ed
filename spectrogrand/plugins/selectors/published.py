"""Selection by the weighted mean of raw scores, as in the 2024 system."""

from __future__ import annotations

import numpy as np

from ...interfaces import Card, Selector
from ...registry import register


@register("published")
class Published(Selector):
    """u = s: a scorer with a wide range drowns one with a narrow one."""

    card = Card("raw scores, equal weights", paper="Spectrogrand, ICVGIP 2024")
    as_is = True

    def utility(self, name: str, scores: np.ndarray, reference: np.ndarray | None) -> tuple[np.ndarray, str | None]:
        """The scores themselves."""
        return scores, None
