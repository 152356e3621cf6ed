"""house_synth: exact lengths and beats, loudness, determinism, loops, and clear errors."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from scipy.signal import resample

from spectrogrand.engines.synth.mastering import loudness, true_peak
from spectrogrand.engines.synth.song import plan_song, render
from spectrogrand.engines.synth.style import TEMPOS, hash_words, make_style, read_mood
from spectrogrand.errors import InvalidValue
from spectrogrand.interfaces import Card, Embedder
from spectrogrand.plugins.generators.songs.house_synth import HouseSynth
from spectrogrand.registry import register
from spectrogrand.types import GENRES, Topic

AXES = ("energy", "valence", "tension", "brightness", "space", "era")
MOTIFS = ("space", "city", "sea", "mountains", "forest", "machines", "faces", "geometry", "waves", "abstract")


@register("stub_axes")
class StubAxes(Embedder):
    """A text embedder of known answers: topics are drawn from their letters."""

    card = Card(summary="stub")
    artefact = Topic
    axes = AXES + tuple("motif_" + m for m in MOTIFS)

    def embed(self, batch):
        rows = []
        for topic in batch:
            rng = np.random.default_rng([ord(c) for c in getattr(topic, "text", topic)])
            rows.append(np.r_[rng.uniform(-0.8, 0.8, 6), rng.dirichlet(np.full(10, 0.3))])
        return np.array(rows, np.float32)


def synth(**settings):
    return HouseSynth(text="stub_axes", **settings)


SEA = Topic("the sea at night")


@pytest.mark.parametrize("duration, samples", [(0.1, 4410), (1.2345, 54441), (3.3, 145530), (10, 441000)])
def test_length_is_exact_in_samples(duration, samples):
    assert synth(duration=duration).generate([SEA], [0])[0].samples.shape == (2, samples)


@pytest.mark.parametrize("genre", GENRES)
def test_loudness_and_true_peak(genre):
    samples = synth(genre=genre).generate([SEA], [3])[0].samples
    assert loudness(samples) == pytest.approx(-14, abs=1)
    assert true_peak(samples) <= -1
    fine = resample(np.pad(samples, ((0, 0), (4096, 4096))), 8 * (samples.shape[1] + 8192), axis=1)
    assert 20 * np.log10(np.abs(fine).max()) <= -1, (
        "between the samples, by an ideal interpolator at eight times the rate"
    )


def test_same_seed_same_bytes_whatever_the_batch():
    make = synth(duration=4.0)
    alone = make.generate([SEA], [5])[0]
    batch = make.generate([Topic("a spaceship"), SEA, SEA], [5, 5, 6])
    assert alone.samples.tobytes() == batch[1].samples.tobytes() and alone.plan == batch[1].plan
    assert batch[1].samples.tobytes() != batch[2].samples.tobytes() != batch[0].samples.tobytes()


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"duration": 0}, "0.1 to 600 seconds, got 0"),
        ({"duration": float("nan")}, "got nan"),
        ({"duration": 601}, "0.1 to 600"),
        ({"genre": "futur"}, "did you mean 'future'"),
        ({"tempo": 500}, "60 to 200"),
        ({"key": "H"}, "unknown note 'H'"),
        ({"key": "A minr"}, "did you mean 'minor'"),
        ({"swing": 0.9}, "0.5 to 0.7"),
    ],
)
def test_bad_settings_say_what_to_do(settings, message):
    with pytest.raises(InvalidValue, match=message):
        synth(**settings)


@pytest.fixture(scope="module")
def songs():
    """One song of 12.345 s in each sub-genre, at a tempo of no round numbers."""
    return {g: synth(duration=12.345, genre=g, tempo=123.457).generate([SEA], [2])[0] for g in GENRES}


@pytest.mark.parametrize("genre", GENRES)
def test_kicks_sound_within_a_millisecond_of_the_declared_beats(songs, genre):
    song = songs[genre]
    steep = np.convolve(np.abs(np.diff(song.mono().astype(float))), np.ones(22) / 22, "same")
    drop = next(s for s in song.plan.sections if s.name == "drop")
    heard = 0
    for beat in song.plan.beats:
        if drop.start <= beat + 1e-9 and beat < drop.end - 2:
            at = round(beat * song.rate)
            near = steep[max(0, at - 220) : at + 265]
            onset = int(np.argmax(near[22:] - near[:-22])) + 11 - min(at, 220)
            assert abs(onset) / song.rate <= 0.001, f"beat at {beat:.3f} s"
            heard += 1
    assert heard >= 12


def test_the_grid_is_exact_and_covers_the_song(songs):
    for song in songs.values():
        plan, end = song.plan, song.samples.shape[1] / song.rate
        assert np.allclose(plan.beats, np.arange(len(plan.beats)) * 60 / 123.457, atol=1e-9)
        assert plan.beats[-1] < end <= plan.beats[-1] + 60 / plan.tempo + 1e-9
        assert plan.downbeats == plan.beats[::4]
        assert plan.sections[0].start == 0 and plan.sections[-1].end == pytest.approx(end, abs=1e-9)
        assert all(a.end == b.start for a, b in zip(plan.sections, plan.sections[1:], strict=False))


def test_sections_begin_on_downbeats_and_the_drop_is_the_loudest():
    song = synth(duration=32.0).generate([SEA], [1])[0]
    names = [s.name for s in song.plan.sections]
    assert {"intro", "build", "drop", "break", "outro"} == set(names)
    power = {}
    for s in song.plan.sections:
        assert min(abs(s.start - d) for d in song.plan.downbeats) < 1e-9
        part = song.samples[:, round(s.start * song.rate) : round(s.end * song.rate)]
        power.setdefault(s.name, []).append(float((part**2).mean()))
    assert min(power["drop"]) > 2 * max(max(v) for k, v in power.items() if k != "drop")


@pytest.mark.parametrize("genre", GENRES)
def test_tempo_stays_in_the_sub_genre_s_range(genre):
    low, high = TEMPOS[genre]
    tempos = {style_of(genre, Topic(f"topic {k}"), k).tempo for k in range(60)}
    assert all(low <= t <= high for t in tempos) and len(tempos) > 4


def test_what_is_asked_for_is_declared():
    plan = synth(duration=1.0, key="Bb dorian", tempo=131.5, genre="bass").generate([SEA], [0])[0].plan
    assert (plan.key, plan.mode, plan.tempo, plan.genre) == ("A#", "dorian", 131.5, "bass")


def test_starts_and_ends_without_a_click(songs):
    for song in songs.values():
        assert np.abs(song.samples[:, 0]).max() < 1e-3 and np.abs(song.samples[:, -1]).max() < 1e-3
        assert np.abs(song.samples[:, -441:]).max() < 0.02


@pytest.mark.parametrize("genre", GENRES)
def test_every_one_shot_begins_and_ends_at_rest(genre):
    """A sound cut off at either end would click wherever it is placed."""
    score = score_of(genre, 12.0)
    render(score)
    assert len(score.shelf) > 20
    for key, sound in score.shelf.items():
        peak = np.abs(sound).max()
        assert np.abs(sound[..., -1]).max() <= 0.02 * peak, f"{key} ends abruptly"
        assert np.abs(sound[..., 0]).max() <= 0.05 * peak, f"{key} begins abruptly"


@pytest.mark.parametrize("genre, duration", [("future", 8), ("bass", 9.7), ("melodic", 10)])
def test_a_loop_has_no_seam(genre, duration):
    song = synth(duration=duration, genre=genre, loop=True).generate([SEA], [1])[0]
    x, plan = song.samples, song.plan
    bars = len(plan.beats) / 4
    assert bars == int(bars) and abs(float(song.duration) - bars * 240 / plan.tempo) <= 0.5 / song.rate
    assert np.abs(x[:, 0] - x[:, -1]).max() <= np.abs(np.diff(x, axis=1)).max() / 4
    twice = np.concatenate([x, x], axis=1).mean(axis=0)
    flux, times = spectral_flux(twice)
    at_seam = flux[np.abs(times - x.shape[1]) < 3000].max()
    elsewhere = [flux[np.abs(times - round(d * song.rate)) < 3000].max() for d in plan.downbeats[1:]]
    assert at_seam <= 1.1 * max(elsewhere)


def test_a_free_tempo_is_fitted_so_that_the_loop_lasts_as_long_as_asked():
    song = synth(duration=10.0, genre="melodic", loop=True).generate([SEA], [1])[0]
    assert song.samples.shape[1] == 441000 and song.plan.tempo == 120


def test_chords_and_bass_move():
    score = score_of("progressive", 30.0)
    drops = [b for b in score.bars if b.section == "drop"]
    assert len({b.chord.notes for b in drops}) >= 3 and len({b.chord.root for b in drops}) >= 3


def test_seeds_differ_in_what_is_played_and_not_in_the_topic_s_key():
    made = synth(duration=4.0, genre="melodic").generate([SEA] * 4, [0, 1, 2, 3])
    assert len({a.samples.tobytes() for a in made}) == 4
    assert len({(a.plan.key, a.plan.mode) for a in made}) == 1


def spectral_flux(x):
    """Positive spectral change and the sample at which each frame is centred."""
    window = np.hanning(1024)
    starts = np.arange(0, len(x) - 1024, 256)
    frames = np.array([np.log1p(10 * np.abs(np.fft.rfft(window * x[s : s + 1024]))) for s in starts])
    return np.maximum(0, np.diff(frames, axis=0)).sum(axis=1), starts[1:] + 512


def style_of(genre, topic, seed):
    mood = read_mood(StubAxes().embed([topic])[0], StubAxes.axes)
    return make_style(mood, hash_words(topic.text), seed, genre=genre, tempo=None, key=None, swing=None)


def score_of(genre, seconds):
    return plan_song(style_of(genre, SEA, 4), Fraction(str(seconds)), False)[0]
