"""Surprise of a cover by a network of one's own: what `python train/surprise.py` trained and `train/export.py` wrote."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...audio.bars import standardised
from ...errors import InvalidValue, require
from ...interfaces import Card, CreativityScorer, Weights
from ...models import picture_classifier as networks
from ...models.devices import device as chosen
from ...registry import register
from ...types import Image
from ...weights import files
from ...weights.sources import trained

FILE = "surprise.safetensors"
SOURCE = trained("python train/surprise.py, then python train/export.py CHECKPOINT FOLDER")


@register("timm_surprise")
class TimmSurprise(CreativityScorer):
    """P(human) = softmax of the network's logits at the class `human`, in [0, 1]: nothing squeezes it.

    The file says which network, picture size, normalisation and order of classes.

    Args:
        weights: safetensors file of `train/export.py`, or the folder that holds it.
        device: "cpu", "cuda", ...; None is cuda where there is one.
        target: the class whose probability is the score.
    """

    aspect = "surprise"
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
        self._loaded: tuple[networks.Spec, Any] | None = None

    def score(self, batch: Sequence[Image]) -> np.ndarray:
        """P(human), float64, shape=(item,); one picture a call, so neighbours change nothing.

        Raises:
            InvalidValue: an item is no picture, or the weights are of other classes or another architecture.
            MissingExtra: torch or timm is not installed, or there are no weights.
        """
        import torch

        for item in batch:
            if not isinstance(item, Image):
                raise InvalidValue(f"timm_surprise rates Image, got {type(item).__name__}: load it with load_image")
        if not len(batch):
            return np.zeros(0)
        spec, network = self._load()
        where, found = next(network.parameters()).device, []
        with torch.inference_mode():
            for image in batch:
                seen = standardised(_small(image, spec.side), spec.mean, spec.std)
                logits = network(torch.from_numpy(seen).to(where)).cpu()
                found.append(networks.probabilities(spec, logits).numpy())
        return np.asarray(np.concatenate(found)[:, spec.classes.index(self.target)])

    def inspect(self) -> None:
        """Whether the weights know the class that is to be scored.

        Raises:
            InvalidValue: they do not.
        """
        path = self._path()
        spec = networks.read_spec(path)
        if spec is not None:
            self._know_target(path, spec)

    def identity(self) -> Mapping[str, Any]:
        """sha256 of the weights, versions of torch and timm, device."""
        path = self._path()
        import timm
        import torch

        versions = {"torch": torch.__version__, "timm": timm.__version__}
        return {"weights": files.sha256_of(path), "device": chosen(self.device), **versions}

    def close(self) -> None:
        """Free the network."""
        self._loaded = None

    def _path(self) -> Any:
        for module in ("torchvision", "timm"):
            require(module, "models", "scorers 'timm_surprise'")
        return files.find(self.weights, self.card.weights[0], part=self.name)

    def _know_target(self, path: Any, spec: networks.Spec) -> None:
        if self.target not in spec.classes:
            raise InvalidValue(f"{path} knows {', '.join(spec.classes)}, not {self.target}: set target to one of them")

    def _load(self) -> tuple[networks.Spec, Any]:
        if self._loaded is None:
            path = self._path()
            spec, network = networks.load(path, chosen(self.device), "surprise")
            self._know_target(path, spec)
            self._loaded = spec, network
        return self._loaded


def _small(image: Image, side: int) -> np.ndarray:
    from PIL import Image as Pillow

    return np.asarray(Pillow.fromarray(image.pixels).resize((side, side), Pillow.Resampling.BILINEAR))[None]
