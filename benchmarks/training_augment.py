"""An epoch's augmented covers: from the decoded cache, on batches of bytes, against opening and changing one by one."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

COUNT, BATCH, REPEATS = 128, 64, 5


def covers(folder: Path) -> None:
    """JPEGs of 256 x 256, half ai and half human."""
    from PIL import Image

    rng = np.random.default_rng(0)
    for k in range(COUNT):
        source = folder / ("ai", "human")[k % 2]
        source.mkdir(parents=True, exist_ok=True)
        coarse = rng.integers(0, 256, (32, 32, 3), np.uint8)
        Image.fromarray(coarse).resize((256, 256), Image.Resampling.BICUBIC).save(source / f"{k}.jpg", quality=90)


def run() -> dict[str, object]:
    """Median processor times of one epoch of the published recipe, interleaved; ours has decoded once before."""
    from spectrogrand.training.loop.memory import large_pages

    large_pages()
    import torch
    from torchvision import datasets, transforms

    from spectrogrand.training.loop.words import compose
    from spectrogrand.training.pictures.augment import Chain
    from spectrogrand.training.pictures.batches import Batches, Labelled
    from spectrogrand.training.pictures.cache import _read
    from spectrogrand.training.pictures.task import standard

    change = transforms.Compose([
        transforms.Resize((256, 256)), transforms.RandomPosterize(4, p=0.25), transforms.ColorJitter(brightness=(0.15, 0.9)),
        transforms.RandomRotation(degrees=15), transforms.ToTensor(),
    ])  # fmt: skip
    torch.set_num_threads(1)  # threads that wait are counted, too
    times: dict[str, list[float]] = {"ours": [], "published": []}
    with tempfile.TemporaryDirectory() as place:
        covers(Path(place))
        loader = torch.utils.data.DataLoader(datasets.ImageFolder(place, change), BATCH, shuffle=True)
        files = sorted(Path(place).rglob("*.jpg"))
        np.save(Path(place) / "cache.npy", np.stack([_read(f, 256)[1] for f in files]))  # type: ignore[index]
        kept = np.load(Path(place) / "cache.npy", mmap_mode="r")
        ours = Batches(Labelled(kept, np.zeros(COUNT, np.int64), ("",) * COUNT, ("ai", "human")), BATCH, seed=0)
        zero, one = torch.zeros(3, 1, 1), torch.ones(3, 1, 1)
        chain = Chain(compose("surprise", ["experiment=published"])["recipe"]["augment"])
        for epoch in range(REPEATS + 1):
            begun = time.process_time()
            for pictures, _, indices in ours:
                assert standard(chain(pictures, 0, epoch, indices.tolist()), zero, one).shape == (BATCH, 3, 256, 256)
            between = time.process_time()
            for pictures, _ in loader:
                assert pictures.shape == (BATCH, 3, 256, 256)
            times["ours"].append(between - begun)
            times["published"].append(time.process_time() - between)
    ratio = statistics.median(times["published"][1:]) / statistics.median(times["ours"][1:])
    return {
        "what": "covers of one epoch, posterised, dimmed and turned",
        "against": "`ImageFolder` with torchvision's transforms",
        "ratio": ratio,
        "goal": "at least 2.5 times",
        "met": ratio >= 2.5,
        "note": f"{1000 * statistics.median(times['ours'][1:]) / COUNT:.2f} ms a cover of 256x256",
    }


if __name__ == "__main__":
    print(run())
