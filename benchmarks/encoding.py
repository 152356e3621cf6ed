"""Encoding speed: `save_video` against bare libx264 fed with pictures that are converted already, as a ratio.

Bare: PyAV hands ready yuv420p frames to libx264 at the same preset, quality and threads, and throws the packets away.
Ours: the same pictures as RGB arrays go through `save_video`: conversion, container, index in front, fsync; with sound as
well, for the note. They run in turn, so that a busy machine slows each; the ratio is that of the medians.
Run: python -m benchmarks.encoding
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from spectrogrand.media import save_video
from spectrogrand.media.streams import ToYuv, add_video
from spectrogrand.types import Audio, Frames

SIDE, COUNT, FPS = 512, 150, Fraction(30)
PRESET, CRF, THREADS = "veryfast", 20, 2
GOAL = 0.85


def pictures(count: int, side: int, seed: int = 0) -> list[np.ndarray]:
    """A textured picture that drifts and pulses, uint8 (row, column, rgb): what a music video asks of an encoder."""
    rng = np.random.default_rng(seed)
    texture = rng.normal(0, 1, (side, side, 3))
    spectrum = np.fft.rfft2(texture, axes=(0, 1))
    rows, columns = np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None]
    spectrum /= np.maximum(np.hypot(rows, columns), 1 / side)[..., None]  # natural pictures have amplitude ~ 1/f
    texture = np.fft.irfft2(spectrum, (side, side), axes=(0, 1))
    texture = 128 + 50 * texture / texture.std()
    made = []
    for k in range(count):
        pulse = 1 + 0.15 * np.cos(2 * np.pi * k / 15)
        moved = np.roll(texture, (k, 2 * k), axis=(0, 1)) * pulse
        made.append(np.clip(moved, 0, 255).astype(np.uint8))
    return made


def bare(frames: list[Any], path: Path) -> None:
    """Encode ready frames and keep nothing; the container is opened only because PyAV asks for one."""
    with av.open(str(path), "w", format="mp4") as out:
        stream = add_video(out, (SIDE, SIDE), FPS, {"preset": PRESET, "crf": str(CRF)}, THREADS)
        for k, frame in enumerate(frames):
            frame.pts, frame.time_base = k, 1 / FPS
            stream.encode(frame)
        stream.encode(None)


def seconds(job: Callable[[], None]) -> float:
    """Wall-clock time of one call."""
    start = time.perf_counter()
    job()
    return time.perf_counter() - start


def run(repeats: int = 11) -> dict[str, Any]:
    """Measure; `ratio` is bare's median time over ours: 1 is as fast as libx264 itself."""
    rgb = pictures(COUNT, SIDE)
    ready = [*map(ToYuv(), rgb)]
    frames = Frames(lambda: iter(rgb), (SIDE, SIDE), COUNT, FPS)
    time_axis = np.arange(COUNT * 44100 // int(FPS)) / 44100
    sound = Audio(np.repeat(0.5 * np.sin(2 * np.pi * 220 * time_axis)[None], 2, 0).astype(np.float32), 44100)
    times: dict[str, list[float]] = {"bare": [], "ours": [], "with sound": []}
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, "a.mp4")
        jobs: dict[str, Callable[[], None]] = {
            "bare": lambda: bare(ready, target),
            "ours": lambda: save_video(target, frames, preset=PRESET, crf=CRF, threads=THREADS),
            "with sound": lambda: save_video(target, frames, sound, preset=PRESET, crf=CRF, threads=THREADS),
        }
        for turn in range(repeats + 1):
            for name, job in jobs.items():
                taken = seconds(job)
                if turn:  # the first turn warms up
                    times[name].append(taken)
    medians = {name: statistics.median(taken) for name, taken in times.items()}
    pairs = sorted(b / o for b, o in zip(times["bare"], times["ours"], strict=True))
    ratio = medians["bare"] / medians["ours"]
    return {
        "what": f"`save_video`, {COUNT} pictures of {SIDE}x{SIDE}",
        "against": f"bare libx264 on converted pictures, {PRESET}, {THREADS} threads",
        "ratio": ratio,
        "goal": f"at least {GOAL}",
        "met": ratio >= GOAL,
        "note": f"{COUNT / medians['ours']:.0f} against {COUNT / medians['bare']:.0f} pictures/s, median of {repeats}"
        f" (pair by pair {pairs[0]:.2f} to {pairs[-1]:.2f}); with AAC sound {medians['bare'] / medians['with sound']:.2f}",
    }


if __name__ == "__main__":
    print("| {what} | {against} | {ratio:.2f} | {goal} | {note} |".format(**run()))
