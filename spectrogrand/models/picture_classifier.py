"""Networks that training makes and plug-ins run: what a weight file says about itself, and the layers that it fills.

`train/export.py` writes safetensors whose header holds a `Spec` as JSON: architecture, classes in column order, picture size and
normalisation. A file without it is a published checkpoint, whose layout its own plug-in knows.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from ..audio.bars import MEAN, STD, standardised
from ..errors import InvalidValue, UnknownName, nearest, require
from ..files import parse_json
from ..interfaces import Component
from ..types import Image
from ..weights import files
from . import devices

KEY = "spectrogrand"
PUBLISHED = ("resnet_genre", "mobilenet_surprise")
"""Architectures of the published checkpoints; every other name is a backbone of timm."""
HEADS = ("published", "corrected")
DTYPES = ("float32", "bfloat16")


@dataclass(frozen=True)
class Spec:
    """What a trained picture classifier is.

    Args:
        architecture: "resnet_genre", "mobilenet_surprise", or the name of a timm backbone.
        classes: names in the order of the network's outputs.
        side: rows and columns of the pictures that it sees.
        mean, std: of pixels in [0, 1], per channel; what is subtracted and divided by.
        head: "published" where mobilenet_surprise was trained through its sigmoid, "corrected" else.
        task: "genre" or "surprise".
        multi_label: an item may have several classes: a sigmoid of each logit by itself, in place of softmax.

    Raises:
        InvalidValue: a value outside these.

    >>> Spec.from_json(Spec("resnet18", ("a", "b"), 96).as_json()).classes
    ('a', 'b')
    """

    architecture: str
    classes: tuple[str, ...]
    side: int
    mean: tuple[float, ...] = MEAN
    std: tuple[float, ...] = STD
    head: str = "corrected"
    task: str = "genre"
    multi_label: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.architecture, str) or not self.architecture:
            raise InvalidValue(f"an architecture is a name, got {self.architecture!r}")
        if len(self.classes) < 2 or len(set(self.classes)) != len(self.classes):
            raise InvalidValue(f"a classifier has two classes or more, each once, got {list(self.classes)}")
        if isinstance(self.side, bool) or not isinstance(self.side, int) or not 16 <= self.side <= 1024:
            raise InvalidValue(f"side is a whole number of pixels from 16 to 1024, got {self.side!r}")
        for name, values in (("mean", self.mean), ("std", self.std)):
            if len(values) != 3 or not all(isinstance(v, int | float) and math.isfinite(v) for v in values):
                raise InvalidValue(f"{name} is three finite numbers, got {values!r}")
        if min(self.std) <= 0:
            raise InvalidValue(f"std is above 0, got {self.std!r}")
        if self.head not in HEADS:
            raise UnknownName(f"no head {self.head!r}; {nearest(str(self.head), HEADS)}")

    def as_json(self) -> str:
        """One line of JSON; `from_json` is the inverse."""
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Spec:
        """Read what `as_json` wrote.

        Raises:
            InvalidValue: it is not.
        """
        try:
            try:
                found = parse_json(text)
            except InvalidValue as error:
                raise TypeError(str(error)) from error
            values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in found.items()}
            return cls(**values)
        except (ValueError, TypeError, AttributeError) as error:
            if isinstance(error, InvalidValue):
                raise
            raise InvalidValue(f"a weight file's header describes no network ({error}): export it again") from error


class PictureClassifier(Component):
    """What the plug-ins that ask one network about pictures share: where it lies, loading, asking, identity, freeing.

    A subclass names its `task` and says in `_network` how a file becomes a network, where it is no file of ours.
    """

    task: ClassVar[str]
    weights: str | None
    device: str | None
    dtype: str = "float32"
    _loaded: tuple[Spec, Any] | None = None

    def identity(self) -> Mapping[str, Any]:
        """sha256 of the weights, device, number type, versions of the libraries."""
        path = self._path()
        versions = {name: version(name) for name in ("torch", *(m for m in self.card.modules if m == "timm"))}
        return {
            "weights": files.sha256_of(path), "device": devices.device(self.device), "dtype": self.dtype, **versions
        }  # fmt: skip

    def close(self) -> None:
        """Free the network."""
        self._loaded = None

    def ask(self, pictures: np.ndarray, batch: int) -> np.ndarray:
        """The network's outputs, float64, shape=(item, class), for uint8 pictures, shape=(item, side, side, rgb).

        Args:
            batch: pictures in one call.
        """
        import torch

        spec, network = self.load()
        first, found = next(network.parameters()), [np.zeros((0, len(spec.classes)))]
        with torch.inference_mode():
            for start in range(0, len(pictures), batch):
                seen = standardised(pictures[start : start + batch], spec.mean, spec.std)
                found.append(network(torch.from_numpy(seen).to(first.device, first.dtype)).double().cpu().numpy())
        return np.concatenate(found)

    def load(self) -> tuple[Spec, Any]:
        """What the file says, and its network, loaded at first use.

        Raises:
            InvalidValue: weights of another task or architecture. MissingExtra: none, or no torch.
        """
        if self._loaded is None:
            path = self._path()
            import torch

            spec, network = self._network(path)
            network = network.eval().requires_grad_(False).to(devices.device(self.device), getattr(torch, self.dtype))
            if self.dtype != "float32":
                network = network.to(memory_format=torch.channels_last)
            self._loaded = spec, network
        return self._loaded

    def _network(self, path: Path) -> tuple[Spec, Any]:
        return load(path, self.task)

    def _path(self) -> Path:
        for module in self.card.modules:
            require(module, "models", f"{self.kind} {self.name!r}")
        return files.find(self.weights, self.card.weights[0], part=self.name)


def small(image: Image, side: int) -> np.ndarray:
    """The whole picture at `side` x `side`, uint8, shape=(1, side, side, rgb)."""
    from PIL import Image as Pillow

    return np.asarray(Pillow.fromarray(image.pixels).resize((side, side), Pillow.Resampling.BILINEAR))[None]


def check_settings(part: str, batch: Any, dtype: Any) -> None:
    """Check the settings that the genre networks share.

    Raises:
        InvalidValue: a batch_size that is no whole number from 1. UnknownName: none of `DTYPES`.
    """
    if isinstance(batch, bool) or not isinstance(batch, int) or batch < 1:
        raise InvalidValue(f"{part} takes batch_size as a whole number from 1, got {batch!r}")
    if dtype not in DTYPES:
        raise UnknownName(f"no {part} dtype {dtype!r}; {nearest(str(dtype), DTYPES)}")


def read_spec(path: Path) -> Spec | None:
    """What the header of a safetensors file says; None for a published checkpoint, which says nothing.

    Raises:
        InvalidValue: no safetensors file, or a header that is not ours.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="np") as file:
            header: Mapping[str, str] = file.metadata() or {}
    except (SafetensorError, OSError, ValueError) as error:
        raise InvalidValue(f"{path} is torn or no safetensors file ({error}): export or convert it again") from error
    return Spec.from_json(header[KEY]) if KEY in header else None


def probabilities(spec: Spec, logits: np.ndarray) -> np.ndarray:
    """What logits (item, class) say, float64, rows summing to 1: softmax, or shares of sigmoids where `multi_label`.

    >>> probabilities(Spec("resnet18", ("a", "b"), 96), np.array([[0.0, np.log(3.0)]])).round(2).tolist()
    [[0.25, 0.75]]
    """
    from scipy.special import expit, softmax

    if not spec.multi_label:
        return np.asarray(softmax(np.asarray(logits, np.float64), axis=1))
    each = expit(np.asarray(logits, np.float64))
    return np.asarray(each / np.maximum(each.sum(axis=1, keepdims=True), 1e-12))


def build(spec: Spec, dropout: float | None = None) -> Any:
    """The layers of a spec as a torch module: float (item, rgb, row, column) to logits (item, class), first values random.

    Args:
        dropout: in training; None is the published 0.5 (resnet_genre), 0.35 (mobilenet_surprise), 0 (timm).

    Raises:
        UnknownName: timm has no such backbone. MissingExtra: torchvision or timm is not installed.
    """
    count = len(spec.classes)
    if spec.architecture in PUBLISHED:
        require("torchvision", "models", f"the network {spec.architecture!r}")
        make = _resnet_genre if spec.architecture == "resnet_genre" else _mobilenet_surprise
        return make(count, dropout)
    require("timm", "models", f"the network {spec.architecture!r}")
    import timm

    if not timm.is_model(spec.architecture):
        raise UnknownName(f"no network {spec.architecture!r}; {_near(spec.architecture, timm.list_models())}")
    return timm.create_model(spec.architecture, num_classes=count, drop_rate=dropout or 0.0)


def load(path: Path, task: str) -> tuple[Spec, Any]:
    """A trained network of ours, on the processor.

    Raises:
        InvalidValue: the file is a published checkpoint, of another task, or its tensors do not fit its header.
    """
    import torch

    spec = read_spec(path)
    if spec is None or spec.task != task:
        made_for = "says nothing of what it is" if spec is None else f"is for {spec.task}"
        raise InvalidValue(f"{path} {made_for}: give a file that python train/export.py made of a {task} checkpoint")
    tensors = files.load_torch(path)
    with torch.random.fork_rng(devices=[]):  # building draws first values that the file then replaces
        network = build(spec)
    files.fill(network, tensors, str(path))
    return spec, network


def _resnet_genre(count: int, dropout: float | None) -> Any:
    from torch import nn
    from torchvision.models import resnet101

    return nn.Sequential(resnet101(), nn.Dropout(0.5 if dropout is None else dropout), nn.Linear(1000, count))


def _mobilenet_surprise(count: int, dropout: float | None) -> Any:
    """1000 -> 128 -> 32 -> classes with leaky ReLUs and dropout; gives z, before any leaky ReLU or sigmoid of the last layer."""
    from collections import OrderedDict

    from torch import nn
    from torchvision.models import mobilenet_v3_small

    rate = 0.35 if dropout is None else dropout
    layers = {
        "baseline": mobilenet_v3_small(),
        "fc1": nn.Linear(1000, 128), "leaky1": nn.LeakyReLU(), "dropout1": nn.Dropout(rate),
        "fc2": nn.Linear(128, 32), "leaky2": nn.LeakyReLU(), "dropout2": nn.Dropout(rate),
        "fc3": nn.Linear(32, count),
    }  # fmt: skip
    return nn.Sequential(OrderedDict(layers))


def _near(name: str, known: list[str]) -> str:
    import difflib

    close = difflib.get_close_matches(name, [*known, *PUBLISHED], n=3, cutoff=0.5)
    names = " or ".join(repr(c) for c in close) if close else "a name of timm.list_models()"
    return f"did you mean {names}?"
