"""MiniBatchKMeans clusters of line vectors, and beyond 200,000 lines the compact copy that an approximate search reads.

The copy is an inverted file (Sivic & Zisserman, ICCV 2003; Jegou et al., PAMI 33(1), 2011): lines sorted by cluster, each axis in
one byte. A query reads only the clusters whose centroids lie nearest, and what it finds is rated again by the float16 vectors.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ..progress import Tick
from . import arrays

EXACT = 200_000
"""Up to so many lines every vector is compared."""
SAMPLE = 65_536
"""Lines that the clusters are fitted to: 30 or more for each of the at most 2,048 centroids."""
BLOCK = 16_384


def count_for(lines: int) -> int:
    """How many clusters: about the square root of the lines, at most 2,048.

    >>> count_for(50), count_for(1_000_000)
    (7, 1000)
    """
    return int(np.clip(round(np.sqrt(lines)), 1, 2048))


def fit(vectors: np.ndarray, seed: int) -> np.ndarray:
    """Unit centroids of a sample of the vectors (scikit-learn's MiniBatchKMeans), float32, shape=(cluster, axis)."""
    from sklearn.cluster import MiniBatchKMeans

    rng = np.random.default_rng(seed)
    chosen = np.sort(rng.permutation(len(vectors))[:SAMPLE])
    some = np.asarray(vectors[chosen], np.float32)
    model: Any = MiniBatchKMeans(
        min(count_for(len(vectors)), len(some)), batch_size=4096, max_iter=20, n_init=1, random_state=seed
    )
    centroids = model.fit(some).cluster_centers_.astype(np.float32)
    return np.asarray(centroids / np.maximum(np.linalg.norm(centroids, axis=1, keepdims=True), 1e-9), np.float32)


def assign(vectors: np.ndarray, centroids: np.ndarray, tick: Tick) -> np.ndarray:
    """The nearest centroid of each line by cosine, int32, shape=(line,)."""
    out = np.empty(len(vectors), np.int32)
    for start in range(0, len(vectors), BLOCK):
        out[start : start + BLOCK] = (np.asarray(vectors[start : start + BLOCK], np.float32) @ centroids.T).argmax(
            axis=1
        )
        tick(min(start + BLOCK, len(vectors)), len(vectors))
    return out


def write(path: Path, vectors: np.ndarray, seed: int, tick: Tick, exact: int = EXACT) -> int:
    """Cluster all lines and write `clusters.safetensors`; returns the number of clusters."""
    centroids = fit(vectors, seed)
    labels = assign(vectors, centroids, tick)
    kind = {name: np.dtype(t) for name, t in (("f", np.float32), ("i", np.int32), ("l", np.int64), ("b", np.int8))}
    held: dict[str, Any] = {
        "centroids": (kind["f"], centroids.shape, [centroids]),
        "labels": (kind["i"], labels.shape, [labels]),
    }
    if len(vectors) > exact:
        order = np.argsort(labels, kind="stable").astype(np.int32)
        starts = np.searchsorted(labels[order], np.arange(len(centroids) + 1)).astype(np.int64)
        step = _step(vectors, seed)
        held |= {
            "codes": (kind["b"], vectors.shape, _codes(vectors, order, step)), "lines": (kind["i"], order.shape, [order]),
            "starts": (kind["l"], starts.shape, [starts]), "step": (kind["f"], (1,), [np.array([step], np.float32)]),
        }  # fmt: skip
    arrays.write(path, held)
    return len(centroids)


def _step(vectors: np.ndarray, seed: int) -> float:
    """What one unit of a byte means: 127 of them reach the 99.99th percentile of the axes."""
    chosen = np.sort(np.random.default_rng(seed).permutation(len(vectors))[:4096])
    return float(np.quantile(np.abs(np.asarray(vectors[chosen], np.float32)), 0.9999) / 127)


def _codes(vectors: np.ndarray, order: np.ndarray, step: float) -> Iterator[np.ndarray]:
    for start in range(0, len(order), BLOCK):
        rows = np.asarray(vectors[order[start : start + BLOCK]], np.float32)
        yield np.clip(np.rint(rows / step), -127, 127).astype(np.int8)
