"""Scores to a choice: which candidate wins, by which rule, and why, in a sentence.

Let s[k, i] be scorer k's score of candidate i and w[k] its weight. Failed candidates (a gate's reason, or any score that is not
finite) never win. Over the others, the total is the weighted mean of u[k, i], which the rule makes of the scores. Rules are
plug-ins of the kind "selectors" (`spectrogrand list selectors`)::

    quantile   u = share of the scorer's reference scores below s, ties half (scores of unlike ranges
               weigh alike); where a scorer has no reference scores, the same share among the candidates themselves
    published  u = s, the raw score (ICVGIP 2024, equal weights)
    zscores    u = s in standard deviations of the scorer's reference scores (arXiv 2509.19831)
    ranks      u = share of the other candidates that it beats (the offline default: no score is at an end)
    pareto     candidates that no other beats in every score; among them the highest mean rank

Two things are said instead of being passed over. A scorer that puts more than half of the candidates at an end of its reference
scores (below the lowest, above the highest) cannot tell them apart by quantiles: under `quantile` its ranks are used, and the
choice's `notes` say so. A scorer whose candidates differ less than its own noise (how far re-encoding moves a score) is left out
while another one is left. `margin` is the winner's lead, `noise` what the scorers' noise makes of it; a lead
under twice that is called a coin toss.

Invariants: the choice does not depend on the order of the candidates except to break an exact tie (ranks first, then the
lower index), and raising one score of the winner leaves it the winner as long as the notes stay the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from . import registry
from .errors import InvalidValue, NoCandidateLeft
from .interfaces import Selector


@dataclass(frozen=True)
class Choice:
    """Who won: `totals` is float64 (item,), NaN for failed candidates; `used` holds u per scorer, float64 (item,)."""

    index: int
    totals: np.ndarray
    used: Mapping[str, np.ndarray]
    failed: tuple[str | None, ...]
    rule: str
    why: str
    notes: tuple[str, ...] = ()
    """What was done otherwise than the rule says, one clause each."""
    margin: float = float("nan")
    """Lead of the winner over the next in `totals`; NaN where there is no next."""
    noise: float = 0.0
    """Standard deviation of that lead under the scorers' own noise; 0 where none is known."""


def quantile(scores: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Empirical quantile of each score in a reference sample, float64 (item,), in [0, 1]; equal values count half.

    >>> quantile(np.array([1.5, 9.0, 2.0]), np.array([1.0, 2.0, 3.0, 4.0])).tolist()
    [0.25, 1.0, 0.375]
    """
    ordered = np.sort(np.asarray(reference, np.float64))
    below = np.searchsorted(ordered, scores, "left")
    upto = np.searchsorted(ordered, scores, "right")
    return (below + upto) / (2.0 * len(ordered))


def choose(
    scores: Mapping[str, Sequence[float] | np.ndarray],
    *,
    weights: Mapping[str, float] | None = None,
    references: Mapping[str, np.ndarray | None] | None = None,
    failed: Sequence[str | None] | None = None,
    rule: str | Selector = "quantile",
    noise: Mapping[str, float] | None = None,
) -> Choice:
    """Choose among candidates.

    Args:
        scores: per scorer one number per candidate, shape=(item,), higher is better.
        weights: per scorer, non-negative, default 1 each.
        references: per scorer the scores of its reference set, shape=(reference,), for quantiles.
        failed: per candidate None or the reason it must not win.
        rule: a selection rule by its name, or one that `build` made.
        noise: per scorer the standard deviation of a score under re-encoding, in its own unit, default 0: unknown.

    Raises:
        UnknownName: an unknown rule. InvalidValue: lengths that differ, or weights that are negative or all zero.
        NoCandidateLeft: every candidate failed.

    >>> choose({"novelty": [0.2, 0.9], "value": [3.0, 2.0]}, rule="published").index
    0
    >>> choose({"novelty": [0.2, 0.9]}, failed=[None, "is silent"]).why
    'candidate 0 is the only one left'
    """
    selector: Selector = registry.build("selectors", rule) if isinstance(rule, str) else rule
    table = {k: np.asarray(v, np.float64) for k, v in scores.items()}
    count = len(failed) if failed is not None else len(next(iter(table.values()), ()))
    if not count or any(v.shape != (count,) for v in table.values()):
        raise InvalidValue(
            f"each scorer gives one score per candidate ({count}): got {[v.shape for v in table.values()]}"
        )
    weight = _weights(table, weights)
    reasons = _failed(table, failed or [None] * count)
    left = np.array([r is None for r in reasons])
    if not left.any():
        raise NoCandidateLeft(f"all {count} candidates failed; the first one {reasons[0]}")

    known = references or {}
    noises = {k: max(0.0, float((noise or {}).get(k, 0.0))) for k in table}
    used, notes = {}, []
    for k, values in table.items():
        used[k], note = _spread(selector, k, values, left, known.get(k))
        notes += [note] if note else []
    if not selector.as_is and left.sum() > 1:
        blind = [k for k, v in table.items() if weight[k] > 0 and v[left].std() < noises[k]]
        if len(blind) < sum(w > 0 for w in weight.values()):
            weight |= dict.fromkeys(blind, 0.0)
            notes += [f"{k} is left out: the candidates differ less in it than re-encoding changes it" for k in blind]
    totals = _mean(used, weight, left)
    allowed = left.copy()
    if table:
        allowed[left] = selector.allowed(np.stack([v[left] for v in table.values()]))
    places = {k: _over(ranks, v, left) for k, v in table.items()}
    order = np.lexsort((-_mean(places, weight, left), -np.where(allowed, totals, -np.inf), ~allowed))
    index = int(order[0])
    margin = float(totals[index] - totals[order[1]]) if allowed.sum() > 1 else float("nan")
    shaken = _shaken(selector, table, known, weight, noises, left, order[:2]) if allowed.sum() > 1 else 0.0
    why = _why(index, order, totals, used, allowed, left, selector)
    if margin < 2 * shaken:
        notes.append(f"a coin toss: its lead of {margin:.3f} is under twice the scorers' noise of {shaken:.3f}")
    told = "; ".join([why, *notes])
    return Choice(index, totals, used, tuple(reasons), selector.name, told, tuple(notes), margin, shaken)


def ranks(scores: np.ndarray) -> np.ndarray:
    """Share of the other scores that each one beats, ties half, float64 (item,), in [0, 1]; one alone has 1.

    >>> ranks(np.array([3.0, 1.0, 2.0])).tolist()
    [1.0, 0.0, 0.5]
    """
    n = len(scores)
    return np.asarray((quantile(scores, scores) * n - 0.5) / (n - 1)) if n > 1 else np.ones(n)


def _over(function: Callable[[np.ndarray], np.ndarray], values: np.ndarray, left: np.ndarray) -> np.ndarray:
    """A function of the candidates that are left, NaN for the others."""
    out = np.full(len(values), np.nan)
    out[left] = function(values[left])
    return out


def _spread(
    selector: Selector, name: str, values: np.ndarray, left: np.ndarray, reference: np.ndarray | None
) -> tuple[np.ndarray, str | None]:
    made, note = selector.utility(name, values[left], reference)
    out = np.full(len(values), np.nan)
    out[left] = made
    return out, note


def _shaken(
    selector: Selector, table: Mapping[str, np.ndarray], references: Mapping[str, np.ndarray | None],
    weight: Mapping[str, float], noises: Mapping[str, float], left: np.ndarray, pair: np.ndarray,
) -> float:  # fmt: skip
    """Standard deviation of the lead of one candidate over another: each one's score is moved by its noise, up and down."""
    total = 0.0
    for k, values in table.items():
        for i in pair if weight[k] > 0 and noises[k] > 0 else ():
            ends = []
            for step in (-noises[k], noises[k]):
                moved = values.copy()
                moved[i] += step
                ends.append(_spread(selector, k, moved, left, references.get(k))[0][i])
            total += (weight[k] * (ends[1] - ends[0]) / 2) ** 2
    return float(np.sqrt(total) / sum(weight.values())) if total else 0.0


def failed_choice(failed: Sequence[str | None], scores: Mapping[str, np.ndarray], rule: str, why: str) -> Choice:
    """The record of a choice that could not be made: index -1, no totals, and every candidate's reason."""
    reasons = _failed({k: np.asarray(v, np.float64) for k, v in scores.items()}, failed)
    nothing = np.full(len(failed), np.nan)
    return Choice(-1, nothing, dict.fromkeys(scores, nothing), tuple(reasons), rule, why)


def _weights(table: Mapping[str, np.ndarray], given: Mapping[str, float] | None) -> dict[str, float]:
    weight = {k: float((given or {}).get(k, 1.0)) for k in table}
    if table and (not all(np.isfinite(w) and w >= 0 for w in weight.values()) or not sum(weight.values()) > 0):
        raise InvalidValue(f"weights are finite, at least 0 and not all 0, got {weight}")
    return weight


def _failed(table: Mapping[str, np.ndarray], given: Sequence[str | None]) -> list[str | None]:
    """Gate reasons first, then scores that are not finite."""
    reasons = list(given)
    for name, values in table.items():
        for i in np.flatnonzero(~np.isfinite(values)):
            reasons[i] = reasons[i] or f"has no finite {name} score ({values[i]})"
    return reasons


def _mean(used: Mapping[str, np.ndarray], weight: Mapping[str, float], left: np.ndarray) -> np.ndarray:
    if not used:
        return np.where(left, 0.0, np.nan)
    return np.asarray(np.average(np.stack(list(used.values())), axis=0, weights=[weight[k] for k in used]))


def _why(
    index: int, order: np.ndarray, totals: np.ndarray, used: Mapping[str, np.ndarray],
    allowed: np.ndarray, left: np.ndarray, selector: Selector,
) -> str:  # fmt: skip
    if len(left) == 1:
        return f"candidate {index} is the only candidate"
    if left.sum() == 1:
        return f"candidate {index} is the only one left"
    parts = ", ".join(f"{k} {v[index]:.3f}" for k, v in used.items())
    second = f"; next, candidate {int(order[1])} with {totals[order[1]]:.3f}" if allowed[order[1]] else ""
    front = f" among the {int(allowed.sum())} {selector.among}" if selector.among else ""
    return f"candidate {index} has the highest {selector.name} mean{front}, {totals[index]:.3f} ({parts}){second}"
