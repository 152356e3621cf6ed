"""Campaigns over many songs: tempo and beats by essentia, sections by novelty, topics by measured features, repetition."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys

import numpy as np
import pytest

from spectrogrand.plugins.generators.songs.house_synth import HouseSynth
from spectrogrand.types import GENRES, Topic

pytestmark = pytest.mark.slow
TOPICS = (
    "a futuristic spaceship", "the sea at night", "a haunted forest", "sunny beach party", "an old steam engine",
    "love and heartbreak", "mountains in winter", "neon city rain", "sacred geometry", "laughing faces in a crowd",
)  # fmt: skip
LISTEN = """
import json, sys
import numpy as np
import essentia
essentia.log.infoActive = essentia.log.warningActive = False
from essentia.standard import RhythmExtractor2013
from spectrogrand.plugins.generators.songs.house_synth import HouseSynth
from spectrogrand.types import GENRES, Topic
listen, topics, rows = RhythmExtractor2013(method="multifeature"), json.loads(sys.argv[1]), []
for seed in range(40):
    song = HouseSynth(duration=30.0, genre=GENRES[seed % 4]).generate([Topic(topics[seed % 10])], [seed])[0]
    tempo, beats = listen(song.mono())[:2]
    rows.append((song.plan.tempo, float(tempo), list(song.plan.beats), beats.tolist()))
print(json.dumps(rows))
"""


@pytest.mark.skipif(importlib.util.find_spec("essentia") is None, reason="essentia is not installed")
def test_essentia_finds_the_declared_tempo_and_beats():
    """Essentia and TensorFlow abort in one process, so essentia listens in its own."""
    mir_eval = pytest.importorskip("mir_eval")
    said = subprocess.run(
        [sys.executable, "-c", LISTEN, json.dumps(TOPICS)], capture_output=True, text=True, check=True
    ).stdout
    rows = json.loads(said.splitlines()[-1])
    assert sum(abs(found - declared) <= 1 for declared, found, _, _ in rows) >= 38
    scores = [mir_eval.beat.f_measure(np.array(true), np.array(heard)) for _, _, true, heard in rows]
    assert np.mean(scores) >= 0.95 and np.median(scores) >= 0.97


def song_features(samples, rate):
    """Log-mel spectrogram in quarter seconds, each frame centred, shape=(mel, frame)."""
    import librosa

    y = librosa.resample(samples, orig_sr=rate, target_sr=22050)
    power = librosa.feature.melspectrogram(y=y, sr=22050, n_mels=40, hop_length=512)
    mel = librosa.power_to_db(power, ref=np.max, top_db=70)
    edges = np.round(np.arange(0, len(y) / 22050, 0.25) * 22050 / 512).astype(int)
    rows = np.stack([mel[:, a:b].mean(axis=1) for a, b in zip(edges, edges[1:], strict=False)], axis=1)
    return rows - rows.mean(axis=1, keepdims=True)


def boundaries(features, count, half=6.0, step=0.25):
    """The `count` highest peaks of Foote's checkerboard novelty (ICME 2000), in seconds."""
    distance = ((features[:, :, None] - features[:, None]) ** 2).mean(axis=0)
    alike = np.exp(-distance / np.median(distance))
    size = int(half / step)
    place = np.arange(-size, size) + 0.5
    bell = np.exp(-0.5 * (place / (size / 2)) ** 2) * np.sign(place)
    kernel, padded = np.outer(bell, bell), np.pad(alike, size, mode="reflect")
    novelty = np.array([(padded[i : i + 2 * size, i : i + 2 * size] * kernel).sum() for i in range(len(alike))])
    guard, found = int(3 / step), []
    novelty[: int(2 / step)] = novelty[-int(2 / step) :] = 0
    for _ in range(count):
        best = int(novelty.argmax())
        found.append(best * step)
        novelty[max(0, best - guard) : best + guard + 1] = 0
    return np.array(found)


def test_novelty_segmentation_recovers_the_sections_within_a_bar():
    hits = total = 0
    for seed in range(12):
        song = HouseSynth(duration=60.0, genre=GENRES[seed % 4]).generate([Topic(TOPICS[seed % 10])], [seed])[0]
        declared = [s.start for s in song.plan.sections[1:]]
        found = boundaries(song_features(song.mono(), song.rate), len(declared))
        bar = 240 / song.plan.tempo
        hits += sum(np.abs(found - d).min() <= bar for d in declared)
        total += len(declared)
    assert total >= 60 and hits / total >= 0.95, f"{hits} of {total}"


def bar_patches(song):
    """Mel spectrogram of each whole bar in 32 steps, dB, shape=(bar, mel, step)."""
    import librosa

    y = librosa.resample(song.mono(), orig_sr=song.rate, target_sr=22050)
    power = librosa.feature.melspectrogram(y=y, sr=22050, n_mels=64, n_fft=1024, hop_length=128)
    mel, bar = librosa.power_to_db(power, ref=np.max, top_db=60), 240 / song.plan.tempo
    rows = []
    for k in range(int(len(y) / 22050 / bar)):
        edges = np.round(np.linspace(k * bar, (k + 1) * bar, 33) * 22050 / 128).astype(int)
        rows.append(np.stack([mel[:, a:b].mean(axis=1) for a, b in zip(edges, edges[1:], strict=False)], axis=1))
    return np.array(rows)


@pytest.mark.parametrize("genre", GENRES)
def test_no_bar_returns_more_than_eight_times_in_five_minutes(genre):
    """Bars within 1.5 dB of each other differ by no more than the player's touch; different chords are some 7 dB apart."""
    patches = bar_patches(HouseSynth(duration=300.0, genre=genre).generate([Topic(TOPICS[0])], [1])[0])
    alike = np.array([(np.abs(patches - p).mean(axis=(1, 2)) < 1.5).sum() for p in patches])
    assert alike.max() <= 8


def measured(song):
    """Timbre, harmony and rhythm of a song as numbers, from the sound alone."""
    import librosa

    y = librosa.resample(song.mono(), orig_sr=song.rate, target_sr=22050)
    power = librosa.feature.melspectrogram(y=y, sr=22050, n_mels=64)
    mel = librosa.power_to_db(power, ref=np.max, top_db=70)
    mfcc, onsets = librosa.feature.mfcc(S=mel, n_mfcc=20), librosa.onset.onset_strength(S=mel, sr=22050)
    chroma = librosa.feature.chroma_stft(y=y, sr=22050, n_fft=8192).mean(axis=1)
    centroid = librosa.feature.spectral_centroid(S=np.sqrt(power))
    return np.r_[
        mfcc.mean(axis=1), mfcc.std(axis=1), chroma, onsets.mean(), onsets.std(), centroid.mean(), centroid.std()
    ]


def test_measured_features_identify_the_topic():
    """Ten topics, ten seeds: nearest centroid, each song left out of its own; 10 % by chance."""
    make = HouseSynth()
    rows = np.array([measured(make.generate([Topic(t)], [seed])[0]) for t in TOPICS for seed in range(10)])
    labels, hits = np.repeat(np.arange(10), 10), 0
    for k in range(100):
        rest = np.arange(100) != k
        scaled = (rows - rows[rest].mean(axis=0)) / (rows[rest].std(axis=0) + 1e-9)
        centres = np.stack([scaled[rest & (labels == t)].mean(axis=0) for t in range(10)])
        hits += int(((centres - scaled[k]) ** 2).sum(axis=1).argmin() == labels[k])
    assert hits >= 70, f"{hits} of 100"
