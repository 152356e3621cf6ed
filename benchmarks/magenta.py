"""Magenta style frames: the torch module in bf16 against LiteRT preparing both sides for every frame, as published.

Both draw the same frames at the network's own 384 x 384 pixels on one thread, cover as content and cover as style in turn;
processor time, so that a busy machine does not count. Theirs predicts the style and draws, one picture at a time, for each
frame; ours prepares the constant side once. Needs the weights: MAGENTA_WEIGHTS=FOLDER or ../shared/models/magenta.
Run: python -m benchmarks.magenta
"""

from __future__ import annotations

import os
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np

from spectrogrand.models.magenta.litert import LiteRTEngine
from spectrogrand.models.magenta.network import TorchEngine

FRAMES, GOAL = 100, 10.0
"""Frames in each direction: a ten-second video at the published 10 frames a second."""
ROUNDS = 5


def pictures(count: int, side: int) -> list[np.ndarray]:
    """Smooth random pictures, float32 in [0, 1], shape=(side, side, rgb)."""
    rng = np.random.default_rng(0)
    coarse = rng.random((count, 8, 8, 3), np.float32)
    return list(coarse.repeat(side // 8, axis=1).repeat(side // 8, axis=2))


def published(engine: Any, contents: list[np.ndarray], styles: list[np.ndarray]) -> list[np.ndarray]:
    """Everything for every frame; `contents` and `styles` have one item where they are constant."""
    drawn = []
    for k in range(FRAMES):
        vector = engine.vector(styles[k % len(styles)])
        drawn += engine.draw([engine.prepare(contents[k % len(contents)])], [vector])
    return drawn


def ours(engine: Any, contents: list[np.ndarray], styles: list[np.ndarray]) -> list[np.ndarray]:
    """The constant side once."""
    ready, vectors = [engine.prepare(c) for c in contents], [engine.vector(s) for s in styles]
    return [engine.draw([ready[k % len(ready)]], [vectors[k % len(vectors)]])[0] for k in range(FRAMES)]


def run() -> dict[str, object]:
    """Measure all ways in turn; ratios of the medians."""
    import torch

    torch.set_num_threads(1)
    folder = Path(os.environ.get("MAGENTA_WEIGHTS", "../shared/models/magenta"))
    both = folder / "style_predict_quantized_256.tflite", folder / "style_transfer_f16_384.tflite"
    litert = LiteRTEngine(*both)
    modules = {
        "float32": TorchEngine(*both, 384, "cpu", "float32", True),
        "bfloat16": TorchEngine(*both, 384, "cpu", "bfloat16", True),
    }
    contents, styles = pictures(FRAMES, 384), pictures(FRAMES, 256)
    jobs = [(contents[:1], styles), (contents, styles[:1])]
    for engine in modules.values():
        ours(engine, *jobs[0])  # the first calls of a process are not counted
    took: dict[str, list[float]] = {}
    ways = [("litert", published, litert), *((n, ours, e) for n, e in modules.items())]
    once = [(f"{n}, all of it", published, e) for n, e in modules.items()]
    for turn in range(ROUNDS):
        for name, way, engine in ways if turn else [*ways, *once]:
            start = time.process_time()
            for job in jobs:
                way(engine, *job)
            took.setdefault(name, []).append(time.process_time() - start)
    middle = {name: statistics.median(values) for name, values in took.items()}
    exact = np.stack(ours(modules["float32"], *jobs[0]))
    fast = np.stack(ours(modules["bfloat16"], *jobs[0]))
    ratio = middle["litert"] / middle["bfloat16"]
    return {
        "what": "style frames, torch bf16, constant side once",
        "against": "LiteRT, both sides for every frame",
        "ratio": ratio,
        "goal": f"{GOAL:g} (3 in float32)",
        "met": ratio >= GOAL,
        "note": f"float32 {middle['litert'] / middle['float32']:.3g}; preparing everything for every frame, too: "
        f"bf16 {middle['litert'] / middle['bfloat16, all of it']:.3g}, "
        f"float32 {middle['litert'] / middle['float32, all of it']:.3g}; bf16 differs from float32 by "
        f"{255 * np.abs(exact - fast).mean():.2g} of 255 on average",
    }


if __name__ == "__main__":
    print(run())
