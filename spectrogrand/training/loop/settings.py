"""Settings of a training out of range, told in one line before anything is decoded; a recipe's own are its dataclass's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...errors import ConfigError, InvalidValue, UnknownName, nearest
from .precision import PRECISIONS

Ranges = Mapping[str, tuple[float, float]]
WHOLE: Ranges = {
    "seed": (0, 2**32 - 1), "data.seed": (0, 2**32 - 1), "data.split_seed": (0, 2**32 - 1), "data.workers": (1, 1024),
    "data.songs": (1, 10**6), "data.pictures": (1, 10**7), "data.bars": (1, 10**5), "model.side": (8, 4096),
    "trainer.threads": (1, 1024), "trainer.num_nodes": (1, 10**4), "trainer.save_every": (0, 10**9),
    "trainer.max_epochs": (1, 10**9), "trainer.max_steps": (1, 10**12), "trainer.accumulate_grad_batches": (1, 10**6),
}  # fmt: skip
NUMBERS: Ranges = {
    "data.share": (0, 1), "data.seconds": (2, 3600), "data.fraction": (1e-6, 1), "model.dropout": (0, 1),
    "trainer.limit_train_batches": (0, 10**9),
}  # fmt: skip
MAY_BE_NULL = (
    "data.workers", "model.side", "model.dropout", "trainer.limit_train_batches", "trainer.threads", "trainer.max_epochs",
    "trainer.max_steps", "trainer.accumulate_grad_batches",
)  # fmt: skip
ACCELERATORS = ("auto", "cpu", "cuda", "gpu", "mps", "tpu")

OLD = {
    "recipe.rate": "recipe.lr", "recipe.batch": "recipe.batch_size", "recipe.smoothing": "recipe.label_smoothing",
    "recipe.clip": "recipe.gradient_clip", "recipe.take": "recipe.checkpoint",
    "trainer.limit_batches": "trainer.limit_train_batches", "trainer.progress": "trainer.enable_progress_bar",
    "trainer.logger": "logger=csv, tensorboard, wandb, mlflow or none", "trainer.default_root_dir": "output=FOLDER",
    "trainer.enable_checkpointing": "trainer.save_every (best.ckpt and last.ckpt are always kept)",
    "trainer.plugins": "a script of your own around spectrogrand.training (plug-ins are objects, not words)",
    "trainer.model_registry": "a script of your own around spectrogrand.training",
    "trainer.use_distributed_sampler": "nothing to be set (the loaders share every batch between processes)",
}  # fmt: skip
"""Words that were, or that are refused, and what says the same now."""
OLD_FUSION = {
    "weights": "model.weights", "fusion_recipe": "recipe=fusion or recipe=published_fusion",
    **{f"fusion.{k}": f"model.{k}" for k in ("kind", "tokens", "residual", "heads")},
    **{f"fusion_{k}": v for k, v in OLD.items() if k.startswith("recipe.")},
}  # fmt: skip
OLD_STYLIZER = {
    "covers": "data.covers", "sounds": "data.sounds", "squeezenet": "model.squeezenet", "steps": "recipe.steps",
    "batch": "recipe.batch_size", "side": "data.side", "shift": "data.shift", "grain": "data.grain", "rate": "recipe.lr",
    "mean": "recipe.ema", "every": "trainer.save_every", "threads": "trainer.threads", "accelerator": "trainer.accelerator",
    "precision": "trainer.precision", "compile": "model.compile", "progress": "trainer.enable_progress_bar",
    **{f"loss.{k}": f"recipe.loss.{k}" for k in ("content", "edges", "style", "cells", "time", "smooth")},
}  # fmt: skip


def renamed(script: str, words: Sequence[str]) -> None:
    """Refuse a word of an earlier release, with the one that took its place.

    Raises:
        UnknownName: one is such a word.

    >>> renamed("genre", ["recipe.lr=0.1"])
    """
    old = OLD | {"fusion": OLD_FUSION, "stylizer": OLD_STYLIZER}.get(script, {})
    for word in words:
        key = word.partition("=")[0].lstrip("+~")
        if key in old:
            raise UnknownName(f"no setting {key!r}: it is {old[key]} now")
        if key.startswith("fusion_recipe."):
            raise UnknownName(f"no setting {key!r}: it is {key.removeprefix('fusion_')} now")


def check(config: Mapping[str, Any]) -> None:
    """Look at what stands in the config; what is missing is its reader's to tell.

    Raises:
        InvalidValue: a number that is none, or out of range. UnknownName: no such accelerator or precision.
        ConfigError: `name` leads out of the output folder.

    >>> check({"seed": 0, "data": {"workers": None}, "trainer": {"accelerator": "cpu"}})
    """
    in_ranges(config, WHOLE, NUMBERS, MAY_BE_NULL)
    trainer = config.get("trainer", {})
    for name, known in (("accelerator", ACCELERATORS), ("precision", PRECISIONS)):
        if trainer.get(name) is not None and trainer[name] not in known:
            raise UnknownName(f"no trainer.{name} {trainer[name]!r}; {nearest(str(trainer[name]), known)}")
    devices = trainer.get("devices", 1)
    if devices != "auto" and (isinstance(devices, bool) or not isinstance(devices, int) or devices < 1):
        raise InvalidValue(f"trainer.devices is a whole number from 1, or auto, got {devices!r}")
    folder = str(config.get("name") or "unnamed")
    if Path(folder).name != folder or folder in (".", ".."):
        raise ConfigError(f"name is a folder's name without slashes, got {folder!r}")


def in_ranges(config: Mapping[str, Any], whole: Ranges, numbers: Ranges, may_be_null: Sequence[str] = ()) -> None:
    """Whether the settings that a config has are numbers in their ranges.

    Args:
        whole: lowest and highest of whole numbers, by `part.setting`.
        numbers: the same of any numbers.
        may_be_null: settings that may be null.

    Raises:
        InvalidValue: one is not.
    """
    for ranges, kinds, what in ((whole, (int,), "a whole number"), (numbers, (int, float), "a number")):
        for name, (low, high) in ranges.items():
            part, _, key = name.rpartition(".")
            settings = config.get(part, {}) if part else config
            if key not in settings or (settings[key] is None and name in may_be_null):
                continue
            value = settings[key]
            if isinstance(value, bool) or not isinstance(value, kinds) or not low <= value <= high:
                raise InvalidValue(f"{name} is {what} from {low:g} to {_shown(high)}, got {value!r}")


def in_choices(config: Mapping[str, Any], choices: Mapping[str, Sequence[str]]) -> None:
    """Whether the settings that a config has are among their choices.

    Raises:
        UnknownName: one is not; the nearest is named.
    """
    for name, known in choices.items():
        part, _, key = name.partition(".")
        value = config[part].get(key)
        if value not in known:
            raise UnknownName(f"no {name} {value!r}; {nearest(str(value), known)}")


def _shown(number: float) -> str:
    return str(number) if isinstance(number, int) else f"{number:g}"
