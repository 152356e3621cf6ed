"""Layout: things side by side, on, in, under and over each other, to scale, in a box of the picture."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from . import outlines
from .bodies import PEOPLE, WHOLE
from .senses import AIRBORNE, CANOPIES, CONTAINERS, RIDDEN, SKY, size_of
from .vocabulary import Shape, Thing

SMALLEST = 0.62
"""Height of a thing beside the tallest one, at least: a thumbnail must still show it."""


@dataclass(frozen=True)
class Item:
    """One outline in its place: `x` its middle, `y` its foot, `w` and `h` its size, in the canvas's coordinates (y down).

    `number` counts the copies of one thing. `depth` grows away from the eye. `aloft`: it stands on nothing.
    """

    thing: Thing
    x: float
    y: float
    w: float
    h: float
    number: int = 0
    depth: float = 0.0
    aloft: bool = False
    mirrored: bool = False

    @property
    def box(self) -> tuple[float, float, float, float]:
        """(left, top, right, bottom)."""
        return self.x - self.w / 2, self.y - self.h, self.x + self.w / 2, self.y

    @property
    def shape(self) -> Shape:
        """The outline's shape."""
        return self.thing.shape

    def moved(self, x: float, y: float, scale: float = 1.0) -> Item:
        """Scaled about the origin, then shifted."""
        return replace(self, x=self.x * scale + x, y=self.y * scale + y, w=self.w * scale, h=self.h * scale)


def is_sky(thing: Thing) -> bool:
    """Whether a thing has its place in the sky."""
    if thing.relation == "under" and re.search("rainbow|cloud$", thing.shape.name):
        return False  # it spans what is under it
    return bool(SKY.search(thing.shape.name)) and "flower" not in thing.shape.name


def group(things: Sequence[Thing], rng: np.random.Generator) -> list[Item]:
    """The things as one group that stands on y = 0, about x = 0, in units of a person's height.

    >>> from .vocabulary import read
    >>> piano, cat = group(read("a cat on a piano").things, np.random.default_rng(0))
    >>> cat.y < piano.y and abs(cat.x - piano.x) < piano.w / 2
    True
    """
    placed: list[list[Item]] = []
    for thing in things:
        new = _copies(thing, rng)
        old = placed[-1] if placed else []
        if not old:
            placed.append(new)
        elif thing.relation == "on":
            placed[-1] = _on(old, new)
        elif thing.relation == "under":
            placed[-1] = _under(old, new)
        elif thing.relation == "over":
            placed[-1] = _over(old, new)
        elif thing.relation == "in":
            placed[-1] = _in(old, new)
        else:
            placed.append(new)
    row: list[Item] = []
    edge = 0.0
    tallest = max(_extent(part)[1] for part in placed)
    for part in placed:
        width, tall = _extent(part)
        if tall < SMALLEST * tallest:  # a butterfly beside a whale is still seen
            part, width = [i.moved(0, 0, SMALLEST * tallest / tall) for i in part], width * SMALLEST * tallest / tall
        left = min(i.box[0] for i in part)
        gap = 0.06 * tallest if row else 0.0
        row += [i.moved(edge + gap - left, 0) for i in part]
        edge += gap + width
    left, right = min(i.box[0] for i in row), max(i.box[2] for i in row)
    return [i.moved(-(left + right) / 2, 0) for i in row]


def fit(items: Sequence[Item], x: float, foot: float, wide: float, tall: float) -> list[Item]:
    """The group scaled into a box `wide` by `tall` whose foot's middle is (x, foot)."""
    width, height = _extent(items)
    scale = min(wide / width, tall / height)
    return [i.moved(x, foot, scale) for i in items]


def _extent(items: Sequence[Item]) -> tuple[float, float]:
    return max(i.box[2] for i in items) - min(i.box[0] for i in items), max(max(i.h - i.y for i in items), 1e-6)


def _copies(thing: Thing, rng: np.random.Generator) -> list[Item]:
    """As many as the topic says, a little unlike in size where they are few, in a loose flock where they fly."""
    aspect = outlines.aspect(thing.shape)
    size = size_of(thing.shape.name) ** 0.75
    size *= 2.0 if "large" in thing.manners else 0.6 if "small" in thing.manners else 1.0
    w, h = (size, size / aspect) if aspect > 1 else (size * aspect, size)
    aloft = thing.aloft or bool(AIRBORNE.search(thing.shape.name)) or is_sky(thing)
    n = thing.count
    if n == 1:
        return [Item(thing, 0, 0, w, h, aloft=aloft)]
    if aloft and n > 2:
        places = [((k - (n - 1) / 2) * 0.78, (-0.42, 0.0, -0.62, -0.14)[k % 4]) for k in range(n)]
        return [Item(thing, x * w, y * h, w, h, k, 0.0, True) for k, (x, y) in enumerate(places)]
    scales = {2: (1.0, 0.8), 3: (0.86, 1.0, 0.76)}.get(n, (1.0,) * n)
    step, items, x = 1.04 if n <= 3 else 1.1, [], 0.0
    for k, s in enumerate(scales):
        items.append(Item(thing, x + s * w / 2, 0, s * w, s * h, k, 0.0, aloft))
        x += step * s * w
    return items


def _on(above: list[Item], below: list[Item]) -> list[Item]:
    """What is above stands where the body below is highest under it."""
    base = max(below, key=lambda i: i.w)
    width, tall = _extent(above)
    if RIDDEN.search(base.shape.name) and all(PEOPLE.match(i.shape.name.removesuffix(WHOLE)) for i in above):
        scale = float(np.clip(0.85 * base.h / tall, 0, 0.9 * base.w / width))
        centre = sum(i.x for i in above) / len(above)
        saddle = base.y - 0.42 * base.h  # the legs are behind the animal
        return [*below, *(replace(i.moved(base.x - centre * scale, saddle, scale), depth=1.0) for i in above)]
    scale = float(np.clip(min(0.72 * base.w / width, 0.85 * base.h / tall), 0.5 * base.h / tall, 1.6))
    drawing = outlines.draw(base.shape, 128, 128)
    columns = drawing.body.shape[1]
    reach = max(2, int(0.16 * columns))
    middle = slice(columns // 2 - reach, columns // 2 + reach)
    solid = drawing.body[:, middle] > 0.5
    first = np.where(solid.any(0), solid.argmax(0), drawing.body.shape[0])
    sink = float(np.median(first)) / drawing.body.shape[0] * base.h + 0.02 * base.h
    top = base.y - base.h + sink
    centre = sum(i.x for i in above) / len(above)
    return [*below, *(i.moved(base.x - centre * scale, top, scale) for i in above)]


def _over(above: list[Item], below: list[Item]) -> list[Item]:
    """What is over floats clear of what is below."""
    top = min(i.y - i.h for i in below)
    width, tall = _extent(above)
    wide, high = _extent(below)
    scale = float(np.clip(0.55 * high / tall, 0.3, 1.8))
    scale = min(scale, 1.15 * wide / width) if len(above) > 1 else scale
    middle = (min(i.box[0] for i in below) + max(i.box[2] for i in below)) / 2
    centre = (min(i.box[0] for i in above) + max(i.box[2] for i in above)) / 2
    gap = 0.07 * high
    return [*below, *(replace(i.moved(middle - centre * scale, top - gap, scale), aloft=True) for i in above)]


def _under(below: list[Item], above: list[Item]) -> list[Item]:
    """A canopy is wide enough for all and hangs low over them; anything else floats above."""
    if not CANOPIES.search(above[0].shape.name):
        return _over(above, below)
    below = [replace(i, x=0.74 * i.x) for i in below]  # they crowd
    width, tall = _extent(below)
    wide, _ = _extent(above)
    scale, lowest = max(1.02 * width / wide, 1.5 * tall / _extent(above)[1]), -0.05 * tall
    if "umbrella" not in above[0].shape.name:  # a tree behind them, twice as tall
        lowest = 0.0
        scale = max(1.9 * tall / _extent(above)[1], 1.15 * width / wide)
    left, right = min(i.box[0] for i in below), max(i.box[2] for i in below)
    centre = (min(i.box[0] for i in above) + max(i.box[2] for i in above)) / 2
    roof = [replace(i.moved((left + right) / 2 - centre * scale, lowest, scale), depth=1.0) for i in above]
    return [*roof, *below]


def _in(inner: list[Item], outer: list[Item]) -> list[Item]:
    """Half hidden by a container in front; before anything else, which stands larger behind."""
    holder = max(outer, key=lambda i: i.w)
    width, tall = _extent(inner)
    centre = (min(i.box[0] for i in inner) + max(i.box[2] for i in inner)) / 2
    if CONTAINERS.search(holder.shape.name):
        scale = min(0.72 * holder.w / width, 1.1 * holder.h / tall)
        foot = holder.y - 0.45 * holder.h
        return [*(replace(i.moved(holder.x - centre * scale, foot, scale), depth=0.5) for i in inner), *outer]
    scale = min(0.45 * holder.h / tall, 0.6 * holder.w / width)
    return [
        *(replace(i, depth=1.0) for i in outer),
        *(i.moved(holder.x - centre * scale, holder.y - 0.06 * holder.h, scale) for i in inner),
    ]
