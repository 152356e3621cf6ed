"""Horizons: the ground that a topic names, as a band of drawn forms for finishes that paint no landscape."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..canvas import Array, Canvas, Pen, ridge_line

LINE = 0.007
"""Width of a drawn line in sides of the picture."""
Path = list[tuple[float, float]]


@dataclass(frozen=True)
class Horizon:
    """The band's cover and its lines, float32 in [0, 1], shape=(row, column)."""

    body: Array
    pen: Array


def draw(c: Canvas, kind: str, y: float, rng: np.random.Generator) -> Horizon:
    """Draw a ground across the picture.

    Args:
        c: the canvas.
        kind: "sea", "mountains", "forest", "meadow", "dunes", "city" or "space".
        y: where things stand on it; mountains, trees and houses rise above.
        rng: for what differs from picture to picture.
    """
    filled, lines = FORMS[kind](c, y, rng)

    def fill(pen: Pen) -> None:
        for path in filled:
            pen.polygon(path)

    def write(pen: Pen) -> None:
        for path in lines:
            pen.line(path, LINE)

    body = c.shapes(fill)
    return Horizon(body, np.asarray(c.shapes(write)))


def _closed(c: Canvas, top: Path) -> Path:
    return [*top, (c.right + 0.05, c.bottom + 0.05), (c.left - 0.05, c.bottom + 0.05)]


def _steps(c: Canvas, count: int) -> Array:
    return np.linspace(c.left - 0.03, c.right + 0.03, count)


def _line(x: Array, y: Array) -> Path:
    return list(zip(x.tolist(), y.tolist(), strict=True))


Forms = tuple[list[Path], list[Path]]


def _sea(c: Canvas, y: float, rng: np.random.Generator) -> Forms:
    """Rows of waves with pointed crests, longer the nearer they are."""
    x, rows = _steps(c, 500), []
    for k in range(4):
        long = 0.13 + 0.05 * k
        phase = rng.random()
        crest = np.abs(np.sin(np.pi * ((x - c.left) / long + phase)))
        rows.append(_line(x, y - 0.03 + (0.012 + 0.062 * k) * (1 + 0.12 * k) + (0.020 + 0.005 * k) * (crest - 0.5)))
    return [_closed(c, rows[0])], rows


def _mountains(c: Canvas, y: float, rng: np.random.Generator) -> Forms:
    """Peaks with snow on them, one range before another."""
    filled, lines = [], []
    for high, count in ((0.30, 3), (0.17, 5)):
        edges = np.linspace(c.left - 0.15, c.right + 0.15, count + 1) + rng.normal(0, 0.02, count + 1)
        for a, b in zip(edges[:-1], edges[1:], strict=True):
            top = high * rng.uniform(0.7, 1.0)
            peak = a + (b - a) * rng.uniform(0.42, 0.58)
            a2, b2 = a - 0.06, b + 0.06
            path = [(a2, y), (peak, y - top), (b2, y)]
            filled.append([*path, (b2, c.bottom + 0.05), (a2, c.bottom + 0.05)])
            if high > 0.2:
                t = np.array([0.34, 0.20, 0.36, 0.22, 0.34])
                across = np.array([-1, -0.45, 0.05, 0.5, 1])
                w = np.where(across < 0, (peak - a2) * 0.34, (b2 - peak) * 0.34)
                lines.append(_line(peak + across * w, y - top + t * top))
                lines.append(path)
    filled.append(
        [(c.left - 0.05, y - 0.01), (c.right + 0.05, y - 0.01), (c.right + 0.05, c.bottom), (c.left, c.bottom)]
    )
    lines.append([(c.left - 0.05, y - 0.01), (c.right + 0.05, y - 0.01)])
    return filled, lines


def _forest(c: Canvas, y: float, rng: np.random.Generator) -> Forms:
    """Firs in a row, each of three tiers."""
    filled: list[Path] = [_closed(c, [(c.left - 0.05, y - 0.01), (c.right + 0.05, y - 0.01)])]
    lines: list[Path] = []
    x = c.left - 0.02
    while x < c.right + 0.05:
        h = rng.uniform(0.15, 0.30)
        w = 0.30 * h
        left, right = [(x - 0.02 * 0.5, y)], [(x + 0.01, y)]
        for k in range(3):
            low, wide = 0.10 + 0.28 * k, w * (1 - 0.26 * k)
            left += [(x - wide, y - low * h), (x - 0.45 * wide, y - (low + 0.20) * h)]
            right += [(x + wide, y - low * h), (x + 0.45 * wide, y - (low + 0.20) * h)]
        tree = [*left, (x, y - h), *right[::-1]]
        filled.append(tree)
        lines.append(tree)
        x += rng.uniform(1.5, 2.2) * w
    return filled, lines


def _meadow(c: Canvas, y: float, rng: np.random.Generator) -> Forms:
    """Two low hills with tufts of grass."""
    x = _steps(c, 300)
    back = y - 0.06 + 0.035 * ridge_line(rng, 300, 0.2, 1.5)
    front = y - 0.005 + 0.012 * ridge_line(rng, 300, 0.2, 1.2)
    lines = [_line(x, back), _line(x, front)]
    for at in c.scatter(rng, 34):
        foot = y + rng.uniform(0.03, max(c.bottom - y, 0.06))
        for lean in (-0.016, 0.0, 0.016):
            lines.append([(at, foot), (at + lean, foot - rng.uniform(0.022, 0.034))])
    return [_closed(c, lines[0]), _closed(c, lines[1])], lines


def _dunes(c: Canvas, y: float, rng: np.random.Generator) -> Forms:
    """Dunes that overlap, their crests long and smooth."""
    x, lines = _steps(c, 300), []
    for k in range(4):
        long, phase = 0.75 - 0.08 * k, rng.random()
        t = np.mod((x - c.left) / long + phase, 1)
        rise = np.abs(np.where(t < 0.68, np.sin(np.pi / 2 * t / 0.68), np.cos(np.pi / 2 * (t - 0.68) / 0.32))) ** 1.5
        lines.append(_line(x, y + 0.01 + 0.055 * k - (0.085 - 0.014 * k) * rise))
    return [_closed(c, line) for line in lines], lines


def _city(c: Canvas, y: float, rng: np.random.Generator) -> Forms:
    """Towers side by side with windows."""
    filled: list[Path] = [_closed(c, [(c.left - 0.05, y - 0.01), (c.right + 0.05, y - 0.01)])]
    lines: list[Path] = [[(c.left - 0.05, y), (c.right + 0.05, y)]]
    x = c.left - 0.03
    while x < c.right + 0.03:
        w, h = rng.uniform(0.07, 0.12), rng.uniform(0.10, 0.30)
        top = y - h
        roof = [(x, top), (x + w / 2, top - 0.05), (x + w, top)] if rng.random() < 0.25 else [(x, top), (x + w, top)]
        tower = [(x, y), *roof, (x + w, y)]
        filled.append(tower)
        lines.append(tower)
        for row in np.arange(top + 0.035, y - 0.03, 0.042):
            for column in (0.28, 0.72):
                if rng.random() < 0.8:
                    u = x + column * w
                    lines.append([(u, float(row)), (u, float(row) + 0.014)])
        x += w
    return filled, lines


def _space(c: Canvas, y: float, rng: np.random.Generator) -> Forms:
    """The rim of a world with craters."""
    x = _steps(c, 300)
    rim = y - 0.02 + 0.20 * (x - 0.5) ** 2
    lines = [_line(x, rim)]
    t = np.linspace(0, 2 * np.pi, 40)
    for _ in range(7):
        at, r = float(c.scatter(rng)), rng.uniform(0.02, 0.055)
        foot = float(y + 0.20 * (at - 0.5) ** 2 + rng.uniform(0.03, 0.13))
        lines.append(_line(at + r * np.cos(t), foot + 0.32 * r * np.sin(t)))
    return [_closed(c, lines[0])], lines


FORMS: dict[str, Callable[[Canvas, float, np.random.Generator], Any]] = {
    "sea": _sea, "mountains": _mountains, "forest": _forest, "meadow": _meadow, "dunes": _dunes, "city": _city,
    "space": _space,
}  # fmt: skip
