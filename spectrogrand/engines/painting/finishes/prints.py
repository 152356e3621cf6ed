"""Prints: a linocut, a stencil with halftone on a wall, and a line engraving."""

from __future__ import annotations

import numpy as np

from ..canvas import Array, Pen, noise, smoothstep
from ..things.stage import Stage
from . import weather


def _tone(stage: Stage) -> Array:
    """Lightness of the stage's things as a gouache would have them, 1 outside, shape=(row, column)."""
    c = stage.canvas
    whole = np.ones((c.height, c.width), np.float32)
    for item in stage.all():
        body = stage.cover(item, "body")
        flat = stage.painted(item)
        value = np.sqrt(np.clip(0.25 * flat[0] + 0.65 * flat[1] + 0.10 * flat[2], 0, 1))
        whole += body * (value - whole)
    return whole


def linocut(stage: Stage) -> None:
    """Two blocks: colour, a little out of register, then the dark one with the gouge's marks in sky and ground."""
    scene, c, p = stage.scene, stage.canvas, stage.scene.palette
    rng = scene.stream("lino")
    sheet = p.between(p.pale, p.sky[3], 0.25)
    dark = p.between(p.ink, p.sky[0], 0.25) if p.key != "day" else p.between(p.ink, p.sky[0], 0.15)
    c.over(sheet)
    x, y = scene.focus
    x0, y0, x1, y1 = stage.bounds()
    body = stage.union("body")
    halo = smoothstep(0.02, 0.16, c.blur(body, 0.010, 512)).astype(np.float32)
    r = max(0.34, 0.62 * max(x1 - x0, y1 - y0))
    second = p.between(p.base, p.accent, 0.15) if p.chroma > 0.04 else p.accent
    block = c.disc(x, y, 0.9 * r)
    c.over(p.between(second, sheet, 0.15), block)
    if stage.horizon:
        c.over(p.between(p.accent, sheet, 0.45), c.shift(stage.horizon.body, 0.004, -0.003))
    for item in stage.all():
        c.over(sheet, stage.cover(item, "body"))
        flat = stage.painted(item)
        tones = np.stack([c.shift(plane, 0.004, -0.003) for plane in flat])
        c.over(tones, c.shift(stage.cover(item, "body"), 0.004, -0.003))
    angle = np.arctan2(c.y - np.float32(y), c.x - np.float32(x))
    d = c.distance(x, y)
    wobble = c.up(noise(rng, 9, 3)) - 0.5
    beams = 46
    ray = 0.5 + 0.5 * np.cos(beams * (angle + 0.22 * wobble))
    cut = np.clip(
        0.86 - 0.62 * smoothstep(0.9 * r, 2.2 * r, d) + 0.25 * wobble, 0.05, 0.95
    )  # how much the gouge took away
    pieces = smoothstep(
        0.25, 0.4, np.mod(7.0 * d + 0.9 * np.sin(5.3 * np.floor((angle + 0.22 * wobble) * beams / (2 * np.pi))), 1.0)
    )
    sky = np.clip((ray - cut) * 5 + 0.5, 0, 1) + (1 - pieces) * (d > r) * np.clip((ray - 0.35) * 5, 0, 1)
    ink = np.clip(sky, 0, 1) * (1 - c.disc(x, y, 0.93 * r))
    foot = max((i.y for i in stage.items if not i.aloft), default=c.bottom)
    if stage.horizon:
        ink = ink * (1 - stage.horizon.body) + stage.horizon.pen
    elif not all(i.aloft for i in stage.items):
        line = (
            foot
            - 0.025
            + 0.012 * (wobble[:1] * 0 + np.interp(c.x[0], np.linspace(c.left, c.right, 9), rng.uniform(-1, 1, 9)))
        )
        under = np.clip((c.y - line.astype(np.float32)) / c.px + 0.5, 0, 1)
        waves = 0.5 + 0.5 * np.sin(2 * np.pi * ((c.y - line) * (26 - 60 * np.clip(c.y - line, 0, 0.3)) + 0.8 * wobble))
        broken = smoothstep(0.42, 0.5, c.up(noise(rng, 26, 2, stretch=4)))
        soil = 1 - np.clip((waves - 0.55) * 6, 0, 1) * broken
        ink = ink * (1 - under) + soil * under
    ink = ink * (1 - halo)
    for item in stage.all():
        ink = ink * (1 - stage.cover(item, "body"))
        ink = np.maximum(ink, stage.cover(item, "pen"))
    worn = smoothstep(0.06, 0.16, c.up(noise(rng, 150, 2, 0.7, side=512)))  # where the roller left too little
    c.over(dark, np.clip(ink * (0.25 + 0.75 * worn), 0, 1).astype(np.float32))
    weather.fall(stage, sheet)
    _margin(stage, sheet, rng)
    scene.notes.update(flat=True)


def _margin(stage: Stage, sheet: Array, rng: np.random.Generator) -> None:
    """The block's uneven edge on the sheet."""
    c = stage.canvas
    rough = 0.004 * (c.up(noise(rng, 40, 2)) - 0.5)
    m = np.float32(0.045)
    inside = np.minimum(np.minimum(c.x - c.left, c.right - c.x), np.minimum(c.y - c.top, c.bottom - c.y))
    c.over(sheet, np.clip((m - inside + rough) / (1.5 * c.px) + 0.5, 0, 1).astype(np.float32))


def stencil(stage: Stage) -> None:
    """Sprayed on a wall: a field of halftone dots behind, the things in flat colour, black on top, mist at the edges, drips."""
    scene, c, p = stage.scene, stage.canvas, stage.scene.palette
    rng = scene.stream("stencil")
    day = p.key == "day"
    plaster = 0.92 + 0.16 * (c.up(noise(rng, 60, 3, 0.7, side=512)) - 0.5) + 0.14 * (c.up(noise(rng, 3, 5)) - 0.5)
    ground = p.between(p.sky[3], p.pale, 0.45) if p.key != "night" else p.between(p.sky[1], p.ink, 0.25)
    c.light[:] = np.asarray(ground, np.float32)[:, None, None] * plaster[None]
    second = p.accent if not day else p.between(p.sky[0], p.accent, 0.5)
    x0, y0, x1, y1 = stage.bounds()
    x, y, r = (x0 + x1) / 2, (y0 + y1) / 2, 0.60 * max(x1 - x0, y1 - y0)
    slope = np.clip((c.distance(x + 0.15, y - 0.2) / np.float32(1.25 * r)) ** 1.2, 0, 1)
    c.over(second, halftone(stage, 1 - 0.85 * slope, 0.017) * c.disc(x, y, r, 0.01))
    if stage.horizon:
        c.over(p.between(second, p.ink, 0.45), stage.horizon.body)
        c.over(p.between(second, ground, 0.35), stage.horizon.pen)
    body = stage.union("body")
    mist = c.blur(body, 0.014, 512)
    c.over(p.between(second, p.ink, 0.35), 0.35 * np.clip(mist - body, 0, 1))
    for item in stage.all():
        colour = stage.colour(item)
        local = stage.cover(item, "body")
        tones = stage.tones(item, 3)
        fields = stage.cover(item, "fields")
        c.over(p.between(colour, p.pale, 0.12), local)
        c.over(tones[2], (fields == 2) * local * 0.9)
        box = item.box
        low = np.clip((c.y - np.float32(box[1] + 0.25 * item.h)) / np.float32(0.8 * item.h), 0, 1) * 0.62 + 0 * c.x
        c.over(tones[0], halftone(stage, low, 0.011) * local)
        c.over(np.asarray(p.ink) * 0.5, stage.cover(item, "pen"))

    def drips(pen: Pen) -> None:
        for _ in range(7):
            item = stage.items[int(rng.integers(len(stage.items)))] if stage.items else None
            if item is None:
                return
            dx = rng.uniform(-0.35, 0.35) * item.w
            pen.line(
                [(item.x + dx, item.y - 0.04), (item.x + dx, item.y + rng.uniform(0.01, 0.09))],
                rng.uniform(0.0025, 0.005),
            )

    wet = c.shapes(drips)
    c.over(np.asarray(p.ink) * 0.5, wet * np.clip(1.4 * c.blur(body, 0.02) + 0.3, 0, 1))

    def speck(pen: Pen) -> None:
        for _ in range(240):
            a, q = rng.uniform(0, 2 * np.pi), r * (0.7 + 0.6 * rng.random())
            pen.disc(x + q * np.cos(a), y + q * np.sin(a), 0.0007 + 0.0028 * rng.random() ** 4, rng.uniform(0.4, 1))

    c.over(np.asarray(p.ink), 0.8 * c.shapes(speck))
    weather.fall(stage)
    scene.notes.update(flat=True)


def halftone(stage: Stage, tone: Array, pitch: float, angle: float = 0.5) -> Array:
    """Round dots on a turned grid whose area follows `tone`: float32 in [0, 1], shape=(row, column)."""
    c = stage.canvas
    cos, sin = np.float32(np.cos(angle) / pitch), np.float32(np.sin(angle) / pitch)
    u, v = c.x * cos + c.y * sin, c.y * cos - c.x * sin
    near = np.hypot(np.mod(u, 1) - np.float32(0.5), np.mod(v, 1) - np.float32(0.5))
    radius = np.sqrt(np.clip(tone, 0, 1) / np.pi) * 1.05
    return np.clip((radius - near) * np.float32(pitch / c.px) + 0.5, 0, 1).astype(np.float32)


def engraved(stage: Stage) -> None:
    """Lines alone, as on a banknote: their width is the tone; they run across the sky and round the body of each thing."""
    from scipy.ndimage import gaussian_filter

    scene, c, p = stage.scene, stage.canvas, stage.scene.palette
    rng = scene.stream("engraving")
    sheet = p.between(p.pale, p.sky[3], 0.22)
    ink = p.between(p.sky[0], p.ink, 0.6) if p.key != "night" else p.between(p.ink, p.sky[1], 0.35)
    c.over(sheet)
    x, y = scene.focus
    d = c.distance(x, y)
    slow = c.up(noise(rng, 3, 3))
    bend = 0.012 * np.sin(2 * np.pi * (1.3 * c.x + slow)) + 0.02 * (slow - 0.5)
    pitch = np.float32(1 / 96)
    sky = np.clip(0.16 + 0.46 * smoothstep(0.20, 0.75, d) + 0.2 * (slow - 0.5), 0.05, 0.8)
    field = _ruled(stage, (c.y + bend) / pitch, sky, pitch)
    sun = c.disc(x, y, max(scene.sun, 0.2))
    rings = _ruled(stage, d / np.float32(1 / 80), np.full_like(d, 0.16), np.float32(1 / 80))
    field = field * (1 - sun) + rings * sun
    colour = p.between(p.accent, p.ink, 0.15)
    c.over(p.between(colour, sheet, 0.55), 0.55 * sun)
    body = stage.union("body")
    foot = max((i.y for i in stage.items if not i.aloft), default=c.bottom + 1)
    under = np.clip((c.y - np.float32(foot - 0.03)) / c.px, 0, 1) * np.ones_like(c.x)
    near = np.clip((c.y - np.float32(foot - 0.03)) / 0.25, 0, 1)
    soil = _ruled(stage, (c.y - foot) / (pitch * (0.8 + 1.2 * near)) + 1.2 * slow, 0.42 + 0.25 * near + 0 * c.x, pitch)
    soil = np.maximum(soil, _ruled(stage, (c.x + 0.6 * c.y) / pitch, 0.30 - 0.3 * near + 0 * c.x, pitch))
    if stage.horizon:
        flank = _ruled(stage, (0.7 * c.x + c.y) / pitch, 0.34 + 0 * c.x + 0 * c.y, pitch)
        field = field * (1 - stage.horizon.body) + np.maximum(flank * stage.horizon.body, stage.horizon.pen)
    else:
        field = field * (1 - under) + soil * under
    grown = smoothstep(0.03, 0.2, c.blur(body, 0.007, 512)).astype(np.float32)
    field *= 1 - grown
    tone = _tone(stage)
    for item in stage.all():
        local = stage.cover(item, "body")
        bulge = c.up(gaussian_filter(_small(stage, local), 0.06 * item.h * 256))
        light = np.clip(
            0.66 - 0.62 * tone + 0.35 * (c.x - np.float32(item.x)) / np.float32(item.w) * (1 if x < item.x else -1),
            0.04,
            0.75,
        )
        turned = (0.55 * c.x + c.y + 0.16 * item.h * bulge * 2) / (pitch * 0.82)
        hatch = _ruled(stage, turned, light, pitch * np.float32(0.82))
        cross = _ruled(
            stage,
            (c.x - 0.7 * c.y - 0.2 * item.h * bulge) / (pitch * 0.82),
            np.clip(light - 0.34, 0, 1),
            pitch * np.float32(0.82),
        )
        field = field * (1 - local) + np.maximum(hatch, cross) * local
        field = np.maximum(field, stage.cover(item, "pen"))
        if item.thing.colour or rng.random() < 0.75:
            c.over(p.between(stage.colour(item), sheet, 0.25), 0.8 * local)
    c.over(ink, np.clip(field, 0, 1).astype(np.float32))
    weather.fall(stage, p.between(ink, sheet, 0.15) if not stage.reading.meaning("snow") else sheet)
    _margin(stage, sheet, rng)
    scene.notes.update(flat=True)


def _ruled(stage: Stage, phase: Array, tone: Array, pitch: np.float32) -> Array:
    """Parallel lines, one for each whole number of `phase`, covering a share `tone` of the ground."""
    away = np.abs(np.mod(phase, 1) - np.float32(0.5))
    return np.clip((np.asarray(tone) / 2 - away) * np.float32(pitch / stage.canvas.px) + 0.5, 0, 1)


def _small(stage: Stage, field: Array) -> Array:
    from ..canvas import resize

    del stage
    return resize(field, 256)
