"""Learns the weights of `dance_appeal` from calibration songs and one judge; writes spectrogrand/data/dance_appeal.safetensors.

    python -m benchmarks.creativity.candidates FOLDER --split calibration
    python -m benchmarks.creativity.judges musicnn FOLDER --split calibration --models THE_PACKAGE_MUSICNN
    python train/dance_appeal.py FOLDER

Ridge regression within topics; its strength is chosen by leaving one calibration topic out at a time. Again whenever
`house_synth` changes its sound. The songs' own judgements out of fold are kept beside them, for the composite's weights.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from spectrogrand import media
from spectrogrand.plugins.scorers.domain.dance_appeal import WEIGHTS
from spectrogrand.registry import build

STRENGTHS = (0.003, 0.01, 0.03, 0.1, 0.3)


def centred(values: np.ndarray, topic: np.ndarray, scale: bool = False) -> np.ndarray:
    """Minus each topic's mean, and over its deviation, shape=(item, ...)."""
    out = np.zeros_like(values, dtype=np.float64)
    for t in np.unique(topic):
        part = values[topic == t] - values[topic == t].mean(axis=0)
        out[topic == t] = part / max(float(part.std()), 1e-9) if scale else part
    return out


def ridge(x: np.ndarray, y: np.ndarray, topic: np.ndarray, strength: float) -> np.ndarray:
    """Weights, shape=(axis,)."""
    z = centred(x, topic)
    return np.asarray(np.linalg.solve(z.T @ z + strength * len(z) * np.eye(z.shape[1]), z.T @ y))


def main() -> None:
    """Fit, tell the correlations on topics left out, write."""
    from safetensors.numpy import save_file

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    home = parser.parse_args().folder / "songs" / "calibration"
    with np.load(home / "musicnn.npz") as data:
        files, marks = data["files"].tolist(), data["marks"][:, 0]
    topic = np.array([int(f.split("/")[0]) for f in files])
    part = build("embedders", {"name": "timbre_rhythm", "window": 10.0})
    vectors = np.concatenate([part.embed([media.load_audio(home / f)]) for f in files]).astype(np.float64)
    x, y = vectors[:, :-1] / vectors[:, -1:], centred(marks, topic, scale=True)
    out: dict[float, np.ndarray] = {}
    for strength in STRENGTHS:
        held = np.zeros(len(x))
        for t in np.unique(topic):
            held[topic == t] = x[topic == t] @ ridge(x[topic != t], y[topic != t], topic[topic != t], strength)
        out[strength] = held
        print(f"strength {strength}: r = {np.corrcoef(centred(held, topic, True), y)[0, 1]:.3f} on topics left out")
    best = max(STRENGTHS, key=lambda s: np.corrcoef(centred(out[s], topic, True), y)[0, 1])
    np.savez(home / "dance_appeal_held_out.npz", files=np.array(files), scores=out[best])
    save_file({"weights": ridge(x, y, topic, best).astype(np.float32)}, WEIGHTS)
    WEIGHTS.chmod(0o644)
    print(f"{len(x)} songs of {len(np.unique(topic))} topics, strength {best}: {WEIGHTS.name}")


if __name__ == "__main__":
    main()
