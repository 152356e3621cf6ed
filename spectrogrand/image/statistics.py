"""Sixteen cited statistics of a picture, on a 256 x 256 copy: what `aesthetics` weighs and `cover_surprise` models."""

from __future__ import annotations

import numpy as np

from ..types import Image
from .inks import linear_to_oklab

SIDE = 256
NAMES = (
    "colourfulness", "lightness", "contrast", "chroma", "hue_entropy", "hue_harmony", "slope", "slope_fit", "edge_entropy",
    "edge_density", "sharpness", "fractal", "symmetry", "thirds", "calm", "blockiness",
)  # fmt: skip
"""Column names of `statistics`, in order."""


def statistics(image: Image) -> np.ndarray:
    """The statistics of one picture, float64, shape=(16,), in the order of `NAMES`; always finite.

    The picture is averaged (or interpolated) to 256 x 256 first. Colours are OKLab (Ottosson 2020), L its lightness in [0, 1],
    C its chroma; gradients are central differences of L per pixel.

    - colourfulness: M3 of Hasler & Suesstrunk 2003 (sRGB in 0..255) / 100.
    - lightness, contrast: mean and standard deviation of L (RMS contrast, Peli 1990). chroma: mean of C.
    - hue_entropy: Shannon entropy of the 36-bin hue histogram weighted by C, as a share of log2(36) bits.
    - hue_harmony: 1 - mean C-weighted distance in hue to the best of Matsuda's templates i, V, L, I, Y / 90 degrees
      (Cohen-Or et al. 2006, sec. 3; T and X cover half the wheel and more, so that everything fits them).
    - slope: of the log-log radial power spectrum of L, 4 to 80 cycles/picture (Burton & Moorhead 1987; natural: -2 to -3).
      slope_fit: standard deviation about that line, in decades (Redies et al. 2007).
    - edge_entropy: Shannon entropy of 24 gradient orientations (Gaussian, sigma 1.5) weighted by magnitude, as a share of
      log2(24) bits (first-order edge-orientation entropy, Redies et al. 2017).
    - edge_density: share of pixels whose gradient exceeds 0.04. sharpness: log10 of the mean squared Laplacian of L + 1e-8
      (Pertuz et al. 2013). fractal: box-counting dimension of those edges, boxes of 2 to 32 pixels (Spehar et al. 2003).
    - symmetry: correlation of L (averaged over 8 x 8 pixels) with its left-right mirror, in [-1, 1].
    - thirds: 1 - distance of the centre of salience to the nearest third-line crossing or the picture's centre, in half
      diagonals (rule of thirds, Datta et al. 2006). Salience: squared product of the distance in OKLab to the mean colour
      and the local gradient, in blocks of 8 x 8.
    - calm: share of 16 x 16 blocks whose standard deviation of L is under 0.02: negative space.
    - blockiness: mean step of L across the 8-pixel grid / mean step elsewhere - 1, the larger of both directions,
      at most 10 (after Wang, Sheikh & Bovik 2002).

    >>> flat = statistics(Image(np.full((300, 200, 3), 128, np.uint8)))
    >>> float(dict(zip(NAMES, flat))["contrast"]), bool(np.isfinite(flat).all())
    (0.0, True)
    """
    srgb = prepare(image)
    lab = _oklab(srgb)
    lightness, chroma = lab[0], np.hypot(lab[1], lab[2])
    dy, dx = np.gradient(lightness)
    steep = np.hypot(dx, dy)
    edges = steep > 0.04
    entropy, harmony = _hues(lab, chroma)
    slope, fit = spectral_slope(lightness)
    values = (
        colourfulness(srgb), lightness.mean(), lightness.std(), chroma.mean(), entropy, harmony, slope, fit,
        _orientation_entropy(lightness), edges.mean(), _sharpness(lightness), _fractal(edges), _symmetry(lightness),
        _thirds(lab, steep), _calm(lightness), _blockiness(lightness),
    )  # fmt: skip
    return np.nan_to_num(np.array(values, np.float64), nan=0.0, posinf=0.0, neginf=0.0)


def prepare(image: Image) -> np.ndarray:
    """A 256 x 256 copy, float32 sRGB in [0, 1], shape=(256, 256, 3), averaged over areas (Pillow's antialiased bicubic)."""
    from PIL import Image as Picture

    if image.size == (SIDE, SIDE):
        return image.pixels.astype(np.float32) / 255
    small = Picture.fromarray(np.ascontiguousarray(image.pixels)).resize((SIDE, SIDE), Picture.Resampling.BICUBIC)
    return np.asarray(small, np.float32) / 255


def colourfulness(srgb: np.ndarray) -> float:
    """Hasler & Suesstrunk 2003, M3: sigma_rgyb + 0.3 mu_rgyb with rg = R - G, yb = (R + G) / 2 - B, in units of 100.

    >>> round(colourfulness(np.full((8, 8, 3), 0.5)), 6)
    0.0
    """
    r, g, b = (srgb[..., k].astype(np.float64) * 255 for k in range(3))
    rg, yb = r - g, (r + g) / 2 - b
    return float((np.hypot(rg.std(), yb.std()) + 0.3 * np.hypot(rg.mean(), yb.mean())) / 100)


def spectral_slope(lightness: np.ndarray) -> tuple[float, float]:
    """Slope and residual (decades) of log10 power against log10 frequency, radial mean, 4 to 80 cycles/picture, Hann window.

    >>> slope, _ = spectral_slope(np.random.default_rng(0).standard_normal((256, 256)))
    >>> abs(slope) < 0.3
    True
    """
    n = lightness.shape[0]
    window = np.hanning(n)[:, None] * np.hanning(n)
    power = np.abs(np.fft.rfft2((lightness - lightness.mean()) * window)) ** 2
    fy, fx = np.fft.fftfreq(n, 1 / n)[:, None], np.arange(n // 2 + 1)[None, :]
    radius = np.hypot(fx, fy)
    edges = np.geomspace(4, 80, 19)
    which = np.digitize(radius.ravel(), edges) - 1
    keep = (which >= 0) & (which < 18)
    total = np.bincount(which[keep], power.ravel()[keep], 18)
    count = np.bincount(which[keep], minlength=18)
    level = np.log10(total / np.maximum(count, 1) + 1e-12)
    at = np.log10(np.sqrt(edges[1:] * edges[:-1]))
    used = count > 0
    line = np.polyfit(at[used], level[used], 1)
    return float(line[0]), float(np.std(level[used] - np.polyval(line, at[used])))


def _oklab(srgb: np.ndarray) -> np.ndarray:
    table = np.arange(4096) / 4095
    table = np.where(table <= 0.04045, table / 12.92, ((table + 0.055) / 1.055) ** 2.4).astype(np.float32)
    light = table.take(np.rint(srgb * 4095).astype(np.int32), mode="clip")
    return np.moveaxis(linear_to_oklab(light), -1, 0).astype(np.float64)


TEMPLATES = {
    "i": ((0, 18),), "V": ((0, 93.6),), "L": ((0, 18), (90, 79.2)), "I": ((0, 18), (180, 18)), "T": ((0, 180),),
    "Y": ((0, 93.6), (180, 18)), "X": ((0, 93.6), (180, 93.6)),
}  # fmt: skip
"""Matsuda's hue templates: sectors as (centre, width) in degrees, after Cohen-Or et al. 2006, fig. 3."""


def _hues(lab: np.ndarray, chroma: np.ndarray) -> tuple[float, float]:
    weight = np.where(chroma > 0.02, chroma, 0).ravel()
    if weight.sum() <= 1e-9:
        return 0.0, 1.0  # greys clash with nothing
    hue = (np.rad2deg(np.arctan2(lab[2], lab[1])) % 360).ravel()
    counts = np.bincount((hue / 10).astype(int) % 36, weight, 36)
    share = counts / counts.sum()
    entropy = -np.sum(share[share > 0] * np.log2(share[share > 0])) / np.log2(36)
    centres = np.arange(36) * 10 + 5.0
    best = 90.0
    for name, sectors in TEMPLATES.items():
        if name in "TX":
            continue  # half a circle and more: everything harmonises
        for turn in range(0, 360, 5):
            gap = [np.maximum(np.abs((centres - turn - c + 180) % 360 - 180) - w / 2, 0) for c, w in sectors]
            best = min(best, float(np.sum(share * np.minimum.reduce(gap))))
    return float(entropy), 1 - best / 90


def _orientation_entropy(lightness: np.ndarray) -> float:
    from scipy.ndimage import gaussian_filter

    dy, dx = (gaussian_filter(lightness, 1.5, order=o, mode="nearest", truncate=3.0) for o in ((1, 0), (0, 1)))
    steep = np.hypot(dx, dy)
    weight = np.where(steep > 0.005, steep, 0)
    if weight.sum() <= 1e-9:
        return 0.0
    angle = np.mod(np.arctan2(dy, dx), np.pi)
    counts = np.bincount(np.minimum((angle / np.pi * 24).astype(int), 23).ravel(), weight.ravel(), 24)
    share = counts[counts > 0] / counts.sum()
    return float(-np.sum(share * np.log2(share)) / np.log2(24))


def _sharpness(lightness: np.ndarray) -> float:
    x = lightness
    laplacian = x[:-2, 1:-1] + x[2:, 1:-1] + x[1:-1, :-2] + x[1:-1, 2:] - 4 * x[1:-1, 1:-1]
    return float(np.log10(np.mean(laplacian**2) + 1e-8))


def _fractal(edges: np.ndarray) -> float:
    counts = []
    for box in (2, 4, 8, 16, 32):
        n = edges.shape[0] // box
        counts.append(int(edges[: n * box, : n * box].reshape(n, box, n, box).any(axis=(1, 3)).sum()))
    if counts[-1] == 0:
        return 0.0
    return float(-np.polyfit(np.log([2, 4, 8, 16, 32]), np.log(counts), 1)[0])


def _symmetry(lightness: np.ndarray) -> float:
    small = lightness.reshape(32, 8, 32, 8).mean(axis=(1, 3))
    small = small - small.mean()
    power = float(np.sum(small * small))
    return float(np.sum(small * small[:, ::-1]) / power) if power > 1e-9 else 0.0


def _thirds(lab: np.ndarray, steep: np.ndarray) -> float:
    small = lab.reshape(3, 32, 8, 32, 8).mean(axis=(2, 4))
    odd = np.sqrt(((small - small.mean(axis=(1, 2), keepdims=True)) ** 2).sum(axis=0))
    salience = odd * (0.2 + steep.reshape(32, 8, 32, 8).mean(axis=(1, 3)) / 0.02)
    if salience.sum() <= 1e-9:
        return 0.0
    salience = salience**2
    at = (np.arange(32) + 0.5) / 32
    y, x = (
        float((salience.sum(axis=1) * at).sum() / salience.sum()),
        float((salience.sum(axis=0) * at).sum() / salience.sum()),
    )
    points = [(0.5, 0.5)] + [(a / 3, b / 3) for a in (1, 2) for b in (1, 2)]
    return 1 - min(np.hypot(x - a, y - b) for a, b in points) / np.sqrt(0.5)


def _calm(lightness: np.ndarray) -> float:
    blocks = lightness.reshape(16, 16, 16, 16).std(axis=(1, 3))
    return float(np.mean(blocks < 0.02))


def _blockiness(lightness: np.ndarray) -> float:
    found = []
    for x in (lightness, lightness.T):
        step = np.abs(np.diff(x, axis=1)).mean(axis=0)
        on = np.zeros(step.size, bool)
        on[7::8] = True
        found.append(step[on].mean() / max(step[~on].mean(), 1e-4) - 1 if step.max() > 1e-6 else 0.0)
    return float(min(max(found), 10.0))
