"""Song -> house sub-genre by a network of one's own: what `python train/genre.py` trained and `train/export.py` wrote."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...audio.bars import drawn_bars, standardised
from ...errors import InvalidValue, UnknownName, nearest, require
from ...interfaces import Card, Classifier, Weights
from ...models import picture_classifier as networks
from ...models.devices import device as chosen
from ...registry import register
from ...types import GENRES, Audio
from ...weights import files
from ...weights.sources import trained

DTYPES = ("float32", "bfloat16")
FILE = "genre.safetensors"
SOURCE = trained("python train/genre.py, then python train/export.py CHECKPOINT FOLDER")


@register("timm_genre")
class TimmGenre(Classifier):
    """Mean over the song's bars of the network's softmax. The file says which network, picture size and order of classes.

    The bars are drawn as in training (`spectrogrand.audio.bars`): 1.875 s each, dB relative to the bar's loudest bin, magma.

    Args:
        weights: safetensors file of `train/export.py`, or the folder that holds it.
        device: "cpu", "cuda", ...; None is cuda where there is one.
        batch: bars in one call.
        dtype: "float32", or "bfloat16": several times as fast where the hardware computes in it, probabilities within about 0.01.
    """

    artefact = Audio
    card = Card(
        "sub-genre by any backbone of timm, or the published layers, trained by train/genre.py",
        paper="Li, HouseX, arXiv:2207.11690 (the task); Wightman, PyTorch Image Models, 2019 (the backbones)",
        terms="those of the material it was trained on; its model card says",
        extra="models",
        modules=("torch", "torchvision", "timm"),
        weights=(Weights(SOURCE, 20.0, "your own", FILE),),
    )

    def __init__(
        self, *, weights: str | None = None, device: str | None = None, batch: int = 64, dtype: str = "float32"
    ) -> None:
        if isinstance(batch, bool) or not isinstance(batch, int) or batch < 1:
            raise InvalidValue(f"timm_genre takes batch as a whole number from 1, got {batch!r}")
        if dtype not in DTYPES:
            raise UnknownName(f"no timm_genre dtype {dtype!r}; {nearest(str(dtype), DTYPES)}")
        self.weights, self.device, self.batch, self.dtype = weights, device, batch, dtype
        self._loaded: tuple[networks.Spec, Any] | None = None

    def classify(self, batch: Sequence[Audio]) -> tuple[np.ndarray, tuple[str, ...]]:
        """Probabilities, float64, shape=(item, genre), and the genres: the four of house in their order, or the file's own.

        Raises:
            InvalidValue: an item is not sound, or the weights are of other classes or another architecture.
            MissingExtra: torch or timm is not installed, or there are no weights.
        """
        for item in batch:
            if not isinstance(item, Audio):
                raise InvalidValue(f"timm_genre classifies Audio, got {type(item).__name__}: load it with load_audio")
        names = order(self._load()[0].classes) if len(batch) else GENRES
        return np.array([self.bars(item).mean(axis=0) for item in batch], np.float64).reshape(-1, len(names)), names

    def bars(self, song: Audio) -> np.ndarray:
        """Probabilities of each bar by itself, float64, shape=(bar, genre), genres in `classify`'s order."""
        import torch

        spec, network = self._load()
        pictures = standardised(drawn_bars(song, spec.side), spec.mean, spec.std)
        where, found = next(network.parameters()).device, []
        with torch.inference_mode():
            for start in range(0, len(pictures), self.batch):
                part = torch.from_numpy(pictures[start : start + self.batch]).to(where, getattr(torch, self.dtype))
                found.append(networks.probabilities(spec, network(part).float().cpu()).numpy())
        return np.concatenate(found)[:, [spec.classes.index(g) for g in order(spec.classes)]]

    def classes(self) -> tuple[str, ...] | None:
        """The genres as the weights' header tells them."""
        spec = networks.read_spec(self._path())
        return None if spec is None else order(spec.classes)

    def identity(self) -> Mapping[str, Any]:
        """sha256 of the weights, versions of torch and timm, device."""
        path = self._path()
        import timm
        import torch

        versions = {"torch": torch.__version__, "timm": timm.__version__}
        return {"weights": files.sha256_of(path), "device": chosen(self.device), "dtype": self.dtype, **versions}

    def close(self) -> None:
        """Free the network."""
        self._loaded = None

    def _path(self) -> Any:
        for module in ("torchvision", "timm"):
            require(module, "models", "classifiers 'timm_genre'")
        return files.find(self.weights, self.card.weights[0], part=self.name)

    def _load(self) -> tuple[networks.Spec, Any]:
        if self._loaded is None:
            path = self._path()
            spec, network = networks.load(path, chosen(self.device), "genre")
            import torch

            network = network.to(getattr(torch, self.dtype))
            if self.dtype != "float32":
                network = network.to(memory_format=torch.channels_last)
            self._loaded = spec, network
        return self._loaded


def order(classes: Sequence[str]) -> tuple[str, ...]:
    """The genres of house as published where a network knows just these, else its own classes in their order."""
    return GENRES if set(classes) == set(GENRES) else tuple(classes)
