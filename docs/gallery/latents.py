"""Makes a sheet of latent walks: `python docs/gallery/latents.py OUT.jpg RUN...`, seven frames of each run's vectors in a row."""

import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image as Pillow

from spectrogrand import build
from spectrogrand.walks.latent_files import load

TILE, COLUMNS = 170, 7


def row(run):
    """Pictures from the beginning to the end of a run's walk, drawn again at the same times as in its video."""
    walk = load(run / "vectors.safetensors")
    settings = {"name": "pattern_latents", "size": 2 * TILE, "fps": str(2 * COLUMNS / walk.duration)}
    frames = build("generators", settings).generate([walk], [json.loads((run / "run.json").read_text())["seed"]])[0]
    middle = [f for k, f in enumerate(frames) if k % 2][:COLUMNS]
    return [np.asarray(Pillow.fromarray(f).resize((TILE, TILE), Pillow.Resampling.LANCZOS)) for f in middle]


def main():
    """One row per run."""
    out, *runs = sys.argv[1:]
    sheet = np.concatenate([np.concatenate(row(Path(r)), axis=1) for r in runs])
    Pillow.fromarray(sheet).save(Path(out), quality=72, optimize=True)


if __name__ == "__main__":
    main()
