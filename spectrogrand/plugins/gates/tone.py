"""Gate "tone": fails a held tone, a mains hum, a chord that never changes: a spectrum of lines that stands still."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...interfaces import Card, Gate
from ...registry import register
from ...types import Audio

_RATE, _SIZE = 11025, 2048


@register("tone")
class Tone(Gate):
    """Fails a sound whose short-time spectrum is the same line spectrum from beginning to end.

    Frames of 186 ms without overlap at 11,025 Hz; those 40 dB under the loudest do not count. Still: the mean correlation of the
    frames' magnitudes with their mean is at least `still`. Sparse: the eight strongest of the mean power's bins (each with its
    two neighbours on either side) hold at least `lines` of it. Both are needed: a beat moves, noise is no line.

    Args:
        still: mean correlation of the frames with their mean from which a spectrum stands still, -1 to 1.
        lines: share of the power in eight lines from which a spectrum is sparse, 0 to 1.

    >>> t = np.arange(4 * 11025) / 11025
    >>> Tone().check([Audio((0.3 * np.sin(2 * np.pi * 440 * t)).astype(np.float32)[None], 11025)])
    ['is a held tone (spectrum stands still to 1.000, 1.00 of its power in 8 lines)']
    """

    card = Card("fails held tones, hum and chords that never change")
    artefact = Audio

    def __init__(self, still: float = 0.985, lines: float = 0.9) -> None:
        self.still, self.lines = still, lines

    def check(self, batch: Sequence[Audio]) -> list[str | None]:
        """Per sound None, or "is a held tone (spectrum stands still to 0.999, 1.00 of its power in 8 lines)"."""
        return [self._reason(audio) for audio in batch]

    def _reason(self, audio: Audio) -> str | None:
        import soxr

        frames = []
        for block in audio.blocks(30 * audio.rate):
            x = soxr.resample(block.mean(axis=0, dtype=np.float32), audio.rate, _RATE)
            whole = x[: len(x) // _SIZE * _SIZE].reshape(-1, _SIZE)
            frames.append(np.abs(np.fft.rfft(whole * np.hanning(_SIZE), axis=1)))
        magnitude = np.concatenate(frames)
        level = np.square(magnitude).sum(axis=1)
        magnitude = magnitude[level > 1e-4 * max(float(level.max(initial=0)), 1e-12)]
        if len(magnitude) < 5:
            return None
        mean = magnitude.mean(axis=0)
        still = float(np.mean(magnitude @ mean / (np.linalg.norm(magnitude, axis=1) * np.linalg.norm(mean) + 1e-12)))
        power, held, total = mean**2, 0.0, float((mean**2).sum())
        for _ in range(8):
            at = int(power.argmax())
            held += float(power[max(0, at - 2) : at + 3].sum())
            power[max(0, at - 2) : at + 3] = 0
        share = held / max(total, 1e-12)
        if still >= self.still and share >= self.lines:
            return f"is a held tone (spectrum stands still to {still:.3f}, {share:.2f} of its power in 8 lines)"
        return None
