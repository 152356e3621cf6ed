"""Frames drawn against frames encoded: `sliced_transport` both ways and `motion`, at 512 x 512 and at 1920 x 1080.

Processor time of one frame, drawing and encoding in turn, five times; the yardstick, libx264 at veryfast on ready pictures of
the same video, slows as drawing does where the machine has other things to do. Run: python -m benchmarks.frames
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

SIZES = {(512, 512): 60, (1080, 1920): 20}
"""(rows, columns), and how many frames are measured; the first ten, with all that is prepared for a stream, are not."""
REPEATS, FPS, SKIPPED, GOAL = 5, Fraction(30), 10, 200 / 350


def videos(size: tuple[int, int]) -> dict[str, Any]:
    """The three drawn videos of one song and one cover, as frames."""
    from spectrogrand import build
    from spectrogrand.audio.pictures import draw_spectrogram
    from spectrogrand.image.ramp import ramp_of
    from spectrogrand.types import CoverBrief, Scene, Topic

    song = build("generators", {"name": "house_synth"}).generate([Topic("a futuristic spaceship")], [0])[0]
    brief = CoverBrief("a futuristic spaceship", "melodic", "green", "stuns")
    cover = build("generators", {"name": "procedural_cover"}).generate([brief], [0])[0].resized(*size)
    look = {"seconds": 2.0, "colormap": ramp_of(cover), "edges": "mirror"}
    stream = draw_spectrogram(song, fps=FPS, size=size, **look)
    stylizer = build("stylizers", {"name": "sliced_transport"})
    motion = build("generators", {"name": "motion", "size": list(size)})
    return {
        "cover as content": stylizer.stylize(cover, stream),
        "cover as style": stylizer.stylize(stream, cover),
        "motion": motion.generate([Scene(cover, song)], [0])[0],
    }


def draw(frames: Any, count: int) -> tuple[float, list[np.ndarray]]:
    """Seconds of processor time a frame, and the frames."""
    made: Iterator[np.ndarray] = iter(frames.make())
    for _ in islice(made, SKIPPED):
        pass
    begun, kept = time.process_time(), list(islice(made, count))
    return (time.process_time() - begun) / count, kept


def encode(pictures: list[np.ndarray], folder: Path) -> tuple[float, float]:
    """Seconds of processor time a frame of converting and of encoding; the packets are thrown away."""
    import av

    from spectrogrand.media.streams import ToYuv, add_video

    begun, convert = time.process_time(), ToYuv()
    ready = [convert(picture) for picture in pictures]
    converted = time.process_time()
    with av.open(str(folder / "bare.mp4"), "w", format="mp4") as out:
        stream = add_video(out, pictures[0].shape[:2], FPS, {"preset": "veryfast", "crf": "20"}, 2)
        for k, frame in enumerate(ready):
            frame.pts, frame.time_base = k, 1 / FPS
            stream.encode(frame)
        stream.encode(None)
    return (converted - begun) / len(pictures), (time.process_time() - converted) / len(pictures)


def measure(size: tuple[int, int], count: int) -> dict[str, tuple[float, float, float]]:
    """Median milliseconds of drawing, converting and encoding a frame, by video."""
    spent: dict[str, list[tuple[float, float, float]]] = {}
    made = videos(size)
    for frames in made.values():  # compile, import
        draw(frames, 2)
    with TemporaryDirectory() as place:
        for _ in range(REPEATS):
            for name, frames in made.items():
                drawing, pictures = draw(frames, count)
                spent.setdefault(name, []).append((drawing, *encode(pictures, Path(place))))
    return {
        name: tuple(1000 * statistics.median(part) for part in zip(*rows, strict=True)) for name, rows in spent.items()
    }


def run() -> dict[str, object]:
    """The row of the table: the slowest of the three at 512 x 512; both sizes in the note."""
    notes, slowest = [], np.inf
    for size, count in SIZES.items():
        for name, (drawing, converting, encoding) in measure(size, count).items():
            if size == (512, 512):
                slowest = min(slowest, encoding / drawing)
            both = 2000 / (drawing + converting + encoding)
            notes.append(
                f"{name} {size[1]}x{size[0]}: {drawing:.1f} ms drawn, {converting:.1f} converted, {encoding:.1f} encoded, "
                f"{encoding / drawing:.2f} times as fast as encoding, {both:.0f} whole frames/s of two cores"
            )
            print(notes[-1], file=sys.stderr, flush=True)
    return {
        "what": "a frame drawn at 512 x 512, the slowest of `sliced_transport` (both ways) and `motion`",
        "against": "libx264 on the same pictures, veryfast",
        "ratio": float(slowest),
        "goal": f"at least {GOAL:.2f} times (200 frames/s where the encoder takes 350)",
        "met": bool(slowest >= GOAL),
        "note": "; ".join(notes),
    }


if __name__ == "__main__":
    print(run())
