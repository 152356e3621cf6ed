"""The parts of a training script: data, model and trainer from their configs, where a run lies, what it goes on from."""

from __future__ import annotations

import hashlib
import json
import logging
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback, EarlyStopping, LearningRateMonitor, TQDMProgressBar
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger

from ...errors import InvalidValue
from ..pictures import models
from ..pictures.data import CLASSES, Pictures
from ..pictures.mel import MelPictures
from ..pictures.task import Classification
from . import checkpoints
from .callbacks import Keeper
from .entry import bound
from .recipe import Recipe
from .settings import check

PLACE = ("name", "output", "cache", "resume", "trainer")
"""Settings that do not change which weights a training ends with, save two of the trainer's."""


def told(config: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that a checkpoint and its card tell, as plain data."""
    trainer = {k: config["trainer"][k] for k in ("precision", "limit_batches")}
    found: dict[str, Any] = checkpoints.plain(
        {k: v for k, v in config.items() if k not in PLACE} | {"trainer": trainer}
    )
    return found


def identity(settings: Mapping[str, Any], content: str | None) -> dict[str, Any]:
    """What decides the weights that a training ends with: of its data what they hold, not where they lie or how they are read."""
    data = dict(settings["data"])
    if "root" in data:
        data |= {"root": content, "share": None}
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
    check(config)
    if config.get("name"):
        return Path(config["output"]).expanduser() / str(config["name"])
    digest = hashlib.sha256(json.dumps(identity(told(config), data.content()), sort_keys=True).encode()).hexdigest()[:8]
    parts = [
        config["task"],
        config["data"]["name"],
        config["model"]["name"],
        config["recipe"]["name"],
        f"seed{config['seed']}",
    ]
    return Path(config["output"]).expanduser() / "-".join([*map(str, parts), digest])


def make_data(config: Mapping[str, Any]) -> Pictures:
    """The data module.

    Raises:
        SpectrograndError: a setting is out of range, told before anything is decoded.
    """
    check(config)
    recipe, trainer = recipe_of(config), config["trainer"]
    side = config["model"].get("side") or models.SIDES[config["task"]]
    cache = Path(config.get("cache") or Path(config["output"]) / "cache").expanduser()
    return Pictures(
        config["data"],
        config["task"],
        side,
        recipe.batch,
        seed=config["seed"],
        cache=cache,
        limit=trainer["limit_batches"],
    )


def make_model(config: Mapping[str, Any], data: Pictures) -> Classification:
    """Network and recipe as a Lightning module; first values follow from the seed."""
    threads = config["trainer"]["threads"]
    if threads:
        torch.set_num_threads(threads)
    data.setup()
    lightning.seed_everything(config["seed"], verbose=False)
    settings = {k: v for k, v in config["model"].items() if k != "name"}
    what, told = f"model {config['model']['name']!r}", {"task": config["task"], "classes": CLASSES[config["task"]]}
    spec, network = bound(models.make, settings, what, name=config["model"]["name"], **told)
    sounds = data.config.get("input") == "sound"
    return Classification(
        network, spec, recipe_of(config), seed=config["seed"], counts=data.counts(), about=about(config, data),
        mel=MelPictures(spec.side) if sounds else None, frozen_norm=bool(config["model"].get("frozen_norm")),
    )  # fmt: skip


def about(config: Mapping[str, Any], data: Pictures) -> dict[str, Any]:
    """What a checkpoint says of how it came about: plain data."""
    from importlib.metadata import version

    versions = {name: version(name) for name in ("torch", "torchvision", "lightning", "timm", "torchmetrics", "numpy")}
    sizes = {split: len(part) for split, part in data.splits.items()}
    return {
        "config": told(config),
        "content": data.content(),
        "versions": versions,
        "sizes": sizes,
        "skipped": list(data.splits["train"].skipped),
    }


def calm() -> None:
    """Lightning's hints off, its warnings on; TensorBoard without TensorFlow, which costs ten seconds and does nothing here."""
    import sys
    from types import ModuleType

    for name in ("lightning.pytorch", "lightning.fabric", "pytorch_lightning"):
        logging.getLogger(name).setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", message=".*(LeafSpec|number of training batches|in eval mode at the start).*")
    sys.modules.setdefault("tensorboard.compat.notf", ModuleType("tensorboard.compat.notf"))


def make_trainer(config: Mapping[str, Any], folder: Path, extra: list[Callback] | None = None) -> lightning.Trainer:
    """A trainer that keeps, logs and stops as `train/conf/trainer/default.yaml` and the recipe say."""
    calm()
    settings, recipe = config["trainer"], recipe_of(config)
    parallel = int(settings["devices"]) * int(settings["num_nodes"]) > 1 if settings["devices"] != "auto" else None
    callbacks: list[Callback] = [LearningRateMonitor("step")]
    if settings["progress"]:
        callbacks.append(TQDMProgressBar(refresh_rate=10))
    if recipe.patience is not None:
        callbacks.append(EarlyStopping("val/f1", patience=recipe.patience, mode="max", check_on_train_epoch_end=False))
    callbacks += [*(extra or []), Keeper(folder, settings["save_every"])]
    start = len(list((folder / "csv").glob("start-*"))) if (folder / "csv").is_dir() else 0
    loggers = [
        CSVLogger(folder, name="csv", version=f"start-{start}", flush_logs_every_n_steps=50),
        TensorBoardLogger(folder, name="tensorboard", version="", default_hp_metric=False),
    ]
    return lightning.Trainer(
        accelerator=settings["accelerator"], devices=settings["devices"], num_nodes=settings["num_nodes"],
        strategy="ddp" if parallel else "auto", precision=settings["precision"] or recipe.precision,
        max_epochs=recipe.epochs, gradient_clip_val=recipe.clip, deterministic=settings["deterministic"], benchmark=False,
        logger=loggers, callbacks=callbacks, plugins=[checkpoints.PlainCheckpointIO()], enable_checkpointing=False,
        enable_progress_bar=settings["progress"], enable_model_summary=False, log_every_n_steps=10,
        use_distributed_sampler=False, num_sanity_val_steps=0, default_root_dir=folder,
    )  # fmt: skip


def resumable(config: Mapping[str, Any], folder: Path, data: Pictures) -> Path | None:
    """The checkpoint to go on from, or None for a fresh start.

    Raises:
        InvalidValue: the folder holds a training of another config or other data; what differs is named.
    """
    last = folder / "last.ckpt"
    if not config["resume"] or not last.is_file():
        return None
    about = checkpoints.load(last).get("spectrogrand", {}).get("about", {})
    before = about.get("config")
    kept = identity(before, about.get("content")) if isinstance(before, dict) and "data" in before else {}
    wanted = identity(told(config), data.content())
    if kept != wanted:
        differing = [k for k in wanted if kept.get(k) != wanted[k]]
        raise InvalidValue(
            f"{folder} holds a training with other settings ({', '.join(differing)}): choose another name=, or resume=false to "
            "overwrite it"
        )
    return last
