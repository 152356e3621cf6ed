"""Geometry: a faceted solid, tiles of quarter circles, or figures nested and turned into a tunnel."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from .. import backdrop, light
from ..canvas import Array, Pen, noise, rotate
from ..composition import Scene
from ..palette import ramp


def paint(scene: Scene) -> None:
    """A solid, tiles or a tunnel."""
    scene.notes["no rays"] = True
    kind = scene.pick(
        "geometry",
        solid=1,
        tiles=1 - 0.6 * scene.axis("era"),
        tunnel=1 + scene.axis("energy") + 4 * (scene.gesture == "rings"),
        discs=0.9,
    )
    {"solid": solid, "tiles": tiles, "tunnel": tunnel, "discs": discs}[kind](scene)


def solid(scene: Scene) -> None:
    """A crystal above a plain, its facets shaded by one light, its shadow below."""
    c, p, rng = scene.canvas, scene.palette, scene.stream("solid")
    scene.horizon, scene.focus = 0.76, (0.5, 0.42)
    backdrop.sky(scene)
    scene.notes["ground"](scene)
    if rng.random() < 0.6:
        ring = c.disc(0.5, 0.42, 0.36) - c.disc(0.5, 0.42, 0.354)
        c.over(p.pale, 0.7 * ring)
    light.glow(c, 0.5, 0.42, 0.3, p.glow, 0.35 if p.key != "day" else 0.1)
    g = (1 + 5**0.5) / 2
    kind = int(rng.integers(0, 3))
    if kind == 0:
        points = np.array(
            [(0, a, b * g) for a in (-1, 1) for b in (-1, 1)]
            + [(a, b * g, 0) for a in (-1, 1) for b in (-1, 1)]
            + [(b * g, 0, a) for a in (-1, 1) for b in (-1, 1)],
            float,
        ) / np.hypot(1, g)
    elif kind == 1:
        points = np.array([(1, 0, 0), (-1, 0, 0), (0, 0, 1), (0, 0, -1), (0, 1.45, 0), (0, -1.45, 0)], float) * 0.9
    else:
        n = int(rng.integers(5, 8))
        a = 2 * np.pi * np.arange(n) / n
        belt = np.stack([0.72 * np.cos(a), np.full(n, -0.42), 0.72 * np.sin(a)], 1)
        points = np.vstack([belt, [(0, -1.0, 0)], [(0, 1.35, 0)]])
    ax, ay, az = rng.uniform(-0.35, 0.35), rng.uniform(0, 2 * np.pi), rng.uniform(-0.25, 0.25)
    rx = np.array([[1, 0, 0], [0, np.cos(ax), -np.sin(ax)], [0, np.sin(ax), np.cos(ax)]])
    ry = np.array([[np.cos(ay), 0, np.sin(ay)], [0, 1, 0], [-np.sin(ay), 0, np.cos(ay)]])
    rz = np.array([[np.cos(az), -np.sin(az), 0], [np.sin(az), np.cos(az), 0], [0, 0, 1]])
    points = points @ (rz @ rx @ ry).T
    sun = np.array([-0.5, -0.65, 0.57])
    size = 0.235
    table = ramp(
        p.between(p.ink, p.sky[0], 0.3),
        p.between(p.sky[1], p.accent, 0.25),
        p.between(p.accent, p.sky[2], 0.35),
        p.glow,
        p.pale,
    )
    edges: list[Array] = []
    for face in combinations(range(len(points)), 3):
        q = points[list(face)]
        normal = np.cross(q[1] - q[0], q[2] - q[0])
        length = np.linalg.norm(normal)
        if length < 1e-6:
            continue
        normal /= length
        side = (points - q[0]) @ normal
        if side.max() > 1e-6 and side.min() < -1e-6:
            continue  # not on the hull
        normal = normal if side.max() <= 1e-6 else -normal
        if normal[2] <= 0:
            continue
        tone = 0.18 + 0.66 * max(float(normal @ sun), 0) + 0.10 * rng.random()
        flat = q[:, :2] * size + (0.5, 0.42)
        spot = c.polygons(flat)
        slope = np.clip(tone + 0.35 * ((c.y - 0.42) / size * -0.4 + (c.x - 0.5) / size * -0.25), 0, 1)
        c.over(c.grade(slope.astype(np.float32), table), spot)
        edges += [flat[[0, 1]], flat[[1, 2]], flat[[2, 0]]]
    c.over(p.pale, 0.55 * c.shapes(_edges, edges))


def _edges(pen: Pen, edges: list[Array]) -> None:
    for edge in edges:
        pen.line(edge, 0.0013)


def _boxes(pen: Pen, boxes: list[tuple[float, float, float, float]]) -> None:
    for box in boxes:
        pen.box(*box)


def tiles(scene: Scene) -> None:
    """A grid of quarter circles, half circles and rings in the palette's colours, some tiles left empty."""
    c, p, rng = scene.canvas, scene.palette, scene.stream("tiles")
    n = int(rng.choice([3, 4, 4, 5]))
    margin = rng.choice([0.0, 0.09, 0.12])
    ground = p.between(p.sky[3], p.pale, 0.6) if rng.random() < 0.5 else (p.sky[0] if p.key != "day" else p.pale)
    c.over(ground)
    main = p.base if p.key != "night" else p.sky[1]
    colours = [main, p.accent, p.ink, p.between(p.sky[3], p.pale, 0.7), p.glow, p.between(main, p.sky[2], 0.7)]
    layers: list[list[tuple[float, float, float, float]]] = [[] for _ in colours]
    step = (1 - 2 * margin) / n
    quarter = np.vstack(
        [[(0, 0)], np.stack([np.cos(np.linspace(0, np.pi / 2, 40)), np.sin(np.linspace(0, np.pi / 2, 40))], 1)]
    )
    late: list[tuple[int, Array]] = []
    for i in range(n):
        for j in range(n):
            x, y = margin + j * step, margin + i * step
            back, front, third = rng.choice(len(colours), 3, replace=False, p=[0.24, 0.20, 0.14, 0.18, 0.12, 0.12])
            layers[back].append((x, y, x + step, y + step))
            turn = int(rng.integers(0, 4)) * np.pi / 2
            centre = (x + step / 2, y + step / 2)

            def put(
                q: Array, turn: float = turn, centre: tuple[float, float] = centre, x: float = x, y: float = y
            ) -> Array:
                return rotate(np.asarray(q) * step + (x, y), turn, centre)

            kind = int(rng.integers(0, 7))
            circle = np.stack([np.cos(np.linspace(0, 2 * np.pi, 80)), np.sin(np.linspace(0, 2 * np.pi, 80))], 1)
            if kind <= 1:
                late.append((front, put(quarter)))
                if kind == 1:
                    late.append((third, put(quarter * 0.5)))
            elif kind == 2:
                late.append((front, put(quarter * 0.5 + (0, 0))))
                late.append((front, put((1, 1) - quarter * 0.5)))
            elif kind == 3:
                late.append((front, put(circle * 0.36 + 0.5)))
                late.append((third, put(circle * 0.15 + 0.5)))
            elif kind == 4:
                late.append((front, put(np.array([(0, 0), (1, 0), (0, 1)]))))
            elif kind == 5:
                for k in range(4):
                    late.append(
                        (front, put(np.array([(0, k / 4), (1, k / 4), (1, k / 4 + 0.125), (0, k / 4 + 0.125)])))
                    )
            else:
                for k, r in enumerate((1.0, 0.75, 0.5, 0.25)):
                    late.append((front if k % 2 == 0 else back, put(quarter * r)))
    for colour, items in zip(colours, layers, strict=True):
        if items:
            c.over(colour, c.shapes(_boxes, items))
    order = 0
    while order < len(late):
        stop = order + 1
        while stop < len(late) and late[stop][0] == late[order][0]:
            stop += 1
        c.over(colours[late[order][0]], c.polygons(*(shape for _, shape in late[order:stop])))
        order = stop
    c.light *= c.up(0.86 + 0.22 * noise(rng, 2, 4))
    scene.notes["flat"] = True


def tunnel(scene: Scene) -> None:
    """One figure nested and turned a little each time, shaded from the deep to the light."""
    c, p, rng = scene.canvas, scene.palette, scene.stream("tunnel")
    sides = int(rng.choice([3, 4, 4, 6, 60]))
    count = int(rng.integers(16, 30))
    turn = rng.uniform(0.05, 0.16) * rng.choice([-1, 1])
    fx, fy = (0.5, 0.5) if scene.centred else (0.5 + (scene.focus[0] - 0.5) * 0.4, 0.47)
    a = 2 * np.pi * np.arange(sides) / sides + np.pi / sides * (sides % 2 == 0) - np.pi / 2 * (sides == 3)
    day = p.key == "day"
    table = (
        ramp(p.sky[0] * 0.6, p.sky[0], p.sky[1], p.sky[2], p.sky[3], p.glow, p.pale)
        if not day
        else ramp(p.between(p.sky[0], p.ink, 0.55), p.sky[0], p.sky[1], p.sky[3], p.between(p.accent, p.pale, 0.45))
    )
    alternate = rng.random() < 0.55
    c.over(table[:, 0])
    field = np.zeros((c.height, c.width), np.float32)
    shadow = np.zeros_like(field)
    for k in range(count):
        t = k / (count - 1)
        r = 0.95 * (1 - t) ** 1.25 + 0.012
        shape = np.stack([fx + (0.5 - fx) * (1 - t) + r * np.cos(a + turn * k), fy + r * np.sin(a + turn * k)], 1)
        mask = c.polygons(shape)
        tone = t**0.85 if not alternate else t**0.85 * (1.0 if k % 2 else 0.45)
        field += mask * (np.float32(tone) - field)
        if k % 3 == 0:
            shadow += 0.35 * np.clip(c.blur(mask, 0.012, 192) - mask, 0, 1) * (1 - mask)
    c.light[:] = c.grade(field, table)
    c.light *= 1 - np.clip(shadow, 0, 0.7)[None]
    light.glow(c, fx, fy, 0.05, p.pale if not day else p.accent, 0.8 if not day else 0.2)


def discs(scene: Scene) -> None:
    """A few large discs, bars and arcs in balance, multiplied where they overlap."""
    c, p, rng = scene.canvas, scene.palette, scene.stream("discs")
    dark = p.key == "night"
    small = c.small()
    ground = (
        (p.sky[0], p.between(p.sky[0], p.sky[1], 0.5))
        if dark
        else (p.between(p.sky[3], p.pale, 0.5), p.between(p.sky[2], p.sky[3], 0.4))
    )
    c.light[:] = c.grade(
        c.up(np.clip(small.y + 0.2 * (noise(rng, 2, 3) - 0.5), 0, 1).astype(np.float32)), ramp(*ground)
    )
    fx, fy = scene.focus
    tints = [p.accent, p.glow if dark else p.base, p.sky[2], p.sky[1] if not dark else p.sky[3]]
    angle = rng.uniform(-0.9, 0.9)
    for k in range(3):
        w = rng.uniform(0.02, 0.09)
        off = rng.uniform(-0.35, 0.35)
        bar = rotate(np.array([(-1, off), (2, off), (2, off + w), (-1, off + w)]) + (0, fy), angle, (0.5, fy))
        fade = np.clip((c.x - np.float32(rng.uniform(-0.2, 0.3))) / 0.9, 0, 1) * np.ones_like(c.y)
        c.over(tints[(k + 1) % 4], 0.8 * c.polygons(bar) * fade)
    places = [(fx, fy, rng.uniform(0.2, 0.27))]
    for _ in range(3):
        a, d = rng.uniform(0, 2 * np.pi), rng.uniform(0.22, 0.36)
        places.append((fx + d * np.cos(a), fy + d * np.sin(a) + 0.08, rng.uniform(0.05, 0.17)))
    for k, (x, y, r) in enumerate(places):
        a = rng.uniform(0, 2 * np.pi)
        slope = np.clip(
            ((c.x - np.float32(x)) * np.cos(a) + (c.y - np.float32(y)) * np.sin(a)) / np.float32(2 * r) + 0.5, 0, 1
        )
        colours = ramp(tints[k % 4], p.between(tints[k % 4], tints[(k + 1) % 4], 0.8))
        disc = c.disc(x, y, r)
        if k == 0:
            c.over(p.ink, 0.30 * np.clip(c.blur(disc, 0.03) - disc, 0, 1))
        c.over(c.grade(slope.astype(np.float32), colours), disc * (0.95 if k < 2 else 0.82))

    count = int(rng.integers(4, 9))

    def lines(pen: Pen) -> None:
        for k in range(count):
            pen.ring(fx, fy, places[0][2] + 0.03 + 0.022 * k, 0.0016)

    c.over(p.pale if dark else p.ink, 0.7 * c.shapes(lines))
