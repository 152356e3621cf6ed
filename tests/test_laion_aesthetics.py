"""LAION's aesthetic heads on a tiny CLIP in the hub's layout, against the published layers written out in numpy."""

from __future__ import annotations

import numpy as np
import pytest

from spectrogrand import Image, build
from spectrogrand.errors import InvalidValue, MissingExtra, UnknownName
from spectrogrand.testing import check_scorer

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
import tiny_clap  # noqa: E402

MLP, LINEAR = "sac+logos+ava1-l14-linearMSE.safetensors", "sa_0_4_vit_l_14_linear.safetensors"


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights")
    tiny_clap.write_clip(folder / "laion_aesthetics")
    tiny_clap.write_heads(folder / "laion_aesthetics")
    return folder


def picture(seed, rows=60, columns=80):
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), np.uint8)
    return Image(coarse.repeat(rows // 6, 0).repeat(columns // 8, 1))


def made(weights, **settings):
    return build("scorers", {"name": "laion_aesthetics", "weights": str(weights), "device": "cpu", **settings})


def embedded(part, image):
    """CLIP's unit embedding of a picture by transformers alone."""
    from transformers import CLIPImageProcessor, CLIPModel

    folder = part._head_path().parent
    seen = CLIPImageProcessor.from_pretrained(folder)(images=image.pixels, return_tensors="pt")
    with torch.inference_mode():
        vector = CLIPModel.from_pretrained(folder).get_image_features(**seen).pooler_output[0].double().numpy()
    return vector / np.linalg.norm(vector)


def test_contract(weights):
    check_scorer(lambda: made(weights), [picture(k) for k in range(3)], tolerance=1e-5)


def test_the_improved_head_is_five_linear_layers_and_nothing_between(weights):
    from safetensors.numpy import load_file

    part = made(weights)
    head = load_file(weights / "laion_aesthetics" / MLP)
    x = embedded(part, picture(1))
    for k in (0, 2, 4, 6, 7):
        x = head[f"layers.{k}.weight"] @ x + head[f"layers.{k}.bias"]
    assert part.score([picture(1)])[0] == pytest.approx(float(x[0]), abs=1e-4)


def test_the_linear_head(weights):
    from safetensors.numpy import load_file

    part = made(weights, head="linear")
    head = load_file(weights / "laion_aesthetics" / LINEAR)
    expected = head["weight"] @ embedded(part, picture(2)) + head["bias"]
    assert part.score([picture(2)])[0] == pytest.approx(float(expected[0]), abs=1e-5)
    assert part.card.weights[1].file == LINEAR and type(part).card.weights[1].file == MLP


def test_bad_heads_and_settings(weights, tmp_path):
    import shutil

    from safetensors.numpy import save_file

    folder = shutil.copytree(weights / "laion_aesthetics", tmp_path / "laion_aesthetics")
    shutil.copy(folder / LINEAR, folder / MLP)
    with pytest.raises(
        InvalidValue, match=r"another architecture; missing: layers.0.\w+, .* unknown: (bias, weight|weight, bias)"
    ):
        made(tmp_path).score([picture(0)])
    bias = np.full(1, np.nan, np.float32)
    save_file({"weight": np.zeros((1, 24), np.float32), "bias": bias}, folder / LINEAR)
    with pytest.raises(InvalidValue, match="not finite in bias"):
        made(tmp_path, head="linear").score([picture(0)])
    (folder / MLP).unlink()
    with pytest.raises(MissingExtra, match="spectrogrand fetch laion_aesthetics"):
        made(tmp_path).score([picture(0)])
    with pytest.raises(UnknownName, match="did you mean 'linear'"):
        made(weights, head="linaer")
    with pytest.raises(InvalidValue, match="rates Image, got str"):
        made(weights).score(["a path"])
