"""Gatys' style transfer on the real SqueezeNet: features against torchvision, a loss that falls, sides prepared once."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from spectrogrand import Frames, Image, build, media
from spectrogrand.errors import InvalidValue, MissingExtra, UnknownName
from spectrogrand.models import squeezenet
from spectrogrand.plugins.stylizers.neural_style import CONTENT, FILE, STYLE, Wanted, gram
from spectrogrand.testing import check_stylizer

torch = pytest.importorskip("torch")
pytest.importorskip("h5py")
SMALL = {"size": 48, "steps": 1, "device": "cpu"}


@pytest.fixture(scope="module")
def folder(shared):
    return shared / "models/squeezenet"


@pytest.fixture(scope="module")
def pictures(shared):
    covers = sorted((shared / "data/covers_sdxl/val").glob("*.jpg"))[:3]
    return [media.load_image(p).resized(64, 64) for p in covers]


def made(folder, **settings):
    return build("stylizers", {"name": "neural_style", "weights": str(folder), **SMALL, **settings})


def stream(images, count):
    return Frames(lambda: (images[k % len(images)].pixels for k in range(count)), images[0].size, count, Fraction(10))


def test_contract(folder, pictures):
    check_stylizer(
        lambda: made(folder, optimizer="adam", size=32), pictures[0].resized(36, 48), pictures[1].resized(32, 32)
    )


def test_features_are_those_of_torchvisions_squeezenet(folder, pictures):
    """The same weights in somebody else's layers."""
    models = pytest.importorskip("torchvision.models")
    network = squeezenet.read(folder / FILE, "cpu")
    theirs = models.squeezenet1_1(weights=None).features.eval()
    layers = [m for m in theirs.modules() if isinstance(m, torch.nn.Conv2d)]
    assert len(layers) == len(network) == 25
    with torch.no_grad():
        for layer, (kernel, bias) in zip(layers, network.values(), strict=True):
            layer.weight.copy_(kernel)
            layer.bias.copy_(bias)
        x = torch.from_numpy(pictures[0].pixels.astype(np.float32) / 255).permute(2, 0, 1)[None]
        read = x.flip(1) * 255 - torch.tensor([104.0, 117.0, 123.0]).view(1, 3, 1, 1)
        expected, found = theirs(read), squeezenet.features(network, x, 9)
    assert torch.allclose(found[9], expected, rtol=1e-4, atol=1e-2) and expected.std() > 1
    assert [found[k].shape[1] for k in (1, 2, 6, 9)] == [64, 128, 384, 512]


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
def test_the_loss_falls_and_the_style_comes_nearer(folder, pictures, optimizer):
    part = made(folder, optimizer=optimizer, steps=2 if optimizer == "lbfgs" else 20)
    content, style = pictures[:2]
    size = (48, 48)
    start, own = part._content(content.pixels, size)
    wanted = Wanted(own, part._grams(style.pixels))
    drawn = part._tensor(part._optimised(start, wanted))
    with torch.no_grad():
        before, after = (float(part.loss(x, wanted)) for x in (start, drawn))
        apart = [
            sum(
                float((gram(squeezenet.features(part._load(), x, 9)[k]) - wanted.grams[k]).square().mean())
                for k in STYLE
            )
            for x in (start, drawn)
        ]
    assert after < 0.7 * before and apart[1] < 0.7 * apart[0]


def test_no_steps_or_no_style_leave_the_content_as_it_is(folder, pictures):
    same = made(folder, steps=0, size=64).stylize(*pictures[:2])
    assert np.array_equal(next(iter(same)), pictures[0].pixels)
    only = made(folder, style=0, smoothness=0, steps=2, size=64).stylize(*pictures[:2])
    assert np.abs(next(iter(only)).astype(int) - pictures[0].pixels).max() <= 1


def test_smoothness_is_total_variation(folder, pictures):
    part = made(folder, style=0, content=0, smoothness=2.0)
    x = torch.zeros(1, 3, 40, 40)
    x[..., 20:] = 1
    wanted = Wanted(
        {k: 0 * v for k, v in part._content(pictures[0].pixels, (40, 40))[1].items()}, part._grams(pictures[0].pixels)
    )
    found = part.loss(x, Wanted({k: squeezenet.features(part._load(), x, 9)[k] for k in CONTENT}, wanted.grams))
    assert float(found) == pytest.approx(2.0 / 39)


def test_what_is_constant_is_prepared_once_and_frames_do_not_depend_on_each_other(folder, pictures, monkeypatch):
    part = made(folder, optimizer="adam")
    grams, contents = [], []
    plain_grams, plain_content = part._grams, part._content
    monkeypatch.setattr(part, "_grams", lambda p: grams.append(1) or plain_grams(p))
    monkeypatch.setattr(part, "_content", lambda p, s: contents.append(1) or plain_content(p, s))
    frames = list(part.stylize(pictures[0], stream(pictures, 3)))
    assert (len(contents), len(grams)) == (1, 3)
    alone = next(iter(part.stylize(pictures[0], pictures[2])))
    assert np.array_equal(frames[2], alone) and not np.array_equal(frames[0], frames[2])


def test_wrong_weights(folder, tmp_path):
    import h5py

    grey = Image(np.full((40, 40, 3), 128, np.uint8))
    with pytest.raises(MissingExtra, match=f"finds no .*{FILE}"):
        made(tmp_path).stylize(grey, grey)
    whole = (folder / FILE).read_bytes()
    (tmp_path / FILE).write_bytes(whole[:1000])
    with pytest.raises(InvalidValue, match=r"sha256 [0-9a-f]{64}, not 17154246"):
        made(tmp_path).stylize(grey, grey)
    with pytest.raises(InvalidValue, match="torn or no HDF5 file"):
        squeezenet.read(tmp_path / FILE, "cpu")
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["conv1/kernel"], file["conv1/bias"] = np.zeros((7, 7, 3, 96), np.float32), np.zeros(96, np.float32)
    with pytest.raises(InvalidValue, match=r"other shapes: conv1 is \(7, 7, 3, 96\), not \(3, 3, 3, 64\)"):
        squeezenet.read(tmp_path / "other.h5", "cpu")
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["dense/kernel"] = np.zeros((3, 3), np.float32)
    with pytest.raises(InvalidValue, match="missing: conv1"):
        squeezenet.read(tmp_path / "other.h5", "cpu")


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"optimizer": "sgd"}, UnknownName, "no neural_style optimizer 'sgd'"),
        ({"steps": -1}, InvalidValue, "steps from 0 to 10000"),
        ({"style": "much"}, InvalidValue, "style from 0"),
        ({"size": 3000}, InvalidValue, "size from 32 to 2048"),
    ],
)
def test_settings_are_checked(settings, error, message):
    with pytest.raises(error, match=message):
        build("stylizers", {"name": "neural_style", **settings})


def test_streams_that_differ_are_refused(folder, pictures):
    with pytest.raises(InvalidValue, match="content has 3 frames at 10 fps, style 4"):
        made(folder).stylize(stream(pictures, 3), stream(pictures, 4))
