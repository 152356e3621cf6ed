"""Value of a cover: how far cited picture statistics lie in the ranges that people were found to prefer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...errors import InvalidValue
from ...image.statistics import NAMES, statistics
from ...interfaces import Card, CreativityScorer, Reference
from ...references.covers import CoverReference
from ...registry import register
from ...types import Image

WISHES: dict[str, tuple[float, float, float, float, float, float]] = {
    "slope": (-4.4, -3.0, -2.0, -0.6, 0.02, 3.0),
    "sharpness": (-4.8, -1.6, 9.0, 9.9, 0.02, 3.0),
    "blockiness": (-9.9, -9.0, 0.1, 2.2, 0.02, 2.0),
    "contrast": (0.0, 0.14, 0.26, 0.45, 0.02, 2.0),
    "edge_entropy": (0.55, 0.99, 9.0, 9.9, 0.15, 2.0),
    "fractal": (0.5, 1.3, 1.7, 2.0, 0.15, 1.0),
    "colourfulness": (0.0, 0.55, 0.95, 1.6, 0.30, 1.0),
    "hue_harmony": (0.75, 0.99, 9.0, 9.9, 0.40, 1.0),
    "thirds": (0.55, 0.97, 9.0, 9.9, 0.40, 1.0),
    "calm": (-0.15, 0.05, 0.60, 1.0, 0.15, 1.0),
}
"""Statistic: (worst, good from, good to, worst, floor, weight). See `Aesthetics` for the sources of each range."""


@register("aesthetics")
class Aesthetics(CreativityScorer):
    """Aesthetic value from picture statistics alone: no network, no taste learned from a data set.

    Formula: score = exp( sum_i w_i ln d_i / sum_i w_i ), the weighted geometric mean of desirabilities (Derringer & Suich
    1980): d_i = f_i + (1 - f_i) t_i. Here t_i = 1 where statistic i (`picture_statistics.statistics`, on 256 x 256) lies in
    its good range, falling in a straight line to 0 at its worst value, and f_i is its floor; the table is `WISHES`.
    A geometric mean, because a picture that fails in one respect (a blank, a blur) cannot make up for it in another.
    Higher is better; range (0, 1].

    Ranges and weights:
      - slope (3): natural scenes and art of many cultures lie between -2 and -3 (Redies et al. 2007; Graham & Field 2007);
        white noise is at 0, a blurred picture under -4.
      - sharpness (3): sharp pictures are preferred (Datta et al. 2006; Ke et al. 2006). blockiness (2): damage by
        compression (Wang, Sheikh & Bovik 2002). These three weigh most because they tell damaged pictures from whole ones.
      - contrast (2): Ke et al. 2006. edge_entropy (2): edges of preferred art point everywhere (Redies et al. 2017).
      - fractal (1): dimensions 1.3 to 1.5 are preferred (Spehar et al. 2003), up to 1.7 here, as covers carry lettering.
      - colourfulness (1): Hasler & Suesstrunk 2003, from "moderately" to "highly colourful"; black and white is no fault.
      - hue_harmony (1): Matsuda's templates (Cohen-Or et al. 2006). thirds (1): Datta et al. 2006. calm (1): some negative
        space, not only.
    Floors: matters of taste 0.15 to 0.4, damage 0.02. The published 334 SDXL covers rank above their own blurred
    (2 pixels) and JPEG (quality 10) copies, one by one; see the tests.

    Args:
        reference: "shipped" (statistics of 192 procedural covers), a folder of pictures, or a .safetensors file made by
            train/reference_covers.py: only `reference_scores` depends on it.

    >>> blank, = Aesthetics().score([Image(np.full((64, 64, 3), 200, np.uint8))])
    >>> bool(0 < blank < 0.2)
    True
    """

    aspect = "value"
    noise = 0.0014
    artefact = Image
    card = Card(
        summary="cited picture statistics inside preferred ranges, weighted geometric mean",
        paper="Derringer & Suich 1980; Hasler & Suesstrunk 2003; Redies et al. 2007, 2017; Datta et al. 2006",
        modules=("PIL",),
    )

    def __init__(self, reference: str = "shipped") -> None:
        if not isinstance(reference, str) or not reference:
            raise InvalidValue(f'reference is "shipped", a folder or a .safetensors file, got {reference!r}')
        self._set = CoverReference(reference)

    def score(self, batch: Sequence[Image]) -> np.ndarray:
        """The value of each picture, float64, shape=(item,), in (0, 1]."""
        return value(np.stack([statistics(image) for image in batch])) if len(batch) else np.zeros(0)

    def reference(self) -> Reference:
        """The pictures whose scores give the quantiles."""
        return self._set.card()

    def reference_scores(self) -> np.ndarray:
        """This formula over the reference statistics, float64, shape=(reference,), in their stored order."""
        return value(self._set.table())

    def identity(self) -> dict[str, Any]:
        """The reference's hash."""
        return {"reference_sha256": self._set.card().sha256}


def value(table: np.ndarray) -> np.ndarray:
    """The formula: statistics, shape=(item, 16), to scores, float64, shape=(item,)."""
    total, weights = np.zeros(len(table)), 0.0
    for name, (low, good, end, high, floor, weight) in WISHES.items():
        x = table[:, NAMES.index(name)]
        inside = np.clip(np.minimum((x - low) / (good - low), (high - x) / (high - end)), 0, 1)
        total += weight * np.log(floor + (1 - floor) * inside)
        weights += weight
    return np.exp(total / weights)
