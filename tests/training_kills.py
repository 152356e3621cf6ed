"""A training that is killed at chosen steps and started again; run as a script, which forks one process per start.

python tests/training_kills.py FOLDER...      each holds plan.json, a list of kills [point, step]; the last start runs to its end
"""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from pathlib import Path

import numpy as np

POINTS = ("start", "end", "validation", "before_rename", "epoch_end")


def pictures(folder, each=20, side=32, seed=0):
    """Two classes of small pictures that differ in brightness, half of them overlapping."""
    from PIL import Image

    rng = np.random.default_rng(seed)
    for number, label in enumerate(("ai", "human")):
        (folder / label).mkdir(parents=True, exist_ok=True)
        for k in range(each):
            level = rng.normal(100 + 60 * number, 25)
            noise = np.clip(level + rng.normal(0, 30, (side, side, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(noise).save(folder / label / f"{label}{k}.png")


def config(folder, *words):
    from spectrogrand.training.loop.words import compose

    return compose("surprise", [
        f"data.root={folder / 'pictures'}", "data.workers=1", f"output={folder / 'runs'}", "name=killed", "model=timm",
        "model.name=test_resnet", "model.initial=scratch", "model.side=32", "model.dropout=0.2", "recipe.epochs=3",
        "recipe.batch_size=4", "recipe.precision=32-true", "trainer.accelerator=cpu", "trainer.threads=1",
        "trainer.enable_progress_bar=false", "trainer.save_every=2",
        *words,
    ])  # fmt: skip


def fit(settings, kill=None):
    """Fit; with `kill` = (point, step) the process ends there without a word."""
    from lightning.pytorch.callbacks import Callback

    from spectrogrand.training.pictures import fit as fitting

    def die():
        os.kill(os.getpid(), signal.SIGKILL)

    class Killer(Callback):
        def on_train_batch_start(self, trainer, module, batch, k):
            if kill and kill[0] == "start" and trainer.global_step == kill[1]:
                die()

        def on_train_batch_end(self, trainer, module, outputs, batch, k):
            if kill and kill[0] == "end" and trainer.global_step == kill[1]:
                die()

        def on_validation_start(self, trainer, module):
            if kill and kill[0] == "validation" and trainer.global_step >= kill[1]:
                die()

        def on_train_epoch_end(self, trainer, module):
            if kill and kill[0] == "epoch_end" and trainer.global_step >= kill[1]:
                die()

    data = fitting.make_data(settings)
    module = fitting.make_model(settings, data)
    folder = fitting.folder_of(settings, data)
    trainer = fitting.make_trainer(settings, folder, [Killer()])
    if kill and kill[0] == "before_rename":  # inside the writer, after the temporary file
        from spectrogrand import files as atomic

        replace = os.replace
        atomic.os.replace = lambda a, b: (
            die() if trainer.global_step >= kill[1] and str(b).endswith(".ckpt") else replace(a, b)
        )
    trainer.fit(module, data, ckpt_path=fitting.resumable(settings, folder, data))
    return module, trainer


def main(folders):
    import torch

    torch.set_num_threads(1)
    import spectrogrand.training.pictures.fit  # noqa: F401  # loaded once, before the forks of all folders

    for folder in folders:
        sys.stdout.write(json.dumps(ended(config(folder), json.loads((folder / "plan.json").read_text()))) + "\n")
        sys.stdout.flush()


def ended(settings, plan):
    """How each start of a training ended: the signal or the exit code."""
    ends = []
    for kill in [*plan, None]:
        child = os.fork()
        if not child:
            code = 0
            try:
                fit(settings, kill)
            except BaseException:
                traceback.print_exc()
                code = 1
            os._exit(code)
        status = os.waitpid(child, 0)[1]
        ends.append(os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status))
    return ends


if __name__ == "__main__":
    main([Path(word) for word in sys.argv[1:]])
