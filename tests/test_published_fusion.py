"""The authors' fused checkpoints: their layers against torch's own, their .pth layout, their features, no guidance."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("diffusers")

from tiny_stable_diffusion import WIDTH, stable_diffusion  # noqa: E402

from spectrogrand import Audio, build  # noqa: E402
from spectrogrand.albums.brief import AlbumBrief  # noqa: E402
from spectrogrand.errors import InvalidValue, StoreError  # noqa: E402
from spectrogrand.models import fusion  # noqa: E402
from spectrogrand.models import stable_diffusion as diffusion  # noqa: E402
from spectrogrand.models.fusion import PUBLISHED, FusionSettings  # noqa: E402
from spectrogrand.training.fusion_ import data as fusion_data  # noqa: E402
from spectrogrand.weights.convert import convert  # noqa: E402

AXES = 12
SONG = Audio(np.random.default_rng(0).normal(0, 0.1, (1, 16000)).astype(np.float32), 16000)
BRIEF = AlbumBrief("Rain", "jazz", "red", "blends", album="Rain", song=SONG)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return stable_diffusion(tmp_path_factory.mktemp("sd"))


def layers(kind, width=WIDTH, axes=AXES):
    """The modules that the authors' `AudioSD` registers, by their names; their float16, their cross-attention's unread norm."""
    from torch import nn

    class Holder(nn.Module):
        pass

    model = Holder()
    if kind != "linear":
        model.adapter = Holder()
        model.adapter.linear = nn.Linear(axes, width)
        model.adapter.conv = nn.Conv1d(width, width, kernel_size=3, padding=1, stride=2)
        model.adapter.adaptive_pool = nn.AdaptiveAvgPool1d(77)
        model.adapter.norm = nn.LayerNorm(width)
    model.fusion_module = Holder()
    if kind == "cross_attention":
        model.fusion_module.fusion = Holder()
        for name in ("q_proj", "k_proj", "v_proj", "out_proj"):
            setattr(model.fusion_module.fusion, name, nn.Linear(width, width))
        model.fusion_module.norm1, model.fusion_module.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        model.fusion_module.ffn1 = nn.Linear(width, width)
    else:
        model.fusion_module.fusion = nn.Linear(2 * width if kind == "concatenation" else width, width)
        model.fusion_module.norm = nn.LayerNorm(width)
    return model.half()


def checkpoint(path, kind, folder):
    """As their `main_asd.py` writes it: the whole model with miniSD in it, the optimizer, the schedule, the losses."""
    from transformers import get_cosine_schedule_with_warmup

    torch.manual_seed(5)
    model = layers(kind)
    sd = diffusion.load(folder, "float32", "cpu", part="x")
    model.vae, model.unet = sd.vae.half(), sd.unet.half()
    for parameter in model.parameters():
        parameter.data = (0.3 * torch.randn(parameter.shape)).half()
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-4)
    schedule = get_cosine_schedule_with_warmup(optimizer, num_warmup_steps=500, num_training_steps=1000)
    torch.save(
        {"model_state_dict": model.state_dict(), "optimizer_state_dict": optimizer.state_dict(),
         "scheduler_state_dict": schedule.state_dict(), "eval_loss": [0.2], "train_loss": [0.3, 0.2]}, path,
    )  # fmt: skip
    return {k: v.float() for k, v in model.state_dict().items()}


def expected(kind, w, text, features):
    """The formula, by torch's own attention module in the place of one written out."""
    from torch.nn import functional as f

    norm = lambda x, name: f.layer_norm(x, (WIDTH,), w[f"{name}.weight"], w[f"{name}.bias"])  # noqa: E731
    line = lambda x, name: f.linear(x, w[f"{name}.weight"], w[f"{name}.bias"])  # noqa: E731
    if kind == "linear":
        return norm(line(text, "fusion_module.fusion"), "fusion_module.norm")
    x = f.conv1d(line(features, "adapter.linear").mT, w["adapter.conv.weight"], w["adapter.conv.bias"], 2, 1)
    music = norm(f.adaptive_avg_pool1d(x, 77).mT, "adapter.norm")
    if kind == "concatenation":
        return norm(line(torch.cat([text, music], -1), "fusion_module.fusion"), "fusion_module.norm")
    attention = torch.nn.MultiheadAttention(WIDTH, 8, batch_first=True)
    at = "fusion_module.fusion"
    attention.in_proj_weight.data = torch.cat([w[f"{at}.{k}_proj.weight"] for k in "qkv"])
    attention.in_proj_bias.data = torch.cat([w[f"{at}.{k}_proj.bias"] for k in "qkv"])
    attention.out_proj.weight.data, attention.out_proj.bias.data = w[f"{at}.out_proj.weight"], w[f"{at}.out_proj.bias"]
    h = norm(attention(text, music, music, need_weights=False)[0], "fusion_module.norm1")
    return h + f.relu(line(h, "fusion_module.ffn1"))


@pytest.mark.parametrize("kind", PUBLISHED)
def test_the_authors_checkpoint_loads_and_computes_their_layers(kind, folder, tmp_path):
    weights = checkpoint(tmp_path / "checkpoint_asd_epoch45.pth", kind, folder)
    made = fusion.load(tmp_path / "checkpoint_asd_epoch45.pth")
    s = made.settings
    assert (s.kind, s.published, s.width, s.heads) == (kind, True, WIDTH, 8)
    assert s.music_width == (4800 if kind == "linear" else AXES)
    torch.manual_seed(6)
    text, features = torch.randn(2, 77, WIDTH), torch.randn(2, 30, AXES)
    got = made(text, features)
    assert torch.allclose(got, expected(kind, weights, text, features), atol=1e-4)
    assert made.listens is not torch.equal(got, made(text, features + 1)), "the linear layer reads the text alone"
    # converted by the command, and written again by us, it is the same
    convert(tmp_path / "checkpoint_asd_epoch45.pth", tmp_path / "c.safetensors")
    made.save(tmp_path / "own.safetensors")
    for name in ("c", "own"):
        again = fusion.load(tmp_path / f"{name}.safetensors")
        assert again.settings.kind == kind and torch.equal(again(text, features), got)


def test_published_sizes_are_the_authors():
    made = fusion.make(FusionSettings("cross_attention", published=True, residual=False))
    shapes = {k: tuple(v.shape) for k, v in made.module.state_dict().items()}
    assert shapes == {k: tuple(v.shape) for k, v in layers("cross_attention", 768, 4800).state_dict().items()}
    both = fusion.make(FusionSettings("concatenation", published=True, residual=False))
    assert both.module["fusion_module"]["fusion"].weight.shape == (768, 1536)
    assert both(torch.randn(1, 77, 768), torch.randn(1, 714, 4800)).shape == (1, 77, 768)
    with pytest.raises(InvalidValue, match="music_attention was not published"):
        FusionSettings("music_attention", published=True)
    with pytest.raises(InvalidValue, match="reads features as they are: recipe.standardise=false"):
        both.standardise(None, None)


def test_the_fused_experiment_asks_the_unet_once_with_features_from_a_file(folder, tmp_path, monkeypatch):
    checkpoint(tmp_path / "c.pth", "cross_attention", folder)
    rows = np.random.default_rng(1).normal(size=(714, AXES)).astype(np.float32)
    np.save(tmp_path / "song.npy", rows)
    part = build(
        "generators", "fused_diffusion", weights=str(folder), fusion=str(tmp_path / "c.pth"), guidance=1.0, music_guidance=1.0,
        sound_embedder={"name": "features_file", "path": str(tmp_path / "song.npy")}, size=32, steps=4, sampler="ddim",
        dtype="float32",
    )  # fmt: skip
    model, fused = part.model()
    asked, forward = [], model.unet.forward

    def spy(x, t, encoder_hidden_states, **options):
        asked.append(encoder_hidden_states)
        return forward(x, t, encoder_hidden_states=encoder_hidden_states, **options)

    monkeypatch.setattr(model.unet, "forward", spy)
    part.generate([BRIEF], [3])
    assert len(asked) == 4, "no guidance: one call a step"
    wanted = fused(model.read([BRIEF.prompt]), torch.from_numpy(rows)[None])
    assert torch.allclose(asked[0], wanted, atol=1e-4), "all 714 steps are read, none averaged away"
    assert part.identity()["music"]["features"] and len(part.identity()["fusion"]) == 64


def test_the_linear_layer_needs_no_song(folder, tmp_path):
    checkpoint(tmp_path / "c.pth", "linear", folder)
    part = build("generators", "fused_diffusion", weights=str(folder), fusion=str(tmp_path / "c.pth"), size=32, steps=2)
    made = part.generate([AlbumBrief("Rain", "", "red", "blends", album="Rain")], [0])
    assert len(made) == 1


@pytest.mark.parametrize("sampler", sorted(diffusion.SAMPLERS))
def test_every_published_sampler_ends_at_the_picture_where_the_noise_is_known(sampler, folder, monkeypatch):
    """A UNet that always tells the true noise of one picture: every sampler must end there."""
    model = diffusion.load(folder, "float32", "cpu", part="x")
    picture = torch.linspace(-1, 1, 4 * 256).reshape(1, 4, 16, 16)
    share = model.scheduler("ddpm").alphas_cumprod

    def true(model, fusion, noisy, step, text, *more):
        a = share[int(step)]
        return (noisy - a.sqrt() * picture) / (1 - a).sqrt()

    monkeypatch.setattr(diffusion, "predict", true)
    monkeypatch.setattr(diffusion.Diffusion, "decode", lambda self, x: x.numpy())
    end = diffusion.sample(model, None, ["a"], None, [0], size=32, steps=50, sampler=sampler, guidance=1.0)
    assert np.abs(end - picture.numpy()).mean() < 0.05


def test_a_folder_of_features_serves_a_training_by_the_clips_names(tmp_path):
    from spectrogrand import media

    (tmp_path / "features").mkdir()
    clips = []
    for k in range(2):
        clips.append(tmp_path / f"song{k}.wav")
        media.save_audio(clips[-1], SONG)
        np.save(tmp_path / f"features/song{k}.npy", np.full((3, 5), k, np.float32))
    embedder = build("embedders", "features_file", path=str(tmp_path / "features"))
    first, second = fusion_data.features(clips, embedder, 25.0, tmp_path / "cache", None)
    assert (first == 0).all() and (second == 1).all() and first.shape == (3, 5), "alike sounds, features of their own"
    with pytest.raises(StoreError, match="features of many songs: set path to the one file"):
        embedder.embed([SONG])


def test_files_that_hold_no_features_are_refused(tmp_path):
    np.save(tmp_path / "objects.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    np.save(tmp_path / "words.npy", np.array([["a", "b"]]))
    np.save(tmp_path / "wild.npy", np.array([[1.0, np.nan]]))
    np.save(tmp_path / "cube.npy", np.zeros((2, 3, 4)))
    np.savez(tmp_path / "many.npz", a=np.zeros(3))
    (tmp_path / "torn.npy").write_bytes((tmp_path / "cube.npy").read_bytes()[:90])
    for name, said in (
        ("objects.npy", "no .npy file of numbers"), ("words.npy", "holds <U1"), ("wild.npy", "finite numbers"),
        ("cube.npy", r"float64 \(2, 3, 4\)"), ("many.npz", "an archive"), ("torn.npy", "no .npy file of numbers"),
    ):  # fmt: skip
        with pytest.raises(InvalidValue, match=said):
            build("embedders", "features_file", path=str(tmp_path / name)).inspect()
    with pytest.raises(StoreError, match="there are no features at"):
        build("embedders", "features_file", path=str(tmp_path / "nowhere.npy")).inspect()
