"""train/stylizer.py: its pictures, its losses, going on after a kill, and what it exports; on crops of 64 pixels."""

import csv
import json

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")
h5py = pytest.importorskip("h5py")
onnxruntime = pytest.importorskip("onnxruntime")

from spectrogrand.errors import InvalidValue  # noqa: E402
from spectrogrand.training.loop import checkpoints  # noqa: E402
from spectrogrand.training.loop.entry import main  # noqa: E402
from spectrogrand.training.loop.words import compose  # noqa: E402
from spectrogrand.training.style import data as style_data  # noqa: E402
from spectrogrand.training.style import export as style_export  # noqa: E402
from spectrogrand.training.style import fit as style_fit  # noqa: E402
from spectrogrand.training.style import network as style_network  # noqa: E402
from spectrogrand.training.style import task as style_task  # noqa: E402
from train import stylizer  # noqa: E402


@pytest.fixture(scope="module")
def random_squeezenet(tmp_path_factory):
    """SqueezeNet 1.1 in Keras's layout with random weights of the right sizes."""
    from torchvision.models import squeezenet1_1

    path = tmp_path_factory.mktemp("squeeze") / "squeezenet.h5"
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        own = squeezenet1_1().features.state_dict()
    fires = dict(zip((3, 4, 6, 7, 9, 10, 11, 12), range(2, 10), strict=True))
    with h5py.File(path, "w") as file:
        for key, value in own.items():
            index, *rest = key.split(".")
            layer = "conv1" if index == "0" else f"fire{fires[int(index)]}/{rest[0].replace('squeeze', 'squeeze1x1')}"
            array = value.numpy()
            file[f"{layer}/{'b' if array.ndim == 1 else 'w'}"] = (
                array if array.ndim == 1 else array.transpose(2, 3, 1, 0)
            )
    return path, own


@pytest.fixture(scope="module")
def words(random_squeezenet, tmp_path_factory):
    """A run of seconds: four painted covers, one song."""
    cache = tmp_path_factory.mktemp("cache")
    small = [
        "recipe.steps=4",
        "recipe.batch_size=2",
        "data.side=64",
        "trainer.save_every=2",
        "trainer.threads=1",
        "trainer.log_every_n_steps=1",
        "trainer.precision=32-true",
        "model.compile=false",
        "trainer.enable_progress_bar=false",
    ]
    data = ["data.painted=4", "data.songs=1", f"cache={cache}", f"model.squeezenet={random_squeezenet[0]}"]
    return [*small, *data]


@pytest.fixture(scope="module")
def trained(words, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    assert main("stylizer", stylizer.fit, [*words, f"output={folder}"]) == 0
    return folder


def test_squeezenet_is_read_whole_from_keras_layout(random_squeezenet, tmp_path):
    path, own = random_squeezenet
    found = style_network.squeezenet(path).state_dict()
    assert all(torch.equal(found[k], v) for k, v in own.items()) and len(found) == len(own)
    with h5py.File(path) as file, h5py.File(tmp_path / "less.h5", "w") as less:
        for name in file:
            if name != "fire9":
                file.copy(name, less)
    with pytest.raises(style_network.InvalidValue, match="lacks .*12.*no SqueezeNet"):
        style_network.squeezenet(tmp_path / "less.h5")


def test_it_learns_something_and_logs_it(trained):
    rows = list(csv.DictReader((trained / "csv/start-0/metrics.csv").open()))
    kept = checkpoints.load(trained / "last.ckpt")
    assert kept["global_step"] == 4 and all(np.isfinite(float(r["loss"])) for r in rows if r["loss"])
    first = style_network.StyleNetwork().state_dict()
    moved = [k for k, v in first.items() if not torch.equal(kept["state_dict"]["network." + k], v)]
    assert len(moved) > 20


def test_a_run_that_was_cut_ends_with_the_same_weights(words, trained, tmp_path):
    config = compose("stylizer", [*words, f"output={tmp_path}"])
    real = style_task.Training.training_step

    def killed(self, batch, number):
        if int(batch["index"]) == 3:  # the last checkpoint is of step 2
            raise KeyboardInterrupt
        return real(self, batch, number)

    style_task.Training.training_step = killed
    try:
        with pytest.raises((KeyboardInterrupt, SystemExit)):
            stylizer.fit(config)
    finally:
        style_task.Training.training_step = real
    assert checkpoints.load(tmp_path / "last.ckpt")["global_step"] == 2
    stylizer.fit(config)
    one, two = (checkpoints.load(f / "last.ckpt")["state_dict"] for f in (trained, tmp_path))
    assert all(torch.equal(one[k], two[k]) for k in one)


def test_other_settings_do_not_go_on_in_the_same_folder(words, trained, tmp_path, capsys):
    before = (trained / "last.ckpt").read_bytes()
    assert main("stylizer", stylizer.fit, [*words, f"output={trained}", "recipe.lr=2e-3", "recipe.loss.time=1.0"]) == 1
    assert "holds a training with other settings (lr, loss): choose another output=" in capsys.readouterr().err
    assert (trained / "last.ckpt").read_bytes() == before
    assert style_fit.resumable(trained, compose("stylizer", [*words, "recipe.steps=9"])) == trained / "last.ckpt"
    assert style_fit.resumable(tmp_path, compose("stylizer", words)) is None


def test_batches_are_a_function_of_seed_and_index_and_never_mix_songs():
    covers = np.random.default_rng(0).integers(0, 255, (3, 256, 256, 3), np.uint8)
    strips = np.repeat(np.array([10, 200], np.uint8), 300)[None].repeat(256, 0)  # two songs, each of one level
    pictures = style_data.Pictures(covers, strips, np.array([0, 300, 600]))
    again, other = pictures.batch(0, 5, 8, 64, 8), pictures.batch(0, 6, 8, 64, 8)
    assert all(np.array_equal(pictures.batch(0, 5, 8, 64, 8)[k], again[k]) for k in again)
    assert not np.array_equal(again["style"], other["style"])
    assert again["content"].shape == (8, 64, 72, 3) and again["style"].shape == (8, 64, 64, 3)
    for k in range(60):
        assert len(np.unique(pictures.spectrogram(np.random.default_rng(k), 64, 8).reshape(-1, 3), axis=0)) == 1


def test_losses_are_nought_where_nothing_differs_and_grow_with_the_difference(random_squeezenet):
    squeeze = style_network.squeezenet(random_squeezenet[0])
    picture = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    other = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(1)) ** 3
    same, apart = (style_network.taps_of(squeeze, p, style_task.LOSS_TAPS) for p in (picture, other))
    pools = [style_network.pooling(1, 1, *t.shape[2:]) for t in same]
    local = torch.ones(2, 1, 1)
    assert float(style_task.style_loss(same, same)) == 0 < float(style_task.style_loss(apart, same))
    assert (
        float(style_task.cell_loss(same, same, pools, local))
        == 0
        < float(style_task.cell_loss(apart, same, pools, local))
    )
    assert float(style_task.edge_loss(picture, picture)) == pytest.approx(0, abs=0.02)
    assert float(style_task.edge_loss(other, picture)) > 0.5
    assert float(style_task.edge_loss(1 - picture, picture)) == pytest.approx(0, abs=0.02)  # edges have no sign
    turned = [t.flip(3) for t in same]
    assert float(style_task.style_loss(turned, same)) == pytest.approx(0, abs=1e-5)  # a style knows no places, cells do
    halves = [style_network.pooling(1, 2, *t.shape[2:]) for t in same]
    assert float(style_task.cell_loss(turned, same, halves, local)) > 0


def test_statistics_are_those_of_the_positions():
    x = torch.rand(2, 5, 8, 12, generator=torch.Generator().manual_seed(0)).double().float()
    mean, std = style_network.moments(x)
    flat = x.flatten(2)
    assert torch.allclose(mean[:, 0], flat.mean(2), atol=1e-6)
    assert torch.allclose(std[:, 0] ** 2, flat.var(2, unbiased=False) + style_network.EPS, atol=1e-6)
    for weights in (style_network.pooling(2, 3, 8, 12), style_network.spreading(2, 3, 8, 12).T[:, :]):
        assert torch.allclose(weights.sum(1), torch.ones(len(weights)))
    from spectrogrand.plugins.stylizers.spectral_style import spreading

    ours = torch.from_numpy(spreading(2, 3, 8, 12)).flatten(1)
    assert torch.allclose(style_network.spreading(2, 3, 8, 12), ours, atol=1e-6)


def test_normalised_features_have_no_mean_and_unit_variance():
    made = style_network.normalised(3 + 5 * torch.rand(2, 4, 16, 16))
    assert torch.allclose(made.mean((2, 3)), torch.zeros(2, 4), atol=1e-5)
    assert torch.allclose(made.var((2, 3), unbiased=False), torch.ones(2, 4), atol=1e-3)


def test_what_is_exported_draws_what_the_network_draws(words, trained, random_squeezenet, tmp_path):
    assert main("stylizer", stylizer.fit, [*words, "recipe.lr=7.0", f"output={trained}", f"export={tmp_path}"]) == 0
    card = json.loads((tmp_path / "spectral_style.json").read_text())
    assert card["settings"]["lr"] == 1e-3, (
        "the card tells what it was trained with, not what the export was called with"
    )
    assert card["steps"] == 4 and card["bytes"]["spectral_style.decode.onnx"] < 1_500_000

    network = style_network.StyleNetwork()
    mean = {k[5:]: v for k, v in checkpoints.load(trained / "last.ckpt")["state_dict"].items() if k.startswith("mean.")}
    network.load_state_dict(mean)
    squeeze = style_network.squeezenet(random_squeezenet[0])
    content, style = torch.rand(1, 3, 64, 96), torch.rand(1, 3, 256, 256)
    with torch.no_grad():
        taps = style_network.taps_of(squeeze, style, style_network.TAPS)
        pools = [style_network.pooling(4, 4, *t.shape[2:]) for t in taps]
        code = network.code(style_network.Code.statistics(taps, pools))
        expected = network(content, code, (4, 4)).numpy()

    from spectrogrand.plugins.stylizers.spectral_style import FILES, spreading

    read, encode, decode = (
        onnxruntime.InferenceSession(tmp_path / f, providers=["CPUExecutionProvider"]) for f in FILES
    )
    codes = read.run(None, {"picture": style.numpy()})[0]
    assert np.allclose(codes[..., :16], code.numpy(), atol=0.02)
    features = dict(zip(("half", "quarter", "eighth"), encode.run(None, {"picture": content.numpy()}), strict=True))
    spreads = {f"s{d}": spreading(4, 4, 64 // d, 96 // d) for d in (2, 4, 8)}
    drawn = decode.run(None, {**features, "code": codes[..., :16], **spreads})[0]
    assert np.abs(drawn - expected).max() < 0.02  # weights were rounded to float16


def test_what_is_wrong_is_said_in_one_line(words, tmp_path, capsys):
    (tmp_path / "last.ckpt").write_bytes(b"no checkpoint")
    assert main("stylizer", stylizer.fit, [*words, f"output={tmp_path}", f"export={tmp_path / 'o'}"]) == 1
    assert "last.ckpt is torn or no checkpoint" in capsys.readouterr().err and not (tmp_path / "o").exists()
    checkpoints.save({"state_dict": {"mean.x": torch.zeros(1)}, "global_step": 1}, tmp_path / "last.ckpt")
    assert main("stylizer", stylizer.fit, [*words, f"output={tmp_path}", f"export={tmp_path / 'o'}"]) == 1
    assert "no checkpoint of train/stylizer.py" in capsys.readouterr().err


def test_a_divergence_says_when_and_at_which_rate(words, tmp_path):
    config = compose("stylizer", [*words, f"output={tmp_path}", "recipe.lr=1e30", "recipe.steps=20"])
    with pytest.raises(InvalidValue, match=r"diverged at step \d+ at rate 1e\+30"):
        stylizer.fit(config)


def test_the_recipe_names_nobodys_folders():
    config = compose("stylizer", ["data.covers=[/home/me/covers]", "data.sounds=[/home/me/song.wav]"])
    assert "/home" not in json.dumps(style_export.recipe(config)) and "song.wav" in json.dumps(
        style_export.recipe(config)
    )
