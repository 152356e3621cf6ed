"""The published genre classifier on random weights in the published key layouts: what it sees, what it says, what it refuses."""

import numpy as np
import pytest

from spectrogrand import Audio, build
from spectrogrand.audio.bars import MEAN, STD, bar_pictures
from spectrogrand.errors import InvalidValue, MissingExtra, UnknownName
from spectrogrand.testing import check_classifier

torch = pytest.importorskip("torch")
models = pytest.importorskip("torchvision.models")
FILE = "resnet_101_genre_classifier.safetensors"
RATE = 22050


@pytest.fixture(scope="module")
def net():
    """Random weights, half of them as published: Sequential(ResNet-101, dropout, linear)."""
    torch.manual_seed(1)
    made = torch.nn.Sequential(
        models.resnet101(weights=None, zero_init_residual=True), torch.nn.Dropout(0.5), torch.nn.Linear(1000, 4)
    )
    with torch.no_grad():  # random weights say almost the same of every picture: let them speak up
        made[2].weight *= 30
    return made.half().float().eval()


@pytest.fixture(scope="module")
def folder(tmp_path_factory, net):
    """The published class's keys, in float16 to be small; `backbone` stands for model.0, as the converter leaves it."""
    from safetensors.torch import save_file

    place = tmp_path_factory.mktemp("weights")
    names = {"0.": "backbone.", "2.": "model.2."}
    state = {names[k[:2]] + k[2:]: v.half() if v.is_floating_point() else v for k, v in net.state_dict().items()}
    save_file(state, place / FILE)
    return place


def song(seed, seconds):
    rng = np.random.default_rng(seed)
    t = np.arange(int(seconds * RATE)) / RATE
    tone = np.sin(2 * np.pi * 200 * (seed + 1) * t) * np.exp(-(t % 0.47) / 0.1) + 0.05 * rng.standard_normal(len(t))
    return Audio(0.5 * tone[None].astype(np.float32), RATE)


def made(folder, **settings):
    options = {"weights": str(folder), "device": "cpu", "pictures": "bars", **settings}
    return build("classifiers", {"name": "resnet_genre", **options})


def test_contract(folder):
    check_classifier(lambda: made(folder), [song(0, 4.0), song(2, 2.0), song(9, 1.0)])


def test_by_the_published_layers_themselves(folder, net):
    sound = song(3, 7.6)
    probabilities, names = made(folder, batch_size=3).classify([sound])
    pictures = torch.from_numpy(bar_pictures(sound))
    assert pictures.shape == (4, 3, 96, 96)
    with torch.no_grad():
        expected = net(pictures).softmax(1).mean(0)
    assert names == ("future", "bass", "progressive", "melodic")
    np.testing.assert_allclose(probabilities[0], expected.numpy(), atol=1e-4)
    assert np.ptp(probabilities[0]) > 0.01


def test_as_published_it_sees_the_whole_song_as_one_picture(folder, net):
    """The published pipeline draws one "parent picture"; against librosa and matplotlib, which drew theirs."""
    from spectrogrand.audio.bars import drawn_song, standardised

    whole = song(3, 7.6).samples.copy()
    whole[:, whole.shape[1] // 2 :] *= 1e-3  # half of it soft: what each bar's own loudest bin hides
    sound = Audio(whole, RATE)
    (seen,) = drawn_song(sound)
    with torch.no_grad():
        expected = net(torch.from_numpy(standardised(seen[None]))).softmax(1)
    for settings in ({"pictures": "song"}, {"pictures": None}):
        probabilities, _ = made(folder, **settings).classify([sound])
        np.testing.assert_allclose(probabilities, expected.numpy(), atol=1e-4)
    bars, _ = made(folder).classify([sound])
    assert np.abs(bars - probabilities).max() > 1e-3
    import librosa.display
    from matplotlib import pyplot
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from PIL import Image as Pillow

    figure = Figure(figsize=(5, 5), dpi=100)
    axes = figure.add_axes((0, 0, 1, 1))
    mel = librosa.feature.melspectrogram(y=sound.mono(), sr=RATE, hop_length=512, window="hann", n_mels=128)
    librosa.display.specshow(librosa.power_to_db(mel, ref=np.max), sr=RATE, ax=axes, cmap="magma")
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    theirs = Pillow.fromarray(np.asarray(canvas.buffer_rgba())[..., :3]).resize((96, 96), Pillow.Resampling.BILINEAR)
    pyplot.close("all")
    difference = np.abs(np.asarray(theirs, float) - seen)
    assert difference.mean() < 6, f"{difference.mean():.1f} levels of 255 apart"
    assert np.corrcoef(np.asarray(theirs, float).ravel(), seen.ravel())[0, 1] > 0.97


def test_the_head_is_in_published_order(folder):
    part = made(folder)
    _, model = part.load()
    with torch.no_grad():
        model[2].weight.zero_()
        model[2].bias.copy_(torch.tensor([0.0, 9.0, 0.0, 0.0]))
    probabilities, names = part.classify([song(0, 2.0)])
    assert names[int(probabilities[0].argmax())] == "bass"
    assert not model.training


def test_the_pictures_are_standardised_bars():
    """Silence is magma's black, a low tone lies below, a bar that is silent stays dark beside a loud one."""
    black = np.array([0, 0, 3]) / 255
    quiet = bar_pictures(Audio(np.zeros((1, 2 * RATE), np.float32), RATE))
    np.testing.assert_allclose(
        quiet[0].transpose(1, 2, 0), np.broadcast_to((black - MEAN) / STD, (96, 96, 3)), atol=1e-5
    )
    t = np.arange(int(np.ceil(3.75 * RATE))) / RATE
    low = Audio((np.sin(2 * np.pi * 80 * t) * (t < 1.6))[None].astype(np.float32), RATE)
    one, two = bar_pictures(low)
    assert one[0].mean(axis=1).argmax() > 88 and one[0, :60].mean() < -1.5
    np.testing.assert_allclose(two, quiet[0], atol=1e-5)
    assert len(bar_pictures(song(0, 0.4))) == 1


def test_a_plain_resnet_with_four_outputs(tmp_path):
    from safetensors.torch import save_file

    torch.manual_seed(2)
    state = models.resnet101(num_classes=4).half().state_dict()
    save_file(state, tmp_path / FILE)
    part = made(tmp_path)
    assert part.see(song(1, 2.0)).shape == (1, 4)
    assert torch.equal(part.load()[1].fc.weight, state["fc.weight"].float())


def test_what_it_needs_is_said(tmp_path, folder):
    from safetensors.torch import save_file

    sound = song(0, 2.0)
    with pytest.raises(MissingExtra, match=f"needs {FILE}: get it from https"):
        build("classifiers", "resnet_genre").classify([sound])
    save_file({"0.conv1.weight": torch.zeros(64, 3, 3, 3), "head": torch.zeros(4)}, tmp_path / FILE)
    with pytest.raises(
        InvalidValue,
        match=r"missing: .* and \d+ more; unknown: head; other shapes: 0.conv1.weight is \(64, 3, 3, 3\), not \(64, 3, 7, 7\)",
    ):
        made(tmp_path).classify([sound])
    with pytest.raises(InvalidValue, match="classifies Audio, got str"):
        made(folder).classify(["song.wav"])
    with pytest.raises(InvalidValue, match="batch_size as a whole number from 1"):
        made(folder, batch_size=0)
    with pytest.raises(UnknownName, match="did you mean 'bars'"):
        made(folder, pictures="bar")
