"""Hub checkpoints that are torn, of another architecture or hostile: one line each, and nothing of them is run."""

import json
import shutil

import pytest
import tiny_hub

from spectrogrand.errors import InvalidValue
from spectrogrand.weights import checkpoints

torch = pytest.importorskip("torch")
diffusers = pytest.importorskip("diffusers")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return tiny_hub.sdxl(tmp_path_factory.mktemp("hub") / "sdxl")


@pytest.fixture
def copy(whole, tmp_path):
    return shutil.copytree(whole, tmp_path / "sdxl")


def rewritten(path, change):
    from safetensors.torch import load_file, save_file

    save_file(change(load_file(path)), path)


def test_a_pipeline_is_what_was_saved(whole):
    made = checkpoints.pipeline(whole, "float32", part="sdxl")
    again = diffusers.StableDiffusionXLPipeline.from_pretrained(whole)
    assert type(made) is diffusers.StableDiffusionXLPipeline and not made.unet.training
    for name in ("unet", "vae", "text_encoder", "text_encoder_2"):
        own, other = getattr(made, name).state_dict(), getattr(again, name).state_dict()
        assert own.keys() == other.keys() and all(torch.equal(own[k], other[k]) for k in own)
    assert checkpoints.pipeline(whole, "bfloat16", part="sdxl").unet.dtype == torch.bfloat16


def test_loading_leaves_the_callers_random_numbers_alone(whole):
    torch.manual_seed(5)
    expected = torch.rand(2)
    torch.manual_seed(5)
    checkpoints.pipeline(whole, "float32", part="sdxl")
    assert torch.equal(torch.rand(2), expected)


def test_a_torn_file_is_named_with_its_sha256(copy):
    path = copy / "unet/diffusion_pytorch_model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(
        InvalidValue,
        match=r"unet/diffusion_pytorch_model.safetensors is torn or .*its sha256 is [0-9a-f]{64}\): get it again",
    ):
        checkpoints.pipeline(copy, "float32", part="sdxl")


def test_missing_keys_are_named(copy):
    rewritten(
        copy / "vae/diffusion_pytorch_model.safetensors", lambda t: {k: v for k, v in t.items() if "conv_in" not in k}
    )
    with pytest.raises(
        InvalidValue,
        match=r"vae is no AutoencoderKL of this architecture; missing: decoder.conv_in.bias, decoder.conv_in.weight, "
        r"encoder.conv_in.bias and 1 more: get it with spectrogrand fetch sdxl",
    ):
        checkpoints.pipeline(copy, "float32", part="sdxl")


@pytest.mark.parametrize("file, key", [
    ("unet/diffusion_pytorch_model.safetensors", "conv_in.weight"), ("text_encoder/model.safetensors", "final_layer_norm.weight"),
])  # fmt: skip
def test_other_shapes_are_named(copy, file, key):
    def widened(tensors):
        name = next(k for k in tensors if k.endswith(key))
        return {k: torch.zeros(99, *v.shape[1:]) if k == name else v for k, v in tensors.items()}

    rewritten(copy / file, widened)
    with pytest.raises(InvalidValue, match=rf"of this architecture; other shapes: \S*{key} is \(99[^)]*\), not \(\d+"):
        checkpoints.pipeline(copy, "float32", part="sdxl")


def test_what_a_model_does_not_use_is_said(copy):
    rewritten(copy / "unet/diffusion_pytorch_model.safetensors", lambda t: {**t, "extra.weight": torch.zeros(2)})
    with pytest.warns(UserWarning, match="holds weights that UNet2DConditionModel does not use; unknown: extra.weight"):
        checkpoints.pipeline(copy, "float32", part="sdxl")


@pytest.mark.parametrize("component", [["os", "system"], ["builtins", "eval"], ["my_code", "Trap"]])
def test_an_index_that_names_strangers_is_refused(copy, component):
    index = copy / "model_index.json"
    index.write_text(json.dumps({**json.loads(index.read_text()), "unet": component}))
    with pytest.raises(InvalidValue, match=f"names {component[1]!r}, which is no class of diffusers or transformers"):
        checkpoints.pipeline(copy, "float32", part="sdxl")


def test_pickled_weights_are_never_read(copy):
    home = copy / "unet"
    (home / "diffusion_pytorch_model.safetensors").rename(home / "diffusion_pytorch_model.bin")
    with pytest.raises(InvalidValue, match="sdxl cannot read .*unet"):
        checkpoints.pipeline(copy, "float32", part="sdxl")
