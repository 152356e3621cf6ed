"""Tiles: a mosaic of small stones, and a window of stained glass."""

from __future__ import annotations

import numpy as np

from ..canvas import Array, noise, resize, smoothstep
from ..things.stage import Stage
from . import weather

STRIP = 32
"""Rows that are worked on at a time."""


def _ground(stage: Stage) -> Array:
    """Colours behind the things: rings of the sky's stops about the light, shape=(3, row, column)."""
    from ..palette import ramp

    scene, c, p = stage.scene, stage.canvas, stage.scene.palette
    rng = scene.stream("behind")
    d = c.distance(*scene.focus) / np.float32(0.8) + 0.10 * (c.up(noise(rng, 4, 3)) - 0.5)
    d = np.floor(np.clip(d, 0, 1) * 7) / 7
    stops = (p.between(p.pale, p.glow, 0.5), p.glow, p.sky[3], p.sky[2], p.sky[1], p.sky[0]) if p.key != "day" else (
        p.pale, p.between(p.accent, p.pale, 0.6), p.sky[3], p.sky[2], p.sky[1], p.sky[0])  # fmt: skip
    return c.grade(d.astype(np.float32), ramp(*stops))


def _lay_ground(stage: Stage) -> None:
    c, p = stage.canvas, stage.scene.palette
    c.light[:] = _ground(stage)
    if stage.horizon:
        c.over(p.between(p.sky[1], p.accent, 0.45), stage.horizon.body)
        c.over(p.between(p.sky[0], p.ink, 0.6), stage.horizon.pen)
        return
    foot = max((i.y for i in stage.items if not i.aloft), default=None)
    if foot is not None and not all(i.aloft for i in stage.items):
        under = np.clip((c.y - np.float32(foot - 0.035)) / c.px + 0.5, 0, 1) * np.ones_like(c.x)
        soil = (
            p.between(p.sky[1], p.ink, 0.55) if not stage.reading.meaning("snow") else p.between(p.pale, p.sky[2], 0.2)
        )
        c.over(soil, under)


def mosaic(stage: Stage) -> None:
    """Stones laid along a jittered grid, each of one colour, set in dark mortar, a little uneven in height."""
    scene, c, p = stage.scene, stage.canvas, stage.scene.palette
    rng = scene.stream("mosaic")
    _lay_ground(stage)
    for item in stage.all():
        body = stage.cover(item, "body")
        grown = smoothstep(0.05, 0.25, c.blur(body, 0.012, 512)).astype(np.float32)
        c.over(p.between(p.ink, p.sky[0], 0.2), 0.85 * grown * (1 - body))
        c.over(stage.painted(item), body)
    weather.fall(stage, p.pale)
    smallest = min((min(i.w, i.h) for i in stage.all()), default=0.5)
    pitch = float(np.clip(smallest / 24, 1 / 120, 1 / 64))
    rows, columns = round((c.bottom - c.top) / pitch), round((c.right - c.left) / pitch)
    jitter = rng.uniform(-0.22, 0.22, (2, rows + 4, columns + 4)).astype(np.float32)
    which, best, second = _nearest(stage, pitch, jitter, square=True)
    colours = np.stack([resize(plane, rows * 2, columns * 2) for plane in c.light])
    sample = colours[:, 1::2, 1::2] * 0.4 + colours[:, ::2, ::2] * 0.6
    stones = np.zeros((3, rows + 4, columns + 4), np.float32)
    stones[:, 1 : rows + 1, 1 : columns + 1] = sample
    stones[:, 0], stones[:, rows + 1 :] = stones[:, 1], stones[:, rows : rows + 1]
    stones[:, :, 0], stones[:, :, columns + 1 :] = stones[:, :, 1], stones[:, :, columns : columns + 1]
    shine = (0.82 + 0.36 * rng.random((rows + 4, columns + 4))).astype(np.float32)
    gap = second - best
    mortar = smoothstep(0.02, 0.14, gap).astype(np.float32)
    dome = 0.86 + 0.28 * smoothstep(0.9, 0.1, best)
    ink = np.asarray(p.between(p.ink, p.sky[0], 0.15), np.float32)
    for k in range(3):
        stone = (stones[k] * shine).take(which)
        bed = 0.42 * stone + 0.30 * ink[k]  # mortar takes the colour of what it holds
        c.light[k] = bed + mortar * (stone * dome - bed)
    scene.notes["grain"] = 0.01


def _nearest(stage: Stage, pitch: float, jitter: Array, square: bool = False) -> tuple[Array, Array, Array]:
    """The nearest of the sites on a jittered grid: its number, how far it is and how far the next, in pitches."""
    c = stage.canvas
    columns = jitter.shape[2]
    u = ((c.x - np.float32(c.left)) / np.float32(pitch)).astype(np.float32)
    j0 = np.floor(u).astype(np.int32)
    which = np.empty((c.height, c.width), np.int32)
    best, second = np.empty((2, c.height, c.width), np.float32)
    for top in range(0, c.height, STRIP):  # a strip's arrays stay in the processor's cache
        rows = slice(top, top + STRIP)
        v = ((c.y[rows] - np.float32(c.top)) / np.float32(pitch)).astype(np.float32)
        i0 = np.floor(v).astype(np.int32)
        near = np.full((len(v), c.width), 9.0, np.float32)
        next_, site = near.copy(), np.zeros((len(v), c.width), np.int32)
        for di in (-1, 0, 1):
            for dj in (-1, 0, 1):
                i, j = i0 + di + 1, j0 + dj + 1
                at = i * columns + j
                dy = np.abs(jitter[0].take(at) + (i - np.float32(0.5) - v).astype(np.float32))
                dx = np.abs(jitter[1].take(at) + (j - np.float32(0.5) - u).astype(np.float32))
                far = np.maximum(dx, dy) + np.float32(0.35) * np.minimum(dx, dy) if square else np.hypot(dx, dy)
                closer = far < near
                np.minimum(next_, np.maximum(far, near), out=next_)
                np.copyto(site, at, where=closer)
                np.minimum(near, far, out=near)
        which[rows], best[rows], second[rows] = site, near, next_
    return which, best, second


def glass(stage: Stage) -> None:
    """Pieces of glass between leads: shards of sky about the light, each thing's fields in their colours, lit from behind."""
    scene, c, p = stage.scene, stage.canvas, stage.scene.palette
    rng = scene.stream("glass")
    _lay_ground(stage)
    x, y = scene.focus
    pitch = 1 / 7.5
    rows, columns = round((c.bottom - c.top) / pitch), round((c.right - c.left) / pitch)
    jitter = rng.uniform(-0.5, 0.5, (2, rows + 4, columns + 4)).astype(np.float32)
    which, best, second = _nearest(stage, pitch, jitter)
    count = jitter[0].size
    value = (0.72 + 0.55 * rng.random(count)).astype(np.float32)
    leads = np.clip((0.0075 - (second - best) * pitch) / (1.5 * c.px) + 0.5, 0, 1)
    c.light *= value.take(which)[None]
    warm = np.asarray(p.accent, np.float32)
    tinted = (rng.random(count) < 0.2).take(which) * 0.45
    for k in range(3):
        c.light[k] += tinted * (warm[k] * 0.8 - c.light[k])
    r = max(scene.sun, 0.2)
    ring = np.clip((0.005 - np.abs(c.distance(x, y) - r)) / (1.5 * c.px) + 0.5, 0, 1)
    leads = np.maximum(leads, ring)
    if stage.horizon:
        leads = np.maximum(leads * (1 - 0.9 * stage.horizon.body), stage.horizon.pen)
    body = stage.union("body")
    outline = smoothstep(0.06, 0.22, c.blur(body, 0.006, 768)).astype(np.float32)
    leads = np.maximum(leads * (1 - outline), outline * (1 - body))
    for item in stage.all():
        local = stage.cover(item, "body")
        flat = stage.painted(item)
        sheen = 0.85 + 0.5 * np.clip(1 - c.distance(x, y) / np.float32(0.7), 0, 1)
        c.over(flat * (1.15 * sheen)[None], local)
    c.light *= (0.86 + 0.28 * c.up(noise(rng, 70, 3, 0.6, side=512)))[None]
    if stage.reading.meaning("snow", "rain", "storm", "stars", "night"):
        weather.fall(stage, p.pale)
    lead = np.array([0.012, 0.012, 0.014])
    for item in stage.all():
        leads = np.maximum(leads, stage.cover(item, "pen"))
    c.over(lead, leads.astype(np.float32))
    edge = np.clip(leads - c.shift(leads, 0.0016, 0.0016), 0, 1)
    c.over(p.between(p.pale, p.sky[1], 0.4), 0.28 * edge)
    scene.notes["grain"] = 0.01
