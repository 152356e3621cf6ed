"""Space: planets with their shadows, rings, nebulae, and a ship on its way."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import backdrop, light
from ..canvas import Array, Canvas, Pen, noise, resize, ridge_line, rotate, smoothstep
from ..composition import Scene
from ..palette import ramp


def paint(scene: Scene) -> None:
    """A ship, a ringed planet or a planet's rim in the light of its star."""
    rng = scene.stream("space")
    kind = scene.pick("space", ship=2 + 2.5 * scene.axis("era") + scene.axis("energy"), ringed=1, rim=0.8, world=1.2)
    heavens(scene)
    traveller = scene.axis("era") > 0.3
    if kind == "world":
        scene.horizon = 0.78
        planet(scene, scene.focus[0], 0.40, rng.uniform(0.22, 0.28), rng.uniform(-2.6, -0.5), rings=rng.random() < 0.5)
        scene.notes["ground"](scene)
        if scene.second not in ("sea", "forest", "city"):
            backdrop.figure(scene, 1 - scene.focus[0] if not scene.centred else 0.5, 0.95, 0.19)
        if traveller:
            ship(scene, far=True)
        return
    if kind == "ringed":
        r = rng.uniform(0.20, 0.27)
        planet(scene, 0.5 if scene.centred else scene.focus[0], 0.46, r, rng.uniform(0, 2 * np.pi), rings=True)
        moon = rng.uniform(0, 2 * np.pi)
        planet(scene, 0.5 + 0.40 * np.cos(moon), 0.46 + 0.36 * np.sin(moon), 0.028, 2.4, texture=1)
        if traveller:
            ship(scene, far=True)
    elif kind == "rim":
        rim(scene)
        if traveller:
            ship(scene, far=True)
    else:
        if rng.random() < 0.5:
            rim(scene)
        else:
            x = 0.30 if scene.focus[0] > 0.5 else 0.72
            planet(scene, x, 0.34, rng.uniform(0.15, 0.25), rng.uniform(-1, 1), rings=rng.random() < 0.4)
        ship(scene)


def setting(scene: Scene) -> None:
    """Another world's ground: dunes and craters under the horizon."""
    c, p, rng = scene.canvas, scene.palette, scene.stream("dunes")
    for k in range(4):
        t = (k + 1) / 4
        line = scene.horizon + 0.30 * (k / 4) ** 1.2 + (0.015 + 0.05 * t) * ridge_line(rng, 700, 0.34, 1.6)
        mask = c.below(line)
        crest = c.across(line)[None, :]
        down = np.clip((c.y - crest) / np.float32(0.035 + 0.07 * t), 0, 1)
        dark = p.between(p.between(p.haze, p.sky[1], 0.4), p.ink, 0.25 + 0.70 * t)
        lit = p.between(dark, p.between(p.glow, p.sky[2], 0.35), 0.50 * (1.15 - t))
        c.over(c.grade(np.sqrt(down), ramp(lit, p.between(lit, dark, 0.7), dark)), mask)


def heavens(scene: Scene, share: float = 1.0) -> None:
    """A dark sky with a nebula in the palette's colours, and stars."""
    c, p, rng = scene.canvas, scene.palette, scene.stream("nebula")
    small = c.small()
    field, veil = noise(rng, 3, 6, 0.55), noise(rng, 2.5, 6, 0.52)
    slant = rng.uniform(-0.9, 0.9)
    band = np.exp(-(((small.y - scene.focus[1] + slant * (small.x - scene.focus[0])) / 0.26) ** 2))
    gas = np.clip(field * 0.75 + 0.5 * band - 0.42, 0, 1) * smoothstep(0.2, 0.65, veil)
    dark = {"night": p.sky[0] * 0.7, "dusk": p.between(p.sky[0], p.ink, 0.72), "day": p.between(p.sky[0], p.ink, 0.35)}[
        p.key
    ]
    first = p.between(dark, p.sky[1], 0.5)
    c.light[:] = c.grade(c.up(np.clip(1.35 * share * gas, 0, 1).astype(np.float32)),
                         ramp(dark, first, p.sky[1], p.sky[2], p.between(p.sky[3], p.accent, 0.2), p.glow))  # fmt: skip
    backdrop.stars(scene, 520, c.bottom)


def planet(scene: Scene, x: float, y: float, r: float, sun: float, rings: bool = False, texture: int = 5) -> None:
    """A sphere lit from angle `sun` (radians), with bands or continents, an atmosphere, and rings in front and behind."""
    c, p, rng = scene.canvas, scene.palette, scene.stream(f"planet{x:.4f}")
    light.glow(c, x + 0.4 * r * np.cos(sun), y + 0.4 * r * np.sin(sun), 1.25 * r, p.glow, 0.18)
    tilt, squash = rng.uniform(-0.5, -0.2) * rng.choice([-1, 1]), rng.uniform(0.16, 0.3)
    if rings:
        c.over(p.between(p.glow, p.accent, 0.35), _rings(c, x, y, r, tilt, squash, rng) * 0.75)
    u, v = (c.x - x) / np.float32(r), (c.y - y) / np.float32(r)
    inside = u * u + v * v
    z = np.sqrt(np.clip(1 - inside, 0, 1))
    shade = u * np.float32(np.cos(sun) * 0.8) + v * np.float32(np.sin(sun) * 0.8) + z * np.float32(0.35)
    rows = np.linspace(0, 1, 256, dtype=np.float32)[:, None]
    pattern = noise(rng, texture, 5, 0.55, stretch=4.0 if rng.random() < 0.6 else 1.0)
    pattern = 0.55 * pattern + 0.45 * noise(rng, texture * 2.2, 1)[:, :1] if rng.random() < 0.6 else pattern
    side = max(8, round(2 * r * c.size))
    skin = np.zeros((c.height, c.width), np.float32)
    turned = resize(_turned(pattern, tilt, rows), side)
    top, left = c.row(y - r), c.column(x - r)
    r0, r1, c0, c1 = max(top, 0), min(top + side, c.height), max(left, 0), min(left + side, c.width)
    if r1 > r0 and c1 > c0:
        skin[r0:r1, c0:c1] = turned[r0 - top : r1 - top, c0 - left : c1 - left]
    tone = np.clip(0.08 + 0.92 * smoothstep(-0.22, 0.95, shade) * (0.62 + 0.5 * skin), 0, 1)
    table = ramp(
        p.between(p.sky[0] * 0.5, p.ink, 0.5),
        p.sky[1],
        p.between(p.base, p.accent, 0.35),
        p.glow,
        p.pale,
        at=(0, 0.25, 0.55, 0.85, 1),
    )
    disc = c.disc(x, y, r)
    c.over(c.grade(tone.astype(np.float32), table), disc)
    edge = np.exp(-(((np.sqrt(inside) - 1) / 0.035) ** 2)) * np.clip(shade + 0.25, 0, 1)
    c.add(p.between(p.glow, p.pale, 0.3), (0.7 * edge).astype(np.float32))
    if rings:
        front = _rings(c, x, y, r, tilt, squash, scene.stream(f"planet{x:.4f}")) * _front(c, x, y, tilt)
        c.over(p.between(p.pale, p.accent, 0.25), front * 0.9)


def _turned(pattern: Array, tilt: float, rows: Array) -> Array:
    """The pattern wound on a sphere: squeezed towards the limb, tilted."""
    from scipy.ndimage import map_coordinates

    n = pattern.shape[0]
    a = np.linspace(-1, 1, n, dtype=np.float32)
    u, v = a[None, :] * np.cos(tilt) + a[:, None] * np.sin(tilt), a[:, None] * np.cos(tilt) - a[None, :] * np.sin(tilt)
    z = np.sqrt(np.clip(1 - u * u - v * v, 0.02, 1))
    along, up = np.arctan2(u, z) / np.pi + 0.5, np.arcsin(np.clip(v, -1, 1)) / np.pi + 0.5
    return map_coordinates(pattern, [up * (n - 1), along * (n - 1)], order=1, mode="mirror").astype(np.float32)


def _rings(c: Canvas, x: float, y: float, r: float, tilt: float, squash: float, rng: np.random.Generator) -> Array:
    u = (c.x - x) * np.float32(np.cos(tilt)) + (c.y - y) * np.float32(np.sin(tilt))
    v = ((c.y - y) * np.float32(np.cos(tilt)) - (c.x - x) * np.float32(np.sin(tilt))) / np.float32(squash)
    d = np.hypot(u, v) / np.float32(r)
    t = np.linspace(1.0, 2.6, 600)
    grooves = noise(np.random.default_rng(7), 26, 3, 0.7)[:, 128]
    profile = (
        np.interp(t, np.linspace(1.0, 2.6, 256), 0.35 + 0.65 * grooves)
        * smoothstep(1.32, 1.36, t)
        * smoothstep(2.25, 2.2, t)
    )
    profile *= 1 - 0.85 * np.exp(-(((t - 1.86) / 0.022) ** 2))
    return np.interp(d, t, profile, left=0, right=0).astype(np.float32)


def _front(c: Canvas, x: float, y: float, tilt: float) -> Array:
    v = (c.y - y) * np.float32(np.cos(tilt)) - (c.x - x) * np.float32(np.sin(tilt))
    return np.clip(v / c.px + 0.5, 0, 1)


def rim(scene: Scene) -> None:
    """The rim of a huge planet below, its star rising behind it."""
    c, p, rng = scene.canvas, scene.palette, scene.stream("rim")
    r = rng.uniform(0.9, 1.5)
    x, top = scene.focus[0], rng.uniform(0.68, 0.76)
    y = top + r
    sx = x + rng.uniform(-0.1, 0.1)
    sy = y - np.sqrt(r * r - (sx - x) ** 2)
    light.glow(c, sx, sy, 0.10, p.glow, 1.1)
    d = c.distance(x, y)
    near = np.exp(-(((c.x - np.float32(sx)) / np.float32(0.42)) ** 2))
    halo = np.exp(-np.clip(d - np.float32(r), 0, 1) / np.float32(0.022)) * near
    c.add(p.glow, 0.9 * halo)
    body = c.disc(x, y, r)
    depth = np.clip((np.float32(r) - d) / np.float32(0.30), 0, 1)
    night = noise(rng, 7, 6, 0.6)
    tone = np.clip((1 - depth) ** 3 * near * (0.75 + 0.5 * c.up(night)) * 0.8, 0, 1)
    c.over(c.grade(tone, ramp(p.between(p.sky[0] * 0.4, p.ink, 0.6), p.sky[1], p.sky[2], p.glow, p.pale)), body)
    light.glow(c, sx, sy - 0.004, 0.025, p.pale, 1.6)


def ship(scene: Scene, far: bool = False) -> None:
    """A delta-winged ship seen from above and behind, half in light, its wake shining; small where it is `far`."""
    c, p, rng = scene.canvas, scene.palette, scene.stream("ship")
    x, y = (0.5 if scene.centred else 0.36 + 0.28 * (scene.focus[0] > 0.5)), rng.uniform(0.5, 0.6)
    turn = rng.uniform(0.35, 0.75) * (1 if x < 0.55 and rng.random() < 0.7 else -1)
    s = rng.uniform(0.15, 0.2)
    if far:
        x, y, s = float(1 - 0.55 * scene.focus[0] - 0.2), rng.uniform(0.56, 0.64), 0.32 * s
    sweep, span = rng.uniform(0.35, 0.6), rng.uniform(0.5, 0.75)
    hull = [(0, -1.25), (0.07, -0.75), (0.13, -0.1), (0.16, 0.45), (0.09, 0.72), (0, 0.66)]
    wing = [
        (0.10, -0.25),
        (0.22, 0.02),
        (span, sweep),
        (span + 0.04, sweep + 0.28),
        (span - 0.06, sweep + 0.2),
        (0.3, 0.42),
        (0.12, 0.46),
    ]
    fin = [(0.20, 0.1), (0.27, 0.05), (0.29, 0.62), (0.22, 0.66)]

    def place(q: Any, m: int = 1) -> Array:
        return rotate(np.asarray(q, float) * (m * s, s) + (x, y), turn, (x, y))

    tail = place([(0, 0.72)])[0]
    back = np.array([-np.sin(turn), np.cos(turn)])
    wake = c.small(512)
    along = (wake.x - tail[0]) * back[0] + (wake.y - tail[1]) * back[1]
    across = np.abs((wake.x - tail[0]) * -back[1] + (wake.y - tail[1]) * back[0])
    trail = np.zeros((512, 512), np.float32)
    for e in (-0.09, 0.09):
        a = np.abs((wake.x - tail[0] - e * s * back[1]) * -back[1] + (wake.y - tail[1] + e * s * back[0]) * back[0])
        trail += np.exp(-a / (0.0035 + 0.012 * np.clip(along, 0, 1))) * (along > 0) * np.exp(-along / 0.28)
    trail += 0.35 * np.exp(-across / (0.012 + 0.05 * np.clip(along, 0, 1))) * (along > 0) * np.exp(-along / 0.16)
    c.add(p.glow, c.up(np.clip(1.1 * trail, 0, 2).astype(np.float32)))
    lit, dark = p.between(p.pale, p.glow, 0.3), p.between(p.ink, p.sky[1], 0.45)
    for m, colour, fine in ((-1, lit, p.between(lit, p.sky[2], 0.35)), (1, dark, p.between(dark, p.sky[0], 0.5))):
        c.over(fine, c.polygons(place(wing, m)))
        c.over(colour, c.polygons(place(hull, m), place(fin, m)))
    canopy = [(-0.045, -0.62), (0, -0.8), (0.045, -0.62), (0.05, -0.3), (0, -0.22), (-0.05, -0.3)]

    def details(pen: Pen) -> None:
        for m in (-1, 1):
            pen.line(place([(0.2, 0.12), (span - 0.05, sweep + 0.1)], m), 0.0018)
            pen.line(place([(0.14, 0.3), (span - 0.1, sweep + 0.17)], m), 0.0012)
            pen.line(place([(0.03, -0.1), (0.06, 0.55)], m), 0.0014)

    c.over(p.ink, 0.8 * c.polygons(place(canopy)))
    c.over(p.accent, 0.85 * c.shapes(details))
    for m in (-1, 1):
        ex, ey = place([(0.09, 0.7)], m)[0]
        light.glow(c, ex, ey, 0.012, p.pale, 1.8)
