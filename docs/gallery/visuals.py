"""A contact sheet of a run of pipeline=music_visuals: `python docs/gallery/visuals.py OUT.jpg RUN...`.

Two rows a run: its pictures, then frames of its video, evenly over the song.
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image as Pillow

from spectrogrand.media import load_image, load_video

TILE, ACROSS = 150, 10


def row(pictures):
    """Pictures beside each other, small; empty places are black."""
    tiles = [np.asarray(Pillow.fromarray(p).resize((TILE, TILE), Pillow.Resampling.LANCZOS)) for p in pictures[:ACROSS]]
    tiles += [np.zeros((TILE, TILE, 3), np.uint8)] * (ACROSS - len(tiles))
    return np.hstack(tiles)


def main():
    """Write the sheet."""
    rows = []
    for run in map(Path, sys.argv[2:]):
        files = sorted((run / "images").iterdir(), key=lambda p: int(p.stem))
        rows.append(row([load_image(p).pixels for p in files]))
        video = load_video(run / "music_visuals.mp4")
        wanted = {int((k + 0.5) / ACROSS * video.count) for k in range(ACROSS)}
        rows.append(row([p for k, p in enumerate(video) if k in wanted]))
    Pillow.fromarray(np.vstack(rows)).save(sys.argv[1], quality=80, optimize=True)


if __name__ == "__main__":
    main()
