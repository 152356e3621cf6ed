"""Surprise of a cover as published: how sure a small network is that a human made it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import InvalidValue, UnknownName, nearest, require
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
class MobileNetSurprise(CreativityScorer):
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
        self._model: Any = None
        self._spec = PUBLISHED

    def score(self, batch: Sequence[Image]) -> np.ndarray:
        """P(human), float64, shape=(item,).

        Raises:
            InvalidValue: an item is no picture, or the weights are of another architecture.
            MissingExtra: torch is not installed, or there are no weights.
        """
        z = self._outputs(batch)
        if (self.head or self._spec.head) == "published":
            z = 1 / (1 + np.exp(-np.where(z > 0, z, 0.01 * z)))
        with np.errstate(over="ignore"):
            return np.asarray(1 / (1 + np.exp(z[:, 0] - z[:, 1])))

    def logits(self, batch: Sequence[Image]) -> np.ndarray:
        """z(human) - z(ai), float64, shape=(item,): the evidence before anything squeezes it."""
        z = self._outputs(batch)
        return np.asarray(z[:, 1] - z[:, 0])

    def identity(self) -> Mapping[str, Any]:
        """sha256 of the weights, version of torch, device."""
        path = self._path()
        import torch

        return {"weights": files.sha256_of(path), "torch": torch.__version__, "device": self._place()}

    def close(self) -> None:
        """Free the network."""
        self._model = None

    def _outputs(self, batch: Sequence[Image]) -> np.ndarray:
        """The last layer's outputs (ai, human), float64, shape=(item, 2); one picture a call, so neighbours change nothing."""
        for item in batch:
            if not isinstance(item, Image):
                raise InvalidValue(
                    f"mobilenet_surprise rates Image, got {type(item).__name__}: load it with load_image"
                )
        model = self._load()
        import torch

        with torch.inference_mode():
            found = [
                model(torch.from_numpy(prepared(image)).to(self._place())).double().cpu().numpy() for image in batch
            ]
        order = [self._spec.classes.index(c) for c in PUBLISHED.classes]
        return np.concatenate([np.zeros((0, 2)), *found])[:, order]

    def _path(self) -> Path:
        require("torchvision", "models", "scorers 'mobilenet_surprise'")
        return files.find(self.weights, self.card.weights[0], part=self.name)

    def _place(self) -> str:
        import torch

        return self.device or ("cuda" if torch.cuda.is_available() else "cpu")

    def _load(self) -> Any:
        if self._model is None:
            path = self._path()
            import torch

            self._spec = _spec(path)
            with torch.random.fork_rng(devices=[]):  # building draws first values that the file then replaces
                network = networks.build(self._spec)
            files.fill(network, files.load_torch(path), str(path))
            self._model = network.eval().requires_grad_(False).to(self._place())
        return self._model


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


def prepared(image: Image) -> np.ndarray:
    """What the network sees: the whole picture at 256 x 256, float32 in [0, 1], shape=(1, rgb, 256, 256)."""
    from PIL import Image as Pillow

    small = Pillow.fromarray(image.pixels).resize((SIDE, SIDE), Pillow.Resampling.BILINEAR)
    return np.ascontiguousarray((np.asarray(small, np.float32) / 255).transpose(2, 0, 1)[None])
