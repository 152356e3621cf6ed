"""Where a picture draws the eye, and how far away its parts seem."""

from __future__ import annotations

import numpy as np

from .colour import luma, oklab, shrink, stretch


def soft_luma(pixels: np.ndarray, side: int) -> np.ndarray:
    """Blurred luma at (side, side), float32 in [0, 1]: the picture's large shapes."""
    from scipy.ndimage import gaussian_filter

    return np.asarray(gaussian_filter(luma(shrink(pixels, side, side)).astype(np.float32) / 255, side / 32), np.float32)


def saliency(pixels: np.ndarray, side: int = 64) -> np.ndarray:
    """How much each part stands out, float32 in [0, 1], shape=(side, side): colour contrast at two scales, and the centre."""
    from scipy.ndimage import gaussian_filter

    lab = oklab(shrink(pixels, side, side))
    out = np.zeros((side, side), np.float32)
    for near, far in ((1, side / 4), (2, side / 2)):
        difference = [gaussian_filter(lab[..., c], near) - gaussian_filter(lab[..., c], far) for c in range(3)]
        out += np.sqrt(sum(d**2 for d in difference))
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    out = gaussian_filter(out, side / 24) * np.exp(-(x**2 + y**2) / 0.9)
    return np.asarray(out / max(float(out.max()), 1e-6), np.float32)


def focus_of(pixels: np.ndarray) -> tuple[float, float]:
    """The focal point (row, column), each from 0.2 to 0.8 of the side; the middle of a picture with nothing in it."""
    weight = saliency(pixels).astype(np.float64) ** 3
    total = float(weight.sum())
    if total < 1e-9:
        return 0.5, 0.5
    at = (np.arange(len(weight)) + 0.5) / len(weight)
    return (
        float(np.clip((weight.sum(1) * at).sum() / total, 0.2, 0.8)),
        float(np.clip((weight.sum(0) * at).sum() / total, 0.2, 0.8)),
    )


def depth(pixels: np.ndarray, side: int) -> np.ndarray:
    """Pseudo-depth at (side, side), float32, 0 far to 1 near: what stands out, what is sharp and what is low is near.

    Cues of Battiato et al. 2004 and Jung et al. 2009 (height in the picture, contrast), then smoothed along the picture's edges.
    """
    from scipy.ndimage import gaussian_filter

    grey = luma(shrink(pixels, side, side)).astype(np.float32) / 255
    sharp = gaussian_filter(np.abs(grey - gaussian_filter(grey, 2)), side / 20)
    sharp /= max(float(sharp.max()), 1e-6)
    low = np.linspace(0, 1, side, dtype=np.float32)[:, None] + np.zeros((1, side), np.float32)
    raw = 0.5 * stretch(saliency(pixels), side, side) + 0.2 * sharp + 0.3 * low
    out = guided(raw, grey, side / 10)
    low_end, high_end = (float(v) for v in np.quantile(out, (0.02, 0.98)))
    return np.asarray(
        gaussian_filter(np.clip((out - low_end) / max(high_end - low_end, 1e-6), 0, 1), side / 32), np.float32
    )


def looseness(pixels: np.ndarray, side: int) -> np.ndarray:
    """How freely each part may be bent, float32 at (side, side): 0 at straight lines, letters and faces, 1 in sky or water.

    Strong edges are rigid wherever they are: the trace of the structure tensor (Foerstner, Guelch 1987), over a
    neighbourhood as wide as a letter, and all around it, so that what encloses a thing moves with it.
    """
    from scipy.ndimage import gaussian_filter, maximum_filter

    fine = luma(shrink(pixels, min(4 * side, pixels.shape[0]), min(4 * side, pixels.shape[1]))).astype(np.float32) / 255
    slope = np.hypot(*np.gradient(fine)) if min(fine.shape) > 1 else np.zeros_like(fine)
    wide = max(1, round(max(fine.shape) / 24))
    rigid = maximum_filter(np.clip(slope / 0.08 - 0.25, 0, 1), wide)
    return np.asarray(1 - stretch(gaussian_filter(rigid, wide / 2), side, side).clip(0, 1), np.float32)


def guided(field: np.ndarray, guide: np.ndarray, radius: float, floor: float = 0.01) -> np.ndarray:
    """Guided filter (He, Sun, Tang 2013, equations 5 to 8) with Gaussian windows: smooth, but with the guide's edges."""
    from scipy.ndimage import gaussian_filter

    mean_g, mean_f = gaussian_filter(guide, radius), gaussian_filter(field, radius)
    slope = (gaussian_filter(guide * field, radius) - mean_g * mean_f) / (
        gaussian_filter(guide * guide, radius) - mean_g**2 + floor
    )
    return np.asarray(
        gaussian_filter(slope, radius) * guide + gaussian_filter(mean_f - slope * mean_g, radius), np.float32
    )
