"""A training that a signal stops says so: its exit code, one line, and metrics.json."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("lightning")

from training_kills import pictures

SCRIPT = """
import os, signal, sys
import torch; torch.set_num_threads(1)
from spectrogrand.training.loop.trainer import Keeper
from spectrogrand.training.loop.entry import main
from train.surprise import fit
def stop(self, trainer, *_):
    if trainer.global_step == 3: os.kill(os.getpid(), signal.Signals[sys.argv[1]])
Keeper.on_train_batch_start = stop
sys.exit(main("surprise", fit, sys.argv[2:]))
"""


@pytest.mark.parametrize("signal, code, said", [("SIGTERM", 143, "ended by SIGTERM"), ("SIGINT", 130, "interrupted")])
def test_a_stopped_training_tells_the_truth(tmp_path, signal, code, said):
    pictures(tmp_path / "pictures", each=10)
    words = [
        f"data.root={tmp_path / 'pictures'}", "data.workers=1", f"output={tmp_path / 'runs'}", "name=one", "model=timm",
        "model.name=test_resnet", "model.initial=scratch", "model.side=32", "recipe.epochs=2", "recipe.batch_size=4",
        "recipe.precision=32-true", "trainer.accelerator=cpu", "trainer.threads=1", "trainer.enable_progress_bar=false",
    ]  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, signal, *words], capture_output=True, text=True, check=False,
        cwd=Path(__file__).parent.parent,
    )  # fmt: skip
    assert done.returncode == code, done.stderr[-2000:]
    assert said in done.stderr.splitlines()[-1]
    assert json.loads((tmp_path / "runs/one/metrics.json").read_text())["state"] == "interrupted"
