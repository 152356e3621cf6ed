"""Learns the weights of `cover_appeal` from calibration covers and one judge; writes spectrogrand/data/cover_appeal.safetensors.

    python -m benchmarks.creativity.candidates FOLDER --kind covers --split calibration --each 8
    python -m benchmarks.creativity.judges efficientnet1 FOLDER --kind covers --split calibration --models MODELS
    python train/cover_appeal.py FOLDER

The target is the mean of the judge's two answers (how sure it is, how near to covers), standardised within topics. Ridge
regression within topics; its strength is chosen by leaving one calibration topic out at a time. Again whenever
`procedural_cover` draws otherwise. The covers' own scores out of fold are kept beside the judgements.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from spectrogrand import media
from spectrogrand.plugins.scorers.domain.cover_appeal import WEIGHTS, bend, describe_cover
from train.dance_appeal import centred, ridge

STRENGTHS = (0.1, 0.3, 1.0, 3.0, 10.0)


def main() -> None:
    """Fit, tell the correlations on topics left out, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    home = parser.parse_args().folder / "covers" / "calibration"
    with np.load(home / "efficientnet1.npz") as data:
        files, marks = data["files"].tolist(), data["marks"]
    topic = np.array([int(f.split("/")[0]) for f in files])
    described = np.array([describe_cover(media.load_image(home / f)) for f in files])
    fit(files, described, marks, topic, home)


def fit(files: list[str], described: np.ndarray, marks: np.ndarray, topic: np.ndarray, home: Path) -> None:
    """From what is described, shape=(cover, statistic), and judged, shape=(cover, answer), to the files of weights."""
    from safetensors.numpy import save_file

    parts = centred(marks, topic, scale=True)
    y = parts.mean(axis=1)
    mean, std = described.mean(axis=0), np.maximum(described.std(axis=0), 1e-3)
    x = bend((described - mean) / std)
    out: dict[float, np.ndarray] = {}
    told: dict[float, float] = {}
    for strength in STRENGTHS:
        held = np.zeros(len(x))
        for t in np.unique(topic):
            held[topic == t] = x[topic == t] @ ridge(x[topic != t], y[topic != t], topic[topic != t], strength)
        out[strength], seen = held, centred(held, topic, scale=True)
        told[strength] = float(np.corrcoef(seen, y)[0, 1])
        each = ", ".join(f"{np.corrcoef(seen, p)[0, 1]:.2f}" for p in parts.T)
        print(f"strength {strength}: r = {told[strength]:.3f} on topics left out ({each})")
    best = max(told, key=lambda s: told[s])
    np.savez(home / "cover_appeal_held_out.npz", files=np.array(files), scores=out[best])
    kept = {"mean": mean, "std": std, "weights": ridge(x, y, topic, best)}
    save_file({k: v.astype(np.float32) for k, v in kept.items()}, WEIGHTS)
    WEIGHTS.chmod(0o644)
    print(f"{len(x)} covers of {len(np.unique(topic))} topics, strength {best}: {WEIGHTS.name}")


if __name__ == "__main__":
    main()
