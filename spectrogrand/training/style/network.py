"""The network of `spectral_style`: SqueezeNet's view of a style picture steers a small convolutional painter.

code     style picture -> SqueezeNet 1.1 to fire5 (frozen) -> mean and standard deviation of three layers, over the whole
         picture and over cells of 64 pixels -> a linear bottleneck: what a style is, and where in the picture.
encode   content picture -> features at 1/2, 1/4 and 1/8 of its size, each channel's mean and variance removed.
decode   features x code -> picture: adaptive instance normalisation (Huang and Belongie 2017, arXiv:1703.06868, eq. 8)
         in every layer, with scale and shift as maps drawn between the cells of the style (departure: theirs are constants).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ...errors import InvalidValue

CELL = 64
"""Pixels of one style cell."""
TAPS = (1, 4, 7)
"""torchvision's squeezenet1_1().features whose statistics make the code: conv1, fire3, fire5."""
TAP_CHANNELS = 64 + 128 + 256
CODE = 96
WIDTHS = (32, 48, 80)
"""Channels at 1/2, 1/4 and 1/8 of the picture's size."""
BLOCKS = 3
EPS = 1e-4


def squeezenet(path: Path) -> nn.Sequential:
    """SqueezeNet 1.1's features, frozen, from Keras's HDF5 layout; takes pictures of `standardised`."""
    import h5py
    from torchvision.models import squeezenet1_1

    features = squeezenet1_1().features
    own = features.state_dict()
    fires = {"fire2": 3, "fire3": 4, "fire4": 6, "fire5": 7, "fire6": 9, "fire7": 10, "fire8": 11, "fire9": 12}
    with h5py.File(path) as file:
        found: dict[str, Any] = {}
        file.visititems(lambda name, item: found.update({name: np.array(item)}) if hasattr(item, "shape") else None)
    filled = set()
    for name, value in found.items():
        parts = name.split("/")
        key = "0" if parts[0] == "conv1" else f"{fires[parts[0]]}.{parts[1].replace('squeeze1x1', 'squeeze')}"
        key += ".bias" if value.ndim == 1 else ".weight"
        tensor = torch.from_numpy(value if value.ndim == 1 else value.transpose(3, 2, 0, 1).copy())
        if own[key].shape != tensor.shape:
            raise InvalidValue(f"{path}: {name} is {tuple(tensor.shape)}, expected {tuple(own[key].shape)}")
        own[key] = tensor.float()
        filled.add(key)
    if filled != set(own):
        raise InvalidValue(f"{path} lacks {sorted(set(own) - filled)[:3]}: it is no SqueezeNet 1.1")
    features.load_state_dict(own)
    return features.eval().requires_grad_(False)


def standardised(pictures: Tensor) -> Tensor:
    """RGB in [0, 1] -> what the SqueezeNet was trained on: BGR from 0 to 255 less (104, 117, 123)."""
    return pictures.flip(1) * 255 - pictures.new_tensor((104.0, 117.0, 123.0)).view(1, 3, 1, 1)


def pooling(rows: int, columns: int, height: int, width: int) -> Tensor:
    """Weights with which (height, width) positions belong to each of rows x columns cells; float32, shape=(cell, position).

    Triangles as wide as two cells, cut at the picture's borders; each cell's weights sum to one.
    """

    def along(cells: int, positions: int) -> Tensor:
        at = (torch.arange(positions) + 0.5) * cells / positions
        weight = (1 - (at[None] - (torch.arange(cells)[:, None] + 0.5)).abs()).clamp(min=0)
        return weight / weight.sum(1, keepdim=True)

    return torch.einsum("ah,bw->abhw", along(rows, height), along(columns, width)).reshape(rows * columns, -1)


def spreading(rows: int, columns: int, height: int, width: int) -> Tensor:
    """Bilinear weights that draw rows x columns cells out to (height, width); float32, shape=(cell, position)."""

    def along(cells: int, positions: int) -> Tensor:
        at = ((torch.arange(positions) + 0.5) * cells / positions - 0.5).clamp(0, cells - 1)
        return (1 - (at[None] - torch.arange(cells)[:, None]).abs()).clamp(min=0)

    return torch.einsum("ah,bw->abhw", along(rows, height), along(columns, width)).reshape(rows * columns, -1)


def positions(x: Tensor) -> Tensor:
    """(item, channel, row, column) -> float32 (item, position, channel), without a copy where channels lie last."""
    return x.float().permute(0, 2, 3, 1).flatten(1, 2)


def moments(x: Tensor, weights: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation per channel, of each cell where `weights` (cell, position) are given; (item, cell, channel)."""
    flat = positions(x)
    if weights is None:
        weights = flat.new_full((1, flat.shape[1]), 1 / flat.shape[1])
    mean = weights @ flat
    return mean, (weights @ (flat * flat) - mean * mean).clamp(min=0).add(EPS).sqrt()


def normalised(x: Tensor) -> Tensor:
    """Each channel of each picture to mean 0 and variance 1."""
    centred = x.float() - x.float().mean((2, 3), keepdim=True)
    return centred * torch.rsqrt(centred.square().mean((2, 3), keepdim=True) + EPS)


class Code(nn.Module):
    """Statistics of a style picture -> its code."""

    mean: Tensor
    std: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(2 * TAP_CHANNELS))
        self.register_buffer("std", torch.ones(2 * TAP_CHANNELS))
        self.bottleneck = nn.Linear(2 * TAP_CHANNELS, CODE)

    @staticmethod
    def statistics(taps: list[Tensor], weights: list[Tensor] | None = None) -> Tensor:
        """log(1 + mean) and log(1 + deviation) of each tap's channels; shape=(item, cell, statistic)."""
        pairs = [
            moments(t, None if weights is None else w) for t, w in zip(taps, weights or [None] * len(taps), strict=True)
        ]
        return torch.cat([torch.log1p(m.clamp(min=0)) for pair in pairs for m in pair], 2)

    def forward(self, statistics: Tensor) -> Tensor:
        """(item, cell, statistic) -> code, shape=(item, CODE, cell)."""
        return torch.tanh(self.bottleneck((statistics - self.mean) / self.std)).transpose(1, 2)


class Encoder(nn.Module):
    """Content pictures -> features without their channels' means and variances, at 1/2, 1/4 and 1/8."""

    def __init__(self) -> None:
        super().__init__()
        half, quarter, eighth = WIDTHS
        self.first = nn.Conv2d(12, half, 3, padding=1)
        self.second = nn.Conv2d(half, quarter, 3, stride=2, padding=1)
        self.third = nn.Conv2d(quarter, eighth, 3, stride=2, padding=1)

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """RGB in [0, 1], sides multiples of 8."""
        half = normalised(functional.relu(self.first(functional.pixel_unshuffle(pictures - 0.5, 2))))
        quarter = normalised(functional.relu(self.second(half)))
        return half, quarter, normalised(functional.relu(self.third(quarter)))


class Steered(nn.Module):
    """A convolution whose output takes scale and shift from the code, drawn out to the picture's size."""

    flat = False
    """True for export: a layout for onnxruntime, which has channels first."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(inputs, outputs, 3, padding=1, padding_mode="zeros")
        self.steer = nn.Linear(CODE, 2 * outputs)
        nn.init.normal_(self.steer.weight, std=0.02)
        nn.init.zeros_(self.steer.bias)

    def forward(self, x: Tensor, code: Tensor, spread: Tensor, skip: Tensor | None = None) -> Tensor:
        """`code` (item, CODE, cell), `spread` (cell, position of the output), (cell, row, column) where `flat`."""
        x = self.convolution(x)
        if skip is not None:
            x = x + skip
        x = normalised(x)
        steer = self.steer(code.transpose(1, 2))  # (item, cell, 2 channel)
        if self.flat:
            maps = (steer.transpose(1, 2) @ spread.flatten(1)).unflatten(2, tuple(spread.shape[1:]))
        else:  # the same with channels last in memory, as x has them
            maps = (spread.T @ steer).unflatten(1, tuple(x.shape[2:])).permute(0, 3, 1, 2)
        scale, shift = maps.chunk(2, 1)
        return torch.addcmul(shift, x, 1 + scale)


class Decoder(nn.Module):
    """Features x code -> picture."""

    def __init__(self) -> None:
        super().__init__()
        half, quarter, eighth = WIDTHS
        self.blocks = nn.ModuleList([nn.ModuleList([Steered(eighth, eighth) for _ in range(2)]) for _ in range(BLOCKS)])
        self.to_quarter = Steered(eighth, quarter)
        self.to_half = Steered(quarter, half)
        self.last = nn.Conv2d(half, 12, 3, padding=1)
        self.skips = nn.Parameter(torch.ones(2))

    def forward(self, half: Tensor, quarter: Tensor, eighth: Tensor, code: Tensor, spreads: list[Tensor]) -> Tensor:
        """RGB in [0, 1]; `spreads` are for 1/2, 1/4 and 1/8 of the size."""
        x = eighth
        for first, second in self.blocks:
            x = x + second(functional.relu(first(x, code, spreads[2])), code, spreads[2])
        x = functional.interpolate(x, scale_factor=2.0, mode="nearest")
        x = functional.relu(self.to_quarter(x, code, spreads[1], self.skips[1] * quarter))
        x = functional.interpolate(x, scale_factor=2.0, mode="nearest")
        x = functional.relu(self.to_half(x, code, spreads[0], self.skips[0] * half))
        return torch.sigmoid(functional.pixel_shuffle(self.last(x).float(), 2))


class StyleNetwork(nn.Module):
    """The three parts that are trained; SqueezeNet is passed in, as the loss needs it, too."""

    def __init__(self) -> None:
        super().__init__()
        self.code, self.encode, self.decode = Code(), Encoder(), Decoder()

    def forward(self, content: Tensor, code: Tensor, cells: tuple[int, int]) -> Tensor:
        """Content pictures drawn by codes of `cells` (rows, columns)."""
        return self.decode(*self.encode(content), code, self.spreads(cells, content))

    @staticmethod
    def spreads(cells: tuple[int, int], content: Tensor) -> list[Tensor]:
        """Spreading matrices for the three sizes of a content."""
        height, width = content.shape[2:]
        return [spreading(*cells, height // d, width // d).to(content.device) for d in (2, 4, 8)]


def taps_of(squeeze: nn.Sequential, pictures: Tensor, taps: Mapping[int, Any] | tuple[int, ...]) -> list[Tensor]:
    """SqueezeNet's activations at `taps` (rising) for RGB pictures in [0, 1]."""
    found, x = [], standardised(pictures)
    for k, layer in enumerate(squeeze[: max(taps) + 1]):
        x = layer(x)
        if k in taps:
            found.append(x)
    return found
