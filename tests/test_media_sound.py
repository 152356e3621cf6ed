"""Sound in and out: every format and width that is promised, exact lengths, and long sounds in flat memory."""

import gc
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from spectrogrand.media import load_audio, resample, resample_blocks, save_audio
from spectrogrand.media.sound_writer import header
from spectrogrand.types import Audio


def tone(rate: int, seconds: float, channels: int = 1, hertz: float = 440.0) -> np.ndarray:
    """A sine of amplitude 0.5, float32 (channel, time); each further channel is half as loud."""
    time = np.arange(round(rate * seconds)) / rate
    wave = 0.5 * np.sin(2 * np.pi * hertz * time)
    return np.stack([wave / 2**c for c in range(channels)]).astype(np.float32)


def strongest(samples: np.ndarray, rate: int) -> float:
    """The frequency in Hz of the strongest bin."""
    return float(np.argmax(np.abs(np.fft.rfft(samples))) * rate / len(samples))


@pytest.mark.parametrize(
    ("subtype", "error"),
    [("PCM_U8", 2**-7), ("PCM_16", 2**-15), ("PCM_24", 2**-23), ("PCM_32", 2**-24), ("FLOAT", 0), ("DOUBLE", 0)],
)
def test_wav_of_every_width_is_read_at_full_scale(tmp_path, subtype, error):
    wave = tone(8000, 0.1, 2)
    soundfile.write(tmp_path / "a.wav", wave.T, 8000, subtype=subtype)
    sound = load_audio(tmp_path / "a.wav")
    assert (sound.rate, sound.samples.dtype, sound.samples.shape) == (8000, np.float32, wave.shape)
    assert np.abs(sound.samples - wave).max() <= error


@pytest.mark.parametrize("channels", [1, 2, 6, 8])
def test_every_channel_is_kept_in_its_place(tmp_path, channels):
    soundfile.write(tmp_path / "a.wav", tone(96000, 0.05, channels).T, 96000, subtype="FLOAT")
    sound = load_audio(tmp_path / "a.wav")
    np.testing.assert_array_equal(sound.samples, tone(96000, 0.05, channels))


@pytest.mark.parametrize("rate", [1000, 8000, 22050, 192000, 768000])
def test_every_rate_travels_with_the_samples(tmp_path, rate):
    soundfile.write(tmp_path / "a.wav", tone(rate, 0.05).T, rate)
    assert load_audio(tmp_path / "a.wav").rate == rate


@pytest.mark.parametrize(("name", "form"), [("a.flac", "FLAC"), ("a.ogg", "OGG"), ("a.aiff", "AIFF"), ("a.mp3", "MP3")])
def test_format_comes_from_the_bytes_not_from_the_name(tmp_path, name, form):
    soundfile.write(tmp_path / name, tone(44100, 1).T, 44100, format=form)
    honest = load_audio(tmp_path / name)
    (tmp_path / name).rename(tmp_path / "lie.wav")
    renamed = load_audio(tmp_path / "lie.wav")
    np.testing.assert_array_equal(honest.samples, renamed.samples)
    assert abs(strongest(honest.samples[0], 44100) - 440) < 2
    assert abs(honest.samples.shape[1] - 44100) <= 1152  # one MP3 frame


def test_streaming_wav_without_a_length_is_read_to_its_end(tmp_path):
    soundfile.write(tmp_path / "a.wav", tone(8000, 1).T, 8000)
    data = bytearray((tmp_path / "a.wav").read_bytes())
    data[4:8] = data[40:44] = b"\xff\xff\xff\xff"
    (tmp_path / "a.wav").write_bytes(data)
    assert load_audio(tmp_path / "a.wav").duration == 1


def test_real_files(shared):
    kick = load_audio(shared / "data/audio/808kick120bpm.mp3")
    assert kick.duration == 10 and kick.rate == 44100
    loop = load_audio(shared / "data/audio/loop_mika.flac")
    assert loop.duration == 8  # 16 beats at 120 BPM
    song = load_audio(shared / "data/audio/outfoxing.mp3")
    assert song.channels == 2 and round(float(song.duration), 1) == 97.4


def test_sound_of_a_video_is_the_published_song(shared):
    static, dynamic = (load_audio(shared / f"data/demo/spaceships_{n}.mp4") for n in ("static", "dynamic1"))
    assert abs(static.duration - 10) < Fraction(1, 60)
    np.testing.assert_array_equal(static.samples, dynamic.samples)
    assert 0.01 < np.abs(static.samples).mean() < 0.5


def test_mp3_agrees_with_libsndfile(shared):
    """An independent decoder (mpg123) hears the same."""
    path = shared / "data/audio/808kick120bpm.mp3"
    other, rate = soundfile.read(path, dtype="float32", always_2d=True)
    ours = load_audio(path)
    assert rate == ours.rate and ours.samples.shape == other.T.shape
    assert np.abs(ours.samples - other.T).max() < 1e-3


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 8), st.integers(1, 300), st.sampled_from([8000, 44100, 96000]),
    st.sampled_from(["PCM_U8", "PCM_16", "PCM_24", "FLOAT"]), st.integers(0, 2**32 - 1),
)  # fmt: skip
def test_wav_round_trip(tmp_path_factory, channels, length, rate, subtype, seed):
    folder = tmp_path_factory.mktemp("trip")
    samples = np.random.default_rng(seed).uniform(-1, 1, (length, channels)).astype(np.float32)
    soundfile.write(folder / "a.wav", samples, rate, subtype=subtype)
    first = load_audio(folder / "a.wav")
    save_audio(folder / "b.wav", first)
    second = load_audio(folder / "b.wav")
    save_audio(folder / "c.wav", second)
    assert (second.rate, second.samples.shape) == (rate, (channels, length))
    assert np.abs(first.samples - second.samples).max() <= 2**-15
    assert (folder / "b.wav").read_bytes() == (folder / "c.wav").read_bytes()


def test_written_wav_is_rounded_clipped_and_read_by_others(tmp_path):
    samples = np.array([[2.0, -2.0, 0.0, 1.6 / 32768, -1.4 / 32768]], np.float32)
    save_audio(tmp_path / "a.wav", Audio(samples, 44100))
    whole, rate = soundfile.read(tmp_path / "a.wav", dtype="int16")
    assert whole.tolist() == [32767, -32768, 0, 2, -1] and rate == 44100


def test_over_four_gigabytes_becomes_rf64(tmp_path):
    """The header alone, over a sparse file: libsndfile must see the length."""
    length = 2**31 + 10
    with open(tmp_path / "long.wav", "wb") as file:
        file.write(header(2, 192000, length))
        file.truncate(file.tell() + 4 * length)
    with soundfile.SoundFile(tmp_path / "long.wav") as sound:
        assert (sound.frames, sound.samplerate, sound.channels, sound.format) == (length, 192000, 2, "RF64")


def test_resampling_keeps_the_tone_and_the_exact_length():
    wave = tone(44100, 1.2345, 2, 1000)
    made = resample(wave, 44100, 48000)
    assert made.shape == (2, round(wave.shape[1] * 48000 / 44100)) and made.dtype == np.float32
    inner = made[:, 4800:-4800]
    assert abs(strongest(inner[0], 48000) - 1000) < 2
    assert abs(np.abs(inner[0]).max() - 0.5) < 1e-3 and abs(np.abs(inner[1]).max() - 0.25) < 1e-3


def test_resampling_removes_what_the_new_rate_cannot_hold():
    made = resample(tone(48000, 0.5, 1, 15000), 48000, 16000)
    assert np.abs(made[:, 800:-800]).max() < 1e-4


@pytest.mark.parametrize("rates", [(44100, 48000), (48000, 16000), (8000, 8000)])
def test_resampling_in_blocks_equals_the_whole(rates):
    sound = Audio(tone(rates[0], 0.7, 2), rates[0])
    joined = np.concatenate(list(resample_blocks(sound, rates[1], 1000)), axis=1)
    whole = resample(sound.samples, *rates)
    assert joined.shape == whole.shape
    assert np.abs(joined - whole).max() < 1e-4


def test_long_sound_stays_on_disk_in_flat_memory(tmp_path):
    """An hour of stereo in a process of its own: the peak may grow by blocks, not by the sound (231 MB as float32)."""
    code = """
import resource, sys
from pathlib import Path
import numpy as np
from spectrogrand.media import load_audio, save_audio
from spectrogrand.media.sound_writer import header
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
folder = Path(sys.argv[1])
with open(folder / "hour.wav", "wb") as file:
    file.write(header(2, 8000, 3600 * 8000))
    for second in range(3600):
        file.write(np.full((8000, 2), second, "<i2").tobytes())
with open(folder / "short.wav", "wb") as file:
    file.write(header(2, 8000, 8000) + bytes(32000))
load_audio(folder / "short.wav")
before = peak()
sound = load_audio(folder / "hour.wav", workspace=folder)
assert sum(block.shape[1] for block in sound.blocks(8000)) == 3600 * 8000
save_audio(folder / "again.wav", sound)
print(peak() - before, type(sound.samples).__name__, sound.samples.flags.writeable, sound.samples.shape)
print(int(sound.samples[1, 8000 * 1234] * 32768), len(list(folder.glob("*.f32"))))
"""
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    first, second = done.stdout.splitlines()
    grown, *rest = first.split(maxsplit=1)
    assert int(grown) < 60, done.stdout
    assert rest == ["memmap False (2, 28800000)"] and second == "1234 1"
    assert (tmp_path / "hour.wav").read_bytes() == (tmp_path / "again.wav").read_bytes()
    assert list(tmp_path.glob("*.f32")) == []  # removed when the process ended


def test_file_behind_a_long_sound_lives_as_long_as_any_view(tmp_path):
    with open(tmp_path / "a.wav", "wb") as file:
        file.write(header(1, 8000, 601 * 8000) + bytes(2 * 601 * 8000))
    sound = load_audio(tmp_path / "a.wav", workspace=tmp_path)
    view = sound.samples[:, 5:10]
    del sound
    gc.collect()
    assert len(list(tmp_path.glob("*.f32"))) == 1 and view.sum() == 0
    del view
    gc.collect()
    assert list(tmp_path.glob("*.f32")) == []


def test_blocks_of_a_part_of_a_long_sound_are_that_part(tmp_path):
    """A slice of a memory map keeps the file offset of the whole map."""
    with open(tmp_path / "a.wav", "wb") as file:
        file.write(header(2, 1000, 601_000))
        file.write(np.repeat(np.arange(601_000, dtype="<i4") % 30_000, 2).astype("<i2").tobytes())
    sound = load_audio(tmp_path / "a.wav", workspace=tmp_path)
    for part in (sound.samples, sound.samples[:, 777:2777], sound.samples[:1, 5:], sound.samples[:, :10]):
        joined = np.concatenate(list(Audio(part, 1000).blocks(999)), axis=1)
        np.testing.assert_array_equal(joined, np.array(part))


def test_ten_minutes_stay_in_memory(tmp_path):
    with open(tmp_path / "a.wav", "wb") as file:
        file.write(header(2, 8000, 600 * 8000) + bytes(4 * 600 * 8000))
    sound = load_audio(tmp_path / "a.wav", workspace=tmp_path)
    assert not isinstance(sound.samples, np.memmap) and sound.samples.flags.c_contiguous
    assert [p.name for p in tmp_path.iterdir()] == ["a.wav"]


def test_unwritable_workspace_is_one_line(tmp_path):
    from spectrogrand.errors import MediaError

    with open(tmp_path / "a.wav", "wb") as file:
        file.write(header(2, 8000, 600 * 8000) + bytes(4 * 600 * 8000))
    with pytest.raises(MediaError, match="was not decoded: .* does not exist"):
        load_audio(tmp_path / "a.wav", workspace=Path(tmp_path, "none"))
