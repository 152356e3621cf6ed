"""Magenta's arbitrary style transfer, the published one: a style picture becomes 100 numbers that steer one network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from itertools import islice
from typing import Any

import numpy as np

from ...errors import InvalidValue, UnknownName, nearest, require
from ...interfaces import Card, Stylizer, Weights
from ...models.magenta.litert import SIDE, LiteRTEngine
from ...models.magenta.network import TorchEngine
from ...models.magenta.tfhub import SavedModelNetwork, TFHubEngine
from ...registry import register
from ...types import Frames, Image
from ...weights import files
from ...weights.sources import Url

BASE = "https://storage.googleapis.com/download.tensorflow.org/models/tflite/task_library/style_transfer/ios"
PREDICT, TRANSFER = "style_predict_quantized_256.tflite", "style_transfer_f16_384.tflite"
FILES = {
    PREDICT: "203dbd6a09da1091ab7e48e8b101aef8c2d81438ad047a5cb150747a977134c1",
    TRANSFER: "c60cff7395544eda1f0915d6dddaedd8ed868cefe8ec6c5ed220ba801f120303",
}
SOURCES = {
    PREDICT: f"{BASE}/magenta_arbitrary-image-stylization-v1-256_int8_prediction_1.tflite",
    TRANSFER: f"{BASE}/magenta_arbitrary-image-stylization-v1-256_fp16_transfer_1.tflite",
}
HUB = Weights(
    Url("https://tfhub.dev/google/magenta/arbitrary-image-stylization-v1-256/2?tf-hub-format=compressed"), 88.0, "Apache-2.0",
    "saved_model.pb",
)  # fmt: skip
MODULES = {"litert": "ai_edge_litert", "torch": "torch", "tfhub": "tensorflow"}


@register("magenta")
class Magenta(Stylizer):
    """Arbitrary style transfer in one pass (Ghiasi et al. 2017, arXiv:1705.06830): content features take the style's scale.

    Each of the network's 13 style-steered layers is gamma(s) * (x - mean) / sqrt(variance + eps) + beta(s), where s is the
    style vector. What is constant over a stream (the style vector, the content) is prepared once.

    Args:
        weights: folder with style_predict_quantized_256.tflite and style_transfer_f16_384.tflite (tfhub: with the SavedModel),
            or one that holds it as `magenta`.
        backend: "litert" (the TFLite files as they are), "torch" (the same weights as a module: any size, GPU, batches), or
            "tfhub" (the published SavedModel, larger and full-precision, in a process of its own).
        strength: s = strength * style's vector + (1 - strength) * content's own; 0 redraws the content as it is.
        blend: torch only: share of the content's own features among those that are drawn, 0 to 1; at 1 the style has only
            the colours that the last layers give.
        smoothing: how much of the previous frame's vector (or content) a streamed side keeps, 0 to 0.95.
        size: the longer side at which the network draws (512 as published); litert has 384 and no other.
        device: torch only: "cpu", "cuda", "cuda:0", "mps"; None is cuda where there is one.
        dtype: torch only: "float32", "bfloat16" or "float16".
        batch_size: torch only: frames in one call.
        compile: torch only: compile the network at the first frame.
        threads: litert only: threads of a call.
    """

    chooses = ("backend",)
    card = Card(
        "Magenta's arbitrary style transfer, the published stylizer",
        paper="Ghiasi et al. 2017, Exploring the structure of a real-time, arbitrary neural artistic stylization network",
        extra="models",
        modules=("ai_edge_litert",),
        weights=(
            Weights(Url(SOURCES[PREDICT], FILES[PREDICT]), 2.8, "Apache-2.0", PREDICT),
            Weights(Url(SOURCES[TRANSFER], FILES[TRANSFER]), 0.4, "Apache-2.0", TRANSFER),
        ),
    )  # fmt: skip

    def __init__(
        self,
        *,
        weights: str | None = None,
        backend: str = "litert",
        strength: float = 1.0,
        blend: float = 0.0,
        smoothing: float = 0.0,
        size: int = SIDE,
        device: str | None = None,
        dtype: str = "float32",
        batch_size: int = 1,
        compile: bool = False,
        threads: int = 1,
    ) -> None:
        if backend not in MODULES:
            raise UnknownName(f"no magenta backend {backend!r}; {nearest(str(backend), MODULES)}")
        for name, value, low, high in (
            ("strength", strength, 0, 2), ("blend", blend, 0, 1), ("smoothing", smoothing, 0, 0.95),
            ("size", size, 32, 2048), ("batch_size", batch_size, 1, 256), ("threads", threads, 1, 64),
        ):  # fmt: skip
            whole = name in ("size", "batch_size", "threads")
            if (
                isinstance(value, bool)
                or not isinstance(value, int if whole else int | float)
                or not low <= value <= high
            ):
                raise InvalidValue(f"magenta takes {name} from {low} to {high}, got {value!r}")
        if dtype not in ("float32", "bfloat16", "float16"):
            raise UnknownName(f"no magenta dtype {dtype!r}; {nearest(str(dtype), ('float32', 'bfloat16', 'float16'))}")
        if backend == "litert" and (size, dtype, batch_size, device or "cpu", compile) != (
            SIDE,
            "float32",
            1,
            "cpu",
            False,
        ):
            raise InvalidValue(
                f"backend=litert draws at size {SIDE}, in float32, singly, on cpu: set backend=torch for more"
            )
        if backend != "torch" and blend:
            raise InvalidValue(f"backend={backend} cannot blend features: set backend=torch, or use strength")
        if backend == "tfhub" and (dtype, batch_size, device or "cpu", compile) != ("float32", 1, "cpu", False):
            raise InvalidValue("backend=tfhub draws in float32, singly, on cpu: set backend=torch for more")
        self.weights, self.backend, self.strength, self.smoothing, self.size = (
            weights,
            backend,
            strength,
            smoothing,
            size,
        )
        self.device, self.dtype, self.batch_size, self.compile, self.threads = (
            device,
            dtype,
            batch_size,
            compile,
            threads,
        )
        self.blend = blend
        self._engine: LiteRTEngine | TorchEngine | TFHubEngine | None = None
        self._network: SavedModelNetwork | None = None
        if backend != "litert":
            extra, lots = ("tfhub", (HUB,)) if backend == "tfhub" else ("models", type(self).card.weights)
            self.card = replace(type(self).card, extra=extra, modules=(MODULES[backend],), weights=lots)  # type: ignore[misc]

    def stylize(self, content: Image | Frames, style: Image | Frames) -> Frames:
        """Styled frames in the content's size, in the stream's order; nothing is drawn before they are asked for.

        Raises:
            InvalidValue: two streams that differ in count or fps, or weight files that are not the published ones.
            MissingExtra: the back end is not installed, or there are no weights.
        """
        both = isinstance(content, Frames) and isinstance(style, Frames)
        if both and (content.count, content.fps) != (style.count, style.fps):  # type: ignore[union-attr]
            raise InvalidValue(
                f"two streams must agree: content has {content.count} frames at {content.fps} fps, "  # type: ignore[union-attr]
                f"style {style.count} at {style.fps}; resample one of them"  # type: ignore[union-attr]
            )
        self._paths()
        stream = content if isinstance(content, Frames) else style if isinstance(style, Frames) else None
        count, fps = (stream.count, stream.fps) if stream else (1, Fraction(1))
        return Frames(lambda: self._draw(content, style, count), content.size, count, fps)

    def identity(self) -> Mapping[str, Any]:
        """sha256 of the weights, versions and device: what else the pictures depend on."""
        from importlib.metadata import version

        paths = self._paths()
        about = {"weights": {p.name: files.sha256_of(p) if p.is_file() else files.sha256_of_folder(p) for p in paths}}
        if self.backend != "torch":
            package = {"litert": "ai-edge-litert", "tfhub": "tensorflow"}[self.backend]
            return {**about, package: version(package)}
        import torch

        device = TorchEngine.device_of(self.device)
        predictor = version("ai-edge-litert") if device == "cpu" and TorchEngine.has_litert() else "torch"
        return {**about, "torch": torch.__version__, "device": device, "predictor": predictor}

    def close(self) -> None:
        """Free the networks, end their process."""
        if isinstance(self._engine, TFHubEngine):
            self._engine.close()
        self._engine = self._network = None

    def here(self, method: str, *arrays: np.ndarray) -> np.ndarray:
        """One call of the SavedModel in this process: what backend=tfhub has its own process do."""
        if self._network is None:
            self._network = SavedModelNetwork(self._paths()[0])
        return np.asarray(getattr(self._network, method)(*arrays))

    def _paths(self) -> list[Any]:
        require(MODULES[self.backend], str(self.card.extra), f"magenta with backend={self.backend}")
        if self.backend == "tfhub":
            return [files.find_folder(self.weights, HUB, part=self.name)]
        return [files.find(self.weights, one, part=self.name, sha256=FILES[one.file]) for one in self.card.weights]

    def _load(self) -> LiteRTEngine | TorchEngine | TFHubEngine:
        if self._engine is None and self.backend == "tfhub":
            self._paths()
            config = {"name": self.name, "weights": self.weights, "backend": "tfhub", "size": self.size}
            self._engine = TFHubEngine(config, self.size)
        elif self._engine is None:
            predict, transfer = self._paths()
            if self.backend == "litert":
                self._engine = LiteRTEngine(predict, transfer, self.threads)
            else:
                self._engine = TorchEngine(
                    predict, transfer, self.size, self.device, self.dtype, self.compile, self.blend
                )
        assert self._engine is not None
        return self._engine

    def _draw(self, content: Image | Frames, style: Image | Frames, count: int) -> Iterator[np.ndarray]:
        engine = self._load()
        pairs = zip(self._contents(engine, content, count), self._vectors(engine, style, count), strict=True)
        rows, columns = content.size
        while chunk := list(islice(pairs, self.batch_size)):
            vectors = [
                v if own is None or self.strength == 1 else own + self.strength * (v - own) for (_, own), v in chunk
            ]
            for picture in engine.draw([prepared for (prepared, _), _ in chunk], vectors):
                if not np.isfinite(picture).all():
                    raise InvalidValue(
                        "magenta drew numbers that are not finite: set dtype=float32, and check its weights"
                    )
                yield _resized(np.asarray(np.rint(picture * 255), np.uint8), rows, columns)

    def _contents(self, engine: Any, content: Image | Frames, count: int) -> Iterator[tuple[Any, np.ndarray | None]]:
        """What the network draws, and the content's own style vector: None where strength 1 asks for none of it."""
        rows, columns = engine.shape(content.size)

        def ready(pixels: np.ndarray) -> tuple[Any, np.ndarray | None]:
            drawn = _unit(_resized(_bytes(pixels), rows, columns))
            if self.strength == 1 and not self.blend:
                return engine.prepare(drawn), None
            own = engine.vector(_unit(_resized(_bytes(pixels), 256, 256)))
            return engine.prepare(drawn, own) if self.blend else engine.prepare(drawn), own

        if isinstance(content, Image):
            once = ready(content.pixels)
            yield from (once for _ in range(count))
        else:
            yield from map(ready, self._smoothed(p.astype(np.float32) for p in content))

    def _vectors(self, engine: Any, style: Image | Frames, count: int) -> Iterator[np.ndarray]:
        def vector(pixels: np.ndarray) -> np.ndarray:
            return np.asarray(engine.vector(_unit(_resized(pixels, 256, 256))))

        if isinstance(style, Image):
            once = vector(style.pixels)
            yield from (once for _ in range(count))
        else:
            yield from self._smoothed(map(vector, style))

    def _smoothed(self, values: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
        """Exponential mean over the frames so far."""
        mean: np.ndarray | None = None
        for value in values:
            mean = value if mean is None else self.smoothing * mean + (1 - self.smoothing) * value
            yield mean


def _bytes(pixels: np.ndarray) -> np.ndarray:
    return pixels if pixels.dtype == np.uint8 else np.asarray(np.rint(pixels), np.uint8)


def _unit(pixels: np.ndarray) -> np.ndarray:
    return np.asarray(pixels, np.float32) / np.float32(255)


def _resized(pixels: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """The whole picture at another size: its aspect may change, nothing is cut off."""
    if pixels.shape[:2] == (rows, columns):
        return pixels
    from PIL import Image as Pillow

    return np.asarray(Pillow.fromarray(pixels).resize((columns, rows), Pillow.Resampling.BICUBIC))
