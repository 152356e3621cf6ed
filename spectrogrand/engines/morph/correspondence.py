"""Which part of one picture becomes which part of another: optimal transport of small, coloured patches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...image.colour import oklab, shrink

GRID = 40
"""Patches to a side."""
COLOUR, DETAIL = 2.5, 0.6
"""Weight of colour (OKLab, lightness in [0, 1]) and of local contrast against place (sides of the picture)."""
ROUNDS = 80


@dataclass(frozen=True, eq=False)
class Pairs:
    """Where patches stand and where they go, both float32, shape=(patch, 2): (down, right) in sides, in [0, 1].

    `weight`, shape=(patch,): how much a patch stands out in its picture; where two meet on their way it says which one is seen.
    """

    start: np.ndarray
    end: np.ndarray
    weight: np.ndarray


def pairs(a: np.ndarray, b: np.ndarray, grid: int = GRID) -> Pairs:
    """Move the patches of picture `a` onto those of `b`, each patch of both used up once, at the least total cost.

    Entropic optimal transport (Cuturi, "Sinkhorn distances", NIPS 2013, algorithm 1, in the log domain) with the cost
    |place|^2 + 2.5 |colour|^2 + 0.6 |contrast|^2, its smoothing lowered from coarse to fine (epsilon scaling). A patch goes to
    the mean of where its mass goes (barycentric projection, Ferradans et al. 2014), and patches of `b` come from the mean of
    where theirs was, so that neither picture has a hole. Two equal pictures stay where they are, to within two patches.

    Args:
        a, b: uint8, shape=(row, column, rgb), any sizes.
    """
    first, second = _patches(a, grid), _patches(b, grid)
    place = _grid(grid)
    weights = np.array([1, 1, *[COLOUR**0.5] * 3, DETAIL**0.5], np.float32)
    x, y = np.hstack([place, first]) * weights, np.hstack([place, second]) * weights
    cost = (x**2).sum(1)[:, None] + (y**2).sum(1) - 2 * x @ y.T
    plan = _plan(np.maximum(cost, 0).astype(np.float32))
    there = plan @ place / plan.sum(1, keepdims=True)
    back = plan.T @ place / plan.sum(0)[:, None]
    weight = np.concatenate([_standing_out(first), _standing_out(second)])
    return Pairs(np.vstack([place, back]), np.vstack([there, place]), weight)


def _standing_out(patches: np.ndarray) -> np.ndarray:
    """How far each patch's colour lies from the picture's commonest, squared, above a floor, shape=(patch,)."""
    apart = ((patches[:, :3] - np.median(patches[:, :3], axis=0)) ** 2).sum(1) + patches[:, 3] ** 2
    return np.asarray(0.02 + apart / max(float(apart.mean()), 1e-4), np.float32)


def _grid(grid: int) -> np.ndarray:
    at = (np.arange(grid, dtype=np.float32) + 0.5) / grid
    return np.stack(np.meshgrid(at, at, indexing="ij"), -1).reshape(-1, 2)


def _patches(pixels: np.ndarray, grid: int) -> np.ndarray:
    """Mean OKLab colour of every patch and its contrast to what surrounds it, float32, shape=(patch, 4)."""
    from scipy.ndimage import gaussian_filter

    lab = oklab(shrink(pixels, grid, grid))
    around = np.abs(lab[..., 0] - gaussian_filter(lab[..., 0], grid / 10))
    return np.dstack([lab, around / max(float(around.max()), 1e-3) * 0.5]).reshape(-1, 4).astype(np.float32)


def _plan(cost: np.ndarray) -> np.ndarray:
    """The transport plan between two even distributions, float32, shape=(patch, patch)."""
    n = len(cost)
    scale = float(cost.mean())
    f: np.ndarray = np.zeros(n, np.float32)
    g: np.ndarray = np.zeros(n, np.float32)
    for smoothing in (0.2, 0.05, 0.02, 0.01):
        eps = np.float32(max(smoothing * scale, 1e-6))
        kernel = np.exp(np.clip((f[:, None] + g - cost) / eps, -80, 40))
        u: np.ndarray = np.ones(n, np.float32)
        v: np.ndarray = np.ones(n, np.float32)
        for _ in range(ROUNDS // 4):
            u = 1 / np.maximum(kernel @ v, 1e-30) / n
            v = 1 / np.maximum(kernel.T @ u, 1e-30) / n
        f, g = f + eps * np.log(np.maximum(u, 1e-30)), g + eps * np.log(np.maximum(v, 1e-30))
    return np.exp(np.clip((f[:, None] + g - cost) / eps, -80, 40))
