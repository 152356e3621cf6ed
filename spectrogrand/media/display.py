"""A decoded video frame as a screen shows it: upright, with square pixels, in sRGB."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

_MATRICES = {1: 1, 4: 4, 5: 5, 6: 5, 7: 7, 9: 9, 10: 9}
"""ITU-T H.273 matrix coefficients to what swscale knows."""
_PQ, _HLG = 16, 18
_TO_709 = {
    9: np.array([[1.660491, -0.587641, -0.072850], [-0.124550, 1.132900, -0.008349], [-0.018151, -0.100579, 1.118730]]),
    12: np.array([[1.224940, -0.224940, 0.0], [-0.042057, 1.042057, 0.0], [-0.019638, -0.078636, 1.098274]]),
}
"""Linear RGB of BT.2020 (9) and Display P3 (12) to that of BT.709 (ITU-R BT.2087, 4; SMPTE EG 432-1)."""
WHITE = 203.0
"""Candela per square metre of a white page in HDR pictures (ITU-R BT.2408)."""
_KNEE = 0.8


class ToScreen:
    """Frames of one stream to uint8 RGB (row, column, rgb).

    Untagged pictures of 720 rows and more are BT.709, smaller ones BT.601. BT.2020 and P3 primaries become BT.709, HLG and PQ
    (ITU-R BT.2100) are scaled to white at 203 candela with a soft knee.
    """

    def __init__(self, stream: Any) -> None:
        from av.video.reformatter import VideoReformatter

        aspect = stream.sample_aspect_ratio
        self.aspect = float(aspect) if aspect and 0.2 <= aspect <= 5 else 1.0
        self._reformatter = VideoReformatter()

    def size(self, rows: int, columns: int) -> tuple[int, int]:
        """(rows, columns) with square pixels, before turning."""
        return rows, max(1, round(columns * self.aspect))

    def __call__(self, frame: Any) -> np.ndarray:
        """Convert one frame."""
        rows, columns = self.size(frame.height, frame.width)
        coloured = not frame.format.is_rgb and "pal" not in frame.format.name
        matrix = _MATRICES.get(int(frame.colorspace), 1 if frame.height >= 720 or frame.width >= 1280 else 5)
        deep = int(frame.color_trc) in (_PQ, _HLG) or int(frame.color_primaries) in _TO_709
        made = self._reformatter.reformat(
            frame, width=columns, height=rows, format="rgb48le" if deep else "rgb24",
            src_colorspace=matrix if coloured else None, threads=1,
        )  # fmt: skip
        pixels: np.ndarray = made.to_ndarray()
        if deep:
            pixels = to_srgb(pixels, int(frame.color_trc), int(frame.color_primaries))
        turns = round((frame.rotation or 0) / 90) % 4
        return np.ascontiguousarray(np.rot90(pixels, turns)) if turns else pixels


def to_srgb(pixels: np.ndarray, transfer: int, primaries: int) -> np.ndarray:
    """16-bit RGB of H.273 transfer and primaries as 8-bit sRGB, shape=(row, column, rgb).

    >>> grey = np.full((1, 1, 3), round(0.75 * 65535), np.uint16)  # HLG: 75 % is white
    >>> bool(to_srgb(grey, 18, 9).min() > 225)
    True
    """
    light = _decode_table(transfer)[pixels]
    if primaries in _TO_709:
        light = light @ _TO_709[primaries].T.astype(np.float32)
    if transfer == _HLG:  # the screen's own gamma, 1.2 at 1,000 candela, on luminance (BT.2100, table 5)
        luminance = np.maximum(light @ np.array([0.2126, 0.7152, 0.0722], np.float32), 1e-6)
        light = light * (luminance**0.2)[..., None] * np.float32(1000 / WHITE)
    if transfer in (_PQ, _HLG):
        most = light.max(axis=2, keepdims=True)
        over = np.maximum(most - _KNEE, 0) / (1 - _KNEE)
        soft = np.where(most > _KNEE, _KNEE + (1 - _KNEE) * over / (1 + over), most)
        light = light * (soft / np.maximum(most, 1e-6))
    light = np.clip(light, 0, 1)
    coded = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.asarray(np.rint(255 * coded), np.uint8)


@lru_cache(maxsize=4)
def _decode_table(transfer: int) -> np.ndarray:
    """Linear light of each 16-bit code: 1 is white, for HLG the brightest scene."""
    x = np.arange(65536) / 65535
    if transfer == _HLG:
        a, b, c = 0.17883277, 0.28466892, 0.55991073
        light = np.where(x <= 0.5, x**2 / 3, (np.exp((x - c) / a) + b) / 12)
    elif transfer == _PQ:
        m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
        p = x ** (1 / m2)
        light = 10_000 / WHITE * (np.maximum(p - c1, 0) / (c2 - c3 * p)) ** (1 / m1)
    else:  # what a screen does with BT.709's and sRGB's codes
        light = np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)
    return light.astype(np.float32)
