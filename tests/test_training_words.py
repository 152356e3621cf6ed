"""Lightning's words, as its users know them: each is taken or refused, never ignored."""

import inspect
import json
import math
import os
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
lightning = pytest.importorskip("lightning")
import sweep_job  # noqa: E402
import training_kills  # noqa: E402
import yaml  # noqa: E402

from spectrogrand.errors import ConfigError, InvalidValue, MissingExtra, UnknownName  # noqa: E402
from spectrogrand.training.loop import (  # noqa: E402
    checkpoints,
    loggers,
    precision,
    sweeps,
)
from spectrogrand.training.loop import settings as loop_settings  # noqa: E402
from spectrogrand.training.loop.entry import main  # noqa: E402
from spectrogrand.training.loop.optim import Recipe, plan  # noqa: E402
from spectrogrand.training.loop.trainer import OWN, make_callback  # noqa: E402
from spectrogrand.training.loop.words import CONF  # noqa: E402
from spectrogrand.training.pictures import fit as fitting  # noqa: E402
from spectrogrand.training.pictures.task import Classification  # noqa: E402
from train.surprise import fit as surprise  # noqa: E402


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("words")
    training_kills.pictures(folder / "pictures")
    return folder


def settings(place, *words):
    return training_kills.config(
        place, "logger=none", "recipe.augment=[]", "recipe.mixup=0.0", "recipe.ema=0.0", *words
    )


def trained(place, *words):
    config = settings(place, *words)
    data = fitting.make_data(config)
    module = fitting.make_model(config, data)
    trainer = fitting.make_trainer(config, fitting.folder_of(config, data))
    trainer.fit(module, data)
    return trainer, module


def test_every_word_of_lightnings_trainer_is_taken_or_refused():
    known = set(inspect.signature(lightning.Trainer.__init__).parameters) - {"self"}
    taken = set(yaml.safe_load((CONF / "trainer" / "default.yaml").read_text()))
    refused = {k.removeprefix("trainer.") for k in loop_settings.OLD if k.startswith("trainer.")}
    assert known <= taken | refused and taken - known == {"threads", "save_every"} <= set(OWN)


@pytest.mark.parametrize("old, new", [
    ("recipe.rate=1", "recipe.lr"), ("recipe.batch=4", "recipe.batch_size"), ("recipe.smoothing=0", "recipe.label_smoothing"),
    ("recipe.clip=1", "recipe.gradient_clip"), ("recipe.take=last", "recipe.checkpoint"),
    ("trainer.limit_batches=1", "trainer.limit_train_batches"), ("trainer.progress=false", "trainer.enable_progress_bar"),
    ("trainer.logger=csv", "logger=csv"), ("trainer.default_root_dir=x", "output=FOLDER"),
])  # fmt: skip
def test_an_old_word_is_refused_with_the_new_one(old, new, capsys):
    assert main("surprise", surprise, [old]) == 2
    assert f"no setting {old.partition('=')[0]!r}: it is {new}" in capsys.readouterr().err


def test_a_word_that_nobody_knows_is_refused(place, capsys):
    assert main("surprise", surprise, ["trainer.max_epoch=3"]) == 2
    assert "did you mean 'trainer.max_epochs'" in capsys.readouterr().err
    with pytest.raises(ConfigError, match="Lightning's Trainer: .*strategy"):
        trained(place, "trainer.strategy=ddq")


def test_max_epochs_limits_and_accumulation_reach_the_trainer(place):
    trainer, _ = trained(
        place, "name=words", "trainer.max_epochs=2", "trainer.accumulate_grad_batches=2", "trainer.limit_train_batches=4",
        "trainer.profiler=simple", "trainer.gradient_clip_val=0.5", "trainer.callbacks=[{name: Timer}]",
    )  # fmt: skip
    assert trainer.current_epoch == 2 and trainer.global_step == 2 * 2 and trainer.gradient_clip_val == 0.5
    assert type(trainer.profiler).__name__ == "SimpleProfiler"
    assert "Timer" in [type(c).__name__ for c in trainer.callbacks]
    assert checkpoints.load(place / "runs" / "words" / "last.ckpt")["global_step"] == 4


def test_steps_in_place_of_epochs(place):
    trainer, module = trained(place, "name=steps", "recipe.steps=7")
    assert trainer.global_step == 7
    with pytest.raises(InvalidValue, match="recipe.steps is a whole number from 1, got 0"):
        trained(place, "recipe.steps=0")


def test_fast_dev_run_keeps_nothing(place):
    found = fitting.fit(settings(place, "name=dev", "trainer.fast_dev_run=true"))
    assert "accuracy" not in found and not (place / "runs" / "dev").exists()


def test_a_callback_by_its_name():
    assert make_callback({"name": "EarlyStopping", "monitor": "val/loss", "patience": 2}).patience == 2
    with pytest.raises(UnknownName, match="did you mean 'EarlyStopping'"):
        make_callback({"name": "EarlyStoping"})
    with pytest.raises(UnknownName, match="callback EarlyStopping has no setting 'patiense'"):
        make_callback({"name": "EarlyStopping", "monitor": "x", "patiense": 2})


def test_checkpoint_to_module_and_on_with_any_loader(place, tmp_path):
    trained(place, "name=first", "recipe.epochs=2")
    path = place / "runs" / "first" / "last.ckpt"
    module = Classification.load_from_checkpoint(path)
    kept = checkpoints.load(path)["state_dict"]
    assert all(torch.equal(v, kept[k]) for k, v in module.state_dict().items())
    pairs = torch.utils.data.TensorDataset(
        torch.randint(0, 256, (12, 3, 32, 32), dtype=torch.uint8), torch.arange(12) % 2
    )
    loader = torch.utils.data.DataLoader(pairs, batch_size=4)
    plain = lightning.Trainer(
        max_epochs=1, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, default_root_dir=tmp_path,
    )  # fmt: skip
    plain.fit(module, loader, loader)
    assert plain.global_step == 3 and not torch.equal(
        module.state_dict()["network.conv1.0.weight"], kept["network.conv1.0.weight"]
    )
    assert "val/f1" in plain.callback_metrics
    config = settings(place, "name=second", f"ckpt_path={path}", "recipe.epochs=4")
    data = fitting.make_data(config)
    assert fitting.resumable(config, fitting.folder_of(config, data), data) == path
    assert fitting.fit(config)["epochs"] == 4


def test_the_learning_rate_finder(place, tmp_path):
    config = settings(place, "name=finder", "recipe.optimizer=Adam", "recipe.weight_decay=0.0")
    data = fitting.make_data(config)
    module = fitting.make_model(config, data)
    trainer = lightning.Trainer(
        max_epochs=20, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, default_root_dir=tmp_path,
    )  # fmt: skip
    found = lightning.pytorch.tuner.Tuner(trainer).lr_find(module, data, num_training=20, min_lr=1e-5, max_lr=1e-1)
    assert found.suggestion() is not None and module.lr == found.suggestion()


@pytest.mark.parametrize("optimizer", ["Adam", "nadam", "RMSprop", "Adamax", "RAdam"])
@pytest.mark.parametrize("schedule, more", [
    ("StepLR", {"step_size": 2}), ("OneCycleLR", {}), ("ExponentialLR", {"gamma": 0.5}), ("ReduceLROnPlateau", {}),
])  # fmt: skip
def test_any_optimiser_and_scheduler_by_name(optimizer, schedule, more):
    recipe = Recipe(optimizer, 0.1, 4, 1, schedule=schedule, schedule_args=more)
    made = plan(torch.nn.Linear(2, 2), recipe, 10)
    assert type(made["optimizer"]).__name__.lower() == optimizer.lower()
    assert type(made["lr_scheduler"]["scheduler"]).__name__ == schedule


def test_what_an_optimiser_does_not_take_is_refused():
    with pytest.raises(UnknownName, match="optimizer_args has no 'beta' for Adam; did you mean 'betas'"):
        Recipe("Adam", 0.1, 4, 1, optimizer_args={"beta": [0.9, 0.99]})
    with pytest.raises(ConfigError, match="Adam takes no momentum"):
        Recipe("Adam", 0.1, 4, 1, momentum=0.9)
    with pytest.raises(ConfigError, match="warmup goes with constant and cosine"):
        Recipe("Adam", 0.1, 4, 1, schedule="ExponentialLR", schedule_args={"gamma": 0.9}, warmup=0.1)
    with pytest.raises(UnknownName, match="no recipe.schedule 'StepLr2'"):
        Recipe("Adam", 0.1, 4, 1, schedule="StepLr2")
    with pytest.raises(ConfigError, match="recipe.schedule=StepLR: .*step_size"):
        plan(torch.nn.Linear(2, 2), Recipe("Adam", 0.1, 4, 1, schedule="StepLR"), 10)


def test_a_logger_that_is_not_there(place, monkeypatch):
    import importlib.util

    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda n, *a: None if n in ("wandb", "mlflow") else real(n, *a))
    for name in ("wandb", "mlflow"):
        config = training_kills.config(place, f"logger={name}", f"cache={place / 'never'}")
        with pytest.raises(
            MissingExtra, match=rf"logger={name} needs {name}, which is not installed: pip install 'spectrogrand"
        ):
            fitting.make_data(config)
    assert not (place / "never").exists()


@pytest.mark.parametrize(
    "name, word", [("wandb", "logger.wandb.offline=true"), ("mlflow", "logger.mlflow.experiment_name=t")]
)
def test_loggers_without_a_network(name, word, place, monkeypatch):
    pytest.importorskip(name)
    monkeypatch.setenv("WANDB_SILENT", "true")
    words = [
        f"name={name}",
        f"logger={name}",
        word,
        "recipe.augment=[]",
        "trainer.max_epochs=1",
        "trainer.log_every_n_steps=1",
    ]
    fitting.fit(training_kills.config(place, *words))
    loggers.finish()
    folder = place / "runs" / name
    assert list(folder.glob("wandb/offline-run*")) if name == "wandb" else (folder / "mlflow.db").stat().st_size > 1000


def test_a_sweep_goes_on_past_a_failing_point(capsys):
    seen = []

    def job(config):
        seen.append(config["seed"])
        if config["seed"] == 1:
            raise InvalidValue("one is none")

    assert main("surprise", job, ["-m", "seed=0,1,2"]) == 1
    assert seen == [0, 1, 2]
    assert "train surprise seed=1: one is none" in (err := capsys.readouterr().err) and "1 of 3 points failed" in err


def test_a_points_value_is_its_validation_measure(place):
    found = fitting.fit(settings(place, "name=valued", "recipe.epochs=2"))
    assert 0 <= found["objective"] <= 1
    assert sweeps.Point("surprise", lambda config: found)(_config()) == found["objective"]
    assert sweeps.Point("surprise", lambda config: (_ for _ in ()).throw(InvalidValue("x")))(_config()) is None
    assert sweeps.Point("surprise", lambda config: {"objective": math.nan})(_config()) is None
    assert json.loads((place / "runs" / "valued" / "metrics.json").read_text())["epochs"] == 2


def _config():
    from omegaconf import OmegaConf

    return OmegaConf.create({"seed": 1})


@pytest.mark.parametrize("plugin, words", [
    ("hydra_plugins.hydra_joblib_launcher", ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2"]),
    ("hydra_plugins.hydra_submitit_launcher", ["hydra/launcher=submitit_local"]),
    ("hydra_plugins.hydra_optuna_sweeper", [
        "hydra/sweeper=optuna", "hydra.sweeper.direction=maximize", "hydra.sweeper.n_trials=8", "hydra.sweeper.sampler.seed=1",
    ]),
])  # fmt: skip
def test_hydras_launchers_and_sweepers_go_on_past_a_failing_point(plugin, words, tmp_path, monkeypatch, capfd):
    pytest.importorskip(plugin)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SWEPT", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]))
    more = [f"hydra.sweep.dir={tmp_path}", "hydra.sweep.subdir=x", "seed=choice(1,2,3)"]
    assert main("surprise", sweep_job.job, ["-m", *more, *words]) == 1
    assert {p.name for p in tmp_path.glob("point-*")} == {"point-1", "point-2", "point-3"}
    assert "of the sweep's points failed" in capfd.readouterr().err and not list(tmp_path.glob(".sweep-*"))
    if "hydra/sweeper=optuna" in words:
        best = yaml.safe_load((tmp_path / "optimization_results.yaml").read_text())
        assert best == {"name": "optuna", "best_params": {"seed": 3}, "best_value": 0.0}, (
            "the point that failed is none"
        )


def test_a_sweep_without_any_value_is_told(tmp_path, monkeypatch, capsys):
    pytest.importorskip("hydra_plugins.hydra_optuna_sweeper")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SWEPT", str(tmp_path))
    words = [f"hydra.sweep.dir={tmp_path}", "hydra/sweeper=optuna", "hydra.sweeper.n_trials=1", "seed=choice(2,2)"]
    assert main("surprise", sweep_job.job, ["-m", *words]) == 2
    assert "no point of the sweep had a value" in capsys.readouterr().err


def test_precision_follows_the_hardware(monkeypatch):
    for units, wanted in (("amx_bf16", "bf16-mixed"), ("", "32-true")):
        monkeypatch.setattr(precision, "bf16_units", lambda accelerator="auto", units=units: units)
        assert precision.choose("auto", "cpu") == wanted
        assert precision.choose("16-mixed", "cpu") == "16-mixed"
    monkeypatch.undo()
    for probe in ("_is_amx_tile_supported", "_is_avx512_bf16_supported"):
        monkeypatch.setattr(torch.cpu, probe, lambda: False)
    precision.bf16_units.cache_clear()
    assert precision.choose("auto", "cpu") == "32-true"
    monkeypatch.undo()
    precision.bf16_units.cache_clear()
    assert 0 < precision.measured_ratio() < 100
