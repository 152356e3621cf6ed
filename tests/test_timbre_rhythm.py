"""Sound statistics and the timbre_rhythm embedding: physics, robustness to re-encoding, and the shipped reference songs."""

from __future__ import annotations

import io
from pathlib import Path

import av
import numpy as np
import pytest

from spectrogrand.audio.statistics import NAMES, describe
from spectrogrand.errors import InvalidValue
from spectrogrand.media import load_audio, resample
from spectrogrand.plugins.embedders.timbre_rhythm import SCALE, TimbreRhythm
from spectrogrand.references.songs import SHIPPED, embeddings
from spectrogrand.types import GENRES, Audio

RATE = 22050


def value(audio: Audio, name: str) -> float:
    return float(describe(audio)[NAMES.index(name)])


def clicks(tempo: float, seconds: float = 10.0, rate: int = RATE, decay: float = 30.0) -> Audio:
    """Decaying noise bursts on every beat."""
    t = np.arange(int(seconds * rate)) / rate
    noise = np.random.default_rng(1).normal(0, 0.3, len(t))
    return Audio((noise * np.exp(-decay * (t % (60 / tempo))))[None].astype(np.float32), rate)


def chord(strengths: dict[int, float], seconds: float = 4.0) -> Audio:
    """Tones two octaves from A4 up, semitones above A to amplitude."""
    t = np.arange(int(seconds * RATE)) / RATE
    tones = [
        a * np.sin(2 * np.pi * 440 * 2 ** (n / 12 + octave) * t) for n, a in strengths.items() for octave in (0, 1)
    ]
    return Audio((0.02 * np.sum(tones, axis=0) * (1 + 0.1 * np.sin(7 * t)))[None].astype(np.float32), RATE)


TRIAD = {0: 1.0, 4: 1.0, 7: 1.0}
MAJOR_SCALE = {0: 6.0, 2: 3.0, 4: 4.0, 5: 4.0, 7: 5.0, 9: 3.5, 11: 3.0}
MINOR_SCALE = {
    0: 6.0,
    2: 3.0,
    3: 5.5,
    5: 3.0,
    7: 5.0,
    8: 4.0,
    11: 3.0,
}  # harmonic: the natural one is its relative major, too


def mp3(audio: Audio) -> Audio:
    """The sound after an MP3 at 64 kb/s."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp3") as out:
        stream = out.add_stream("libmp3lame", rate=44100, layout="stereo", bit_rate=64000)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(audio.samples), format="fltp", layout="stereo")
        frame.sample_rate, frame.pts = 44100, 0
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    file.seek(0)
    with av.open(file) as back:
        return Audio(np.concatenate([f.to_ndarray() for f in back.decode(audio=0)], axis=1).astype(np.float32), 44100)


@pytest.mark.parametrize("tempo", [90, 120, 128, 140, 174])
def test_tempo_of_clicks(tempo):
    assert 2 ** value(clicks(tempo), "tempo") == pytest.approx(tempo, rel=0.015)
    assert value(clicks(tempo), "pulse_clarity") > 0.6


def test_pulse_of_noise_is_unclear():
    noise = Audio(np.random.default_rng(0).normal(0, 0.1, (1, 10 * RATE)).astype(np.float32), RATE)
    assert value(noise, "pulse_clarity") < 0.3
    assert value(noise, "flatness_mean") > 0.4
    assert value(noise, "chroma_entropy") == pytest.approx(np.log2(12), abs=0.02)


def test_a_tone_is_flat_narrow_and_where_it_is():
    t = np.arange(4 * RATE) / RATE
    tone = Audio((0.3 * np.sin(2 * np.pi * 1000 * t))[None].astype(np.float32), RATE)
    assert value(tone, "centroid_mean") == pytest.approx(np.log2(1020), abs=0.1)
    assert value(tone, "flatness_mean") < 0.01
    assert value(tone, "bass_share_mean") < 0.01
    low = Audio((0.3 * np.sin(2 * np.pi * 60 * t))[None].astype(np.float32), RATE)
    assert value(low, "bass_share_mean") > 0.95


def test_keys_are_told_apart_whatever_the_transposition():
    major, minor = chord(MAJOR_SCALE), chord(MINOR_SCALE)
    assert value(major, "key_major") > max(0.8, value(major, "key_minor") + 0.1)
    assert value(minor, "key_minor") > max(0.8, value(minor, "key_major") + 0.05)
    higher = chord({n + 3: a for n, a in MAJOR_SCALE.items()})
    for name in ("key_major", "key_minor", "chroma_entropy", *(f"interval{k}" for k in range(1, 7))):
        assert value(higher, name) == pytest.approx(value(major, name), abs=0.1)


def test_intervals_of_a_triad():
    """Three, four and five semitones sound in a triad, six and one do not."""
    assert min(value(chord(TRIAD), f"interval{k}") for k in (3, 4, 5)) > 0.2
    assert max(value(chord(TRIAD), f"interval{k}") for k in (1, 6)) < 0.2


def test_side_chain_is_seen_as_swelling_at_the_beat():
    pad = np.random.default_rng(2).normal(0, 0.1, 10 * RATE)
    t = np.arange(len(pad)) / RATE
    pumped = Audio((pad * (0.1 + 0.9 * (t * 2 % 1)))[None].astype(np.float32), RATE)
    steady = Audio(pad[None].astype(np.float32), RATE)
    assert value(pumped, "swell_mid_1.0") > 5 * value(steady, "swell_mid_1.0")


def test_unit_finite_order_free_and_silent():
    sounds = [clicks(120), chord(TRIAD), Audio(np.zeros((2, RATE), np.float32), RATE)]
    sounds.append(Audio(np.full((1, 50), 0.5, np.float32), 8000))
    got = TimbreRhythm().embed(sounds)
    assert got.dtype == np.float32 and got.shape == (4, len(TimbreRhythm.axes)) and np.isfinite(got).all()
    np.testing.assert_allclose(np.linalg.norm(got, axis=1), [1, 1, 0, 1], atol=1e-6)
    fresh = [Audio(s.samples.copy(), s.rate) for s in sounds]
    assert np.array_equal(TimbreRhythm().embed(fresh[::-1])[::-1], got)
    assert TimbreRhythm().embed([]).shape == (0, len(TimbreRhythm.axes))


def test_wrong_input_is_named():
    with pytest.raises(InvalidValue, match="embeds Audio, got str"):
        TimbreRhythm().embed(["song.wav"])
    with pytest.raises(InvalidValue, match="not finite numbers"):
        TimbreRhythm().embed([Audio(np.full((1, RATE), np.nan, np.float32), RATE)])


def test_real_sounds_stay_nearest_to_themselves_when_coded_again(shared: Path):
    files = sorted((shared / "data" / "audio").glob("*"))
    originals = [load_audio(f) for f in files]
    assert len(originals) >= 6
    own = TimbreRhythm().embed(originals)
    changes = {
        "mp3 64 kb/s": mp3,
        "+6 dB": lambda a: Audio(a.samples * np.float32(2), a.rate),
        "-6 dB": lambda a: Audio(a.samples / np.float32(2), a.rate),
        "22.05 kHz": lambda a: Audio(resample(a.samples, a.rate, 22050), 22050),
        "mono, 48 kHz": lambda a: Audio(resample(a.mono()[None], a.rate, 48000), 48000),
    }
    for name, change in changes.items():
        likeness = TimbreRhythm().embed([change(a) for a in originals]) @ own.T
        to_itself = np.diag(likeness).copy()
        np.fill_diagonal(likeness, -1)
        assert (to_itself > likeness.max(axis=1) + 0.05).all(), name
        assert (to_itself > 0.75 if "mp3" in name else to_itself > 0.995).all(), (name, to_itself)


def test_shipped_reference_songs():
    from sklearn.metrics import silhouette_score

    genres, _ = embeddings(SHIPPED)
    assert set(genres) == set(GENRES) and all(v.shape == (40, len(TimbreRhythm.axes)) for v in genres.values())
    vectors = np.concatenate(list(genres.values()))
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert len(np.unique(vectors.round(4), axis=0)) == 160
    assert silhouette_score(vectors, np.repeat(np.arange(4), 40), metric="cosine") > 0.15
    assert SHIPPED.stat().st_size + SCALE.stat().st_size < 200_000
