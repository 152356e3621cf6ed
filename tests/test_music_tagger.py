"""music_tagger and tag_danceability: the network against torch's layers, on real tracks, and with weights of another network."""

import numpy as np
import pytest

from spectrogrand import Audio, Topic, build, media
from spectrogrand.errors import InvalidValue, MissingExtra
from spectrogrand.models.music_tagger import (
    FILE,
    POOLS,
    RATE,
    TAGS,
    WINDOW,
    MusicTagger,
    mel_decibels,
    read,
    shapes,
    windows,
)

h5py = pytest.importorskip("h5py")


@pytest.fixture(scope="module")
def random_weights(tmp_path_factory):
    """A file in the published layout: groups by layer, names ending in :0, running deviations around 1."""
    folder = tmp_path_factory.mktemp("tagger")
    rng = np.random.default_rng(0)
    with h5py.File(folder / FILE, "w") as file:
        for name, shape in shapes().items():
            fan = np.prod(shape[1:]) if len(shape) > 1 else 4
            values = rng.standard_normal(shape).astype(np.float32) / np.sqrt(fan)
            layer = name.split("_")[0] if not name.startswith("bn_0") else "bn_0_freq"
            file[f"{layer}/{name}:0"] = 1 + 0.1 * values if name.endswith(("std", "gamma")) else values
    return folder


@pytest.fixture(scope="module")
def tagger(shared):
    return MusicTagger(str(shared / "models/music_tagger"))


def noise(seconds, rate=RATE):
    return Audio((0.2 * np.random.default_rng(3).standard_normal((1, int(seconds * rate)))).astype(np.float32), rate)


def test_the_network_is_what_torch_makes_of_the_same_arrays(random_weights):
    torch = pytest.importorskip("torch")
    functional = torch.nn.functional
    arrays = {k: torch.from_numpy(v) for k, v in read(random_weights / FILE).items()}
    song = noise(29.12)

    def norm(x, name, axis):
        mean, std = arrays[f"{name}_running_mean"], arrays[f"{name}_running_std"]
        moved = x.transpose(axis, 1)
        made = functional.batch_norm(
            moved, mean, (std + 1e-6) ** 2, arrays[f"{name}_gamma"], arrays[f"{name}_beta"], training=False, eps=0.0
        )
        return made.transpose(axis, 1)

    x = norm(torch.from_numpy(mel_decibels(windows(song)[0]))[None, None], "bn_0_freq", 3)
    for k, pool in enumerate(POOLS, 1):
        x = functional.conv2d(x, arrays[f"conv{k}_W"], arrays[f"conv{k}_b"], padding=1)
        x = functional.max_pool2d(functional.elu(norm(x, f"bn{k}", 1)), pool)
    expected = x.flatten(1)
    ours = MusicTagger(str(random_weights))
    assert np.allclose(ours.features(song), expected.numpy(), atol=2e-4)
    probabilities = torch.sigmoid(expected @ arrays["output_W"] + arrays["output_b"])[0]
    assert np.allclose(ours.probabilities(song), probabilities.numpy(), atol=1e-4)


def test_windows_cover_a_long_sound_evenly_and_a_short_one_is_repeated():
    ramp = Audio(np.arange(3 * WINDOW - 9, dtype=np.float32)[None] / 1e7, RATE)
    parts = windows(ramp)
    assert [p[0] * 1e7 for p in parts] == pytest.approx([0, WINDOW - 4.5, 2 * WINDOW - 9], abs=1)
    assert parts[-1][-1] == ramp.samples[0, -1]
    short = windows(Audio(ramp.samples[:, :1000], RATE))
    assert len(short) == 1 and np.array_equal(short[0][1000:2000], ramp.samples[0, :1000])


def test_a_pure_tone_fills_its_own_mel_band_and_silence_is_zeros():
    tone = np.sin(2 * np.pi * 1500 * np.arange(WINDOW) / RATE).astype(np.float32)
    picture = mel_decibels(tone)
    assert picture.shape == (96, 1366)
    assert abs(float(picture.mean())) < 1e-3 and float(picture.std()) == pytest.approx(1, abs=1e-3)
    import librosa

    centres = librosa.mel_frequencies(98, fmin=0, fmax=RATE / 2)[1:-1]
    assert abs(centres[picture[:, 700].argmax()] - 1500) < 60
    assert not mel_decibels(np.zeros(WINDOW, np.float32)).any()


def test_house_is_heard_as_house_and_other_sound_is_not(tagger, shared):
    house = [
        build("generators", {"name": "house_synth", "genre": g, "duration": 20.0}).generate([Topic("neon city")], [3])[
            0
        ]
        for g in ("future", "bass")
    ]
    house.append(media.load_audio(shared / "data/demo/spaceships_static.mp4"))
    track = media.load_audio(shared / "data/audio/outfoxing.mp3")  # slow electronic chamber music, no house
    other = [Audio(track.samples[:, : 40 * track.rate], track.rate), noise(10), speech_like(), jazz_like()]
    scores = build("scorers", {"name": "tag_danceability", "weights": tagger.weights}).score([*house, *other])
    assert min(scores[:3]) > 2 * max(scores[3:])
    for sound in house:
        best = list(tagger.tags(sound))[:4]
        assert {"dance", "electronic"} <= set(best)
    assert "electronic" in list(tagger.tags(other[0]))[:3]
    loop = tagger.tags(media.load_audio(shared / "data/audio/loop_mika.flac"))
    assert next(iter(loop)) == "electronic" and loop["House"] > 3 * loop["jazz"]


def speech_like(seconds=10.0):
    """A voice by formula: pulses at 90 to 150 Hz through two slow formants, in syllables."""
    t = np.arange(int(seconds * RATE)) / RATE
    phase = np.cumsum(120 + 30 * np.sin(2 * np.pi * 0.7 * t)) / RATE
    voice = sum(
        np.exp(-((120 * h - 500 - 200 * np.sin(2 * np.pi * 1.3 * t)) ** 2) / 4e5) * np.sin(2 * np.pi * h * phase)
        for h in range(1, 25)
    )
    return Audio((0.2 * voice * np.clip(np.sin(2 * np.pi * 3.1 * t), 0, 1))[None].astype(np.float32), RATE)


def jazz_like(seconds=10.0):
    """A walking bass and swung brushes, no kick."""
    t = np.arange(int(seconds * RATE)) / RATE
    note = (t * 140 / 60).astype(int)
    pitch = 55 * 2 ** (np.array([0, 3, 7, 10, 12, 10, 7, 5])[note % 8] / 12)
    since = t - note * 60 / 140
    bass = np.exp(-since / 0.3) * sum(np.sin(2 * np.pi * h * np.cumsum(pitch) / RATE) / h for h in (1, 2, 3))
    swing = np.minimum(since, np.abs(since - 2 / 3 * 60 / 140))
    brush = 0.15 * np.exp(-swing / 0.03) * np.random.default_rng(1).standard_normal(len(t))
    return Audio((0.3 * bass + brush)[None].astype(np.float32), RATE)


def test_fifty_tags_in_order_of_probability(tagger):
    tags = tagger.tags(noise(3))
    assert set(tags) == set(TAGS) and len(TAGS) == 50
    assert list(tags.values()) == sorted(tags.values(), reverse=True)


def test_embedding_is_a_unit_vector_that_knows_the_same_song_again(tagger, shared):
    embedder = build("embedders", {"name": "music_tagger", "weights": tagger.weights})
    track = media.load_audio(shared / "data/audio/outfoxing.mp3")
    here, there = (Audio(track.samples[:, s * track.rate : (s + 20) * track.rate], track.rate) for s in (10, 50))
    kick = media.load_audio(shared / "data/audio/808kick120bpm.mp3")
    vectors = embedder.embed([here, there, kick])
    assert vectors.shape == (3, 256) and np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.05


def test_novelty_reads_its_embeddings(tagger, tmp_path):
    from safetensors.numpy import save_file

    embedder = {"name": "music_tagger", "weights": tagger.weights}
    song = noise(2)
    save_file({"own": np.repeat(build("embedders", embedder).embed([song]), 3, axis=0)}, tmp_path / "own.safetensors")
    scorer = build(
        "scorers", {"name": "novelty", "embedder": embedder, "references": str(tmp_path / "own.safetensors")}
    )
    assert scorer.score([song])[0] == pytest.approx(0, abs=1e-5)
    assert scorer.score([speech_like(2.0)])[0] > 0.05


def test_without_weights_one_line_says_where_to_get_them(tmp_path, monkeypatch):
    monkeypatch.setenv("SPECTROGRAND_WEIGHTS", str(tmp_path))
    with pytest.raises(MissingExtra, match=r"tag_danceability needs music_tagger_cnn.*weights=FOLDER"):
        build("scorers", "tag_danceability").score([noise(1)])


@pytest.mark.parametrize("spoil, said", [
    (lambda f: f.pop("output/output_b:0"), "output_b is missing"),
    (lambda f: (f.pop("conv1/conv1_b:0"), f.update({"conv1/conv1_b:0": np.zeros(31, np.float32)})), r"conv1_b is \(31,\)"),
    (lambda f: f.update({"bn1/bn1_beta:0": np.full(32, np.nan, np.float32)}), "bn1_beta is not finite"),
])  # fmt: skip
def test_another_networks_file_is_named(random_weights, tmp_path, spoil, said):
    with h5py.File(random_weights / FILE) as file:
        arrays = {f"{g}/{n}": np.array(v) for g in file for n, v in file[g].items()}
    spoil(arrays)
    with h5py.File(tmp_path / FILE, "w") as file:
        for name, value in arrays.items():
            file[name] = value
    with pytest.raises(InvalidValue, match=said):
        MusicTagger(str(tmp_path)).features(noise(1))


def test_a_torn_file_and_a_sound_that_is_not_finite(random_weights, tmp_path):
    (tmp_path / FILE).write_bytes((random_weights / FILE).read_bytes()[:3000])
    with pytest.raises(InvalidValue, match="torn or no HDF5"):
        MusicTagger(str(tmp_path)).features(noise(1))
    with pytest.raises(InvalidValue, match="finite"):
        MusicTagger(str(random_weights)).features(Audio(np.full((1, 100), np.nan, np.float32), RATE))


def test_a_reference_set_is_made_and_used_from_the_command_line(tagger, tmp_path, capsys):
    from spectrogrand.__main__ import main

    for k, sound in enumerate((noise(1), speech_like(1.0))):
        media.save_audio(tmp_path / f"{k}.wav", sound)
    out = tmp_path / "out" / "own.safetensors"
    out.parent.mkdir()
    chosen = ["embedder=music_tagger", f"embedder.weights={tagger.weights}"]
    assert main(["reference", str(tmp_path), str(out), *chosen]) == 0 and "2 songs" in capsys.readouterr().out
    embedder = {"name": "music_tagger", "weights": tagger.weights}
    scorer = build("scorers", {"name": "novelty", "embedder": embedder, "references": str(out)})
    vectors = build("embedders", embedder).embed([noise(1), speech_like(1.0)])
    expected = (1 - vectors[0] @ vectors[1]) / 2
    assert scorer.score([noise(1)])[0] == pytest.approx(expected, abs=0.03)  # 16 bits are heard between the syllables
