"""First decode of mel pictures (384 x 384 JPEG to 96 x 96): at reduced scale in threads, against one by one in full."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

COUNT, REPEATS = 160, 5


def pictures(folder: Path) -> None:
    """JPEGs that look like mel pictures, four classes in three splits."""
    from PIL import Image

    from spectrogrand.audio.spectrogram import colours
    from spectrogrand.types import GENRES

    rng = np.random.default_rng(0)
    for k in range(COUNT):
        coarse = rng.integers(0, 256, (48, 24), np.uint8)
        levels = np.asarray(Image.fromarray(coarse).resize((384, 384), Image.Resampling.BILINEAR))
        split = ("train", "train", "train", "val", "test")[k // 4 % 5]
        (folder / split).mkdir(exist_ok=True)
        Image.fromarray(colours("magma")[levels]).save(folder / split / f"{GENRES[k % 4]} house-{k}.jpg", quality=95)


def published(folder: Path) -> list[object]:
    """Open, convert, resize, to tensor, normalise: one after the other, kept in a list."""
    from PIL import Image
    from torchvision import transforms

    change = transforms.Compose([
        transforms.Resize((96, 96)), transforms.ToTensor(), transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    ])  # fmt: skip
    return [change(Image.open(path).convert("RGB")) for path in sorted(folder.rglob("*.jpg"))]


def run() -> dict[str, object]:
    """Median times, interleaved; ours includes the checks, the hashes and writing the cache to disk."""
    from spectrogrand.training.pictures.cache import decode
    from spectrogrand.training.pictures.folders import housex
    from spectrogrand.types import GENRES

    times: dict[str, list[float]] = {"ours": [], "published": []}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "housex"
        folder.mkdir()
        pictures(folder)
        for k in range(REPEATS + 1):
            begun = time.perf_counter()
            found = decode(housex(folder), GENRES, 96, Path(place) / f"cache{k}")
            between = time.perf_counter()
            assert sum(map(len, found.values())) == len(published(folder)) == COUNT
            times["ours"].append(between - begun)
            times["published"].append(time.perf_counter() - between)
    ratio = statistics.median(times["published"][1:]) / statistics.median(times["ours"][1:])
    return {
        "what": f"first decode of {COUNT} mel pictures, 384x384 to 96x96",
        "against": "open, resize, to tensor, one by one",
        "ratio": ratio,
        "goal": "at least 3 times",
        "met": ratio >= 3,
        "note": f"{1000 * statistics.median(times['ours'][1:]) / COUNT:.2f} ms a picture, checks, hashes and writing included",
    }


if __name__ == "__main__":
    print(run())
