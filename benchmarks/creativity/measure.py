"""Every scorer's score of every candidate, and the statistics behind them: FOLDER/KIND/SPLIT/scores.npz.

python -m benchmarks.creativity.measure FOLDER --kind songs --split calibration
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from benchmarks.creativity.candidates import load_cover
from spectrogrand import media
from spectrogrand.audio.statistics import describe
from spectrogrand.config import compose
from spectrogrand.image.statistics import statistics
from spectrogrand.registry import build

SONGS = ("novelty", "danceability", "groove", "typicality", "novelty_knn", "wundt", "dance_appeal")
COVERS = (
    "aesthetics",
    "cover_surprise",
    "cover_typicality",
    "cover_novelty_knn",
    "cover_wundt",
    "finish",
    "cover_appeal",
    "topic_fit",
)


def main() -> None:
    """Score what is there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kind", default="songs")
    parser.add_argument("--split", default="proof")
    options = parser.parse_args()
    home = options.folder / options.kind / options.split
    songs = options.kind.startswith("songs")
    known = compose(["topic=x"])["song_scorers" if songs else "cover_scorers"]
    scorers = {n: build("scorers", known[n]["scorer"] if n in known else n) for n in (SONGS if songs else COVERS)}
    files = sorted(home.rglob("*.wav" if songs else "*.png"))
    rows, stats = [], []
    for file in files:
        item = media.load_audio(file) if songs else load_cover(file)
        rows.append([float(s.score([item])[0]) for s in scorers.values()])
        stats.append(describe(item) if songs else statistics(item))  # type: ignore[arg-type]
    names = [f.relative_to(home).as_posix() for f in files]
    np.savez(
        home / "scores.npz",
        files=np.array(names),
        scorers=np.array(list(scorers)),
        scores=np.array(rows),
        stats=np.array(stats),
    )
    print(f"{len(files)} of {home} by {', '.join(scorers)}")


if __name__ == "__main__":
    main()
