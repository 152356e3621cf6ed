"""How two sets of vectors differ, and how varied one is: Fréchet distance, KID, precision to coverage, Vendi score, KL."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..errors import InvalidValue


def frechet(x: np.ndarray, y: np.ndarray) -> float:
    """Squared Fréchet distance of the Gaussians fitted to two sets (Heusel et al. 2017: FID; Kilgour et al. 2019: FAD).

    `|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2))`, by the eigenvalues of the symmetric C1^(1/2) C2 C1^(1/2); covariances are
    divided by n - 1. Of fewer vectors than axes the covariance is singular and the distance mostly bias: refused.

    Args:
        x: shape=(item, axis).
        y: shape=(reference, axis).

    Raises:
        InvalidValue: too few vectors in a set (the number needed is said), unlike axes, or numbers that are not finite.

    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(2000, 2))
    >>> round(frechet(x, x + [3.0, 0.0]), 6)
    9.0
    """
    x, y = _pair(x, y, x.shape[1] + 1, "a Fréchet distance")
    return _frechet(x, y)


def _frechet(x: np.ndarray, y: np.ndarray) -> float:
    cx, cy = (np.atleast_2d(np.cov(v, rowvar=False)) for v in (x, y))
    values, vectors = np.linalg.eigh(cx)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    cross = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ cy @ root), 0)).sum()
    return float(max(0.0, ((x.mean(0) - y.mean(0)) ** 2).sum() + np.trace(cx) + np.trace(cy) - 2 * cross))


def frechet_infinite(x: np.ndarray, y: np.ndarray, seed: int = 0, points: int = 15) -> float:
    """The Fréchet distance at infinitely many items (Chong and Forsyth 2020: FID-infinity; Gui et al. 2024: FAD-infinity).

    The distance of subsets of x, from half of it to all, is linear in 1 / n: the intercept has no bias of the sample's size.

    Args:
        x: shape=(item, axis).
        y: shape=(reference, axis).
        seed: of the subsets.
        points: how many sizes.

    Raises:
        InvalidValue: fewer than twice as many items as axes.
    """
    x, y = _pair(x, y, 2 * x.shape[1] + 2, "a Fréchet distance at infinity", y.shape[1] + 1)
    rng = np.random.default_rng(seed)
    sizes = np.unique(np.linspace(max(len(x) // 2, x.shape[1] + 1), len(x), points).astype(int))
    distances = [_frechet(x[rng.permutation(len(x))[:n]], y) for n in sizes]
    return float(np.polyfit(1 / sizes, distances, 1)[1])


def kid(x: np.ndarray, y: np.ndarray) -> float:
    """Kernel distance (Bińkowski et al. 2018): unbiased squared MMD with the kernel (a.b / axes + 1)^3.

    Raises:
        InvalidValue: fewer than two vectors in a set, unlike axes, or numbers that are not finite.

    >>> kid(np.eye(3), np.eye(3)) < 0
    True
    """
    x, y = _pair(x, y, 2, "a kernel distance")
    n, m, axes = len(x), len(y), x.shape[1]
    xx, yy, xy = ((a @ b.T / axes + 1) ** 3 for a, b in ((x, x), (y, y), (x, y)))
    within = (xx.sum() - np.trace(xx)) / (n * (n - 1)) + (yy.sum() - np.trace(yy)) / (m * (m - 1))
    return float(within - 2 * xy.mean())


def coverage(x: np.ndarray, y: np.ndarray, k: int = 5) -> dict[str, float]:
    """Precision, recall (Kynkäänniemi et al. 2019), density and coverage (Naeem et al. 2020) of a set against a reference.

    Args:
        x: of the set, shape=(item, axis).
        y: of the reference, shape=(reference, axis).
        k: neighbours that make a ball.

    Returns:
        precision: share of items inside some ball of the reference; recall: the reverse; density: in how many balls an item
        lies, over k; coverage: share of the reference's balls with an item in them.

    Raises:
        InvalidValue: k or fewer vectors in a set.

    >>> line = np.arange(8.0)[:, None]
    >>> coverage(line, line, k=2)["precision"], coverage(line + 100, line, k=2)["coverage"]
    (1.0, 0.0)
    """
    x, y = _pair(x, y, k + 1, f"precision to coverage with {k} neighbours")
    own, reference, between = _distances(x, x), _distances(y, y), _distances(y, x)
    rx, ry = (np.partition(d, k, axis=1)[:, k] for d in (own, reference))
    inside = between <= ry[:, None] + 1e-12
    return {
        "precision": float(inside.any(0).mean()), "recall": float((between <= rx[None] + 1e-12).any(1).mean()),
        "density": float(inside.sum(0).mean() / k), "coverage": float((between.min(1) <= ry + 1e-12).mean()),
    }  # fmt: skip


def vendi(x: np.ndarray) -> float:
    """How many different things a set holds (Friedman and Dieng 2023): exp of the entropy of the eigenvalues of K / n.

    K is the cosine similarity; its eigenvalues are those of the small matrix X'X / n where there are fewer axes than items.

    Args:
        x: shape=(item, axis).

    Returns:
        1 where all items are alike, n where all are orthogonal.

    >>> round(vendi(np.eye(4)), 6), round(vendi(np.ones((4, 3))), 6)
    (4.0, 1.0)
    """
    x = _finite(x)
    if not len(x):
        raise InvalidValue("a Vendi score is of one or more items, got none")
    unit = x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12)
    gram = unit.T @ unit if unit.shape[1] < len(unit) else unit @ unit.T
    values = np.linalg.eigvalsh(gram / len(unit))
    values = values[values > 1e-12]
    return float(np.exp(-(values * np.log(values)).sum()))


def paired_kl(x: Mapping[str, np.ndarray], y: Mapping[str, np.ndarray]) -> float:
    """Mean over pairs of KL(reference || item) of a classifier's probabilities, in nats.

    Args:
        x: of the set, by what an item and its reference have in common (a file's stem): probabilities, shape=(class,).
        y: of the reference.

    Raises:
        InvalidValue: nothing in common.

    >>> half, sure = np.array([0.5, 0.5]), np.array([1.0, 0.0])
    >>> bool(round(paired_kl({"a": half}, {"a": sure}), 6) == round(np.log(2), 6))
    True
    """
    both = sorted(set(x) & set(y))
    if not both:
        raise InvalidValue("KL compares an item with its own reference: give the two files of a pair the same name")
    total = 0.0
    for name in both:
        p, q = (np.asarray(v[name], np.float64) + 1e-9 for v in (y, x))
        p, q = p / p.sum(), q / q.sum()
        total += float((p * np.log(p / q)).sum())
    return max(0.0, total / len(both))


def _distances(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    squares = (x**2).sum(1)[:, None] + (y**2).sum(1)[None] - 2 * x @ y.T
    return np.sqrt(np.maximum(squares, 0))


def _pair(
    x: np.ndarray, y: np.ndarray, least: int, what: str, least_reference: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    x, y = _finite(x), _finite(y)
    if x.shape[1] != y.shape[1]:
        raise InvalidValue(f"{what} is of vectors of one encoder: got {x.shape[1]} and {y.shape[1]} axes")
    for name, one, needed in (("the set", x, least), ("the reference", y, least_reference or least)):
        if len(one) < needed:
            raise InvalidValue(f"{what} over {x.shape[1]} axes needs {needed} items or more, {name} has {len(one)}")
    return x, y


def _finite(x: np.ndarray) -> np.ndarray:
    x = np.asarray(x, np.float64)
    if x.ndim != 2 or not np.isfinite(x).all():
        raise InvalidValue(f"vectors are finite numbers (item, axis), got shape {x.shape}")
    return x
