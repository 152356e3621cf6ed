"""The stage: where a topic's things stand in a scene, their colours, and their covers at the picture's size."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ....image.inks import colour_word, lch
from ..canvas import Array, Canvas
from ..composition import Scene
from . import horizon, layout, outlines
from .bodies import PEOPLE, ROBOTS
from .layout import Item
from .senses import BELOW_WATER, colour_of, habitat_of
from .vocabulary import LIGHTS, Reading, Thing, made_whole, named

BADGES = {"storm": "high voltage", "dusk": "sun", "dawn": "sun"}
"""Small outlines that stand for weather and hours where a finish draws no landscape."""


@dataclass
class Stage:
    """Things in a scene. `ground` is what they stand on, "" where they carry the picture alone."""

    scene: Scene
    reading: Reading
    items: list[Item]
    sky: list[Item]
    ground: str
    shown: dict[str, Item] = field(default_factory=dict)
    horizon: horizon.Horizon | None = None
    _covers: dict[tuple[Item, str], Array] = field(default_factory=dict)

    @property
    def canvas(self) -> Canvas:
        """The scene's canvas."""
        return self.scene.canvas

    def all(self) -> list[Item]:
        """What is in the sky, then what stands, from the farthest to the nearest."""
        return [*self.sky, *sorted(self.items, key=lambda i: -i.depth)]

    def drawing(self, item: Item) -> outlines.Drawing:
        """The outline at the item's size in pixels."""
        c = self.canvas
        found = outlines.draw(item.shape, max(4, round(item.h * c.size)), max(4, round(item.w * c.size)))
        found = found.cracked() if "broken" in item.thing.manners else found
        return found.mirrored() if item.mirrored else found

    def free(self, item: Item, gap: float = 0.006) -> Array:
        """Where nothing nearer hides an item, with a narrow gap around what does: float32, shape=(row, column)."""
        order = self.all()
        nearer = order[order.index(item) + 1 :]
        whole = np.ones((self.canvas.height, self.canvas.width), np.float32)
        for other in nearer:
            if _overlap(item.box, other.box, gap):
                body = self.cover(other, "body")
                whole *= 1 - np.clip(4 * self.canvas.blur(body, gap / 2, 512), 0, 1)
        return whole

    def cover(self, item: Item, what: str) -> Array:
        """`body`, `mark`, `lines`, `pen`, `ink` or `fields` of an item, shape=(row, column) of the whole picture."""
        if (item, what) not in self._covers:
            if len(self._covers) > 40:
                self._covers.clear()
            c = self.canvas
            local = getattr(self.drawing(item), what)
            whole = np.zeros((c.height, c.width), local.dtype)
            paste(c, whole, local, item)
            self._covers[item, what] = whole
        return self._covers[item, what]

    def union(self, what: str, items: Iterable[Item] | None = None) -> Array:
        """The covers of several items together."""
        whole = np.zeros((self.canvas.height, self.canvas.width), np.float32)
        for item in self.all() if items is None else items:
            np.maximum(whole, self.cover(item, what), out=whole)
        return whole

    def bounds(self) -> tuple[float, float, float, float]:
        """(left, top, right, bottom) of what stands."""
        if not self.items:
            (x, y), r = self.scene.focus, self.scene.sun
            return x - r, y - r, x + r, y + r
        boxes = np.array([i.box for i in self.items])
        x0, y0 = boxes[:, :2].min(0).tolist()
        x1, y1 = boxes[:, 2:].max(0).tolist()
        return x0, y0, x1, y1

    def colour(self, item: Item) -> Array:
        """What colour a thing has: the one that is said, else its own in the scene's light, else one of the palette's."""
        p = self.scene.palette
        if item.thing.colour:
            level, chroma, hue = colour_word(item.thing.colour)
            return np.clip(lch(float(np.clip(level, 0.22, 0.93)), chroma, hue), 0, 1)
        own = colour_of(item.shape.name)
        if own:
            level, chroma, hue = colour_word(own)
            found = np.clip(lch(float(np.clip(level, 0.25, 0.92)), min(chroma, 0.17), hue), 0, 1)
            return p.between(found, p.glow, 0.14)
        tints = (p.accent, p.glow, p.between(p.accent, p.glow, 0.5))
        order = [i.thing for i in self.all()]
        return tints[order.index(item.thing) % 3]

    def tones(self, item: Item, count: int, dark: float = 0.0) -> Array:
        """A colour per field of a drawing, float32, shape=(field, 3), entry 0 its lines: light and shade of the thing's."""
        p = self.scene.palette
        base = p.between(self.colour(item), p.ink, dark)
        light = float(base.mean())
        wheel = [
            base, p.between(base, p.pale, 0.55), p.between(base, p.ink, 0.32), p.between(base, p.pale, 0.28),
            p.between(base, p.accent if light > 0.25 else p.glow, 0.45),
        ]  # fmt: skip
        ink = p.between(p.ink, base, 0.10) if p.key != "day" else p.between(p.ink, base, 0.2)
        return np.asarray([ink, *(wheel[k % len(wheel)] for k in range(max(count, 1)))], np.float32)

    def painted(self, item: Item, dark: float = 0.0) -> Array:
        """The item's fields in their tones with its lines in ink, float32, shape=(3, row, column)."""
        local = self.drawing(item)
        tones = self.tones(item, local.count, dark)
        flat = tones[local.fields]
        if not local.solid:
            flat += local.ink[..., None] * (tones[0] - flat)
        else:  # its gaps show the second tone
            gap = self.scene.palette.between(tones[1], self.scene.palette.ink, 0.55)
            flat = gap + local.ink[..., None] * (flat - gap)
        c = self.canvas
        whole = np.zeros((3, c.height, c.width), np.float32)
        for k in range(3):
            paste(c, whole[k], np.ascontiguousarray(flat[..., k]), item)
        return whole

    def light_at(self, thing: Thing, r: float) -> None:
        """Say that the landscape's light is a topic's moon or sun: a disc of radius r about the scene's focus."""
        x, y = self.scene.focus
        self.shown[thing.word] = Item(thing, x, y + r, 2 * r, 2 * r, aloft=True)

    def notes(self) -> dict[str, Any]:
        """What the picture shows, for `Image.notes`: words with their shapes and boxes in shares of width and height."""
        c = self.canvas
        wide, tall = c.right - c.left, c.bottom - c.top
        shown = []
        for word, item in self.shown.items():
            x0, y0, x1, y1 = item.box
            box = [(x0 - c.left) / wide, (y0 - c.top) / tall, (x1 - c.left) / wide, (y1 - c.top) / tall]
            drawn = item in self.items or item in self.sky  # the landscape's light is a disc, whatever its outline
            shape = item.shape.name if drawn else outlines.DISC
            shown.append({"word": word, "shape": shape, "box": [round(float(np.clip(v, 0, 1)), 4) for v in box],
                          "mirrored": item.mirrored})  # fmt: skip
        return {"shown": shown, "missed": list(self.reading.missed)}


def _overlap(a: tuple[float, ...], b: tuple[float, ...], gap: float) -> bool:
    return a[0] < b[2] + gap and b[0] < a[2] + gap and a[1] < b[3] + gap and b[1] < a[3] + gap


def paste(c: Canvas, whole: Array, local: Array, item: Item) -> None:
    """Put an item's own field into a field of the picture, cut at its edges."""
    rows, columns = local.shape
    top = c.row(item.y) - rows + 2
    left = c.column(item.x) - columns // 2
    r0, r1, c0, c1 = max(top, 0), min(top + rows, whole.shape[0]), max(left, 0), min(left + columns, whole.shape[1])
    if r1 > r0 and c1 > c0:
        whole[r0:r1, c0:c1] = local[r0 - top : r1 - top, c0 - left : c1 - left]


def set_stage(scene: Scene, reading: Reading, kind: str, grounded: bool) -> Stage:
    """Place a topic's things in a scene.

    Args:
        scene: its focus and horizon are moved to suit the things.
        reading: what the topic names, at least one thing.
        kind: "stand" (in the landscape), "near" (close to the eye), "far" (small, much room), "alone" (no ground).
        grounded: whether the finish draws a landscape.
    """
    c, rng = scene.canvas, scene.stream("layout")
    wide, tall = c.right - c.left, c.bottom - c.top
    things = [t for t in reading.things if not layout.is_sky(t)][:5]
    if (
        grounded
        or len(things) > 1
        or any(t.count > 1 for t in things)
        or any(PEOPLE.match(t.shape.name) or ROBOTS.match(t.shape.name) for t in things)
    ):
        things = [replace(t, shape=made_whole(t.shape)) for t in things]
    above = [t for t in reading.things if layout.is_sky(t)][:3]
    lights = grounded and any(t.shape.name in LIGHTS for t in above)
    if not things and not lights:
        things, above = above, []
    ground = choose_ground(scene, reading, things) if grounded else ""
    if not things:
        return _empty(scene, reading, above, ground, kind)
    middle = 0.5 if scene.centred or kind in ("near", "alone") else scene.focus[0]
    x = c.left + wide * middle
    boxes = {
        "stand": (0.62, 0.40, 0.80),
        "near": (0.82, 0.58, 0.90),
        "far": (0.56, 0.33, 0.84),
        "alone": (0.70, 0.62, 0.0),
    }
    across, up, foot = boxes[kind]
    across = min(across * wide, 2.2 * across)
    up *= min(tall, 1.3)
    if kind == "alone":
        floor = c.top + tall * 0.5 + up / 2 - (0.02 if not above else -0.06 * tall)
        if above:
            up *= 0.8
    else:
        floor = c.top + tall * foot
    said = None if grounded else reading.meaning(*horizon.FORMS)
    if said:
        floor, up = c.bottom - 0.15 * tall, 0.92 * up
    several = len(things) > 1 or things[0].count > 1
    if kind == "alone" and not several and not said:  # emblems of one topic lie elsewhere from seed to seed
        x += float(rng.choice([-0.11, -0.06, 0.0, 0.0, 0.06, 0.11])) * wide
        across, up = (float(rng.uniform(0.82, 1.08)) * v for v in (across, up))
        scene.notes["aside"] = abs(x - (c.left + 0.5 * wide)) > 0.03
    if "small" in things[0].manners and not several:
        across, up = 0.62 * across, 0.62 * up
    if reading.emblems and not several:
        across, up = 0.8 * across, 0.8 * up  # room for what is beside it
    if several:
        across, up = max(across, 0.60 * min(wide, 2.2)), max(up, 0.44 * min(tall, 1.3))
        x, across = (
            c.left + wide * (0.5 if kind != "stand" else 0.5 + 0.3 * (middle - 0.5)),
            min(1.25 * across, (0.70 if reading.emblems else 0.88) * wide),
        )
    items = layout.fit(layout.group(things, rng), x, floor, across, up)
    if len({i.thing for i in items}) == 1 and all(i.aloft for i in items) and ground not in ("", "deep"):
        lift = rng.uniform(0.12, 0.22) * tall
        items = [i.moved(0, -lift) for i in items]
    if said:
        line = floor
        if all(i.aloft for i in items):  # they float above it
            line = c.bottom - (0.13 if said == "sea" else 0.06) * tall
            items = [i.moved(0, -(0.16 if said in ("sea", "dunes", "meadow", "space") else 0.20) * tall) for i in items]
            short = max((c.top + 0.06 * tall - min(i.box[1] for i in items)), 0)
            items = [i.moved(0, short) for i in items]
        band = horizon.draw(c, said, line, scene.stream("horizon"))
    if ground == "deep":
        items = [i.moved(0, floor * 0 - (floor - up / 2 - (c.top + 0.55 * tall))) for i in items]
    half = (max(i.box[2] for i in items) - min(i.box[0] for i in items)) / 2
    x = (max(i.box[2] for i in items) + min(i.box[0] for i in items)) / 2
    shift = max(c.left + 0.05 * wide - (x - half), 0) - max(x + half - (c.right - 0.05 * wide), 0)
    items = [i.moved(shift, 0) for i in items]
    if rng.random() < 0.5 and not any("clock" in i.shape.name for i in items):
        items = [replace(i, x=2 * (x + shift) - i.x, mirrored=True) for i in items]
    stage = Stage(scene, reading, items, [], ground, horizon=band if said else None)
    place_light(stage, above, grounded)
    _emblems(stage)
    nearest = {item.thing.word: item for item in stage.all()}  # of several, the one that nothing hides
    for item in (*stage.items, *stage.sky):
        stage.shown.setdefault(item.thing.word, nearest[item.thing.word])
    return stage


def _emblems(stage: Stage) -> None:
    """Small outlines on both sides of the things, for what they do."""
    c, rng = stage.canvas, stage.scene.stream("emblems")
    x0, y0, x1, y1 = stage.bounds()
    for word, name in stage.reading.emblems[:2]:
        thing, aspect = Thing(word, named(name)), outlines.aspect(named(name))
        room = 1 if c.right - x1 > x0 - c.left else -1
        for k, side in enumerate((-room, room) if name != "zzz" else (room,)):
            size = float(np.clip(0.30 * (y1 - y0), 0.10, 0.17)) * (1.0 if k == 0 else 0.8)
            w, h = (size, size / aspect) if aspect > 1 else (size * aspect, size)
            x = (x0 - 0.55 * w) if side < 0 else (x1 + 0.55 * w)
            x = float(np.clip(x, c.left + 0.09 + w / 2, c.right - 0.09 - w / 2))
            y = y0 + (0.16 if k == 0 else 0.02) * (y1 - y0) + rng.uniform(0, 0.04)
            if x - 0.3 * w < x1 and x + 0.3 * w > x0:  # no room beside it: above its shoulder
                y = y0 - 0.8 * h
            y = max(y, c.top + 0.05) + h
            if len(stage.sky) < 6:
                stage.sky.append(Item(thing, x, y, w, h, k, 2.0, True))


def _empty(scene: Scene, reading: Reading, above: list[Thing], ground: str, kind: str) -> Stage:
    """A landscape in which nothing stands: its moon or sun is the subject."""
    c, rng = scene.canvas, scene.stream("empty")
    stage = Stage(scene, reading, [], [], ground)
    scene.horizon = c.top + (c.bottom - c.top) * {"far": 0.66, "near": 0.80}.get(kind, 0.72)
    scene.sun = {"far": 0.15, "near": 0.30}.get(kind, 0.22)
    scene.focus = (scene.focus[0] if kind != "near" else 0.5, scene.horizon - scene.sun - rng.uniform(0.06, 0.20))
    for thing in above:
        if thing.shape.name in LIGHTS:
            scene.notes["moon" if "moon" in thing.shape.name else "sun"] = thing
            stage.light_at(thing, scene.sun)
        else:
            side = c.left + 0.2 if scene.focus[0] > 0.5 else c.right - 0.2
            stage.sky.append(Item(thing, side, c.top + 0.34, 0.2, 0.2, len(stage.sky), 2.0, True))
            stage.shown.setdefault(thing.word, stage.sky[-1])
    return stage


def place_light(stage: Stage, above: list[Thing], grounded: bool) -> None:
    """Put the scene's light behind what stands, and what belongs into the sky into free corners of it."""
    scene, c = stage.scene, stage.canvas
    rng = scene.stream("sky places")
    x0, y0, x1, y1 = stage.bounds()
    height, middle = y1 - y0, (x0 + x1) / 2
    foot = max(i.y for i in stage.items)
    scene.horizon = foot - (0.05 if stage.ground not in ("sea", "") else 0.0)
    scene.sun = float(np.clip(rng.uniform(0.42, 0.66) * max(height, 0.6 * (x1 - x0)), 0.12, 0.34))
    scene.focus = (
        middle + rng.uniform(-1, 1) * min(0.5 * scene.sun, 0.13),
        float(np.clip(y0 + rng.uniform(0.12, 0.46) * height, c.top + 0.2, scene.horizon - 0.10)),
    )
    spots = [(c.left + 0.17, c.top + 0.19), (c.right - 0.17, c.top + 0.17), (middle, c.top + 0.13)]
    if middle < (c.left + c.right) / 2:
        spots[0], spots[1] = spots[1], spots[0]
    spots = sorted(spots, key=lambda s: -min(abs(s[0] - middle) + abs(s[1] - y0), 1.0))
    for thing in above:
        if grounded and thing.shape.name in LIGHTS:
            scene.notes["moon" if "moon" in thing.shape.name else "sun"] = thing
            room = 1 if c.right - x1 > x0 - c.left else -1
            scene.sun = float(np.clip(0.42 * height, 0.12, 0.19))
            side = x1 + 0.35 * scene.sun if room > 0 else x0 - 0.35 * scene.sun
            scene.focus = (
                float(np.clip(side, c.left + 1.15 * scene.sun, c.right - 1.15 * scene.sun)),
                float(np.clip(y0 - 0.5 * scene.sun, c.top + 1.25 * scene.sun, 1.0)),
            )
            stage.light_at(thing, scene.sun)
            continue
        for k in range(min(thing.count, 3)):
            x, y = spots[(len(stage.sky)) % 3]
            size = 0.21 if k == 0 else 0.13
            aspect = outlines.aspect(thing.shape)
            w, h = (size, size / aspect) if aspect > 1 else (size * aspect, size)
            stage.sky.append(Item(thing, x, y + h / 2, w, h, k, 2.0, True))
    if grounded:
        return
    extra = [(word, key) for word, key in stage.reading.around if key in BADGES]
    for word, key in extra[: 3 - len(stage.sky)]:
        if key in ("snow", "rain", "stars", "night"):
            continue  # drawn all over
        thing = Thing(word, named(BADGES[key]))
        x, y = spots[len(stage.sky) % 3]
        stage.sky.append(Item(thing, x, y + 0.09, 0.18 * min(1, outlines.aspect(thing.shape)), 0.18, 0, 2.0, True))


def choose_ground(scene: Scene, reading: Reading, things: list[Thing]) -> str:
    """What things stand on: what the topic says, else where they live, else the setting's own ground."""
    said = reading.meaning("sea", "mountains", "forest", "meadow", "dunes", "city", "space")
    names = [t.shape.name for t in things]
    homes = [home for home in map(habitat_of, names) if home]
    rng = scene.stream("ground")
    ground = said or (homes[0] if homes else None)
    if ground is None:
        own = {"abstract": "meadow", "faces": "mountains", "geometry": "dunes", "waves": "sea", "machines": "city"}
        ground = own.get(scene.second, scene.second)
    deep = (
        bool(names)
        and all(BELOW_WATER.search(n) for n in names)
        and not reading.meaning("stars", "night", "dusk", "rain", "storm", "snow")
    )
    if ground == "sea" and deep and rng.random() < 0.6:
        return "deep"
    return ground
