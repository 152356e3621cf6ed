"""Figures of a sweep: how scores are spread, what more candidates buy, and which ones no other beats."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping, Sequence
from math import comb
from typing import Any

import numpy as np

INK, RULE = "#e9e4f0", "#5c5470"
COLOURS = ("#f2a65a", "#6ec5b8", "#c792ea", "#ef6f6c", "#8ab4f8", "#d9d17a", "#f48fb1", "#9ccc65")
MOST = 8
"""Groups that are drawn; more cannot be told apart."""


def best_of(scores: Sequence[float] | np.ndarray) -> np.ndarray:
    """Expected highest score among N of the candidates drawn at random without replacement, for N = 1 .. all, float64 (n,).

    Exact: the k-th smallest of n is the highest of N with probability C(k - 1, N - 1) / C(n, N).

    >>> best_of([1.0, 2.0, 6.0]).round(3).tolist()
    [3.0, 4.667, 6.0]
    """
    x = np.sort(np.asarray(scores, np.float64))
    n = len(x)
    return np.array([sum(x[k - 1] * comb(k - 1, m - 1) for k in range(m, n + 1)) / comb(n, m) for m in range(1, n + 1)])


def draw_spread(values: Mapping[str, Sequence[float]], title: str) -> str:
    """One strip of dots a group, and its mean; an SVG. Intervals stand in the table, where topics and seeds are clusters."""

    def paint(axis: Any) -> None:
        for k, some in enumerate(list(values.values())[:MOST]):
            x = np.asarray(some, np.float64)
            shift = np.linspace(-0.16, 0.16, len(x)) if len(x) > 1 else np.zeros(1)
            axis.scatter(x, k + shift, s=14, color=COLOURS[k % len(COLOURS)], alpha=0.7, linewidths=0)
            axis.scatter([x.mean()], [k + 0.3], s=26, color=INK, marker="d", zorder=3)
        axis.set_yticks(range(min(MOST, len(values))), [_short(n) for n in list(values)[:MOST]])
        axis.set_ylim(min(MOST, len(values)) - 0.4, -0.5)

    return _svg(paint, title, 1.2 + 0.5 * min(MOST, len(values)))


def draw_best_of(choices: Sequence[Sequence[float]], title: str) -> str:
    """The mean over runs of `best_of`, with its interval: what one more candidate buys; an SVG."""
    from ...statistics.intervals import mean_interval

    def paint(axis: Any) -> None:
        curves = [best_of(c) for c in choices if len(c)]
        longest = max(map(len, curves))
        points = [mean_interval([c[n] for c in curves if len(c) > n]) for n in range(longest)]
        mean, low, high = (np.array(column) for column in zip(*points, strict=True))
        axis.fill_between(range(1, longest + 1), low, high, color=COLOURS[0], alpha=0.22, linewidth=0)
        axis.plot(range(1, longest + 1), mean, color=COLOURS[0], marker="o", markersize=4)
        axis.set_xlabel("candidates")
        axis.xaxis.get_major_locator().set_params(integer=True)

    return _svg(paint, title, 2.6)


def draw_front(points: np.ndarray, chosen: np.ndarray, names: tuple[str, str], title: str) -> str:
    """Candidates by two scores, those that no other beats in both joined by a line, the chosen ones filled; an SVG.

    Args:
        points: float64 (candidate, 2).
        chosen: bool (candidate,).
        names: of the two scores.
        title: of the figure.
    """

    def paint(axis: Any) -> None:
        order = np.lexsort((-points[:, 1], -points[:, 0]))
        front, best = [], -np.inf
        for i in order:
            if points[i, 1] > best:
                front.append(i)
                best = points[i, 1]
        axis.plot(*points[front].T, color=RULE, linewidth=1.2, drawstyle="steps-post")
        axis.scatter(*points[~chosen].T, s=20, facecolors="none", edgecolors=COLOURS[1], linewidths=1)
        axis.scatter(*points[chosen].T, s=26, color=COLOURS[0], linewidths=0)
        axis.set_xlabel(names[0])
        axis.set_ylabel(names[1])

    return _svg(paint, title, 3.0)


def _short(text: str) -> str:
    return text if len(text) <= 28 else text[:27] + "…"


def _svg(paint: Callable[[Any], None], title: str, height: float) -> str:
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context({"svg.hashsalt": "spectrogrand", "svg.fonttype": "path", "font.size": 8.5}):
        figure = Figure((5.2, height), layout="constrained", facecolor="none")
        axis = figure.add_subplot(facecolor="none")
        paint(axis)
        axis.set_title(title, color=INK, loc="left", fontsize=9.5)
        for part in (axis.xaxis.label, axis.yaxis.label):
            part.set_color(INK)
        axis.tick_params(colors=INK, length=2)
        for side, spine in axis.spines.items():
            spine.set_visible(side in ("left", "bottom"))
            spine.set_color(RULE)
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    text = re.sub(r"<metadata>.*?</metadata>", "", out.getvalue(), flags=re.S)
    return text[text.index("<svg") :]
