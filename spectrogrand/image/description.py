"""What can be said of a picture without knowing what it shows: its colours, light, texture and composition, measured.

Colours are compared in OKLab (Ottosson 2020): L in [0, 1], chroma = hypot(a, b), about 0.03 for a grey and 0.25 for a neon sign.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..types import Image
from .colour import oklab, shrink

SIDE = 128
"""Pictures are looked at with this longer side: what is smaller than a pixel then is texture that nobody names."""
COLOURS = {
    "black": (10, 10, 12), "dark grey": (68, 68, 70), "grey": (128, 128, 128), "light grey": (196, 196, 196),
    "white": (248, 248, 248), "cream": (245, 234, 205), "beige": (212, 188, 150), "brown": (118, 74, 40),
    "dark brown": (58, 36, 22), "dark red": (118, 16, 22), "red": (214, 34, 36), "orange": (242, 128, 32),
    "gold": (222, 172, 52), "yellow": (250, 228, 60), "olive": (112, 114, 44), "lime": (160, 220, 50),
    "green": (48, 150, 62), "dark green": (20, 70, 36), "mint": (165, 225, 195), "turquoise": (58, 200, 190),
    "teal": (14, 112, 116), "sky blue": (130, 196, 240), "blue": (40, 92, 212), "dark blue": (20, 30, 84),
    "slate blue": (84, 104, 138), "lavender": (190, 176, 234), "purple": (122, 52, 164), "dark purple": (54, 22, 82),
    "magenta": (214, 40, 160), "pink": (244, 166, 196), "dusty pink": (206, 140, 150), "peach": (250, 200, 166),
    "terracotta": (196, 104, 70), "tan": (188, 142, 98), "pale blue": (156, 180, 196), "sage green": (146, 162, 128),
    "mauve": (140, 100, 132), "plum": (96, 44, 84),
}  # fmt: skip
"""The colour names in use and what they mean in sRGB: few enough that neighbours are told apart at a glance."""
LEAST_SHARE = 0.08
"""A colour of a smaller part of the picture is not named (the largest one always is)."""
_WEIGHTS = (0.6, 1.4, 1.4)
"""Of L, a and b when a colour looks for its name: a shadow on a red wall is dark red rather than grey."""


@dataclass(frozen=True)
class Look:
    """What was measured of a picture.

    Attributes:
        colours: names with their shares of the pixels, the most striking (share times saturation) first.
        lightness: mean OKLab L in [0, 1]. contrast: its standard deviation. chroma: mean OKLab chroma.
        warmth: mean of (a + b) in OKLab; positive for reds and yellows, negative for greens and blues.
        detail: mean lightness step between neighbours at 128 pixels, in [0, 1].
        lines: "level", "upright" or "slanting" where most edges run one way, else "".
        centre: lightness of the middle less that of the rim. above: of the upper third less that of the lower.
        side: of the left third less that of the right. mirrored: correlation with its mirror image, in [-1, 1].
    """

    colours: tuple[tuple[str, float], ...]
    lightness: float
    contrast: float
    chroma: float
    warmth: float
    detail: float
    lines: str
    centre: float
    above: float
    side: float
    mirrored: float


def look(image: Image) -> Look:
    """Measure a picture of any size.

    >>> look(Image(np.full((40, 60, 3), (214, 34, 36), np.uint8))).colours
    (('red', 1.0),)
    """
    rows, columns = image.size
    scale = SIDE / max(rows, columns)
    lab = oklab(shrink(image.pixels, max(1, round(rows * scale)), max(1, round(columns * scale)))).astype(np.float64)
    light, chroma = lab[..., 0], np.hypot(lab[..., 1], lab[..., 2])
    middle = _middle(light)
    return Look(
        colours=_colours(lab),
        lightness=float(light.mean()),
        contrast=float(light.std()),
        chroma=float(chroma.mean()),
        warmth=float((lab[..., 1] + lab[..., 2]).mean()),
        detail=_detail(light),
        lines=_lines(light),
        centre=float(light[middle].mean() - light[~middle].mean()) if (~middle).any() and middle.any() else 0.0,
        above=_thirds(light),
        side=_thirds(light.T),
        mirrored=_correlation(light, light[:, ::-1]),
    )


def _colours(lab: np.ndarray) -> tuple[tuple[str, float], ...]:
    anchors = oklab(np.array(list(COLOURS.values()), np.uint8))
    flat = lab.reshape(-1, 3)
    apart = (((flat[:, None] - anchors[None]) * _WEIGHTS) ** 2).sum(axis=-1)
    shares = np.bincount(apart.argmin(axis=1), minlength=len(anchors)) / len(flat)
    seen = np.flatnonzero((shares >= LEAST_SHARE) | (shares == shares.max()))
    strength = shares * (0.04 + np.hypot(anchors[:, 1], anchors[:, 2]))
    order = seen[np.argsort(-strength[seen], kind="stable")]
    return tuple((list(COLOURS)[i], round(float(shares[i]), 4)) for i in order)


def _detail(light: np.ndarray) -> float:
    steps = [np.abs(np.diff(light, axis=axis)).mean() for axis in (0, 1) if light.shape[axis] > 1]
    return float(np.mean(steps)) if steps else 0.0


def _lines(light: np.ndarray) -> str:
    """The direction of most edges, by the structure tensor's coherence (Bigun & Granlund, ICCV 1987)."""
    if min(light.shape) < 8:
        return ""
    down, across = np.gradient(light)
    xx, yy, xy = (across**2).mean(), (down**2).mean(), (across * down).mean()
    if xx + yy < 1e-6 or np.hypot(xx - yy, 2 * xy) / (xx + yy) < 0.5:
        return ""
    steepest = 0.5 * np.degrees(np.arctan2(2 * xy, xx - yy)) % 180  # edges run at right angles to it
    if steepest < 22.5 or steepest > 157.5:
        return "upright"
    return "level" if 67.5 < steepest < 112.5 else "slanting"


def _middle(light: np.ndarray) -> np.ndarray:
    y, x = np.ogrid[: light.shape[0], : light.shape[1]]
    rows, columns = light.shape
    inside: np.ndarray = (abs(y - (rows - 1) / 2) <= rows / 4) & (abs(x - (columns - 1) / 2) <= columns / 4)
    return inside


def _thirds(light: np.ndarray) -> float:
    third = max(1, len(light) // 3)
    return float(light[:third].mean() - light[-third:].mean())


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    x, y = a - a.mean(), b - b.mean()
    power = float(np.sqrt((x**2).sum() * (y**2).sum()))
    return float((x * y).sum() / power) if power > 1e-6 else 1.0
