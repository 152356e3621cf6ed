"""The adapter, the fusions and the generator on a tiny Stable Diffusion: shapes as published, and what the UNet receives."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("diffusers")

from tiny_stable_diffusion import WIDTH, stable_diffusion  # noqa: E402

from spectrogrand import Audio, build  # noqa: E402
from spectrogrand.albums.brief import AlbumBrief  # noqa: E402
from spectrogrand.errors import ConfigError, InvalidValue, MissingExtra, UnknownName  # noqa: E402
from spectrogrand.models import fusion  # noqa: E402
from spectrogrand.models import stable_diffusion as diffusion  # noqa: E402
from spectrogrand.models.fusion import KINDS, Fusion, FusionSettings  # noqa: E402
from spectrogrand.models.sound_frames import MOST, frames_of, middle  # noqa: E402

TOKENS = 77


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return stable_diffusion(tmp_path_factory.mktemp("sd"))


@pytest.fixture
def model(folder):
    return diffusion.load(folder, "float32", "cpu", part="fused_diffusion")


def made(kind, model=None, residual=True, **more):
    torch.manual_seed(3)
    settings = FusionSettings(kind, music_width=5, width=WIDTH, tokens=TOKENS, residual=residual, heads=4, **more)
    return Fusion(settings, None if model is None else model.unet)


def woken(fused):
    """Every weight random, the silent ones too."""
    torch.manual_seed(4)
    for parameter in fused.module.parameters():
        parameter.data = 0.2 * torch.randn_like(parameter)
    return fused


def test_the_published_adapter_and_fusions_have_the_published_shapes():
    for kind in ("concatenation", "cross_attention", "linear"):
        fused = Fusion(FusionSettings(kind, residual=False))
        m = fused.module
        assert m["linear"].weight.shape == (768, 4800)
        assert m["conv"].stride == (2,) and m["conv"](m["linear"](torch.zeros(2, 100, 4800)).transpose(1, 2)).shape == (
            2,
            768,
            50,
        )
        tokens = fused.music(torch.randn(2, 100, 4800))
        assert tokens.shape == (2, 77, 768)
        assert torch.allclose(tokens.mean(2), torch.zeros(2, 77), atol=1e-4), "a layer norm ends the adapter"
        assert torch.allclose(tokens.var(2, unbiased=False), torch.ones(2, 77), atol=1e-2)
        out = fused(torch.randn(2, 77, 768), torch.randn(2, 100, 4800))
        assert out.shape == (2, 77, 768) and not torch.allclose(out, torch.zeros_like(out))


def test_the_adapter_is_its_formula():
    fused = woken(made("linear"))
    fused.standardise(torch.arange(5.0), torch.tensor([1.0, 2.0, 0.0, 1.0, 1.0]))
    x = torch.randn(1, 8, 5)
    m = fused.module
    z = (x - torch.arange(5.0)) / torch.tensor([1.0, 2.0, 1.0, 1.0, 1.0])
    y = (z @ m["linear"].weight.T + m["linear"].bias)[0]
    padded = torch.cat([torch.zeros(1, WIDTH), y, torch.zeros(1, WIDTH)])
    w = m["conv"].weight
    steps = torch.stack([sum(w[:, :, k] @ padded[2 * t + k] for k in range(3)) + m["conv"].bias for t in range(4)])
    pooled = torch.stack([steps[(i * 4) // TOKENS : -(-((i + 1) * 4) // TOKENS)].mean(0) for i in range(TOKENS)])
    expected = torch.nn.functional.layer_norm(pooled, (WIDTH,), m["norm"].weight, m["norm"].bias)
    assert torch.allclose(fused.music(x)[0], expected, atol=1e-4)


@pytest.mark.parametrize("kind", KINDS[:3])
def test_a_residual_fusion_begins_as_the_text_and_drops_music_exactly(kind):
    text, features = torch.randn(3, TOKENS, WIDTH), torch.randn(3, 9, 5)
    assert torch.equal(made(kind)(text, features), text)
    fused, keep = woken(made(kind)), torch.tensor([True, False, True])
    out = fused(text, features, keep)
    assert torch.equal(out[1], text[1]) and not torch.allclose(out[0], text[0])
    replaced = woken(made(kind, residual=False))(text, features, keep)
    assert not torch.allclose(replaced[1], text[1]), "as published the text is replaced"
    other = woken(made(kind, residual=False))(text, 5 + features, keep)
    assert torch.equal(replaced[1], other[1]) and not torch.allclose(replaced[0], other[0])


def test_music_attention_begins_as_the_frozen_unet_and_then_hears(folder):
    model, plain = (diffusion.load(folder, "float32", "cpu", part="x") for _ in range(2))
    fused = made("music_attention", model)
    x, t, text, features = (
        torch.randn(2, 4, 16, 16),
        torch.tensor(10),
        torch.randn(2, TOKENS, WIDTH),
        torch.randn(2, 9, 5),
    )
    frozen = plain.unet(x, t, encoder_hidden_states=text)[0]
    with torch.no_grad():
        assert torch.allclose(diffusion.predict(model, fused, x, t, text, features), frozen, atol=1e-5)
        woken(fused)
        loud = diffusion.predict(model, fused, x, t, text, features)
        assert not torch.allclose(loud, frozen, atol=1e-3)
        silent = diffusion.predict(model, fused, x, t, text, features, torch.tensor([False, True]))
        assert torch.allclose(silent[0], frozen[0], atol=1e-5) and torch.allclose(silent[1], loud[1], atol=1e-5)
    assert len(fused.module["attentions"]) == sum(n.endswith("attn2.processor") for n in model.unet.attn_processors) > 1


@pytest.mark.parametrize("kind", KINDS)
def test_weights_come_back_from_their_file_with_their_settings(kind, tmp_path, folder):
    fresh = lambda: diffusion.load(folder, "float32", "cpu", part="x")  # noqa: E731
    fused = woken(made(kind, fresh(), embedder="clap"))
    fused.save(tmp_path / "f.safetensors")
    again = fusion.load(tmp_path / "f.safetensors", fresh().unet)
    assert again.settings == fused.settings and again.settings.embedder == "clap"
    assert all(torch.equal(v, again.module.state_dict()[k]) for k, v in fused.module.state_dict().items())


def test_foreign_files_and_features_are_refused_by_name(tmp_path):
    from safetensors.torch import save_file

    (tmp_path / "torn.safetensors").write_bytes(b"\x10\0\0\0\0\0\0\0{")
    save_file({"a": torch.zeros(2)}, tmp_path / "other.safetensors")
    for name, said in (("torn", "torn"), ("other", "no fusion's weights"), ("none", "torn")):
        with pytest.raises(InvalidValue, match=said):
            fusion.load(tmp_path / f"{name}.safetensors")
    with pytest.raises(InvalidValue, match=r"\(batch, time, 5\) of clap, got \(1, 9, 6\)"):
        made("linear", embedder="clap").music(torch.zeros(1, 9, 6))
    with pytest.raises(UnknownName, match="did you mean 'linear'"):
        FusionSettings("linea")
    with pytest.raises(InvalidValue, match="heads do not divide"):
        FusionSettings(width=10, heads=4)
    with pytest.raises(InvalidValue, match="text has 3 tokens and the music 77"):
        made("linear")(torch.zeros(1, 3, WIDTH), torch.zeros(1, 9, 5))


def test_clips_are_the_middle_and_features_are_averaged_down():
    song = Audio(np.repeat(np.arange(60, dtype=np.float32), 1000)[None] / 60, 1000)
    assert middle(song, 25.0).samples[0, 0] == np.float32(17 / 60) and middle(song, 25.0).duration == 25

    class Steps:
        name = "steps"

        def frames(self, audio):
            return np.arange(2 * MOST * 3, dtype=np.float32).reshape(-1, 3)

    rows = frames_of(Steps(), song, 25.0)
    assert rows.shape == (MOST, 3) and rows[0].tolist() == [1.5, 2.5, 3.5]


def song(seed):
    return Audio(np.random.default_rng(seed).normal(0, 0.1, (1, 44100)).astype(np.float32), 22050)


BRIEF = {"album": "Rain", "song": song(0)}


@pytest.fixture
def spy(monkeypatch):
    """What the UNet received, call by call."""
    from diffusers import UNet2DConditionModel

    seen = []
    forward = UNet2DConditionModel.forward

    def call(self, sample, timestep, encoder_hidden_states, **options):
        condition = encoder_hidden_states
        condition = (
            (condition[0].clone(), condition[1][0].clone()) if isinstance(condition, tuple) else condition.clone()
        )
        seen.append((sample.clone(), int(timestep), condition))
        return forward(self, sample, timestep, encoder_hidden_states, **options)

    monkeypatch.setattr(UNet2DConditionModel, "forward", call)
    return seen


def generator(folder, **more):
    return build("generators", {"name": "fused_diffusion", "weights": str(folder), "size": 32, "steps": 2, **more})


@pytest.fixture
def trained(tmp_path):
    """A fusion's file for timbre_rhythm's 124 axes."""
    torch.manual_seed(5)
    settings = FusionSettings("linear", 124, WIDTH, TOKENS, heads=4, embedder="timbre_rhythm")
    fused = woken(Fusion(settings))
    fused.save(tmp_path / "fused.safetensors")
    return fused, str(tmp_path / "fused.safetensors")


def test_the_unet_receives_prompt_negative_prompt_seed_steps_and_size(folder, spy, model):
    brief = AlbumBrief("Rain", "jazz", "red", "blends", **BRIEF)
    generator(folder, negative_prompt="ugly", guidance=3.0, sampler="ddpm", steps=3).generate([brief], [7])
    assert len(spy) == 6 and [s[1] for s in spy[::2]] == model.scheduler("ddpm", 3).timesteps.tolist()
    prompt = "Create an album cover for the album 'Rain'. The genre is jazz."
    assert torch.allclose(spy[0][2], model.read([prompt])) and torch.allclose(spy[1][2], model.read(["ugly"]))
    first = torch.randn((4, 16, 16), generator=torch.Generator().manual_seed(7))
    assert torch.allclose(spy[0][0][0], first), "the first noise is the seed's"


def test_the_unet_receives_the_fused_condition(folder, spy, model, trained):
    fused, file = trained
    brief = AlbumBrief("Rain", "jazz", "red", "blends", **BRIEF)
    generator(folder, fusion=file).generate([brief], [7])
    text = model.read([brief.prompt])
    heard = torch.as_tensor(build("embedders", "timbre_rhythm").embed([brief.song]))[:, None]
    received = [s[2] for s in spy[:3]]
    assert torch.allclose(received[0], text) and torch.allclose(received[1], model.read([""]))
    assert torch.allclose(received[2], fused(text, heard), atol=1e-5) and not torch.allclose(
        received[2], text, atol=1e-2
    )


@pytest.mark.parametrize("guidance, music, calls", [(7.5, None, 3), (1.0, 1.0, 1), (7.5, 0.0, 2), (1.0, 0.0, 1)])
def test_either_condition_may_be_dropped(folder, spy, trained, guidance, music, calls):
    brief = AlbumBrief("Rain", "jazz", "red", "blends", **BRIEF)
    made = generator(folder, fusion=trained[1], guidance=guidance, music_guidance=music)
    made.generate([brief], [7])
    assert len(spy) == 2 * calls


def test_guidance_is_the_published_sum(folder, model, trained):
    """One DPM-Solver++ step from pure noise to the end gives x0 = (x - sigma e) / alpha: e can be read back from it."""
    fused, _ = trained
    text, none, heard = model.read(["a"]), model.read([""]), torch.randn(1, 1, 124)
    scheduler = model.scheduler("dpmsolver++", 1)
    x = torch.randn((1, 4, 16, 16), generator=torch.Generator().manual_seed(1))
    t = scheduler.timesteps[0]
    with torch.no_grad():
        e = [diffusion.predict(model, fused, x, t, *c) for c in ((none,), (text,), (text, heard))]
    e = e[0] + 2.0 * (e[1] - e[0]) + 5.0 * (e[2] - e[1])
    expected = model.decode(scheduler.step(e, t, x, return_dict=False)[0])
    got = diffusion.sample(model, fused, ["a"], heard.numpy(), [1], size=32, steps=1, guidance=2.0, music_guidance=5.0)
    assert np.allclose(got, expected, atol=1e-5)


def test_another_song_gives_another_cover_only_through_the_fusion(folder, trained):
    briefs = [AlbumBrief("Rain", "jazz", "red", "blends", album="Rain", song=song(k)) for k in (0, 1)]
    alone = generator(folder).generate(briefs, [7, 7])
    assert (alone[0].pixels == alone[1].pixels).all()
    fused = generator(folder, fusion=trained[1]).generate(briefs, [7, 7])
    assert (fused[0].pixels != fused[1].pixels).any()


def test_what_does_not_fit_is_said_before_anything_is_drawn(folder, trained, tmp_path):
    brief = AlbumBrief("Rain", "jazz", "red", "blends", **BRIEF)
    with pytest.raises(MissingExtra, match="train/fusion.py"):
        generator(folder, fusion=str(tmp_path / "nowhere.safetensors")).generate([brief], [0])
    with pytest.raises(ConfigError, match="trained with timbre_rhythm, not clap"):
        generator(folder, fusion=trained[1], sound_embedder={"name": "clap"}).model()
    with pytest.raises(InvalidValue, match="multiples of 4 pixels, got 34: size=32"):
        generator(folder, size=34).generate([brief], [0])
    with pytest.raises(UnknownName, match="did you mean 'pndm'"):
        generator(folder, sampler="pnd")
    with pytest.raises(InvalidValue, match="the brief holds none"):
        generator(folder, fusion=trained[1]).generate([AlbumBrief("Rain", "", "red", "blends", album="Rain")], [0])
    with pytest.warns(UserWarning, match="cut off"):
        generator(folder).generate([AlbumBrief("R", "", "red", "x", album="R", lyrics="la " * 90, style="lyrics")], [0])


def test_the_fused_generator_keeps_the_contract(folder, trained):
    from spectrogrand.testing import check_generator

    briefs = [AlbumBrief(a, "jazz", "red", "blends", album=a, song=song(k)) for k, a in enumerate(("Rain", "Sun"))]
    check_generator(lambda: generator(folder, fusion=trained[1]), briefs, seeds=(0, 7), tolerance=2 / 255)
    one, other = generator(folder, fusion=trained[1]), generator(folder)
    assert one.identity()["fusion"] != one.identity()["weights"] and "fusion" not in other.identity()
