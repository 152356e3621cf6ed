"""The synthesiser's parts against known answers: time, oscillators, filters, harmony, arrangement, meters, buses."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from spectrogrand.engines.synth.arrangement import plan_sections
from spectrogrand.engines.synth.harmony import MODES, PROGRESSIONS, Key, read_key, voice
from spectrogrand.engines.synth.mastering import clip_softly, limit, loudness, tone_response, true_peak
from spectrogrand.engines.synth.mixing import Bus, convolve, duck, echoes, shift
from spectrogrand.engines.synth.style import choose_genre, make_style, read_mood
from spectrogrand.engines.synth.timing import RATE, Grid
from spectrogrand.engines.synth.voices.filters import equalise, lowpass, sweep
from spectrogrand.engines.synth.voices.oscillators import hertz, wave
from spectrogrand.errors import InvalidValue


def tone(hz, seconds=2.0, level=1.0):
    return (level * np.sin(2 * np.pi * hz * np.arange(int(seconds * RATE)) / RATE)).astype(np.float32)


def test_the_grid_does_not_drift_in_ten_minutes():
    grid = Grid(Fraction("123.457"), Fraction(1, 2))
    assert grid.beat(1234) == round(1234 * 60 * RATE / 123.457)
    assert grid.step(0, 4) == grid.beat(1) and grid.step(3, 0) == grid.beat(12)


def test_swing_delays_the_odd_sixteenths_only():
    straight, swung = Grid(Fraction(120), Fraction(1, 2)), Grid(Fraction(120), Fraction(2, 3))
    assert [swung.step(0, s) - straight.step(0, s) for s in range(4)] == pytest.approx([0, 1837.5, 0, 1837.5], abs=1)


@pytest.mark.parametrize("shape", ["saw", "square"])
def test_oscillators_alias_nowhere(shape):
    x = wave(shape, 3001.0, RATE)
    power = np.abs(np.fft.rfft(x * np.hanning(RATE))) ** 2
    harmonic = np.zeros(len(power), bool)
    for k in range(1, 6):
        harmonic[k * 3001 - 4 : k * 3001 + 5] = True
    assert power[~harmonic].sum() / power.sum() < 1e-5


def test_sweep_at_a_steady_cutoff_is_the_filter_itself():
    x = np.random.default_rng(0).standard_normal(20000).astype(np.float32)
    swept = sweep(x, np.full(20000, 1000.0), q=0.7071)
    assert np.allclose(swept, lowpass(x, 1000), atol=2e-3)


def test_shelves_and_peaks_have_the_gain_that_they_name():
    for kind, hz in (("low", 40.0), ("high", 15000.0), ("peak", 1000.0)):
        x = tone(hz)
        got = equalise(x, kind, 1000 if kind == "peak" else 800, 6.0)
        assert 20 * np.log10(np.std(got[RATE:]) / np.std(x[RATE:])) == pytest.approx(6, abs=0.3)


@pytest.mark.parametrize("mode", sorted(MODES))
@pytest.mark.parametrize("colour", [0, 1, 2])
def test_chords_stay_in_the_key_and_move_little(mode, colour):
    key = Key(4, mode)
    scale = {(4 + s) % 12 for s in MODES[mode]}
    for degrees in PROGRESSIONS[mode]:
        chords = voice(key, degrees, colour)
        for degree, chord in zip(degrees, chords, strict=True):
            assert {n % 12 for n in chord.notes} <= scale and 28 <= chord.root <= 40
            assert chord.root % 12 == key.midi(degree, 0) % 12
        for a, b in zip(chords, chords[1:], strict=False):
            assert abs(np.mean(a.notes) - np.mean(b.notes)) <= 5


def test_no_progression_uses_a_diminished_chord():
    for mode, progressions in PROGRESSIONS.items():
        for degrees in progressions:
            for d in degrees:
                key = Key(0, mode)
                assert (key.midi(d + 4, 0) - key.midi(d, 0)) % 12 == 7, (mode, degrees, d)


@pytest.mark.parametrize("loop", [False, True])
def test_sections_fill_songs_of_any_length_exactly(loop):
    for bars in range(1, 340):
        sections = plan_sections(bars, loop)
        assert sum(count for _, count in sections) == bars and min(count for _, count in sections) >= 1
        assert "drop" in {name for name, _ in sections}
        assert all(a != b for (a, _), (b, _) in zip(sections, sections[1:], strict=False)), bars


@pytest.mark.parametrize(
    "text, message",
    [("", "a note and"), ("A minor please", "a note and"), ("Q", "unknown note"), ("C lokrian", "did you mean")],
)
def test_keys_that_do_not_exist(text, message):
    with pytest.raises(InvalidValue, match=message):
        read_key(text)


def test_loudness_of_the_standard_s_reference_tone():
    """BS.1770-4: a 997 Hz sine of full scale in one channel reads -3.01 LUFS; both channels, 3 dB more."""
    x = tone(997)
    assert loudness(x[None]) == pytest.approx(-3.01, abs=0.03)
    assert loudness(np.stack([x, x])) == pytest.approx(0.0, abs=0.03)


def test_loudness_gates_silence_and_quiet_parts():
    """EBU Tech 3341, case 3: 10 s at -36 dBFS, 60 s at -23, 10 s at -36, in both channels, read -23 LUFS within 0.1."""
    loud, quiet = tone(1000, 60, 10 ** (-23 / 20)), tone(1000, 10, 10 ** (-36 / 20))
    x = np.concatenate([quiet, loud, quiet, np.zeros(10 * RATE, np.float32)])
    assert loudness(np.stack([x, x])) == pytest.approx(-23, abs=0.1)


def test_true_peak_sees_between_the_samples():
    """A sine of a quarter of the rate, sampled 45 degrees off its crests, peaks 3 dB over its samples."""
    x = (0.5 * np.sin(np.pi / 2 * np.arange(RATE) + np.pi / 4)).astype(np.float32)
    x *= np.hanning(RATE).astype(np.float32)
    assert 20 * np.log10(np.abs(x).max()) == pytest.approx(-9.03, abs=0.05)
    assert true_peak(x[None]) == pytest.approx(-6.02, abs=0.1)


def test_the_limiter_holds_true_peaks_and_leaves_quiet_sound_alone():
    rng = np.random.default_rng(1)
    x = (0.2 * rng.standard_normal((2, RATE))).astype(np.float32)
    x[:, ::4410] *= 6
    assert true_peak(limit(x, 0.5)) <= 20 * np.log10(0.5) + 0.1
    assert limit(x * 0.1, 0.5) is not None and np.array_equal(limit(x * 0.1, 0.5), x * np.float32(0.1))


def test_soft_clipping_bends_only_what_is_loud():
    x = np.linspace(-3, 3, 601, dtype=np.float32)
    y = clip_softly(x, 0.7)
    assert np.array_equal(y[np.abs(x) <= 0.7], x[np.abs(x) <= 0.7])
    assert np.abs(y).max() <= 1 and (np.diff(y) >= 0).all()


def test_the_master_s_tone_filter_pulls_white_noise_down_at_the_top():
    x = (0.1 * np.random.default_rng(2).standard_normal((2, 4 * RATE))).astype(np.float32)
    response = np.abs(np.fft.rfft(tone_response(x, 0.0), 8192))
    at = {hz: 20 * np.log10(response[round(hz * 8192 / RATE)]) for hz in (10, 100, 12000)}
    assert at[100] - at[12000] > 6 and at[10] < at[100] - 6


def test_a_loop_s_bus_wraps_and_a_song_s_bus_cuts():
    sound = np.arange(1, 7, dtype=np.float32)
    loop, song = Bus(8, True), Bus(8, False)
    for bus in (loop, song):
        bus.place(sound, 5)
    assert loop.x[0].tolist() == [4, 5, 6, 0, 0, 1, 2, 3] and song.x[0].tolist() == [0, 0, 0, 0, 0, 1, 2, 3]


def test_convolution_equals_the_definition_and_wraps_in_a_loop():
    rng = np.random.default_rng(3)
    x, h = rng.standard_normal((2, 40000)).astype(np.float32), rng.standard_normal((2, 500)).astype(np.float32)
    want = np.stack([np.convolve(a, b) for a, b in zip(x.astype(float), h.astype(float), strict=True)])
    assert np.allclose(convolve(x, h, False), want[:, :40000], atol=2e-3)
    want[:, :499] += want[:, 40000:]
    assert np.allclose(convolve(x, h, True), want[:, :40000], atol=2e-3)


def test_echoes_come_on_time_from_alternate_sides():
    x = np.zeros((2, 40000), np.float32)
    x[:, 100] = 1
    wet = echoes(x, 8000, False, 0.5, taps=2)
    first, second = (int(np.abs(wet[c]).argmax()) for c in (0, 1))
    assert abs(first - 8100) < 10 and abs(second - 16100) < 20
    assert not shift(x, 50000, False).any()


def test_ducking_is_deepest_at_the_kick_and_wraps():
    gain = duck([9000], 10000, True, 0.8, 0.1)
    assert gain.min() == pytest.approx(0.2, abs=0.05) and gain[500] < 0.9 and gain[6000] == 1


def test_hertz_of_concert_pitch():
    assert hertz(69) == 440 and hertz(81) == 880


AXES = ("energy", "valence", "tension", "brightness", "space", "era")


def style_for(**values):
    mood = read_mood(np.array([values.get(a, 0.0) for a in AXES]), AXES)
    return make_style(mood, 12345, 0, genre="progressive", tempo=None, key=None, swing=None)


def test_axes_steer_tempo_mode_chords_and_swing():
    assert style_for(energy=1).tempo > style_for(energy=-1).tempo
    assert style_for(valence=0.9).key.mode == "major" and style_for(valence=-0.9, tension=0.9).key.mode == "phrygian"
    assert style_for(tension=0.9).colour > style_for(era=-0.9).colour
    assert style_for(era=-1).swing > style_for(era=1).swing
    for genre, place in {
        "future": [0.5, 0.3, 0, 0.9, 0, 0.8],
        "bass": [0.9, -0.8, 0.9, -0.5, 0, 0],
        "progressive": [0.5, 0.8, 0, 0, 0.7, -0.7],
        "melodic": [-0.9, 0, -0.3, 0, 0.7, 0],
    }.items():
        assert choose_genre(read_mood(np.array(place), AXES), 7, 0) == genre
