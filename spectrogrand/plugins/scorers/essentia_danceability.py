"""Scorer "essentia_danceability": essentia's own Danceability, in a process of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...errors import require
from ...interfaces import Card, CreativityScorer
from ...models.isolation import Worker
from ...registry import register
from ...types import Audio


@register("essentia_danceability")
class EssentiaDanceability(CreativityScorer):
    """The same formula as scorer "danceability" as essentia computes it: the independent check.

    Where essentia answers 0 because the sound is too short or has no fluctuation, this gives NaN ("failed").

    Raises:
        MissingExtra: essentia is not installed.
    """

    card = Card(
        "essentia's Danceability (detrended fluctuation analysis), in its own process",
        paper="Streich & Herrera, Detrended Fluctuation Analysis of Music Signals, AES 118th Convention, 2005",
        terms="essentia is AGPL-3.0",
        extra="essentia",
        modules=("essentia",),
    )
    aspect = "value"
    artefact = Audio

    def __init__(self) -> None:
        self._worker: Worker | None = None

    def identity(self) -> Mapping[str, Any]:
        """The version of essentia."""
        from importlib.metadata import PackageNotFoundError, version

        for package in ("essentia-tensorflow", "essentia"):
            try:
                return {package: version(package)}
            except PackageNotFoundError:
                continue
        return {}

    def score(self, batch: Sequence[Audio]) -> np.ndarray:
        """Danceability per song, float64, shape=(item,)."""
        require("essentia", "essentia", "scorer 'essentia_danceability'")
        if not len(batch):
            return np.zeros(0)
        if self._worker is None:
            self._worker = Worker("scorers", "essentia_danceability", environment={"TF_CPP_MIN_LOG_LEVEL": "3"})
        return np.array([self._worker.call("score_here", audio) for audio in batch], np.float64)

    def score_here(self, audio: Audio) -> float:
        """One song, in this process: what `score` has its own process do."""
        import essentia
        from essentia.standard import Danceability

        essentia.log.infoActive = essentia.log.warningActive = False
        answer = float(Danceability(sampleRate=float(audio.rate))(audio.mono())[0])
        return answer if answer > 0 else float("nan")

    def close(self) -> None:
        """End the process."""
        if self._worker is not None:
            self._worker.close()
            self._worker = None
