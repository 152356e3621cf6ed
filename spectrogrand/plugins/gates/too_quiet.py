"""Gate "too_quiet": fails sounds far below the loudness at which music is listened to."""

from __future__ import annotations

from collections.abc import Sequence

from ...audio.loudness import integrated_loudness
from ...interfaces import Card, Gate
from ...registry import register
from ...types import Audio


@register("too_quiet")
class TooQuiet(Gate):
    """Fails a sound whose integrated loudness is below `floor` in LUFS; music is published at about -14.

    Args:
        floor: integrated loudness, LUFS.

    >>> import numpy as np
    >>> tone = np.sin(2 * np.pi * 997 * np.arange(48000) / 48000).astype(np.float32)[None]
    >>> TooQuiet().check([Audio(0.001 * tone, 48000), Audio(0.1 * tone, 48000)])
    ['is too quiet (-63 LUFS)', None]
    """

    card = Card(
        "fails sounds quieter than -40 LUFS",
        paper="ITU-R BS.1770-4, Algorithms to measure audio programme loudness and true-peak audio level (2015)",
    )
    artefact = Audio

    def __init__(self, floor: float = -40.0) -> None:
        self.floor = floor

    def check(self, batch: Sequence[Audio]) -> list[str | None]:
        """Per sound None, or "is too quiet (-45 LUFS)"."""
        loudness = [integrated_loudness(audio) for audio in batch]
        return [None if x >= self.floor else f"is too quiet ({x:.0f} LUFS)" for x in loudness]
