"""Intervals of a mean at the sample sizes that experiments have: three seeds, five topics, ten songs.

The percentile bootstrap is far too narrow there (of two values it can only give what lies between them: its "95 %" covers the
mean in half of all cases). Student's t holds its level for values from a normal distribution at every n, and nearly so for
others; `clustered` is the same over the means of groups whose members depend on each other.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

from ..errors import InvalidValue

LEVEL = 0.95


def mean_interval(values: Sequence[float] | np.ndarray, level: float = LEVEL) -> tuple[float, float, float]:
    """Mean and Student's t interval of it (Student 1908): mean +- t[n - 1] s / sqrt(n).

    Args:
        values: independent, finite, shape=(item,); order does not matter.
        level: of confidence.

    Returns:
        Mean, low, high; low and high are NaN where there is one value only: it says nothing of its own spread.

    Raises:
        InvalidValue: no values, or one that is not finite.

    >>> [round(v, 3) for v in mean_interval([0.2, 0.4, 0.9])]
    [0.5, -0.396, 1.396]
    """
    from scipy.special import stdtrit

    x = np.sort(_finite(values))
    mean = float(x.mean())
    if len(x) == 1:
        return mean, float("nan"), float("nan")
    half = float(stdtrit(len(x) - 1, 0.5 + level / 2) * x.std(ddof=1) / np.sqrt(len(x)))
    return mean, mean - half, mean + half


def clustered(
    values: Sequence[float] | np.ndarray, clusters: Sequence[Hashable], level: float = LEVEL
) -> tuple[float, float, float]:
    """Mean of the clusters' means, and Student's t interval over them.

    Runs on one topic resemble each other, so that five seeds of three topics are three witnesses of topics, not fifteen.

    Args:
        values: finite, shape=(item,).
        clusters: which cluster each value belongs to.
        level: of confidence.

    Returns:
        Mean, low, high; low and high are NaN where there is one cluster.

    >>> clustered([1.0, 3.0, 6.0], ["sea", "sea", "sky"])[0]
    4.0
    """
    x = _finite(values)
    if len(x) != len(clusters):
        raise InvalidValue(f"each value has its cluster: got {len(x)} values and {len(clusters)} clusters")
    members: dict[Hashable, list[float]] = {}
    for value, cluster in zip(x, clusters, strict=True):
        members.setdefault(cluster, []).append(float(value))
    return mean_interval([float(np.mean(m)) for m in members.values()], level)


def crossed(
    values: Sequence[float] | np.ndarray, topics: Sequence[Hashable], seeds: Sequence[Hashable], level: float = LEVEL
) -> tuple[float, float, float]:
    """Mean and interval of values that share topics and share seeds (two-way clusters; Cameron, Gelbach and Miller 2011).

    The variance of the mean is that by topics plus that by seeds less that of single values, and at least the larger of the two;
    t has as many degrees of freedom as the smaller number of clusters less one. Where there is one topic (or one seed) only, the
    other one alone clusters.

    Args:
        values: finite, shape=(item,).
        topics: the topic of each value.
        seeds: the seed of each value.
        level: of confidence.

    >>> [round(v, 3) for v in crossed([0.2, 0.4, 0.9], ["sea"] * 3, [0, 1, 2])]
    [0.5, -0.396, 1.396]
    """
    from scipy.special import stdtrit

    x = _finite(values)
    ways = [list(way) for way in (topics, seeds) if len(set(way)) > 1]
    if len(ways) < 2:
        return clustered(x, ways[0], level) if ways else mean_interval([float(x.mean())], level)
    mean = float(x.mean())
    parts = [_variance(x - mean, way) for way in ways]
    both = _variance(x - mean, list(zip(*ways, strict=True)))
    variance = max(parts[0] + parts[1] - both, *parts)
    half = float(stdtrit(min(len(set(way)) for way in ways) - 1, 0.5 + level / 2) * np.sqrt(variance))
    return mean, mean - half, mean + half


def _variance(residuals: np.ndarray, clusters: Sequence[Hashable]) -> float:
    """Variance of the mean where residuals of a cluster may depend on each other, with the correction for few clusters."""
    sums: dict[Hashable, float] = {}
    for value, cluster in zip(residuals, clusters, strict=True):
        sums[cluster] = sums.get(cluster, 0.0) + float(value)
    count = len(sums)
    return count / (count - 1) * sum(s * s for s in sums.values()) / len(residuals) ** 2


def _finite(values: Sequence[float] | np.ndarray) -> np.ndarray:
    x = np.asarray(values, np.float64)
    if x.ndim != 1 or not len(x) or not np.isfinite(x).all():
        raise InvalidValue(f"an interval is of one or more finite numbers, got shape {x.shape}: leave out what is none")
    return x
