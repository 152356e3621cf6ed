"""What must never win fails its gate; real material and everything near it passes."""

import importlib.util
import subprocess
import sys

import numpy as np
import pytest
import soundfile
from scipy.signal import butter, sosfilt

from spectrogrand import Audio, Card, Embedder, Plan, build, register
from spectrogrand.audio.loudness import integrated_loudness, level
from spectrogrand.errors import InvalidValue, MediaError
from spectrogrand.plugins.gates.clipping import Clipping
from spectrogrand.plugins.gates.near_copy import NearCopy
from spectrogrand.plugins.gates.noise import Noise
from spectrogrand.plugins.gates.one_bar_loop import OneBarLoop
from spectrogrand.plugins.gates.silence import Silence
from spectrogrand.plugins.gates.too_quiet import TooQuiet
from spectrogrand.testing import check_gate

SONG_GATES = ("silence", "noise", "clipping", "too_quiet", "one_bar_loop")
RATE = 22050


def audio(samples, rate=RATE, plan=None):
    return Audio(np.atleast_2d(np.asarray(samples)).astype(np.float32), rate, plan)


def tone(seconds=2.0, frequency=440.0, amplitude=0.5, rate=RATE):
    return audio(amplitude * np.sin(2 * np.pi * frequency * np.arange(int(seconds * rate)) / rate), rate)


def coloured(exponent, seconds=5, rate=RATE, seed=0):
    """Gaussian noise whose power falls with frequency to the power of `exponent`: 0 white, 1 pink, 2 brown."""
    n = int(seconds * rate)
    frequency = np.maximum(np.fft.rfftfreq(n, 1 / rate), 10)
    x = np.fft.irfft(np.fft.rfft(np.random.default_rng(seed).standard_normal(n)) * frequency ** (-exponent / 2), n)
    return audio(0.7 * x / np.abs(x).max(), rate)


def read(path):
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    return Audio(np.ascontiguousarray(samples.T), rate)


def cut(sound, start, seconds):
    first = int(start * sound.rate)
    return Audio(sound.samples[:, first : first + int(seconds * sound.rate)], sound.rate)


def tiled(sound, seconds):
    repeats = -(-int(seconds * sound.rate) // sound.samples.shape[1])
    return Audio(np.tile(sound.samples, (1, repeats)), sound.rate)


@pytest.fixture(scope="module")
def music(shared):
    """Ten-second pieces of the real track, the real loops that are not one bar, and a published song."""
    track = read(shared / "data/audio/outfoxing.mp3")
    pieces = {f"track at {s} s": cut(track, s, 10) for s in range(0, 90, 10)}
    for name in ("arovane_beat_b", "loop_compus", "loop_mika", "loop_breakbeat"):
        pieces[name] = read(shared / f"data/audio/{name}.flac")
    return pieces


def answers(gate, *sounds):
    return build("gates", gate).check(list(sounds))


@pytest.mark.parametrize("gate", SONG_GATES)
def test_the_contract_of_every_song_gate(gate):
    batch = [tone(), coloured(0), audio(np.zeros(RATE)), audio(np.sign(tone().samples)), tone(0.01), audio([0.5])]
    check_gate(lambda: build("gates", gate), batch)


@pytest.mark.parametrize("gate", SONG_GATES)
def test_real_music_passes(gate, music):
    assert answers(gate, *music.values()) == [None] * len(music)


@pytest.mark.parametrize("x", [np.zeros(RATE), np.full(RATE, 0.5), 1e-4 * tone().samples, np.zeros(1)])
def test_silence_and_a_constant_offset_are_silent(x):
    assert answers("silence", audio(x))[0].startswith("is silent (")


def test_silence_reports_the_level_and_has_a_floor():
    sound = tone(amplitude=10 ** (-70 / 20))
    assert Silence().check([sound]) == ["is silent (-73 dBFS)"]
    assert Silence(floor=-80).check([sound]) == [None]


def test_samples_that_are_not_finite_fail():
    sound = tone()
    sound.samples[0, 7] = np.nan
    assert Silence().check([sound]) == ["has samples that are not finite"]


def test_level_of_a_sine_is_its_rms():
    assert level(tone(amplitude=1.0)) == pytest.approx(-3.01, abs=0.01)


@pytest.mark.parametrize("rate", [44100, 48000])
def test_loudness_agrees_with_an_independent_implementation(rate):
    if importlib.util.find_spec("essentia") is None:
        pytest.skip("essentia is not installed")
    rng = np.random.default_rng(1)
    parts = [a * rng.standard_normal((2, 2 * rate)) for a in (0.2, 0.01, 0.1, 0.0)]
    x = np.concatenate(parts, axis=1).astype(np.float32)
    # in a process of its own: essentia brings a TensorFlow that aborts beside another
    code = (
        "import sys, numpy as np, essentia.standard as es; x = np.frombuffer(sys.stdin.buffer.read(), np.float32)\n"
        f"print(es.LoudnessEBUR128(sampleRate={rate})(x.reshape(-1, 2).copy())[2])"
    )
    sent = np.ascontiguousarray(x.T).tobytes()
    done = subprocess.run([sys.executable, "-c", code], input=sent, capture_output=True, check=True, timeout=120)
    theirs = float(done.stdout.split()[-1])
    assert integrated_loudness(audio(x, rate)) == pytest.approx(theirs, abs=0.1)


def test_quiet_music_fails_and_its_loudness_is_told():
    assert TooQuiet().check([tone(amplitude=0.004, frequency=997)]) == ["is too quiet (-51 LUFS)"]
    assert TooQuiet(floor=-60).check([tone(amplitude=0.004, frequency=997)]) == [None]


def test_cut_waves_clip_and_peaks_do_not():
    loud = 0.9999 * tone(amplitude=1.0).samples
    assert Clipping().check([audio(loud)]) == [None]
    cut_flat = Clipping().check([audio(np.clip(1.5 * loud, -1, 1))])[0]
    assert cut_flat == "is clipped (53.6 % of its samples stand flat at full scale)"


def test_runs_of_clipped_samples_are_counted_across_blocks(monkeypatch):
    x = np.zeros(1000)
    x[98:103], x[500:502], x[700:704], x[995:] = 1, 1, -1, -1
    whole = Clipping()._flat(audio(x))
    assert whole == (5 + 4 + 5) / 1000
    for size in (1, 7, 100):
        monkeypatch.setattr("spectrogrand.plugins.gates.clipping.BLOCK", size)
        assert Clipping()._flat(audio(x)) == whole


@pytest.mark.parametrize("rate", [8000, 22050, 48000])
@pytest.mark.parametrize("exponent", [-1, 0, 1, 2])
def test_noise_of_every_colour_is_noise(exponent, rate):
    sound = coloured(exponent, rate=rate)
    faded = audio(sound.samples * np.linspace(0, 1, sound.samples.shape[1]), rate)
    for reason in answers("noise", sound, faded, cut(sound, 0, 1)):
        assert reason is not None and reason.startswith("is noise without rhythm or tone")


def test_band_noise_and_uniform_noise_are_noise():
    white = coloured(0).samples
    band = sosfilt(butter(6, [300, 2000], "band", fs=RATE, output="sos"), white)
    uniform = np.random.default_rng(0).uniform(-1, 1, 5 * RATE)
    assert None not in answers("noise", audio(band), audio(uniform))


def test_tones_and_rhythms_in_noise_are_not_noise():
    white = 0.1 * np.random.default_rng(0).standard_normal(5 * RATE)
    beats = white * (np.arange(len(white)) % (RATE // 2) < RATE // 8)
    assert answers("noise", tone(), audio(beats), audio(white + tone(5, amplitude=0.1).samples)) == [None] * 3


def test_music_distorted_into_a_square_is_not_noise(music):
    distorted = [audio(np.tanh(30 * m.samples), m.rate) for m in music.values()]
    assert Noise().check(distorted) == [None] * len(distorted)


BARS = {"loop_breakbeat": 126, "loop_mika": 120, "arovane_beat_b": 130, "loop_compus": 148}


@pytest.mark.parametrize("name", BARS)
def test_one_bar_of_a_real_loop_copied_fails(name, shared):
    bar = 240 / BARS[name]
    sound = tiled(cut(read(shared / f"data/audio/{name}.flac"), 0, bar), 30)
    worn = audio(sound.samples + 0.01 * np.random.default_rng(0).standard_normal(sound.samples.shape), sound.rate)
    for reason in OneBarLoop().check([sound, worn, cut(sound, 0.3, 4.6 * bar)]):
        assert reason == f"repeats one bar of {bar:.2f} s from beginning to end"


def test_a_real_loop_file_tiled_to_30_s_fails(shared):
    assert answers("one_bar_loop", tiled(read(shared / "data/audio/loop_breakbeat.flac"), 30)) != [None]


def test_fewer_than_four_bars_pass(shared):
    assert answers("one_bar_loop", tiled(read(shared / "data/audio/loop_breakbeat.flac"), 5.6)) == [None]


def test_a_loop_that_develops_later_passes(shared, music):
    loop = tiled(read(shared / "data/audio/loop_breakbeat.flac"), 30).samples
    track = read(shared / "data/audio/outfoxing.mp3").samples[:, : 30 * 44100]
    assert answers("one_bar_loop", Audio(np.concatenate([loop, track], axis=1), 44100)) == [None]


def test_a_loop_with_a_changing_chord_passes(shared):
    drums = tiled(read(shared / "data/audio/loop_breakbeat.flac"), 15)
    bar = 240 / 126
    t = np.arange(drums.samples.shape[1]) / drums.rate
    root = 110 * 2 ** (np.array([0, 5, 7, 3])[(t // bar).astype(int) % 4] / 12)
    chord = sum(np.sin(2 * np.pi * np.cumsum(k * root) / drums.rate) / k for k in (1, 2, 2.5, 3, 4, 5, 6)) / 8
    assert answers("one_bar_loop", audio(drums.samples + chord, drums.rate)) == [None]


def test_the_declared_bar_is_tried(monkeypatch):
    monkeypatch.setattr("spectrogrand.plugins.gates.one_bar_loop._likely", lambda x: [])
    beat = np.random.default_rng(0).normal(0, 0.1, RATE) * np.exp(-np.arange(RATE) / 2000)
    sound = np.tile(np.concatenate([beat, beat[: RATE // 2], 0.5 * beat[: RATE // 2]]), 8)
    assert answers("one_bar_loop", audio(sound)) == [None]
    plan = Plan(120.0, "A", "minor", "bass")
    assert answers("one_bar_loop", audio(sound, plan=plan)) == ["repeats one bar of 2.00 s from beginning to end"]


@register("toy_spectrum")
class ToySpectrum(Embedder):
    """Energies of a few wide bands: enough to know a sound again."""

    card, artefact = Card("a toy for tests"), Audio

    def __init__(self, bands=24):
        self.bands = bands

    def embed(self, batch):
        power = [np.abs(np.fft.rfft(a.mono()[: a.rate], a.rate)[:4000]) for a in batch]
        return np.array(
            [np.add.reduceat(p, np.arange(0, 4000, 4000 // self.bands))[: self.bands] for p in power], np.float32
        )


@pytest.fixture
def references(tmp_path):
    from safetensors.numpy import save_file

    songs = [tone(frequency=f) for f in (300, 900, 1700, 2500)]
    vectors = ToySpectrum().embed(songs)
    save_file({"bass": vectors[:2].copy(), "future": vectors[2:].copy()}, tmp_path / "songs.safetensors")
    return str(tmp_path / "songs.safetensors")


def test_a_reference_song_again_is_a_near_copy(references):
    gate = NearCopy("toy_spectrum", references)
    copy = audio(0.3 * tone(frequency=2500).samples + 0.001)
    assert gate.check([copy, tone(frequency=2100)]) == [
        "is a near copy of reference song 1 of future (cosine 1.000)",
        None,
    ]
    check_gate(gate, [copy, tone(frequency=2100), audio(np.zeros(RATE))])


def test_the_threshold_decides(references):
    mixed = audio(tone(frequency=300).samples + 0.5 * tone(frequency=2100).samples)
    assert NearCopy("toy_spectrum", references).check([mixed]) == [None]
    assert NearCopy("toy_spectrum", references, threshold=0.8).check([mixed]) != [None]


def test_references_of_another_embedder_are_refused(references):
    with pytest.raises(InvalidValue, match="20 axes, the references have 24: both must come from the same embedder"):
        NearCopy({"name": "toy_spectrum", "bands": 20}, references).check([tone()])
    with pytest.raises(MediaError, match="nowhere.safetensors cannot be read"):
        NearCopy("toy_spectrum", "nowhere.safetensors").check([tone()])


def test_real_and_synthesised_songs_worn_are_near_copies_and_others_are_not(music, tmp_path):
    from safetensors.numpy import save_file

    from spectrogrand import Topic

    synth = build("generators", {"name": "house_synth", "duration": 8.0})
    mine, again = synth.generate([Topic("the calm sea")] * 2, [3, 4])
    known = [mine, music["track at 20 s"], music["arovane_beat_b"], music["loop_mika"]]
    vectors = build("embedders", "timbre_rhythm").embed(known)
    save_file({"known": vectors}, tmp_path / "known.safetensors")
    gate = NearCopy(references=str(tmp_path / "known.safetensors"))
    soundfile.write(tmp_path / "worn.mp3", mine.samples.T, mine.rate, format="MP3")
    worn = [read(tmp_path / "worn.mp3")] + [audio(0.5 * k.samples, k.rate) for k in known]
    assert [r.split(" (")[0] for r in gate.check(worn)] == [
        f"is a near copy of reference song {k} of known" for k in (0, 0, 1, 2, 3)
    ]
    assert gate.check([again, music["track at 60 s"], music["loop_compus"]]) == [None] * 3


@pytest.mark.parametrize("seconds", [12, 40])
def test_a_bell_that_rings_out_is_no_loop_and_no_error(seconds):
    t = np.arange(seconds * RATE) / RATE
    bell = np.sin(2 * np.pi * 660 * t) * np.exp(-t * 9)
    assert answers("one_bar_loop", audio(bell), audio(bell + 1e-5 * np.sin(2 * np.pi * 90 * t))) == [None, None]
