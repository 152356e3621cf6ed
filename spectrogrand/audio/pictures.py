"""A song as a stream of spectrogram pictures: one pass over the sound, which whoever analyses the song later shares."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from ..types import Audio, Frames, frame_count
from .features import analyse
from .spectrogram import mel_spectrogram, spectrogram_frames


@dataclass(frozen=True)
class SongPictures(Frames):
    """Pictures of a song that know it: whoever draws with them need not track beats in pixels.

    Args:
        make, size, count, fps: as of other frames.
        song: what is seen.
    """

    song: Audio | None = None


def draw_spectrogram(song: Audio, *, fps: Fraction, size: tuple[int, int], **look: Any) -> SongPictures:
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
    drawn = spectrogram_frames(mel_spectrogram(song), count=count, fps=fps, size=size, **look)
    return SongPictures(drawn.make, drawn.size, drawn.count, drawn.fps, song)
