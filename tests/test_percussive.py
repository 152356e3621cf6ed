"""Harmonic and percussive energy: tones and clicks, someone else's median and separation, no seam, no drift."""

from fractions import Fraction

import numpy as np
import pytest

from spectrogrand.audio.rhythm.percussive import energies, median31
from spectrogrand.errors import InvalidValue
from spectrogrand.media import load_audio
from spectrogrand.types import Audio

RATE = 22050


def mono(samples, rate=RATE):
    return Audio(np.asarray(samples, np.float32)[None], rate)


def clicks(seconds, gap=0.5):
    samples = np.zeros(int(seconds * RATE), np.float32)
    samples[int(gap / 2 * RATE) :: int(gap * RATE)] = 1
    return samples


def tone(seconds, hertz=440):
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(int(seconds * RATE)) / RATE)


@pytest.mark.parametrize("shape", [(1, 3), (8, 2), (15, 1), (31, 1), (33, 5), (517, 33), (1025, 40)])
def test_the_median_is_scipys_bit_for_bit(rng, shape):
    from scipy.ndimage import median_filter

    for x in (rng.normal(size=shape).astype(np.float32), rng.integers(0, 4, shape).astype(np.float64)):
        assert np.array_equal(median31(x), median_filter(x, size=(31, 1), mode="reflect"))


def test_a_tone_is_harmonic_and_clicks_are_percussive():
    held = energies(mono(tone(4)))
    struck = energies(mono(clicks(4)))
    inner = slice(20, -20)  # a tone that begins or ends is a click there
    assert held.harmonic[inner].sum() > 1000 * held.percussive[inner].sum()
    assert struck.percussive.sum() > 100 * struck.harmonic.sum()


def test_the_two_are_those_of_librosa(rng, shared):
    import librosa

    song = load_audio(shared / "data/audio/outfoxing.mp3")
    part = Audio(np.ascontiguousarray(song.samples[:, : 6 * song.rate]), song.rate)
    y = librosa.resample(part.mono(), orig_sr=part.rate, target_sr=RATE, res_type="soxr_hq")
    parts = librosa.decompose.hpss(np.abs(librosa.stft(y)))
    found = energies(part)
    for mine, theirs in zip((found.harmonic, found.percussive), parts, strict=True):
        mel = librosa.feature.melspectrogram(S=theirs**2, sr=RATE).mean(axis=0)
        assert len(mine) == len(mel)
        assert np.abs(mine - mel).max() < 1e-5 * mel.max()


def test_blocks_leave_no_seam(rng):
    from spectrogrand.audio.rhythm.percussive import _shares

    power = rng.random((1025, 700)).astype(np.float32)
    whole = np.concatenate([share for _, share in _shares(iter([power]))])
    cuts = np.split(power, [1, 30, 31, 200, 230, 640, 699], axis=1)
    assert np.array_equal(np.concatenate([share for _, share in _shares(iter(cuts))]), whole)


@pytest.mark.parametrize(
    "samples", [np.zeros(RATE), np.zeros(1), np.ones(RATE // 100)], ids=["silence", "one", "10 ms"]
)
def test_silence_and_slivers_are_finite(samples):
    found = energies(mono(samples))
    for curve in (found.harmonic, found.percussive, *found.at(Fraction(30))):
        assert np.isfinite(curve).all() and len(curve) and (curve >= 0).all()
    if not samples.any():
        assert not found.harmonic.any() and not found.percussive.any()


@pytest.mark.parametrize("fps", [Fraction(24), Fraction(60), Fraction(30000, 1001), Fraction(10)])
def test_video_frames_never_drift(fps):
    """Clicks every 0.7 s for a minute: each lies in its own video frame or, by the window, in the one beside it."""
    found = energies(mono(clicks(60, gap=0.7)))
    _, percussive = found.at(fps)
    assert len(percussive) == -(-60 * fps // 1)
    times = 0.35 + 0.7 * np.arange(85)
    for time in times:
        near = np.arange(int((time - 0.3) * fps), int((time + 0.3) * fps))
        loudest = near[np.argmax(percussive[near])]
        assert abs((loudest + 0.5) / fps - time) < 0.03 + 1 / fps


def test_energy_is_kept_between_rates():
    found = energies(mono(clicks(10)))
    coarse, fine = found.at(Fraction(5))[1], found.at(Fraction(50))[1]
    assert np.allclose(coarse, fine.reshape(-1, 10).mean(axis=1), rtol=1e-6)


@pytest.mark.parametrize("fps", [0, -1, Fraction(0), Fraction(1000), 30.0, None])
def test_impossible_rates_are_named(fps):
    with pytest.raises(InvalidValue, match="frames per second"):
        energies(mono(np.zeros(100))).at(fps)


def test_samples_that_are_no_numbers_are_named():
    with pytest.raises(InvalidValue, match="not finite"):
        energies(mono([0, np.nan, 0] * 100))
