"""Beats of sound whose grid is known: loops of exact tempo tiled to 30 s, and house_synth songs with their plan taken away."""

import sys

import numpy as np
import pytest

from spectrogrand import Audio, Topic, build, load_audio
from spectrogrand.audio.features import analyse
from spectrogrand.types import GENRES

LOOPS = {"loop_breakbeat.flac": 126, "loop_mika.flac": 120, "arovane_beat_b.flac": 130, "loop_compus.flac": 148}
TOPICS = (
    "a futuristic spaceship", "the sea at night", "a haunted forest", "sunny beach party", "an old steam engine",
    "love and heartbreak", "mountains in winter", "neon city rain", "sacred geometry", "laughing faces in a crowd",
)  # fmt: skip


def f_measure(truth, found):
    """mir_eval's, with its window of 70 ms, over everything: the first five seconds count."""
    import mir_eval

    return mir_eval.beat.f_measure(np.asarray(truth), np.asarray(found), f_measure_threshold=0.07)


def listened(seed):
    """(declared tempo, found tempo, F-measure of beats) of one synthesised song, heard without its plan."""
    topic = Topic(TOPICS[seed % len(TOPICS)])
    song = build("generators", {"name": "house_synth", "duration": 20.0, "genre": GENRES[seed % 4]}).generate(
        [topic], [seed]
    )[0]
    heard = analyse(Audio(song.samples, song.rate))
    truth = [b for b in song.plan.beats if b < float(song.duration) - 0.02]
    return song.plan.tempo, heard.tempo, f_measure(truth, heard.beats)


@pytest.mark.parametrize("name", LOOPS)
def test_a_tiled_loops_beats_are_its_own(shared, name):
    loop = load_audio(shared / "data/audio" / name)
    times = -(-30 * loop.rate // loop.samples.shape[1])
    song = Audio(np.tile(loop.samples, (1, times))[:, : 30 * loop.rate], loop.rate)
    heard = analyse(song)
    assert f_measure(np.arange(0, 30, 60 / LOOPS[name]), heard.beats) >= 0.95
    assert abs(heard.tempo / LOOPS[name] - 1) < 0.005


def test_a_synthesised_songs_beats_are_its_own():
    rows = [listened(seed) for seed in (0, 3)]
    assert min(score for _, _, score in rows) >= 0.95 and max(abs(a - b) for a, b, _ in rows) < 0.5, rows


@pytest.mark.slow
def test_forty_synthesised_songs(capsys):
    rows = np.array([listened(seed) for seed in range(40)])
    with capsys.disabled():
        sys.stdout.write(f"\nbeats of 40 songs: mean F {rows[:, 2].mean():.4f}, lowest {rows[:, 2].min():.3f}, "
              f"tempo within 1 BPM {int((np.abs(rows[:, 0] - rows[:, 1]) <= 1).sum())} of 40\n")  # fmt: skip
    assert rows[:, 2].mean() >= 0.95
