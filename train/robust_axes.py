"""Learns how far each statistic of `timbre_rhythm` can be trusted; writes spectrogrand/data/robust_axes.safetensors.

    python -m benchmarks.creativity.candidates FOLDER --split calibration --each 8
    python train/robust_axes.py FOLDER

24 calibration songs of 24 topics are worn: MP3 at 64 kbit/s, 50 ms cut off the beginning, 3 % faster. A statistic x whose bent
value moves by n (root mean square, the worst of the three) and differs by s from song to song gets the weight
s^2 / (s^2 + 4 n^2) in squared distances: what re-encoding moves as far as songs differ hardly counts. The neighbours' scorers
(`typicality`, `novelty_knn`, `wundt`) use it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from benchmarks.creativity.noise import through_mp3
from spectrogrand import media
from spectrogrand.audio.statistics import describe
from spectrogrand.plugins.embedders.timbre_rhythm import SCALE
from spectrogrand.references.songs import ROBUST
from spectrogrand.types import Audio

SONGS, PART = 24, 4.0


def wear(song: Audio) -> list[Audio]:
    """As it is, as MP3, cut, faster."""
    import soxr

    cut = np.ascontiguousarray(song.samples[:, int(0.05 * song.rate) :])
    fast = soxr.resample(song.samples.T, song.rate * 1.03, song.rate).T
    return [song, through_mp3(song), Audio(cut, song.rate), Audio(np.ascontiguousarray(fast, np.float32), song.rate)]


def learn(bent: np.ndarray) -> np.ndarray:
    """Weights of squared distances in (0, 1], from bent statistics, shape=(song, wear, statistic).

    >>> one = np.array([[[0.0, 0.0], [0.0, 3.0]], [[2.0, 2.0], [2.0, 5.0]]])
    >>> learn(one).round(3).tolist()
    [1.0, 0.027]
    """
    moved = np.square(bent[:, 1:] - bent[:, :1]).mean(axis=0).max(axis=0)
    spread = bent[:, 0].var(axis=0)
    return np.asarray(spread / np.maximum(spread + PART * moved, 1e-9))


def main() -> None:
    """Wear, describe, weigh, write."""
    from safetensors.numpy import load_file, save_file

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    home = parser.parse_args().folder / "songs" / "calibration"
    scale = load_file(SCALE)
    rows = []
    for k in range(SONGS):
        song = media.load_audio(home / f"{k:02d}" / f"{k % 8:02d}.wav")
        rows.append([describe(worn) for worn in wear(song)])
    z = (np.array(rows, np.float64) - scale["mean"]) / scale["std"]
    weights = learn(4 * np.tanh(z / 4)).astype(np.float32)
    save_file({"weights": weights}, ROBUST)
    ROBUST.chmod(0o644)
    print(f"{SONGS} songs: {(weights > 0.5).sum()} of {len(weights)} statistics keep more than half of their weight")


if __name__ == "__main__":
    main()
