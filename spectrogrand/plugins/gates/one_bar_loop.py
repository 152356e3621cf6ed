"""Gate "one_bar_loop": fails sounds that copy the same bar again and again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...interfaces import Card, Gate
from ...registry import register
from ...types import Audio

_RATE = 11025
_CHUNK = 30
_SHORTEST, _LONGEST = 1.2, 5.0
_CELLS, _SIZE = 32, 1024


@register("one_bar_loop")
class OneBarLoop(Gate):
    """Fails a sound of four bars or more in which every bar is the same, within `apart` dB.

    The length of the bar is where the sound is most like itself: the highest peak between 0.2 and 5 s of its
    autocorrelation with half-whitened spectrum (Tolonen & Karjalainen 2000, eq. 2, exponent 1), taken as often as fills
    1.2 s; where the sound declares its plan, the plan's bar is tried as well.
    Each bar becomes 32 cells in time by up to 48 logarithmic bands in dB. A bar's distance to the median bar is the
    75th percentile of the difference over the cells within 55 dB of the loudest, after the median difference (a fade)
    is taken out. The sound fails when nine of ten bars are closer than `apart`, in every half minute, all half minutes
    have the same mean spectrum, and the bar itself moves (a held tone is no loop).

    Args:
        apart: how far a bar may be from the median bar and count as the same, dB.

    >>> bar = np.random.default_rng(0).normal(0, 0.1, (1, 22050)) * np.exp(-np.arange(22050) % 5512 / 900)
    >>> OneBarLoop().check([Audio(np.tile(bar, 8).astype(np.float32), 11025)])
    ['repeats one bar of 2.00 s from beginning to end']
    """

    card = Card(
        "fails sounds that copy one bar again and again",
        paper="Tolonen & Karjalainen, A computationally efficient multipitch analysis model (IEEE TSAP 8, 2000)",
    )
    artefact = Audio

    def __init__(self, apart: float = 2.0) -> None:
        self.apart = apart

    def check(self, batch: Sequence[Audio]) -> list[str | None]:
        """Per sound None, or "repeats one bar of 1.90 s from beginning to end"; fewer than four bars pass."""
        return [self._reason(audio) for audio in batch]

    def _reason(self, audio: Audio) -> str | None:
        import soxr

        first: tuple[float, np.ndarray] | None = None
        for block in audio.blocks(_CHUNK * audio.rate):
            if first is not None and block.shape[1] < 5 * first[0] * audio.rate:
                break  # a tail too short to judge alone
            mono = block.mean(axis=0, dtype=np.float32)
            found = self._loop(soxr.resample(mono, audio.rate, _RATE).astype(np.float64), _declared(audio))
            if found is None:
                return None
            if first is not None and np.median(np.abs(found[1] - first[1])) > self.apart:
                return None
            first = first or found
        return None if first is None else f"repeats one bar of {first[0]:.2f} s from beginning to end"

    def _loop(self, x: np.ndarray, declared: list[float]) -> tuple[float, np.ndarray] | None:
        """Bar length in seconds and mean spectrum in dB where all bars of a stretch are alike, else None."""
        for bar in [*_likely(x), *declared]:
            levels = _bars(x, bar)
            if len(levels) < 4:
                continue
            median = np.median(levels, axis=0)
            heard = median > levels.max() - 55
            if not heard.any():  # a bell, a long fade: the middle bar lies under what counts as heard
                continue
            moves = float(np.median(np.ptp(median, axis=0)[heard.any(axis=0)])) > 6
            apart = (levels - median)[:, heard]
            apart = np.abs(apart - np.median(apart, axis=1, keepdims=True))
            alike = np.percentile(apart, 75, axis=1) < self.apart
            if moves and alike.mean() >= 0.9:
                spectrum = 10 * np.log10((10 ** (median / 10)).mean(axis=0))
                return bar, spectrum - spectrum.max()
        return None


def _declared(audio: Audio) -> list[float]:
    return [240 / audio.plan.tempo] if audio.plan else []


def _likely(x: np.ndarray) -> list[float]:
    """The bar's length in seconds, in a list; empty for silence and for stretches too short for four bars."""
    from scipy.fft import irfft, next_fast_len, rfft

    low, high = int(0.2 * _RATE), min(int(_LONGEST * _RATE), len(x) // 4)
    if high <= low or not np.any(x):
        return []
    size = int(next_fast_len(2 * len(x), real=True))
    power = np.abs(rfft(x, size)) ** 2
    likeness = irfft(power / np.sqrt(power + 1e-9 * power.max()), size)[low:high]
    lag = (low + int(np.argmax(likeness))) / _RATE
    return [lag * np.ceil(_SHORTEST / lag) if lag < _SHORTEST else lag]


def _bars(x: np.ndarray, bar: float) -> np.ndarray:
    """Levels in dB of whole bars, shape=(bar, cell, band), none below 60 dB under the loudest."""
    starts = np.round(np.arange(int(len(x) / _RATE / bar) * _CELLS) * bar * _RATE / _CELLS).astype(int)
    starts = starts[: np.searchsorted(starts, len(x) - _SIZE, side="right") // _CELLS * _CELLS]
    if not len(starts):
        return np.zeros((0, _CELLS, 1))
    frames = np.lib.stride_tricks.sliding_window_view(x, _SIZE)[starts] * np.hanning(_SIZE)
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2
    bands = np.add.reduceat(power, np.unique(np.geomspace(3, _SIZE // 2, 49).astype(int))[:-1], axis=1)
    return 10 * np.log10(np.maximum(bands, 1e-6 * bands.max() + 1e-30)).reshape(-1, _CELLS, bands.shape[1])
