"""The one trainer of every training script: what it keeps, logs and stops by, with Lightning's own words passed on."""

from __future__ import annotations

import inspect
import json
import logging
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import lightning
from lightning.pytorch import callbacks as named_callbacks
from lightning.pytorch.callbacks import Callback, EarlyStopping, LearningRateMonitor, TQDMProgressBar

from ...errors import ConfigError, InvalidValue, UnknownName, nearest
from ...files import replacing
from . import checkpoints, loggers, precision
from .optim import Recipe

OWN = ("threads", "save_every", "limit_train_batches", "callbacks")
"""Words under `trainer.` that are taken here; all others are handed to Lightning's Trainer as they are."""
DECIDING = (
    "precision", "limit_train_batches", "accumulate_grad_batches", "max_epochs", "max_steps", "gradient_clip_val",
    "gradient_clip_algorithm", "overfit_batches", "callbacks", "max_time", "sync_batchnorm",
)  # fmt: skip
"""Words under `trainer.` that change which weights a training ends with; the others change where and how it runs."""


class Interruption(Callback):
    """Writes metrics.json where a training is stopped by a signal, so that nobody takes an unfinished one for a finished one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        """Say that it was interrupted and how far it had come; errors are told elsewhere."""
        if isinstance(exception, KeyboardInterrupt | SystemExit) and trainer.is_global_zero:
            told = {"state": "interrupted", "epochs": int(trainer.current_epoch), "steps": int(trainer.global_step)}
            self.folder.mkdir(parents=True, exist_ok=True)
            with replacing(self.folder / "metrics.json") as draft:
                draft.write_text(json.dumps(told, indent=1), "utf-8")


class Keeper(Interruption):
    """Writes last.ckpt every `every` steps and after every epoch, best.ckpt where `monitor` is higher than ever.

    Both are written whole or not at all by `PlainCheckpointIO`; a killed training resumes from last.ckpt to the same weights.
    Place it after early stopping, whose state it saves.

    Args:
        folder: where they lie.
        every: steps between saves; 0 saves after epochs only.
        monitor: the logged measure, higher is better; None keeps last.ckpt only.
    """

    def __init__(self, folder: Path, every: int = 200, monitor: str | None = "val/f1") -> None:
        super().__init__(folder)
        self.every, self.monitor = every, monitor
        self.best: float | None = None
        self.best_epoch = -1

    def state_dict(self) -> dict[str, Any]:
        """The best value so far and its epoch."""
        return {"best": self.best, "best_epoch": self.best_epoch}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a checkpoint's; one of another folder leaves the best to be found here."""
        if (self.folder / "best.ckpt").is_file():
            self.best, self.best_epoch = state_dict["best"], state_dict["best_epoch"]

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """A training that had stopped early, and was killed before it was tested, is not trained further."""
        if any(isinstance(c, EarlyStopping) and c.stopped_epoch for c in trainer.callbacks):
            trainer.should_stop = True

    def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Save between epochs' ends, after a step and never between the batches of one; at an epoch's last step its end does."""
        stepped = (batch_idx + 1) % trainer.accumulate_grad_batches == 0
        within = batch_idx + 1 < trainer.num_training_batches
        if self.every and stepped and within and trainer.global_step % self.every == 0 and not trainer.fast_dev_run:
            pl_module.check_weights()
            trainer.save_checkpoint(self.folder / "last.ckpt")

    def on_validation_start(self, trainer: Any, pl_module: Any) -> None:
        """Weights that are no numbers are neither measured nor saved: last.ckpt stays as it was."""
        pl_module.check_weights()

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """Save after validation."""
        if trainer.fast_dev_run:
            return
        pl_module.check_weights()
        score = trainer.callback_metrics.get(self.monitor) if self.monitor else None
        if score is not None and (self.best is None or float(score) > self.best):
            self.best, self.best_epoch = float(score), trainer.current_epoch
            trainer.save_checkpoint(self.folder / "best.ckpt")
        trainer.save_checkpoint(self.folder / "last.ckpt")


def make_trainer(
    config: Mapping[str, Any],
    recipe: Recipe,
    folder: Path,
    *,
    monitor: str | None = "val/f1",
    extra: list[Callback] | None = None,
    **own: Any,
) -> lightning.Trainer:
    """A trainer that keeps, logs and stops as `train/conf/trainer/default.yaml` and the recipe say.

    Args:
        config: the script's, of which `trainer` and `logger` are read.
        recipe: epochs or steps, clip, precision, patience.
        folder: of the run.
        monitor: the validation measure that best.ckpt and early stopping go by, higher is better.
        extra: more callbacks.
        own: what this script's training needs of Lightning's Trainer; the config's words go before it.

    Raises:
        ConfigError: Lightning refuses a word, in its words. UnknownName: no such callback.
    """
    calm()
    settings = {k: v for k, v in config["trainer"].items() if v is not None}
    given = {k: v for k, v in settings.items() if k not in OWN}
    chosen = precision.choose(given.pop("precision", recipe.precision), given.get("accelerator", "auto"))
    if recipe.precision == "auto" and "precision" not in settings:
        precision.say(chosen, given.get("accelerator", "auto"))
    parallel = given.get("devices") == "auto" or int(given.get("devices", 1)) * int(given.get("num_nodes", 1)) > 1
    kept: list[Callback] = (
        [] if given.get("fast_dev_run") or not config.get("logger") else [LearningRateMonitor("step")]
    )
    if given.get("enable_progress_bar", True):
        kept.append(TQDMProgressBar(refresh_rate=10))
    if recipe.patience is not None and monitor:
        kept.append(EarlyStopping(monitor, patience=recipe.patience, mode="max", check_on_train_epoch_end=False))
    kept += [make_callback(c) for c in settings.get("callbacks", [])]
    kept += [*(extra or []), Keeper(folder, settings["save_every"], monitor)]
    length = {"max_steps": recipe.steps, "max_epochs": -1} if recipe.steps else {"max_epochs": recipe.epochs}
    if "max_steps" in given or "max_epochs" in given:
        length = {}
    words = {
        **length, "gradient_clip_val": recipe.gradient_clip, "strategy": "ddp" if parallel else "auto",
        "benchmark": False, "enable_model_summary": False, "log_every_n_steps": 10, "num_sanity_val_steps": 0, **own, **given,
    }  # fmt: skip
    try:
        return lightning.Trainer(
            precision=chosen, logger=loggers.make(config.get("logger") or {}, folder), callbacks=kept,
            plugins=[checkpoints.PlainCheckpointIO()], enable_checkpointing=False, use_distributed_sampler=False,
            default_root_dir=folder, **words,
        )  # fmt: skip
    except (
        TypeError,
        ValueError,
        RuntimeError,
        ModuleNotFoundError,
    ) as error:  # Lightning's own refusals are among them
        raise ConfigError(f"Lightning's Trainer: {' '.join(str(error).split())}; look at trainer.*") from error


def make_callback(config: Any) -> Callback:
    """One of Lightning's callbacks, `{name: EarlyStopping, monitor: val/loss}`.

    Raises:
        UnknownName: no such callback, or no such setting of it.
    """
    if not isinstance(config, Mapping) or not isinstance(config.get("name"), str):
        raise InvalidValue(f"trainer.callbacks is a list of {{name: ..., settings}}, got {config!r}")
    known = {k: v for k, v in vars(named_callbacks).items() if inspect.isclass(v) and issubclass(v, Callback)}
    if config["name"] not in known:
        raise UnknownName(f"no callback {config['name']!r}; {nearest(config['name'], known)}")
    from .entry import bound

    made: Callback = bound(known[config["name"]], config, f"callback {config['name']}")
    return made


def deciding(config: Mapping[str, Any]) -> dict[str, Any]:
    """The words under `trainer.` that change which weights a training ends with, as far as they are set."""
    return {k: v for k in DECIDING if (v := config["trainer"].get(k)) is not None}


def resumable(
    folder: Path, identity: Mapping[str, Any], remedy: str, *, resume: bool = True, growing: tuple[str, ...] = ()
) -> Path | None:
    """The checkpoint to resume from, or None for a fresh start.

    Args:
        folder: of the run.
        identity: what decides the weights that the training ends with, as plain data.
        remedy: what to do where the folder holds a training of another identity.
        resume: False starts afresh.
        growing: keys that may differ: a training may go on for longer than it was first asked to.

    Raises:
        InvalidValue: the folder holds a training of another identity; what differs is named.
    """
    last = folder / "last.ckpt"
    if not resume or not last.is_file():
        return None
    kept = checkpoints.load(last).get("spectrogrand", {}).get("identity", {})
    wanted = checkpoints.plain(dict(identity))
    differing = [k for k in wanted if k not in growing and kept.get(k) != wanted[k]]
    if differing:
        raise InvalidValue(f"{folder} holds a training with other settings ({', '.join(differing)}): {remedy}")
    return last


def calm() -> None:
    """Lightning's hints off, its warnings on; TensorBoard without TensorFlow, which costs ten seconds and does nothing here."""
    import sys
    from types import ModuleType

    for name in ("lightning.pytorch", "lightning.fabric", "pytorch_lightning"):
        logging.getLogger(name).setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", message=".*(LeafSpec|number of training batches|in eval mode at the start).*")
    sys.modules.setdefault("tensorboard.compat.notf", ModuleType("tensorboard.compat.notf"))
