"""Scorer "finish": how free a picture is of the marks that damage leaves: grain, blocks, halos, cut-off colours, seams."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ....errors import InvalidValue
from ....image.damage import MARKS, marks
from ....interfaces import Card, CreativityScorer
from ....registry import register
from ....types import Image

SCALE = {"grain": 0.01, "blocks": 0.15, "halos": 0.03, "cut_off": 0.08, "seams": 1.5, "blur": 0.5, "flat": 0.1}
"""How much of a mark halves the score, by eye on covers made for that: about where it begins to be seen."""


@register("finish")
class Finish(CreativityScorer):
    """prod_i 1 / (1 + m_i / s_i) over the marks of damage m_i (`image.damage.marks`) with scales s_i, in (0, 1].

    Every mark grows with its damage and nothing makes up for it, so that a damaged copy scores below its original; between two
    whole pictures it says little, which is why it is a value beside others. Ours, no published formula; the marks are cited.

    Args:
        enough: from here on a picture counts as whole: the score is min(1, product / enough). The default choice takes 0.2,
            which three in four own covers pass; visibly damaged ones do not (noise, JPEG 10, halos, glaring colours: under 0.14).
    """

    aspect = "value"
    noise = 0.13
    artefact = Image
    card = Card(
        "freedom from grain, JPEG blocks, halos, cut-off colours and seams",
        paper="Immerkaer 1996 (noise); Wang, Sheikh & Bovik 2002 (blocks); Crete et al. 2007 (blur)",
        modules=("PIL",),
    )

    def __init__(self, enough: float = 1.0) -> None:
        if not 0 < enough <= 1:
            raise InvalidValue(f"enough is a finish in (0, 1], got {enough!r}")
        self.enough = enough

    def score(self, batch: Sequence[Any]) -> np.ndarray:
        """In (0, 1], float64, shape=(item,)."""
        scales = np.array([SCALE[name] for name in MARKS])
        found = [float(np.exp(-np.log1p(marks(image) / scales).sum())) for image in batch]
        return np.minimum(1.0, np.array(found, np.float64) / self.enough)
