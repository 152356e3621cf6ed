"""Memory stays flat: over many runs in one process, over a thousand candidates, over twenty minutes of sound."""

import gc
import os
from pathlib import Path

import numpy as np
import pytest
from test_store_heals import Shade, Squares

from spectrogrand.audio.spectrogram import mel_spectrogram
from spectrogrand.media import load_audio, save_audio
from spectrogrand.report.page import write_report
from spectrogrand.runs.candidates import make_all, rate_all
from spectrogrand.runs.run import Run
from spectrogrand.store import Store
from spectrogrand.types import Audio, Topic

pytestmark = pytest.mark.slow


def resident():
    """Megabytes of this process in memory."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def test_two_hundred_runs_in_one_process_do_not_grow(tmp_path):
    """The frame of a run: candidates, scores, files, record and page; a fresh seed each time, so that nothing is found."""
    held = []
    for k in range(240):
        run = Run({"output": str(tmp_path), "seed": k}, "sea")
        items, _, _ = make_all(run.store, Squares(), [Topic("sea")] * 4, [4 * k + i for i in range(4)])
        rate_all(run.store, Shade(), items)
        for i, item in enumerate(items):
            run.keep_item(item, f"covers/{i}")
        run.close()
        write_report(run.folder)
        if k >= 40:
            held.append(resident())
    slope = np.polyfit(np.arange(len(held)), held, 1)[0]
    assert slope < 0.1, f"{slope:.3f} MB a run"


def test_a_thousand_candidates_take_what_a_hundred_take(tmp_path):
    store = Store(tmp_path)
    make_all(store, Squares(), [Topic("sea")] * 100, list(range(100)))
    before = resident()
    items, failed, _ = make_all(store, Squares(), [Topic("sea")] * 1000, list(range(1000, 2000)))
    assert len(items) == 1000 and failed == [None] * 1000
    assert resident() - before < 30


def test_twenty_minutes_of_stereo_are_not_held_in_memory(tmp_path):
    t = np.arange(48_000 * 1200, dtype=np.float32)
    samples = np.stack([0.1 * np.sin(t / 30), 0.1 * np.sin(t / 40)]).astype(np.float32)
    save_audio(tmp_path / "long.flac", Audio(samples, 48_000))
    size = samples.nbytes / 1e6
    del samples, t
    before = resident()
    song = load_audio(tmp_path / "long.flac")
    after = resident()
    assert float(song.duration) == 1200 and after - before < 60, f"{after - before:.0f} MB of {size:.0f}"
    mel = mel_spectrogram(song)
    assert mel.decibels.shape[1] > 10_000
    assert resident() - before < 60 + 3 * mel.decibels.nbytes / 1e6
