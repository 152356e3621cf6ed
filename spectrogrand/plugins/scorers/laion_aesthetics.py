"""Scorer "laion_aesthetics": how people would rate a cover from 1 to 10, by a small head on CLIP's picture embedding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import InvalidValue, UnknownName, nearest, require
from ...interfaces import Card, CreativityScorer, Weights
from ...models import devices
from ...registry import register
from ...types import Image
from ...weights import checkpoints, files, hub, processors
from ...weights.sources import HubRepo, Url

PART = "scorers 'laion_aesthetics'"
CLIP = Weights(HubRepo("openai/clip-vit-large-patch14", "32bd64288804d66eefd0ccbe215aa642df71cc41"), 1710.5, "MIT")
HEADS = {
    "mlp": Weights(
        Url(
            "https://raw.githubusercontent.com/christophschuhmann/improved-aesthetic-predictor/"
            "6934dd81792f086e613a121dbce43082cb8be85e/sac%2Blogos%2Bava1-l14-linearMSE.pth",
            "21dd590f3ccdc646f0d53120778b296013b096a035a2718c9cb0d511bff0f1e0",
        ),
        3.7,
        "Apache-2.0",
        "sac+logos+ava1-l14-linearMSE.safetensors",
    ),
    "linear": Weights(
        Url("https://raw.githubusercontent.com/LAION-AI/aesthetic-predictor/main/sa_0_4_vit_l_14_linear.pth"),
        0.003,
        "MIT",
        "sa_0_4_vit_l_14_linear.safetensors",
    ),
}
SIZES = (1024, 128, 64, 16, 1)
"""Widths of the layers of head "mlp"; between them there is dropout in training, and no nonlinearity at all."""


@register("laion_aesthetics")
class LaionAesthetics(CreativityScorer):
    """h(e / |e|), where e is CLIP ViT-L/14's projected embedding of the picture; people's ratings lie from 1 to 10.

    `linear` is LAION's first predictor, one linear layer; `mlp` the improved one, five of them (Schuhmann 2022).

    Args:
        weights: folder with the CLIP model in the hub's layout and the head's file, or one that holds it as `laion_aesthetics`.
        head: "mlp" or "linear".
        device: "cpu", "cuda", ...; None is cuda where there is one.
        dtype: CLIP's: "float32", "bfloat16" or "float16".
    """

    aspect = "value"
    artefact = Image
    chooses = ("head",)
    card = Card(
        "LAION's aesthetic predictor: a head on CLIP ViT-L/14",
        paper="Schuhmann et al., LAION-5B, NeurIPS 2022; Radford et al., CLIP, ICML 2021",
        extra="models",
        modules=("torch", "transformers"),
        weights=(CLIP, HEADS["mlp"]),
    )

    def __init__(
        self, *, weights: str | None = None, head: str = "mlp", device: str | None = None, dtype: str = "float32"
    ) -> None:
        if head not in HEADS:
            raise UnknownName(f"no laion_aesthetics head {head!r}; {nearest(str(head), HEADS)}")
        self.weights, self.head, self.device, self.dtype = weights, head, device, dtype
        self.card = Card(**{**vars(type(self).card), "weights": (CLIP, HEADS[head])})  # type: ignore[misc]
        self._loaded: tuple[Any, Any, Any] | None = None

    def score(self, batch: Sequence[Image]) -> np.ndarray:
        """Rating per picture, float64, shape=(item,); one picture a call, so neighbours change nothing.

        Raises:
            InvalidValue: an item is no picture, or weights are of another architecture.
            MissingExtra: transformers is not installed, or there are no weights.
        """
        for item in batch:
            if not isinstance(item, Image):
                raise InvalidValue(f"laion_aesthetics rates Image, got {type(item).__name__}: load it with load_image")
        return np.array([self._one(item) for item in batch], np.float64)

    def identity(self) -> Mapping[str, Any]:
        """sha256 of CLIP's files and the head, device, dtype and library versions."""
        require("transformers", "models", PART)
        places = {"clip": hub.folder(self.weights, CLIP, part=self.name), "head": self._head_path()}
        return devices.identity(places, devices.device(self.device), self._dtype(), 1, "transformers")

    def close(self) -> None:
        """Free the networks."""
        self._loaded = None

    def _one(self, image: Image) -> float:
        import torch

        model, processor, head = self._load()
        seen = processor(images=image.pixels.copy(), return_tensors="pt")["pixel_values"]
        weight = next(model.parameters())
        with torch.inference_mode():
            vector = model.get_image_features(pixel_values=seen.to(weight.device, weight.dtype)).pooler_output.float()
            return float(head(vector / vector.norm(dim=-1, keepdim=True))[0, 0])

    def _dtype(self) -> str:
        return devices.dtype(self.dtype, devices.device(self.device))

    def _head_path(self) -> Path:
        return files.find(self.weights, HEADS[self.head], part=self.name)

    def _load(self) -> tuple[Any, Any, Any]:
        if self._loaded is None:
            require("transformers", "models", PART)
            folder, place = hub.folder(self.weights, CLIP, part=self.name), devices.device(self.device)
            path = self._head_path()
            from transformers import CLIPModel

            processors.is_a("clip", folder, part=self.name)
            model = checkpoints.model(CLIPModel, folder, self._dtype(), part=self.name).to(place)
            processor = processors.processor("CLIPImageProcessor", folder, part=self.name)
            head = _head(self.head, model.config.projection_dim)
            files.fill(head, files.load_torch(path), str(path))
            self._loaded = model, processor, head.eval().requires_grad_(False).to(place)
        return self._loaded


def _head(kind: str, width: int) -> Any:
    """The head's layers under the names that its published file gives them: layers.0, .2, .4, .6, .7, or plain."""
    import torch
    from torch import nn

    class Improved(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            sizes = (width, *SIZES)
            linear = [nn.Linear(a, b) for a, b in zip(sizes, SIZES, strict=False)]
            rests = [nn.Identity() for _ in range(3)]
            order = [linear[0], rests[0], linear[1], rests[1], linear[2], rests[2], linear[3], linear[4]]
            self.layers = nn.Sequential(*order)

        def forward(self, x: Any) -> Any:
            return self.layers(x)

    with torch.random.fork_rng(devices=[]):  # building draws first values that the file then replaces
        return nn.Linear(width, 1) if kind == "linear" else Improved()
