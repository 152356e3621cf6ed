"""Paper: sheets cut out and laid over each other, each with its edge of light and its shadow."""

from __future__ import annotations

import numpy as np

from ..canvas import Array, noise, ridge_line
from ..things import horizon
from ..things.layout import Item
from ..things.stage import Stage, paste
from . import weather


def paper(stage: Stage) -> None:
    """Paint a stage as layers of paper: rings of sky about the light, hills, things on their own coloured sheets."""
    scene, c, p = stage.scene, stage.canvas, stage.scene.palette
    rng = scene.stream("paper")
    fibres = 1 + 0.05 * (c.up(noise(rng, 120, 2, 0.7)) - 0.5)
    day = p.key == "day"
    steps = [
        p.sky[0],
        p.sky[1],
        p.between(p.sky[1], p.sky[2], 0.6),
        p.sky[2],
        p.sky[3],
        p.between(p.pale, p.glow, 0.25),
    ]
    if day:
        steps = [p.between(p.sky[0], p.ink, 0.12), p.sky[0], p.sky[1], p.sky[2], p.sky[3], p.pale]
    c.over(steps[0])
    x, y = scene.focus
    x0, y0, x1, y1 = stage.bounds()
    reach = max(0.95 * max(x1 - x0, y1 - y0), 0.5)
    wobble = c.up(noise(rng, 5, 2))
    for k, tone in enumerate(steps[1:]):
        r = reach * (1.0 - 0.155 * k) * 0.92
        sheet(
            stage,
            np.clip((r + 0.05 * (wobble - 0.5) - c.distance(x, y)) / (1.5 * c.px) + 0.5, 0, 1),
            tone,
            0.5 + 0.1 * k,
        )
    if "moon" in scene.notes or "sun" in scene.notes:
        _light(stage)
    if stage.ground:
        foot = max((i.y for i in stage.items if not i.aloft), default=scene.horizon)
        if stage.ground in ("city", "mountains", "forest"):
            back = horizon.draw(c, stage.ground, foot - 0.05, scene.stream("horizon"))
            sheet(stage, back.body, p.between(p.sky[2], p.ink if not day else p.sky[0], 0.30), 0.9)
        for k in range(3):
            t = (k + 1) / 3
            base = foot - 0.10 + 0.055 * k
            line = base + (0.035 - 0.008 * k) * ridge_line(rng, 400, 0.35, 2.0 + 0.7 * k)
            if stage.ground == "sea":
                long, at = 0.12 + 0.035 * k, np.linspace(c.left, c.right, 600)
                crest = np.abs(np.sin(np.pi * (at / long + rng.random())))
                line = base + 0.012 + (0.022 + 0.006 * k) * (crest - 0.5)
            elif k == 2:
                line = np.minimum(line, foot - 0.02)
            tone = p.between(p.sky[2], p.ink if not day else p.sky[0], 0.25 + 0.55 * t)
            if stage.reading.meaning("snow"):
                tone = p.between(p.pale, p.sky[1], 0.35 - 0.3 * t)
            sheet(stage, c.below(line), tone, 0.9)
    for item in stage.all():
        _thing(stage, item)
    weather.fall(stage, p.pale)
    c.light *= fibres.astype(np.float32)[None]
    scene.notes["grain"] = 0.022


def _light(stage: Stage) -> None:
    """A moon's crescent or a sun with its rays, cut out."""
    scene, c, p = stage.scene, stage.canvas, stage.scene.palette
    (x, y), r = scene.focus, max(0.17, 0.85 * scene.sun)
    stage.light_at(
        scene.notes["moon" if "moon" in scene.notes else "sun"], 1.32 * r if "moon" in scene.notes else 1.13 * r
    )
    if "moon" in scene.notes:
        crescent = c.disc(x, y, r) * (1 - c.disc(x + 0.42 * r, y - 0.16 * r, 0.86 * r))
        sheet(stage, c.disc(x, y, 1.32 * r), p.sky[0] if p.key != "day" else p.pale, 0.8)
        sheet(stage, crescent, p.pale if p.key != "day" else p.between(p.sky[0], p.ink, 0.2), 1.0)
        return
    turns = np.arange(48) * 2 * np.pi / 48
    star = np.where(np.arange(48) % 2, 0.98, 1.28) * r
    rays = c.polygons(np.stack([x + star * np.cos(turns), y + star * np.sin(turns)], 1))
    warm = p.glow if p.key != "day" else p.accent
    sheet(stage, rays, p.between(warm, p.ink, 0.12), 0.9)
    sheet(stage, c.disc(x, y, 0.86 * r), p.between(warm, p.pale, 0.35), 0.6)


def sheet(stage: Stage, mask: Array, colour: Array, lift: float = 1.0) -> None:
    """One sheet: a soft shadow below and to the right, then the paper with a light upper edge."""
    c, p = stage.canvas, stage.scene.palette
    rows, columns = np.flatnonzero(mask.max(1) > 0), np.flatnonzero(mask.max(0) > 0)
    if not len(rows):
        return
    reach = round(0.05 * c.size)  # the shadow's: nothing farther changes
    part = (
        slice(max(rows[0] - reach, 0), rows[-1] + reach + 1),
        slice(max(columns[0] - reach, 0), columns[-1] + reach + 1),
    )
    mask = np.ascontiguousarray(mask, np.float32)
    shadow = c.shift(c.blur(mask, 0.008 * lift)[part], 0.005 * lift, 0.008 * lift)
    mask = mask[part]
    shade = np.clip(shadow - mask, 0, 1)
    shade *= np.float32(-0.42)
    shade += 1
    edge = np.clip(mask - c.shift(mask, 0.0012, 0.0016), 0, 1)
    edge *= np.float32(0.5)
    rim = p.between(colour, p.pale, 0.7)
    for k in range(3):
        plane = c.light[k][part]
        plane *= shade
        plane += mask * (np.float32(colour[k]) - plane)
        plane += edge * (np.float32(rim[k]) - plane)


def _thing(stage: Stage, item: Item) -> None:
    """A thing as three sheets: a pale one with a margin, the thing's colour, and its fields cut into that."""
    from scipy.ndimage import distance_transform_edt

    c, p = stage.canvas, stage.scene.palette
    local = stage.drawing(item)
    margin = max(2, round(0.012 * c.size + 0.02 * max(local.body.shape)))
    padded = np.pad(local.body, 2 * margin)
    away = distance_transform_edt(padded < 0.5)
    grown = np.clip(margin - away + 0.5, 0, 1).astype(np.float32)
    whole = np.zeros((c.height, c.width), np.float32)
    shifted = Item(item.thing, item.x, item.y + 2 * margin / c.size, item.w, item.h)
    paste(c, whole, grown, shifted)
    base = stage.colour(item)
    weight = float(whole.sum()) + 1e-6
    behind = np.array([float((plane * whole).sum()) / weight for plane in c.light])
    margin = p.between(p.pale, base, 0.12)
    if np.abs(np.cbrt(behind) - np.cbrt(np.clip(base, 0, 1))).max() < 0.16:  # a light thing on light sheets
        margin = p.between(p.sky[0], p.ink, 0.35)
    sheet(stage, whole, margin, 1.0)
    body = stage.cover(item, "body")
    tones = stage.tones(item, local.count)
    sheet(stage, body, tones[1] if not local.solid else p.between(tones[1], p.ink, 0.5), 0.6)
    fields = stage.cover(item, "fields")
    if not local.solid:
        for k in range(2, min(local.count, 9) + 1):
            part = (fields == k).astype(np.float32)
            c.over(tones[k], part * body)
        ink = stage.cover(item, "ink")
        dark = p.between(tones[0], base, 0.12)
        inner = np.clip(c.shift(ink, 0.003, 0.004) - ink, 0, 1) * body
        c.light *= 1 - 0.30 * inner[None]
        c.over(dark, ink)
    else:
        sheet(stage, stage.cover(item, "ink"), tones[1], 0.5)
