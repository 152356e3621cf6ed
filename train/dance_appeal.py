"""Learns the weights of `dance_appeal` from calibration songs and judges; writes spectrogrand/data/dance_appeal.safetensors.

    python -m benchmarks.creativity.candidates FOLDER --split calibration --each 8
    python -m benchmarks.creativity.judges musicnn FOLDER --split calibration --models THE_PACKAGE_MUSICNN
    python -m benchmarks.creativity.judges beatnet FOLDER --split calibration --models MODELS
    python train/dance_appeal.py FOLDER

The target has three parts of equal weight, each the mean of its judges, standardised within topics: dancing (musicnn's dance
tags, both data sets), electronic sound (its electronic tags) and a beat that comes back (BeatNet). Ridge regression within
topics; its strength is chosen by leaving one calibration topic out at a time. Again whenever `house_synth` changes its sound.
The songs' own scores out of fold are kept beside the judgements, for the composite's weights.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from spectrogrand import media
from spectrogrand.plugins.scorers.domain.dance_appeal import WEIGHTS
from spectrogrand.registry import build

STRENGTHS = (0.03, 0.1, 0.3, 1.0, 3.0)
PARTS = {"dance": ("musicnn", (0, 2)), "electronic": ("musicnn", (1, 3)), "beat": ("beatnet", (0,))}


def centred(values: np.ndarray, topic: np.ndarray, scale: bool = False) -> np.ndarray:
    """Minus each topic's mean, and over its deviation, shape=(item, ...)."""
    out = np.zeros_like(values, dtype=np.float64)
    for t in np.unique(topic):
        part = values[topic == t] - values[topic == t].mean(axis=0)
        out[topic == t] = part / np.maximum(part.std(axis=0), 1e-9) if scale else part
    return out


def ridge(x: np.ndarray, y: np.ndarray, topic: np.ndarray, strength: float) -> np.ndarray:
    """Weights, shape=(axis,)."""
    z = centred(x, topic)
    return np.asarray(np.linalg.solve(z.T @ z + strength * len(z) * np.eye(z.shape[1]), z.T @ y))


def read_targets(home: Path) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Files, each one's topic, and the three parts standardised within topics, shape=(item, part)."""
    with np.load(home / "musicnn.npz") as data:
        files = data["files"].tolist()
    topic = np.array([int(f.split("/")[0]) for f in files])
    parts = []
    for judge, columns in PARTS.values():
        with np.load(home / f"{judge}.npz") as data:
            known = dict(zip(data["files"].tolist(), data["marks"], strict=True))
        marks = centred(np.array([known[f] for f in files])[:, list(columns)], topic, scale=True)
        parts.append(marks.mean(axis=1))
    return files, topic, np.stack(parts, axis=1)


def main() -> None:
    """Fit, tell the correlations on topics left out, write."""
    from safetensors.numpy import save_file

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    home = parser.parse_args().folder / "songs" / "calibration"
    files, topic, parts = read_targets(home)
    part = build("embedders", {"name": "timbre_rhythm", "window": 10.0})
    vectors = np.concatenate([part.embed([media.load_audio(home / f)]) for f in files]).astype(np.float64)
    x, y = vectors[:, :-1] / vectors[:, -1:], parts.mean(axis=1)
    out: dict[float, np.ndarray] = {}
    told: dict[float, float] = {}
    for strength in STRENGTHS:
        held = np.zeros(len(x))
        for t in np.unique(topic):
            held[topic == t] = x[topic == t] @ ridge(x[topic != t], y[topic != t], topic[topic != t], strength)
        out[strength] = held
        seen = centred(held, topic, scale=True)
        told[strength] = float(np.corrcoef(seen, y)[0, 1])
        each = ", ".join(f"{n} {np.corrcoef(seen, p)[0, 1]:.2f}" for n, p in zip(PARTS, parts.T, strict=True))
        print(f"strength {strength}: r = {told[strength]:.3f} on topics left out ({each})")
    best = max(told, key=lambda s: told[s])
    np.savez(home / "dance_appeal_held_out.npz", files=np.array(files), scores=out[best])
    save_file({"weights": ridge(x, y, topic, best).astype(np.float32)}, WEIGHTS)
    WEIGHTS.chmod(0o644)
    print(f"{len(x)} songs of {len(np.unique(topic))} topics, strength {best}: {WEIGHTS.name}")


if __name__ == "__main__":
    main()
