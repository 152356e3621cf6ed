"""The canvas: linear-light RGB planes, unit coordinates, antialiased shapes and smooth noise, the same picture at any size."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

Array = np.ndarray
WORK = 256
"""Side in pixels of the grid on which soft things (noise, glow) are computed before they are enlarged."""
RASTER = 3072
"""Shapes are drawn on a grid of at least this side, then averaged down: nine samples a pixel at 1024."""


def resize(field: Array, rows: int, columns: int | None = None) -> Array:
    """A float32 field, shape=(row, column), resampled by bicubic interpolation (averaged when it shrinks)."""
    from PIL import Image

    columns = rows if columns is None else columns
    if field.shape == (rows, columns):
        return field
    picture = Image.fromarray(np.ascontiguousarray(field, np.float32))
    return np.asarray(picture.resize((columns, rows), Image.Resampling.BICUBIC))


def smoothstep(low: float, high: float, x: Array) -> Array:
    """0 below `low`, 1 above `high`, a cubic in between (falls instead where low > high).

    >>> smoothstep(0.0, 1.0, np.array([-1.0, 0.5, 2.0])).tolist()
    [0.0, 0.5, 1.0]
    """
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def noise(rng: np.random.Generator, frequency: float, octaves: int = 4, gain: float = 0.5, side: int = WORK,
          stretch: float = 1.0) -> Array:  # fmt: skip
    """Fractal value noise in [0, 1], shape=(side, side); `frequency` cells across, `stretch` > 1 makes streaks along x."""
    total = np.zeros((side, side), np.float32)
    level = 1.0
    for _ in range(octaves):
        rows = int(np.ceil(frequency)) + 3
        columns = int(np.ceil(frequency / stretch)) + 3
        grid = rng.standard_normal((rows, columns)).astype(np.float32)
        total += level * _window(grid, frequency / stretch, frequency, side)
        frequency, level = frequency * 2, level * gain
    low, high = float(total.min()), float(total.max())
    return (total - low) / (high - low)


def _window(grid: Array, wide: float, tall: float, side: int) -> Array:
    from PIL import Image

    box = (1.0, 1.0, 1.0 + wide, 1.0 + tall)
    return np.asarray(Image.fromarray(grid).resize((side, side), Image.Resampling.BICUBIC, box=box))


def ridge_line(rng: np.random.Generator, points: int, roughness: float, base: float = 3.0) -> Array:
    """A random height profile in [-1, 1], shape=(points,): summed octaves whose weight falls by `roughness`."""
    t = np.linspace(0, 1, points)
    total, frequency, level = np.zeros(points), base, 1.0
    while frequency < points / 2:
        knots = rng.uniform(-1, 1, int(frequency) + 4)
        at = t * frequency
        k = at.astype(int)
        f = at - k
        f = f * f * (3 - 2 * f)
        total += level * (knots[k] * (1 - f) + knots[k + 1] * f)
        frequency, level = frequency * 2, level * roughness
    return total / max(np.abs(total).max(), 1e-9)


class Pen:
    """Draws shapes in the canvas's coordinates (the middle square is 0 to 1, y down) on the fine grid; `ink` in [0, 1] covers."""

    def __init__(self, side: int, width: int | None = None, height: int | None = None) -> None:
        from PIL import Image, ImageDraw

        self.side = side
        wide, tall = width or side, height or side
        self.offset = ((wide - side) / 2, (tall - side) / 2)
        self.picture = Image.new("L", (wide, tall))
        self.draw = ImageDraw.Draw(self.picture)

    def _at(self, points: Any) -> list[tuple[float, float]]:
        u, v = self.offset
        return [(float(a) * self.side + u - 0.5, float(b) * self.side + v - 0.5) for a, b in np.asarray(points, float)]

    def polygon(self, points: Any, ink: float = 1.0) -> None:
        """A filled polygon, points of shape=(point, 2)."""
        self.draw.polygon(self._at(points), fill=round(255 * ink))

    def polygons(self, outlines: Iterable[Any]) -> None:
        """Several filled polygons."""
        for points in outlines:
            self.polygon(points)

    def line(self, points: Any, width: float, ink: float = 1.0) -> None:
        """A polyline with round joints, `width` in units of the side."""
        w = max(1, round(width * self.side))
        at = self._at(points)
        self.draw.line(at, fill=round(255 * ink), width=w, joint="curve" if w > 3 and len(at) > 2 else None)

    def disc(self, x: float, y: float, r: float, ink: float = 1.0) -> None:
        """A filled circle."""
        self.ellipse(x, y, r, r, ink)

    def dot(self, at: Any, r: float, ink: float = 1.0) -> None:
        """A filled circle about a point, shape=(2,)."""
        self.disc(float(at[0]), float(at[1]), r, ink)

    def ellipse(self, x: float, y: float, rx: float, ry: float, ink: float = 1.0) -> None:
        """A filled ellipse with its axes along the picture's."""
        (x0, y0), (x1, y1) = self._at([(x - rx, y - ry), (x + rx, y + ry)])
        self.draw.ellipse((x0, y0, x1, y1), fill=round(255 * ink))

    def ring(self, x: float, y: float, r: float, width: float, ink: float = 1.0) -> None:
        """A circle's outline, `width` inside the radius."""
        (x0, y0), (x1, y1) = self._at([(x - r, y - r), (x + r, y + r)])
        self.draw.ellipse((x0, y0, x1, y1), outline=round(255 * ink), width=max(1, round(width * self.side)))

    def box(self, x0: float, y0: float, x1: float, y1: float, ink: float = 1.0) -> None:
        """A filled rectangle; nothing where it is empty."""
        if x1 > x0 and y1 > y0:
            u, v = self.offset
            at = [
                round(x0 * self.side + u),
                round(y0 * self.side + v),
                round(x1 * self.side + u),
                round(y1 * self.side + v),
            ]
            self.draw.rectangle((at[0], at[1], max(at[0], at[2] - 1), max(at[1], at[3] - 1)), fill=round(255 * ink))


class Grid:
    """Coordinates of a picture: its middle square runs from 0 to 1 both ways, y down, and a longer side reaches beyond.

    `left`, `right`, `top`, `bottom`: where the edges lie. `x`: shape=(1, column) and `y`: shape=(row, 1), pixel centres.
    """

    def __init__(self, width: int, height: int, aspect: float | None = None) -> None:
        ratio = width / height if aspect is None else aspect
        self.left, self.right = (0.5 - ratio / 2, 0.5 + ratio / 2) if ratio > 1 else (0.0, 1.0)
        self.top, self.bottom = (0.5 - 0.5 / ratio, 0.5 + 0.5 / ratio) if ratio < 1 else (0.0, 1.0)
        across = (self.right - self.left) / width
        down = (self.bottom - self.top) / height
        self.x = (self.left + (np.arange(width) + 0.5) * across).astype(np.float32)[None, :]
        self.y = (self.top + (np.arange(height) + 0.5) * down).astype(np.float32)[:, None]

    def distance(self, x: float, y: float) -> Array:
        """Distance of every pixel to a point, in sides."""
        return np.hypot(self.x - np.float32(x), self.y - np.float32(y))


class Canvas(Grid):
    """A picture in linear light; `size` is its shorter side in pixels, the unit of all places and lengths.

    `light`: float32, shape=(3, row, column).

    >>> canvas = Canvas(64); canvas.over(np.array([1.0, 0.0, 0.0]), canvas.disc(0.5, 0.5, 0.25))
    >>> canvas.light[:, 32, 32].tolist(), canvas.light[:, 0, 0].tolist()
    ([1.0, 0.0, 0.0], [0.0, 0.0, 0.0])
    >>> wide = Canvas(128, 64); wide.left, wide.right, wide.top, wide.bottom
    (-0.5, 1.5, 0.0, 1.0)
    """

    def __init__(self, width: int, height: int | None = None) -> None:
        height = width if height is None else height
        super().__init__(width, height)
        self.width, self.height, self.size = width, height, min(width, height)
        self.px = 1.0 / self.size
        self.light = np.zeros((3, height, width), np.float32)

    def small(self, side: int = WORK) -> Grid:
        """The same places on a coarse grid, shape=(side, side) whatever the picture's shape: for soft things."""
        return Grid(side, side, self.width / self.height)

    def row(self, y: float) -> int:
        """The row of pixels that begins at height y."""
        return round((y - self.top) * self.size)

    def column(self, x: float) -> int:
        """The column of pixels that begins at x."""
        return round((x - self.left) * self.size)

    def scatter(self, rng: np.random.Generator, count: int | None = None) -> Any:
        """Random places across the whole width."""
        return self.left + (self.right - self.left) * rng.random(count)

    def across(self, profile: Array) -> Array:
        """A profile of equal steps across the picture, at every column: float32, shape=(column,)."""
        return np.interp(self.x[0], np.linspace(self.left, self.right, len(profile)), profile).astype(np.float32)

    def over(self, colour: Array, mask: Array | float = 1.0) -> None:
        """Cover with `colour`, shape=(3,) or (3, row, column), where `mask`, shape=(row, column) in [0, 1], says so."""
        if isinstance(mask, np.ndarray):
            rows = np.flatnonzero(mask.max(axis=1) > 0)
            if not len(rows):
                return
            s = slice(rows[0], rows[-1] + 1)  # most masks touch a band of rows
            for k in range(3):
                c = colour[k][s] if np.ndim(colour) == 3 else np.float32(colour[k])
                self.light[k, s] += mask[s] * (c - self.light[k, s])
        else:
            for k in range(3):
                self.light[k] += np.float32(mask) * (np.asarray(colour[k], np.float32) - self.light[k])

    def add(self, colour: Array, mask: Array) -> None:
        """Add light of `colour`, shape=(3,), weighted by `mask`."""
        for k in range(3):
            self.light[k] += np.float32(colour[k]) * mask

    def grade(self, field: Array, lut: Array) -> Array:
        """Colours of a scalar field in [0, 1] by a table, shape=(3, entry): float32, shape=(3, row, column)."""
        index = np.clip(field * (lut.shape[1] - 1) + 0.5, 0, lut.shape[1] - 1).astype(np.int16)
        index = np.broadcast_to(index, (self.height, self.width))
        return np.stack([row.take(index) for row in lut])

    def up(self, field: Array) -> Array:
        """A soft field at the picture's size."""
        return resize(field, self.height, self.width)

    def disc(self, x: float, y: float, r: float, soft: float = 0.0) -> Array:
        """A circle's cover, antialiased over one pixel, or faded over `soft`."""
        edge = max(self.px, soft)
        return np.clip((r - self.distance(x, y)) / edge + 0.5, 0, 1)

    def below(self, height: Array, soft: float = 0.0) -> Array:
        """Cover of the ground under a profile: `height`, shape=(point,), is its y at equal steps across the picture."""
        at = self.across(height)
        slope = np.gradient(at) * self.size
        edge = np.maximum(self.px * np.sqrt(1 + slope * slope), soft).astype(np.float32)
        return np.clip((self.y - at[None, :]) / edge[None, :] + 0.5, 0, 1)

    def shapes(self, draw: Callable[..., object], *arguments: Any) -> Array:
        """The cover, float32 in [0, 1], shape=(row, column), of what `draw(pen, *arguments)` draws."""
        factor = max(2, -(-RASTER // self.size))
        while factor > 2 and self.width * self.height * factor**2 > 1.3 * RASTER**2:
            factor -= 1
        pen = Pen(self.size * factor, self.width * factor, self.height * factor)
        draw(pen, *arguments)
        return np.asarray(pen.picture.reduce(factor), np.float32) / 255

    def polygons(self, *outlines: Any) -> Array:
        """The cover of filled polygons, each of shape=(point, 2)."""
        return self.shapes(Pen.polygons, outlines)

    def blur(self, field: Array, sigma: float, side: int = WORK) -> Array:
        """A Gaussian blur of `sigma` sides, computed small and enlarged: for glow, never for edges."""
        from scipy.ndimage import gaussian_filter

        small = resize(field, side)
        reach = (sigma * side / (self.bottom - self.top), sigma * side / (self.right - self.left))
        return self.up(gaussian_filter(small, reach, mode="nearest"))

    def shift(self, field: Array, x: float, y: float) -> Array:
        """A field, shape=(row, column), moved by (x, y) sides to whole pixels, less than its size; its edges reach inwards."""
        down, across = round(y * self.size), round(x * self.size)
        rows, columns = field.shape
        down, across = int(np.clip(down, -rows, rows)), int(np.clip(across, -columns, columns))
        r0, r1, c0, c1 = max(down, 0), rows + min(down, 0), max(across, 0), columns + min(across, 0)
        out = np.empty_like(field)
        out[r0:r1, c0:c1] = field[r0 - down : r1 - down, c0 - across : c1 - across]
        out[r0:r1, :c0], out[r0:r1, c1:] = field[r0 - down : r1 - down, :1], field[r0 - down : r1 - down, -1:]
        out[:r0], out[r1:] = out[min(r0, rows - 1)], out[max(r1 - 1, 0)]
        return out

    def warp(self, field: Array, dx: Array, dy: Array) -> Array:
        """Take `field` (any square side) from displaced places, bilinear; dx, dy in sides and of the same shape."""
        from scipy.ndimage import map_coordinates

        n = field.shape[0]
        at = np.arange(n, dtype=np.float32)
        return map_coordinates(field, [at[:, None] + dy * n, at[None, :] + dx * n], order=1, mode="mirror")


def rotate(points: Any, angle: float, centre: Sequence[float] = (0.0, 0.0)) -> Array:
    """Points, shape=(point, 2), turned clockwise (y is down) by `angle` radians about `centre`."""
    p = np.asarray(points, float) - centre
    c, s = np.cos(angle), np.sin(angle)
    return np.stack([c * p[:, 0] - s * p[:, 1], s * p[:, 0] + c * p[:, 1]], axis=1) + centre
