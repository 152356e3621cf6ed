"""Magenta's style predictor as a torch function: a MobileNet-v2 whose numbers are whole, as its int8 file has them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import InvalidValue
from .tflite import Tensor


class Predictor:
    """Style picture -> vector of 100, with every activation rounded to its 256 levels, as LiteRT does.

    Activations and weights are kept as whole numbers of their step, q - zero point. Up to 256 bfloat16 holds these exactly, so
    that in bfloat16 only sums are rounded, just before they become whole numbers again.

    Args:
        tensors: of the predictor's TFLite file.
        device, dtype: where and in which type the convolutions run; any but bfloat16 is float32.
    """

    def __init__(self, tensors: dict[str, Tensor], device: Any, dtype: Any) -> None:
        import torch

        self.device, self.dtype = device, dtype if dtype == torch.bfloat16 else torch.float32
        self.levels = {
            n: (float(t.scale[0]), float(t.zero[0])) for n, t in tensors.items() if t.stored is None and t.scale.size
        }
        self.kernels: dict[str, tuple[Any, Any, Any]] = {}
        for name, tensor in tensors.items():
            deep = name.endswith("depthwise_weights")
            if tensor.stored is None or tensor.stored.dtype != np.int8 or not (deep or name.endswith("/weights")):
                continue
            bias = name.replace("depthwise_weights", "depthwise_bias").replace("/weights", "/Conv2D_bias")
            if bias not in tensors:
                raise InvalidValue(f"the style predictor has no tensor {bias}: it is another network")
            whole = torch.from_numpy(tensor.stored.astype(np.float32)).permute((3, 0, 1, 2) if deep else (0, 3, 1, 2))
            kernel = whole.to(device, self.dtype).contiguous(memory_format=torch.channels_last)
            step = torch.from_numpy(np.array(tensor.scale, np.float32)).to(device)
            self.kernels[name.rpartition("/")[0]] = kernel, step, torch.from_numpy(tensors[bias].values()).to(device)
        self._run = self.forward

    def compile(self) -> None:
        """Compile it at the next call."""
        import torch

        self._run = torch.compile(self.forward)

    def __call__(self, picture: np.ndarray) -> np.ndarray:
        """Style vector, float32, shape=(100,), of a picture, float32 in [0, 1], shape=(256, 256, rgb)."""
        import torch

        with torch.inference_mode():
            x = torch.from_numpy(np.array(picture, np.float32)).permute(2, 0, 1)[None].to(self.device)
            return np.asarray(self._run(x).cpu().numpy())

    def forward(self, x: Any) -> Any:
        """Style vector, shape=(100,), of a picture, shape=(1, rgb, 256, 256)."""
        x, step = self._whole(x, "style_image_int8")
        x, step = self._layer(x, step, "MobilenetV2/Conv", 2)
        for k in range(17):
            block = f"MobilenetV2/expanded_conv{f'_{k}' if k else ''}"
            y, its = self._layer(x, step, f"{block}/expand") if k else (x, step)
            y, its = self._layer(y, its, f"{block}/depthwise", 2 if k in (1, 3, 6, 13) else 1)
            y, its = self._layer(y, its, f"{block}/project")
            if f"{block}/add" in self.levels:
                x, step = self._whole(x.float() * step + y.float() * its, f"{block}/add")
            else:
                x, step = y, its
        x, step = self._layer(x, step, "MobilenetV2/Conv_1")
        x, step = self._whole(x.float().mean((2, 3), keepdim=True) * step, "bottleneck/Mean")
        x, step = self._layer(x, step, "mobilenet_conv/Conv")
        return x.float().reshape(100) * step

    def _layer(self, x: Any, step: float, name: str, stride: int = 1) -> tuple[Any, float]:
        """A convolution of whole numbers; its output as whole numbers of the output's step, and that step."""
        import torch.nn.functional as F

        if name not in self.kernels:
            raise InvalidValue(f"the style predictor has no weights {name}: it is another network")
        kernel, its, bias = self.kernels[name]
        deep = name.endswith("/depthwise")
        if kernel.shape[-1] == 3:  # TensorFlow's "same": the odd pixel goes to the right and the bottom
            x = F.pad(x, (1, 1, 1, 1) if stride == 1 else (0, 1, 0, 1))
        sums = F.conv2d(x, kernel, None, stride, groups=x.shape[1] if deep else 1)
        real = sums.float() * (its * step).view(-1, 1, 1) + bias.view(-1, 1, 1)
        for end in ("Relu6", "BatchNorm/FusedBatchNormV3", "BiasAdd_int8"):
            if f"{name}/{end}" in self.levels:
                return self._whole(real.clamp(0, 6) if end == "Relu6" else real, f"{name}/{end}")
        raise InvalidValue(f"the style predictor has no output {name}: it is another network")

    def _whole(self, x: Any, name: str) -> tuple[Any, float]:
        if name not in self.levels:
            raise InvalidValue(f"the style predictor has no tensor {name}: it is another network")
        scale, zero = self.levels[name]
        return (x * (1 / scale)).round().clamp(-128 - zero, 127 - zero).to(self.dtype), scale
