"""Training ResNet-101 on 96 x 96 pictures, per picture: batches of 64 in bf16, channels last, against batches of 4 in float32."""

from __future__ import annotations

import statistics
import time
from typing import Any

BATCH, SMALL, REPEATS = 64, 4, 5


def step(network: Any, optimiser: Any, pictures: Any, labels: Any, half: bool) -> float:
    """Seconds of one training step."""
    import torch

    begun = time.perf_counter()
    with torch.autocast("cpu", torch.bfloat16, enabled=half):
        loss = torch.nn.functional.cross_entropy(network(pictures).float(), labels)
    loss.backward()
    optimiser.step()
    optimiser.zero_grad()
    return time.perf_counter() - begun


def run() -> dict[str, object]:
    """Median times of steps, interleaved."""
    from spectrogrand.training.loop.memory import large_pages

    large_pages()
    import torch

    from spectrogrand.models.picture_classifier import Spec, build
    from spectrogrand.types import GENRES

    torch.manual_seed(0)
    last = torch.channels_last
    ours, theirs = (
        build(Spec("resnet_genre", GENRES, 96)).to(memory_format=last),
        build(Spec("resnet_genre", GENRES, 96)),
    )
    adam, sgd = torch.optim.AdamW(ours.parameters(), 1e-4, fused=True), torch.optim.SGD(theirs.parameters(), 2e-3)
    many, few = torch.rand(BATCH, 3, 96, 96).contiguous(memory_format=last), torch.rand(SMALL, 3, 96, 96)
    labels = torch.arange(BATCH) % 4
    times: dict[str, list[float]] = {"ours": [], "published": []}
    for _ in range(REPEATS + 1):
        times["ours"].append(step(ours, adam, many, labels, True) / BATCH)
        times["published"].append(step(theirs, sgd, few, labels[:SMALL], False) / SMALL)
    own, other = (statistics.median(times[k][1:]) for k in ("ours", "published"))
    return {
        "what": "training ResNet-101, per picture",
        "against": f"batches of {SMALL} in float32, as published",
        "ratio": other / own,
        "goal": "at least 3 times",
        "met": other / own >= 3,
        "note": f"batches of {BATCH}, bf16, channels last: {1000 * own:.1f} against {1000 * other:.1f} ms a picture",
    }


if __name__ == "__main__":
    print(run())
