"""BigGAN-deep against an implementation of its own; walks through tiny random checkpoints of BigGAN and Stable Diffusion."""

import dataclasses
import json

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("diffusers")

import tiny_biggan  # noqa: E402
import tiny_walks  # noqa: E402

from spectrogrand import build  # noqa: E402
from spectrogrand.errors import CandidateError, InvalidValue, MissingExtra, SpectrograndError  # noqa: E402
from spectrogrand.models.biggan import Network, layout  # noqa: E402
from spectrogrand.plugins.generators.videos import biggan as biggan_plugin  # noqa: E402
from spectrogrand.plugins.generators.videos.diffusion_latents import directions, mixed  # noqa: E402
from spectrogrand.walks.classes import class_names  # noqa: E402
from spectrogrand.walks.latents import still_walk  # noqa: E402

PUBLISHED = {
    128: [[False, 16, 16], [True, 16, 16], [False, 16, 16], [True, 16, 8], [False, 8, 8], [True, 8, 4], [False, 4, 4],
          [True, 4, 2], [False, 2, 2], [True, 2, 1]],
    512: [[False, 16, 16], [True, 16, 16], [False, 16, 16], [True, 16, 8], [False, 8, 8], [True, 8, 8], [False, 8, 8],
          [True, 8, 4], [False, 4, 4], [True, 4, 2], [False, 2, 2], [True, 2, 1], [False, 1, 1], [True, 1, 1]],
}  # fmt: skip


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory):
    home = tmp_path_factory.mktemp("walks")
    return {name: tiny_walks.folder(home, name) for name in ("biggan", "diffusion_latents")}


@pytest.fixture
def moving():
    """Half a second through three classes; every vector differs from the last."""
    rng = np.random.default_rng(0)
    found = still_walk([30, 7, 954], 22)
    noise = np.cumsum(rng.normal(0, 0.2, (22, 128)), axis=0)
    return dataclasses.replace(
        found, noise=noise.astype(np.float32), weights=rng.random((22, 3)).astype(np.float32), truncation=0.4
    )


@pytest.mark.parametrize("row", [50, 20, 7])
def test_biggan_equals_plain_modules(row):
    """7 / 50 is where the published rounding takes the statistics of 8 / 50."""
    plain = tiny_biggan.plain()
    ours = Network(tiny_biggan.CONFIG, plain.state_dict())
    torch.manual_seed(1)
    noise, classes = torch.randn(3, 128), torch.rand(3, 1000)
    with torch.inference_mode():
        want, got = plain(noise, classes, row), ours(noise, classes, row / 50)
    assert want.shape == got.shape == (3, 3, 128, 128)
    assert want.std() > 0.1
    assert torch.allclose(want, got, atol=2e-5)


def test_statistics_between_two_truncations_lie_nearer_to_the_nearer_one():
    ours = Network(tiny_biggan.CONFIG, tiny_biggan.plain().state_dict())
    means = ours._w["generator.bn.running_means"]
    got = ours._statistics("generator.bn", 0.405)[0]
    assert torch.allclose(got, 0.75 * means[20] + 0.25 * means[21], atol=1e-5)


@pytest.mark.parametrize("resolution", PUBLISHED)
def test_the_published_sizes(resolution):
    config = {**tiny_biggan.CONFIG, "channel_width": 128, "layers": PUBLISHED[resolution]}
    found = layout(config)
    count = sum(int(np.prod(s)) for k, s in found.items() if k.rpartition(".")[2] not in ("weight_u", "weight_v"))
    statistics = sum(int(np.prod(s)) for k, s in found.items() if "running" in k)
    # the README of the published weights says 50.4 and 56.2 million parameters
    assert round((count - statistics) / 1e6, 1) == {128: 50.4, 512: 56.2}[resolution]


def test_other_weights_and_configs_are_named(tmp_path):
    state = tiny_biggan.plain().state_dict()
    with pytest.raises(InvalidValue, match="missing: generator.layers.8.gamma"):
        Network(tiny_biggan.CONFIG, {k: v for k, v in state.items() if not k.endswith("gamma")})
    with pytest.raises(InvalidValue, match="unknown: extra"):
        Network(tiny_biggan.CONFIG, {**state, "extra": torch.ones(1)})
    with pytest.raises(InvalidValue, match="other shapes: embeddings.weight is"):
        Network(tiny_biggan.CONFIG, {**state, "embeddings.weight": torch.ones(2, 2)})
    with pytest.raises(InvalidValue, match="not finite in embeddings.weight"):
        Network(tiny_biggan.CONFIG, {**state, "embeddings.weight": torch.full((128, 1000), torch.nan)})
    with pytest.raises(InvalidValue, match="takes 64 noise and 1000 class"):
        Network({**tiny_biggan.CONFIG, "z_dim": 64}, state)
    with pytest.raises(InvalidValue, match="not BigGAN-deep's"):
        Network({"z_dim": 128}, state)
    place = tiny_biggan.save(tmp_path / "torn")
    (place / "model.safetensors").write_bytes(b"torn")
    with pytest.raises(InvalidValue, match="torn"):
        Network.load(place)


def test_biggan_receives_the_walk(checkpoints, moving, monkeypatch):
    given = []
    real = Network.__call__

    def spy(self, noise, classes, truncation):
        given.append((noise.numpy().copy(), classes.numpy().copy(), truncation))
        return real(self, noise, classes, truncation)

    monkeypatch.setattr(Network, "__call__", spy)
    made = build(
        "generators",
        {"name": "biggan", "weights": str(checkpoints["biggan"]), "resolution": 128, "fps": 20, "batch_size": 4},
    )
    frames = list(made.generate([moving], [0])[0])
    assert [len(n) for n, _, _ in given] == [4, 4, 3]
    want = moving.at(np.arange(11) / 20)
    assert np.array_equal(np.concatenate([n for n, _, _ in given]), want.noise)
    classes = np.concatenate([c for _, c, _ in given])
    assert np.array_equal(classes[:, [30, 7, 954]], want.weights)
    assert np.count_nonzero(classes.sum(axis=0)) == 3
    assert {t for _, _, t in given} == {0.4}
    with torch.inference_mode():
        # row 20 of 50 is truncation 0.4
        plain = tiny_biggan.plain()(torch.from_numpy(want.noise[:1]), torch.from_numpy(want.class_vectors()[:1]), 20)
    drawn = ((plain[0].permute(1, 2, 0).numpy() + 1) / 2 * 256).clip(0, 255).astype(np.uint8)
    assert np.abs(drawn.astype(int) - frames[0]).max() <= 1


def test_biggan_halves_what_does_not_fit(checkpoints, moving, monkeypatch):
    real, sizes = Network.__call__, []

    def small(self, noise, classes, truncation):
        sizes.append(len(noise))
        if len(noise) > 2:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes")
        return real(self, noise, classes, truncation)

    options = {"name": "biggan", "weights": str(checkpoints["biggan"]), "resolution": 128, "fps": 10, "batch_size": 6}
    want = list(build("generators", options).generate([moving], [0])[0])
    monkeypatch.setattr(Network, "__call__", small)
    got = list(build("generators", options).generate([moving], [0])[0])
    assert max(sizes) == 6
    assert max(np.abs(a.astype(int) - b).max() for a, b in zip(want, got, strict=True)) <= 1


def test_biggan_is_asked_for_what_it_is(checkpoints, moving, tmp_path):
    with pytest.raises(InvalidValue, match="draw 128 pixels, not 512: set walk.resolution=128"):
        wrong = build("generators", {"name": "biggan", "weights": str(checkpoints["biggan"]), "resolution": 512})
        next(iter(wrong.generate([moving], [0])[0]))
    with pytest.raises(InvalidValue, match=r"resolutions \(128, 256, 512\), got 64"):
        build("generators", {"name": "biggan", "resolution": 64})
    with pytest.raises(MissingExtra, match="spectrogrand fetch biggan"):
        build("generators", {"name": "biggan", "weights": str(tmp_path)}).generate([moving], [0])
    large = build("generators", {"name": "biggan", "weights": str(tmp_path), "resolution": 512})
    files = [w.source.short.rpartition("biggan-deep-")[2] for w in large.card.weights]
    assert files == ["512-config.json", "512-pytorch_model.bin"] and large.card.weights == type(large).card.weights
    with pytest.raises(MissingExtra, match="finds no biggan-deep-512: spectrogrand fetch biggan, or set"):
        large.generate([moving], [0])
    small = build("generators", {"name": "biggan", "weights": str(tmp_path), "resolution": 256})
    with pytest.raises(
        MissingExtra, match="finds no biggan-deep-256: spectrogrand fetch biggan resolution=256, or set"
    ):
        small.generate([moving], [0])
    named = tmp_path / "biggan-deep-128"
    tiny_biggan.save(named)
    made = build("generators", {"name": "biggan", "weights": str(tmp_path), "resolution": 128, "size": 32, "fps": 4})
    assert [f.shape for f in made.generate([moving], [0])[0]] == [(32, 32, 3)] * 3
    for place in (checkpoints["biggan"], tmp_path):  # what is fetched draws 128 pixels, and nobody has to say so
        made = build("generators", {"name": "biggan", "weights": str(place), "fps": 1})
        made.inspect()
        (frames,) = made.generate([moving], [0])
        assert frames.size == (128, 128) and next(iter(frames)).shape == (128, 128, 3)


def test_frames_that_are_not_finite_are_an_error(moving, monkeypatch, checkpoints):
    made = build("generators", {"name": "biggan", "weights": str(checkpoints["biggan"]), "resolution": 128})
    monkeypatch.setattr(
        biggan_plugin.BigGAN, "model", lambda self: lambda n, c, t: torch.full((len(n), 3, 128, 128), torch.nan)
    )
    with pytest.raises(CandidateError, match="not finite: try walk.dtype=float32"):
        next(iter(made.generate([moving], [0])[0]))


def test_a_class_is_sampled_once_from_its_name_and_decoded(checkpoints, moving, monkeypatch):
    made = build("generators", {
        "name": "diffusion_latents", "weights": str(checkpoints["diffusion_latents"]), "size": 32, "fps": 10, "steps": 3,
        "guidance": 4.5, "prompt": "oil painting of {name}", "negative_prompt": "grey", "noise": 0.5, "batch_size": 3,
    })  # fmt: skip
    vae, pipeline = made.model()
    calls, decoded = [], []
    real, decode = type(pipeline).__call__, vae.decode

    def spy(self, **options):
        calls.append(options)
        return real(self, **options)

    def tell(latents):
        decoded.append(latents.clone())
        return decode(latents)

    monkeypatch.setattr(type(pipeline), "__call__", spy)
    monkeypatch.setattr(vae, "decode", tell)
    frames = list(made.generate([moving], [5])[0])
    assert [c["prompt"] for c in calls] == [f"oil painting of {class_names()[k]}" for k in (30, 7, 954)]
    for c in calls:
        told = (
            c["negative_prompt"],
            c["num_inference_steps"],
            c["guidance_scale"],
            c["height"],
            c["width"],
            c["output_type"],
        )
        assert told == ("grey", 3, 4.5, 32, 32, "latent")
    assert len({c["generator"].initial_seed() for c in calls}) == 3
    assert [len(x) for x in decoded] == [3, 3]
    assert len(frames) == 6
    assert frames[0].shape == (32, 32, 3)
    # what was decoded is the mix of what was sampled, moved by the noise
    anchors = np.stack([
        real(pipeline, **{**c, "generator": torch.Generator().manual_seed(c["generator"].initial_seed())}).images[0].numpy()
        for c in calls
    ])  # fmt: skip
    at = moving.at(np.arange(6) / 10)
    moved = np.tensordot(at.noise * 0.5 / np.sqrt(128), directions(5, anchors.shape[1:]), 1)
    want = (mixed(at.weights, anchors) + moved) / vae.config.scaling_factor
    assert np.allclose(torch.cat(decoded).numpy(), want, atol=1e-4)


def test_an_autoencoder_alone_will_do(checkpoints, moving):
    options = {"name": "diffusion_latents", "size": 32, "fps": 4}
    made = build("generators", {**options, "weights": str(checkpoints["diffusion_latents"] / "vae")})
    one, other = ([f.copy() for f in made.generate([moving], [seed])[0]] for seed in (1, 2))
    assert len(one) == 3
    assert np.abs(one[0].astype(int) - other[0]).max() > 0
    assert np.abs(one[0].astype(int) - one[-1]).max() > 0


def test_mixing_keeps_the_variance():
    anchors = np.random.default_rng(0).normal(size=(12, 4, 32, 32)).astype(np.float32)
    assert mixed(np.ones((1, 12), np.float32), anchors).std() == pytest.approx(1, abs=0.05)
    alone = np.zeros((1, 12), np.float32)
    alone[0, 3] = 0.2
    assert np.allclose(mixed(alone, anchors)[0], anchors[3], atol=1e-3)


def test_bad_settings_of_diffusion_latents(checkpoints):
    for options, message in (
        ({"prompt": "a cat"}, "{name}"),
        ({"size": 30}, "multiples of 8"),
        ({"noise": 2.0}, "noise as a number"),
    ):
        with pytest.raises(SpectrograndError, match=message):
            build("generators", {"name": "diffusion_latents", **options})
    index = json.loads((checkpoints["diffusion_latents"] / "model_index.json").read_text())
    assert index["unet"], "the tiny checkpoint is a whole pipeline"
