"""A recipe: how a network is trained, as plain values, and the optimiser and schedule that follow from it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...errors import InvalidValue, UnknownName, nearest
from .settings import PRECISIONS

OPTIMISERS = ("sgd", "adamw")
SCHEDULES = ("constant", "cosine")


@dataclass(frozen=True)
class Recipe:
    """Settings of a training; `train/conf/recipe/*.yaml` hold them.

    Args:
        optimizer: "sgd" or "adamw" (which leaves biases and norms out of weight decay).
        rate: learning rate, its highest.
        batch: pictures a step, over all processes.
        epochs: at most.
        momentum, weight_decay: the optimiser's.
        schedule: "constant", or "cosine" down to 0 at the last step.
        warmup: share of all steps in which the rate grows from 0 in a straight line.
        smoothing: label smoothing.
        mixup: alpha of Beta(alpha, alpha); 0 is none.
        ema: decay of the average of the weights that is evaluated and exported; 0 is none. It grows from 0.1 in the first steps.
        balance: classes weigh the inverse of how often they occur.
        patience: epochs without a better validation F1 before training stops; None never stops early.
        take: "best" or "last": which checkpoint is tested and exported.
        precision: "32-true", "bf16-mixed", "16-mixed": Lightning's words.
        channels_last: memory order of pictures and weights.
        clip: largest norm of the gradient; None is none.
        augment: augmentations in order, `{name: ..., settings}`.

    Raises:
        InvalidValue: a value out of range. UnknownName: no such optimiser or schedule.
    """

    optimizer: str
    rate: float
    batch: int
    epochs: int
    momentum: float = 0.0
    weight_decay: float = 0.0
    schedule: str = "constant"
    warmup: float = 0.0
    smoothing: float = 0.0
    mixup: float = 0.0
    ema: float = 0.0
    balance: bool = False
    patience: int | None = None
    take: str = "best"
    precision: str = "32-true"
    channels_last: bool = False
    clip: float | None = None
    augment: Sequence[Mapping[str, Any]] = ()

    def __post_init__(self) -> None:
        for name, known in (("optimizer", OPTIMISERS), ("schedule", SCHEDULES), ("take", ("best", "last"))):
            if getattr(self, name) not in known:
                raise UnknownName(
                    f"no recipe.{name} {getattr(self, name)!r}; {nearest(str(getattr(self, name)), known)}"
                )
        for name, low, high in (
            ("rate", 0, 1e3), ("momentum", 0, 1), ("weight_decay", 0, 10), ("warmup", 0, 1), ("smoothing", 0, 1),
            ("mixup", 0, 100), ("ema", 0, 1),
        ):  # fmt: skip
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
                raise InvalidValue(f"recipe.{name} is a number from {low} to {high:g}, got {value!r}")
        if self.precision not in PRECISIONS:
            raise UnknownName(f"no recipe.precision {self.precision!r}; {nearest(str(self.precision), PRECISIONS)}")
        if self.clip is not None and (not isinstance(self.clip, int | float) or not self.clip > 0):
            raise InvalidValue(f"recipe.clip is a number above 0, or null for none, got {self.clip!r}")
        if isinstance(self.augment, str) or not isinstance(self.augment, Sequence):
            raise InvalidValue(f"recipe.augment is a list of {{name: ...}}, got {self.augment!r}")
        for name, least in (("batch", 1), ("epochs", 1), ("patience", 1)):
            value = getattr(self, name)
            if value is None and name == "patience":
                continue
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise InvalidValue(f"recipe.{name} is a whole number from {least}, got {value!r}")


def optimiser(network: Any, recipe: Recipe) -> Any:
    """The optimiser over the parameters that are not frozen.

    Raises:
        InvalidValue: all are.
    """
    import torch

    named = [(n, p) for n, p in network.named_parameters() if p.requires_grad]
    if not named:
        raise InvalidValue("every parameter is frozen: nothing would be trained")
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(
            [p for _, p in named], recipe.rate, momentum=recipe.momentum, weight_decay=recipe.weight_decay
        )
    groups = [
        {"params": [p for _, p in named if p.ndim > 1], "weight_decay": recipe.weight_decay},
        {"params": [p for _, p in named if p.ndim <= 1], "weight_decay": 0.0},
    ]
    # fused: one pass over the weights instead of six; torch has it for these devices
    fused = {p.device.type for _, p in named} <= {"cpu", "cuda"}
    made = torch.optim.AdamW([g for g in groups if g["params"]], recipe.rate, fused=fused)
    # fused, it would unscale float16's gradients by itself, and Lightning then refuses to clip them: let the scaler do that
    made._step_supports_amp_scaling = False
    return made


def share_of_rate(recipe: Recipe, step: int, steps: int) -> float:
    """The learning rate at a step, as a share of `recipe.rate`.

    >>> r = Recipe("sgd", 0.1, 4, 1, schedule="cosine", warmup=0.5)
    >>> [round(share_of_rate(r, s, 8), 2) for s in (0, 3, 4, 6, 8)]
    [0.25, 1.0, 1.0, 0.5, 0.0]
    """
    warm = recipe.warmup * steps
    if step < warm:
        return min(1.0, (step + 1) / warm)
    if recipe.schedule == "constant":
        return 1.0
    return 0.5 + 0.5 * math.cos(math.pi * min(1.0, (step - warm) / max(1.0, steps - warm)))
