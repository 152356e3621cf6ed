"""A training of `spectral_style` from its config: data, network, trainer; where it resumes, and its export."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import lightning
import torch

from ...errors import ConfigError
from ...files import replacing
from ..loop import checkpoints, loggers, settings
from ..loop import trainer as loop
from ..loop.entry import bound
from .data import prepare
from .export import export, recipe
from .network import squeezenet
from .task import Batches, Remaining, StyleRecipe, Training, code_scale

WHOLE: settings.Ranges = {
    "data.painted": (0, 10**6), "data.songs": (0, 10**6), "data.side": (64, 1024), "data.shift": (1, 64),
}  # fmt: skip
NUMBERS: settings.Ranges = {"data.grain": (0, 1)}


def fit(config: Mapping[str, Any]) -> dict[str, Any]:
    """Train, or resume; with `export` write what the package ships and stop. Returns the last losses.

    Raises:
        SpectrograndError: a setting out of range, no SqueezeNet, a folder that holds another training.
    """
    folder = Path(config["output"]).expanduser()
    settings.check({"seed": config["seed"], "trainer": config["trainer"]})
    settings.in_ranges(config, WHOLE, NUMBERS)
    loggers.check(config.get("logger"))
    made: StyleRecipe = bound(StyleRecipe, config["recipe"], "the stylizer's recipe")
    if not config["model"]["squeezenet"]:
        raise ConfigError("the losses need SqueezeNet: set model.squeezenet=squeezenet1_1_notop.h5")
    if config["export"]:
        return export(folder / "last.ckpt", config, Path(config["export"]).expanduser())
    last = resumable(folder, config)
    if config["trainer"]["threads"]:
        torch.set_num_threads(int(config["trainer"]["threads"]))
    lightning.seed_everything(int(config["seed"]), verbose=False)
    data, squeeze = config["data"], squeezenet(Path(config["model"]["squeezenet"]).expanduser())
    pictures = prepare(
        Path(config["cache"]).expanduser(), **{k: data[k] for k in ("covers", "sounds", "painted", "songs")}
    )
    training = Training(
        squeeze, made, data, int(config["seed"]), compile=config["model"]["compile"], identity=recipe(config)
    )
    code_scale(training.network, squeeze, pictures, int(data["side"]))
    training.mean.load_state_dict(training.network.state_dict())
    trainer = loop.make_trainer(config, made, folder, monitor=None)
    steps = trainer.max_steps if trainer.max_steps > 0 else int(made.steps or 1)
    first = 0 if last is None else int(checkpoints.load(last)["global_step"])
    batches = Batches(pictures, int(config["seed"]), made.batch_size, int(data["side"]), int(data["shift"]), steps)
    loader = torch.utils.data.DataLoader(batches, batch_size=None, sampler=Remaining(first, steps))
    trainer.fit(training, loader, ckpt_path=last, weights_only=True)
    if trainer.fast_dev_run:
        return {}
    trainer.save_checkpoint(folder / "last.ckpt")
    found = {k: float(v) for k, v in trainer.callback_metrics.items()}
    with replacing(folder / "metrics.json") as draft:
        draft.write_text(
            json.dumps({"state": "finished", **found, "steps": int(trainer.global_step)}, indent=1), "utf-8"
        )
    return {**found, "objective": -found["loss"] if "loss" in found else float("nan")}


def resumable(folder: Path, config: Mapping[str, Any]) -> Path | None:
    """The checkpoint to resume from, or None for a fresh start. More steps than before are no other training.

    Raises:
        InvalidValue: the folder holds a training with other settings; they are named.
    """
    return loop.resumable(
        folder, recipe(config), "choose another output=", resume=config["resume"], growing=("steps", "epochs")
    )
