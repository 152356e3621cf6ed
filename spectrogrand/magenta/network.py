"""The same two networks as torch functions over the TFLite files' own weights: any size, any device, batches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InvalidValue, require
from . import tflite

STYLED = tuple(f"residual/residual{k}/conv{j}" for k in range(1, 6) for j in (1, 2)) + tuple(
    f"expand/conv{k}/conv" for k in (1, 2, 3)
)
"""The 13 layers whose scale and shift come from the style vector."""


class TorchEngine:
    """Style picture -> vector of 100; content and vectors -> styled pictures. Values in [0, 1].

    The predictor's activations are rounded as its file says, so that its vectors are LiteRT's within one step.

    Args:
        size: the longer side at which content is drawn; sides are multiples of 4.
        device, dtype, compiled: where and how the transfer network runs; the predictor is float32 always.
    """

    def __init__(
        self, predict: Path, transfer: Path, size: int, device: str | None, dtype: str, compiled: bool
    ) -> None:
        require("torch", "models", "magenta with backend=torch")
        import torch

        self.size, self.device = size, torch.device(self.device_of(device))
        self.dtype = getattr(torch, dtype)
        self._predictor = _Predictor(tflite.read(predict), self.device)
        tensors = tflite.read(transfer)
        self._weights = _transfer_weights(tensors, self.device, self.dtype)
        self._contract, self._expand = contract, expand
        if compiled:
            self._contract, self._expand = torch.compile(contract), torch.compile(expand)
            self._predictor.forward = torch.compile(self._predictor.forward)  # type: ignore[method-assign]

    @staticmethod
    def device_of(device: str | None) -> str:
        """The device's name: what was asked for, else cuda where there is one, else cpu."""
        import torch

        return device or ("cuda" if torch.cuda.is_available() else "cpu")

    def shape(self, size: tuple[int, int]) -> tuple[int, int]:
        """The size (rows, columns) at which content of `size` is drawn: its aspect, sides multiples of 4."""
        scale = self.size / max(size)
        rows, columns = (max(32, 4 * round(n * scale / 4)) for n in size)
        return rows, columns

    def vector(self, style: np.ndarray) -> np.ndarray:
        """Style vector, float32, shape=(100,), of a picture, float32, shape=(256, 256, rgb)."""
        return np.asarray(self._predictor(style), np.float32)

    def prepare(self, content: np.ndarray) -> Any:
        """Content features, shape=(1, 32, rows / 4, columns / 4): the half of the network that sees no style."""
        import torch

        with torch.inference_mode():
            x = torch.from_numpy(np.array(content, np.float32)).permute(2, 0, 1)[None]
            x = x.to(self.device, self.dtype).contiguous(memory_format=torch.channels_last)
            return self._contract(x, self._weights)

    def draw(self, contents: list[Any], vectors: list[np.ndarray]) -> list[np.ndarray]:
        """Styled pictures, float32 in [0, 1], shape=(row, column, rgb) each."""
        import torch

        with torch.inference_mode():
            x = contents[0] if len(contents) == 1 else torch.cat(contents)
            s = torch.from_numpy(np.stack(vectors).astype(np.float32)).to(self.device)
            out = self._expand(x, s, self._weights)
            return list(out.float().permute(0, 2, 3, 1).cpu().numpy())


def contract(x: Any, weights: dict[str, Any]) -> Any:
    """Picture, shape=(item, rgb, row, column) -> features, shape=(item, 32, row / 4, column / 4)."""
    for k, stride in ((1, 1), (2, 2), (3, 2)):
        x = _conv(x, weights, f"contract/conv{k}", stride).relu()
    return x


def expand(x: Any, style: Any, weights: dict[str, Any]) -> Any:
    """Features and style vectors, shape=(item, 100) -> picture in [0, 1], shape=(item, rgb, row, column)."""
    import torch.nn.functional as F

    for k in range(1, 6):
        y = _styled(x, style, weights, f"residual/residual{k}/conv1").relu()
        x = x + _styled(y, style, weights, f"residual/residual{k}/conv2")
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


class _Predictor:
    """MobileNet-v2 on real-valued copies of int8 weights; every activation is rounded to its 256 levels, as LiteRT does."""

    def __init__(self, tensors: dict[str, tflite.Tensor], device: Any) -> None:
        import torch

        self.device = device
        self.levels = {
            n: (float(t.scale[0]), float(t.zero[0])) for n, t in tensors.items() if t.stored is None and t.scale.size
        }
        self.weights: dict[str, Any] = {}
        for name, tensor in tensors.items():
            if tensor.stored is None or tensor.stored.dtype not in (np.int8, np.int32) or not tensor.scale.size:
                continue
            self.weights[name] = torch.from_numpy(np.array(tensor.values())).to(device)

    def __call__(self, picture: np.ndarray) -> np.ndarray:
        import torch

        with torch.inference_mode():
            x = torch.from_numpy(np.array(picture, np.float32)).permute(2, 0, 1)[None].to(self.device)
            return self.forward(x).cpu().numpy()

    def forward(self, x: Any) -> Any:
        """Style vector, shape=(100,), of a picture, shape=(1, rgb, 256, 256)."""
        x = self._layer(self._round(x, "style_image_int8"), "MobilenetV2/Conv", 2)
        for k in range(17):
            block = f"MobilenetV2/expanded_conv{f'_{k}' if k else ''}"
            y = self._layer(x, f"{block}/expand") if k else x
            y = self._layer(y, f"{block}/depthwise", 2 if k in (1, 3, 6, 13) else 1)
            y = self._layer(y, f"{block}/project")
            x = self._round(x + y, f"{block}/add") if f"{block}/add" in self.levels else y
        x = self._layer(x, "MobilenetV2/Conv_1").mean((2, 3), keepdim=True)
        x = self._layer(self._round(x, "bottleneck/Mean"), "mobilenet_conv/Conv")
        return x.reshape(100)

    def _layer(self, x: Any, name: str, stride: int = 1) -> Any:
        import torch.nn.functional as F

        deep = name.endswith("/depthwise")
        kernel = self._weight(f"{name}/depthwise_weights" if deep else f"{name}/weights")
        bias = self._weight(f"{name}/depthwise_bias" if deep else f"{name}/Conv2D_bias")
        kernel = kernel.permute((3, 0, 1, 2) if deep else (0, 3, 1, 2))
        if kernel.shape[-1] == 3:  # TensorFlow's "same": the odd pixel goes to the right and the bottom
            x = F.pad(x, (1, 1, 1, 1) if stride == 1 else (0, 1, 0, 1))
        x = F.conv2d(x, kernel, bias, stride, groups=x.shape[1] if deep else 1)
        for end in ("Relu6", "BatchNorm/FusedBatchNormV3", "BiasAdd_int8"):
            if f"{name}/{end}" in self.levels:
                return self._round(x.clamp(0, 6) if end == "Relu6" else x, f"{name}/{end}")
        raise InvalidValue(f"the style predictor has no output {name}: it is another network")

    def _round(self, x: Any, name: str) -> Any:
        if name not in self.levels:
            raise InvalidValue(f"the style predictor has no tensor {name}: it is another network")
        scale, zero = self.levels[name]
        return ((x / scale).round() + zero).clamp(-128, 127).sub(zero) * scale

    def _weight(self, name: str) -> Any:
        if name not in self.weights:
            raise InvalidValue(f"the style predictor has no weights {name}: it is another network")
        return self.weights[name]


def _named(tensors: dict[str, tflite.Tensor], name: str) -> tflite.Tensor:
    if name not in tensors:
        raise InvalidValue(f"the style transfer file has no tensor {name}: it is another network")
    return tensors[name]
