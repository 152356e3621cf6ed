"""An ablation's answer: the settings of a sweep side by side, each difference with its interval, its corrected p and its size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from ...errors import ConfigError, UnknownName, nearest
from ...statistics.comparing import effect_size, holm, sign_flips
from ...statistics.intervals import crossed
from .table import Table


@dataclass(frozen=True)
class Difference:
    """How much more of a measure the runs of group `a` have than those of `b`, paired: mean, interval, p, effect, pairs.

    `p` is that of the permutation test, `p_holm` the same corrected for all differences of the comparison; `effect` is Hedges'
    corrected mean difference in standard deviations.
    """

    measure: str
    a: str
    b: str
    mean: float
    low: float
    high: float
    p: float
    p_holm: float
    effect: float
    pairs: int


@dataclass(frozen=True)
class Comparison:
    """`groups`: per label of the compared settings the number of runs and, per measure, (mean, low, high) or None."""

    by: tuple[str, ...]
    pair: tuple[str, ...]
    measures: tuple[str, ...]
    groups: Mapping[str, Mapping[str, Any]]
    differences: tuple[Difference, ...]
    notes: tuple[str, ...] = ()


def compare(found: Table, by: Sequence[str], pair: Sequence[str] = ("topic", "seed")) -> Comparison:
    """Group runs by settings and compare the groups, run against run where all that `pair` names is the same.

    A measure that is the same in every pair (the songs of a comparison of stylizers) is left out and named. Intervals of means
    allow for runs that share a topic or a seed (two-way clusters). Runs of a group that share a pair's values (other settings
    varied, too) are averaged first, so that no pair counts twice.

    Args:
        found: of `table`.
        by: settings: a slot ("stylizer" is its plug-in's name) or any key of the config ("song.duration", "selection").
        pair: what two compared runs have in common.

    Raises:
        UnknownName: a setting that no run has. ConfigError: no finished runs.
    """
    if not found.rows:
        raise ConfigError("no finished runs there to compare: give the folder of a sweep, and see its failed jobs")
    by, pair = tuple(by), tuple(pair)
    cells = {key: _values(found, key) for key in dict.fromkeys([*by, *pair])}
    labels = [_label(by, [cells[k][i] for k in by]) for i in range(len(found.rows))]
    names = list(dict.fromkeys(labels))
    measures = tuple(m for m in found.measures if len({r.get(m) for r in found.rows} - {None}) > 1)
    topics, seeds = _values(found, "topic"), _values(found, "seed")
    groups: dict[str, dict[str, Any]] = {}
    for name in names:
        mine = [i for i, label in enumerate(labels) if label == name]
        groups[name] = {"runs": len(mine)}
        for m in measures:
            some = [i for i in mine if _is_number(found.rows[i].get(m))]
            values = [float(found.rows[i][m]) for i in some]  # type: ignore[arg-type]
            groups[name][m] = crossed(values, [topics[i] for i in some], [seeds[i] for i in some]) if some else None
    raw = [d for m in measures for d in _differences(found, m, labels, names, pair, cells)]
    touched = {d.measure for d in raw if d.mean != 0 or d.p < 1}
    same = [m for m in measures if m not in touched and any(d.measure == m for d in raw)]
    if touched:  # what a setting cannot change is no question that was asked
        raw, measures = [d for d in raw if d.measure in touched], tuple(m for m in measures if m not in same)
    corrected = holm([d.p for d in raw])
    done = [Difference(**{**vars(d), "p_holm": float(p)}) for d, p in zip(raw, corrected, strict=True)]
    notes = list(found.notes)
    if touched and same:
        notes.append(f"the same in every pair, and left out: {', '.join(same)}")
    few = {d.pairs for d in done if 2 / 2**d.pairs > 0.05}
    if few:
        notes.append(
            f"with {min(few)} pairs p cannot fall below {2 / 2 ** min(few):.3g}: six or more are needed to find a difference"
        )
    if len(names) > 1 and not done:
        notes.append(f"no two runs of different groups share {' and '.join(pair)}: nothing could be paired")
    return Comparison(by, pair, measures, groups, tuple(done), tuple(notes))


def _differences(
    found: Table,
    measure: str,
    labels: Sequence[str],
    names: Sequence[str],
    pair: Sequence[str],
    cells: Mapping[str, list[Any]],
) -> list[Difference]:
    table: dict[str, dict[tuple[Any, ...], list[float]]] = {name: {} for name in names}
    for i, row in enumerate(found.rows):
        if _is_number(row.get(measure)):
            table[labels[i]].setdefault(tuple(cells[k][i] for k in pair), []).append(float(row[measure]))  # type: ignore[arg-type]
    out = []
    for a, b in combinations(names, 2):
        common = [k for k in table[a] if k in table[b]]
        if not common:
            continue
        d = np.array([np.mean(table[a][k]) - np.mean(table[b][k]) for k in common])
        at = {
            name: [k[pair.index(name)] if name in pair else i for i, k in enumerate(common)]
            for name in ("topic", "seed")
        }
        mean, low, high = crossed(d, at["topic"], at["seed"])
        out.append(Difference(measure, a, b, mean, low, high, sign_flips(d), float("nan"), effect_size(d), len(d)))
    return out


def _values(found: Table, key: str) -> list[Any]:
    """One setting of every run: a column, or any key of the config."""
    if key in found.columns:
        return [row.get(key) for row in found.rows]
    full = [key, f"{key}.name"]
    values = [next((leaf[k] for k in full if k in leaf), None) for leaf in found.configs]
    if all(v is None for v in values):
        known = {k.removesuffix(".name") for leaf in found.configs for k in leaf} | {"topic", "seed"}
        raise UnknownName(f"no run has a setting {key!r}; {nearest(key, known)}")
    return [v if isinstance(v, str | int | float) or v is None else str(v) for v in values]


def _label(by: Sequence[str], values: Sequence[Any]) -> str:
    return ", ".join(str(v) if len(by) == 1 else f"{k}={v}" for k, v in zip(by, values, strict=True)) or "all"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and bool(np.isfinite(value))
