"""A song as HouseX shows it: one mel picture per bar, or one of the whole song, for training and the networks that see them."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from ..types import Audio
from .spectrogram import colour_table, mel_spectrogram, spectrogram_frames

BAR = Fraction(15, 8)
"""Seconds of one bar at 128 beats per minute: what each picture of HouseX shows."""
SIDE, DRAWN = 96, 384
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""ImageNet's, of pixels in [0, 1]."""


def drawn_bars(song: Audio, side: int = SIDE, bar: Fraction = BAR) -> np.ndarray:
    """One picture per whole bar (at least one), uint8, shape=(bar, side, side, rgb).

    Picture k shows [k * bar, (k + 1) * bar): 128 mel bands, dB relative to the bar's loudest bin, magma, low notes below;
    drawn at 384 x 384 as the published pictures are, then made smaller.

    >>> drawn_bars(Audio(np.zeros((1, 88200), np.float32), 22050)).shape
    (2, 96, 96, 3)
    """
    from PIL import Image as Pillow

    count = max(1, int(song.duration / bar))
    frames = spectrogram_frames(
        mel_spectrogram(song), count=count, fps=1 / bar, size=(DRAWN, DRAWN), seconds=float(bar), relative="chunk"
    )
    made = np.empty((count, side, side, 3), np.uint8)
    for k, picture in enumerate(frames):
        made[k] = np.asarray(Pillow.fromarray(picture).resize((side, side), Pillow.Resampling.BILINEAR))
    return made


def drawn_song(song: Audio, side: int = SIDE) -> np.ndarray:
    """The whole song as one picture, uint8, shape=(1, side, side, rgb): what the published pipeline shows its genre network.

    128 mel bands, dB relative to the song's loudest bin, magma, low notes below, whatever the song's length; flat cells at
    384 x 384, then made smaller.

    >>> drawn_song(Audio(np.zeros((1, 88200), np.float32), 22050)).shape
    (1, 96, 96, 3)
    """
    from PIL import Image as Pillow

    decibels = mel_spectrogram(song).decibels[::-1]
    levels = np.round((np.clip(decibels, -80, 0) + 80) / 80 * 255).astype(np.uint8)
    cells = Pillow.fromarray(colour_table("magma")[levels])
    flat = cells.resize((DRAWN, DRAWN), Pillow.Resampling.NEAREST)
    return np.asarray(flat.resize((side, side), Pillow.Resampling.BILINEAR))[None]


def standardised(pictures: np.ndarray, mean: Sequence[float] = MEAN, std: Sequence[float] = STD) -> np.ndarray:
    """uint8 (item, row, column, rgb) as a network sees it: (x / 255 - mean) / std, float32, shape=(item, rgb, row, column)."""
    scaled = (pictures.astype(np.float32) / np.float32(255) - np.asarray(mean, np.float32)) / np.asarray(
        std, np.float32
    )
    return np.ascontiguousarray(scaled.transpose(0, 3, 1, 2))


def bar_pictures(song: Audio) -> np.ndarray:
    """What the published network sees: float32, shape=(bar, rgb, 96, 96), standardised."""
    return standardised(drawn_bars(song))
