"""CLAP and its two scorers on a tiny checkpoint in the hub's layout: what the network hears, and the published numbers."""

from __future__ import annotations

import json

import numpy as np
import pytest

from spectrogrand import Audio, build
from spectrogrand.errors import ConfigError, InvalidValue, MissingExtra, PluginError
from spectrogrand.plugins.embedders import clap
from spectrogrand.testing import check_embedder, check_scorer

pytest.importorskip("transformers")
torch = pytest.importorskip("torch")
import tiny_clap  # noqa: E402

RATE = 22050


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights")
    tiny_clap.write_clap(folder / "clap")
    tiny_clap.write_references(folder / "clap_novelty")
    return folder


def song(seed, seconds=2.0, rate=RATE, channels=1):
    t = np.arange(int(seconds * rate)) / rate
    tone = np.sin(2 * np.pi * 220 * (seed + 1) * t) * np.exp(-(t % (0.3 + 0.2 * seed)) / 0.1)
    hiss = np.random.default_rng(seed).standard_normal(len(t)) * 0.02 * seed
    return Audio(np.tile((0.5 * tone + hiss).astype(np.float32), (channels, 1)), rate)


def made(weights, **settings):
    return build("embedders", {"name": "clap", "weights": str(weights), "device": "cpu", **settings})


def heard_by(part, monkeypatch):
    """What the processor and the network were given, collected while `part` works."""
    model, processor = part._load()
    seen = {"processor": [], "network": []}

    class Spy:
        tokenizer = processor.tokenizer

        def __call__(self, **given):
            seen["processor"].append(given)
            return processor(**given)

    plain = model.get_audio_features
    monkeypatch.setattr(model, "get_audio_features", lambda **g: seen["network"].append(g) or plain(**g))
    part._loaded = model, Spy()
    return seen


def test_contract(weights):
    check_embedder(lambda: made(weights), [song(0), song(1, 1.0), song(2, 11.5)])


def test_embeddings_are_unit_vectors_that_tell_songs_apart(weights):
    rows = made(weights).embed([song(0), song(1), song(3)])
    assert rows.dtype == np.float32 and rows.shape == (3, tiny_clap.CLAP_AXES)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)
    assert np.max(rows @ rows.T - np.eye(3)) < 0.9999


def test_the_network_hears_48_khz_mono_in_unit_range(weights, monkeypatch):
    part = made(weights)
    seen = heard_by(part, monkeypatch)
    stereo = song(1, 1.5, 44100, 2)
    loud = Audio(np.stack([stereo.samples[0] * 5, stereo.samples[1] * 0]), 44100)
    part.embed([loud])
    given = seen["processor"][0]
    assert set(given) == {"audio", "sampling_rate", "return_tensors"} and given["sampling_rate"] == 48000
    (samples,) = given["audio"]
    assert samples.shape == (72000,) and samples.dtype == np.float32
    assert np.abs(samples).max() == 1.0  # 5 x 0.5 / 2 channels = 1.25, clipped
    quiet = clap.heard(Audio(np.full((2, 44100), 0.25, np.float32), 44100))
    np.testing.assert_allclose(quiet[1000:-1000], 0.25, atol=1e-4)


def test_the_features_are_those_of_claps_own_processor(weights, monkeypatch):
    from transformers import ClapFeatureExtractor

    part = made(weights)
    seen = heard_by(part, monkeypatch)
    part.embed([song(2)])
    alone = ClapFeatureExtractor()(clap.heard(song(2)), sampling_rate=48000, return_tensors="pt")
    np.testing.assert_array_equal(seen["network"][0]["input_features"].numpy(), alone["input_features"].numpy())
    assert seen["network"][0]["input_features"].shape == (1, 4, 1001, 64)


def test_long_songs_are_cropped_the_same_way_every_time_and_numpys_generator_is_left_alone(weights):
    np.random.seed(7)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    part, long = made(weights), song(1, 13.0)
    first = part.embed([long])
    np.random.seed(8)  # noqa: NPY002
    assert np.array_equal(first, part.embed([song(0), long])[1:])
    np.random.seed(7)  # noqa: NPY002
    part.embed([long])
    assert np.array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_a_song_with_nan_is_nan_and_the_others_are_not(weights):
    torn = Audio(np.full((1, RATE), np.nan, np.float32), RATE)
    rows = made(weights).embed([torn, song(0)])
    assert np.isnan(rows[0]).all() and np.isfinite(rows[1]).all()


def test_text_is_embedded_as_the_model_itself_does(weights):
    part = made(weights)
    rows = part.embed_text(["a calm sea", "an angry machine"])
    model, processor = part._load()
    with torch.inference_mode():
        read = processor.tokenizer(["an angry machine"], return_tensors="pt")
        expected = model.get_text_features(**read).pooler_output.numpy()[0]
    np.testing.assert_allclose(rows[1], expected / np.linalg.norm(expected), atol=1e-5)
    assert abs(rows[0] @ rows[1]) < 0.9999


def test_bfloat16_is_near_float32(weights):
    exact, fast = (made(weights, dtype=d).embed([song(1)])[0] for d in ("float32", "bfloat16"))
    assert 0.9 < exact @ fast


# -- scorers -----------------------------------------------------------------------------------------------------------


def scorer(name, folder, **settings):
    embedder = {"name": "clap", "weights": str(folder), "device": "cpu"}
    return build("scorers", {"name": name, "embedder": embedder, **settings})


def test_contract_of_the_scorers(weights):
    songs = [song(0), song(1), song(2)]
    check_scorer(lambda: scorer("clap_novelty", weights, weights=str(weights)), songs, tolerance=1e-6)
    check_scorer(lambda: scorer("clap_alignment", weights, topic="a calm sea"), songs, tolerance=1e-6)


def test_the_published_table_from_the_given_embeddings(shared):
    from safetensors.numpy import load_file

    folder = shared / "data/housex_clap"
    published = json.loads((folder / "published_mean_similarity.json").read_text())["audioldm2_raw_200"]
    songs = load_file(folder / "audioldm2_raw_200.safetensors")
    for genre, similarity in published.items():
        references = str(folder / "ground_truth.safetensors")
        part = build("scorers", {"name": "clap_novelty", "references": references, "reference": genre.split("_")[0]})
        assert round(1 - float(part.score_embeddings(songs[genre]).mean()), 3) == similarity
        assert part.reference().count == 40
    whole = build("scorers", {"name": "clap_novelty", "references": str(folder / "ground_truth.safetensors")})
    assert whole.reference().count == 160 and whole.reference_scores().shape == (160,)
    assert whole.card.weights == ()


def test_novelty_on_sound_is_one_minus_the_mean_cosine(weights):
    from safetensors.numpy import load_file

    part = scorer("clap_novelty", weights, weights=str(weights), reference="bass")
    rows = load_file(weights / "clap_novelty/clap_fused_housex_saved_embeds_dict.safetensors")["bass_house"]
    vector = made(weights).embed([song(2)])[0]
    assert part.score([song(2)])[0] == pytest.approx(1 - float((rows @ vector).mean()), abs=1e-6)


def test_alignment_is_the_cosine_with_the_prompt(weights):
    part = scorer("clap_alignment", weights, topic="a calm sea", prompt="house music for {topic}")
    embedder = made(weights)
    expected = embedder.embed([song(1)])[0] @ embedder.embed_text(["house music for a calm sea"])[0]
    assert part.score([song(1)])[0] == pytest.approx(float(expected), abs=1e-6)
    other = scorer("clap_alignment", weights, topic="an angry machine").score([song(1)])[0]
    assert other != pytest.approx(float(expected), abs=1e-4)


def test_alignment_says_what_it_lacks(weights):
    with pytest.raises(ConfigError, match="needs topic"):
        scorer("clap_alignment", weights, topic=None)
    with pytest.raises(ConfigError, match="no {topic} in it"):
        scorer("clap_alignment", weights, topic="sea", prompt="house music")
    part = build("scorers", {"name": "clap_alignment", "topic": "sea", "embedder": "timbre_rhythm"})
    with pytest.raises(PluginError, match="'timbre_rhythm' embeds no text"):
        part.score([song(0)])


# -- bad input ---------------------------------------------------------------------------------------------------------


def test_no_weights_name_the_command(tmp_path, monkeypatch):
    monkeypatch.setenv("SPECTROGRAND_WEIGHTS", str(tmp_path / "none"))
    with pytest.raises(MissingExtra, match=r"laion/clap-htsat-fused.*spectrogrand fetch clap"):
        build("embedders", "clap").embed([song(0)])
    part = build("scorers", {"name": "clap_novelty", "weights": str(tmp_path)})
    with pytest.raises(MissingExtra, match="spectrogrand fetch clap_novelty"):
        part.reference()


def copied(weights, tmp_path):
    import shutil

    return shutil.copytree(weights / "clap", tmp_path / "clap")


def test_a_torn_checkpoint(weights, tmp_path):
    folder = copied(weights, tmp_path)
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[:5000])
    with pytest.raises(
        InvalidValue, match="model.safetensors is torn .*sha256 is [0-9a-f]{64}.*spectrogrand fetch clap"
    ):
        made(tmp_path).embed([song(0)])


def test_another_architecture_is_named_by_its_keys_and_shapes(weights, tmp_path):
    from safetensors.torch import load_file, save_file

    folder = copied(weights, tmp_path)
    tensors = load_file(folder / "model.safetensors")
    dropped = "audio_projection.linear1.weight"
    grown = "text_projection.linear1.weight"
    tensors[grown] = torch.zeros(3, 3)
    tensors["decoder.weight"] = tensors.pop(dropped)
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    shapes = f"other shapes: {grown} is \\(3, 3\\), not .*"
    message = f"no ClapModel of this architecture; missing: {dropped}; {shapes}; unknown: decoder.weight"
    with pytest.raises(InvalidValue, match=message):
        made(tmp_path).embed([song(0)])


def test_weights_that_are_not_finite_and_another_kind_of_model(weights, tmp_path):
    from safetensors.torch import load_file, save_file

    folder = copied(weights, tmp_path)
    tensors = load_file(folder / "model.safetensors")
    tensors["audio_projection.linear2.bias"][0] = float("nan")
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(InvalidValue, match="not finite in audio_projection.linear2.bias"):
        made(tmp_path).embed([song(0)])
    about = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**about, "model_type": "bert"}))
    with pytest.raises(InvalidValue, match="holds a 'bert' model, not 'clap'"):
        made(tmp_path).embed([song(0)])
