"""Class and noise vectors against the published procedure, derived anew frame by frame; what its defects were; bad sound."""

import dataclasses
from fractions import Fraction

import librosa
import numpy as np
import pytest

from spectrogrand import Audio, load_audio
from spectrogrand.audio import chroma as cq
from spectrogrand.audio.stft import analysis_blocks
from spectrogrand.errors import InvalidValue
from spectrogrand.types import frame_count
from spectrogrand.walks import class_vectors as cv
from spectrogrand.walks import noise_vectors as nv
from spectrogrand.walks.latent_files import load, save
from spectrogrand.walks.latents import LatentWalk, measure, rises, still_walk, walk

RATE = 22050


def tune(seconds=12.0, seed=0):
    """Chords that change, a beat, a swell: shape=(1, time) at 22,050 Hz."""
    rng = np.random.default_rng(seed)
    t = np.arange(int(seconds * RATE)) / RATE
    steps = np.array([0, 4, 7, 9, 2, 5, 11, 3, 8])[(t * 1.7).astype(int) % 9]
    hertz = 220 * 2 ** (steps / 12)
    phase = 2 * np.pi * np.cumsum(hertz) / RATE
    chord = sum(np.sin(k * phase) / k for k in (1, 1.25, 1.5, 2))
    kick = np.exp(-(t % 0.5) / 0.05) * np.sin(2 * np.pi * 60 * (t % 0.5))
    y = (0.2 + 0.15 * np.sin(0.6 * t)) * chord / 3 + 0.5 * kick + 0.003 * rng.standard_normal(len(t))
    y -= y.mean()  # a constant offset is taken off before anything is measured
    return Audio(y[None].astype(np.float32), RATE)


def derived(audio, classes, *, first, jitters, pitch=220, tempo=0.25, truncation=1.0, frame_length=512, mended=False):
    """The published visualizer's vectors, one frame and one class at a time, from librosa's features.

    `mended` repairs what its notes in the design call wrong: every vector is an array of its own, the smallest class is the
    smallest, the first vector follows the same pitch classes as the others, the border is never nearer than the truncation.
    """
    y = audio.samples[0]
    mel = librosa.feature.melspectrogram(y=y, sr=RATE, n_mels=128, fmax=8000, hop_length=frame_length).mean(axis=0)
    slope = np.gradient(mel)
    loud = np.clip(slope / slope.max(), 0, None) + (mel - mel.min()) / (mel.max() - mel.min())
    chroma = librosa.feature.chroma_cqt(y=y, sr=RATE, hop_length=frame_length)
    pitches = np.argsort(chroma.mean(axis=1))[::-1]
    sensitivity, step = (300 - pitch) * 512 / frame_length, tempo * frame_length / 512
    start = min(int(np.nonzero(row > 0)[0][0]) for row in chroma)
    vector = np.zeros(1000)
    for rank, p in enumerate(pitches[: len(classes)]):
        vector[classes[p if len(classes) == 12 and not mended else rank]] = chroma[p][start]
    noise, direction, last = np.array(first, float), np.where(np.asarray(first) < 0, 1, -1), np.zeros(128)
    border = 2 * truncation - (min(step, truncation) if mended else step)
    class_rows, noise_rows = [vector], [noise]
    for f in range(len(loud)):
        last = (step * loud[f] * direction * jitters[f // 200] + 3 * last) / 4
        noise = noise + last
        noise_rows.append(noise)
        direction = np.where(noise >= border, -1, np.where(noise < -border, 1, direction))
        shared = class_rows[-1].copy() if mended else class_rows[-1]
        for rank, c in enumerate(classes):
            shared[c] += float(chroma[pitches[rank]][f]) / sensitivity / (1 + 1 / sensitivity)
        used = shared[list(classes)] if mended else shared[shared != 0]
        if np.std(used) < 1e-7:
            shared[classes[0]] += 0.01
        low = shared[list(classes)].min() if mended else min(v for v in shared if v != 0)
        if mended:
            shared = np.where(np.isin(np.arange(1000), classes), shared, low)
        else:
            shared[shared == 0] = low
        class_rows.append((shared - low) / (shared.max() - shared.min()))
    return np.array(class_rows), np.array(noise_rows)


@pytest.fixture(scope="module")
def song():
    return tune()


@pytest.mark.parametrize("count", [12, 5])
@pytest.mark.parametrize("frame_length", [512, 1024])
def test_the_published_vectors_and_their_defects(song, count, frame_length):
    classes = [int(c) for c in np.random.default_rng(1).permutation(1000)[:count]]
    found = walk(song, classes, seed=3, frame_length=frame_length, published=True)
    draws = nv.draw(3, len(found.noise) - 1, truncation=1.0, jitter=0.5)
    class_rows, noise_rows = derived(song, classes, first=draws[0], jitters=draws[1], frame_length=frame_length)
    assert np.abs(found.class_vectors() - class_rows).max() < 2e-4
    assert np.abs(found.noise - noise_rows).max() < 2e-4
    # what is wrong with them: nobody chose these classes
    strangers = np.setdiff1d(np.arange(1000), classes)
    assert (class_rows[:-1][:, strangers] > 0).all()
    assert class_rows[-1][strangers].max() == 0


@pytest.mark.parametrize(("count", "tempo", "truncation"), [(12, 0.25, 1.0), (5, 0.8, 0.5), (2, 0.05, 0.1)])
def test_the_mended_vectors(song, count, tempo, truncation):
    classes = [int(c) for c in np.random.default_rng(2).permutation(1000)[:count]]
    settings = {"tempo_sensitivity": tempo, "truncation": truncation}
    found = walk(song, classes, seed=4, jitter=0.5, smooth_factor=1, **settings)
    draws = nv.draw(4, len(found.noise) - 1, truncation=truncation, jitter=0.5)
    class_rows, noise_rows = derived(
        song, classes, first=draws[0], jitters=draws[1], tempo=tempo, truncation=truncation, mended=True
    )
    assert np.abs(found.class_vectors() - class_rows).max() < 2e-4
    inside = np.abs(noise_rows) <= 2 * truncation
    assert np.abs(found.noise - noise_rows)[inside].max() < 2e-4
    assert inside.mean() > 0.5
    assert np.abs(found.noise).max() <= 2 * truncation + 1e-6
    strangers = np.setdiff1d(np.arange(1000), classes)
    assert found.class_vectors()[:, strangers].max() == 0


def test_noise_leaves_its_range_in_the_published_way_and_is_mirrored_here():
    loudness = np.random.default_rng(0).uniform(0, 1.6, 3000)
    draws = nv.draw(0, 3000, truncation=0.4, jitter=0.5)
    before = nv.published_noise_walk(loudness, *draws, sensitivity=0.25, truncation=0.4)
    after = nv.noise_walk(loudness, *draws, sensitivity=0.25, truncation=0.4)
    assert np.abs(before).max() > 0.9
    assert np.abs(after).max() <= 0.8 + 1e-6
    out = np.abs(before) > 0.8
    assert out.any()
    assert np.allclose(after[~out], before[~out], atol=1e-5)
    assert np.allclose(np.abs(after[out]), 1.6 - np.abs(before[out]), atol=1e-5)
    assert nv.fold(np.array([2.5, -1.0, -4.5]), 0.8) == pytest.approx([-0.7, -0.6, -0.3])


@pytest.mark.parametrize("seed", range(4))
def test_blocks_of_the_class_scan_equal_the_recurrence(seed):
    rng = np.random.default_rng(seed)
    chroma = rng.random((12, 1500)) ** (1 + 4 * (seed % 2)) * (rng.random((12, 1500)) < 0.7)
    chroma[:, 300:420] = 0  # silence in the middle changes nothing
    order, sensitivity = cv.pitch_order(chroma, 9), [80.0, 5.0, 0.6, 100.0][seed]
    found = cv.class_weights(chroma, order, sensitivity)
    v = cv.first_weights(chroma, order)
    for f in range(1500):
        w = v + chroma[order, f] / (sensitivity + 1)
        v = (w - w.min()) / (w.max() - w.min())
        assert np.allclose(found[f + 1], v, atol=1e-8), f
    assert np.allclose(found[301:421], found[301], atol=1e-12)


def test_jitter_and_smoothing_have_an_effect(song):
    plain, other = (walk(song, [1, 2, 3], jitter=j) for j in (0.0, 0.9))
    assert np.abs(plain.noise - other.noise).max() > 0.1
    rough, smooth = (walk(song, [1, 2, 3], smooth_factor=s) for s in (1, 30))
    assert np.abs(np.diff(smooth.weights, axis=0)).max() < 0.5 * np.abs(np.diff(rough.weights, axis=0)).max()
    assert smooth.weights.shape == rough.weights.shape, "the published smoothing drops the last two stretches"
    line = np.linspace(0, 1, 400)[:, None]
    assert np.abs(cv.smooth(line, 20) - line)[20:-20].max() < 1e-12, "it neither leads nor stalls"


def test_classes_follow_the_strongest_pitch_or_the_scale(song):
    _, chroma = measure(song, 512)
    ranked = np.argsort(-chroma.mean(axis=1), kind="stable")
    assert cv.pitch_order(chroma, 4).tolist() == ranked[:4].tolist()
    assert cv.pitch_order(chroma, 4, by_power=False).tolist() == sorted(ranked[:4].tolist())
    a, b = (walk(song, [1, 2, 3, 4], sort_by_power=s) for s in (True, False))
    assert sorted(a.weights[-1].tolist()) == pytest.approx(sorted(b.weights[-1].tolist()))


@pytest.mark.parametrize("frame_length", [512, 1024, 64])
def test_chroma_is_librosas(frame_length):
    song = tune(3.0 if frame_length == 64 else 8.0, seed=1)
    want = librosa.feature.chroma_cqt(y=song.samples[0], sr=RATE, hop_length=frame_length)
    got = cq.chroma(song, frame_length)
    assert got.shape == want.shape
    assert np.abs(got - want).max() < 1e-5
    assert np.mean(got.argmax(axis=0) == want.argmax(axis=0)) == 1.0


def test_chroma_of_a_real_track_and_in_blocks(shared, monkeypatch):
    track = load_audio(shared / "data/audio/outfoxing.mp3")
    part = Audio(np.ascontiguousarray(track.samples[:, : 40 * track.rate]), track.rate)
    y = np.concatenate(list(analysis_blocks(part)))
    want = librosa.feature.chroma_cqt(y=y, sr=RATE)
    tuning = cq.estimate_tuning(y)
    assert tuning == pytest.approx(librosa.estimate_tuning(y=y, sr=RATE, bins_per_octave=36), abs=1e-9)
    assert np.abs(cq.chroma(part) - want).max() < 1e-5
    monkeypatch.setattr(cq, "BLOCK", 9 * RATE)
    assert np.abs(cq.chroma(part, tuning=tuning) - want).max() < 2e-3, "blocks leave no seam"


def test_power_is_librosas(song):
    mel = librosa.feature.melspectrogram(y=song.samples[0], sr=RATE, n_mels=128, fmax=8000).mean(axis=0)
    power, _ = measure(song, 512)
    assert np.abs(power - (mel - mel.min()) / np.ptp(mel)).max() < 1e-5
    assert rises(np.zeros(5)).tolist() == [0] * 5


def speech(seconds=4.0):
    """Syllables: buzzes of changing pitch through two moving formants, with pauses."""
    t = np.arange(int(seconds * RATE)) / RATE
    hertz = 110 + 30 * np.sin(2 * np.pi * 0.7 * t) + 10 * np.sin(2 * np.pi * 3 * t)
    buzz = (
        np.sign(np.sin(2 * np.pi * np.cumsum(hertz) / RATE))
        * np.maximum(0, np.sin(2 * np.pi * 4 * t))
        * (np.sin(2 * np.pi * 0.5 * t) > -0.5)
    )
    return 0.2 * buzz * (1 + np.sin(2 * np.pi * (600 + 300 * np.sin(3 * t)) * t))


def rubato(seconds=6.0):
    """Notes whose distances grow and shrink."""
    y, at = np.zeros(int(seconds * RATE)), 0.0
    while at < seconds - 0.4:
        n = np.arange(int(0.3 * RATE))
        y[int(at * RATE) : int(at * RATE) + len(n)] += (
            0.4 * np.exp(-n / 3000) * np.sin(2 * np.pi * 330 * (1 + int(at) / 8) * n / RATE)
        )
        at += 0.25 + 0.35 * (1 + np.sin(2.3 * at)) / 2
    return y


BAD = {
    "silence": np.zeros(3 * RATE), "a click": np.eye(1, 2 * RATE, RATE)[0], "ten milliseconds": 0.3 * np.sin(np.arange(220) / 9),
    "one sample": np.ones(1), "speech": speech(), "rubato": rubato(), "a constant": np.full(RATE, 0.5),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD)
def test_any_sound_gives_finite_vectors(what):
    sound = Audio(BAD[what][None].astype(np.float32), RATE)
    for count in (1, 2, 12):
        found = walk(sound, list(range(count)), seed=1)
        assert len(found.noise) == 2 + len(BAD[what]) // 512
        assert np.abs(found.noise).max() <= 2
        assert found.weights.min() >= 0
        assert found.weights.max() <= 1 + 1e-6
        assert (found.weights.max(axis=1) > 0).all(), "some class is always shown"
    if what == "silence":
        assert (found.noise == found.noise[0]).all()
        with pytest.raises(InvalidValue, match="makes no numbers of silence"):
            walk(sound, [1], published=True)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"pitch_sensitivity": 300}, "pitch_sensitivity is a number from 200 to 295, got 300"),
        ({"tempo_sensitivity": 0.9}, "tempo_sensitivity is a number from 0.05 to 0.8"),
        ({"jitter": -0.1}, "jitter is a number from 0 to 1"),
        ({"truncation": 0}, "truncation is a number from 0.1 to 1"),
        ({"smooth_factor": 2.5}, "smooth_factor is a whole number from 1 to 30"),
        ({"frame_length": 500}, "frame_length is a multiple of 64, got 500"),
        ({"frame_length": True}, "frame_length is a whole number"),
        ({"classes": [1, 1]}, "1 to 12 different ImageNet ids"),
        ({"classes": list(range(13))}, "1 to 12 different"),
        ({"classes": [1000]}, "from 0 to 999"),
        ({"classes": []}, "1 to 12"),
    ],
)
def test_parameters_keep_their_published_ranges(settings, message):
    with pytest.raises(InvalidValue, match=message):
        walk(tune(0.5), settings.pop("classes", [1, 2]), **settings)


def test_walks_are_saved_and_read_back(tmp_path, song):
    found = walk(song, [5, 6], truncation=0.7)
    save(found, tmp_path / "v.safetensors")
    again = load(tmp_path / "v.safetensors")
    assert again.class_vectors().tobytes() == found.class_vectors().tobytes()
    for field in dataclasses.fields(LatentWalk):
        assert np.array_equal(getattr(again, field.name), getattr(found, field.name)), field.name
    (tmp_path / "torn.safetensors").write_bytes((tmp_path / "v.safetensors").read_bytes()[:2000])
    for name, message in (("torn", "torn or holds no latent walk"), ("none", "names a run's vectors.safetensors")):
        with pytest.raises(InvalidValue, match=message):
            load(tmp_path / f"{name}.safetensors")


def test_a_video_reads_the_walk_at_its_own_times():
    found = dataclasses.replace(
        still_walk([1, 2], 44), noise=np.repeat(np.arange(44, dtype=np.float32)[:, None] / 44, 128, 1)
    )
    at = found.at(np.arange(30) / 30)
    assert np.allclose(at.noise[:, 0] * 44, np.arange(30) / 30 * RATE / 512, atol=1e-4)
    assert found.at(np.array([-1.0, 99.0])).noise[:, 0].tolist() == [0.0, pytest.approx(43 / 44)]


def test_the_last_frame_of_an_hour_is_where_it_belongs():
    vectors = 1 + 3600 * RATE // 512
    ramp = (np.arange(vectors) * 512 / RATE).astype(np.float32)  # its own second
    hour = dataclasses.replace(still_walk([1], vectors), weights=ramp[:, None], duration=Fraction(3600))
    fps = Fraction(30000, 1001)
    last = frame_count(hour.duration, fps) - 1
    seen = hour.at(np.array([last, last // 2]) / float(fps)).weights[:, 0]
    assert seen == pytest.approx([last / float(fps), last // 2 / float(fps)], abs=1e-3)


def test_what_is_no_walk_is_refused():
    good = still_walk([1, 2], 3)
    for change in (
        {"noise": good.noise[:, :5]},
        {"weights": good.weights * np.nan},
        {"rate": Fraction(0)},
        {"truncation": 0.0},
    ):
        with pytest.raises(InvalidValue, match="latent walk"):
            dataclasses.replace(good, **change)
