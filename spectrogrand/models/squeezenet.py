"""SqueezeNet 1.1's ImageNet features as torch functions over the arrays of its HDF5 file, which is read and never run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InvalidValue

MEANS = (104.0, 117.0, 123.0)
"""Subtracted from blue, green and red, which is the order and the range (0 to 255) in which the network reads."""
POOLS = (1, 3, 5)
"""Layers after which it halves the picture."""


def read(path: Path, place: str) -> dict[str, Any]:
    """The 26 convolutions' kernels and biases as tensors, "conv1", "fire2/squeeze1x1", ... -> (kernel, bias).

    Raises:
        InvalidValue: the file is torn, or holds another network: the missing keys or the shapes are named.
    """
    import h5py
    import torch

    made: dict[str, Any] = {}
    try:
        with h5py.File(path, "r") as file:
            for name, (side, inputs, outputs) in shapes().items():
                arrays = [np.asarray(a) for a in _arrays(file.get(name))]
                kernel = next((a for a in arrays if a.ndim == 4), None)
                bias = next((a for a in arrays if a.ndim == 1), None)
                if kernel is None or bias is None:
                    raise InvalidValue(f"{path} is a checkpoint of another architecture; missing: {name}")
                if kernel.shape != (side, side, inputs, outputs):
                    wanted = (side, side, inputs, outputs)
                    raise InvalidValue(
                        f"{path} is a checkpoint of another architecture; other shapes: {name} is {kernel.shape}, not {wanted}"
                    )
                if not (np.isfinite(kernel).all() and np.isfinite(bias).all()):
                    raise InvalidValue(f"{path} holds numbers that are not finite in {name}: get it again")
                weight = torch.from_numpy(kernel.astype(np.float32).transpose(3, 2, 0, 1).copy())
                made[name] = weight.to(place), torch.from_numpy(bias.astype(np.float32)).to(place)
    except OSError as error:
        raise InvalidValue(
            f"{path} is torn or no HDF5 file ({str(error).splitlines()[0][:100]}): get it again"
        ) from error
    return made


def shapes() -> dict[str, tuple[int, int, int]]:
    """Layer -> (taps a side, inputs, outputs).

    >>> len(shapes()), sum(s * s * i * o + o for s, i, o in shapes().values())
    (25, 722496)
    """
    made = {"conv1": (3, 3, 64)}
    inputs = 64
    for fire, (squeezed, grown) in enumerate(((16, 64), (32, 128), (48, 192), (64, 256)), 1):
        for k in (2 * fire, 2 * fire + 1):
            made[f"fire{k}/squeeze1x1"] = (1, inputs, squeezed)
            made[f"fire{k}/expand1x1"] = (1, squeezed, grown)
            made[f"fire{k}/expand3x3"] = (3, squeezed, grown)
            inputs = 2 * grown
    return made


def features(network: dict[str, Any], x: Any, last: int) -> dict[int, Any]:
    """Features after layer 1 (conv1) and each fire module 2 to 9, up to `last`, of a picture in [0, 1].

    Args:
        x: float32, shape=(1, rgb, row, column).
    """
    import torch
    import torch.nn.functional as F

    means = torch.tensor(MEANS, dtype=x.dtype, device=x.device).view(1, 3, 1, 1)
    x = F.conv2d(x.flip(1) * 255 - means, *network["conv1"], 2).relu()
    found = {1: x}
    for k in range(2, last + 1):
        if k - 1 in POOLS:
            x = F.max_pool2d(x, 3, 2, ceil_mode=True)
        x = F.conv2d(x, *network[f"fire{k}/squeeze1x1"]).relu()
        sides = F.conv2d(x, *network[f"fire{k}/expand1x1"]), F.conv2d(x, *network[f"fire{k}/expand3x3"], padding=1)
        x = torch.cat(sides, 1).relu()
        found[k] = x
    return found


def _arrays(group: Any) -> list[Any]:
    """The arrays of a layer's group, however deeply they lie."""
    found: list[Any] = []
    if group is not None:
        group.visititems(lambda _, item: found.append(item) if hasattr(item, "shape") else None)
    return found
