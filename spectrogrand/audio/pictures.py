"""A song as a stream of spectrogram pictures: one pass over the sound, which whoever analyses the song later shares."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from ..types import Audio, Frames, frame_count
from .features import analyse
from .spectrogram import mel_spectrogram, spectrogram_frames


@dataclass(frozen=True)
class SongPictures(Frames):
    """Pictures of a song that know its beats, in seconds: whoever draws with them need not track beats in pixels."""

    beats: tuple[float, ...] = ()
    downbeats: tuple[float, ...] = ()

    def between(self, start: float, end: float) -> list[tuple[float, bool]]:
        """Beats in [start, end) seconds, and whether each begins a bar.

        >>> SongPictures(lambda: [], (2, 2), 9, Fraction(3), (0.5, 1.0, 1.5), (1.0,)).between(0.6, 1.5)
        [(1.0, True)]
        """
        bars = np.asarray(self.downbeats)
        return [(b, bool((np.abs(bars - b) < 1e-3).any())) for b in self.beats if start <= b < end]


def draw_spectrogram(song: Audio, *, fps: Fraction, size: tuple[int, int], **look: Any) -> SongPictures:
    """The mel spectrogram passing by, from the song's first frame to its last.

    Args:
        song: what is drawn.
        fps: frames a second.
        size: (rows, columns) of each picture.
        look: options of `spectrogram_frames`: seconds shown, colour map, what decibels are relative to.

    >>> len(draw_spectrogram(Audio(np.zeros((1, 22050), np.float32), 22050), fps=Fraction(4), size=(8, 8)))
    4
    """
    heard = analyse(song)
    count = frame_count(song.duration, fps)
    drawn = spectrogram_frames(mel_spectrogram(song), count=count, fps=fps, size=size, **look)
    beats, downbeats = (tuple(float(t) for t in times) for times in (heard.beats, heard.downbeats))
    return SongPictures(drawn.make, drawn.size, drawn.count, drawn.fps, beats, downbeats)
