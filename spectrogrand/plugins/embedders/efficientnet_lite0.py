"""Picture -> the 1280 features of EfficientNet-Lite0 with real ImageNet weights that come as a package: no download."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...errors import require
from ...interfaces import Card, Embedder
from ...models import efficientnet_lite0
from ...models.efficientnet_lite0 import PACKAGE
from ...registry import register
from ...types import Image
from ...weights.files import sha256_of


@register("efficientnet_lite0")
class EfficientNetLite0(Embedder):
    """Means over the last feature map (Tan and Le 2019; the Lite variant of 2020), not normalised: for FID and its kin."""

    artefact = Image
    card = Card(
        "1280 ImageNet features of EfficientNet-Lite0, out of a package", paper="arXiv 1905.11946", extra="train",
        modules=("timm", "torch", PACKAGE),
    )  # fmt: skip

    def __init__(self) -> None:
        self._network: Any = None

    def embed(self, batch: Sequence[Image]) -> np.ndarray:
        """Features, float32, shape=(item, 1280).

        Raises:
            MissingExtra: timm or the package of weights is not installed.
        """
        require(PACKAGE, "train", "efficientnet_lite0")
        require("timm", "train", "efficientnet_lite0")
        import torch

        network = self._load()
        rows = [np.zeros((0, 1280), np.float32)]
        with torch.inference_mode():
            for one in batch:  # one at a time: a batch's convolutions differ in the last bits
                rows.append(network.forward_features(efficientnet_lite0.tensor(one)).mean((2, 3)).numpy())
        return np.concatenate(rows)

    def _load(self) -> Any:
        if self._network is None:
            self._network = efficientnet_lite0.load()
        return self._network

    def identity(self) -> Mapping[str, Any]:
        """sha256 of the weights, where they are here."""
        found = importlib.util.find_spec(PACKAGE)
        return {"weights": sha256_of(efficientnet_lite0.weights())} if found else {}

    def close(self) -> None:
        """Free the network."""
        self._network = None
