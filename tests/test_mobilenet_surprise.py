"""The published surprise network on random weights in the published key layout: what it sees, what it says, what it refuses."""

import numpy as np
import pytest

from spectrogrand import Image, build
from spectrogrand.errors import InvalidValue, MissingExtra, UnknownName
from spectrogrand.testing import check_scorer
from spectrogrand.weights.convert import convert

torch = pytest.importorskip("torch")
models = pytest.importorskip("torchvision.models")


@pytest.fixture(scope="module")
def net():
    """The published class's layers by its names, and the way through them."""

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.baseline = models.mobilenet_v3_small(weights=None)
            self.fc1, self.fc2, self.fc3 = torch.nn.Linear(1000, 128), torch.nn.Linear(128, 32), torch.nn.Linear(32, 2)

        def forward(self, x):
            for layer in (self.baseline, self.fc1, self.fc2, self.fc3):
                x = torch.nn.functional.leaky_relu(layer(x)) if layer is not self.baseline else layer(x)
            return torch.sigmoid(x).softmax(1)

    torch.manual_seed(3)
    made = Net()
    with torch.no_grad():  # else random weights say almost the same of every picture
        for module in made.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.momentum = None
        made(torch.rand(8, 3, 1, 1) * torch.rand(8, 3, 96, 96))
        made.baseline.classifier[3].weight *= 30
        made.fc3.weight *= 10
    return made.eval()


@pytest.fixture(scope="module")
def folder(tmp_path_factory, net):
    place = tmp_path_factory.mktemp("weights")
    torch.save(net.state_dict(), place / "mobilenet_surprise_estimation.pt")
    convert(place / "mobilenet_surprise_estimation.pt", place / "mobilenet_surprise_estimation.safetensors")
    return place


@pytest.fixture(scope="module")
def covers():
    rng = np.random.default_rng(5)
    return [
        Image(rng.integers(0, 256, (s, s, 3), np.uint8) // d + o)
        for s, d, o in ((256, 1, 0), (256, 4, 100), (96, 2, 0))
    ]


def made(folder, **settings):
    return build("scorers", {"name": "mobilenet_surprise", "weights": str(folder), "device": "cpu", **settings})


def test_contract(folder, covers):
    check_scorer(lambda: made(folder), covers)


def test_the_published_number(folder, net, covers):
    """By the published class itself; 256 x 256 in [0, 1] and no more is what it sees."""
    scores = made(folder).score(covers)
    for score, cover in zip(scores[:2], covers[:2], strict=True):
        x = torch.from_numpy(cover.pixels.astype(np.float32)).permute(2, 0, 1)[None] / 255
        with torch.no_grad():
            assert score == pytest.approx(float(net(x)[0, 1]), abs=1e-5)
    assert ((scores >= 1 / (1 + np.e)) & (scores <= np.e / (1 + np.e))).all()
    assert len(set(scores.round(4))) == 3


def test_the_corrected_head_and_the_logit(folder, covers):
    published, corrected, logits = (
        made(folder).score(covers),
        made(folder, head="corrected").score(covers),
        made(folder).logits(covers),
    )
    np.testing.assert_allclose(corrected, 1 / (1 + np.exp(-logits)), rtol=1e-12)
    assert ((published > 0.5) == (logits > 0)).all()
    assert np.ptp(corrected) > np.ptp(published)


@pytest.mark.parametrize("z, published, corrected", [((-90, 90), np.e / (1 + np.e), 1.0), ((0, 0), 0.5, 0.5)])
def test_known_answers(folder, covers, monkeypatch, z, published, corrected):
    for head, expected in (("published", published), ("corrected", corrected)):
        part = made(folder, head=head)
        monkeypatch.setattr(part, "_outputs", lambda batch: np.array([z], float))
        assert part.score(covers[:1]) == pytest.approx([expected], abs=0.15 if head == "published" and z[0] else 1e-9)


def test_another_architecture_is_named(tmp_path, net, covers):
    from safetensors.torch import save_file

    file = tmp_path / "mobilenet_surprise_estimation.safetensors"
    state = dict(net.state_dict())
    other = {**state, "fc3.weight": torch.zeros(3, 32), "extra": torch.zeros(1)}
    del other["fc2.bias"]
    save_file(other, file)
    with pytest.raises(
        InvalidValue,
        match=r"another architecture; missing: fc2.bias; unknown: extra; other shapes: fc3.weight is \(3, 32\), not \(2, 32\)",
    ):
        made(tmp_path).score(covers)
    save_file({**state, "fc1.bias": torch.full((128,), torch.nan)}, file)
    with pytest.raises(InvalidValue, match="not finite in fc1.bias"):
        made(tmp_path).score(covers)
    file.write_bytes(file.read_bytes()[:-5])
    with pytest.raises(InvalidValue, match="is torn or no safetensors file"):
        made(tmp_path).score(covers)


def test_what_it_needs_is_said(tmp_path, folder, covers):
    with pytest.raises(MissingExtra, match="needs mobilenet_surprise_estimation.safetensors: get it from https"):
        build("scorers", "mobilenet_surprise").score(covers)
    with pytest.raises(MissingExtra, match="finds no .*mobilenet_surprise_estimation.safetensors"):
        made(tmp_path).score(covers)
    with pytest.raises(InvalidValue, match="could run code: spectrogrand convert"):
        made(folder / "mobilenet_surprise_estimation.pt").score(covers)
    with pytest.raises(UnknownName, match="did you mean 'corrected'"):
        made(folder, head="correct")
    with pytest.raises(InvalidValue, match="rates Image, got str"):
        made(folder).score(["cover.png"])
