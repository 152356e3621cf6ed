"""Song -> house sub-genre by the published picture classifier: a ResNet-101 that reads mel pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...audio.bars import MEAN, SIDE, STD, drawn_bars, drawn_song
from ...errors import InvalidValue, UnknownName, nearest
from ...interfaces import Card, Classifier, Weights
from ...models import picture_classifier as networks
from ...registry import register
from ...types import GENRES, Audio
from ...weights import files
from ...weights.sources import ByHand

FILE = "resnet_101_genre_classifier.safetensors"
PAGE = "https://www.kaggle.com/datasets/vijayjaisankar/spectrogrand-public-release"
SOURCE = ByHand(
    f"from {PAGE} (log in there with an account of your own, download resnet_101_genre_classifier.pth, alone or as a zip), "
    "then spectrogrand fetch resnet_genre from=DOWNLOADED",
    page=PAGE,
)
PUBLISHED = networks.Spec("resnet_genre", GENRES, SIDE, MEAN, STD)
PICTURES = ("song", "bars")


@register("resnet_genre")
class ResNetGenre(networks.PictureClassifier, Classifier):
    """softmax(W f(x) + b), f = ResNet-101's 1000 logits, x = a mel picture; over bars the mean of it.

    A picture holds 128 mel bands, dB relative to its own loudest bin, magma, low notes below, at 96 x 96 pixels, in ImageNet's
    mean and standard deviation. The published pipeline draws the whole song as one (its "parent picture"), although the network
    learned from pictures of one bar each, [k * 1.875 s, (k + 1) * 1.875 s). Dropout (0.5) acts in training only.

    Args:
        weights: safetensors file (or the folder that holds it) that `spectrogrand convert` made of the published pickle: keys
            backbone.* and model.2.*, or 0.* and 2.*, or those of a plain ResNet-101 whose last layer has four outputs; or what
            `train/export.py` made of one's own training, whose header says in which order its classes stand.
        pictures: "song": one of the whole song, as published; "bars": one a bar, as in training; None: "song" for the published
            file, "bars" for one's own.
        device: "cpu", "cuda", ...; None is cuda where there is one.
        batch_size: pictures in one call.
        dtype: "float32", or "bfloat16": several times as fast where the hardware computes in it, probabilities within about 0.01.
    """

    artefact = Audio
    task = "genre"
    card = Card(
        "the published sub-genre classifier: ResNet-101 on a mel picture of the song, or on one of each bar",
        paper="Li, HouseX: a fine-grained house music dataset, arXiv:2207.11690; Jaisankar & Mandhane, Spectrogrand, ICVGIP 2024",
        terms="its weights are published with the Spectrogrand repository (MIT); HouseX is for research use",
        extra="models",
        modules=("torch", "torchvision"),
        weights=(Weights(SOURCE, 178.0, "MIT", FILE),),
    )

    def __init__(
        self, *, weights: str | None = None, pictures: str | None = None, device: str | None = None, batch_size: int = 64,
        dtype: str = "float32",
    ) -> None:  # fmt: skip
        networks.check_settings("resnet_genre", batch_size, dtype)
        if pictures is not None and pictures not in PICTURES:
            raise UnknownName(f"no resnet_genre pictures {pictures!r}; {nearest(str(pictures), PICTURES)}")
        self.weights, self.pictures, self.device, self.batch_size, self.dtype = (
            weights,
            pictures,
            device,
            batch_size,
            dtype,
        )

    def classify(self, batch: Sequence[Audio]) -> tuple[np.ndarray, tuple[str, ...]]:
        """Probabilities, float64, shape=(item, genre), and the genres: future, bass, progressive, melodic.

        Raises:
            InvalidValue: an item is not sound, or the weights are of another architecture.
            MissingExtra: torch is not installed, or there are no weights.
        """
        for item in batch:
            if not isinstance(item, Audio):
                raise InvalidValue(f"resnet_genre classifies Audio, got {type(item).__name__}: load it with load_audio")
        return np.array([self.see(item).mean(axis=0) for item in batch], np.float64).reshape(-1, 4), GENRES

    def see(self, song: Audio) -> np.ndarray:
        """Probabilities of each picture by itself, float64, shape=(picture, genre)."""
        spec, _ = self.load()
        own = networks.read_spec(self._path()) is not None
        draw = drawn_bars if (self.pictures or ("bars" if own else "song")) == "bars" else drawn_song
        found = networks.probabilities(spec, self.ask(draw(song, spec.side), self.batch_size))
        return np.asarray(found[:, [spec.classes.index(g) for g in GENRES]])

    def _network(self, path: Path) -> tuple[networks.Spec, Any]:
        import torch
        from torchvision.models import resnet101

        spec, tensors = _spec(path), files.load_torch(path)
        plain = tuple(getattr(tensors.get("fc.weight"), "shape", ())) == (len(GENRES), 2048)
        with torch.random.fork_rng(devices=[]):  # building draws first values that the file then replaces
            model = resnet101(num_classes=len(GENRES)) if plain else networks.build(spec)
        files.fill(model, tensors if plain else _renamed(tensors), str(path))
        return spec, model

    def classes(self) -> tuple[str, ...]:
        """The four genres of house."""
        return GENRES


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
