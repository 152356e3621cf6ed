"""Things in a family's landscape: as dark shapes against the light, or as a gouache lit from the front."""

from __future__ import annotations

import numpy as np

from .. import backdrop, light
from ..canvas import Array, noise, ridge_line, smoothstep
from ..families import city, forest, mountains, sea, space
from ..families.water import reflect
from ..families.water import sea as open_water
from ..palette import ramp
from ..things.senses import AQUATIC
from ..things.stage import Stage
from . import weather


def moonlit(stage: Stage) -> None:
    """Dark against the light: silhouettes with a rim of light, their drawing in the haze's colour, long shadows towards us."""
    _paint(stage, _dark)


def gouache(stage: Stage) -> None:
    """Flat colours lit from one side: every field of an outline in its own tone, its lines in ink, a shadow on the ground."""
    _paint(stage, _flat)


def _paint(stage: Stage, paint_items: object) -> None:
    scene, c, p = stage.scene, stage.canvas, stage.scene.palette
    floating = all(i.aloft for i in stage.items)
    wet = stage.ground == "sea" and all(AQUATIC.search(i.shape.name) or i.aloft for i in stage.items)
    if stage.ground == "deep":
        sea.deep(scene)
        sea.specks(scene)
        paint_items(stage, False)  # type: ignore[operator]
        return
    sky(stage)
    if wet:
        if not floating:
            standing = [i for i in stage.items if not i.aloft]
            scene.horizon = max(i.y for i in standing) - 0.06 * max(i.h for i in standing)
        elif stage.items:
            scene.horizon = max(scene.horizon, c.top + 0.74 * (c.bottom - c.top))
        paint_items(stage, False)  # type: ignore[operator]
        if stage.items:
            reflect(scene, scene.horizon, 0.75)
        else:
            open_water(scene, scene.horizon)
    else:
        far(stage)
        line = near(stage)
        if not floating:
            shadows(stage)
        paint_items(stage, True)  # type: ignore[operator]
        grass(stage, line)
    weather.fall(stage)
    if p.key == "night" and stage.reading.meaning("stars", "night"):
        backdrop.stars(scene, 160, scene.horizon - 0.05)


def sky(stage: Stage) -> None:
    """The family's sky, its light behind what stands, and the weather's own clouds."""
    scene, p, around = stage.scene, stage.scene.palette, stage.reading.meaning
    rng = scene.stream("stage sky")
    if stage.ground == "space" or (around("stars") and p.key != "day"):
        space.heavens(scene, 0.7)
    else:
        backdrop.sky(scene)
        if p.key == "night":
            backdrop.stars(scene, 260, scene.horizon)
    if around("stars"):
        weather.big_stars(stage)
    if scene.gesture in ("burst", "flare", "reveal") and not around("rain", "storm", "fog", "snow"):
        light.rays(stage.canvas, *scene.focus, p.glow if p.key != "day" else p.pale, 0.14, rng)
    if around("storm"):
        weather.storm(stage)
    elif "moon" in scene.notes:
        moon(stage)
    elif "sun" in scene.notes:
        light.rays(stage.canvas, *scene.focus, p.glow if p.key != "day" else p.pale, 0.3, rng)
        backdrop.sun(scene, "stripes" if scene.retro else "disc", 1.15 * scene.sun)
        stage.light_at(scene.notes["sun"], 1.15 * scene.sun)
    elif stage.ground == "space" and rng.random() < 0.6:
        space.planet(scene, *scene.focus, 1.05 * scene.sun, rng.uniform(-2.6, -0.5), rings=rng.random() < 0.5)
    else:
        backdrop.sun(scene, None if scene.retro else "disc")
    if not around("stars", "night"):
        backdrop.clouds(scene, 0.6 if around("rain", "snow", "fog") else 0.42, layers=2)


def moon(stage: Stage) -> None:
    """A full moon with its seas, or a crescent: large, with a halo; the notes say where."""
    scene, c, p = stage.scene, stage.canvas, stage.scene.palette
    x, y = scene.focus
    r = max(0.19, 0.85 * scene.sun)
    thing = scene.notes["moon"]
    rng = scene.stream("moon")
    if rng.random() < 0.45:
        backdrop.sun(scene, "crescent", r)
    else:
        light.glow(c, x, y, 1.3 * r, p.glow, 0.3 if p.key == "night" else 0.15)
        disc = c.disc(x, y, r)
        seas = c.up(noise(rng, 6, 4, 0.55))
        tone = np.clip(
            1.05 - 0.75 * smoothstep(0.5, 0.72, seas) - 0.12 * (c.distance(x - 0.3 * r, y - 0.3 * r) / r), 0, 1
        )
        c.over(
            c.grade(
                tone.astype(np.float32),
                ramp(p.between(p.glow, p.sky[1], 0.45), p.between(p.pale, p.glow, 0.35), p.pale),
            ),
            disc,
        )
    stage.light_at(thing, r)


def far(stage: Stage) -> None:
    """What lies behind: the ground of the family that was chosen, from the horizon down."""
    scene = stage.scene
    if stage.ground == "mountains":
        mountains.setting(scene, start=scene.horizon - 0.15, layers=4, height=0.13)
    elif stage.ground == "forest":
        forest.setting(scene, start=scene.horizon - 0.09, layers=3)
    elif stage.ground == "city":
        city.setting(scene, tall=1.05)
    elif stage.ground == "sea":
        open_water(scene, scene.horizon - 0.08)
    elif stage.ground == "meadow":
        mountains.setting(scene, start=scene.horizon - 0.06, layers=3, height=0.05)
    else:
        space.setting(scene)
    if stage.reading.meaning("fog"):
        backdrop.mist(scene, scene.horizon - 0.05, 0.10, 0.9)


def near(stage: Stage) -> Array:
    """The ground that things stand on, a low swell; its line is returned, the y of each step across."""
    scene, c, p = stage.scene, stage.canvas, stage.scene.palette
    rng = scene.stream("near")
    foot = max((i.y for i in stage.items if not i.aloft), default=scene.horizon + 0.12)
    rough = 0.012 if stage.ground != "city" else 0.001
    line = foot - 0.045 + rough * ridge_line(rng, 500, 0.4, 2.4)
    snow = stage.reading.meaning("snow") is not None
    top = p.between(p.haze, p.ink, 0.72)
    deep = p.between(p.haze, p.ink, 0.97)
    if snow:
        top, deep = p.between(p.pale, p.sky[2], 0.12), p.between(p.sky[2], p.sky[1], 0.35)
    elif stage.ground == "dunes":
        top, deep = p.between(p.between(p.glow, p.sky[2], 0.35), p.ink, 0.45), p.between(p.sky[1], p.ink, 0.75)
    fade = np.clip((c.y - c.across(line)[None, :]) / np.float32(0.16), 0, 1)
    c.over(c.grade(np.sqrt(fade), ramp(top, p.between(top, deep, 0.6), deep)), c.below(line))
    return np.asarray(line)


def grass(stage: Stage, line: Array) -> None:
    """Blades along the lower edge of meadows and forests, in front of the feet."""
    from ..canvas import Pen

    scene, c, p = stage.scene, stage.canvas, stage.scene.palette
    if stage.ground not in ("meadow", "forest") or stage.reading.meaning("snow"):
        return
    rng = scene.stream("blades")
    foot = max((i.y for i in stage.items if not i.aloft), default=scene.horizon)

    def draw(pen: Pen) -> None:
        for x in c.scatter(rng, 300):
            y = foot + rng.uniform(0.004, 0.05)
            h = rng.uniform(0.008, 0.022)
            pen.polygon([(x - 0.0014, y), (x + 0.0014, y), (x + rng.normal(0, 0.006), y - h)])

    c.over(p.between(p.haze, p.ink, 0.92), c.shapes(draw))


def shadows(stage: Stage) -> None:
    """What stands throws its shape on the ground, towards us and away from the light, softer the farther it falls."""
    c, p = stage.canvas, stage.scene.palette
    whole = np.zeros((c.height, c.width), np.float32)
    for item in stage.items:
        if item.aloft:
            continue
        body = stage.drawing(item).body
        rows = max(2, round(0.42 * body.shape[0]))
        index = np.linspace(body.shape[0] - 1, 0, rows).astype(int)
        flat = body[index]
        lean = (item.x - stage.scene.focus[0]) * 0.5 + 0.12
        top, left = c.row(item.y) - max(2, round(0.03 * item.h * c.size)), c.column(item.x) - body.shape[1] // 2
        fade = np.linspace(1, 0.15, rows, dtype=np.float32)
        for r in range(rows):
            y = top + r
            if not 0 <= y < c.height:
                continue
            x = left + round(lean * r)
            a, b = max(x, 0), min(x + body.shape[1], c.width)
            if b > a:
                np.maximum(whole[y, a:b], fade[r] * flat[r, a - x : b - x], out=whole[y, a:b])
    tint = p.ink if not stage.reading.meaning("snow") else p.between(p.sky[1], p.sky[0], 0.5)
    c.over(tint, 0.62 * c.blur(whole, 0.004, 512))


def _rim(stage: Stage, body: Array, width: float = 0.004) -> Array:
    """The edge of a body that looks towards the light."""
    c = stage.canvas
    x, y = stage.scene.focus
    dx = -np.sign((stage.bounds()[0] + stage.bounds()[2]) / 2 - x) * 0.4 * width
    del y
    return np.clip(body - c.shift(body, -dx, width), 0, 1)


def _dark(stage: Stage, grounded: bool) -> None:
    c, p = stage.canvas, stage.scene.palette
    day = p.key == "day"
    for item in stage.all():
        body, mark = stage.cover(item, "body"), stage.cover(item, "mark")
        dark = p.between(p.ink, p.sky[0], 0.10 if not day else 0.0)
        if item.thing.colour:
            dark = p.between(stage.colour(item), p.ink, 0.25)
        x0, y0, x1, y1 = item.box
        t = np.clip((c.y - np.float32(y0)) / np.float32(max(y1 - y0, 1e-3)), 0, 1) * np.ones_like(c.x)
        up = p.between(dark, p.between(p.haze, p.glow, 0.3), 0.20 if not item.thing.colour else 0.05)
        if item in stage.sky:
            dark, up = p.between(p.pale, p.glow, 0.3), p.pale
        c.over(c.grade(t, ramp(up, dark, dark)), body)
        inner = p.between(dark, p.glow if not day else p.sky[2], 0.62)
        if item.thing.colour or item in stage.sky:
            inner = p.between(dark, p.ink, 0.75)
        c.over(inner, 0.85 * mark)
        c.over(p.between(p.glow, p.pale, 0.5), 0.9 * _rim(stage, body))
    del grounded


def _flat(stage: Stage, grounded: bool) -> None:
    c, p = stage.canvas, stage.scene.palette
    x, y = stage.scene.focus
    for item in stage.all():
        body = stage.cover(item, "body")
        flat = stage.painted(item, 0.30 if p.key == "night" else 0.08)
        x0, y0, x1, y1 = item.box
        side = np.float32(np.sign(x - item.x) or 1.0)
        t = (
            0.5
            + 0.5 * side * (c.x - np.float32(item.x)) / np.float32(item.w)
            - 0.45 * (c.y - np.float32(y1 - item.h / 2)) / np.float32(item.h)
        )
        shade = np.clip(0.72 + 0.5 * t, 0.55, 1.22).astype(np.float32)
        for k in range(3):
            tint = np.float32(0.75 + 0.25 * min(1.6, p.glow[k] / max(float(p.glow.mean()), 1e-3)))
            flat[k] *= shade * tint
        c.over(flat, body)
        c.over(p.pale, 0.75 * _rim(stage, body, 0.003))
    del grounded, y
