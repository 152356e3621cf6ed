"""`spectrogrand table` over trainings: their metrics.json as rows, means over seeds."""

import json

import pytest

from spectrogrand.__main__ import main
from spectrogrand.report.tables.table import as_csv, as_markdown
from spectrogrand.report.tables.trainings import training_table


def training(folder, name, seed, lr, accuracy, **more):
    (folder / name).mkdir()
    config = {"task": "genre", "seed": seed, "data": {"name": "folder"}, "recipe": {"name": "ours", "lr": lr}}
    found = {"state": "finished", "accuracy": accuracy, "confusion": [[1, 0], [0, 1]], "config": config, **more}
    (folder / name / "metrics.json").write_text(json.dumps(found))


def test_trainings_become_rows_and_seeds_a_group(tmp_path, capsys):
    for seed, accuracy in enumerate((0.5, 0.6, 0.7)):
        training(tmp_path, f"slow{seed}", seed, 0.1, accuracy)
    training(tmp_path, "fast", 0, 0.2, 0.9)
    training(tmp_path, "stopped", 0, 0.3, 0.1, state="interrupted")
    (tmp_path / "torn").mkdir()
    (tmp_path / "torn" / "metrics.json").write_text("{")
    with pytest.warns(UserWarning, match="left out: .*torn"):
        found = training_table([tmp_path, tmp_path / "fast"])
    assert found.columns == ("run", "task", "seed", "data", "recipe", "recipe.lr", "accuracy")
    assert [r["run"] for r in found.rows] == ["fast", "slow0", "slow1", "slow2"]
    (group,) = found.groups
    assert group["recipe.lr"] == 0.1 and group["accuracy"][0] == pytest.approx(0.6)
    assert as_csv(found).splitlines()[1] == "run,fast,genre,0,folder,ours,0.2,0.9"
    assert "| slow2 | genre | 2 | folder | ours | 0.1 | 0.7 |" in as_markdown(found)
    with pytest.warns(UserWarning, match="left out"):
        assert main(["table", str(tmp_path)]) == 0
    assert "| fast | genre" in capsys.readouterr().out
