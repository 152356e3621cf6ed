"""A song as a stream of spectrogram pictures: one pass over the sound, which whoever analyses the song later shares."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from ..types import Audio, Frames, frame_count
from .features import analyse
from .spectrogram import mel_spectrogram, spectrogram_frames


def draw_spectrogram(song: Audio, *, fps: Fraction, size: tuple[int, int], **look: Any) -> Frames:
    """The mel spectrogram passing by, from the song's first frame to its last.

    Args:
        song: what is drawn.
        fps: frames a second.
        size: (rows, columns) of each picture.
        look: options of `spectrogram_frames`: seconds shown, colour map, what decibels are relative to.

    >>> import numpy as np
    >>> len(draw_spectrogram(Audio(np.zeros((1, 22050), np.float32), 22050), fps=Fraction(4), size=(8, 8)))
    4
    """
    analyse(song)
    count = frame_count(song.duration, fps)
    return spectrogram_frames(mel_spectrogram(song), count=count, fps=fps, size=size, **look)
