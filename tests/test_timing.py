"""Where a walk stands: exact at any rate, even in silence, leaping on beats; frames shown by another clock."""

from fractions import Fraction

import numpy as np
import pytest

from spectrogrand.audio.rhythm.percussive import HOP, Energies, energies
from spectrogrand.audio.stft import ANALYSIS_RATE
from spectrogrand.errors import InvalidValue
from spectrogrand.types import Audio, Frames, frame_count
from spectrogrand.walks.timing import on_beats, positions, retimed

RATE = ANALYSIS_RATE / HOP
RATES = [Fraction(24), Fraction(30000, 1001), Fraction(30), Fraction(60), Fraction(1, 3)]


def bursts(times, seconds):
    """Energies of a song that sounds only in the analysis frames nearest to some times."""
    curve = np.zeros(int(seconds * RATE) + 1, np.float32)
    curve[np.round(np.asarray(times) * RATE).astype(int)] = 1
    return Energies(curve, curve, RATE, Fraction(seconds))


@pytest.mark.parametrize("fps", RATES)
def test_the_walk_begins_at_the_first_picture_and_ends_at_the_last(fps, rng):
    song = Energies(*rng.random((2, 800)).astype(np.float32), RATE, Fraction(18))
    walk = positions(song, fps, 5)
    assert len(walk) == frame_count(Fraction(18), fps)
    assert walk[-1] == 4 and walk[0] >= 0 and (np.diff(walk) >= 0).all()
    assert positions(song, fps, 1).tolist() == [0.0] * len(walk)


@pytest.mark.parametrize("fps", RATES[:4])
def test_each_stretch_takes_its_share_of_the_time(fps, rng):
    song = Energies(*(0.1 + rng.random((2, 2600))).astype(np.float32), RATE, Fraction(60))
    walk = positions(song, fps, 7, smooth=0.0)
    for picture in range(1, 6):  # reached at 10, 20, ... seconds, in the frame that ends there
        frame, step = int(picture * 10 * fps), 0.3 / float(fps)
        assert (
            walk[frame - 1] <= picture + 1e-9 and walk[frame] >= picture - 1e-9 and walk[frame] - walk[frame - 1] < step
        )


@pytest.mark.parametrize("fps", RATES[:4])
def test_the_picture_never_drifts_from_the_sound_in_an_hour(fps):
    """Published: hop = int(rate / fps), which is 7 s off after an hour at 24 and at 60 frames a second."""
    times = np.array([1.0, 1200.5, 2400.25, 3590.0, 3598.5])
    walk = positions(bursts(times, 3600), fps, 2, smooth=0.0)
    leaps = np.flatnonzero(np.diff(walk, prepend=0.0) > 0.05)
    for time in times:
        nearest = leaps[np.argmin(np.abs(leaps - float(time * fps)))]
        assert nearest / float(fps) - 1 / RATE <= time <= (nearest + 1) / float(fps) + 1 / RATE
    assert abs(walk[-1] - 1) < 1e-12 and len(walk) == frame_count(Fraction(3600), fps)


def test_silence_is_walked_evenly_and_a_silent_stretch_too():
    quiet = positions(bursts([], 12), Fraction(10), 4)
    assert np.allclose(quiet, np.arange(1, 121) / 120 * 3)
    part = positions(bursts([1.0], 12), Fraction(10), 4, smooth=0.0)
    assert np.allclose(part[40:80], 1 + np.arange(1, 41) / 40) and np.isfinite(part).all()


def test_the_way_is_the_cumulative_energy_of_librosas_separation(rng):
    """An independent derivation: librosa's separation and mel bands, summed from frame to frame."""
    import librosa

    sound = (0.1 * rng.normal(size=44100 * 4) * (np.arange(44100 * 4) % 22050 < 4000)).astype(np.float32)
    audio = Audio(sound[None], 44100)
    y = librosa.resample(sound, orig_sr=44100, target_sr=22050)
    spectrum = librosa.stft(y, n_fft=2048, hop_length=512, pad_mode="constant")
    parts = librosa.decompose.hpss(spectrum)
    mel = [librosa.feature.melspectrogram(S=np.abs(p) ** 2, sr=22050).mean(axis=0) for p in parts]
    for drive, curve in (("harmonic", mel[0]), ("percussive", mel[1])):
        theirs = np.cumsum(curve) / curve.sum()
        ours = positions(energies(audio), Fraction(20), 2, drive=drive, smooth=0.0)
        at = np.arange(1, 81) / 20 * 22050 / 512 - 0.5
        assert np.abs(ours - np.interp(at, np.arange(len(theirs)), theirs)).max() < 0.02


def test_smooth_is_a_share_of_even_walking(rng):
    song = Energies(*rng.random((2, 500)).astype(np.float32) ** 8, RATE, Fraction(11))
    raw, even, half = (positions(song, Fraction(30), 2, smooth=s) for s in (0.0, 1.0, 0.5))
    assert np.allclose(half, (raw + even) / 2) and np.allclose(even, np.arange(1, 331) / 330)


@pytest.mark.parametrize("wrong", [{"drive": "melodic"}, {"smooth": 2}, {"smooth": True}, {"stops": 0}])
def test_settings_out_of_range_are_named(wrong):
    with pytest.raises(InvalidValue, match="walk"):
        positions(bursts([1], 3), Fraction(30), **{"stops": 3, **wrong})


def test_on_a_beat_it_stands_where_it_stood_and_leaps_right_after(rng):
    fps, beats = Fraction(30), np.arange(0.5, 9.6, 0.5)
    walk = np.sort(rng.random(300)) * 4
    nudged = on_beats(walk, fps, beats)
    at = np.round(beats * 30).astype(int) - 1  # the frame that ends on the beat
    assert np.allclose(nudged[at], walk[at]) and (np.diff(nudged) >= -1e-12).all()
    assert np.allclose(nudged[:14], walk[:14]) and np.allclose(nudged[285:], walk[285:])
    steps = np.diff(on_beats(np.arange(1, 301) / 75, fps, beats))
    for k in at[:-1]:
        assert np.argmax(steps[k : k + 15]) == 0 and steps[k] > 4 * steps[k + 7]
    assert np.array_equal(on_beats(walk, fps, beats, strength=0), walk)
    assert np.array_equal(on_beats(walk, fps, np.array([1.0])), walk)


@pytest.mark.parametrize("fps", [Fraction(24), Fraction(30000, 1001), Fraction(25), Fraction(12)])
def test_the_leap_is_in_the_frame_that_holds_the_beat(fps):
    beats = np.arange(0.513, 19.5, 0.487)
    count = int(20 * fps)
    steps = np.diff(on_beats(np.arange(1, count + 1) / count, fps, beats), prepend=0.0)
    for beat in beats[:-1]:
        held = int(beat * fps)
        around = range(held + 1, min(held + int(0.4 * fps) + 1, count))
        assert all(steps[held] >= steps[k] - 1e-12 for k in around)


def test_retimed_frames_are_the_same_frames_in_order():
    alive = []

    def draw():
        for k in range(90):
            alive.append(k)
            yield np.full((4, 4, 3), k, np.uint8)

    frames = Frames(draw, (4, 4), 90, Fraction(30))
    beats = np.arange(0.5, 2.6, 0.5)
    shown = [int(p[0, 0, 0]) for p in retimed(frames, beats)]
    assert shown == sorted(shown) and len(shown) == 90 and alive == list(range(90))
    for beat in beats:  # what fell into the beat's frame stays before what follows it
        assert abs(shown[round(beat * 30) - 1] - (round(beat * 30) - 1)) <= 1
    steps = np.diff(shown)
    assert steps[14:16].max() >= 3 and steps[20:28].max() <= 1


def test_too_few_frames_are_still_named():
    from spectrogrand.errors import PluginError

    with pytest.raises((PluginError, RuntimeError)):
        list(
            retimed(
                Frames(lambda: iter([np.zeros((2, 2, 3), np.uint8)] * 5), (2, 2), 9, Fraction(9)), np.array([0.1, 0.5])
            )
        )


def test_linear_and_constant_walks_hear_nothing():
    loud, fps = bursts([0.3, 2.2, 7.7], 9), Fraction(10)
    assert np.allclose(positions(loud, fps, 4, drive="linear"), np.arange(1, 91) / 90 * 3)
    constant = positions(loud, fps, 3, drive="constant")
    assert constant.tolist() == [0.0] * 30 + [1.0] * 30 + [2.0] * 30, "each picture an equal time, cuts between"
    odd = positions(loud, Fraction(30000, 1001), 4, drive="constant")
    assert odd[-1] == 3 and np.abs(np.bincount(odd.astype(int)) - len(odd) / 4).max() <= 1


def test_the_mix_is_a_number():
    harmonic, percussive = np.zeros(500, np.float32), np.zeros(500, np.float32)
    harmonic[:250], percussive[250:] = 1, 1
    song = Energies(harmonic, percussive, RATE, Fraction(round(500 / RATE)))
    at = lambda **s: positions(song, Fraction(10), 2, smooth=0.0, **s)  # noqa: E731
    half = len(at()) // 2 - 1
    for mix in (0.0, 0.2, 0.5, 1.0):
        assert at(mix=mix)[half] == pytest.approx(1 - mix, abs=0.05), "by half time the harmonic share is spent"
    assert np.allclose(at(mix=1.0), at(drive="percussive")) and np.allclose(at(mix=0.0), at(drive="harmonic"))
    with pytest.raises(InvalidValue, match="the percussive share, from 0 to 1, got 1.5"):
        at(mix=1.5)
