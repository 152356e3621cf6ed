"""Makes spectrogrand/data/timbre_genre.safetensors: the weights of the `timbre_genre` classifier.

Run:  pip install 'spectrogrand[train]' && python train/timbre_genre.py [--test]      (seconds; --test some minutes)

Trains on the 160 shipped reference songs (`train/reference_songs.py`: run that first), whose statistics are read back
from their embeddings. Model: multinomial logistic regression (scikit-learn, C = 0.03) and, for "none of these", the
Mahalanobis distance to the nearest genre with a pooled Ledoit-Wolf covariance; the limit is 1.4 times the largest
distance of a held-out song when whole topics are left out (5 folds).
--test makes 80 songs of topics and seeds (9000 and up) that were never trained on.
"""

from __future__ import annotations

import argparse

import numpy as np
from reference_songs import songs

from spectrogrand.classifiers.timbre_genre import WEIGHTS, TimbreGenre, bend
from spectrogrand.embedders.timbre_rhythm import SCALE, statistics
from spectrogrand.references import SHIPPED
from spectrogrand.types import GENRES

UNSEEN_TOPICS = (
    "a solar eclipse", "rain on a tin roof", "a samurai's last duel", "bees in the summer heat", "a broken computer",
    "moonlight over the harbour", "an angry dragon", "ice skating with friends", "a cathedral of glass",
    "taxi at midnight", "the first day of school", "desert caravan", "submarine alarm", "grandmother's kitchen",
    "a swarm of drones", "spinning tops", "thunder behind the hills", "a letter never sent", "parade of clowns",
    "the speed of light",
)  # fmt: skip
STRENGTH, FOLDS, MARGIN = 0.03, 5, 1.4


def training_set() -> tuple[np.ndarray, np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """Bent statistics of the reference songs (item, statistic), genre indices (item,), topic numbers (item,), the scale."""
    from safetensors.numpy import load_file

    scale, shipped = load_file(SCALE), load_file(SHIPPED)
    values = np.concatenate([bend(statistics(shipped[g]), scale["mean"], scale["std"]) for g in GENRES])
    counts = [len(shipped[g]) for g in GENRES]
    return values, np.repeat(np.arange(len(GENRES)), counts), np.concatenate([np.arange(c) for c in counts]), scale


def fit(values: np.ndarray, genres: np.ndarray) -> dict[str, np.ndarray]:
    """Coefficients (statistic, genre), intercepts (genre,), class means (genre, statistic), precision (statistic, statistic)."""
    from sklearn.covariance import LedoitWolf
    from sklearn.linear_model import LogisticRegression

    logistic = LogisticRegression(C=STRENGTH, max_iter=2000).fit(values, genres)
    means = np.array([values[genres == g].mean(axis=0) for g in range(len(GENRES))])
    within = LedoitWolf(assume_centered=True).fit(values - means[genres])
    return {
        "coefficients": logistic.coef_.T, "intercepts": logistic.intercept_, "means": means, "precision": within.precision_,
    }  # fmt: skip


def held_out(values: np.ndarray, genres: np.ndarray, topics: np.ndarray) -> tuple[float, np.ndarray]:
    """Accuracy, and distances (item,), when each song is judged by a model that has not seen its topic."""
    right, distances = np.zeros(len(genres), bool), np.zeros(len(genres))
    for fold in range(FOLDS):
        out = topics % FOLDS == fold
        model = fit(values[~out], genres[~out])
        right[out] = (values[out] @ model["coefficients"] + model["intercepts"]).argmax(axis=1) == genres[out]
        apart = values[out][:, None] - model["means"]
        squared = np.einsum("igs,st,igt->ig", apart, model["precision"], apart) / values.shape[1]
        distances[out] = np.sqrt(squared.min(axis=1))
    return float(right.mean()), distances


def shuffled(values: np.ndarray, genres: np.ndarray, topics: np.ndarray, rounds: int = 10) -> np.ndarray:
    """Held-out accuracies after training on shuffled labels, shape=(round,): the check that nothing leaks."""
    rng = np.random.default_rng(0)
    return np.array([held_out(values, rng.permutation(genres), topics)[0] for _ in range(rounds)])


def main() -> None:
    """Train, write the weights, report."""
    from safetensors.numpy import save_file

    parser = argparse.ArgumentParser(description="train the timbre_genre classifier")
    parser.add_argument("--test", action="store_true", help="also make 80 songs of unseen topics and seeds")
    options = parser.parse_args()
    values, genres, topics, scale = training_set()
    accuracy, distances = held_out(values, genres, topics)
    model = fit(values, genres) | {
        "mean": scale["mean"],
        "std": scale["std"],
        "limit": np.array(MARGIN * distances.max()),
    }
    save_file({k: np.ascontiguousarray(v, np.float32) for k, v in model.items()}, WEIGHTS)
    WEIGHTS.chmod(0o644)
    print(f"{WEIGHTS.name}: {WEIGHTS.stat().st_size} bytes, limit {model['limit']:.3f}")
    print(f"unseen topics, cross-validated: accuracy {accuracy:.3f}; distances up to {distances.max():.3f}")
    chance = shuffled(values, genres, topics)
    print(f"shuffled labels: {chance.mean():.3f} ({chance.min():.3f} to {chance.max():.3f})")
    if options.test:
        classifier, right, novel = TimbreGenre(), [], []
        for number, genre in enumerate(GENRES):
            for song in songs(genre, UNSEEN_TOPICS, 9000):
                right.append(int(classifier.classify([song])[0].argmax()) == number)
                novel.append(bool(classifier.novel([song])[0]))
        print(f"unseen topics and seeds: {np.mean(right):.3f} of {len(right)} right, {sum(novel)} called none of these")


if __name__ == "__main__":
    main()
