"""Spectrogram frames: arrays of this package against the published way, one figure saved per 0.1 s of a ten-second song.

The published way, frame by frame: load 0.1 s of the file, mel spectrogram, decibels relative to the chunk, `specshow` in
magma, `savefig` without its margins (476x349). Its figure is never closed, so that each frame draws all frames before it,
too. The same with figures closed is measured as well. Ours: load the file, one spectrogram, the same 100 chunks at the same
size and colours, as arrays.
"""

from __future__ import annotations

import statistics
import tempfile
import time
import warnings
from fractions import Fraction
from pathlib import Path

import numpy as np

COUNT = 100
SIZE = (349, 476)
REPEATS = 11


def song(path: Path) -> None:
    """Ten seconds with a beat, 44.1 kHz, one channel, 16 bits."""
    import soundfile

    clock = np.arange(10 * 44100) / 44100
    noise = np.random.default_rng(0).normal(size=len(clock))
    chord = sum(np.sin(2 * np.pi * f * clock) for f in (110.0, 220.0, 277.2, 329.6))
    soundfile.write(path, 0.1 * chord + 0.2 * noise * np.exp(-12 * (clock % 0.484)), 44100, subtype="PCM_16")


def ours(path: Path) -> float:
    """Seconds for all frames, decoding included."""
    from spectrogrand.audio.spectrogram import mel_spectrogram, spectrogram_frames
    from spectrogrand.media import load_audio

    begun = time.perf_counter()
    spectrogram = mel_spectrogram(load_audio(path))
    look = {"count": COUNT, "fps": Fraction(10), "size": SIZE, "seconds": 0.1, "relative": "chunk"}
    frames = spectrogram_frames(spectrogram, **look)
    assert sum(1 for _ in frames) == COUNT
    return time.perf_counter() - begun


def published(path: Path, folder: Path, k: int, *, close: bool) -> float:
    """Seconds for frame k."""
    import librosa
    import matplotlib.pyplot as plt

    begun = time.perf_counter()
    samples, rate = librosa.load(path, offset=k * 0.1, duration=0.1)
    power = librosa.feature.melspectrogram(y=samples, sr=rate, n_mels=128, hop_length=512)
    librosa.display.specshow(librosa.power_to_db(power, ref=np.max), sr=rate)
    plt.savefig(folder / f"{k}.png", bbox_inches="tight", pad_inches=-0.1)
    if close:
        plt.close()
    return time.perf_counter() - begun


def run() -> dict[str, object]:
    """Time for 100 frames, each way: ours is the median of repeats spread over the others' run."""
    import librosa.display  # noqa: F401  (imports are not what is measured)
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from PIL import Image

    with tempfile.TemporaryDirectory() as name, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of figures left open and of windows longer than the chunk
        folder, path = Path(name), Path(name) / "song.wav"
        song(path)
        ours(path)
        published(path, folder, 0, close=True)
        assert Image.open(folder / "0.png").size == SIZE[::-1]
        mine, total, last = [], {}, {}
        for close in (True, False):
            taken = []
            for k in range(COUNT):
                if k % (COUNT // REPEATS) == 0:
                    mine.append(ours(path))
                taken.append(published(path, folder, k, close=close))
            total[close], last[close] = sum(taken), statistics.median(taken[-9:]) / statistics.median(taken[:9])
        plt.close("all")
    own = statistics.median(mine)
    open_, closed = total[False] / own, total[True] / own
    return {
        "what": "100 spectrogram frames of a 10 s song as arrays",
        "against": "load, `specshow`, `savefig` per frame, the figure never closed",
        "ratio": open_,
        "goal": "at least 100 times, and 35 times the same with figures closed",
        "met": open_ >= 100 and closed >= 35,
        "note": f"{closed:.0f} times with figures closed; left open, the last frames cost {last[False]:.1f} times the first",
    }


if __name__ == "__main__":
    print(run())
