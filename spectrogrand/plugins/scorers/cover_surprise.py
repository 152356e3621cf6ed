"""Surprise of a cover: how many bits less likely it is than the likeliest one, under a density of reference covers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...errors import InvalidValue
from ...image.statistics import statistics
from ...interfaces import Card, CreativityScorer, Reference
from ...references.covers import CoverReference
from ...registry import register
from ...types import Image


@register("cover_surprise")
class CoverSurprise(CreativityScorer):
    """Unlikeliness under what covers usually look like: surprise as -log probability (Itti & Baldi 2009; Grace et al. 2015).

    Model: the sixteen statistics x of a picture (`picture_statistics`), standardised by the reference set's median and
    1.4826 MAD (at least 1 % of the range), follow a Gaussian of unknown mean and covariance. Under the conjugate prior
    normal-inverse-Wishart(mean 0, kappa0 = 1, nu0 = k + 2, scale = identity), k = 16, and n reference covers, the next
    cover's density is a multivariate t (Murphy 2007, eq. 258) with nu = nu0 + n - k + 1 degrees of freedom, location m and
    shape S. The score is its log density at the highest point minus that at x, in bits, at least 0:

        surprise(x) = (nu + k) / 2 * log2(1 + (x - m)' S^-1 (x - m) / nu)

    The prior shrinks the covariance, so that few references suffice; the t's tails grow with the logarithm of the distance.
    Blank and noise pictures are unlikely, too: the gates blank_picture and noise_picture fail them before scores count.

    Args:
        reference: "shipped" (statistics of 192 procedural covers), a folder of pictures, or a .safetensors file made by
            train/reference_covers.py.

    >>> CoverSurprise().score([]).shape
    (0,)
    """

    aspect = "surprise"
    noise = 0.49
    artefact = Image
    card = Card(
        summary="bits of unlikeliness under the statistics of reference covers",
        paper="Itti & Baldi 2009, Bayesian surprise attracts human attention; Murphy 2007, Conjugate Bayesian analysis",
        modules=("PIL", "safetensors"),
    )

    def __init__(self, reference: str = "shipped") -> None:
        if not isinstance(reference, str) or not reference:
            raise InvalidValue(f'reference is "shipped", a folder or a .safetensors file, got {reference!r}')
        self._set = CoverReference(reference)

    def score(self, batch: Sequence[Image]) -> np.ndarray:
        """Bits of surprise, float64, shape=(item,), at least 0."""
        return (
            surprise(np.stack([statistics(image) for image in batch]), self._set.table()) if len(batch) else np.zeros(0)
        )

    def reference(self) -> Reference:
        """The pictures that say what is usual."""
        return self._set.card()

    def reference_scores(self) -> np.ndarray:
        """Each reference cover's surprise under all the others, float64, shape=(reference,), in their stored order."""
        table = self._set.table()
        return np.concatenate([surprise(table[k : k + 1], np.delete(table, k, axis=0)) for k in range(len(table))])

    def identity(self) -> dict[str, Any]:
        """The reference's hash."""
        return {"reference_sha256": self._set.card().sha256}


def surprise(table: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """The formula: statistics, shape=(item, column), against reference statistics, shape=(reference, column), in bits."""
    middle = np.median(reference, axis=0)
    scale = np.maximum(1.4826 * np.median(np.abs(reference - middle), axis=0), 0.01 * np.ptp(reference, axis=0) + 1e-6)
    x, known = (table - middle) / scale, (reference - middle) / scale
    n, k = known.shape
    kappa0, nu0 = 1.0, k + 2.0
    mean = known.mean(axis=0)
    centred = known - mean
    spread = np.eye(k) + centred.T @ centred + kappa0 * n / (kappa0 + n) * np.outer(mean, mean)
    kappa, nu = kappa0 + n, nu0 + n - k + 1
    location = n * mean / kappa
    shape = spread * (kappa + 1) / (kappa * nu)
    far = x - location
    # one item at a time: solving for all at once would change the last bits of each with its neighbours
    distance = np.array([row @ np.linalg.solve(shape, row) for row in far])
    return (nu + k) / 2 * np.log2(1 + distance / nu)
