"""Song -> house sub-genre by a network of one's own: what `python train/genre.py` trained and `train/export.py` wrote."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...audio.bars import drawn_bars
from ...errors import InvalidValue
from ...interfaces import Card, Classifier, Weights
from ...models import picture_classifier as networks
from ...registry import register
from ...types import GENRES, Audio
from ...weights.sources import trained

FILE = "genre.safetensors"
SOURCE = trained("python train/genre.py, then python train/export.py CHECKPOINT FOLDER")


@register("timm_genre")
class TimmGenre(networks.PictureClassifier, Classifier):
    """Mean over the song's bars of the network's softmax. The file says which network, picture size and order of classes.

    The bars are drawn as in training (`spectrogrand.audio.bars`): 1.875 s each, dB relative to the bar's loudest bin, magma.

    Args:
        weights: safetensors file of `train/export.py`, or the folder that holds it.
        device: "cpu", "cuda", ...; None is cuda where there is one.
        batch_size: bars in one call.
        dtype: "float32", or "bfloat16": several times as fast where the hardware computes in it, probabilities within about 0.01.
    """

    artefact = Audio
    task = "genre"
    card = Card(
        "sub-genre by any backbone of timm, or the published layers, trained by train/genre.py",
        paper="Li, HouseX, arXiv:2207.11690 (the task); Wightman, PyTorch Image Models, 2019 (the backbones)",
        terms="those of the material it was trained on; its model card says",
        extra="models",
        modules=("torch", "torchvision", "timm"),
        weights=(Weights(SOURCE, 20.0, "your own", FILE),),
    )

    def __init__(
        self, *, weights: str | None = None, device: str | None = None, batch_size: int = 64, dtype: str = "float32"
    ) -> None:
        networks.check_settings("timm_genre", batch_size, dtype)
        self.weights, self.device, self.batch_size, self.dtype = weights, device, batch_size, dtype

    def classify(self, batch: Sequence[Audio]) -> tuple[np.ndarray, tuple[str, ...]]:
        """Probabilities, float64, shape=(item, genre), and the genres: the four of house in their order, or the file's own.

        Raises:
            InvalidValue: an item is not sound, or the weights are of other classes or another architecture.
            MissingExtra: torch or timm is not installed, or there are no weights.
        """
        for item in batch:
            if not isinstance(item, Audio):
                raise InvalidValue(f"timm_genre classifies Audio, got {type(item).__name__}: load it with load_audio")
        names = order(self.load()[0].classes) if len(batch) else GENRES
        return np.array([self.bars(item).mean(axis=0) for item in batch], np.float64).reshape(-1, len(names)), names

    def bars(self, song: Audio) -> np.ndarray:
        """Probabilities of each bar by itself, float64, shape=(bar, genre), genres in `classify`'s order."""
        spec, _ = self.load()
        found = networks.probabilities(spec, self.ask(drawn_bars(song, spec.side), self.batch_size))
        return np.asarray(found[:, [spec.classes.index(g) for g in order(spec.classes)]])

    def classes(self) -> tuple[str, ...] | None:
        """The genres as the weights' header tells them."""
        spec = networks.read_spec(self._path())
        return None if spec is None else order(spec.classes)


def order(classes: Sequence[str]) -> tuple[str, ...]:
    """The genres of house as published where a network knows just these, else its own classes in their order."""
    return GENRES if set(classes) == set(GENRES) else tuple(classes)
