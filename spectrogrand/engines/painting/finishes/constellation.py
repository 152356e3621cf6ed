"""Constellations: stars at the corners of an outline, fine lines between them, the thing's drawing as dust behind."""

from __future__ import annotations

import numpy as np

from .. import backdrop, light
from ..canvas import Array, Pen
from ..families import space
from ..things.layout import Item
from ..things.stage import Stage
from . import weather


def constellation(stage: Stage) -> None:
    """Paint a stage as figures of a star chart."""
    scene, c, p = stage.scene, stage.canvas, stage.scene.palette
    rng = scene.stream("constellation")
    x0, y0, x1, y1 = stage.bounds()
    scene.focus, scene.sun = ((x0 + x1) / 2, (y0 + y1) / 2), 0.21
    space.heavens(scene, 0.75)
    c.light *= np.float32({"night": 0.72, "dusk": 0.6, "day": 0.30}[p.key])
    backdrop.marks(scene)
    tint = p.between(p.glow, p.pale, 0.35) if p.key != "day" else p.pale
    if stage.horizon:
        open_sky = 1 - 0.9 * np.clip(3 * c.blur(stage.union("body"), 0.004, 512), 0, 1)
        c.light *= 1 - 0.5 * stage.horizon.body[None]
        c.add(p.accent, 0.05 * stage.horizon.body * open_sky)
        c.add(tint, (0.30 * stage.horizon.pen + 0.2 * c.blur(stage.horizon.pen, 0.006, 512)) * open_sky)
    for item in stage.all():
        colour = p.between(stage.colour(item), tint, 0.35)
        free = stage.free(item)
        body, drawn = stage.cover(item, "body") * free, stage.cover(item, "lines") * free
        c.light *= 1 - 0.45 * c.blur(body, 0.01, 512)[None]
        c.add(colour, 0.07 * body)
        c.add(colour, 0.40 * c.blur(drawn, 0.004, 768) + 0.28 * drawn)
        corners = vertices(stage, item)

        def chart(pen: Pen, corners: list[Array] = corners) -> None:
            for path in corners:
                pen.line(path, 0.0026)

        c.add(tint, 0.85 * c.shapes(chart) * free)
        stars = [q for path in corners for q in path[:-1]]
        sizes = 0.0035 + 0.008 * rng.random(len(stars)) ** 3

        def dots(pen: Pen, stars: list[Array] = stars, sizes: Array = sizes) -> None:
            for at, r in zip(stars, sizes, strict=True):
                pen.dot(at, r)

        mask = c.shapes(dots)
        c.add(colour, 0.9 * c.blur(mask, 0.008))
        c.over(p.between(p.pale, colour, 0.1), mask)
        for k in np.argsort(-sizes)[:5]:
            light.glow(c, float(stars[k][0]), float(stars[k][1]), 0.010, tint, 0.5)
    weather.fall(stage, tint)


def vertices(stage: Stage, item: Item) -> list[Array]:
    """The outline's closed paths as few straight lines, each of shape=(point, 2) in the canvas's coordinates."""
    import contourpy

    local = stage.drawing(item).body
    rows, columns = local.shape
    step = max(1, max(rows, columns) // 220)
    field = np.pad(local[::step, ::step], 1)
    paths = contourpy.contour_generator(z=field).lines(0.5)
    left, top = item.x - columns / 2 / stage.canvas.size, item.y - (rows - 2) / stage.canvas.size
    found = []
    for path in sorted(map(np.asarray, paths), key=len, reverse=True)[:3]:
        path = (path - 1) * step / stage.canvas.size + (left, top)
        if np.ptp(path, axis=0).max() > 0.18 * max(item.w, item.h):
            found.append(simplified(path, 0.020 * max(item.w, item.h)))
    return found


def simplified(path: Array, slack: float) -> Array:
    """A path with only the points that lie farther than `slack` from the line of the rest (Ramer 1972, Douglas & Peucker 1973).

    >>> simplified(np.array([[0, 0], [1, 0.01], [2, 0], [2, 2]], float), 0.1).tolist()
    [[0.0, 0.0], [2.0, 0.0], [2.0, 2.0]]
    """
    keep = np.zeros(len(path), bool)
    keep[[0, -1]] = True
    todo = [(0, len(path) - 1)]
    while todo:
        a, b = todo.pop()
        if b - a < 2:
            continue
        along = path[b] - path[a]
        away = path[a + 1 : b] - path[a]
        length = float(np.hypot(*along))
        far = (
            np.abs(along[0] * away[:, 1] - along[1] * away[:, 0]) / length
            if length > 1e-9
            else np.hypot(away[:, 0], away[:, 1])
        )
        k = int(far.argmax())
        if far[k] > slack:
            keep[a + 1 + k] = True
            todo += [(a, a + 1 + k), (a + 1 + k, b)]
    return np.asarray(path[keep])
