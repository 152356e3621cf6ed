"""The same two networks as torch functions over the TFLite files' own weights: any size, any device, batches."""

from __future__ import annotations

import functools
import importlib.util
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import InvalidValue, require
from . import tflite
from .blocks import BlockTransfer
from .litert import LiteRTPredictor
from .predictor import Predictor

STYLED = tuple(f"residual/residual{k}/conv{j}" for k in range(1, 6) for j in (1, 2)) + tuple(
    f"expand/conv{k}/conv" for k in (1, 2, 3)
)
"""The 13 layers whose scale and shift come from the style vector."""


class TorchEngine:
    """Style picture -> vector of 100; content and vectors -> styled pictures. Values in [0, 1].

    On a processor the small int8 predictor runs in LiteRT where that is installed; elsewhere as a torch function whose
    activations are rounded as the file says, so that its vectors are LiteRT's within a step or two.

    Args:
        size: the longer side at which content is drawn; sides are multiples of 4.
        device, dtype: where and in which type the networks run.
        blend: share of the content's own features in what is expanded, for content prepared with its own vector.
        compiled: compile the predictor, and on a GPU the transfer network, at the first call.
    """

    def __init__(
        self,
        predict: Path,
        transfer: Path,
        size: int,
        device: str | None,
        dtype: str,
        compiled: bool,
        blend: float = 0.0,
    ) -> None:
        require("torch", "models", "magenta with backend=torch")
        import torch

        self.size, self.blend, self.device = size, blend, torch.device(self.device_of(device))
        self.dtype = getattr(torch, dtype)
        self._predictor: Any = Predictor(tflite.read(predict), self.device, self.dtype)
        tensors = tflite.read(transfer)
        on_cpu = self.device.type == "cpu"
        weights = _transfer_weights(tensors, self.device, torch.float32 if on_cpu else self.dtype)
        if (
            on_cpu
        ):  # thin layers leave a processor idle: the same network over blocks is twice as fast, and needs no compiling
            blocks = BlockTransfer(weights, self.device, self.dtype)
            self._contract, self._restyle, self._expand = blocks.contract, blocks.restyle, blocks.expand
        else:
            plain = [torch.compile(f) if compiled else f for f in (contract, restyle, expand)]
            self._contract, self._restyle, self._expand = (functools.partial(f, weights=weights) for f in plain)
        if (
            on_cpu and self.has_litert()
        ):  # the file's own int8 arithmetic, three times as fast as whole numbers in floats
            self._predictor = LiteRTPredictor(predict)
        elif compiled:
            self._predictor.compile()

    @staticmethod
    def device_of(device: str | None) -> str:
        """The device's name: what was asked for, else cuda where there is one, else cpu."""
        import torch

        return device or ("cuda" if torch.cuda.is_available() else "cpu")

    @staticmethod
    def has_litert() -> bool:
        """Whether LiteRT is installed: on a processor it predicts the style vector, the published one to the bit."""
        return importlib.util.find_spec("ai_edge_litert") is not None

    def shape(self, size: tuple[int, int]) -> tuple[int, int]:
        """The size (rows, columns) at which content of `size` is drawn: its aspect, sides multiples of 4."""
        scale = self.size / max(size)
        rows, columns = (max(32, 4 * round(n * scale / 4)) for n in size)
        return rows, columns

    def vector(self, style: np.ndarray) -> np.ndarray:
        """Style vector, float32, shape=(100,), of a picture, float32, shape=(256, 256, rgb)."""
        return np.asarray(self._predictor(style), np.float32)

    def prepare(self, content: np.ndarray, own: np.ndarray | None = None) -> Any:
        """Content features, shape=(1, 32, rows / 4, columns / 4): the half of the network that sees no style.

        With the content's `own` style vector, shape=(100,), these in its own style, too: what `blend` mixes in.
        """
        import torch

        with torch.inference_mode():
            x = torch.from_numpy(np.array(content, np.float32)).permute(2, 0, 1)[None]
            x = x.to(self.device, self.dtype).contiguous(memory_format=torch.channels_last)
            features = self._contract(x)
            if own is None:
                return features, None
            vector = torch.from_numpy(np.asarray(own, np.float32))[None].to(self.device)
            return features, self._restyle(features, vector)

    def draw(self, contents: list[Any], vectors: list[np.ndarray]) -> list[np.ndarray]:
        """Styled pictures, float32 in [0, 1], shape=(row, column, rgb) each."""
        import torch

        with torch.inference_mode():
            features, own = zip(*contents, strict=True)
            s = torch.from_numpy(np.stack(vectors).astype(np.float32)).to(self.device)
            x = self._restyle(features[0] if len(features) == 1 else torch.cat(features), s)
            if own[0] is not None:
                x = torch.lerp(x, torch.cat(own).to(x.dtype), self.blend)
            out = self._expand(x, s)
            return list(out.float().permute(0, 2, 3, 1).cpu().numpy())


def contract(x: Any, weights: dict[str, Any]) -> Any:
    """Picture, shape=(item, rgb, row, column) -> features, shape=(item, 32, row / 4, column / 4)."""
    for k, stride in ((1, 1), (2, 2), (3, 2)):
        x = _conv(x, weights, f"contract/conv{k}", stride).relu()
    return x


def restyle(x: Any, style: Any, weights: dict[str, Any]) -> Any:
    """Features and style vectors, shape=(item, 100) -> features in that style, shaped alike."""
    for k in range(1, 6):
        y = _styled(x, style, weights, f"residual/residual{k}/conv1").relu()
        x = x + _styled(y, style, weights, f"residual/residual{k}/conv2")
    return x


def expand(x: Any, style: Any, weights: dict[str, Any]) -> Any:
    """Restyled features and style vectors -> picture in [0, 1], shape=(item, rgb, row, column)."""
    import torch.nn.functional as F

    for k in (1, 2):
        x = _styled(F.interpolate(x, scale_factor=2, mode="nearest"), style, weights, f"expand/conv{k}/conv").relu()
    return _styled(x, style, weights, "expand/conv3/conv").float().sigmoid()


def _conv(x: Any, weights: dict[str, Any], name: str, stride: int = 1) -> Any:
    import torch.nn.functional as F

    kernel, bias = weights[name]
    side = kernel.shape[-1] // 2
    return F.conv2d(F.pad(x, (side,) * 4, mode="reflect"), kernel, bias, stride)


def _styled(x: Any, style: Any, weights: dict[str, Any], name: str) -> Any:
    """Convolution, then gamma(s) * (x - mean) / sqrt(variance + eps) + beta(s) over the picture, in float32."""
    beta, gamma, eps = weights[name + "/style"]
    y = _conv(x, weights, name).float()
    centred = y - y.mean((2, 3), keepdim=True)
    scale = (centred.square().mean((2, 3), keepdim=True) + eps).rsqrt()
    shift = style @ beta[0].T + beta[1]
    grow = style @ gamma[0].T + gamma[1]
    return (centred * (scale * grow[..., None, None]) + shift[..., None, None]).to(x.dtype)


def _transfer_weights(tensors: dict[str, tflite.Tensor], device: Any, dtype: Any) -> dict[str, Any]:
    import torch

    def get(name: str) -> Any:
        return torch.from_numpy(np.array(_named(tensors, name).values()))

    made: dict[str, Any] = {}
    for layer in [f"contract/conv{k}" for k in (1, 2, 3)] + list(STYLED):
        kernel = get(f"transformer/{layer}/weights").permute(0, 3, 1, 2)
        # the converter stores one bias of zeros for all residual layers
        own = f"transformer/{layer}/Conv2D_bias"
        bias = get(own if own in tensors else "transformer/residual/residual5/conv2/Conv2D_bias")
        made[layer] = (
            kernel.to(device, dtype).contiguous(memory_format=torch.channels_last),
            bias.to(device, dtype),
        )
    for layer in STYLED:
        where = f"style_params/transformer/{layer}/StyleNorm"
        pairs = [
            (get(f"{where}/{c}/weights").flatten(1).to(device), get(f"{where}/{c}/Conv2D_bias").to(device))
            for c in ("Conv", "Conv_1")
        ]
        eps = float(_named(tensors, f"transformer/{layer}/StyleNorm/batchnorm/add/y").values())
        made[layer + "/style"] = (*pairs, eps)
    return made


def _named(tensors: dict[str, tflite.Tensor], name: str) -> tflite.Tensor:
    if name not in tensors:
        raise InvalidValue(f"the style transfer file has no tensor {name}: it is another network")
    return tensors[name]
