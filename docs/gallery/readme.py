"""Make readme.jpg: covers of runs above frames of the first run's videos.

python docs/gallery/readme.py RUN [RUN ...]
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image as Picture

from spectrogrand import Image, load_image, load_video

SIDE, COLUMNS = 200, 6


def frames(path: Path) -> list[np.ndarray]:
    """Evenly spaced pictures of a video."""
    video = load_video(path)
    wanted = {int(k) for k in np.linspace(video.count * 0.2, video.count * 0.9, COLUMNS)}
    return [Image(p).resized(SIDE, SIDE).pixels for k, p in enumerate(video) if k in wanted]


def main(runs: list[Path]) -> None:
    """Covers of all runs, then one row a moving video."""
    covers = [load_image(p).resized(SIDE, SIDE).pixels for run in runs for p in sorted(run.glob("covers/*.png"))]
    step = max(1, len(covers) // COLUMNS)
    rows = [covers[::step][:COLUMNS]]
    rows += [frames(runs[0] / f"{name}.mp4") for name in ("dynamic_content", "dynamic_style", "motion")]
    page = np.concatenate([np.concatenate(row, axis=1) for row in rows])
    Picture.fromarray(page).save(Path(__file__).with_name("readme.jpg"), quality=85)


if __name__ == "__main__":
    main([Path(word) for word in sys.argv[1:]])
