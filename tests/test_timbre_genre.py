"""The genre classifier: unseen songs of every sub-genre, shuffled labels, and "none of these" for speech, noise, jazz."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from spectrogrand import registry
from spectrogrand.errors import InvalidValue
from spectrogrand.plugins.classifiers.timbre_genre import WEIGHTS, TimbreGenre
from spectrogrand.types import GENRES, Audio, Topic

RATE = 22050


@pytest.fixture(scope="module")
def unseen() -> list[Audio]:
    """Two songs a sub-genre, of seeds and topics that were never trained on."""
    made = []
    for genre in GENRES:
        generator = registry.build("generators", {"name": "house_synth", "genre": genre, "duration": 10.0})
        made += generator.generate([Topic("a swarm of drones"), Topic("silent snow")], [9101, 9102])
    return made


def speech(seed: int = 0, seconds: float = 8.0) -> Audio:
    """Syllables: a gliding buzz through vowel formants, hiss between them, pauses; about four a second."""
    from scipy.signal import lfilter

    rng, parts = np.random.default_rng(seed), []
    while sum(map(len, parts)) < seconds * RATE:
        n = int(RATE * rng.uniform(0.12, 0.28))
        pitch = rng.uniform(95, 140) * (1 + 0.15 * np.sin(np.linspace(0, 3, n)))
        voice = lfilter([1], [1, -0.95], (np.diff(np.cumsum(pitch / RATE) % 1, prepend=0) < 0) * 1.0)
        for formant, width in zip(
            (rng.uniform(300, 800), rng.uniform(900, 2200), rng.uniform(2300, 2900)), (80, 110, 160), strict=True
        ):
            radius = np.exp(-np.pi * width / RATE)
            voice = lfilter([1 - radius], [1, -2 * radius * np.cos(2 * np.pi * formant / RATE), radius**2], voice)
        hiss = lfilter([1, -0.9], [1], rng.normal(0, 1, int(RATE * rng.uniform(0.03, 0.09))))
        pause = np.zeros(int(RATE * rng.choice([0, 0, 0.05, 0.35])))
        parts += [voice / (np.abs(voice).max() + 1e-9) * np.hanning(n), 0.08 * hiss, pause]
    return Audio((0.3 * np.concatenate(parts))[None].astype(np.float32), RATE)


def jazz(seed: int = 0, tempo: float = 180.0, seconds: float = 8.0) -> Audio:
    """A swing trio: walking bass, ride cymbal in swung eighths, sparse piano chords on ii-V-I, brushes on two and four."""
    rng, beat = np.random.default_rng(seed), 60 / tempo
    out = np.zeros(int((seconds + 2) * RATE))

    def add(at: float, sound: np.ndarray) -> None:
        start = int(at * RATE)
        part = sound[: len(out) - start]
        out[start : start + len(part)] += part

    def note(pitch: float, length: float, decay: float, level: float) -> np.ndarray:
        t = np.arange(int(length * RATE)) / RATE
        f = 440 * 2 ** ((pitch - 69) / 12)
        return level * sum(np.sin(2 * np.pi * f * h * t) / h**1.5 for h in range(1, 7)) * np.exp(-decay * t)

    def brush(length: float, decay: float, level: float) -> np.ndarray:
        t = np.arange(int(length * RATE)) / RATE
        return level * np.diff(rng.normal(0, 1, len(t)), prepend=0) * np.exp(-decay * t)

    for k in range(int(seconds / beat)):
        root = (50, 55, 48, 48)[k // 4 % 4]
        add(k * beat, note(root - 12 + rng.choice([0, 3, 4, 7, 10]), 0.9 * beat, 4, 0.25))
        add(k * beat, brush(0.4, 12, 0.03))
        if k % 2:
            add((k + 0.66) * beat, brush(0.3, 15, 0.02))
            add(k * beat, brush(0.15, 25, 0.06))
        if rng.random() < 0.4:
            for step in (3, 7, 10, 14):
                add((k + rng.choice([0, 0.66])) * beat, note(root + 12 + step, 0.7, 5, 0.06))
    return Audio(out[None, : int(seconds * RATE)].astype(np.float32), RATE)


def noise(seed: int, slope: float) -> Audio:
    spectrum = np.fft.rfft(np.random.default_rng(seed).normal(0, 1, 8 * RATE))
    shaped = np.fft.irfft(spectrum / (1 + np.arange(len(spectrum))) ** slope)
    return Audio((0.1 * shaped / shaped.std())[None].astype(np.float32), RATE)


def test_unseen_songs_are_named(unseen):
    probabilities, names = TimbreGenre().classify(unseen)
    assert names == GENRES and probabilities.shape == (8, 4) and probabilities.dtype == np.float64
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert (probabilities.argmax(axis=1) == np.repeat(np.arange(4), 2)).sum() >= 7
    assert not TimbreGenre().novel(unseen).any(), TimbreGenre().distances(unseen)
    assert TimbreGenre().confidence(unseen).min() > 0.1


@pytest.mark.parametrize(
    "strange",
    [speech(0), speech(1), jazz(0), jazz(1, 140), jazz(2, 126), noise(0, 0), noise(1, 0.5), noise(2, 1.0)],
    ids=["speech", "speech2", "jazz", "jazz slow", "jazz 126", "white", "pink", "brown"],
)
def test_none_of_these(strange):
    classifier = TimbreGenre()
    assert classifier.novel([strange]).all(), classifier.distances([strange])
    assert classifier.confidence([strange])[0] == 0


def test_real_speech_free_music_is_none_of_these(shared):
    """A swinging orchestral tune is no house sub-genre."""
    from spectrogrand.media import load_audio

    assert TimbreGenre().novel([load_audio(shared / "data" / "audio" / "outfoxing.mp3")]).all()


def test_training_beats_chance_and_shuffled_labels_do_not(monkeypatch):
    monkeypatch.setattr(sys, "path", [str(Path(__file__).parents[1] / "train"), *sys.path])
    import timbre_genre

    values, genres, topics, _ = timbre_genre.training_set()
    assert timbre_genre.held_out(values, genres, topics)[0] >= 0.9
    assert abs(timbre_genre.shuffled(values, genres, topics, rounds=6).mean() - 0.25) <= 0.08


def test_silence_order_and_bad_input(unseen):
    classifier = TimbreGenre()
    silent = Audio(np.zeros((1, RATE), np.float32), RATE)
    assert classifier.classify([silent])[0].tolist() == [[0.25] * 4]
    assert classifier.novel([silent]).all() and classifier.confidence([silent])[0] == 0
    batch = [unseen[0], silent, unseen[3]]
    assert np.array_equal(classifier.classify(batch)[0][2:], classifier.classify([unseen[3]])[0])
    assert classifier.classify([])[0].shape == (0, 4) and classifier.confidence([]).shape == (0,)
    with pytest.raises(InvalidValue, match="classifies Audio, got int"):
        classifier.classify([1])


def test_weights_are_small_and_part_of_the_key():
    assert WEIGHTS.stat().st_size < 1_000_000
    assert len(TimbreGenre().identity()["weights"]) == 64
