"""Killed at any moment and started again, a training ends with the weights of one that nobody disturbed."""

import itertools
import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")
import training_kills  # noqa: E402

from spectrogrand.training.loop import checkpoints  # noqa: E402

STEPS = 3 * 5
"""Of the whole training: 3 epochs of 5 batches."""


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    return ended(folder, [])


def ended(folder, plan):
    """The last checkpoint after the killings of the plan."""
    return all_ended({folder: plan})[folder]


def all_ended(plans):
    """The last checkpoint of each folder after the killings of its plan; one process loads the libraries for all."""
    for folder, plan in plans.items():
        training_kills.pictures(folder / "pictures")
        (folder / "plan.json").write_text(json.dumps(plan))
    words = [sys.executable, str(Path(training_kills.__file__)), *map(str, plans)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    lines = done.stdout.splitlines()[-len(plans) :]
    assert [json.loads(line) for line in lines] == [[signal.SIGKILL] * len(p) + [0] for p in plans.values()], (
        done.stderr
    )
    return {folder: checkpoints.load(folder / "runs" / "killed" / "last.ckpt") for folder in plans}


def same(one, other):
    assert one["global_step"] == other["global_step"] == STEPS
    assert one["state_dict"].keys() == other["state_dict"].keys()
    for key, value in one["state_dict"].items():
        assert torch.equal(value, other["state_dict"][key]), key
    assert one["optimizer_states"][0]["state"].keys() == other["optimizer_states"][0]["state"].keys()
    for key, state in one["optimizer_states"][0]["state"].items():
        assert torch.equal(state["exp_avg"], other["optimizer_states"][0]["state"][key]["exp_avg"])


def test_two_kills(undisturbed, tmp_path):
    same(ended(tmp_path, [["end", 4], ["before_rename", 8]]), undisturbed)


@pytest.mark.slow
def test_ten_kills_in_a_row_at_random_steps(undisturbed, tmp_path):
    rng = np.random.default_rng(7)
    steps = np.sort(rng.integers(2, STEPS, 10))
    same(ended(tmp_path, [[str(rng.choice(training_kills.POINTS)), int(s)] for s in steps]), undisturbed)


@pytest.fixture(scope="module")
def by_itself(tmp_path_factory):
    """The last checkpoint of one kill each, by point and step."""
    folders = {
        (point, step): tmp_path_factory.mktemp(f"{point}{step}")
        for point, step in itertools.product(training_kills.POINTS, (3, 4, 5, 10))
    }
    found = all_ended({folder: [case] for case, folder in folders.items()})
    return {case: found[folder] for case, folder in folders.items()}


@pytest.mark.slow
@pytest.mark.parametrize("point", training_kills.POINTS)
@pytest.mark.parametrize("step", [3, 4, 5, 10])
def test_each_point_by_itself(point, step, undisturbed, by_itself):
    same(by_itself[point, step], undisturbed)
