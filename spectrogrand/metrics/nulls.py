"""What chance would give: sound that begins elsewhere, sound cut up and shuffled; and intervals from a video's stretches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

BLOCK = 2.0
"""Seconds of a stretch that is resampled as one: beats in it depend on each other."""
PIECE = (0.3, 1.7)
"""Seconds of the pieces into which sound is cut for shuffling: about a beat, of lengths that share no period."""
_RESAMPLES = 1000


@dataclass(frozen=True)
class Measure:
    """A number with its 95 % interval and what chance gives.

    `shifted` and `shuffled` are means over draws of the sound begun elsewhere and of the sound cut up and put together in
    another order; `p_shifted`, `p_shuffled` the share of those draws that do as well, (1 + count) / (1 + draws) (Phipson
    and Smyth 2010), so small is good. A steady beat fits itself again after every period: no shift can be far off, and
    `p_shifted` cannot fall below the share of shifts that hit by luck.
    """

    value: float
    low: float
    high: float
    shifted: float
    shuffled: float
    p_shifted: float
    p_shuffled: float


def shifted(times: np.ndarray, duration: float, rng: np.random.Generator) -> np.ndarray:
    """The times of a sound that begins elsewhere and goes round, seconds, rising.

    >>> shifted(np.array([0.0, 0.5, 1.0]), 2.0, np.random.default_rng(1)).round(2).tolist()
    [0.02, 1.02, 1.52]
    """
    return np.sort((times + rng.uniform(0, duration)) % duration)


def pieces(duration: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Where a sound is cut (seconds, first 0, last the duration) and the order in which its pieces follow each other."""
    count = int(duration / PIECE[0]) + 2
    cuts = np.concatenate([[0.0], np.cumsum(rng.uniform(*PIECE, count))])
    cuts = np.append(cuts[cuts < duration], duration)
    return cuts, rng.permutation(len(cuts) - 1)


def shuffled(times: np.ndarray, duration: float, rng: np.random.Generator) -> np.ndarray:
    """The times of a sound cut into pieces of 0.3 to 1.7 s that follow each other in another order, seconds, rising."""
    cuts, order = pieces(duration, rng)
    lengths = np.diff(cuts)
    starts = np.empty(len(order))
    starts[order] = np.concatenate([[0.0], np.cumsum(lengths[order])[:-1]])
    piece = np.clip(np.searchsorted(cuts, times, side="right") - 1, 0, len(order) - 1)
    return np.sort(times - cuts[piece] + starts[piece])


def shuffled_curve(curve: np.ndarray, rate: float, rng: np.random.Generator) -> np.ndarray:
    """The same of a curve with `rate` values a second."""
    cuts, order = pieces(len(curve) / rate, rng)
    at = np.round(cuts * rate).astype(np.int64)
    return np.concatenate([curve[at[k] : at[k + 1]] for k in order])


def interval(counts: np.ndarray, score: Callable[[np.ndarray], np.ndarray]) -> tuple[float, float]:
    """95 % interval of a smooth function of sums over stretches: Student's t over the jackknife's pseudo-values (Tukey 1958).

    A song of ten seconds has five stretches. There the percentile bootstrap's "95 %" covers 83 %, this 94 %.

    Args:
        counts: what adds up, shape=(stretch, quantity).
        score: (draw, quantity) sums to (draw,) numbers in [0, 1].

    Returns:
        Low and high, within [0, 1]; NaN of one stretch, or where the score is not defined without one of them.

    >>> low, high = interval(np.array([[3.0, 4.0], [2.0, 4.0], [4.0, 4.0]]), lambda c: c[:, 0] / c[:, 1])
    >>> round(low, 2), high
    (0.13, 1.0)
    """
    from scipy.special import stdtrit

    count, total = len(counts), np.asarray(counts).sum(axis=0)
    if count < 2:
        return float("nan"), float("nan")
    with np.errstate(divide="ignore", invalid="ignore"):
        whole = float(score(total[None])[0])
        pseudo = count * whole - (count - 1) * score(total - counts)
    if not np.isfinite(pseudo).all():
        return float("nan"), float("nan")
    half = float(stdtrit(count - 1, 0.975) * pseudo.std(ddof=1) / np.sqrt(count))
    return max(0.0, whole - half), min(1.0, whole + half)


def resampled(counts: np.ndarray, score: Callable[[np.ndarray], np.ndarray], seed: int) -> tuple[float, float]:
    """2.5th and 97.5th percentile of `score` over resampled stretches (moving-block bootstrap, Künsch 1989).

    For what is no smooth function of the sums, such as the place of a peak: the jackknife does not hold there. Of fewer than
    twenty stretches it is too narrow.

    Args:
        counts: what adds up, shape=(stretch, quantity).
        score: (draw, quantity) sums to (draw,) numbers; those that are not finite are left out.
        seed: of the resampling.
    """
    picks = np.random.default_rng(seed).multinomial(len(counts), np.full(len(counts), 1 / len(counts)), _RESAMPLES)
    with np.errstate(divide="ignore", invalid="ignore"):
        values = score(picks @ counts)
    values = values[np.isfinite(values)]
    if not len(values):
        return float("nan"), float("nan")
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)


def against_chance(
    value: float, low: float, high: float, null: Callable[[str, np.random.Generator], np.ndarray], *, seed: int
) -> Measure:
    """Set a value beside those that `null(kind, rng)` draws for the kinds "shifted" and "shuffled", from one seed."""
    means, shares = [], []
    for number, kind in enumerate(("shifted", "shuffled")):
        drawn = null(kind, np.random.default_rng([seed, number]))
        means.append(float(drawn.mean()))
        shares.append((1 + int(np.count_nonzero(drawn >= value - 1e-12))) / (1 + len(drawn)))
    return Measure(value, low, high, means[0], means[1], shares[0], shares[1])
