"""Stylizer "neural_style": Gatys' optimisation over SqueezeNet features, the slow and exact reference for style transfer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import InvalidValue, UnknownName, nearest, require
from ...interfaces import Card, Stylizer, Weights
from ...models import devices
from ...models.squeezenet import features, read
from ...registry import register
from ...types import Frames, Image
from ...weights import files
from ...weights.sources import ByHand

FILE = "squeezenet1_1_notop.h5"
SOURCE = ByHand(
    "from https://github.com/DeepCognition (SqueezeNet 1.1 for Keras without its top)",
    page="https://github.com/DeepCognition",
)
SHA256 = "17154246284f555591549ac2c83e127abfbf4307dc4b0060fdaa2931d0fa38da"
OPTIMISERS = ("lbfgs", "adam")
CONTENT, STYLE = (6,), (1, 4, 6, 7, 9)
"""Layers whose features, and whose Gram matrices, are matched: the first convolution's ReLU, then fire modules."""


@register("neural_style")
class NeuralStyle(Stylizer):
    """The picture x that minimises, from x = content on (Gatys, Ecker & Bethge 2016, CVPR; eq. 7 and total variation):

        content * mean (F(x) - F(content))^2 + style * sum over layers mean (G(x) - G(style))^2 + smoothness * TV(x)

    F are SqueezeNet's features; G = F F^T / (positions * channels) their Gram matrix. What is constant over a stream (the
    content's features, the style's Gram matrices) is computed once. Frames do not depend on each other. The same inputs give
    the same bytes on one device.

    Args:
        weights: squeezenet1_1_notop.h5, a folder that holds it, or one that holds it as `neural_style`.
        steps: of the optimiser; L-BFGS takes up to 20 evaluations each.
        optimizer: "lbfgs" (exact, as published) or "adam".
        content, style, smoothness: weights of the three terms.
        size: the longer side at which it is drawn.
        device: "cpu", "cuda", ...; None is cuda where there is one.
    """

    card = Card(
        "Gatys' style transfer by optimisation over SqueezeNet features: slow, exact",
        paper="Gatys, Ecker & Bethge, Image style transfer using convolutional neural networks, CVPR 2016",
        extra="models",
        modules=("torch", "h5py"),
        weights=(Weights(SOURCE, 3.0, "MIT", FILE),),
    )

    def __init__(
        self,
        *,
        weights: str | None = None,
        steps: int = 20,
        optimizer: str = "lbfgs",
        content: float = 1.0,
        style: float = 30.0,
        smoothness: float = 1e4,
        size: int = 256,
        device: str | None = None,
    ) -> None:
        if optimizer not in OPTIMISERS:
            raise UnknownName(f"no neural_style optimizer {optimizer!r}; {nearest(str(optimizer), OPTIMISERS)}")
        for name, value, low, high, kind in (
            ("steps", steps, 0, 10000, int), ("size", size, 32, 2048, int), ("content", content, 0, 1e9, (int, float)),
            ("style", style, 0, 1e9, (int, float)), ("smoothness", smoothness, 0, 1e9, (int, float)),
        ):  # fmt: skip
            if isinstance(value, bool) or not isinstance(value, kind) or not low <= value <= high:
                raise InvalidValue(f"neural_style takes {name} from {low} to {high:g}, got {value!r}")
        self.weights, self.steps, self.optimizer, self.size, self.device = weights, steps, optimizer, size, device
        self.content, self.style, self.smoothness = content, style, smoothness
        self._network: dict[str, Any] | None = None

    def stylize(self, content: Image | Frames, style: Image | Frames) -> Frames:
        """Styled frames in the content's size, in the stream's order; nothing is drawn before they are asked for.

        Raises:
            InvalidValue: two streams that differ in count or fps, or weights that are not SqueezeNet's.
            MissingExtra: torch or h5py is not installed, or there are no weights.
        """
        if isinstance(content, Frames) and isinstance(style, Frames):
            if (content.count, content.fps) != (style.count, style.fps):
                raise InvalidValue(
                    f"two streams must agree: content has {content.count} frames at {content.fps} fps, "
                    f"style {style.count} at {style.fps}; resample one of them"
                )
        self._path()
        stream = content if isinstance(content, Frames) else style if isinstance(style, Frames) else None
        count, fps = (stream.count, stream.fps) if stream else (1, Fraction(1))
        return Frames(lambda: self._draw(content, style, count), content.size, count, fps)

    def identity(self) -> Mapping[str, Any]:
        """sha256 of the weights, device, version of torch."""
        return devices.identity(self._path(), devices.device(self.device), "float32", 1)

    def close(self) -> None:
        """Free the network."""
        self._network = None

    def loss(self, x: Any, wanted: Wanted) -> Any:
        """What is minimised, a scalar tensor; x is the picture in [0, 1], shape=(1, rgb, row, column)."""
        found = features(self._load(), x, max(*CONTENT, *STYLE))
        total = self.content * sum((found[k] - wanted.features[k]).square().mean() for k in CONTENT)
        total = total + self.style * sum((gram(found[k]) - wanted.grams[k]).square().mean() for k in STYLE)
        across, down = x[..., 1:] - x[..., :-1], x[..., 1:, :] - x[..., :-1, :]
        return total + self.smoothness * (across.square().mean() + down.square().mean())

    def _draw(self, content: Image | Frames, style: Image | Frames, count: int) -> Iterator[np.ndarray]:
        rows, columns = content.size
        scale = self.size / max(rows, columns)
        size = (max(32, round(rows * scale)), max(32, round(columns * scale)))
        for (start, own), grams in zip(
            self._sides(content, count, lambda p: self._content(p, size)),
            self._sides(style, count, self._grams),
            strict=True,
        ):
            yield _resized(self._optimised(start, Wanted(own, grams)), (rows, columns))

    def _sides(self, side: Image | Frames, count: int, prepare: Any) -> Iterator[Any]:
        """What `prepare` makes of each picture of a side; of a constant one it is made once."""
        if isinstance(side, Image):
            once = prepare(side.pixels)
            yield from (once for _ in range(count))
        else:
            yield from map(prepare, side)

    def _content(self, pixels: np.ndarray, size: tuple[int, int]) -> tuple[Any, dict[int, Any]]:
        import torch

        x = self._tensor(_resized(pixels, size))
        with torch.no_grad():
            found = features(self._load(), x, max(CONTENT))
        return x, {k: found[k] for k in CONTENT}

    def _grams(self, pixels: np.ndarray) -> dict[int, Any]:
        import torch

        scale = self.size / max(pixels.shape[:2])
        rows, columns = (max(32, round(n * scale)) for n in pixels.shape[:2])
        with torch.no_grad():
            found = features(self._load(), self._tensor(_resized(pixels, (rows, columns))), max(STYLE))
            return {k: gram(found[k]) for k in STYLE}

    def _optimised(self, start: Any, wanted: Wanted) -> np.ndarray:
        import torch

        x = start.clone().requires_grad_(True)
        if self.optimizer == "lbfgs":
            made: Any = torch.optim.LBFGS([x], max_iter=20, history_size=20, line_search_fn="strong_wolfe")
        else:
            made = torch.optim.Adam([x], lr=0.02)

        def evaluate() -> Any:
            made.zero_grad()
            value = self.loss(x, wanted)
            value.backward()
            return value

        for _ in range(self.steps):
            made.step(evaluate)
            with torch.no_grad():
                x.clamp_(0, 1)
        found = x.detach()[0].permute(1, 2, 0).cpu().numpy()
        if not np.isfinite(found).all():
            raise InvalidValue("neural_style drew numbers that are not finite: lower style, or set optimizer=adam")
        return np.asarray(np.rint(found * 255), np.uint8)

    def _tensor(self, pixels: np.ndarray) -> Any:
        import torch

        place = devices.device(self.device)
        return torch.from_numpy(pixels.astype(np.float32) / 255).permute(2, 0, 1)[None].contiguous().to(place)

    def _path(self) -> Path:
        for module in ("torch", "h5py"):
            require(module, "models", "stylizers 'neural_style'")
        return files.find(self.weights, self.card.weights[0], part=self.name, sha256=SHA256)

    def _load(self) -> dict[str, Any]:
        if self._network is None:
            self._network = read(self._path(), devices.device(self.device))
        return self._network


@dataclass(frozen=True)
class Wanted:
    """What a picture is to have: the content's features and the style's Gram matrices, by layer."""

    features: Mapping[int, Any]
    grams: Mapping[int, Any]


def gram(x: Any) -> Any:
    """Gram matrix of features, shape=(1, channel, row, column) -> (channel, channel), over positions and channels."""
    flat = x[0].flatten(1)
    return flat @ flat.T / flat.numel()


def _resized(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    if pixels.shape[:2] == size:
        return pixels
    from PIL import Image as Pillow

    return np.asarray(Pillow.fromarray(pixels).resize(size[::-1], Pillow.Resampling.BICUBIC))
