"""A fusion's training from its config: data, model, fusion, trainer; where it lies, what it resumes from, its export."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import lightning
import torch
from torch.utils.data import DataLoader

from ...files import replacing
from ...models import devices, fusion
from ...models import stable_diffusion as diffusion
from ...models.sound_frames import MOST
from ...registry import get
from ...weights import hub
from ..loop import loggers
from ..loop import trainer as loop
from ..loop.entry import bound
from . import data as fusion_data
from .recipe import FusionRecipe, check
from .task import FusionTask

PLACE = ("output", "cache", "resume", "trainer", "logger", "evaluate")
"""Settings that do not change which weights a training ends with, save some of the trainer's."""


def fit(config: Mapping[str, Any]) -> dict[str, Any]:
    """Data, model, fusion, trainer; fit, export, evaluate. Returns the metrics."""
    check(config)
    loggers.check(config.get("logger"))
    recipe: FusionRecipe = bound(FusionRecipe, config["recipe"], f"recipe {config['recipe'].get('name')!r}")
    data, told = config["data"], config["trainer"]
    if told["threads"]:
        torch.set_num_threads(told["threads"])
    folder = folder_of(config)
    folder.mkdir(parents=True, exist_ok=True)
    embedder = fusion_data.embedder_of(data["sound_embedder"])
    cache = Path(config["cache"] or Path(config["output"]) / "cache").expanduser()
    splits = {
        split: fusion_data.albums(
            data["root"],
            split,
            embedder,
            size=data["size"],
            seconds=data["seconds"],
            cache=cache,
            style=data["prompt"],
            most=None if config["model"]["published"] else MOST,
        )  # fmt: skip
        for split in ("train", "test")
    }
    splits = {split: part.heard(data["music"], config["seed"]) for split, part in splits.items()}

    lightning.seed_everything(config["seed"], verbose=False)
    card: Any = get("generators", "fused_diffusion").card
    place = devices.device(None if told["accelerator"] in ("auto", "gpu") else told["accelerator"])
    weights = hub.folder(config["model"]["weights"], card.weights[0], part="fused_diffusion")
    model = diffusion.load(weights, "float32", place, part="fused_diffusion")
    width = splits["train"].features[0].shape[1]
    chosen = {k: v for k, v in config["model"].items() if k != "weights"}
    settings = {"music_width": width, "width": model.width, "embedder": embedder.name, **chosen}
    settings["tokens"] = settings["tokens"] or model.window
    fused = fusion.make(fusion.FusionSettings(**settings), model.unet)
    if recipe.standardise:
        every = torch.cat([torch.from_numpy(rows) for rows in splits["train"].features])
        fused.standardise(every.mean(0), every.std(0, correction=0))
    fused.module.to(place)
    model.unet.requires_grad_(False)
    for parameter in fused.module.parameters():
        parameter.requires_grad_(True)
    shown = fusion_data.Batches(splits["train"], recipe.batch_size, config["seed"], told["limit_train_batches"])
    unseen = DataLoader(splits["test"], batch_size=recipe.batch_size, collate_fn=fusion_data.batch)
    task = FusionTask(
        model,
        fused,
        recipe,
        config["seed"],
        steps=steps_of(config, recipe, len(shown)),
        content=splits["train"].content,
    )
    trainer = loop.make_trainer(config, recipe, folder, monitor="val/gain", check_val_every_n_epoch=recipe.check)
    trainer.fit(task, shown, unseen, ckpt_path=resumable(config, folder, task.content))
    if trainer.fast_dev_run:
        return {"folder": str(folder)}
    trainer.validate(task, unseen, verbose=False)
    task.cpu() if place == "cpu" else task.to(place)
    fused.module.eval()
    fused.save(folder / "fusion.safetensors")
    results: dict[str, Any] = {"folder": str(folder)}
    results |= {f"loss_{k}": task.results[k] for k in ("prompt", "fused", "prompt_noise", "fused_noise")}
    if config["evaluate"]["covers"]:
        from .metrics import evaluate

        results |= evaluate(model, fused, splits["test"], embedder, config["evaluate"], config["seed"], folder)
    about = {"state": "finished", "config": {k: v for k, v in config.items() if k not in PLACE}}
    with replacing(folder / "metrics.json") as draft:
        draft.write_text(json.dumps(about | {k: v for k, v in results.items() if k != "folder"}, indent=1), "utf-8")
    return {**results, "objective": results["loss_prompt"] - results["loss_fused"]}


def steps_of(config: Mapping[str, Any], recipe: FusionRecipe, batches: int) -> int:
    """Optimiser steps of the whole training, for the schedule."""
    told = config["trainer"]
    a_epoch = -(-batches // int(told.get("accumulate_grad_batches") or 1))
    return int(told.get("max_steps") or recipe.steps or a_epoch * int(told.get("max_epochs") or recipe.epochs))


def folder_of(config: Mapping[str, Any]) -> Path:
    """Where a training lies: `output`, then kind, recipe, seed and a digest of all that matters."""
    told = {k: v for k, v in config.items() if k not in PLACE} | {"trainer": loop.deciding(config)}
    digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:8]
    name = f"{config['model']['kind']}-{config['recipe']['name']}-seed{config['seed']}-{digest}"
    return Path(config["output"]).expanduser() / name


def resumable(config: Mapping[str, Any], folder: Path, content: str) -> Path | None:
    """The checkpoint to resume from, or None for a fresh start.

    Raises:
        InvalidValue: it was trained on albums that have changed since.
    """
    remedy = "it was trained on albums that have changed since; choose another output=, or remove it"
    return loop.resumable(folder, {"albums": content}, remedy, resume=config["resume"])
