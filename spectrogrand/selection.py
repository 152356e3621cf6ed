"""Scores to a choice: which candidate wins, by which rule, and why, in a sentence.

Let s[k, i] be scorer k's score of candidate i and w[k] its weight. Failed candidates (a gate's reason, or any score that is not
finite) never win. Over the others, the total is the weighted mean of u[k, i], where

    quantile   u = share of the scorer's reference scores below s, ties half (the offline default: scores of unlike ranges
               weigh alike); where a scorer has no reference scores, the same share among the candidates themselves
    published  u = s, the raw score (ICVGIP 2024, equal weights)
    ranks      u = share of the other candidates that it beats
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

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .errors import InvalidValue, NoCandidateLeft, UnknownName, nearest

RULES = ("quantile", "published", "ranks", "pareto")


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
    rule: str = "quantile",
    noise: Mapping[str, float] | None = None,
) -> Choice:
    """Choose among candidates.

    Args:
        scores: per scorer one number per candidate, shape=(item,), higher is better.
        weights: per scorer, non-negative, default 1 each.
        references: per scorer the scores of its reference set, shape=(reference,), for quantiles.
        failed: per candidate None or the reason it must not win.
        rule: one of `RULES`.
        noise: per scorer the standard deviation of a score under re-encoding, in its own unit, default 0: unknown.

    Raises:
        UnknownName: an unknown rule. InvalidValue: lengths that differ, or weights that are negative or all zero.
        NoCandidateLeft: every candidate failed.

    >>> choose({"novelty": [0.2, 0.9], "value": [3.0, 2.0]}, rule="published").index
    0
    >>> choose({"novelty": [0.2, 0.9]}, failed=[None, "is silent"]).why
    'candidate 0 is the only one left'
    """
    if rule not in RULES:
        raise UnknownName(f"no selection rule {rule!r}; {nearest(rule, RULES)}")
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

    ranks = {k: _ranks(v, left) for k, v in table.items()}
    noises = {k: max(0.0, float((noise or {}).get(k, 0.0))) for k in table}
    notes: list[str] = []
    if rule == "published":
        used = {k: np.where(left, v, np.nan) for k, v in table.items()}
    elif rule == "quantile":
        known = references or {}
        used = {k: _quantiles(v, left, known.get(k)) for k, v in table.items()}
        for k in table:
            ended = _at_an_end(table[k][left], known.get(k))
            if left.sum() > 1 and 2 * ended > left.sum():
                used[k] = ranks[k]
                notes.append(f"{ended} of {int(left.sum())} lie at an end of {k}'s references: its ranks are used")
    else:
        used = ranks
    if rule != "published" and left.sum() > 1:
        blind = [k for k, v in table.items() if weight[k] > 0 and v[left].std() < noises[k]]
        if len(blind) < sum(w > 0 for w in weight.values()):
            weight |= dict.fromkeys(blind, 0.0)
            notes += [f"{k} is left out: the candidates differ less in it than re-encoding changes it" for k in blind]
    totals = _mean(used, weight, left)
    allowed = left & _undominated(table, left) if rule == "pareto" else left
    order = np.lexsort((-_mean(ranks, weight, left), -np.where(allowed, totals, -np.inf), ~allowed))
    index = int(order[0])
    margin = float(totals[index] - totals[order[1]]) if allowed.sum() > 1 else float("nan")
    ranked = {k for k, u in used.items() if u is ranks[k]}
    samples = None if rule == "published" else {k: None if k in ranked else (references or {}).get(k) for k in table}
    shaken = _shaken(table, samples, ranked, weight, noises, left, order[:2]) if allowed.sum() > 1 else 0.0
    why = _why(index, order, totals, used, allowed, left, rule)
    if margin < 2 * shaken:
        notes.append(f"a coin toss: its lead of {margin:.3f} is under twice the scorers' noise of {shaken:.3f}")
    return Choice(index, totals, used, tuple(reasons), rule, "; ".join([why, *notes]), tuple(notes), margin, shaken)


def _at_an_end(values: np.ndarray, reference: np.ndarray | None) -> int:
    """How many values lie outside the reference's scores; 0 where there are none."""
    if reference is None or not len(reference):
        return 0
    return int(((values < np.min(reference)) | (values > np.max(reference))).sum())


def _shaken(
    table: Mapping[str, np.ndarray], samples: Mapping[str, np.ndarray | None] | None, ranked: set[str],
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
                if samples is None:
                    ends.append(moved[i])
                else:
                    ends.append((_ranks(moved, left) if k in ranked else _quantiles(moved, left, samples[k]))[i])
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


def _quantiles(values: np.ndarray, left: np.ndarray, reference: np.ndarray | None) -> np.ndarray:
    sample = reference if reference is not None and len(reference) else values[left]
    out = np.full(len(values), np.nan)
    out[left] = quantile(values[left], sample)
    return out


def _ranks(values: np.ndarray, left: np.ndarray) -> np.ndarray:
    """Share of the other candidates beaten, ties half, in [0, 1]; one candidate alone has 1."""
    out = np.full(len(values), np.nan)
    n = int(left.sum())
    out[left] = (quantile(values[left], values[left]) * n - 0.5) / (n - 1) if n > 1 else 1.0
    return out


def _undominated(table: Mapping[str, np.ndarray], left: np.ndarray) -> np.ndarray:
    """Candidates that no other one equals or beats in every score while beating it in one."""
    s = np.stack(list(table.values())) if table else np.zeros((1, len(left)))
    s = np.where(left, s, -np.inf)
    beaten = (s[:, :, None] >= s[:, None, :]).all(0) & (s[:, :, None] > s[:, None, :]).any(0)
    return np.asarray(~beaten.any(0))


def _mean(used: Mapping[str, np.ndarray], weight: Mapping[str, float], left: np.ndarray) -> np.ndarray:
    if not used:
        return np.where(left, 0.0, np.nan)
    return np.asarray(np.average(np.stack(list(used.values())), axis=0, weights=[weight[k] for k in used]))


def _why(
    index: int, order: np.ndarray, totals: np.ndarray, used: Mapping[str, np.ndarray],
    allowed: np.ndarray, left: np.ndarray, rule: str,
) -> str:  # fmt: skip
    if len(left) == 1:
        return f"candidate {index} is the only candidate"
    if left.sum() == 1:
        return f"candidate {index} is the only one left"
    parts = ", ".join(f"{k} {v[index]:.3f}" for k, v in used.items())
    second = f"; next, candidate {int(order[1])} with {totals[order[1]]:.3f}" if allowed[order[1]] else ""
    front = f" among the {int(allowed.sum())} that no other beats in every score" if rule == "pareto" else ""
    return f"candidate {index} has the highest {rule} mean{front}, {totals[index]:.3f} ({parts}){second}"
