"""Scorer "cover_appeal": how sure a picture network would be of a cover, and how near to others, learned; no network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from ....image.layout import describe_layout
from ....image.statistics import statistics
from ....interfaces import Card, Reference
from ....registry import register
from ....types import Image
from ._neighbours import CoverNeighbours

WEIGHTS = Path(__file__).resolve().parents[3] / "data" / "cover_appeal.safetensors"
"""Mean, standard deviation and weight of each statistic (`train/cover_appeal.py`)."""
EDGE, SLOPE, FURTHEST = 4.0, 0.5, 3.0
"""Place among the reference covers beyond which the formula is not trusted, what each unit beyond costs, and where statistics
bend."""


@register("cover_appeal")
class CoverAppeal(CoverNeighbours):
    """w . b(x) - 0.5 max(0, place(x) - 4): learned appeal, and doubt about what is unlike every reference cover.

    b are the statistics of `image.statistics` and `image.layout`, standardised over the calibration covers and bent to +-3; w was
    learned by ridge regression within calibration topics. The target: how sure EfficientNet-lite1 (ImageNet) is of its surest
    class, and how near its features lie to SDXL's covers, in equal parts. Other networks prove it on other topics:
    `docs/results/creativity.md`. Unbounded; 0 is the mean of the calibration covers.

    Args:
        reference: "shipped", a folder of pictures, or a .safetensors file of `spectrogrand reference`; for the doubt alone.
    """

    aspect = "value"
    noise = 0.05
    artefact = Image
    card = Card(
        "how sure of it and how near to covers a picture network would find a cover, learned from its statistics (no network)",
        paper="Tan & Le 2019, EfficientNet, arXiv:1905.11946 (the judge)",
        modules=("PIL", "safetensors"),
    )

    def __init__(self, reference: str = "shipped") -> None:
        super().__init__(reference)

    def score(self, batch: Sequence[Any]) -> np.ndarray:
        """One number per cover, float64, shape=(item,)."""
        if not len(batch):
            return np.zeros(0)
        return np.array([appeal(describe_cover(image)) for image in batch]) - doubt(self.place(batch))

    def reference(self) -> Reference:
        """The steps themselves."""
        steps = self.reference_scores()
        return Reference("even steps from -1 to 1", len(steps), sha256(steps.tobytes()).hexdigest())

    def reference_scores(self) -> np.ndarray:
        """Even steps over the calibration covers' spread: the reference covers' layout is not kept."""
        return np.linspace(-1.0, 1.0, 201)

    def identity(self) -> Mapping[str, Any]:
        """The hashes of the weights and of the references."""
        return {"weights": sha256(WEIGHTS.read_bytes()).hexdigest(), **super().identity()}


def describe_cover(image: Image) -> np.ndarray:
    """The statistics that are weighed, float64, shape=(137,)."""
    return np.concatenate([statistics(image), describe_layout(image)])


def appeal(described: np.ndarray) -> float:
    """w . b of one cover's statistics, shape=(137,)."""
    mean, std, weights = _weights()
    return float(bend((described - mean) / std) @ weights)


def bend(z: np.ndarray) -> np.ndarray:
    """Softly to +-3.

    >>> bend(np.array([0.0, 100.0])).tolist()
    [0.0, 3.0]
    """
    return np.asarray(FURTHEST * np.tanh(z / FURTHEST))


def doubt(place: np.ndarray) -> np.ndarray:
    """What lying beyond the edge costs."""
    return np.asarray(SLOPE * np.maximum(0.0, np.asarray(place, np.float64) - EDGE))


@lru_cache(maxsize=1)
def _weights() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    from safetensors.numpy import load_file

    kept = load_file(WEIGHTS)
    return tuple(kept[k].astype(np.float64) for k in ("mean", "std", "weights"))  # type: ignore[return-value]
