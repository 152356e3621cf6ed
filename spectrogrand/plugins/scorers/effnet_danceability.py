"""Scorer "effnet_danceability": the published danceability, essentia's Discogs-EffNet and its head, in an own process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import InvalidValue, require
from ...interfaces import Card, CreativityScorer, Weights
from ...media.resampling import resample
from ...models.isolation import Worker
from ...registry import register
from ...types import Audio
from ...weights import files
from ...weights.sources import Url

RATE = 16000
"""Hz; the rate that the network was trained on."""
BASE = "https://essentia.upf.edu/models"
EFFNET, HEAD = "discogs-effnet-bs64-1.pb", "danceability-discogs-effnet-1.pb"
SOURCES = {
    EFFNET: f"{BASE}/feature-extractors/discogs-effnet/{EFFNET}",
    HEAD: f"{BASE}/classification-heads/danceability/{HEAD}",
}
SHA256 = {
    EFFNET: "3ed9af50d5367c0b9c795b294b00e7599e4943244f4cbd376869f3bfc87721b1",
    HEAD: "e1251f02cdc846445e2bc1fb3fe9963e32728c5c000e009188ae47c8963cb4c4",
}
PART = "scorers 'effnet_danceability'"
LICENCE = "CC BY-NC-SA 4.0"


@register("effnet_danceability")
class EffnetDanceability(CreativityScorer):
    """Mean over the song's patches of P(danceable), in [0, 1]: what the 2024 paper calls value.

    Discogs-EffNet (output PartitionedCall:1, 1280 numbers for each patch of about 2 s, a new patch each second) reads the
    mean of the channels at 16 kHz; the head's model/Softmax is (danceable, not danceable), column 0 counts.

    Args:
        weights: folder with the two graphs, or one that holds it as `effnet_danceability`.
        pinned: take the published graphs and no others, by sha256; False runs your own, which is as trustworthy as they are.
    """

    aspect = "value"
    artefact = Audio
    card = Card(
        "published danceability: essentia's Discogs-EffNet and its danceability head",
        paper="Alonso-Jimenez et al., Tensorflow audio models in Essentia, ICASSP 2020; Jaisankar & Jayagopi, ICVGIP 2024",
        terms="essentia is AGPL-3.0; its models are for non-commercial use",
        extra="essentia",
        modules=("essentia",),
        weights=(
            Weights(Url(SOURCES[EFFNET], SHA256[EFFNET]), 18.4, LICENCE, EFFNET),
            Weights(Url(SOURCES[HEAD], SHA256[HEAD]), 0.5, LICENCE, HEAD),
        ),
    )

    def __init__(self, *, weights: str | None = None, pinned: bool = True) -> None:
        if not isinstance(pinned, bool):
            raise InvalidValue(f"effnet_danceability takes pinned=true or false, got {pinned!r}")
        self.weights, self.pinned = weights, pinned
        self._worker: Worker | None = None
        self._models: tuple[Any, Any] | None = None

    def score(self, batch: Sequence[Audio]) -> np.ndarray:
        """P(danceable) per song, float64, shape=(item,); NaN for one that is too short for a patch (about 2 s) or not finite.

        Raises:
            InvalidValue: an item is not sound, or a graph is not the published one (its sha256 is named).
            MissingExtra: essentia is not installed, or there are no graphs.
            WorkerDied: its process ended.
        """
        for item in batch:
            if not isinstance(item, Audio):
                raise InvalidValue(
                    f"effnet_danceability rates Audio, got {type(item).__name__}: load it with load_audio"
                )
        if not len(batch):
            return np.zeros(0)
        if self._worker is None:
            self._paths()
            config = {"name": self.name, "weights": self.weights, "pinned": self.pinned}
            self._worker = Worker("scorers", config, environment={"TF_CPP_MIN_LOG_LEVEL": "3"})
        return np.array([self._worker.call("score_here", heard(item)) for item in batch], np.float64)

    def score_here(self, samples: np.ndarray) -> float:
        """One song, float32 at 16 kHz, shape=(time,), in this process: what `score` has its own process do."""
        if not np.isfinite(samples).all():
            return float("nan")
        effnet, head = self._load()
        try:
            patches = np.atleast_2d(effnet(samples))
            found = np.atleast_2d(head(patches))[:, 0] if patches.size else np.zeros(0)
        except RuntimeError as error:
            said = str(error).strip().splitlines()
            raise InvalidValue(f"{PART}: its graphs cannot be run ({said[-1] if said else error!r})") from error
        return float(found.mean()) if found.size else float("nan")

    def identity(self) -> Mapping[str, Any]:
        """sha256 of the graphs and the version of essentia."""
        from importlib.metadata import version

        paths = self._paths()
        return {p.name: files.sha256_of(p) for p in paths} | {"essentia": version("essentia-tensorflow")}

    def close(self) -> None:
        """End the process."""
        self._models = None
        if self._worker is not None:
            self._worker.close()
            self._worker = None

    def _paths(self) -> list[Path]:
        require("essentia", "essentia", PART)
        return [
            files.find(
                self.weights, one, part=self.name, sha256=SHA256[one.file] if self.pinned else None, suffixes=(".pb",)
            )
            for one in self.card.weights
        ]  # fmt: skip

    def _load(self) -> tuple[Any, Any]:
        if self._models is None:
            effnet, head = map(str, self._paths())
            import essentia
            from essentia.standard import TensorflowPredict2D, TensorflowPredictEffnetDiscogs

            essentia.log.infoActive = essentia.log.warningActive = False
            try:
                self._models = (
                    TensorflowPredictEffnetDiscogs(graphFilename=effnet, output="PartitionedCall:1"),
                    TensorflowPredict2D(graphFilename=head, output="model/Softmax"),
                )
            except RuntimeError as error:
                said = str(error).strip().splitlines()
                raise InvalidValue(
                    f"{PART}: a graph of another architecture ({said[-1] if said else error!r})"
                ) from error
        return self._models


def heard(song: Audio) -> np.ndarray:
    """What the network is given: mean of the channels at 16 kHz, float32, shape=(time,)."""
    mono = song.samples.mean(axis=0, keepdims=True, dtype=np.float32)
    return resample(mono, song.rate, RATE)[0]
