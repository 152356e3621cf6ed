"""Surprise of a cover as published: how sure a small network is that a human made it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import InvalidValue, UnknownName, nearest
from ...interfaces import Card, CreativityScorer, Weights
from ...models import picture_classifier as networks
from ...registry import register
from ...types import Image
from ...weights import files
from ...weights.sources import Url

FILE = "mobilenet_surprise_estimation.safetensors"
SOURCE = Url(
    "https://raw.githubusercontent.com/vijay-jaisankar/spectrogrand/7c27dc7e426dd065da9ab164bacd6cb68bfca6ed/public/"
    "mumu-processing/album-source-classification/mumu_mobilenet_v3_s_train_0_9322514533996582.pt"
)
SIDE = 256
PUBLISHED = networks.Spec(
    "mobilenet_surprise", ("ai", "human"), SIDE, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), "published", "surprise"
)


@register("mobilenet_surprise")
class MobileNetSurprise(networks.PictureClassifier, CreativityScorer):
    """P(human) of MobileNet-v3-small, 1000 -> 128 -> 32 -> 2 with leaky ReLUs (slope 0.01); order ai, human.

    With z the last layer's two outputs, `published` is softmax(sigmoid(leaky_relu(z))): the sigmoid squeezes both into
    [0, 1], so that P(human) lies in [1 / (1 + e), e / (1 + e)] = [0.269, 0.731]. `corrected` is softmax(z), in [0, 1].
    `logits` gives z(human) - z(ai), which nothing squeezes. Pictures are 256 x 256, in [0, 1], not standardised.

    Args:
        weights: safetensors file (or the folder that holds it) that `spectrogrand convert` made of the published state dict.
            A file of `train/export.py` says itself in which order its classes stand and through which head it was trained.
        head: "published" or "corrected"; None is what the file says, "published" where it says nothing.
        device: "cpu", "cuda", ...; None is cuda where there is one.
    """

    aspect = "surprise"
    task = "surprise"
    artefact = Image
    card = Card(
        "probability that a human made the cover, by the published network",
        paper="Jaisankar & Mandhane, Spectrogrand, ICVGIP 2024",
        terms="its weights are published with the Spectrogrand repository (MIT)",
        extra="models",
        modules=("torch", "torchvision"),
        weights=(Weights(SOURCE, 10.9, "MIT", FILE),),
    )

    def __init__(self, *, weights: str | None = None, head: str | None = None, device: str | None = None) -> None:
        if head is not None and head not in networks.HEADS:
            raise UnknownName(f"no mobilenet_surprise head {head!r}; {nearest(str(head), networks.HEADS)}")
        self.weights, self.head, self.device = weights, head, device

    def score(self, batch: Sequence[Image]) -> np.ndarray:
        """P(human), float64, shape=(item,).

        Raises:
            InvalidValue: an item is no picture, or the weights are of another architecture.
            MissingExtra: torch is not installed, or there are no weights.
        """
        z = self._outputs(batch)
        if (self.head or self.load()[0].head) == "published":
            z = 1 / (1 + np.exp(-np.where(z > 0, z, 0.01 * z)))
        with np.errstate(over="ignore"):
            return np.asarray(1 / (1 + np.exp(z[:, 0] - z[:, 1])))

    def logits(self, batch: Sequence[Image]) -> np.ndarray:
        """z(human) - z(ai), float64, shape=(item,): the evidence before anything squeezes it."""
        z = self._outputs(batch)
        return np.asarray(z[:, 1] - z[:, 0])

    def _outputs(self, batch: Sequence[Image]) -> np.ndarray:
        """The last layer's outputs (ai, human), float64, shape=(item, 2); one picture a call, so neighbours change nothing."""
        for item in batch:
            if not isinstance(item, Image):
                raise InvalidValue(
                    f"mobilenet_surprise rates Image, got {type(item).__name__}: load it with load_image"
                )
        order = [self.load()[0].classes.index(c) for c in PUBLISHED.classes]
        found = [self.ask(networks.small(image, SIDE), 1) for image in batch]
        return np.concatenate([np.zeros((0, 2)), *found])[:, order]

    def _network(self, path: Path) -> tuple[networks.Spec, Any]:
        import torch

        spec = _spec(path)
        with torch.random.fork_rng(devices=[]):  # building draws first values that the file then replaces
            network = networks.build(spec)
        files.fill(network, files.load_torch(path), str(path))
        return spec, network


def _spec(path: Path) -> networks.Spec:
    """What the file's header says, or the published layout."""
    spec = networks.read_spec(path) or PUBLISHED
    same = (spec.architecture, spec.side, spec.mean, spec.std) == (
        "mobilenet_surprise",
        SIDE,
        PUBLISHED.mean,
        PUBLISHED.std,
    )
    if not same or set(spec.classes) != set(PUBLISHED.classes):
        raise InvalidValue(
            f"{path} holds a {spec.architecture} on pictures of its own kind: set cover_scorers=[timm_surprise]"
        )
    return spec
