"""A recipe: how a network is trained, as plain values, and the optimiser, schedule and average that follow from it."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...errors import ConfigError, InvalidValue, UnknownName, nearest
from .precision import PRECISIONS

OPTIMISERS = ("sgd", "adamw")
"""The ones whose settings are fields of the recipe; any other of torch.optim goes by its name, with `optimizer_args`."""
SCHEDULES = ("constant", "cosine")
EACH_STEP = ("OneCycleLR", "CyclicLR", "CosineAnnealingWarmRestarts")
"""Schedulers of torch that move at every step; the others move once an epoch."""


@dataclass(frozen=True)
class Recipe:
    """Settings of a training; `train/conf/recipe/*.yaml` hold what differs from these defaults.

    Args:
        optimizer: "sgd", "adamw" (which leaves biases and norms out of weight decay), or a class of `torch.optim` by its name.
        lr: learning rate, its highest.
        batch_size: items a step, over all processes.
        epochs: at most.
        steps: optimiser steps of the whole training, in place of `epochs`; None counts epochs.
        momentum: the optimiser's.
        weight_decay: the optimiser's.
        optimizer_args: more arguments of the optimiser, by its own names.
        schedule: "constant", "cosine" down to `lr_floor`, or a class of `torch.optim.lr_scheduler` by its name.
        schedule_args: arguments of such a class, by its own names.
        warmup: steps in which the rate grows from 0 in a straight line; below 1, as a share of all steps.
        lr_floor: where the cosine ends, as a share of `lr`.
        label_smoothing: share of the target that all classes divide.
        mixup: alpha of Beta(alpha, alpha); 0 is none.
        ema: decay of the average of the weights that is evaluated and exported; 0 is none. It grows from 0.1 in the first steps.
        balance: classes weigh the inverse of how often they occur.
        patience: epochs without a better validation measure before training stops; None never stops early.
        checkpoint: "best" or "last": which is tested and exported.
        precision: "auto" (bf16-mixed where the hardware multiplies bf16), or Lightning's word: "32-true", "bf16-mixed", ...
        channels_last: memory order of pictures and weights.
        gradient_clip: largest norm of the gradient; None is none.
        augment: augmentations in order, `{name: ..., settings}`.

    Raises:
        InvalidValue: a value out of range. UnknownName: no such optimiser or schedule. ConfigError: arguments
            that it does not take.
    """

    optimizer: str
    lr: float
    batch_size: int
    epochs: int
    steps: int | None = None
    momentum: float = 0.0
    weight_decay: float = 0.0
    optimizer_args: Mapping[str, Any] = field(default_factory=dict)
    schedule: str = "constant"
    schedule_args: Mapping[str, Any] = field(default_factory=dict)
    warmup: float = 0.0
    lr_floor: float = 0.0
    label_smoothing: float = 0.0
    mixup: float = 0.0
    ema: float = 0.0
    balance: bool = False
    patience: int | None = None
    checkpoint: str = "best"
    precision: str = "32-true"
    channels_last: bool = False
    gradient_clip: float | None = None
    augment: Sequence[Mapping[str, Any]] = ()

    def __post_init__(self) -> None:
        if self.checkpoint not in ("best", "last"):
            raise UnknownName(
                f"no recipe.checkpoint {self.checkpoint!r}; {nearest(str(self.checkpoint), ('best', 'last'))}"
            )
        for name, low, high in (
            ("lr", 0, math.inf), ("momentum", 0, 1), ("weight_decay", 0, 10), ("warmup", 0, 1e9), ("label_smoothing", 0, 1),
            ("mixup", 0, 100), ("ema", 0, 1), ("lr_floor", 0, 1),
        ):  # fmt: skip
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
                raise InvalidValue(f"recipe.{name} is a number from {low} to {high:g}, got {value!r}")
        if self.precision not in PRECISIONS:
            raise UnknownName(f"no recipe.precision {self.precision!r}; {nearest(str(self.precision), PRECISIONS)}")
        clip = self.gradient_clip
        if clip is not None and (isinstance(clip, bool) or not isinstance(clip, int | float) or not clip > 0):
            raise InvalidValue(f"recipe.gradient_clip is a number above 0, or null for none, got {clip!r}")
        if isinstance(self.augment, str) or not isinstance(self.augment, Sequence):
            raise InvalidValue(f"recipe.augment is a list of {{name: ...}}, got {self.augment!r}")
        for name in ("batch_size", "epochs", "patience", "steps"):
            value = getattr(self, name)
            if value is None and name in ("patience", "steps"):
                continue
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise InvalidValue(f"recipe.{name} is a whole number from 1, got {value!r}")
        for name in ("balance", "channels_last"):
            if not isinstance(getattr(self, name), bool):
                raise InvalidValue(f"recipe.{name} is true or false, got {getattr(self, name)!r}")
        self._check_named()

    def _check_named(self) -> None:
        """Whether torch has the optimiser and the schedule, and takes their arguments."""
        for what, value, ours in (("optimizer", self.optimizer, OPTIMISERS), ("schedule", self.schedule, SCHEDULES)):
            settings = getattr(self, f"{what}_args")
            if not isinstance(settings, Mapping):
                raise InvalidValue(f"recipe.{what}_args is {{name: value, ...}}, got {settings!r}")
            if value in ours and (what == "schedule" or not settings):
                if settings:
                    raise ConfigError(f"recipe.schedule={value} takes no schedule_args, got {', '.join(settings)}")
                continue
            found = torch_class(what, value)
            options = inspect.signature(found).parameters
            for key in settings:
                if key not in options or key in ("params", "optimizer", "lr", "momentum", "weight_decay"):
                    raise UnknownName(
                        f"recipe.{what}_args has no {key!r} for {value}; {nearest(key, list(options)[2:])}"
                    )
        if self.schedule not in SCHEDULES and self.warmup:
            raise ConfigError(f"recipe.warmup goes with {' and '.join(SCHEDULES)}: set it to 0 for {self.schedule}")
        if self.optimizer not in OPTIMISERS:
            options = inspect.signature(torch_class("optimizer", self.optimizer)).parameters
            for key in ("momentum", "weight_decay"):
                if getattr(self, key) and key not in options:
                    raise ConfigError(f"{self.optimizer} takes no {key}: set recipe.{key}=0")


def torch_class(what: str, name: str) -> Any:
    """The class of `torch.optim` ("optimizer") or `torch.optim.lr_scheduler` ("schedule") of a name, in any case of letters.

    Raises:
        UnknownName: there is none; the nearest is named.
    """
    import torch

    home, base = (
        (torch.optim, torch.optim.Optimizer)
        if what == "optimizer"
        else (torch.optim.lr_scheduler, torch.optim.lr_scheduler.LRScheduler)
    )
    found = {k: v for k, v in vars(home).items() if inspect.isclass(v) and issubclass(v, base) and v is not base}
    found = {k: v for k, v in found.items() if not k.startswith("_") and k not in ("LBFGS", "SparseAdam", "LambdaLR")}
    for key, value in found.items():
        if key.lower() == str(name).lower():
            return value
    ours = OPTIMISERS if what == "optimizer" else SCHEDULES
    raise UnknownName(f"no recipe.{what} {name!r}; {nearest(str(name), [*ours, *found])}")


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
            [p for _, p in named],
            recipe.lr,
            momentum=recipe.momentum,
            weight_decay=recipe.weight_decay,
            **recipe.optimizer_args,
        )
    if recipe.optimizer != "adamw":
        made = torch_class("optimizer", recipe.optimizer)
        more = {k: getattr(recipe, k) for k in ("momentum", "weight_decay") if getattr(recipe, k)}
        return made([p for _, p in named], lr=recipe.lr, **more, **recipe.optimizer_args)
    groups = [
        {"params": [p for _, p in named if p.ndim > 1], "weight_decay": recipe.weight_decay},
        {"params": [p for _, p in named if p.ndim <= 1], "weight_decay": 0.0},
    ]
    # fused: one pass over the weights instead of six; torch has it for these devices
    fused = {p.device.type for _, p in named} <= {"cpu", "cuda"}
    made = torch.optim.AdamW([g for g in groups if g["params"]], recipe.lr, **{"fused": fused, **recipe.optimizer_args})
    # fused, it would unscale float16's gradients by itself, and Lightning then refuses to clip them: let the scaler do that
    made._step_supports_amp_scaling = False
    return made


def plan(network: Any, recipe: Recipe, steps: int) -> dict[str, Any]:
    """What `configure_optimizers` returns: the optimiser, and the schedule over `steps` optimiser steps.

    Raises:
        ConfigError: the scheduler does not take its arguments.
    """
    import torch

    made = optimiser(network, recipe)
    if recipe.schedule in SCHEDULES:
        by_step = torch.optim.lr_scheduler.LambdaLR(made, lambda step: share_of_rate(recipe, step, steps))
        return {"optimizer": made, "lr_scheduler": {"scheduler": by_step, "interval": "step"}}
    kind = torch_class("schedule", recipe.schedule)
    settings = dict(recipe.schedule_args)
    if kind.__name__ == "OneCycleLR":
        settings = {"max_lr": recipe.lr, "total_steps": steps, **settings}
    if kind.__name__ == "ReduceLROnPlateau":
        settings = {"mode": "max", **settings}
    try:
        schedule = kind(made, **settings)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"recipe.schedule={recipe.schedule}: {error}; set recipe.schedule_args") from error
    interval = "step" if kind.__name__ in EACH_STEP else "epoch"
    return {
        "optimizer": made,
        "lr_scheduler": {"scheduler": schedule, "interval": interval, "monitor": "val/f1"},
    }


def share_of_rate(recipe: Recipe, step: int, steps: int) -> float:
    """The learning rate at a step, as a share of `recipe.lr`.

    >>> r = Recipe("sgd", 0.1, 4, 1, schedule="cosine", warmup=0.5)
    >>> [round(share_of_rate(r, s, 8), 2) for s in (0, 3, 4, 6, 8)]
    [0.25, 1.0, 1.0, 0.5, 0.0]
    """
    warm = recipe.warmup * steps if recipe.warmup < 1 else recipe.warmup
    if step < warm:
        return min(1.0, (step + 1) / warm)
    if recipe.schedule == "constant":
        return 1.0
    turn = 0.5 + 0.5 * math.cos(math.pi * min(1.0, (step - warm) / max(1.0, steps - warm)))
    return recipe.lr_floor + (1 - recipe.lr_floor) * turn


def follow(average: Any, network: Any, decay: float, step: int) -> None:
    """Move the average of the weights towards them after optimiser step `step`; faster in the first ones.

    average += (1 - min(decay, (1 + step) / (10 + step))) (network - average), of parameters and buffers; counters are copied.
    """
    import torch

    keep = min(decay, (1 + step) / (10 + step))
    with torch.no_grad():
        for kept, now in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
            kept.lerp_(now, 1 - keep) if kept.is_floating_point() else kept.copy_(now)


def total_steps(trainer: Any, recipe: Recipe) -> int:
    """Optimiser steps of the whole training.

    Of our own loaders from their length: Lightning's estimate would make the loaders before a checkpoint could tell them where to
    go on.
    """
    if trainer.max_steps > 0:
        return int(trainer.max_steps)
    data = getattr(trainer, "datamodule", None)
    if data is None or not hasattr(data, "splits"):
        return int(trainer.estimated_stepping_batches)
    a_epoch = -(-len(data.train_dataloader()) // int(trainer.accumulate_grad_batches))
    return int(a_epoch * (trainer.max_epochs or recipe.epochs))
