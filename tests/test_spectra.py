"""Mel spectrograms against librosa and against physics; frames in their order, in their place, in their colours."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from spectrogrand.audio import spectrogram as spectra
from spectrogrand.audio import stft
from spectrogrand.audio.spectrogram import mel_spectrogram, spectrogram_frames, spectrogram_image
from spectrogrand.errors import InvalidValue, UnknownName
from spectrogrand.media import load_audio
from spectrogrand.types import Audio, Spectrogram

RATE = stft.ANALYSIS_RATE


def tone(frequency: float, seconds: float, rate: int = RATE, level: float = 0.5) -> Audio:
    time = np.arange(round(seconds * rate)) / rate
    return Audio((level * np.sin(2 * np.pi * frequency * time)).astype(np.float32)[None], rate)


def by_librosa(audio: Audio, **settings) -> np.ndarray:
    import librosa

    whole = np.concatenate(list(stft.analysis_blocks(audio)))
    power = librosa.feature.melspectrogram(y=whole, sr=RATE, **settings)
    return librosa.power_to_db(power, ref=np.max)


@pytest.mark.filterwarnings("ignore:n_fft=.* is too large")
@pytest.mark.parametrize(
    "settings",
    [{}, {"n_mels": 64, "hop_length": 441, "n_fft": 1024}, {"hop_length": 2048}, {"n_fft": 1000, "hop_length": 333}],
)
@pytest.mark.parametrize("samples", [1, 511, 512, 2047, 60000])
def test_equals_librosa_whatever_the_block(monkeypatch, samples, settings):
    x = np.random.default_rng(samples).normal(size=(2, samples)).astype(np.float32) * 0.1
    for block in (1 << 19, 1000, 4097):
        monkeypatch.setattr(stft, "_BLOCK", block)
        got = mel_spectrogram(Audio(x, RATE), **settings).decibels
        want = by_librosa(Audio(x, RATE), **settings)
        assert got.shape == want.shape
        assert np.abs(got - want).max() < 1e-4


def test_a_real_track_equals_librosa_at_every_seam(shared, monkeypatch):
    audio = load_audio(shared / "data/audio/outfoxing.mp3")
    monkeypatch.setattr(stft, "_BLOCK", 100_003)
    got = mel_spectrogram(audio).decibels
    assert np.abs(got - by_librosa(audio)).max() < 1e-4


@pytest.mark.parametrize("rate", [8000, 16000, 44100, 48000, 96000])
def test_any_rate_gives_the_same_frame_rate_and_the_same_row(rate):
    spectrogram = mel_spectrogram(tone(1000, 2, rate))
    assert spectrogram.rate == RATE and spectrogram.decibels.shape == (128, 1 + 2 * RATE // 512)
    filters = spectra.mel_filters(128, 2048)
    assert np.argmax(spectrogram.decibels[:, 40]) == np.argmax(filters[:, round(1000 / RATE * 2048)])


@pytest.mark.parametrize("n_mels, n_fft", [(128, 2048), (64, 1024), (200, 512), (1, 16)])
@pytest.mark.filterwarnings("ignore:Empty filters")
def test_mel_filters_are_librosas(n_mels, n_fft):
    import librosa

    want = librosa.filters.mel(sr=RATE, n_fft=n_fft, n_mels=n_mels)
    assert np.abs(spectra.mel_filters(n_mels, n_fft) - want).max() <= 1e-7 * want.max()


def test_resampling_in_blocks_has_no_seams(monkeypatch):
    x = np.random.default_rng(0).normal(size=(1, 90_001)).astype(np.float32)
    whole = np.concatenate(list(stft.analysis_blocks(Audio(x, 48000))))
    monkeypatch.setattr(stft, "_BLOCK", 777)
    parts = np.concatenate(list(stft.analysis_blocks(Audio(x, 48000))))
    assert len(whole) == -(-90_001 * RATE // 48000) == stft.analysis_length(Audio(x, 48000))
    assert np.array_equal(whole, parts)


def test_decibels_are_relative_to_the_whole_song():
    loud, quiet = tone(1000, 2).samples, tone(1000, 2, level=0.005).samples
    decibels = mel_spectrogram(Audio(np.concatenate([loud, quiet], axis=1), RATE)).decibels.max(axis=0)
    assert decibels.max() == 0
    assert decibels[130] == pytest.approx(-40, abs=0.5), "a hundredth of the amplitude is 40 dB down"


@pytest.mark.parametrize("level", [0.0, 1e-30])
def test_silence_is_the_floor_and_not_nan(level):
    assert np.unique(mel_spectrogram(Audio(np.full((2, 30000), level, np.float32), 44100)).decibels) == [-80]


def test_a_very_quiet_song_looks_like_a_loud_one():
    loud, quiet = tone(700, 1), tone(700, 1, level=0.5e-5)
    assert np.abs(mel_spectrogram(loud).decibels - mel_spectrogram(quiet).decibels).max() < 0.01


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_samples_that_are_no_numbers_are_refused(bad):
    x = np.zeros((1, 30000), np.float32)
    x[0, 20000] = bad
    with pytest.raises(InvalidValue, match="not finite numbers"):
        mel_spectrogram(Audio(x, 44100))


@pytest.mark.parametrize("settings", [{"n_mels": 0}, {"hop_length": 0}, {"hop_length": 4096}, {"n_fft": 8}])
def test_settings_out_of_range_are_refused(settings):
    with pytest.raises(InvalidValue, match="n_mels 1 to 512"):
        mel_spectrogram(tone(440, 1), **settings)


def test_the_result_is_kept_with_the_sound_and_goes_with_it():
    audio = tone(440, 1)
    first = mel_spectrogram(audio)
    assert mel_spectrogram(audio) is first
    assert mel_spectrogram(audio, n_mels=64) is not first
    kept = len(spectra._known)
    del audio
    assert len(spectra._known) == kept - 1


def chirp(seconds: float = 4.0) -> Spectrogram:
    """A tone whose pitch rises from 200 Hz to 8 kHz."""
    time = np.arange(round(seconds * RATE)) / RATE
    grow = np.log(40) / seconds
    phase = 2 * np.pi * 200 * np.expm1(grow * time) / grow
    return mel_spectrogram(Audio((0.5 * np.sin(phase)).astype(np.float32)[None], RATE))


@pytest.mark.parametrize("seconds", [0.1, 0.5, None])
def test_frames_are_in_order_with_low_frequencies_below(seconds):
    frames = list(
        spectrogram_frames(chirp(), count=120, fps=Fraction(30), size=(128, 65), seconds=seconds, colormap="gray")
    )
    heights = [127 - int(np.argmax(frame[:, 32, 0])) for frame in frames[1:-1]]
    assert all(a <= b for a, b in zip(heights, heights[1:], strict=False)), "the rising tone falls somewhere"
    assert heights[0] < 20 and heights[-1] > 100
    assert len(set(heights)) > 80, "frames repeat"


@pytest.mark.parametrize("fps", [Fraction(10), Fraction(24), Fraction(30), Fraction(30000, 1001), Fraction(60)])
def test_each_frame_shows_its_own_moment(fps):
    """A click is in the middle of the window of the frame in whose time it falls, for any frame rate."""
    x = np.zeros((1, 8 * RATE), np.float32)
    moment = 5.3
    x[0, round(moment * RATE)] = 1
    frames = list(
        spectrogram_frames(
            mel_spectrogram(Audio(x, RATE)), count=int(8 * fps), fps=fps, size=(8, 301), seconds=1.0, colormap="gray"
        )
    )
    for k in (int(moment * fps), int((moment - 0.3) * fps), int((moment + 0.4) * fps)):
        row = frames[k][4, :, 0].astype(float)
        column = np.average(np.arange(301), weights=np.maximum(row - row.max() / 2, 0))
        expected = 150 + (moment - float((k + Fraction(1, 2)) / fps)) * 301
        assert column == pytest.approx(expected, abs=4), "columns are 3.3 ms wide; 4 of them are half a hop"


def test_the_published_chunks_cover_the_song_without_overlap():
    steps = np.repeat(np.arange(10), 10)[None].repeat(4, 0)  # ten columns a chunk, one level a chunk
    ladder = Spectrogram((steps * 8 - 80).astype(np.float32), 100, 1)
    frames = list(spectrogram_frames(ladder, count=10, fps=Fraction(10), size=(4, 40), seconds=0.1, colormap="gray"))
    middles = [int(f[2, 20, 0]) for f in frames]
    assert middles == [int(k * 8 * 255 / 80 + 0.5) for k in range(10)]


def test_what_lies_outside_the_song_is_drawn_as_silence():
    loud = Spectrogram(np.zeros((16, 43), np.float32), RATE, 512)
    frames = list(spectrogram_frames(loud, count=30, fps=Fraction(30), size=(16, 100), seconds=1.0))
    magma = spectra.colours("magma")
    assert frames[0][8, 5].tolist() == magma[0].tolist() and frames[0][8, 95].tolist() == magma[255].tolist()
    assert frames[29][8, 5].tolist() == magma[255].tolist() and frames[29][8, 95].tolist() == magma[0].tolist()


def test_chunks_can_be_brought_to_their_own_maximum():
    quiet = Spectrogram(np.full((16, 90), -40, np.float32), RATE, 512)
    settings = {"count": 2, "fps": Fraction(1), "size": (8, 8), "seconds": 0.5, "colormap": "gray"}
    assert next(iter(spectrogram_frames(quiet, **settings)))[4, 4, 0] == 128
    assert next(iter(spectrogram_frames(quiet, relative="chunk", **settings)))[4, 4, 0] == 255
    silent = Spectrogram(np.full((16, 90), -80, np.float32), RATE, 512)
    assert next(iter(spectrogram_frames(silent, relative="chunk", **settings))).max() == 0


def test_frames_can_be_walked_again_and_count_is_exact():
    frames = spectrogram_frames(chirp(1), count=37, fps=Fraction(30), size=(12, 20))
    first, second = list(frames), list(frames)
    assert len(first) == 37 == len(frames)
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_the_whole_song_in_one_picture():
    picture = spectrogram_image(chirp(), (128, 200), colormap="gray").pixels[..., 0]
    rows = 127 - np.argmax(picture[:, 5:-5], axis=0)
    assert (np.diff(rows) >= 0).all() and rows[0] < 20 and rows[-1] > 100


def test_colours_are_matplotlibs():
    import matplotlib

    assert np.array_equal(spectra.colours("magma"), matplotlib.colormaps["magma"](np.arange(256), bytes=True)[:, :3])


def test_bad_looks_are_refused():
    flat = Spectrogram(np.zeros((8, 8), np.float32), RATE, 512)
    look = {"count": 1, "fps": Fraction(1), "size": (8, 8)}
    with pytest.raises(UnknownName, match="no colour map 'magna'; did you mean 'magma'"):
        spectrogram_frames(flat, colormap="magna", **look)
    with pytest.raises(InvalidValue, match="longer than 0 and at most 60 seconds, got 0"):
        spectrogram_frames(flat, seconds=0, **look)
    with pytest.raises(InvalidValue, match="'song' or 'chunk', got 'frame'"):
        spectrogram_frames(flat, relative="frame", **look)
