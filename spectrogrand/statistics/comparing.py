"""Is one setting better than another? Paired differences, a permutation test, Holm's correction, and the size of the effect."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np

from ..errors import InvalidValue

EXACT = 14
"""Up to so many pairs every assignment of signs is counted; beyond it, 20,000 are drawn."""
DRAWS = 20_000


def sign_flips(differences: Sequence[float] | np.ndarray, seed: int = 0) -> float:
    """Two-sided p of a paired permutation test: how often random signs give a mean at least as far from 0 (Fisher 1935).

    If neither setting were better, each pair's difference could as well have the other sign. Where there are more than 14 pairs,
    p is (1 + count) / (1 + draws) (Phipson and Smyth 2010) of 20,000 draws.

    Args:
        differences: one a pair, shape=(pair,), finite.
        seed: of the draws.

    Returns:
        p in (0, 1]; with n pairs it cannot fall below 2 / 2^n.

    Raises:
        InvalidValue: no differences, or one that is not finite.

    >>> sign_flips([1.0, 2.0, 3.0])
    0.25
    """
    d = np.asarray(differences, np.float64)
    if d.ndim != 1 or not len(d) or not np.isfinite(d).all():
        raise InvalidValue(f"a test is of one or more finite differences, got shape {d.shape}")
    seen = abs(d.sum())
    slack = 1e-12 * np.abs(d).sum()
    if len(d) <= EXACT:
        signs = np.array(list(product((1.0, -1.0), repeat=len(d))))
        return float((np.abs(signs @ d) >= seen - slack).mean())
    signs = np.random.default_rng(seed).choice((1.0, -1.0), (DRAWS, len(d)))
    return float((1 + (np.abs(signs @ d) >= seen - slack).sum()) / (1 + DRAWS))


def holm(p: Sequence[float] | np.ndarray) -> np.ndarray:
    """p corrected for how many were asked (Holm 1979), in the order given; NaN stays NaN and is not counted.

    >>> holm([0.01, 0.04, 0.03]).round(3).tolist()
    [0.03, 0.06, 0.06]
    """
    x = np.asarray(p, np.float64)
    out = np.full(len(x), np.nan)
    known = np.flatnonzero(np.isfinite(x))
    order = known[np.argsort(x[known], kind="stable")]
    steps = x[order] * np.arange(len(order), 0, -1)
    out[order] = np.minimum(np.maximum.accumulate(steps), 1.0) if len(order) else steps
    return out


def effect_size(differences: Sequence[float] | np.ndarray) -> float:
    """Mean difference in standard deviations of the differences (Cohen's d_z) with Hedges' correction for few pairs.

    NaN of fewer than two pairs; infinite where all pairs differ by the same amount, 0 where by none.

    >>> round(effect_size([1.0, 2.0, 3.0]), 3)
    1.143
    """
    d = np.asarray(differences, np.float64)
    if len(d) < 2:
        return float("nan")
    spread, mean = float(d.std(ddof=1)), float(d.mean())
    if spread <= 1e-12 * max(1.0, abs(mean)):
        return 0.0 if abs(mean) <= 1e-12 else float(np.copysign(np.inf, mean))
    return mean / spread * (1 - 3 / (4 * (len(d) - 1) - 1)) if len(d) > 2 else mean / spread
