"""Danceability against essentia's own, against the formula written out plainly, and against what must have none."""

from __future__ import annotations

import importlib.util
import sys

import numpy as np
import pytest

from spectrogrand import registry
from spectrogrand.audio import fluctuation
from spectrogrand.errors import MissingExtra
from spectrogrand.media import load_audio
from spectrogrand.plugins.scorers import danceability as ours
from spectrogrand.testing import check_scorer
from spectrogrand.types import Audio

needs_essentia = pytest.mark.skipif(importlib.util.find_spec("essentia") is None, reason="essentia is not installed")
LOOPS = ("loop_breakbeat.flac", "loop_mika.flac", "arovane_beat_b.flac", "loop_compus.flac")
TRACKS = (*LOOPS, "808kick120bpm.mp3", "outfoxing.mp3")


def song(seed: int = 0, seconds: float = 10, rate: int = 22050, tempo: float = 124, channels: int = 2) -> Audio:
    """Bursts of noise on every beat under a swell: loudness with a pulse and a slow movement."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * rate)) / rate
    pulse = np.exp(-10 * (time % (60 / tempo))) * (0.6 + 0.4 * np.sin(2 * np.pi * time / 7.3)) + 0.05
    return Audio((0.2 * pulse * rng.normal(size=(channels, len(time)))).astype(np.float32), rate)


@pytest.fixture(scope="module")
def essentia():
    made = registry.build("scorers", "essentia_danceability")
    yield made
    made.close()


def apart(audio: Audio, essentia) -> float:
    theirs = essentia.score([audio])[0]
    return abs(ours.danceability(audio) - theirs) / theirs


@needs_essentia
@pytest.mark.parametrize("name", TRACKS)
def test_equals_essentia_on_real_tracks(shared, essentia, name):
    audio = load_audio(shared / "data/audio" / name)
    assert apart(audio, essentia) <= 1e-4
    twenty = np.tile(audio.samples, -(-20 * audio.rate // audio.samples.shape[1]))[:, : 20 * audio.rate]
    assert apart(Audio(np.ascontiguousarray(twenty), audio.rate), essentia) <= 1e-4


@needs_essentia
@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 32000, 44100, 48000, 96000])
def test_equals_essentia_at_any_rate(essentia, rate):
    assert apart(song(rate=rate), essentia) <= 1e-4


@needs_essentia
@pytest.mark.parametrize("seconds", [0.5, 0.987, 3.21, 8.9, 10.0, 61.7])
@pytest.mark.parametrize("seed", [1, 2])
def test_equals_essentia_at_any_length(essentia, seconds, seed):
    assert apart(song(seed, seconds, tempo=110 + 9 * seed), essentia) <= 1e-4


@needs_essentia
def test_essentia_runs_elsewhere_and_fails_what_has_no_answer(essentia):
    quiet = Audio(np.zeros((1, 88200), np.float32), 44100)
    short = Audio(np.ones((1, 4410), np.float32), 44100)
    assert np.isnan(essentia.score([quiet, short])).all()
    assert "essentia" not in sys.modules and essentia._worker.pid is not None
    check_scorer(essentia, [song(seed) for seed in range(3)])


def test_without_essentia_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"pip install 'spectrogrand\[essentia\]'"):
        registry.build("scorers", "essentia_danceability").score([song()])


def plainly(audio: Audio) -> float:
    """The same formula by np.polyfit, segment by segment."""
    size = int(0.01 * audio.rate)
    mono = audio.samples.mean(axis=0, dtype=np.float64)
    s = np.array([mono[k * size : (k + 1) * size].std(ddof=1) for k in range(len(mono) // size)])
    y = np.cumsum(s - s.mean())
    taus = [t for t in ours.segment_lengths() if t < len(y)]
    fluctuation = []
    for tau in taus:
        jump = max(tau // 50, 1)
        starts = range(0, len(y) - tau, jump)
        x = np.arange(tau)
        rest = [np.mean((y[k : k + tau] - np.polyval(np.polyfit(x, y[k : k + tau], 1), x)) ** 2) for k in starts]
        fluctuation.append(np.sqrt(sum(rest) / ((len(y) - tau) / jump)))
    slopes = np.diff(np.log(fluctuation)) / np.diff(np.log(np.array(taus) + 3.0))
    return 1 / slopes.mean()


@pytest.mark.parametrize("seconds", [0.6, 4.0, 12.3])
def test_equals_the_formula_written_out(seconds):
    audio = song(3, seconds)
    assert ours.danceability(audio) == pytest.approx(plainly(audio), rel=1e-9)


def test_long_songs_are_summed_in_pieces_without_a_seam():
    """Past 8192 segments the prefix sums start anew; the answer is that of one piece."""
    path = np.cumsum(np.random.default_rng(0).normal(size=30_000))
    for tau in (31, 55, 400, 871):
        starts = np.arange(0, len(path) - tau, max(tau // 50, 1))
        windows = np.lib.stride_tricks.sliding_window_view(path, tau)[starts]
        x = np.arange(tau) - (tau - 1) / 2
        centred = windows - windows.mean(axis=1, keepdims=True)
        rest = (centred**2).sum(axis=1) - (centred @ x) ** 2 / (x @ x)
        want = np.sqrt(rest.sum() / tau / ((len(path) - tau) / max(tau // 50, 1)))
        assert fluctuation._fluctuation(path, tau) == pytest.approx(want, rel=1e-10)


def test_an_exponent_that_is_known():
    """Loudness that is white noise walks like a Brownian path: F ~ tau^0.5, danceability 2, as for any white noise."""
    rng = np.random.default_rng(5)
    got = [ours.danceability(Audio(rng.normal(size=(1, 60 * 8000)).astype(np.float32), 8000)) for _ in range(4)]
    assert np.mean(got) == pytest.approx(2.0, abs=0.2)


def test_a_beat_is_more_danceable_than_a_swell():
    time = np.arange(20 * 8000) / 8000
    noise = np.random.default_rng(0).normal(size=len(time))
    beat = Audio((np.exp(-8 * (time % 0.5)) * noise * 0.2).astype(np.float32)[None], 8000)
    swell = Audio(((0.3 + 0.2 * np.sin(2 * np.pi * time / 9)) * noise * 0.2).astype(np.float32)[None], 8000)
    assert ours.danceability(beat) > 1.5 * ours.danceability(swell)


@pytest.mark.parametrize(
    "samples",
    [np.zeros(80000), np.zeros(1), np.ones(80000), np.full(80000, np.nan), np.random.default_rng(0).normal(size=2000)],
    ids=["silence", "one sample", "constant", "NaN", "a quarter of a second"],
)
def test_what_has_no_exponent_fails(samples, recwarn):
    assert np.isnan(ours.danceability(Audio(samples.astype(np.float32)[None], 8000)))
    assert not [str(w.message) for w in recwarn if issubclass(w.category, RuntimeWarning)]


def test_loudness_and_channel_order_do_not_matter():
    audio = song(4)
    quieter = Audio(audio.samples[::-1] * np.float32(0.125), audio.rate)
    assert ours.danceability(quieter) == pytest.approx(ours.danceability(audio), rel=1e-9)


def test_a_mapped_sound_scores_like_one_in_memory(tmp_path):
    audio = song(6, 95)
    audio.samples.T.tofile(tmp_path / "song.f32")
    mapped = np.memmap(tmp_path / "song.f32", np.float32, "r", 0, audio.samples.T.shape)
    assert ours.danceability(Audio(mapped.T, audio.rate)) == ours.danceability(audio)


def test_segment_lengths_are_essentias():
    lengths = ours.segment_lengths()
    assert len(lengths) == 36 and lengths[:3] == [31, 34, 37] and lengths[-1] == 871


def test_it_keeps_the_contract():
    check_scorer(
        lambda: registry.build("scorers", "danceability"), [song(seed, tempo=100 + 10 * seed) for seed in range(3)]
    )
