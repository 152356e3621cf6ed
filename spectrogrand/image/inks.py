"""Colours: OKLab and OKLCH, colour words, and smooth tables between colours."""

from __future__ import annotations

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
    light, a, b = lab[..., 0], lab[..., 1], lab[..., 2]
    p = (light + 0.3963377774 * a + 0.2158037573 * b) ** 3
    q = (light - 0.1055613458 * a - 0.0638541728 * b) ** 3
    r = (light - 0.0894841775 * a - 1.2914855480 * b) ** 3
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
