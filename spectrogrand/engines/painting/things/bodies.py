"""Bodies: what a font draws as a head alone, made whole, so that it can stand in a landscape or ride a horse."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..canvas import Array

WHOLE = " whole"
"""What the name of a head made whole ends with."""
ANIMALS = re.compile(
    r"^(?:fox|wolf|bear|panda|koala|polar bear|hamster|lion|raccoon|frog|(?:cat|dog|tiger|cow|pig|monkey|mouse|rabbit) face)$"
)
PEOPLE = re.compile(
    r"^(?:(?:old |older )?(?:man|woman|person|boy|girl|child)|(?:man |woman )?(?:artist|astronaut|cook|detective|elf|farmer|"
    r"firefighter|guard|judge|mage|pilot|police officer|scientist|singer|student|teacher|technologist|vampire|zombie|"
    r"construction worker|health worker|mechanic|office worker|factory worker)|prince|princess|person with crown|ninja|"
    r"santa claus|mrs claus|man bald|man beard|woman bald|person bald|person beard|clown face|alien|skull|jack o lantern|"
    r"(?:man|woman|person) wearing turban|woman with headscarf|person with skullcap|(?:man|woman|person) with veil|"
    r"cowboy hat face)$"
)
ROBOTS = re.compile(r"^robot$")
SKIRTS = re.compile(r"woman|girl|princess|queen|mrs|veil|headscarf")
BUSHY = re.compile(r"fox|wolf|raccoon")
NO_TAIL = re.compile(r"bear|panda|koala|hamster|frog|rabbit")
HEADLESS = re.compile(r"skull|jack o lantern")
"""Things of their own, which become a figure for no topic."""


def has_body(name: str) -> bool:
    """Whether a shape of that name is a head to which a body is known.

    >>> has_body("fox"), has_body("robot"), has_body("bicycle")
    (True, True, False)
    """
    return bool(not HEADLESS.search(name) and (ANIMALS.match(name) or PEOPLE.match(name) or ROBOTS.match(name)))


class _Pencil:
    """Closed forms drawn over each other: each hides what lies under it and has a line around it."""

    def __init__(self, rows: int, columns: int, unit: float, width: float) -> None:
        from PIL import Image, ImageDraw

        self.picture = Image.new("L", (columns, rows))
        self.draw = ImageDraw.Draw(self.picture)
        self.unit, self.width = unit, max(2, round(width))

    def form(self, points: Any, closed: bool = True) -> None:
        path = [(float(x) * self.unit, float(y) * self.unit) for x, y in points]
        if closed:
            self.draw.polygon(path, fill=0)
            path.append(path[0])
        self.draw.line(path, fill=255, width=self.width, joint="curve")
        r = self.width / 2
        for x, y in (path[0], path[-1]):
            self.draw.ellipse((x - r, y - r, x + r, y + r), fill=255)


def _curve(points: Sequence[tuple[float, float]], closed: bool = True, steps: int = 14) -> Array:
    """A smooth line through points (Catmull & Rom 1974), shape=(point, 2)."""
    at = np.asarray(points, float)
    n = len(at)
    found = []
    for k in range(n if closed else n - 1):
        a, b, c, d = (at[(k + j) % n] if closed else at[min(max(k + j, 0), n - 1)] for j in (-1, 0, 1, 2))
        t = np.linspace(0, 1, steps, endpoint=False)[:, None]
        found.append(0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3))
    return np.concatenate([*found, at[-1:]]) if not closed else np.concatenate(found)


def _capsule(a: tuple[float, float], b: tuple[float, float], r0: float, r1: float) -> Array:
    """A limb from a to b, r0 thick at its root and r1 at its end."""
    along = np.subtract(b, a)
    turn = np.arctan2(along[1], along[0])
    t = np.linspace(np.pi / 2, 3 * np.pi / 2, 12) + turn
    s = np.linspace(-np.pi / 2, np.pi / 2, 12) + turn
    root = np.stack([a[0] + r0 * np.cos(t), a[1] + r0 * np.sin(t)], 1)
    end = np.stack([b[0] + r1 * np.cos(s), b[1] + r1 * np.sin(s)], 1)
    return np.concatenate([root, end])


def _sitting(pencil: _Pencil, x: float, y: float, name: str) -> None:
    """An animal that sits and looks at us; x, y: the middle of its chin, in widths of its head."""
    floor = y + 0.78
    if BUSHY.search(name):
        tail = [(x + 0.20, floor - 0.02), (x + 0.62, floor - 0.02), (x + 0.88, floor - 0.26),
                (x + 0.90, floor - 0.62), (x + 0.74, floor - 0.92), (x + 0.66, floor - 0.60), (x + 0.50, floor - 0.36),
                (x + 0.24, floor - 0.24)]  # fmt: skip
        pencil.form(_curve(tail))
        tip = [(x + 0.665, floor - 0.62), (x + 0.73, floor - 0.54), (x + 0.78, floor - 0.62), (x + 0.84, floor - 0.53),
               (x + 0.905, floor - 0.58)]  # fmt: skip
        pencil.form(tip, closed=False)
    elif not NO_TAIL.search(name):
        tail = [(x + 0.34, floor - 0.07), (x + 0.62, floor - 0.10), (x + 0.70, floor - 0.34), (x + 0.58, floor - 0.52)]
        pencil.form(_capsule(tail[-1], (x + 0.56, floor - 0.56), 0.07, 0.07))
        spine = _curve(tail, closed=False)
        pencil.form(np.concatenate([spine + (0.03, 0.03), (spine - (0.03, 0.03))[::-1]]))
    body = [(x - 0.24, y - 0.16), (x - 0.33, y + 0.14), (x - 0.42, y + 0.42), (x - 0.46, floor - 0.14), (x - 0.36, floor),
            (x, floor), (x + 0.36, floor), (x + 0.46, floor - 0.14), (x + 0.42, y + 0.42), (x + 0.33, y + 0.14),
            (x + 0.24, y - 0.16)]  # fmt: skip
    pencil.form(_curve(body))
    for side in (-1, 1):  # haunch, then the foreleg before it
        haunch = [(x + side * 0.26, y + 0.40), (x + side * 0.21, y + 0.56), (x + side * 0.25, floor - 0.02)]
        pencil.form(_curve(haunch, closed=False), closed=False)
        foot = [(x + side * 0.20, floor - 0.11), (x + side * 0.40, floor - 0.11), (x + side * 0.45, floor - 0.03),
                (x + side * 0.40, floor + 0.03), (x + side * 0.20, floor + 0.03)]  # fmt: skip
        pencil.form(_curve(foot))
        pencil.form(_capsule((x + side * 0.11, y + 0.30), (x + side * 0.105, floor - 0.055), 0.075, 0.085))
    chest = [(x - 0.19, y + 0.10), (x - 0.17, y + 0.40), (x, y + 0.44), (x + 0.17, y + 0.40), (x + 0.19, y + 0.10),
             (x, y - 0.1)]  # fmt: skip
    pencil.form(_curve(chest))


def _standing(pencil: _Pencil, x: float, y: float, name: str) -> None:
    """A figure with one arm raised; x, y: the middle of its chin, in widths of its head."""
    floor = y + 0.98
    for side in (-1, 1):
        pencil.form(_capsule((x + side * 0.13, y + 0.44), (x + side * 0.15, floor - 0.09), 0.11, 0.085))
        shoe = [(x + side * 0.06, floor - 0.10), (x + side * 0.24, floor - 0.10), (x + side * 0.30, floor),
                (x + side * 0.05, floor)]  # fmt: skip
        pencil.form(shoe)
    hands = ((x - 0.50, y + 0.36), (x + 0.52, y - 0.02))
    for side, hand in zip((-1, 1), hands, strict=True):
        pencil.form(_capsule((x + side * 0.22, y + 0.12), hand, 0.085, 0.07))
        pencil.form(_capsule(hand, hand, 0.078, 0.078))
    if SKIRTS.search(name):
        body = [(x - 0.20, y - 0.10), (x + 0.20, y - 0.10), (x + 0.22, y + 0.22), (x + 0.40, y + 0.66),
                (x - 0.40, y + 0.66), (x - 0.22, y + 0.22)]  # fmt: skip
    else:
        body = [(x - 0.27, y - 0.10), (x + 0.27, y - 0.10), (x + 0.25, y + 0.52), (x, y + 0.55), (x - 0.25, y + 0.52)]
    pencil.form(body)
    waist = 0.22 if SKIRTS.search(name) else 0.38
    pencil.form([(x - 0.24, y + waist), (x + 0.24, y + waist)], closed=False)


def _machine(pencil: _Pencil, x: float, y: float, name: str) -> None:
    """A robot in mid-step, one arm up and one down; x, y: the middle of its chin, in widths of its head."""
    del name
    floor = y + 1.10

    def box(x0: float, y0: float, x1: float, y1: float) -> None:
        pencil.form([(x + x0, y + y0), (x + x1, y + y0), (x + x1, y + y1), (x + x0, y + y1)])

    def tube(points: Sequence[tuple[float, float]]) -> None:
        for a, b in zip(points[:-1], points[1:], strict=True):
            pencil.form(_capsule((x + a[0], y + a[1]), (x + b[0], y + b[1]), 0.055, 0.055))

    tube([(-0.18, 0.62), (-0.26, 0.84), (-0.18, 1.02)])
    tube([(0.18, 0.62), (0.34, 0.78), (0.30, 1.00)])
    for left in (-0.32, 0.18):
        box(left, floor - y - 0.12, left + 0.26, floor - y)
    tube([(-0.36, 0.14), (-0.56, -0.02), (-0.62, -0.28)])
    tube([(0.36, 0.14), (0.58, 0.30), (0.50, 0.52)])
    for hx, hy, up in ((-0.62, -0.34, -1), (0.48, 0.58, 1)):
        pencil.form([(x + hx - 0.11, y + hy), (x + hx + 0.11, y + hy), (x + hx + 0.11, y + hy + 0.14 * up),
                     (x + hx + 0.04, y + hy + 0.14 * up), (x + hx + 0.04, y + hy + 0.06 * up),
                     (x + hx - 0.04, y + hy + 0.06 * up), (x + hx - 0.04, y + hy + 0.14 * up),
                     (x + hx - 0.11, y + hy + 0.14 * up)])  # fmt: skip
    box(-0.14, -0.08, 0.14, 0.10)
    box(-0.37, 0.04, 0.37, 0.64)
    box(-0.22, 0.16, 0.22, 0.36)
    for dx in (-0.14, 0.0, 0.14):
        pencil.form(_capsule((x + dx, y + 0.49), (x + dx, y + 0.49), 0.04, 0.04))


PLANS: tuple[tuple[re.Pattern[str], Callable[[_Pencil, float, float, str], None], float, float], ...] = (
    (ANIMALS, _sitting, 0.82, 0.82),
    (ROBOTS, _machine, 1.14, 0.98),
    (PEOPLE, _standing, 1.02, 0.96),
)
"""Which heads, their body, its height under the chin in widths of the head, and where the chin is in heights of the head."""


def whole(head: Array, name: str) -> Array:
    """A head's lines with its body's under them: float32 in [0, 1], shape=(row, column), cut to the ink.

    Args:
        head: its lines, shape=(row, column), as `outlines.lines` gives them.
        name: the head's English name, `has_body` of it is true.
    """
    from PIL import Image
    from scipy.ndimage import binary_fill_holes

    _, body, under, chin = next(plan for plan in PLANS if plan[0].match(name))
    rows, columns = head.shape
    fine = 2
    low = head[int(0.80 * rows) :]
    at = np.flatnonzero(low.max(0) > 0.5)
    middle = (at[0] + at[-1]) / 2 if len(at) else columns / 2  # of the chin: hats and tools stick out
    unit = float(at[-1] - at[0] if len(at) and PEOPLE.match(name) else columns) / (0.90 if PEOPLE.match(name) else 1.0)
    margin = int(0.95 * unit)
    tall = int(chin * rows + (under + 0.08) * unit)
    pencil = _Pencil(fine * tall, fine * (columns + 2 * margin), fine * unit, fine * 0.038 * max(rows, columns))
    body(pencil, (margin + middle) / unit, chin * rows / unit, name)
    found = np.asarray(pencil.picture.reduce(fine), np.float32) / 255
    solid = binary_fill_holes(head > 0.4)
    part = found[:rows, margin : margin + columns]
    part *= 1 - solid[: part.shape[0]]
    np.maximum(part, head[: part.shape[0]], out=part)
    box = Image.fromarray((255 * found).astype(np.uint8)).getbbox()
    left, top, right, bottom = box if box else (0, 0, found.shape[1], found.shape[0])
    return np.ascontiguousarray(found[top:bottom, left:right])
