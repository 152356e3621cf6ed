"""Palettes: four to six colours that belong together, built in OKLCH around the brief's colour."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...image.inks import colour_word, lch, linear_to_oklab, oklab_to_linear, ramp

PARTNERS: dict[int, tuple[tuple[float, float], tuple[float, ...], float]] = {
    25: ((70, 345), (350, 60, 85, 200), 345),
    60: ((90, 15), (25, 350, 205, 265), 350),
    100: ((70, 135), (55, 350, 200, 270), 25),
    148: ((112, 175), (195, 105, 60, 20), 215),
    195: ((90, 225), (225, 90, 45, 5), 255),
    232: ((55, 205), (265, 355, 35, 75), 275),
    262: ((15, 228), (205, 340, 30, 70), 290),
    310: ((20, 278), (350, 225, 60, 195), 280),
    350: ((60, 305), (305, 45, 215, 190), 310),
}
"""Base hue in OKLCH degrees: hues of (warm, cool) light, and accents from the closest to the farthest in feeling, and the
hue of shadows (warm colours darken to wine, green and blue to indigo, never to olive)."""


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


def compose(
    colour: str, valence: float, energy: float, tension: float, brightness: float, rng: np.random.Generator,
    key: str | None = None,
) -> Palette:  # fmt: skip
    """Build the palette: the brief's colour leads, valence turns the light warm or cool, tension moves the accent away.

    Axes are in [-1, 1]. `key` sets the hour where a topic names one; else dark colours make
    night, middle ones dusk, light ones day; see `PARTNERS` for the hues.
    """
    base_l, base_c, hue = colour_word(colour)
    neutral = base_c < 0.03
    warm = valence + rng.normal(0, 0.5) > 0
    if neutral:  # black, white and grey lead by being neutral: a hue from the topic lights them
        hue = float(rng.choice([30, 45, 75, 5, 340] if warm else [205, 230, 265, 175, 300])) + rng.normal(0, 6)
    else:
        hue = hue + rng.normal(0, 5)
    lights, accents, shadow = PARTNERS[min(PARTNERS, key=lambda h: abs((h - hue + 180) % 360 - 180))]
    light_hue = _near(hue, lights[0 if warm else 1] + rng.normal(0, 8))
    toward = 1.0 if light_hue >= hue else -1.0
    place = float(np.clip(0.45 + 0.35 * tension + rng.normal(0, 0.35), 0, 0.999))
    accent_hue = accents[int(place * len(accents))] + rng.normal(0, 6)
    vivid = float(np.clip(1.0 + 0.18 * energy + rng.normal(0, 0.06), 0.7, 1.3))
    level = base_l + 0.07 * brightness + rng.normal(0, 0.02)
    if key == "dusk":
        base_l = float(np.clip(base_l, 0.50, 0.74))
    elif key == "day":
        base_l = max(base_l, 0.76)
    key = key or ("night" if level < 0.46 else ("dusk" if level < 0.79 else "day"))
    c = 0.02 if neutral else min(base_c, 0.23)
    if key == "night":
        tones = (
            (0.07, 0.12, 0.20, 0.36)
            if neutral
            else (0.12, 0.24, 0.38, 0.62)
            if base_l < 0.36
            else (0.13, 0.27, 0.45, 0.70)
        )
        c = 0.022 if neutral else max(c, 0.11)
        sky = [
            lch(tones[0], 0.5 * c, hue),
            lch(tones[1], c, hue),
            lch(tones[2], max(1.15 * c, 0.035) * vivid, hue + 0.35 * (light_hue - hue)),
            lch(tones[3], 0.075 if neutral else 0.13 * vivid, light_hue),
        ]
        ink = lch(0.07 if neutral else 0.11, 0.012 if neutral else 0.035, hue)
        pale, glow = lch(0.95, 0.03, light_hue), lch(0.84, 0.13 * vivid, light_hue + toward * 10)
        accent = lch(0.74, 0.18 * vivid, hue if neutral else accent_hue)
    elif key == "dusk":
        c = 0.03 if neutral else c
        zenith = hue + 0.3 * (_near(hue, shadow) - hue)
        sky = [
            lch(max(0.30, base_l - 0.24), 0.9 * c, zenith),
            lch(base_l - 0.04, c * vivid, hue),
            lch(min(base_l + 0.08, 0.84), c * vivid, hue + 0.4 * (light_hue - hue)),
            lch(0.88, 0.55 * c, light_hue),
        ]
        ink = lch(0.19, 0.0 if neutral else 0.075, shadow)
        pale, glow = lch(0.965, 0.035, light_hue), lch(0.92, 0.09, light_hue + toward * 6)
        accent = lch(0.55 if base_l > 0.6 else 0.75, 0.18 * vivid, accent_hue)
    else:
        c = 0.0 if neutral else c
        sky = [
            lch(base_l - 0.10, min(1.2 * c, 0.17) * vivid, hue + 0.25 * (_near(hue, shadow) - hue)),
            lch(base_l, c, hue),
            lch(0.91, 0.65 * c, hue + 0.5 * (light_hue - hue)),
            lch(0.95, 0.05, light_hue),
        ]
        ink = lch(0.30, 0.03 if neutral else 0.09, shadow)
        pale, glow = lch(0.98, 0.015, light_hue), lch(0.97, 0.05, light_hue)
        accent = lch(0.66, 0.18 * vivid, accent_hue)
    haze = sky[2] if key == "night" else sky[3]
    return Palette(key, hue % 360, c, tuple(sky), ink, haze, glow, pale, accent, lch(base_l, base_c, hue))


def _near(hue: float, other: float) -> float:
    """`other` on the turn of the wheel that is nearest to `hue`, so that the way between them is the short one."""
    return hue + (other - hue + 180) % 360 - 180


__all__ = ["Palette", "compose", "ramp"]
