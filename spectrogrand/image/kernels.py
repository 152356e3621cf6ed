"""Loops over pixels that numpy would walk many times over, compiled when first used: one pass a frame, rows in any order.

Each function draws the rows from `begin` to `end` and nothing else, holds no lock, and computes a row from that row's numbers
alone: the bytes are the same however many threads share the rows. Bounds are written `max(low, value)`, which is `low` where the
value is not a number: no place outside an array is ever read.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from types import FunctionType
from typing import Any

import numpy as np

_ROWS = ("_blend", "_mirrored", "_interleave")


@lru_cache(maxsize=32)
def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """A loop as machine code; kept on disk where a folder for that can be written, else compiled anew in each process.

    Loops that it calls (`_ROWS`) are compiled first, once for all that share them: short loops over rows that lie apart in memory
    are what a compiler turns into vector instructions.
    """
    from numba import njit

    inner = {name: compiled(globals()[name]) for name in function.__code__.co_names if name in _ROWS}
    if inner:
        function = FunctionType(function.__code__, {**globals(), **inner}, function.__name__, function.__defaults__)
        function.__module__ = __name__
    how: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
    try:
        made: Callable[..., Any] = njit(cache=True, **how)(function)
    except RuntimeError:  # neither the package's folder nor the user's can be written
        made = njit(**how)(function)
    return made


@lru_cache(maxsize=32)
def taps(few: int, many: int) -> tuple[np.ndarray, np.ndarray]:
    """Bicubic (a = -0.5) resizing of `few` points to `many`, as Pillow does it: first point and weights of each new one.

    Shapes (many,), int64, and (many, tap), float32; unused taps weigh 0.

    >>> first, weights = taps(4, 8)
    >>> first.tolist(), weights.shape, bool(np.allclose(weights.sum(axis=1), 1))
    ([0, 0, 0, 0, 0, 0, 0, 0], (8, 4), True)
    """
    scale = few / many
    wide = max(scale, 1.0)
    centre = (np.arange(many) + 0.5) * scale
    low = np.maximum((centre - 2 * wide + 0.5).astype(int), 0)
    high = np.minimum((centre + 2 * wide + 0.5).astype(int), few)
    count = int((high - low).max())
    first = np.minimum(low, max(0, few - count))
    at = first[:, None] + np.arange(count)
    x = np.abs((at + 0.5 - centre[:, None]) / wide)
    weights = np.where(x < 1, (1.5 * x - 2.5) * x * x + 1, np.where(x < 2, ((-0.5 * x + 2.5) * x - 4) * x + 2, 0.0))
    weights *= (at >= low[:, None]) & (at < high[:, None])
    return first.astype(np.int64), (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


def widen(field: np.ndarray, columns: int) -> np.ndarray:
    """A coarse field resized along its rows only, float32, shape=(row, columns): `taps` do the rest, row by row."""
    out = np.empty((field.shape[0], columns), np.float32)
    compiled(_widen)(np.ascontiguousarray(field, np.float32), *taps(field.shape[1], columns), out)
    return out


def pack_floats(rgb: np.ndarray) -> np.ndarray:
    """Colours in [0, 255], float32, shape=(colour, rgb), rounded and packed to uint32 (bytes R, G, B, 255)."""
    out = np.empty(len(rgb), np.uint32)
    compiled(_pack)(rgb, out)
    return out


def _widen(field: Any, first: Any, weights: Any, out: Any) -> None:
    p, q, u, v = weights[:, 0].copy(), weights[:, 1].copy(), weights[:, 2].copy(), weights[:, 3].copy()
    for r in range(out.shape[0]):
        row, wide = field[r], out[r]
        for c in range(out.shape[1]):
            k = np.uint64(first[c])
            wide[c] = (
                p[c] * row[k]
                + q[c] * row[k + np.uint64(1)]
                + u[c] * row[k + np.uint64(2)]
                + v[c] * row[k + np.uint64(3)]
            )
        for more in range(4, weights.shape[1]):
            for c in range(out.shape[1]):
                wide[c] += weights[c, more] * row[first[c] + more]


def _blend(out: Any, base: Any, field: Any, first: Any, weights: Any) -> None:
    """A row of numbers plus a weighted sum of a field's rows from `first` on, which are four or more."""
    p, q, u, v = weights[0], weights[1], weights[2], weights[3]
    a, b, d, e = field[first], field[first + 1], field[first + 2], field[first + 3]
    for c in range(out.shape[0]):
        out[c] = base[c] + p * a[c] + q * b[c] + u * d[c] + v * e[c]
    for more in range(4, weights.shape[0]):
        p, a = weights[more], field[first + more]
        for c in range(out.shape[0]):
            out[c] += p * a[c]


def _mirrored(at: Any, y: Any, x: Any, rows: Any, columns: Any) -> None:
    """Places in a flat picture of (rows, columns); beyond an edge, the mirror image."""
    none, one, stride = np.float32(0), np.float32(1), np.int32(columns)
    last_row, last_column = np.float32(rows - 1), np.float32(columns - 1)
    for c in range(at.shape[0]):
        a = min(max(none, last_row + one - abs(last_row + one - abs(y[c]))), last_row)
        b = min(max(none, last_column + one - abs(last_column + one - abs(x[c]))), last_column)
        at[c] = np.uint32(np.int32(a) * stride + np.int32(b))


def _interleave(out: Any, parts: Any) -> None:
    """Three rows of floats, shape=(rgb, column), cut to bytes, shape=(column, rgb)."""
    none, most = np.float32(0), np.float32(255)
    for channel in range(3):
        part = parts[channel]
        for c in range(part.shape[0]):
            part[c] = min(max(none, part[c]), most)
    for c in range(out.shape[0]):
        out[c, 0] = np.uint8(np.int32(parts[0, c]))
        out[c, 1] = np.uint8(np.int32(parts[1, c]))
        out[c, 2] = np.uint8(np.int32(parts[2, c]))


def flow(
    past: Any, at: Any, older: int, newer: int, between: Any, fall: Any, present: Any, axis: Any, rows: Any, out: Any
) -> None:
    """Light that has travelled: `past`, flat, read at `at` plus two offsets and blended, and what sounds now beside it.

    Args:
        between: how far from the older to the newer.
        fall: what of it is left at each place.
        axis: how much of `present`, which
            holds a number for each row of `rows`, shows there. All flat and float32, but for the places, uint32.
    """
    before = np.float32(1) - between
    for n in range(out.shape[0]):
        light = (past[at[n] + np.uint32(older)] * before + past[at[n] + np.uint32(newer)] * between) * fall[n]
        out[n] = light + present[rows[n]] * axis[n]


def _pack(rgb: Any, out: Any) -> None:
    none, half, most = np.float32(0), np.float32(0.5), np.float32(255)
    for n in range(out.shape[0]):
        red = np.uint32(np.int32(min(max(none, rgb[n, 0] + half), most)))
        green = np.uint32(np.int32(min(max(none, rgb[n, 1] + half), most)))
        blue = np.uint32(np.int32(min(max(none, rgb[n, 2] + half), most)))
        out[n] = red | (green << np.uint32(8)) | (blue << np.uint32(16)) | np.uint32(0xFF000000)


def glaze(
    codes: Any, drawn: Any, shape: Any, top: int, left: int, runs: Any, grain: Any, level: Any, low: Any, high: Any,
    zero: int, row: int, share: float,
) -> None:  # fmt: skip
    """A stroke laid over a plate of codes `hue * row + zero + level` thinly: its level mixed with the one drawn, in that hue.

    Args:
        codes: the plate, int16, flat, painted in place.
        drawn: the same before any stroke.
        shape: its (rows, columns).
        top, left: where the stroke's corner lies; what hangs over is cut.
        runs: what it covers: row, first column and the one after the last, whole numbers, shape=(run, 3).
        grain: levels that its bristles add, float32, shape=(row, column).
        level, low, high: its level, and the limits of what comes of it.
        zero, row: of a code, as above.
        share: how much of its own level is seen.
    """
    hues = 1 / row
    for n in range(runs.shape[0]):
        r, first, last = runs[n, 0], max(runs[n, 1], -left), min(runs[n, 2], shape[1] - left)
        if not 0 <= top + r < shape[0] or first >= last:
            continue
        begin = (top + r) * shape[1] + left
        here, below, bristles = (
            codes[begin + first : begin + last],
            drawn[begin + first : begin + last],
            grain[r, first:last],
        )
        for c in range(last - first):
            code = np.float64(below[c])
            under = code - row * np.floor((code + 0.5) * hues)
            own = np.int32(min(max(low, level + bristles[c]), high)) + zero
            here[c] = np.int16(np.int32(code + share * (own - under)))


def draw_still(
    codes: Any, shape: Any, y0: Any, x0: Any, way_first: Any, way_taps: Any, down: Any, right: Any,
    light_first: Any, light_taps: Any, light: Any, shade: Any, low: Any, high: Any, table: Any, warm: Any, out: Any,
    begin: int, end: int,
) -> None:  # fmt: skip
    """Codes sampled where they are moved to, light added to them, colours looked up, and a shade of colour laid over.

    Args:
        codes: the plate, int16, flat.
        shape: its (rows, columns).
        y0, x0: where each pixel samples it unmoved, float32, shape=(row, column).
        way_first, way_taps: `taps` of `down` and `right`, which are displacements after `widen`.
        light_first, light_taps: `taps` of `light` (levels, clipped to `low` and `high`) and `shade`, after `widen`.
        table: packed colours by code, uint32.
        warm: what a shade of 1 adds to red, green and blue.
        out: the frame.
    """
    columns = out.shape[1]
    y, x, lit, hue = (
        np.empty(columns, np.float32),
        np.empty(columns, np.float32),
        np.empty(columns, np.float32),
        np.empty(columns, np.float32),
    )
    blank, at, parts = np.zeros(columns, np.float32), np.empty(columns, np.uint32), np.empty((3, columns), np.float32)
    half, byte = np.float32(0.5), np.uint32(255)
    for r in range(begin, end):
        _blend(y, y0[r], down, way_first[r], way_taps[r])
        _blend(x, x0[r], right, way_first[r], way_taps[r])
        _blend(lit, blank, light, light_first[r], light_taps[r])
        _blend(hue, blank, shade, light_first[r], light_taps[r])
        _mirrored(at, y, x, shape[0], shape[1])
        for c in range(columns):
            at[c] = table[np.uint32(codes[at[c]] + np.int32(min(max(low, lit[c]), high)))]
        for channel in range(3):
            shift, warmth = np.uint32(8 * channel), warm[channel]
            part = parts[channel]
            for c in range(columns):
                part[c] = np.float32(np.int32((at[c] >> shift) & byte)) + hue[c] * warmth + half
        _interleave(out[r], parts)


def draw_moving(
    grey: Any, gain: Any, codes: Any, shape: Any, y0: Any, x0: Any, first: Any, weights: Any, down: Any, right: Any,
    relief: Any, amount: Any, flare: Any, near: Any, base: Any, low: Any, high: Any, table: Any, out: Any,
    begin: int, end: int,
) -> None:  # fmt: skip
    """A stream's grey as levels, the texture under it bent, flares and relief added, and colours looked up.

    Args:
        grey: uint8, shape=(row, column).
        gain: levels for one step of grey, by column.
        codes, shape, y0, x0, first, weights: the texture's plate and displacements, as in `draw_still`.
        relief: levels to add, after `widen`, with the same taps as `down` and `right`.
        amount: (slope, offset, least) of how much of the texture is seen at a level.
        flare, near: levels by row, and their weight by column.
        base: the code of level 0, by row.
    """
    columns = out.shape[1]
    y, x, raised = np.empty(columns, np.float32), np.empty(columns, np.float32), np.empty(columns, np.float32)
    blank, texture, at = np.zeros(columns, np.float32), np.empty(columns, np.float32), np.empty(columns, np.uint32)
    slope, offset, least = amount
    for r in range(begin, end):
        _blend(y, y0[r], down, first[r], weights[r])
        _blend(x, x0[r], right, first[r], weights[r])
        _blend(raised, blank, relief, first[r], weights[r])
        _mirrored(at, y, x, shape[0], shape[1])
        seen, high_up, ground = grey[r], flare[r], np.int32(base[r])
        for c in range(columns):
            texture[c] = np.float32(codes[at[c]])
        for c in range(columns):
            level = np.float32(seen[c]) * gain[c]
            level += texture[c] * max(level * slope + offset, least)
            level += high_up * near[c] + raised[c]
            at[c] = np.uint32(ground + np.int32(min(max(low, level), high)))
        for c in range(columns):
            colour = table[at[c]]
            out[r, c, 0] = np.uint8(colour)
            out[r, c, 1] = np.uint8(colour >> np.uint32(8))
            out[r, c, 2] = np.uint8(colour >> np.uint32(16))


def draw_stage(
    codes: Any, shape: Any, y0: Any, x0: Any, first: Any, weights: Any, down: Any, right: Any,
    vignette: Any, shine: Any, bloom: Any, level: Any, light: Any, glow: Any,
    corners: Any, widths: Any, falls: Any, hue: Any, split: float, out: Any, begin: int, end: int,
) -> None:  # fmt: skip
    """A packed plate sampled where the camera looks, lit, with dust before it and its red and blue drawn apart.

    Args:
        codes: packed colours, uint32, flat; `shape` to `right` as in `draw_still`.
        vignette, shine: what `level` and `level * light` multiply, float32, shape=(row, column).
        bloom: what is added `glow` times, float32, shape=(rgb, row, column).
        corners, widths, falls, hue: the specks of dust: (top, left), side, and how bright in each row and column, by speck,
            shapes (2, speck), (speck,) and (2, speck, step); their colour.
        split: pixels that red moves right and blue left.
    """
    columns = out.shape[1]
    y, x, at = np.empty(columns, np.float32), np.empty(columns, np.float32), np.empty(columns, np.uint32)
    gains, lit, moved = (
        np.empty(columns, np.float32),
        np.empty((3, columns), np.float32),
        np.empty((2, columns), np.float32),
    )
    one, byte = np.float32(1), np.uint32(255)
    whole = int(abs(split))
    part = np.float32(abs(split) - whole)
    for r in range(begin, end):
        _blend(y, y0[r], down, first[r], weights[r])
        _blend(x, x0[r], right, first[r], weights[r])
        _mirrored(at, y, x, shape[0], shape[1])
        for c in range(columns):
            at[c] = codes[at[c]]
        for c in range(columns):
            gains[c] = level * (vignette[r, c] + light * shine[r, c])
        for channel in range(3):
            shift, one_channel, its_bloom = np.uint32(8 * channel), lit[channel], bloom[channel, r]
            for c in range(columns):
                one_channel[c] = np.float32(np.int32((at[c] >> shift) & byte)) * gains[c] + glow * its_bloom[c]
        for n in range(widths.shape[0]):
            step = r - corners[0, n]
            if 0 <= step < widths[n]:
                left = corners[1, n]
                for c in range(max(0, left), min(columns, left + widths[n])):
                    speck = falls[0, n, step] * falls[1, n, c - left]
                    for channel in range(3):
                        lit[channel, c] += hue[channel] * speck
        if split > 0.05:
            for c in range(columns):  # red from the left, blue from the right
                near, far = max(c - whole, 0), max(c - whole - 1, 0)
                moved[0, c] = lit[0, near] * (one - part) + lit[0, far] * part
                near, far = min(c + whole, columns - 1), min(c + whole + 1, columns - 1)
                moved[1, c] = lit[2, near] * (one - part) + lit[2, far] * part
            for c in range(columns):
                lit[0, c], lit[2, c] = moved[0, c], moved[1, c]
        _interleave(out[r], lit)
