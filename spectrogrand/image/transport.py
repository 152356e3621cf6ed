"""Sliced optimal transport: colours of one picture moved onto the distribution of another's, along many directions."""

from __future__ import annotations

import numpy as np

QUANTILES = 64


def directions(rounds: int, axes: int = 3) -> np.ndarray:
    """`rounds` random orthonormal bases, always the same ones, float32, shape=(round, axis, axis); the first is the identity."""
    rng = np.random.default_rng(20070)
    bases = [np.eye(axes)] + [np.linalg.qr(rng.normal(size=(axes, axes)))[0] for _ in range(rounds - 1)]
    return np.asarray(bases, np.float32)


def quantiles(points: np.ndarray, bases: np.ndarray) -> np.ndarray:
    """Quantile functions of the points along every direction, float32, shape=(round, axis, quantile).

    They describe the distribution up to resolution, and their mean over time is its Wasserstein barycentre per direction.
    """
    along = np.sort(np.swapaxes(points @ bases, 1, 2), axis=2)
    at = (np.arange(QUANTILES) + 0.5) / QUANTILES * along.shape[2] - 0.5
    low = np.clip(np.floor(at).astype(int), 0, along.shape[2] - 1)
    high = np.minimum(low + 1, along.shape[2] - 1)
    mix = np.clip(at - low, 0, 1).astype(np.float32)
    return np.asarray(along[..., low] * (1 - mix) + along[..., high] * mix, np.float32)


def transport(points: np.ndarray, target: np.ndarray, bases: np.ndarray) -> np.ndarray:
    """The points moved until their distribution along every direction is the target's, float32, shape=(point, axis).

    Iterative distribution transfer (Pitie, Kokaram, Dahyot 2007, algorithm 1): in each basis the one-dimensional optimal
    transport of every coordinate, which is rank to quantile. Equal points stay in their order, so the result is repeatable.

    >>> rng = np.random.default_rng(0)
    >>> bases = directions(12)
    >>> moved = transport(rng.normal(size=(500, 3)), quantiles(rng.normal(2, 3, (400, 3)), bases), bases)
    >>> bool(abs(moved.mean() - 2) < 0.3 and abs(moved.std() - 3) < 0.3)
    True
    """
    moved = np.asarray(points, np.float32).copy()
    ranks = (np.arange(len(moved), dtype=np.float32) + 0.5) / len(moved)
    knots = (np.arange(QUANTILES, dtype=np.float32) + 0.5) / QUANTILES
    for basis, goal in zip(bases, target, strict=True):
        along = moved @ basis
        for axis in range(along.shape[1]):
            along[_order(along[:, axis]), axis] = np.interp(ranks, knots, goal[axis])
        moved = along @ basis.T
    return moved


def _order(values: np.ndarray) -> np.ndarray:
    """What a stable argsort of finite float32 gives, several times faster: value and place are sorted as one whole number.

    >>> _order(np.array([2, -1, 2, -3], np.float32)).tolist()
    [3, 1, 0, 2]
    """
    bits = np.ascontiguousarray(values + np.float32(0), np.float32).view(np.uint32)  # -0 becomes 0, its equal
    rising = bits ^ np.where(bits >> np.uint32(31), np.uint32(0xFFFFFFFF), np.uint32(0x80000000))
    keys = (rising.astype(np.uint64) << np.uint64(32)) | np.arange(len(bits), dtype=np.uint64)
    keys.sort()
    return (keys & np.uint64(0xFFFFFFFF)).astype(np.intp)
