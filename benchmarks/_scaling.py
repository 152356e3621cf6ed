"""How cost grows: processor time and peak memory over the number of candidates, length, size, frame rate and lyric lines.

Each point is a process of its own; the exponent is the slope of log cost over log quantity between the largest two points, where
constants count least. Run: python benchmarks/_scaling.py [WORD OF AN AXIS ...] prints Markdown.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np

HEAD = """
import json, resource, sys, tempfile, time
from fractions import Fraction
from itertools import islice
import numpy as np
from spectrogrand import build, media
from spectrogrand.types import Audio, CoverBrief, Frames, Image, Scene, Topic
n = int(sys.argv[1])
def song(seconds):
    made = build("generators", {"name": "house_synth", "duration": 10.0}).generate([Topic("the sea")], [0])[0]
    return Audio(np.tile(made.samples, (1, -(-seconds // 10)))[:, : seconds * made.rate].copy(), made.rate)
def picture(side):
    y, x = np.mgrid[0:side, 0:side] / side
    return Image((127 + 60 * np.stack([np.sin(20 * x * y), np.sin(9 * x + 5 * y), np.cos(13 * y)], -1)).astype(np.uint8))
def content(sound, side, fps=30):
    from spectrogrand.audio.pictures import draw_spectrogram
    stream = draw_spectrogram(sound, fps=Fraction(fps), size=(side, side), seconds=2.0)
    return build("stylizers", {"name": "sliced_transport"}).stylize(picture(side), stream)
"""
TAIL = """
print(json.dumps([time.process_time() - begun, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
"""
GATES = "silence too_quiet noise clipping one_bar_loop near_copy tone speech single_sound random_notes"
AXES = {
    "candidates: songs of 10 s made and gated": (
        [1, 2, 4, 8, 16],
        f"""
        maker, gates = build("generators", {{"name": "house_synth", "duration": 10.0}}), "{GATES}".split()
        maker.generate([Topic("the sea")], [99])
        begun = time.process_time()
        made = [maker.generate([Topic("the sea")], [k])[0] for k in range(n)]
        for gate in gates:
            build("gates", {{"name": gate}}).check(made)
        """,
    ),
    "seconds of song: all gates": (
        [10, 40, 160, 640],
        f"""
        sound = song(n)
        begun = time.process_time()
        for gate in "{GATES}".split():
            build("gates", {{"name": gate}}).check([sound])
        """,
    ),
    "seconds of song: features and mel spectrogram": (
        [10, 40, 160, 640],
        """
        from spectrogrand.audio.pictures import draw_spectrogram
        sound = song(n)
        begun = time.process_time()
        draw_spectrogram(sound, fps=Fraction(30), size=(64, 64))
        """,
    ),
    "seconds of song: a content video at 128 px": (
        [10, 20, 40],
        """
        sound = song(n)
        next(iter(content(sound, 128).make()))
        begun = time.process_time()
        with tempfile.TemporaryDirectory() as folder:
            media.save_video(folder + "/a.mp4", content(sound, 128), sound)
        """,
    ),
    "side in pixels: 20 content frames": (
        [256, 512, 1024, 2160],
        """
        frames = content(song(10), n).make()
        next(frames)
        begun = time.process_time()
        for _ in islice(frames, 20):
            pass
        """,
    ),
    "side in pixels: 20 frames converted and encoded": (
        [256, 512, 1024, 2160],
        """
        pictures = list(islice(content(song(10), n).make(), 20))
        begun = time.process_time()
        with tempfile.TemporaryDirectory() as folder:
            media.save_video(folder + "/a.mp4", Frames(lambda: pictures, (n, n), 20, Fraction(30)))
        """,
    ),
    "frames a second: 10 s of a content video at 128 px": (
        [24, 30, 60],
        """
        sound = song(10)
        next(iter(content(sound, 128, n).make()))
        begun = time.process_time()
        with tempfile.TemporaryDirectory() as folder:
            media.save_video(folder + "/a.mp4", content(sound, 128, n), sound)
        """,
    ),
    "lyric vectors clustered (64 axes)": (
        [1000, 10000, 100000],
        """
        from pathlib import Path
        from spectrogrand.lyrics import clusters
        rng = np.random.default_rng(0)
        parts = [rng.standard_normal((min(n, 100000), 64), np.float32) for _ in range(0, n, 100000)]
        vectors = np.concatenate(parts).astype(np.float16)
        vectors /= np.linalg.norm(vectors.astype(np.float32), axis=1, keepdims=True).astype(np.float16)
        with tempfile.TemporaryDirectory() as folder:
            begun = time.process_time()
            clusters.write(Path(folder) / "clusters.safetensors", vectors, 0, lambda done, total: None)
        """,
    ),
}


def point(work: str, n: int) -> tuple[float, float]:
    """Seconds of processor time and megabytes at the peak of one process."""
    lines = work.strip("\n").split("\n")
    margin = len(lines[0]) - len(lines[0].lstrip())
    code = HEAD + "\n".join(line[margin:] for line in lines) + TAIL
    done = subprocess.run(
        [sys.executable, "-c", code, str(n)], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[1]
    )
    seconds, megabytes = json.loads(done.stdout.strip().splitlines()[-1])
    return float(seconds), float(megabytes)


def exponent(quantities: list[int], costs: list[float]) -> float:
    """Slope of log cost over log quantity between the largest two points: where constants count least.

    >>> round(exponent([1, 10, 100], [2.0, 11.0, 101.0]), 2)
    0.96
    """
    return float(np.log(costs[-1] / costs[-2]) / np.log(quantities[-1] / quantities[-2]))


def main(words: list[str]) -> None:
    """Measure the axes whose names hold one of the words, or all."""
    print("| axis | quantity | processor seconds | peak MB | exponent at the end |\n|---|---|---|---|---|")
    for name, (quantities, work) in AXES.items():
        if words and not any(word in name for word in words):
            continue
        rows = [point(work, n) for n in quantities]
        costs = [seconds for seconds, _ in rows]
        print(
            f"| {name} | {', '.join(f'{n:,}' for n in quantities)} | {', '.join(f'{c:.2f}' for c in costs)} | "
            f"{', '.join(f'{mb:,.0f}' for _, mb in rows)} | {exponent(quantities, costs):.2f} |",
            flush=True,
        )


if __name__ == "__main__":
    main(sys.argv[1:])
