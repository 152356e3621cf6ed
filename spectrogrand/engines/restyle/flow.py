"""Light that sound sends through a picture: from the focal axis outwards, along the picture's own shapes."""

from __future__ import annotations

import numpy as np

from ...image.colour import luma
from ...image.focus import focus_of, soft_luma
from ...image.kernels import compiled, flow
from .pulse import ROWS, Moment

SIDE = 256
PAST = 2.5
FINE, BROAD, NOW = 0.35, 2.0, 0.12
"""Weights of sharp curtains, of broad ones, and of a steady glow of what sounds now."""
SLOW, FAST, SINK = 4.0, 50.0, 8.0
"""How fast light rises with the sound between beats and on one, and sinks, per second: off-beats swell, beats leap."""
SURGE = 4.5
"""How much faster than between beats the light travels on one."""
COLUMNS = 160
"""Steps from the focal axis to the far edge."""
"""Seconds that light takes from the focal axis to the far edge, on the whole; it surges with each beat."""
_LEAST = 0.65
"""How bright curtains of light are over the plainest picture, whose few edges they would hide."""


class LightFlow:
    """Keeps the last seconds of sound and lays them over a picture.

    Each place shows one pitch (its height, bent by the large bright and dark shapes) at one age (its distance from the
    focal axis), so that every sound leaves the axis as a curtain of light and travels outwards along the shapes.
    """

    def __init__(self, pixels: np.ndarray, fps: float, bend: float = 0.45) -> None:
        self._fps, self._span = fps, COLUMNS
        self._past = np.zeros((ROWS, 2 * self._span), np.float32)
        self._trail = self._swell = self._present = np.zeros(ROWS, np.float32)
        self._fade, self._slow = (np.float32(np.exp(-1 / (seconds * fps))) for seconds in (0.15, 0.35))
        self._sink = np.float32(1 - np.exp(-SINK / fps))
        self._usual = self._spread = np.zeros(0, np.float32)
        self._place, self._written = 0.0, 0
        soft = soft_luma(pixels, SIDE)
        shape = soft - soft.mean()
        y, x = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32) / (SIDE - 1)
        _, fx = focus_of(pixels)
        pitch = np.clip(1 - y + bend * shape, 0, 1)
        age = np.clip((np.abs(x - fx) - 0.25 * shape) * 1.7, 0, 1)
        row = (pitch * (ROWS - 1) + 0.5).astype(np.intp).ravel()
        self._row = row.astype(np.uint32)
        self._axis = (0.4 + 0.6 * np.exp(-((age / 0.3) ** 2))).astype(np.float32).ravel()
        at = row * (2 * self._span) + self._span - (age.ravel() * (self._span - 1) + 0.5).astype(np.intp)
        self._at = at.astype(np.uint32)
        self._fall = (1 - 0.55 * age).astype(np.float32).ravel() * _power(pixels)

    def step(self, moment: Moment, surge: float) -> np.ndarray:
        """The next frame's light, float32, shape=(SIDE, SIDE): 0 as usual, 1 far above it, negative where it is quieter.

        `surge`, in [0, 1], is how hard the beat pushes it outwards now.
        """
        from scipy.ndimage import gaussian_filter1d

        if not self._usual.size:
            self._usual, self._spread = moment.usual, moment.spread
        self._usual = self._usual + np.float32(0.04) * (moment.usual - self._usual)
        self._spread = self._spread + np.float32(0.04) * (moment.spread - self._spread)
        lift = np.clip((moment.now - self._usual) / (3 * self._spread + np.float32(0.1)), -0.6, 1.2)
        fine, broad = (gaussian_filter1d(lift, rows, mode="nearest") for rows in (2.0, 8.0))
        rise = np.float32(1 - np.exp(-(SLOW + (FAST - SLOW) * surge) / self._fps))
        self._trail = self._trail + (fine - self._trail) * np.where(fine > self._trail, rise, 1 - self._fade)
        self._swell = self._swell * self._slow + broad * (1 - self._slow)
        self._present = self._present + (fine - self._present) * np.where(fine > self._present, rise, self._sink)
        column = FINE * self._trail + BROAD * self._swell
        self._place += COLUMNS / PAST / self._fps * (0.3 + SURGE * surge)
        newest = int(self._place) + 1
        for place in range(self._written if newest > self._written else newest, newest + 1):
            here = place % self._span
            self._past[:, here] = self._past[:, here + self._span] = column
        self._written = newest
        between = np.float32(self._place - int(self._place))
        light = np.empty((SIDE, SIDE), np.float32)
        compiled(flow)(
            self._past.ravel(), self._at, int(self._place) % self._span, newest % self._span, between, self._fall,
            np.float32(NOW) * self._present, self._axis, self._row, light.ravel(),
        )  # fmt: skip
        return light

    def warmth(self) -> np.ndarray:
        """What sounds now, at its pitch's place all over the picture, float32, shape=(SIDE, SIDE), 0 as usual."""
        return self._present.take(self._row).reshape(SIDE, SIDE)


def _power(pixels: np.ndarray) -> np.float32:
    """How bright curtains may be: 1 over a picture full of detail, `_LEAST` over a plain one."""
    grey = luma(pixels).astype(np.float32) / 255
    edges = sum(float(np.abs(np.diff(grey, axis=axis)).sum()) / grey.size for axis in (0, 1))
    return np.float32(np.clip(edges * max(grey.shape) / 512 / 0.03, _LEAST, 1))
