"""Palettes: colour words into OKLCH, then four to six colours that belong together, built around the brief's colour."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ..errors import InvalidValue, nearest

PUBLISHED = {
    "dark blue": "#03235b", "red": "#d3162c", "black": "#101014", "purple": "#7e1e9c", "orange": "#f5790a",
    "yellow": "#f7d11e", "green": "#15a04a", "light blue": "#8fcdf2", "white": "#f4f3ee", "grey": "#8c8e92", "gray": "#8c8e92",
}  # fmt: skip
"""The colours of the published prompts, as inks that print well; any other word is looked up in the xkcd survey."""
PLAIN = ("very", "colored", "coloured", "color", "colour")


def oklab_to_linear(lab: np.ndarray) -> np.ndarray:
    """OKLab (Ottosson 2020), shape=(..., 3), to linear sRGB, shape=(..., 3); outside [0, 1] where out of gamut.

    >>> oklab_to_linear(np.array([1.0, 0.0, 0.0])).round(3).tolist()
    [1.0, 1.0, 1.0]
    """
    l, a, b = lab[..., 0], lab[..., 1], lab[..., 2]
    p = (l + 0.3963377774 * a + 0.2158037573 * b) ** 3
    q = (l - 0.1055613458 * a - 0.0638541728 * b) ** 3
    r = (l - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return np.stack([
        4.0767416621 * p - 3.3077115913 * q + 0.2309699292 * r,
        -1.2684380046 * p + 2.6097574011 * q - 0.3413193965 * r,
        -0.0041960863 * p - 0.7034186147 * q + 1.7076147010 * r,
    ], axis=-1)  # fmt: skip


def linear_to_oklab(rgb: np.ndarray) -> np.ndarray:
    """Linear sRGB to OKLab, both shape=(..., 3): the inverse of `oklab_to_linear`."""
    r, g, b = rgb[..., 0], rgb[..., 1], rgb[..., 2]
    p = np.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b)
    q = np.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b)
    s = np.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b)
    return np.stack([
        0.2104542553 * p + 0.7936177850 * q - 0.0040720468 * s,
        1.9779984951 * p - 2.4285922050 * q + 0.4505937099 * s,
        0.0259040371 * p + 0.7827717662 * q - 0.8086757660 * s,
    ], axis=-1)  # fmt: skip


def lch(lightness: float, chroma: float, hue: float) -> np.ndarray:
    """OKLCH (hue in degrees) to linear sRGB, shape=(3,): chroma is lowered until the colour can be shown.

    >>> bool(np.all(lch(0.7, 0.4, 140) >= 0) and np.all(lch(0.7, 0.4, 140) <= 1))
    True
    """
    lightness = float(np.clip(lightness, 0.0, 1.0))
    turn = np.array([0.0, np.cos(np.deg2rad(hue)), np.sin(np.deg2rad(hue))])
    grey = np.array([lightness, 0.0, 0.0])
    low, high = 0.0, float(chroma)
    for step in range(16):
        c = high if step == 0 else (low + high) / 2
        rgb = oklab_to_linear(grey + c * turn)
        inside = rgb.min() >= -1e-4 and rgb.max() <= 1 + 1e-4
        if inside and step == 0:
            return np.clip(rgb, 0, 1)
        low, high = (c, high) if inside else (low, c)
    return np.clip(oklab_to_linear(grey + low * turn), 0, 1)


@lru_cache(256)
def colour_word(text: str) -> tuple[float, float, float]:
    """A colour word as OKLCH (lightness, chroma, hue in degrees): published colours, the 949 xkcd names, CSS names or #rrggbb.

    Raises:
        InvalidValue: a word that is none of them; the nearest ones are in the message.

    >>> l, c, h = colour_word("Dark  Blue"); 0.2 < l < 0.4 and 250 < h < 275
    True
    """
    words = [w for w in text.lower().replace("-", " ").split() if w not in PLAIN]
    name = " ".join(words)
    code = PUBLISHED.get(name) or _survey(name)
    if code is None:
        known = [k.removeprefix("xkcd:") for k in _names()] + list(PUBLISHED)
        hint = nearest(name, known).split(" (known")[0]
        hint = hint if hint.startswith("did") else "use a colour name such as 'dark blue', or #rrggbb"
        raise InvalidValue(f"{text!r} is not a colour that is known here; {hint}")
    srgb = np.array([int(code[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    lab = linear_to_oklab(np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4))
    return float(lab[0]), float(np.hypot(lab[1], lab[2])), float(np.rad2deg(np.arctan2(lab[2], lab[1])) % 360)


def _names() -> dict[str, str]:
    from matplotlib.colors import CSS4_COLORS, XKCD_COLORS  # the xkcd colour survey (CC0) travels with matplotlib

    return {**XKCD_COLORS, **CSS4_COLORS}


def _survey(name: str) -> str | None:
    if name.startswith("#"):
        code = name[1:]
        code = "".join(c + c for c in code) if len(code) == 3 else code
        return "#" + code if len(code) == 6 and all(c in "0123456789abcdef" for c in code) else None
    names = _names()
    for key in ("xkcd:" + name, name, name.replace(" ", "")):
        if key in names:
            return names[key].lower()
    return None


@dataclass(frozen=True)
class Palette:
    """A cover's colours, all linear sRGB, shape=(3,), and its key ("night", "dusk" or "day").

    `sky`: four stops from the zenith to the horizon. `ink`: silhouettes. `haze`: what distance fades into. `glow`: the light's
    colour. `pale`: the lightest. `accent`: the one colour from elsewhere on the wheel.
    """

    key: str
    hue: float
    chroma: float
    sky: tuple[np.ndarray, ...]
    ink: np.ndarray
    haze: np.ndarray
    glow: np.ndarray
    pale: np.ndarray
    accent: np.ndarray
    base: np.ndarray

    def between(self, a: np.ndarray, b: np.ndarray, t: float) -> np.ndarray:
        """The colour a share `t` of the way from a to b, in OKLab."""
        la, lb = linear_to_oklab(a), linear_to_oklab(b)
        return np.clip(oklab_to_linear(la + t * (lb - la)), 0, 1)


def ramp(*stops: np.ndarray, at: tuple[float, ...] | None = None, entries: int = 1024) -> np.ndarray:
    """A colour table, shape=(3, entry), through linear sRGB stops, straight lines in OKLab, smooth at the stops."""
    labs = np.stack([linear_to_oklab(np.asarray(s, float)) for s in stops])
    place = np.linspace(0, 1, len(stops)) if at is None else np.asarray(at, float)
    t = np.linspace(0, 1, entries)
    lab = np.stack([np.interp(t, place, labs[:, k]) for k in range(3)])
    kernel = np.hanning(entries // 10 + 2)
    kernel /= kernel.sum()
    edge = len(kernel) // 2
    lab = np.stack([np.convolve(np.pad(row, edge, mode="edge"), kernel, "same")[edge:-edge][:entries] for row in lab])
    return np.clip(oklab_to_linear(lab.T).T, 0, 1).astype(np.float32)


def compose(
    colour: str, valence: float, energy: float, tension: float, brightness: float, rng: np.random.Generator
) -> Palette:
    """Build the palette: the brief's colour leads, valence says where the light comes from, tension how far the accent lies.

    Axes are in [-1, 1]. Schemes (analogous, split, complementary) follow Itten's contrasts; lightness keys follow the colour's own.
    """
    base_l, base_c, hue = colour_word(colour)
    neutral = base_c < 0.03
    warm = valence + rng.normal(0, 0.5) > 0
    if neutral:  # black, white and grey lead by being neutral: a hue from the topic lights them
        hue = float(rng.choice([25, 45, 70, 350, 330] if warm else [200, 230, 265, 160, 300])) + rng.normal(0, 8)
    else:
        hue = hue + rng.normal(0, 5)
    toward = _turn(hue, warm)
    far = float(np.clip(0.5 + 0.25 * tension + rng.normal(0, 0.2), 0, 1))
    light_hue = hue + toward * (28 + 34 * far)
    accent_hue = hue + (
        180 + rng.normal(0, 14) if rng.random() < 0.45 + 0.25 * tension else toward * rng.uniform(80, 130)
    )
    vivid = float(np.clip(1.0 + 0.18 * energy + rng.normal(0, 0.06), 0.7, 1.3))
    level = base_l + 0.07 * brightness + rng.normal(0, 0.02)
    key = "night" if level < 0.46 else ("dusk" if level < 0.79 else "day")
    c = 0.02 if neutral else min(base_c, 0.23)
    if key == "night":
        c = c if neutral else max(c, 0.11)
        sky_l = (0.13, 0.22 if neutral else 0.27, 0.40 if neutral else 0.45, 0.60 if neutral else 0.70)
        sky = [lch(sky_l[0], 0.5 * c, hue), lch(sky_l[1], c, hue), lch(sky_l[2], max(1.15 * c, 0.05) * vivid, hue + 0.35 * (light_hue - hue)),
               lch(sky_l[3], 0.13 * vivid if not neutral else 0.07, light_hue)]  # fmt: skip
        ink, pale, glow = (
            lch(0.11, 0.035, hue),
            lch(0.95, 0.03, light_hue),
            lch(0.84, 0.13 * vivid, light_hue + toward * 14),
        )
        accent = lch(0.72, 0.19 * vivid, hue if neutral else accent_hue)
    elif key == "dusk":
        sky = [lch(max(0.30, base_l - 0.26), 0.85 * c, hue - toward * 12), lch(base_l - 0.06, c * vivid, hue),
               lch(min(base_l + 0.08, 0.8), c * vivid, hue + 0.4 * (light_hue - hue)), lch(0.87, 0.55 * c, light_hue)]  # fmt: skip
        ink, pale, glow = (
            lch(0.17, 0.06 * (not neutral), hue - toward * 20),
            lch(0.96, 0.04, light_hue),
            lch(0.92, 0.09, light_hue + toward * 8),
        )
        accent = lch(0.55 if base_l > 0.6 else 0.75, 0.17 * vivid, accent_hue)
    else:
        sky = [lch(base_l - 0.10, min(1.2 * c, 0.17) * vivid, hue - toward * 8), lch(base_l, c, hue),
               lch(0.91, 0.65 * c, hue + 0.5 * (light_hue - hue)), lch(0.95, 0.05, light_hue)]  # fmt: skip
        ink, pale, glow = (
            lch(0.30, 0.09 * (not neutral), hue + (15 if hue < 150 else 0)),
            lch(0.98, 0.015, light_hue),
            lch(0.97, 0.05, light_hue),
        )
        accent = lch(0.64, 0.18 * vivid, accent_hue)
    return Palette(
        key,
        hue % 360,
        c,
        tuple(sky),
        ink,
        sky[2] if key == "night" else sky[3],
        glow,
        pale,
        accent,
        lch(base_l, base_c, hue),
    )


def _turn(hue: float, warm: bool) -> float:
    """The direction round the wheel (+1 or -1) that leads from `hue` to the warm (60) or the cool (215) side the short way."""
    goal = 60 if warm else 215
    away = (goal - hue + 180) % 360 - 180
    return 1.0 if away >= 0 else -1.0
