"""Surprise of a cover by a network of one's own: what `python train/surprise.py` trained and `train/export.py` wrote."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import InvalidValue
from ...interfaces import Card, CreativityScorer, Weights
from ...models import picture_classifier as networks
from ...registry import register
from ...types import Image
from ...weights.sources import trained

FILE = "surprise.safetensors"
SOURCE = trained("python train/surprise.py, then python train/export.py CHECKPOINT FOLDER")


@register("timm_surprise")
class TimmSurprise(networks.PictureClassifier, CreativityScorer):
    """P(human) = softmax of the network's logits at the class `human`, in [0, 1]: nothing squeezes it.

    The file says which network, picture size, normalisation and order of classes.

    Args:
        weights: safetensors file of `train/export.py`, or the folder that holds it.
        device: "cpu", "cuda", ...; None is cuda where there is one.
        target: the class whose probability is the score.
    """

    aspect = "surprise"
    task = "surprise"
    artefact = Image
    card = Card(
        "probability that a human made the cover, by any backbone of timm trained by train/surprise.py",
        paper="Jaisankar & Mandhane, Spectrogrand, ICVGIP 2024 (the measure); Wightman, PyTorch Image Models, 2019",
        terms="those of the material it was trained on; its model card says",
        extra="models",
        modules=("torch", "torchvision", "timm"),
        weights=(Weights(SOURCE, 20.0, "your own", FILE),),
    )

    def __init__(self, *, weights: str | None = None, device: str | None = None, target: str = "human") -> None:
        self.weights, self.device, self.target = weights, device, target

    def score(self, batch: Sequence[Image]) -> np.ndarray:
        """P(human), float64, shape=(item,); one picture a call, so neighbours change nothing.

        Raises:
            InvalidValue: an item is no picture, or the weights are of other classes or another architecture.
            MissingExtra: torch or timm is not installed, or there are no weights.
        """
        for item in batch:
            if not isinstance(item, Image):
                raise InvalidValue(f"timm_surprise rates Image, got {type(item).__name__}: load it with load_image")
        if not len(batch):
            return np.zeros(0)
        spec, _ = self.load()
        found = [self.ask(networks.small(image, spec.side), 1) for image in batch]
        return np.asarray(networks.probabilities(spec, np.concatenate(found))[:, spec.classes.index(self.target)])

    def inspect(self) -> None:
        """Whether the weights know the class that is to be scored.

        Raises:
            InvalidValue: they do not.
        """
        path = self._path()
        spec = networks.read_spec(path)
        if spec is not None:
            self._know_target(path, spec)

    def _know_target(self, path: Path, spec: networks.Spec) -> None:
        if self.target not in spec.classes:
            raise InvalidValue(f"{path} knows {', '.join(spec.classes)}, not {self.target}: set target to one of them")

    def _network(self, path: Path) -> tuple[networks.Spec, Any]:
        spec, network = networks.load(path, self.task)
        self._know_target(path, spec)
        return spec, network
