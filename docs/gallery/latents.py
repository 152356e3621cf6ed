"""Makes a sheet of latent walks: `python docs/gallery/latents.py OUT.jpg VIDEO...`, seven frames of each video in a row."""

import sys
from pathlib import Path

import numpy as np
from PIL import Image as Pillow

from spectrogrand import load_video

TILE, COLUMNS = 170, 7


def row(path):
    """Frames of a video from beginning to end, small."""
    video = load_video(path)
    wanted = {int((k + 0.5) * video.count / COLUMNS) for k in range(COLUMNS)}
    frames = (pixels for k, pixels in enumerate(video) if k in wanted)
    return [np.asarray(Pillow.fromarray(np.asarray(f)).resize((TILE, TILE), Pillow.Resampling.LANCZOS)) for f in frames]


def main():
    """One row per video."""
    out, *videos = sys.argv[1:]
    sheet = np.concatenate([np.concatenate(row(v), axis=1) for v in videos])
    Pillow.fromarray(sheet).save(Path(out), quality=72, optimize=True)


if __name__ == "__main__":
    main()
