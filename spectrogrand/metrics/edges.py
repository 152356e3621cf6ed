"""How much of a cover's drawing a video keeps: structural similarity of their edges."""

from __future__ import annotations

import numpy as np

from ..types import Frames, Image

SIDE = 128
"""Pixels to which pictures are brought: the drawing, not the grain."""
SAMPLES = 24
"""Frames that are looked at, evenly spaced."""


def edge_ssim(frames: Frames, cover: Image) -> float:
    """Mean SSIM (Wang et al. 2004, windows of 7 x 7) between the edges of a cover and of a video's frames, in [-1, 1].

    Edges are Sobel magnitudes of the luma at 128 x 128 divided by their 99th percentile, so that neither colours nor contrast
    count; each window weighs as much as there are edges in it, so that empty sky, alike in all pictures, does not. A still
    video of the cover scores 1, an unrelated picture about 0.

    Args:
        frames: of the video; 24 of them, evenly spaced, are compared.
        cover: what should be recognised in it; brought to the same square.

    >>> from fractions import Fraction
    >>> picture = np.zeros((64, 64, 3), np.uint8)
    >>> picture[16:48, 16:48] = 200
    >>> still = Frames(lambda: iter([picture] * 3), (64, 64), 3, Fraction(10))
    >>> round(edge_ssim(still, Image(picture)), 6)
    1.0
    """
    wanted = set(np.linspace(0, frames.count - 1, min(SAMPLES, frames.count)).round().astype(int).tolist())
    own = _edges(cover)
    return float(np.mean([_ssim(own, _edges(Image(np.asarray(p)))) for k, p in enumerate(frames) if k in wanted]))


def _edges(picture: Image) -> np.ndarray:
    from scipy.ndimage import sobel

    pixels = picture.resized(SIDE, SIDE).pixels.astype(np.float64)
    luma = pixels @ np.array([0.2126, 0.7152, 0.0722]) / 255
    size = np.hypot(sobel(luma, 0), sobel(luma, 1))
    top = np.percentile(size, 99)
    return np.asarray(np.minimum(size / top, 1.0)) if top > 1e-6 else size * 0


def _ssim(a: np.ndarray, b: np.ndarray, window: int = 7) -> float:
    from scipy.ndimage import uniform_filter

    def mean(x: np.ndarray) -> np.ndarray:
        return np.asarray(uniform_filter(x, window))

    ma, mb = mean(a), mean(b)
    sample = window**2 / (window**2 - 1)
    va, vb, both = (sample * (mean(x) - m) for x, m in ((a * a, ma * ma), (b * b, mb * mb), (a * b, ma * mb)))
    c1, c2 = 0.01**2, 0.03**2
    table = (2 * ma * mb + c1) * (2 * both + c2) / ((ma**2 + mb**2 + c1) * (va + vb + c2))
    rim = window // 2
    weight = (ma + mb)[rim:-rim, rim:-rim]
    return float((table[rim:-rim, rim:-rim] * weight).sum() / weight.sum()) if weight.any() else 1.0
