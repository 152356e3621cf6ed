"""Outlines: a shape's lines, its filled silhouette, its inner drawing and the fields between its lines, at any size."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from ..canvas import Array, smoothstep
from .bodies import WHOLE, whole
from .senses import DATA
from .vocabulary import Shape

FONTS = {"n": "noto_emoji.ttf", "i": "icons.ttf"}
STROKE = 0.034
"""Width of a drawn line in sides of the shape, as Noto Emoji has it; icons' edges are drawn as wide."""

SOLID = 0.70
"""Share of a silhouette that its ink covers, from which a shape is drawn by its areas and not by its lines."""

DISC = "disc"
"""The name by which a painter says that a moon or a sun is the landscape's own light."""

HULLED = ("lighthouse", "airballoon")
"""Icons in pieces whose whole is their convex hull."""


@dataclass(frozen=True)
class Drawing:
    """A shape cut to its ink, every field float32 in [0, 1], shape=(row, column).

    `body`: the filled silhouette. `mark`: what is drawn inside it. `lines`: all of it as lines. `ink`: as the font has it.
    `fields`: int32 numbers of the areas between the lines, the largest first, each reaching under the lines about it, 0 outside
    the body or where there is none; `count`: how many there are. `solid`: the ink is the thing's areas, not its lines.
    """

    body: Array
    mark: Array
    lines: Array
    ink: Array
    fields: Array
    count: int
    solid: bool = False

    @property
    def pen(self) -> Array:
        """What a dark pen draws: the ink, of a solid shape the lines along its edges."""
        return self.lines if self.solid else self.ink

    def cracked(self) -> Drawing:
        """The same broken in two along a jagged line, the right half fallen a little."""
        rows, columns = self.body.shape
        side = max(rows, columns)
        turns = np.array([0.52, 0.60, 0.47, 0.57, 0.43, 0.52, 0.40])
        edge = np.interp(np.linspace(0, 6, rows), np.arange(7), turns)[:, None] * columns
        down = max(1, round(0.032 * side))
        across = np.arange(columns)[None, :]
        left, right = across < edge - 0.011 * side, across > np.roll(edge, down, 0) + 0.011 * side
        near = np.minimum(np.abs(across - edge), np.abs(across - np.roll(edge, down, 0))) < 0.024 * side

        def part(field: Array) -> Array:
            fallen = np.zeros_like(field)
            fallen[down:] = field[:-down]
            return np.where(left, field, np.where(right, fallen, 0)).astype(field.dtype)

        body = part(self.body)
        ink = np.maximum(part(self.ink), 0 if self.solid else near * body)
        drawn = np.maximum(part(self.lines), near * body)
        return Drawing(body, part(self.mark), drawn, ink, part(self.fields), self.count, self.solid)

    def mirrored(self) -> Drawing:
        """The same, looking the other way."""
        body, mark, drawn, ink, fields = (
            np.ascontiguousarray(a[:, ::-1]) for a in (self.body, self.mark, self.lines, self.ink, self.fields)
        )
        return Drawing(body, mark, drawn, ink, fields, self.count, self.solid)


@lru_cache(maxsize=16)
def _font(name: str, size: int) -> Any:
    from PIL import ImageFont

    return ImageFont.truetype(str(DATA / FONTS[name]), size, layout_engine=ImageFont.Layout.BASIC)


def lines(shape: Shape, side: int) -> Array:
    """The shape as drawn, cut to its ink: float32 in [0, 1], shape=(row, column), the longer side about `side` pixels."""
    from PIL import Image, ImageDraw

    if shape.name.endswith(WHOLE):
        name = shape.name.removesuffix(WHOLE)
        head = lines(Shape(name, shape.font, shape.code), max(8, round(0.56 * side)))
        return whole(_edges(head) if is_solid(head) else head, name)
    font = _font(shape.font, side)
    box = font.getbbox(chr(shape.code))
    picture = Image.new("L", (max(1, int(box[2] - box[0])), max(1, int(box[3] - box[1]))))
    ImageDraw.Draw(picture).text((-box[0], -box[1]), chr(shape.code), fill=255, font=font)
    ink = picture.getbbox()  # a font's box may be larger than what it draws
    return np.asarray(picture.crop(ink) if ink else picture, np.float32) / 255


def silhouette(drawn: Array) -> Array:
    """The outline filled, holes and all: float32, shape=(row, column).

    >>> ring = np.zeros((9, 9), np.float32); ring[1:8, 1:8] = 1; ring[3:6, 3:6] = 0
    >>> silhouette(ring)[4, 4].item()
    1.0
    """
    from scipy.ndimage import binary_fill_holes

    return np.maximum(drawn, binary_fill_holes(drawn > 0.4).astype(np.float32))


def is_solid(drawn: Array) -> bool:
    """Whether a shape's ink covers most of its silhouette."""
    return bool(drawn.sum() > SOLID * silhouette(drawn).sum())


def _edges(ink: Array, width: float | None = None) -> Array:
    """The lines along the edges of solid ink."""
    from scipy.ndimage import distance_transform_edt

    padded = np.pad(ink, 1)
    width = STROKE * max(ink.shape) if width is None else width
    depth = distance_transform_edt(padded > 0.5)[1:-1, 1:-1]
    return np.asarray(ink * smoothstep(1.25 * width, 0.85 * width, depth), np.float32)


@lru_cache(maxsize=24)
def draw(shape: Shape, rows: int, columns: int) -> Drawing:
    """A shape fitted into rows x columns pixels, its proportions kept."""
    from PIL import Image
    from scipy.ndimage import distance_transform_edt, label

    first = lines(shape, 256)
    scale = min(rows / first.shape[0], columns / first.shape[1])
    fine = 2 if max(rows, columns) < 500 else 1  # small ones are drawn twice as large, then averaged
    ink = lines(shape, max(8, round(256 * scale * fine)))
    wanted = (max(2, round(first.shape[0] * scale)), max(2, round(first.shape[1] * scale)))
    if ink.shape != wanted:  # a font's boxes are whole pixels
        how = Image.Resampling.BOX if fine > 1 else Image.Resampling.BICUBIC
        ink = np.asarray(Image.fromarray(ink).resize(wanted[::-1], how)).clip(0, 1)
    ink = np.pad(ink, 2)
    side = max(ink.shape)
    width = STROKE * side
    body = silhouette(ink)
    hulled = shape.name in HULLED
    if hulled:
        body = np.maximum(body, _hull(ink))
    solid = shape.font == "i" or is_solid(first)
    drawn = _edges(ink, width) if solid else ink
    if hulled:
        drawn = np.maximum(drawn, _edges(body, width))
    depth = distance_transform_edt(body > 0.5)
    if not solid:
        mark = ink * smoothstep(0.9 * width, 1.4 * width, depth).astype(np.float32)
        free = (body > 0.5) & (ink < 0.5)
    else:
        mark = np.clip(body - ink, 0, 1) * smoothstep(0.1 * width, 0.4 * width, depth).astype(np.float32)
        free = ink > 0.5
    numbers, count = label(free)
    areas = np.bincount(numbers.ravel(), minlength=count + 1)[1:]
    order = [k for k in np.argsort(-areas, kind="stable") if areas[k] > (0.012 * side) ** 2]
    table = np.zeros(count + 1, np.int32)
    for rank, k in enumerate(order):
        table[k + 1] = rank + 1
    fields = table[numbers]
    if order:  # every field reaches under the lines around it
        near = distance_transform_edt(fields == 0, return_distances=False, return_indices=True)
        fields = np.where(body > 0.02, fields[near[0], near[1]], 0)
    return Drawing(body, mark, drawn, ink, fields.astype(np.int32), len(order), solid)


def disc(rows: int, columns: int) -> Drawing:
    """A moon's or a sun's disc."""
    r = min(rows, columns) / 2
    y, x = np.mgrid[: 2 * round(r) + 4, : 2 * round(r) + 4].astype(np.float32) - np.float32(round(r) + 1.5)
    body = np.clip(r - np.hypot(x, y) + 0.5, 0, 1).astype(np.float32)
    return Drawing(body, np.zeros_like(body), body, body, (body > 0.5).astype(np.int32), 1, True)


def _hull(ink: Array) -> Array:
    """The convex hull of the ink, drawn four times as large and averaged."""
    from PIL import Image, ImageDraw
    from scipy.spatial import ConvexHull

    at = np.argwhere(ink > 0.5)
    corners = at[ConvexHull(at).vertices]
    picture = Image.new("L", (4 * ink.shape[1], 4 * ink.shape[0]))
    ImageDraw.Draw(picture).polygon([(4 * x + 2, 4 * y + 2) for y, x in corners.tolist()], fill=255)
    return np.asarray(picture.reduce(4), np.float32) / 255


def aspect(shape: Shape) -> float:
    """Width over height of the shape's ink."""
    first = lines(shape, 256)
    return first.shape[1] / first.shape[0]
