"""When pictures change: one pass over a video, two numbers a frame, and the moments at which something happens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from ..types import Frames

SIDE = 128
"""Every picture is averaged to 128 x 128 cells first, so that its resolution does not matter."""
_BLOCK = 8
QUIET = 0.0015
"""Mean change below which nothing happens: what a codec does to a still picture (0.4 of 255)."""


@dataclass(frozen=True, eq=False)
class Changes:
    """What changes when frame k replaces frame k - 1, float64, shape=(frame,), zero for the first.

    `change` is the mean absolute difference of luma, 0 to 1. `motion` is the mean length of optical flow in widths of the
    picture a frame. Frame k appears at k / fps seconds.
    """

    change: np.ndarray
    motion: np.ndarray
    fps: Fraction


def watch(frames: Frames, tick: Callable[[int, int], None] | None = None) -> Changes:
    """Look at every picture once, holding two; `tick(done, count)` is called after each.

    >>> blink = Frames(lambda: (np.full((8, 8, 3), 255 * (k % 2), np.uint8) for k in range(4)), (8, 8), 4, Fraction(10))
    >>> watch(blink).change.tolist()
    [0.0, 1.0, 1.0, 1.0]
    """
    change, motion = np.zeros(len(frames)), np.zeros(len(frames))
    before: np.ndarray | None = None
    for k, picture in enumerate(frames):
        cells = _cells(picture)
        if before is not None:
            change[k] = float(np.abs(cells - before).mean())
            motion[k] = _flow(before, cells)
        before = cells
        if tick is not None:
            tick(k + 1, len(frames))
    return Changes(change, motion, frames.fps)


def _cells(picture: np.ndarray) -> np.ndarray:
    """Luma (BT.601) averaged to cells, float32 in [0, 1], shape=(128, 128)."""
    from PIL import Image as Pillow

    grey = Pillow.fromarray(picture).convert("L").resize((SIDE, SIDE), Pillow.Resampling.BOX)
    return np.asarray(grey, np.float32) / np.float32(255)


def _flow(before: np.ndarray, now: np.ndarray) -> float:
    """Mean length of the flow between two pictures, in widths: least squares in blocks of 8 x 8.

    Lucas and Kanade, "An iterative image registration technique" (IJCAI 1981), one step at half resolution.
    """
    a, b = (x.reshape(SIDE // 2, 2, SIDE // 2, 2).mean(axis=(1, 3)) for x in (before, now))
    gy, gx = np.gradient((a + b) / 2)
    gt = b - a

    def sums(x: np.ndarray) -> np.ndarray:
        n = SIDE // 2 // _BLOCK
        return np.asarray(x.reshape(n, _BLOCK, n, _BLOCK).sum(axis=(1, 3)), np.float64)

    xx, yy, xy, xt, yt = sums(gx * gx) + 1e-3, sums(gy * gy) + 1e-3, sums(gx * gy), sums(gx * gt), sums(gy * gt)
    area = xx * yy - xy * xy
    length = np.hypot(xy * yt - yy * xt, xy * xt - xx * yt) / area
    return float(np.minimum(length, _BLOCK).mean()) / (SIDE // 2)


def visual_events(changes: Changes, *, threshold: float = 0.25, gap: float = 0.1) -> np.ndarray:
    """Seconds at which pictures change abruptly, float64, shape=(event,), rising.

    Peaks of the change that reach at least `threshold` of the way from its median to its 99th percentile, and 0.0015 (less
    is what a codec does to a still picture); of peaks within `gap` seconds the highest. A picture that is shown for one
    frame changes twice, so a peak that the frame before nearly reaches is dated one frame earlier. Since all is relative
    to the video, neither size nor contrast nor frame rate matter.

    >>> from fractions import Fraction
    >>> change = np.zeros(60)
    >>> change[[15, 16, 30, 45]] = 0.5
    >>> visual_events(Changes(change, change, Fraction(30))).tolist()
    [0.5, 1.0, 1.5]
    """
    from scipy.signal import find_peaks

    curve, fps = changes.change, float(changes.fps)
    middle = float(np.median(curve))
    # of a hundred frames at least one is an event; a video with fewer would have none
    top = float(np.sort(curve)[-max(1, round(0.01 * len(curve)))])
    height = max(middle + threshold * (top - middle), QUIET)
    framed = np.concatenate([[0.0], curve, [0.0]])
    peaks = find_peaks(framed, height=height, distance=max(1, round(gap * fps)))[0] - 1
    early = [p - 1 if p > 1 and curve[p - 1] >= 0.7 * curve[p] and curve[p - 1] >= height else p for p in peaks]
    return np.array(sorted(set(early)), np.float64) / fps


def peaks_of_motion(changes: Changes, *, least: float = 0.0004) -> np.ndarray:
    """Seconds of the local maxima of the motion of at least `least` widths a frame: the video half of AV-Align.

    The published code takes every local maximum, in some versions of at least 0.1 pixel, which is the default here in a
    picture 256 pixels wide.
    """
    x = changes.motion
    inner = np.flatnonzero((x[1:-1] > x[:-2]) & (x[1:-1] > x[2:]) & (x[1:-1] >= least)) + 1
    return inner / float(changes.fps)
