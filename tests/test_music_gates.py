"""The gates that ask whether a sound is music: made attacks fail, made and real music passes."""

from functools import lru_cache

import numpy as np
import pytest

from spectrogrand import Audio, build, load_audio
from spectrogrand.audio.structure import (
    measure_key,
    measure_order,
    measure_pitches,
    measure_sameness,
    measure_steadiness,
)
from spectrogrand.testing import check_gate

RATE = 22050
GATES = ("drowned", "shuffled", "speech", "single_sound", "random_notes")


def audio(x):
    return Audio((0.3 * np.asarray(x) / np.abs(x).max()).astype(np.float32)[None], RATE)


@lru_cache(maxsize=4)
def beat(seconds=10, seed=0):
    """Kick on four, hats between, a bass line of four notes over a chord: 120 BPM, two bars that differ, in A minor."""
    rng = np.random.default_rng(seed)
    n = RATE // 2
    t = np.arange(n) / RATE
    kick = np.sin(2 * np.pi * 60 * t * (1 + np.exp(-t * 40))) * np.exp(-t * 12)
    out = []
    for k in range(2 * seconds):
        hat = 0.2 * np.diff(rng.normal(size=n + 1)) * np.exp(-((t - 0.25) % 0.5) * 60)
        bass = np.sin(2 * np.pi * 55 * 2 ** ((0, 0, 3, 7, 5, 5, 3, -2)[k % 8] / 12) * t) * np.exp(-t * 3)
        root = (0, -4, 3, -2)[k // 4 % 4]
        chord = sum(
            np.sin(2 * np.pi * 220 * 2 ** ((root + s) / 12) * t + s) for s in ((0, 3, 7) if root == 0 else (0, 4, 7))
        )
        out.append(kick + hat + 0.7 * bass + 0.15 * chord * (1 + 0.5 * (k % 4 == 1)))
    return np.concatenate(out)


def shuffled(x, seconds, seed=1):
    n = int(seconds * RATE)
    fade = np.minimum(
        1, np.minimum(np.arange(n), np.arange(n)[::-1]) / 110
    )  # no clicks: they would be a pulse of their own
    pieces = x[: len(x) // n * n].reshape(-1, n) * fade
    return pieces[np.random.default_rng(seed).permutation(len(pieces))].ravel()


def notes(seconds=10, step=0.25, seed=2):
    rng = np.random.default_rng(seed)
    t = np.arange(int(step * RATE)) / RATE
    each = [
        np.sin(2 * np.pi * 110 * 2 ** (rng.integers(0, 36) / 12) * t) * np.exp(-t * 3)
        for _ in range(int(seconds / step))
    ]
    return np.concatenate(each)


def talk(seconds=10, seed=3):
    """Glottal pulses whose pitch glides, through moving formants, four syllables a second: as speech is made (Klatt 1980)."""
    from scipy.signal import lfilter

    rng = np.random.default_rng(seed)
    out = []
    while sum(map(len, out)) < seconds * RATE:
        n = int(rng.uniform(0.12, 0.3) * RATE)
        pitch = np.linspace(*rng.uniform(90, 180, 2), n)
        x = np.diff(np.floor(np.cumsum(pitch) / RATE), prepend=0) + 0.02 * rng.normal(size=n)
        for formant in (rng.uniform(300, 800), rng.uniform(900, 2200), 2600):
            r = np.exp(-np.pi * 90 / RATE)
            x = lfilter([1 - r], [1, -2 * r * np.cos(2 * np.pi * formant / RATE), r * r], x)
        out += [x * np.hanning(n), np.zeros(int(rng.uniform(0.02, 0.15) * RATE))]
    return np.concatenate(out)[: seconds * RATE]


@lru_cache(maxsize=1)
def attacks():
    song, t = beat(), np.arange(10 * RATE) / RATE
    hiss = np.random.default_rng(0).normal(size=len(song))
    return {
        "drowned": song / song.std() + 1.5 * hiss,
        "shuffled": shuffled(song, 0.21),
        "speech": talk(),
        "single_sound": hiss * (t % 0.5 < 0.1),
        "random_notes": notes(),
    }


@pytest.mark.parametrize("name", GATES)
def test_an_attack_fails_and_music_passes(name):
    assert build("gates", name).check([audio(attacks()[name]), audio(beat())])[0] is not None
    assert build("gates", name).check([audio(beat()), audio(beat(5))]) == [None, None]


def test_more_that_is_one_sound():
    t = np.arange(10 * RATE) / RATE
    hum = sum(np.sin(2 * np.pi * 50 * k * t) / k for k in range(1, 9)) * (1 + 0.9 * np.sin(2 * np.pi * 2 * t))
    beeps = np.sin(2 * np.pi * 440 * t) * (t % 0.5 < 0.1)
    assert all(build("gates", "single_sound").check([audio(hum), audio(beeps)]))


def test_a_siren_glides():
    t = np.arange(6 * RATE) / RATE
    siren = np.sin(2 * np.pi * np.cumsum(500 + 300 * np.sin(2 * np.pi * 0.7 * t)) / RATE)
    assert build("gates", "speech").check([audio(siren)])[0].startswith("glides like a siren")


@pytest.fixture(scope="module")
def music(shared):
    """Ten-second pieces of a real track, and real loops."""
    track = load_audio(shared / "data/audio/outfoxing.mp3")
    pieces = {
        s: Audio(track.samples[:, s * track.rate : (s + 10) * track.rate].copy(), track.rate) for s in (0, 40, 80)
    }
    for name in ("arovane_beat_b", "loop_compus", "loop_mika", "loop_breakbeat"):
        pieces[name] = load_audio(shared / f"data/audio/{name}.flac")
    return pieces


@pytest.mark.parametrize("name", GATES)
def test_real_music_passes(name, music):
    assert build("gates", name).check(list(music.values())) == [None] * len(music)


@pytest.mark.parametrize("name", GATES)
def test_what_is_no_music_at_all_gets_an_answer(name):
    odd = [
        audio(np.ones(RATE)),
        Audio(np.zeros((1, 5 * RATE), np.float32), RATE),
        audio(np.eye(1, 40)[0]),
        audio(beat(2)),
    ]
    check_gate(lambda: build("gates", name), odd)


def test_the_measures_against_what_is_known():
    t = np.arange(8 * 11025) / 11025
    chord = sum(np.sin(2 * np.pi * f * t) for f in (261.63, 329.63, 392.0))
    key, bits = measure_key(chord)
    assert key > 0.7 and bits == pytest.approx(np.log2(3), abs=0.15)
    tuning, stay = measure_pitches(chord)
    assert tuning > 0.95 and stay > 0.98
    quarter = sum(
        np.sin(2 * np.pi * 261.63 * 2 ** (k / 24) * t) for k in (0, 9, 14, 23)
    )  # half of them between the semitones
    assert measure_pitches(quarter)[0] < 0.4
    rng = np.random.default_rng(5)
    assert measure_steadiness(rng.normal(size=5 * RATE)) > 0.9 > 0.1 > measure_steadiness(beat(5))
    assert measure_sameness(beat(5)) < 0.8
    assert abs(measure_order(shuffled(beat(10), 0.21))) < 3.5 < measure_order(beat(10))
    assert np.isnan(measure_order(np.sin(5000 * t)))
