"""Light: glow, rays, bloom, vignette, grain and the last step from linear light to printed bytes."""

from __future__ import annotations

import numpy as np

from .canvas import WORK, Array, Canvas, resize, smoothstep

GRAIN_SIDE = 720
"""Film grain is drawn at this side and enlarged, so that the grain keeps its place at every size."""


def glow(canvas: Canvas, x: float, y: float, radius: float, colour: Array, strength: float) -> None:
    """Add a halo: strength / (1 + (d / radius)^2)^1.5 at distance d, as scattering around a small source falls off."""
    small = canvas.small()
    d = small.distance(x, y) / np.float32(radius)
    canvas.add(colour, canvas.up((strength * (1 + d * d) ** -1.5).astype(np.float32)))


def rays(canvas: Canvas, x: float, y: float, colour: Array, strength: float, rng: np.random.Generator, beams: int = 22,
         reach: float = 0.9) -> None:  # fmt: skip
    """Volumetric light: an angular random profile about (x, y) that fades with distance."""
    small = canvas.small()
    angle = np.arctan2(small.y - y, small.x - x) / (2 * np.pi) + 0.5
    profile = np.zeros(1024)
    t = np.arange(1024) / 1024
    for k in range(beams // 3, beams * 2):
        profile += rng.normal() * np.cos(2 * np.pi * (k * t + rng.random())) / np.sqrt(k)
    profile = smoothstep(0.3, 2.2, profile / profile.std())
    d = small.distance(x, y)
    field = np.interp(angle * 1024, np.arange(1025), np.append(profile, profile[0])) * smoothstep(0.0, 0.08, d)
    field = field * np.exp(-((d / reach) ** 2) * 1.6)
    canvas.add(colour, canvas.up((strength * field).astype(np.float32)))


def bloom(canvas: Canvas, threshold: float, strength: float) -> None:
    """Light above `threshold` spills over: two Gaussians, a tight and a wide one, as in a lens."""
    from scipy.ndimage import gaussian_filter

    c = canvas
    for k in range(3):
        bright = resize(np.maximum(canvas.light[k] - threshold, 0), WORK)
        tight, wide = ([s * WORK / (c.bottom - c.top), s * WORK / (c.right - c.left)] for s in (0.008, 0.04))
        spill = 0.6 * gaussian_filter(bright, tight) + 0.4 * gaussian_filter(bright, wide)
        canvas.light[k] += canvas.up(strength * spill)


def vignette(canvas: Canvas, strength: float) -> None:
    """Darken towards the corners by at most `strength` of the light."""
    small = canvas.small()
    across, down = canvas.right - canvas.left, canvas.bottom - canvas.top
    d = np.hypot((small.x - 0.5) / across, (small.y - 0.48) / down).astype(np.float32)
    canvas.light *= canvas.up(1 - np.float32(strength) * smoothstep(0.35, 0.85, d))


def develop(
    canvas: Canvas, rng: np.random.Generator, grain: float = 0.016, fade: float = 0.0, paper: float = 0.0
) -> Array:
    """Linear light to uint8 sRGB, shape=(row, column, rgb): soft shoulder, grain strongest in the middle tones, lifted blacks.

    `grain` is its standard deviation as a share of full scale; `fade` lifts black by that share; `paper` adds soft fibres.
    """
    s = np.linspace(0, 2, 8193)
    x = s * s  # the table is indexed by the square root, so that shadows get as many entries as lights
    x = np.where(x < 0.7, x, 0.7 + 0.3 * np.tanh((x - 0.7) / 0.3))
    table = np.where(x <= 0.0031308, 12.92 * x, 1.055 * x ** (1 / 2.4) - 0.055)
    table = (fade + (1 - fade) * np.clip(table, 0, 1)).astype(np.float32)
    tall, wide = canvas.bottom - canvas.top, canvas.right - canvas.left

    def film_of(side: int) -> Array:
        return canvas.up(rng.standard_normal((round(side * tall), round(side * wide))).astype(np.float32))

    film = film_of(GRAIN_SIDE) * np.float32(grain)
    if paper > 0:
        film += np.float32(paper) * film_of(190)
    out = np.empty((canvas.height, canvas.width, 3), np.uint8)
    for k in range(3):
        index = np.sqrt(np.clip(canvas.light[k], 0, 4)) * np.float32(4096)
        value = table.take(index.astype(np.int32), mode="clip")
        value += film * (0.45 + 2.2 * value * (1 - value))
        out[:, :, k] = np.clip(value * 255 + 0.5, 0, 255)
    return out
