"""Song -> house sub-genre by the published picture classifier: a ResNet-101 that reads mel pictures of one bar each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...audio.bars import MEAN, SIDE, STD, drawn_bars, standardised
from ...errors import InvalidValue, UnknownName, nearest, require
from ...interfaces import Card, Classifier, Weights
from ...models import picture_classifier as networks
from ...registry import register
from ...types import GENRES, Audio
from ...weights import files
from ...weights.sources import ByHand

DTYPES = ("float32", "bfloat16")
FILE = "resnet_101_genre_classifier.safetensors"
PAGE = "https://www.kaggle.com/datasets/vijayjaisankar/spectrogrand-public-release"
SOURCE = ByHand(
    f"from {PAGE} (log in there with an account of your own, download resnet_101_genre_classifier.pth, alone or as a zip), "
    "then spectrogrand fetch resnet_genre from=DOWNLOADED",
    page=PAGE,
)
PUBLISHED = networks.Spec("resnet_genre", GENRES, SIDE, MEAN, STD)


@register("resnet_genre")
class ResNetGenre(Classifier):
    """Mean over the song's bars of softmax(W f(x) + b), f = ResNet-101's 1000 logits, x = the bar's mel picture.

    Each picture shows [k * 1.875 s, (k + 1) * 1.875 s): 128 mel bands, dB relative to the bar's loudest bin, magma, low
    notes below, 96 x 96 pixels, in ImageNet's mean and standard deviation. Dropout (0.5) acts in training only.

    Args:
        weights: safetensors file (or the folder that holds it) that `spectrogrand convert` made of the published pickle: keys
            backbone.* and model.2.*, or 0.* and 2.*, or those of a plain ResNet-101 whose last layer has four outputs; or what
            `train/export.py` made of one's own training, whose header says in which order its classes stand.
        device: "cpu", "cuda", ...; None is cuda where there is one.
        batch: bars in one call.
        dtype: "float32", or "bfloat16": several times as fast where the hardware computes in it, probabilities within about 0.01.
    """

    artefact = Audio
    card = Card(
        "the published sub-genre classifier: ResNet-101 on mel pictures of one bar",
        paper="Li, HouseX: a fine-grained house music dataset, arXiv:2207.11690; Jaisankar & Mandhane, Spectrogrand, ICVGIP 2024",
        terms="its weights are published with the Spectrogrand repository (MIT); HouseX is for research use",
        extra="models",
        modules=("torch", "torchvision"),
        weights=(Weights(SOURCE, 178.0, "MIT", FILE),),
    )

    def __init__(
        self, *, weights: str | None = None, device: str | None = None, batch: int = 64, dtype: str = "float32"
    ) -> None:
        if isinstance(batch, bool) or not isinstance(batch, int) or batch < 1:
            raise InvalidValue(f"resnet_genre takes batch as a whole number from 1, got {batch!r}")
        if dtype not in DTYPES:
            raise UnknownName(f"no resnet_genre dtype {dtype!r}; {nearest(str(dtype), DTYPES)}")
        self.weights, self.device, self.batch, self.dtype = weights, device, batch, dtype
        self._model: Any = None
        self._spec = PUBLISHED

    def classify(self, batch: Sequence[Audio]) -> tuple[np.ndarray, tuple[str, ...]]:
        """Probabilities, float64, shape=(item, genre), and the genres: future, bass, progressive, melodic.

        Raises:
            InvalidValue: an item is not sound, or the weights are of another architecture.
            MissingExtra: torch is not installed, or there are no weights.
        """
        for item in batch:
            if not isinstance(item, Audio):
                raise InvalidValue(f"resnet_genre classifies Audio, got {type(item).__name__}: load it with load_audio")
        return np.array([self.bars(item).mean(axis=0) for item in batch], np.float64).reshape(-1, 4), GENRES

    def bars(self, song: Audio) -> np.ndarray:
        """Probabilities of each bar by itself, float64, shape=(bar, genre)."""
        import torch

        model, found = self._load(), []
        spec = self._spec
        pictures = standardised(drawn_bars(song, spec.side), spec.mean, spec.std)
        where = next(model.parameters()).device
        with torch.inference_mode():
            for start in range(0, len(pictures), self.batch):
                part = torch.from_numpy(pictures[start : start + self.batch]).to(where, getattr(torch, self.dtype))
                found.append(model(part).double().softmax(1).cpu().numpy())
        return np.concatenate(found)[:, [spec.classes.index(g) for g in GENRES]]

    def classes(self) -> tuple[str, ...]:
        """The four genres of house."""
        return GENRES

    def identity(self) -> Mapping[str, Any]:
        """sha256 of the weights, version of torch, device."""
        path = self._path()
        import torch

        return {
            "weights": files.sha256_of(path),
            "torch": torch.__version__,
            "device": self._place(),
            "dtype": self.dtype,
        }

    def close(self) -> None:
        """Free the network."""
        self._model = None

    def _path(self) -> Path:
        require("torchvision", "models", "classifiers 'resnet_genre'")
        return files.find(self.weights, self.card.weights[0], part=self.name)

    def _place(self) -> str:
        import torch

        return self.device or ("cuda" if torch.cuda.is_available() else "cpu")

    def _load(self) -> Any:
        if self._model is None:
            path = self._path()
            import torch
            from torchvision.models import resnet101

            self._spec = _spec(path)
            tensors = files.load_torch(path)
            plain = tuple(getattr(tensors.get("fc.weight"), "shape", ())) == (len(GENRES), 2048)
            with torch.random.fork_rng(devices=[]):  # building draws first values that the file then replaces
                if plain:
                    model = resnet101(num_classes=len(GENRES))
                else:
                    head = torch.nn.Linear(1000, len(GENRES))
                    model = torch.nn.Sequential(resnet101(), torch.nn.Dropout(0.5), head)
            files.fill(model, tensors if plain else _renamed(tensors), str(path))
            self._model = model.eval().requires_grad_(False).to(self._place(), getattr(torch, self.dtype))
            if self.dtype != "float32":
                self._model = self._model.to(memory_format=torch.channels_last)
        return self._model


def _spec(path: Path) -> networks.Spec:
    """What the file's header says, or the published layout."""
    spec = networks.read_spec(path) or PUBLISHED
    if spec.architecture != "resnet_genre":
        raise InvalidValue(f"{path} holds a {spec.architecture}, not the published ResNet-101: set genre=timm_genre")
    if set(spec.classes) != set(GENRES):
        raise InvalidValue(f"{path} knows {', '.join(spec.classes)}, not the genres {', '.join(GENRES)}")
    return spec


def _renamed(tensors: Mapping[str, Any]) -> dict[str, Any]:
    """The published class's keys as those of its Sequential; `backbone` is kept there twice, as itself and as model.0."""
    made = {}
    for key, value in tensors.items():
        for old, new in (("model.", ""), ("backbone.", "0.")):
            if key.startswith(old):
                key = new + key[len(old) :]
                break
        made[key] = value
    return made
