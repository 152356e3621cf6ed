"""A compositional pattern network: class and noise vectors to symmetric, silk-like pictures, in numpy; nothing is trained.

Stanley, "Compositional pattern producing networks" (Genetic Programming and Evolvable Machines 8, 2007): a picture is a small
network of sines over mirrored and polar coordinates. Here every ImageNet class is a species: its id draws the first and last
layer and a palette. A class vector mixes species (weights over their Euclidean norm, so that a mixture of random networks is
as lively as one), a noise vector turns the phases, and the network's height is lit from a side like folds of cloth.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ..image.inks import lch, linear_to_oklab, oklab_to_linear

HIDDEN, ORDERS = 20, (2, 3, 4, 5, 6, 8)
FEATURES = 6 + len(ORDERS)
STOPS, TABLE = 6, 512
_GOLDEN = 137.50776
_BLOCK = 640
"""Pixels at once: a product of this size stays on one thread (OpenBLAS), whose waking costs more than it brings."""


@lru_cache(maxsize=64)
def species(number: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(first layer (hidden, feature), last layer (3, hidden), palette in OKLab (stop, 3)) of a class id, float32."""
    rng = np.random.default_rng([number, 20211])
    first = rng.normal(0, 1, (HIDDEN, FEATURES))
    first *= rng.gamma(1.6, 1.0, FEATURES) + 0.25  # a species prefers some of the symmetries
    first *= 2.1 / np.sqrt(np.square(first).sum(axis=1).mean())
    last = rng.normal(0, 1, (3, HIDDEN)) / np.sqrt(HIDDEN)
    hue = (number * _GOLDEN) % 360
    spread = rng.choice([28.0, 42.0, 65.0]) * rng.choice([-1, 1])
    accent = hue + rng.choice([150.0, 180.0, 210.0, 120.0])
    stops = [
        lch(0.16, 0.13, hue - 1.5 * spread), lch(0.33, 0.21, hue - 0.7 * spread), lch(0.55, 0.26, hue),
        lch(0.70, 0.21, hue + spread), lch(0.87, 0.13, hue + 1.7 * spread), lch(0.74, 0.21, accent),
    ]  # fmt: skip
    palette = linear_to_oklab(np.array(stops))
    return first.astype(np.float32), last.astype(np.float32), palette.astype(np.float32)


class Canvas:
    """Everything that stays the same at a size (rows, columns): coordinates, the hidden layers and the noise's directions."""

    def __init__(self, size: tuple[int, int], seed: int, symmetry: int) -> None:
        rows, columns = self.size = size
        short = min(size)
        y = (np.arange(rows) - (rows - 1) / 2) / (short / 2)
        x = (np.arange(columns) - (columns - 1) / 2) / (short / 2)
        y, x = np.meshgrid(y, x, indexing="ij")
        r = np.sqrt(x * x + y * y) + 1e-6
        angle = np.arctan2(x, -y)  # from the top, so that cosines are the same to the left and to the right
        if symmetry > 1:  # a kaleidoscope's wedge: rounded where it is mirrored
            angle = np.arcsin(0.985 * np.cos(symmetry * angle)) / symmetry
        x, y = r * np.sin(angle), r * np.cos(angle)
        near = [
            np.cos(n * angle) * r * (r / np.sqrt(r * r + 0.12)) ** min(n - 1, 4) for n in ORDERS
        ]  # smooth in the middle
        tunnel = 0.9 * np.log(r * r + 0.05)
        rosette = np.cos(2 * symmetry * angle) * np.cos(2.4 * tunnel) * r / np.sqrt(r * r + 0.1)
        sideways = np.sqrt(x * x + 0.02) if symmetry == 1 else 1.6 * x
        parts = [sideways, y, 1.2 * r, tunnel, np.cos(angle * 5) * np.sin(3.2 * r) * r, 0.7 * rosette, *near]
        features = np.stack([p.ravel() for p in parts]).astype(np.float32)
        self._blocks = [np.ascontiguousarray(features[:, k : k + _BLOCK]) for k in range(0, features.shape[1], _BLOCK)]
        self._work = np.empty((2, HIDDEN, _BLOCK), np.float32)
        rng = np.random.default_rng([seed, 77])
        self._inner = [(rng.normal(0, 1.25, (HIDDEN, HIDDEN)) / np.sqrt(HIDDEN)).astype(np.float32) for _ in range(2)]
        self._turns = rng.normal(0, 1, (3, HIDDEN, 128)).astype(np.float32) / np.float32(np.sqrt(128))
        self._still = rng.uniform(0, 2 * np.pi, (3, HIDDEN)).astype(np.float32)
        self._drift = rng.uniform(0.02, 0.09, (3, HIDDEN)) * rng.choice([-1, 1], (3, HIDDEN))
        self.vignette = (1 - 0.5 * np.clip(r / r.max(), 0, 1) ** 2.6).astype(np.float32)
        self._grain = np.random.default_rng(5).uniform(-0.5, 0.5, (*size, 1)).astype(np.float32)

    def draw(
        self, classes: tuple[int, ...], weights: np.ndarray, noise: np.ndarray, *, seconds: float, zoom: float = 1.0,
        light: float = 0.0, shimmer: float = 0.0, turn: float = 0.0, energy: float = 0.0,
    ) -> np.ndarray:  # fmt: skip
        """One picture, uint8, shape=(row, column, rgb).

        Args:
            weights: of the classes, nominal [0, 1].
            noise: shape=(128,), radians.
            seconds: of the slow drift that silence keeps.
            zoom: of the coordinates, 1 is none.
            light: brightness of the folds' edges, 0 to 1.
            shimmer: of the contour lines, 0 to 1.
            turn: where the light comes from, radians.
            energy: how far the palette opens, 0 to 1.
        """
        first, last, palette = blend(classes, weights)
        phase = self._still + self._turns @ noise + 2 * np.pi * seconds * self._drift
        height, wander, lines = self._fields(first / np.float32(zoom), phase.astype(np.float32), last)
        gy, gx = np.gradient(height)
        scale = np.float32(self.size[0] / 9)
        gx, gy = gx * scale, gy * scale
        length = np.sqrt(gx * gx + gy * gy + np.float32(1))
        facing = (gx * np.float32(0.8 * np.sin(turn)) + gy * np.float32(0.8) + np.float32(0.75)) / (
            length * np.float32(1.25)
        )
        facing = np.clip(facing, 0, 1)
        place = 0.46 + 0.30 * np.sin(2.0 * height + 0.9 * wander) + 0.10 * energy
        place = place * (0.72 + 0.3 * facing)
        table = ramp(palette)
        colour = table[np.clip(place * (TABLE - 1), 0, TABLE - 1).astype(np.int32)]
        gleam = np.square(np.square(np.square(facing)))
        gloss = gleam * gleam * np.float32(0.22 + 0.55 * light)
        contour = np.abs(np.sin(np.float32(np.pi * 1.6) * lines + np.float32(seconds * 0.4)))
        ly, lx = np.gradient(lines)
        slope = np.sqrt(lx * lx + ly * ly) * np.float32(np.pi * 1.6) + np.float32(0.02)
        glow = np.clip(1 - contour / (slope * 1.1), 0, 1) * np.float32(0.03 + 0.6 * shimmer)
        colour = colour * (np.float32(0.22) + np.float32(1.05) * facing)[..., None]
        colour = colour + gloss[..., None] * table[-90] + (glow * facing)[..., None] * table[-1]
        colour *= (self.vignette * np.float32(1 + 0.35 * light))[..., None]
        # a soft shoulder keeps highlights from clipping, then the sRGB curve
        grey = colour.mean(axis=2, keepdims=True)
        colour = np.maximum(grey + np.float32(1.3) * (colour - grey), 0)
        srgb = np.sqrt(colour * np.float32(1.35) / (1 + np.float32(0.35) * colour))
        return np.clip(srgb * 255 + self._grain + 0.5, 0, 255).astype(np.uint8)

    def _fields(self, first: np.ndarray, phase: np.ndarray, last: np.ndarray) -> np.ndarray:
        """The network over all pixels, float32, shape=(3, row, column), in blocks that stay in a core's cache."""
        out = np.empty((3, self.size[0] * self.size[1]), np.float32)
        done = 0
        for block in self._blocks:
            count = block.shape[1]
            a, b = self._work[:, :, :count] if count == _BLOCK else np.empty((2, HIDDEN, count), np.float32)
            np.matmul(first, block, out=a)
            for inner, turn in zip((*self._inner, None), phase, strict=True):
                a += turn[:, None]
                np.sin(a, out=a)
                if inner is not None:
                    np.matmul(inner, a, out=b)
                    a, b = b, a
            np.matmul(last, a, out=out[:, done : done + count])
            done += count
        return out.reshape(3, *self.size)


def blend(classes: tuple[int, ...], weights: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The species of a class vector: layers by weight over the Euclidean norm, the palette by the eighth power of weight."""
    firsts, lasts, palettes = (np.stack(p) for p in zip(*(species(c) for c in classes), strict=True))
    w = np.clip(np.asarray(weights, np.float32), 0, None)
    w = w if w.any() else np.ones_like(w)
    mix = w**2 / np.linalg.norm(w**2)
    share = w**8 / (w**8).sum()
    palette = np.tensordot(share, palettes, 1)
    # opposite hues mix to grey: their mean keeps the chroma that they have
    vivid = np.tensordot(share, np.linalg.norm(palettes[..., 1:], axis=-1), 1)
    palette[:, 1:] *= np.clip(vivid / np.maximum(np.linalg.norm(palette[:, 1:], axis=-1), 1e-4), 1, 2.5)[:, None]
    return np.tensordot(mix, firsts, 1), np.tensordot(mix, lasts, 1) * 2.2, palette


def ramp(palette: np.ndarray) -> np.ndarray:
    """A palette, OKLab, shape=(stop, 3), as linear sRGB, float32, shape=(512, rgb), with cosine steps between stops."""
    at = np.linspace(0, len(palette) - 1, TABLE)
    low = np.minimum(at.astype(np.int64), len(palette) - 2)
    part = (0.5 - 0.5 * np.cos(np.pi * (at - low)))[:, None]
    lab = palette[low] * (1 - part) + palette[low + 1] * part
    return np.clip(oklab_to_linear(lab), 0, 1).astype(np.float32)
