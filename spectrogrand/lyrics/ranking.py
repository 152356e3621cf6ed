"""From the nearest lines to the best songs: the published rule, and one that neither luck nor length decides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import UnknownName, nearest
from .searching import Index

RULES = ("best_lines", "published")
LINES = 100
"""Nearest lines that the published rule looks at."""
CANDIDATES = 1000
"""Nearest lines whose songs `best_lines` looks at, line by line."""
BEST = 3
"""Up to how many of a song's best lines count in `best_lines`."""
SHOWN = 5


@dataclass(frozen=True)
class Found:
    """A song that was found: its row, its score under the rule, and its matching lines with their cosines, best first."""

    song: int
    score: float
    lines: tuple[tuple[str, float], ...]


def rank(
    index: Index, query: np.ndarray, *, count: int, rule: str = "best_lines", lines: int = LINES, songs: Any = None
) -> list[Found]:
    """The best `count` songs for a unit vector.

    published: the `lines` nearest lines by cosine; a song's score is the mean over its lines among them. One lucky line beats ten
    good ones, as the mean does not ask how many lines there are.

    best_lines: for each song of the 1,000 nearest lines, all its lines are compared. With z the cosine in standard deviations
    of all lines of the index and p = P(Z > z), the i-th best of n unrelated lines is as good as that with probability
    P_i = I_p(i, n - i + 1), the regularised incomplete beta function (i-th order statistic of n draws: David & Nagaraja,
    Order Statistics, 2003, eq. 2.1.5). The score is the largest -log10 P_i over i = 1, 2, 3: a long song needs better or
    more lines than a short one, and several good lines count for more than one.

    Args:
        songs: bool, shape=(song,), which may be found; None for all.

    Raises:
        UnknownName: no such rule.
    """
    if rule not in RULES:
        raise UnknownName(f"no ranking {rule!r}; {nearest(str(rule), RULES)}")
    found, cosines = index.nearest(query, lines if rule == "published" else max(CANDIDATES, lines), songs)
    owner = index.song_of(found)
    if rule == "published":
        totals = {int(s): float(cosines[owner == s].mean()) for s in np.unique(owner)}
    else:
        totals = {int(s): _evidence(index, int(s), query) for s in np.unique(owner)}
    chosen = sorted(totals, key=lambda s: (-totals[s], s))[:count]
    return [Found(s, totals[s], _lines(index, s, query)) for s in chosen]


def evidence(cosines: np.ndarray, mean: float, spread: float) -> float:
    """The largest -log10 P_i of a song's lines; `mean` and `spread` are those of all lines' cosines with the query.

    >>> one = np.array([0.6]); many = np.concatenate([one, np.full(50, 0.1)])
    >>> evidence(one, 0.1, 0.1) > evidence(many, 0.1, 0.1)
    True
    """
    from scipy.special import betainc, log_ndtr

    best = np.sort(cosines.astype(np.float64))[::-1][:BEST]
    i, n = np.arange(1, len(best) + 1), len(cosines)
    log_p = log_ndtr(-(best - mean) / max(spread, 1e-9))
    tail = betainc(i, n - i + 1, np.exp(log_p))
    binomial = np.array(
        [_log_choose(n, int(k)) for k in i]
    )  # I_p(i, n - i + 1) -> C(n, i) p^i where p is too small to be computed with
    logs = np.where(tail > 1e-280, np.log(np.maximum(tail, 1e-300)), binomial + i * log_p)
    return float(np.max(-logs) / np.log(10))


def _evidence(index: Index, song: int, query: np.ndarray) -> float:
    mean, covariance = index.background
    first, count = int(index.songs["first"][song]), int(index.songs["lines"][song])
    spread = float(np.sqrt(max(query @ covariance @ query, 0.0)))
    return evidence(index.cosines(slice(first, first + count), query), float(mean @ query), spread)


def _log_choose(n: int, k: int) -> float:
    from math import lgamma

    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)


def _lines(index: Index, song: int, query: np.ndarray) -> tuple[tuple[str, float], ...]:
    first, count = int(index.songs["first"][song]), int(index.songs["lines"][song])
    cosines = index.cosines(slice(first, first + count), query)
    best = np.argsort(-cosines, kind="stable")[:SHOWN]
    best = best[cosines[best] >= 0.5 * cosines[best[0]]]
    return tuple(zip(index.texts(first + best), (round(float(cosines[b]), 4) for b in best), strict=True))
