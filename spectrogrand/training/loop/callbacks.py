"""Keeps the best and the last checkpoint, notes an interruption, and stops a training again that had already stopped early."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lightning.pytorch.callbacks import Callback, EarlyStopping

from ...files import replacing


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

    Both are written whole or not at all by `PlainCheckpointIO`; a killed training goes on from last.ckpt to the same weights.
    Place it after early stopping, whose state it saves.
    """

    def __init__(self, folder: Path, every: int = 200, monitor: str = "val/f1") -> None:
        super().__init__(folder)
        self.every, self.monitor = every, monitor
        self.best: float | None = None
        self.best_epoch = -1

    def state_dict(self) -> dict[str, Any]:
        """The best value so far and its epoch."""
        return {"best": self.best, "best_epoch": self.best_epoch}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a checkpoint's."""
        self.best, self.best_epoch = state_dict["best"], state_dict["best_epoch"]

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """A training that had stopped early, and was killed before it was tested, is not trained further."""
        if any(isinstance(c, EarlyStopping) and c.stopped_epoch for c in trainer.callbacks):
            trainer.should_stop = True

    def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Save between epochs' ends; at an epoch's last step its end does."""
        if self.every and trainer.global_step % self.every == 0 and batch_idx + 1 < trainer.num_training_batches:
            pl_module.check_weights()
            trainer.save_checkpoint(self.folder / "last.ckpt")

    def on_validation_start(self, trainer: Any, pl_module: Any) -> None:
        """Weights that are no numbers are neither measured nor saved: last.ckpt stays as it was."""
        pl_module.check_weights()

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """Save after validation."""
        score = trainer.callback_metrics.get(self.monitor)
        if score is not None and (self.best is None or float(score) > self.best):
            self.best, self.best_epoch = float(score), trainer.current_epoch
            trainer.save_checkpoint(self.folder / "best.ckpt")
        trainer.save_checkpoint(self.folder / "last.ckpt")
