"""A training of pictures or sounds: data and model from their configs, where a run lies, what it resumes from, what it leaves."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback

from ..loop import checkpoints, loggers, settings
from ..loop import trainer as loop
from ..loop.entry import bound
from ..loop.optim import Recipe
from . import models, report
from .data import Pictures
from .mel import MelPictures
from .task import Classification

PLACE = ("name", "output", "cache", "resume", "trainer", "logger", "ckpt_path")
"""Settings that do not change which weights a training ends with, save some of the trainer's."""


def fit(config: Mapping[str, Any]) -> dict[str, Any]:
    """Train, test and report; returns the test metrics, and as `objective` the best validation F1.

    With `trainer.fast_dev_run` a batch of each loop is run and nothing is kept.
    """
    data = make_data(config)
    model = make_model(config, data)
    folder = folder_of(config, data)
    trainer = make_trainer(config, folder)
    if trainer.fast_dev_run:
        trainer.fit(model, data)
        return {"folder": str(folder)}
    trainer.fit(model, data, ckpt_path=resumable(config, folder, data))
    best = next(c.best for c in trainer.callbacks if isinstance(c, loop.Keeper))
    trainer.test(model, data, ckpt_path=folder / f"{model.recipe.checkpoint}.ckpt", verbose=False)
    return {**report.conclude(trainer, model, data, folder), "objective": best}


def told(config: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that a checkpoint and its card tell, as plain data."""
    found: dict[str, Any] = checkpoints.plain(
        {k: v for k, v in config.items() if k not in PLACE} | {"trainer": loop.deciding(config)}
    )
    if config.get("ckpt_path"):
        found["begun_from"] = digest_of(Path(config["ckpt_path"]).expanduser())
    return found


def digest_of(path: Path) -> str:
    """sha256 of a file's bytes; empty where there is none."""
    if not path.is_file():
        return ""
    with open(path, "rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def identity(settings: Mapping[str, Any], content: str | None) -> dict[str, Any]:
    """What decides the weights that a training ends with: of its data what they hold, not where they lie or how they are read."""
    data = dict(settings["data"])
    if "root" in data:
        data |= {"root": content, "share": None}
        data |= {k: None for k in ("csv", "groups") if k in data}
    if "workers" in data:
        data["workers"] = 1
    return {**settings, "data": data}


def recipe_of(config: Mapping[str, Any]) -> Recipe:
    """The config's recipe.

    Raises:
        UnknownName: it has no such setting.
    """
    found: Recipe = bound(Recipe, config["recipe"], f"recipe {config['recipe'].get('name')!r}")
    return found


def folder_of(config: Mapping[str, Any], data: Pictures) -> Path:
    """Where a training lies: `output/name`, named after task, data, model, recipe, seed and a digest of all that matters.

    So the same command finds its own run again and goes on, from moved data too, and another never writes into it.
    """
    settings.check(config)
    if config.get("name"):
        return Path(config["output"]).expanduser() / str(config["name"])
    digest = hashlib.sha256(json.dumps(identity(told(config), data.content()), sort_keys=True).encode()).hexdigest()[:8]
    parts = (config["task"], *(config[k]["name"] for k in ("data", "model", "recipe")), f"seed{config['seed']}", digest)
    return Path(config["output"]).expanduser() / "-".join(map(str, parts))


def make_data(config: Mapping[str, Any]) -> Pictures:
    """The data module.

    Raises:
        SpectrograndError: a setting out of range, a network or logger that does not exist, told before anything is decoded.
    """
    settings.check(config)
    loggers.check(config.get("logger"))
    recipe, trainer = recipe_of(config), config["trainer"]
    models.check_name(config["model"]["name"])
    side = config["model"].get("side") or models.SIDES[config["task"]]
    cache = Path(config.get("cache") or Path(config["output"]) / "cache").expanduser()
    return Pictures(
        config["data"], config["task"], side, recipe.batch_size, seed=config["seed"], cache=cache,
        limit=trainer.get("limit_train_batches"),
    )  # fmt: skip


def make_model(config: Mapping[str, Any], data: Pictures) -> Classification:
    """Network and recipe as a Lightning module; first values follow from the seed."""
    threads = config["trainer"]["threads"]
    if threads:
        torch.set_num_threads(threads)
    data.setup()
    lightning.seed_everything(config["seed"], verbose=False)
    chosen = {k: v for k, v in config["model"].items() if k != "name"}
    what, more = f"model {config['model']['name']!r}", {"task": config["task"], "classes": data.classes}
    spec, network = bound(models.make, chosen, what, name=config["model"]["name"], multi_label=data.multi_label, **more)
    return Classification(
        network, spec, recipe_of(config), seed=config["seed"], counts=data.counts(),
        about=about(config, data) | {"first_weights": getattr(network, "first_weights", None)},
        mel=MelPictures(spec.side) if data.config["name"] == "synthetic" and data.config.get("input") == "sound" else None,
        frozen_norm=bool(config["model"].get("frozen_norm")),
    )  # fmt: skip


def about(config: Mapping[str, Any], data: Pictures) -> dict[str, Any]:
    """What a checkpoint says of how it came about: plain data."""
    from importlib.metadata import version

    versions = {name: version(name) for name in ("torch", "torchvision", "lightning", "timm", "torchmetrics", "numpy")}
    sizes = {split: len(part) for split, part in data.splits.items()}
    return {
        "config": told(config),
        "content": data.content(),
        "identity": identity(told(config), data.content()),
        "versions": versions,
        "sizes": sizes,
        "skipped": list(data.splits["train"].skipped),
    }


def make_trainer(config: Mapping[str, Any], folder: Path, extra: list[Callback] | None = None) -> lightning.Trainer:
    """A trainer that keeps, logs and stops as `train/conf/trainer/default.yaml` and the recipe say."""
    return loop.make_trainer(config, recipe_of(config), folder, extra=extra)


def resumable(config: Mapping[str, Any], folder: Path, data: Pictures) -> Path | None:
    """The checkpoint to resume from: the run's own, else the one that `ckpt_path` names, else None for a fresh start.

    Raises:
        InvalidValue: the folder holds a training of another config or other data; what differs is named.
    """
    found = loop.resumable(
        folder,
        identity(told(config), data.content()),
        "choose another name=, or resume=false to overwrite it",
        resume=config["resume"],
    )
    if found is None and config.get("ckpt_path"):
        found = Path(config["ckpt_path"]).expanduser()
        checkpoints.load(found)
    return found
