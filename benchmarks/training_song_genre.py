"""A song's genre over all its bars: drawn as arrays and classified in one batch, against one figure file and one call a bar."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

SECONDS, RATE, REPEATS = 20, 22050, 5


def published(song: Any, network: Any, folder: Path) -> np.ndarray:
    """Per bar: librosa, a figure written as JPEG, opened again, one call; the figures are closed here."""
    import librosa
    import matplotlib
    import torch
    from matplotlib import pyplot
    from PIL import Image
    from torchvision import transforms

    matplotlib.use("Agg")
    change = transforms.Compose([
        transforms.Resize((96, 96)), transforms.ToTensor(), transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    ])  # fmt: skip
    size, found = int(1.875 * RATE), []
    for k in range(len(song) // size):
        mel = librosa.feature.melspectrogram(y=song[k * size : (k + 1) * size], sr=RATE, n_mels=128, hop_length=512)
        figure, axis = pyplot.subplots()
        librosa.display.specshow(librosa.power_to_db(mel, ref=np.max), sr=RATE, hop_length=512, ax=axis)
        axis.axis("off")
        figure.savefig(folder / "bar.jpg")
        pyplot.close(figure)
        with torch.no_grad():
            found.append(network(change(Image.open(folder / "bar.jpg").convert("RGB"))[None]).softmax(1)[0].numpy())
    return np.mean(found, axis=0)


def run() -> dict[str, object]:
    """Median times, interleaved; the same random ResNet-101 both ways."""
    import librosa.display
    import torch

    from spectrogrand import Audio, build
    from spectrogrand.models import picture_classifier as networks
    from spectrogrand.types import GENRES
    from train.export import save

    assert librosa.display
    rng, t = np.random.default_rng(0), np.arange(SECONDS * RATE) / RATE
    torch.manual_seed(0)
    spec = networks.Spec("resnet_genre", GENRES, 96)
    network = networks.build(spec).eval()
    times: dict[str, list[float]] = {"ours": [], "published": []}
    with tempfile.TemporaryDirectory() as place:
        save(network, spec, Path(place) / "genre.safetensors")
        part = build(
            "classifiers", {"name": "resnet_genre", "weights": str(Path(place) / "genre.safetensors"), "device": "cpu"}
        )
        for _ in range(REPEATS + 1):
            x = (
                0.3 * np.sin(2 * np.pi * 110 * t) * np.exp(-(t % 0.5) / 0.1) + 0.05 * rng.standard_normal(len(t))
            ).astype(np.float32)
            begun = time.perf_counter()
            part.classify([Audio(x[None], RATE)])
            between = time.perf_counter()
            published(x, network, Path(place))
            times["ours"].append(between - begun)
            times["published"].append(time.perf_counter() - between)
    own, other = (statistics.median(times[k][1:]) for k in ("ours", "published"))
    return {
        "what": f"genre of a {SECONDS} s song over its {int(SECONDS / 1.875)} bars, ResNet-101",
        "against": "a figure file and a call per bar",
        "ratio": other / own,
        "goal": "at least 5 times",
        "met": other / own >= 5,
        "note": f"{own:.2f} against {other:.2f} s, figures closed; ours in bf16",
    }


if __name__ == "__main__":
    print(run())
