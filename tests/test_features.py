"""Features against physics, and beats against grids that are known: synthesised, declared, and real loops of exact tempo."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from spectrogrand.audio import features
from spectrogrand.audio.features import analyse
from spectrogrand.audio.rhythm.beats import track
from spectrogrand.media import load_audio
from spectrogrand.types import Audio, Plan

RATE = 22050
LOOPS = {"loop_breakbeat.flac": 126, "loop_mika.flac": 120, "arovane_beat_b.flac": 130, "loop_compus.flac": 148}


def sound(samples: np.ndarray, rate: int = RATE) -> Audio:
    return Audio(np.atleast_2d(samples).astype(np.float32), rate)


def tone(frequency: float, seconds: float, rate: int = RATE) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * frequency * np.arange(round(seconds * rate)) / rate)


def house(tempo: float, seconds: float, rate: int = 44100, offset: float = 0.0, seed: int = 0) -> Audio:
    """Kick on every beat, hat off the beat, clap on 2 and 4, a bass note and a chord that changes on each bar."""
    rng = np.random.default_rng(seed)
    x = np.zeros(round(seconds * rate))

    def put(at: float, hit: np.ndarray) -> None:
        start = round(at * rate)
        x[start : start + len(hit)] += hit[: max(0, len(x) - start)]

    time = np.arange(int(0.3 * rate)) / rate
    kick = np.sin(2 * np.pi * (50 * time + 6 * (1 - np.exp(-time * 40)))) * np.exp(-time * 12)
    noise = rng.normal(size=len(time))
    hat, clap = 0.12 * np.diff(noise, prepend=0) * np.exp(-time * 60), 0.3 * noise * np.exp(-time * 25)
    beat = 60 / tempo
    for k in range(int((seconds - offset) / beat) + 1):
        at = offset + k * beat
        put(at, kick)
        put(at + beat / 2, hat)
        if k % 2:
            put(at, clap)
        if k % 4 == 0:
            root = (110.0, 130.8, 98.0, 146.8)[k // 4 % 4]
            span = np.arange(int(4 * beat * rate)) / rate
            put(at, sum(0.06 * np.sin(2 * np.pi * root * h * span) for h in (1, 2, 2.5, 3)))
    return sound(0.5 * x, rate)


def grid(tempo: float, seconds: float, offset: float = 0.0) -> np.ndarray:
    return np.arange(offset, seconds, 60 / tempo)


def f_measure(found: np.ndarray, truth: np.ndarray) -> float:
    import mir_eval

    return mir_eval.beat.f_measure(truth, found, f_measure_threshold=0.07)


@pytest.mark.parametrize("name", LOOPS)
def test_beats_of_real_loops_of_known_tempo(shared, name):
    loop = load_audio(shared / "data/audio" / name)
    copies = -(-30 * loop.rate // loop.samples.shape[1])
    song = analyse(Audio(np.tile(loop.samples, copies)[:, : 30 * loop.rate], loop.rate))
    assert song.tempo == pytest.approx(LOOPS[name], rel=2e-3) and song.steady
    assert f_measure(song.beats, grid(LOOPS[name], 30)) >= 0.95
    if name != "loop_mika.flac":  # its bass enters on two
        assert f_measure(song.downbeats, grid(LOOPS[name] / 4, 30)) >= 0.95


def test_beats_of_a_real_drum_machine(shared):
    song = analyse(load_audio(shared / "data/audio/808kick120bpm.mp3"))
    assert song.tempo == pytest.approx(120, rel=1e-3)
    assert f_measure(song.beats, grid(120, 10)) >= 0.95


def test_a_real_track_has_one_tempo(shared):
    song = analyse(load_audio(shared / "data/audio/outfoxing.mp3"))
    assert song.steady and np.ptp(np.diff(song.beats)) < 1e-6
    assert len(song.beats) == pytest.approx(song.tempo / 60 * song.duration, abs=2)


@pytest.mark.parametrize("tempo", [118, 122.5, 124, 126, 128, 130, 140])
@pytest.mark.parametrize("offset", [0.0, 0.31])
def test_beats_of_house_are_exact(tempo, offset):
    song = analyse(house(tempo, 20, offset=offset))
    assert song.steady and song.tempo == pytest.approx(tempo, rel=5e-4)
    assert f_measure(song.beats, grid(tempo, 20, offset)) >= 0.95
    nearest = np.abs(song.beats[:, None] - grid(tempo, 21, offset - 60 / tempo)).min(axis=1)
    assert nearest.max() < 0.015, "half a video frame at 30 a second"


def test_ten_seconds_and_a_low_rate_are_enough():
    song = analyse(house(124, 10, rate=16000))
    assert f_measure(song.beats, grid(124, 10)) >= 0.95


def test_downbeats_follow_the_chords():
    song = analyse(house(124, 30))
    bars = grid(124 / 4, 30)
    assert np.abs(song.downbeats[:, None] - bars).min(axis=1).max() < 0.03
    assert len(song.downbeats) == len(bars)


def test_a_tempo_that_drifts_is_followed():
    moments = np.cumsum(60 / np.linspace(112, 132, 70))
    x = np.zeros(int((moments[-1] + 1) * RATE))
    click = tone(1500, 0.03) * np.linspace(1, 0, round(0.03 * RATE))
    for at in moments:
        x[int(at * RATE) : int(at * RATE) + len(click)] += click
    song = analyse(sound(x))
    assert not song.steady
    assert f_measure(song.beats, moments) >= 0.9


def test_a_declared_grid_is_taken_as_it_is():
    beats = tuple(float(b) for b in grid(91.7, 6, 0.123))
    plan = Plan(91.7, "A", "minor", "bass", beats, beats[::4])
    song = analyse(Audio(house(124, 6).samples, 44100, plan))
    assert song.tempo == 91.7 and tuple(song.beats) == beats and tuple(song.downbeats) == beats[::4] and song.steady
    assert song.beat_strength.shape == song.beats.shape


SHAPELESS = {
    "silence": np.zeros(RATE * 4),
    "one sample": np.ones(1),
    "10 ms": 0.1 * np.random.default_rng(0).normal(size=220),
    "half a second": 0.1 * np.random.default_rng(1).normal(size=RATE // 2),
    "constant offset": np.full(RATE * 6, 0.5),
    "a pure tone": tone(440, 6),
    "a single click": np.eye(1, 6 * RATE, 3 * RATE)[0],
    "tiny numbers": np.full(RATE * 3, 1e-38),
    "denormal noise": 1e-22 * np.random.default_rng(2).normal(size=3 * RATE),
    "noise": 0.1 * np.random.default_rng(3).normal(size=20 * RATE),
    "full scale square": np.sign(tone(100, 3)),
}


@pytest.mark.parametrize("kind", SHAPELESS)
def test_nothing_is_ever_nan(kind, recwarn):
    song = analyse(sound(SHAPELESS[kind]))
    for name, value in vars(song).items():
        assert name == "metre" or np.isfinite(value).all(), name
    assert song.bands.min() >= -80 and song.bands.max() <= 0
    for curve in (song.onset_strength, song.onset_low, song.onset_mid, song.onset_high):
        assert curve.min() >= 0 and curve.max() <= 1
    assert (np.diff(song.beats) > 0).all() and np.isin(song.downbeats, song.beats).all()
    assert not [str(w.message) for w in recwarn if issubclass(w.category, RuntimeWarning)]


@pytest.mark.parametrize(
    "kind", ["silence", "one sample", "10 ms", "constant offset", "a pure tone", "a single click", "noise"]
)
def test_without_a_pulse_there_are_no_beats(kind):
    song = analyse(sound(SHAPELESS[kind]))
    assert (
        song.tempo == 0.0 and len(song.beats) == len(song.downbeats) == len(song.beat_strength) == 0 and not song.steady
    )


@pytest.mark.parametrize("frequency, pitch", [(440.0, 9), (261.63, 0), (1108.73, 1), (783.99, 7)])
def test_chroma_names_the_note(frequency, pitch):
    chroma = analyse(sound(tone(frequency, 1))).chroma[:, 5:-5]
    assert (chroma.argmax(axis=0) == pitch).all()
    assert np.allclose(chroma.sum(axis=0), 1, atol=1e-5)


def test_centroid_and_loudness_of_a_tone():
    song = analyse(sound(tone(2000, 2)))
    middle = slice(5, -5)
    assert song.centroid[middle] == pytest.approx(np.full(len(song.rms) - 10, 2000), rel=0.03)
    assert song.rms[middle] == pytest.approx(np.full(len(song.rms) - 10, 0.5 / np.sqrt(2)), rel=0.02)
    assert song.bands[:, 40].argmax() == 16 * np.interp(2000, [0, 1000, 2000], [0, 15, 25.08]) // 49.92


def test_an_onset_is_where_it_is_and_in_its_band():
    x = np.zeros(4 * RATE)
    x[2 * RATE : 2 * RATE + RATE // 4] = tone(80, 0.25)
    x[3 * RATE : 3 * RATE + RATE // 4] = tone(6000, 0.25) / 4
    song = analyse(sound(x))
    assert abs(song.onset_low.argmax() / song.frame_rate - 2) < 0.05
    after = song.onset_high.copy()
    after[: int(2.5 * song.frame_rate)] = 0  # the low tone's edge is heard in every band
    assert abs(after.argmax() / song.frame_rate - 3) < 0.05
    late = song.onset_low[int(2.8 * song.frame_rate) : int(3.2 * song.frame_rate)]
    assert late.max() < song.onset_low.max()


def test_curves_can_be_read_at_any_time():
    song = analyse(house(124, 4))
    assert song.times[43] == pytest.approx(43 * 512 / 22050)
    assert song.sample(song.rms, song.times) == pytest.approx(song.rms, abs=1e-6)
    assert song.sample(song.chroma, np.array([-1.0, 1e9])).shape == (12, 2)
    between = song.sample(song.rms, (song.times[10:11] + song.times[11:12]) / 2)
    assert between[0] == pytest.approx((song.rms[10] + song.rms[11]) / 2, rel=1e-4)


def test_a_song_is_analysed_once(monkeypatch):
    song = house(124, 4)
    first = analyse(song)
    monkeypatch.setattr(features, "_analyse", lambda audio: pytest.fail("analysed again"))
    assert analyse(song) is first


def test_the_same_sound_gives_the_same_numbers():
    a, b = (vars(analyse(house(124, 6))) for _ in range(2))
    assert all(np.asarray(a[k]).tobytes() == np.asarray(b[k]).tobytes() for k in a)


def test_memory_does_not_grow_with_the_length_of_the_sound(tmp_path):
    """Four minutes that lie in a file: what is held is the curves (28 kB a second), and blocks."""
    bar = house(120, 2).samples[0]
    path = tmp_path / "long.f32"
    with path.open("wb") as file:
        for _ in range(120):
            np.repeat(bar[:, None], 2, axis=1).tofile(file)
    long = np.memmap(path, np.float32, "r", 0, (120 * len(bar), 2))
    tracemalloc.start()
    song = analyse(Audio(long.T, 44100))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert song.duration == 240 and song.tempo == pytest.approx(120, rel=1e-5)
    assert peak < 40e6, f"{peak / 1e6:.0f} MB; the sound itself is 85 MB"


def test_tracking_needs_two_seconds():
    assert track(np.ones((3, 50)), 43.0, np.ones((12, 50)), 43.0, np.ones(200), 172.0, 1.2).tempo == 0.0
