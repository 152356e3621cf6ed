"""Gate "clipping": fails sounds whose waves are cut flat at full scale."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...audio.loudness import BLOCK
from ...interfaces import Card, Gate
from ...registry import register
from ...types import Audio


@register("clipping")
class Clipping(Gate):
    """Fails a sound in which more than `share` of the samples stand in flat runs at full scale.

    A run is `run` or more consecutive samples of a channel, each at or above `level` (1.0 is full scale) on the same
    side. A limiter leaves single samples there; cutting leaves runs.

    Args:
        share: share of the samples that may stand flat, 0 to 1.
        level: how near to full scale (1.0) a flat run lies.
        run: consecutive samples that make a flat run.

    >>> wave = np.sin(np.arange(8000) / 10).astype(np.float32)[None]
    >>> Clipping().check([Audio(0.99 * wave, 8000), Audio(np.clip(2 * wave, -1, 1), 8000)])
    [None, 'is clipped (66.7 % of its samples stand flat at full scale)']
    """

    card = Card("fails sounds with more than 0.1 % of their samples in flat runs at full scale")
    artefact = Audio

    def __init__(self, share: float = 0.001, level: float = 0.999, run: int = 3) -> None:
        self.share, self.level, self.run = share, level, run

    def check(self, batch: Sequence[Audio]) -> list[str | None]:
        """Per sound None, or "is clipped (3.1 % of its samples stand flat at full scale)"."""
        shares = [self._flat(audio) for audio in batch]
        reasons = [f"is clipped ({100 * s:.1f} % of its samples stand flat at full scale)" for s in shares]
        return [reason if s > self.share else None for reason, s in zip(reasons, shares, strict=True)]

    def _flat(self, audio: Audio) -> float:
        """Share of samples that stand in a run, all channels together."""
        flat, open_runs = 0, np.zeros((2, audio.channels), np.int64)
        for block in audio.blocks(BLOCK):
            for side, sign in enumerate((1, -1)):
                for channel, high in enumerate(sign * block >= self.level):
                    flat += self._closed(high, open_runs[side], channel)
        flat += int(open_runs[open_runs >= self.run].sum())
        return flat / audio.samples.size

    def _closed(self, high: np.ndarray, open_runs: np.ndarray, channel: int) -> int:
        """Samples of the runs that end in this block; the run still open at its end is carried to the next block."""
        carried, open_runs[channel] = int(open_runs[channel]), 0
        edges = np.flatnonzero(np.diff(np.concatenate([[False], high, [False]]).astype(np.int8)))
        lengths = edges[1::2] - edges[::2]
        if len(lengths) and edges[0] == 0:
            lengths[0] += carried
        elif carried:
            lengths = np.append(carried, lengths)
        if high[-1]:
            open_runs[channel], lengths = lengths[-1], lengths[:-1]
        return int(lengths[lengths >= self.run].sum())
