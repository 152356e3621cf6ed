"""Best of 4 against random of 4, by judges that had no part: fits the composite on calibration topics, proves it on others.

    python -m benchmarks.creativity.table FOLDER songs|covers [--judgements FILE]

Calibration judges (songs: musicnn; covers: SqueezeNet) set the weights on calibration topics, by non-negative least squares of
the within-topic standardised judgement on the within-topic ranks of the scorers. Effects are in within-topic standard deviations
of each judge over the proof topics; the interval is a bootstrap over topics, 95 %. A file of `spectrogrand judge` over the
calibration folder, people's choices between pairs, takes the calibration judges' place.
"""

from __future__ import annotations

import argparse
from itertools import combinations
from pathlib import Path

import numpy as np

from benchmarks.creativity.judges import COLUMNS
from spectrogrand.report.judging import rate_by_pairs, read_judgements

FIT = {"songs": ("musicnn",), "covers": ("squeezenet",)}
PROVE = {"songs": ("tagger", "yamnet", "essentia"), "covers": ("efficientnet",)}


def within(values: np.ndarray, topic: np.ndarray) -> np.ndarray:
    """Standardised within each topic, shape=(item, column)."""
    out = np.zeros_like(values, dtype=np.float64)
    for t in np.unique(topic):
        here = topic == t
        out[here] = (values[here] - values[here].mean(axis=0)) / np.maximum(values[here].std(axis=0), 1e-9)
    return out


def ranks(values: np.ndarray, topic: np.ndarray) -> np.ndarray:
    """Share of the topic's other candidates beaten, shape=(item, column)."""
    out = np.zeros_like(values, dtype=np.float64)
    for t in np.unique(topic):
        here = topic == t
        x = values[here]
        out[here] = ((x[:, None] > x[None]).sum(axis=1) + 0.5 * (x[:, None] == x[None]).sum(axis=1) - 0.5) / (
            len(x) - 1
        )
    return out


def best_of(total: np.ndarray, marks: np.ndarray, topic: np.ndarray, size: int, draws: int = 400) -> np.ndarray:
    """Mean judgement of the highest total among `size` of a topic's candidates, shape=(topic,)."""
    rng = np.random.default_rng(1)
    out = []
    for t in np.unique(topic):
        here = np.flatnonzero(topic == t)
        few = (
            list(combinations(here, size))
            if size >= len(here) - 1
            else [rng.choice(here, size, False) for _ in range(draws)]
        )
        out.append(np.mean([marks[max(c, key=lambda i: total[i])] for c in few]))
    return np.array(out)


def interval(per_topic: np.ndarray) -> tuple[float, float, float]:
    """Mean and bootstrap interval over topics."""
    rng = np.random.default_rng(2)
    means = [per_topic[rng.integers(0, len(per_topic), len(per_topic))].mean() for _ in range(4000)]
    return float(per_topic.mean()), *(float(x) for x in np.percentile(means, [2.5, 97.5]))


def load(
    folder: Path, judges: tuple[str, ...], people: Path | None = None
) -> tuple[list[str], np.ndarray, np.ndarray, np.ndarray, list[str]]:
    """Scorers, their scores, the judgements, each item's topic, and the judgements' names.

    With `people`, a file of judgements, only the items that it compares are kept, with their strengths as a judge's marks.
    """
    with np.load(folder / "scores.npz") as data:
        files, names, scores = data["files"].tolist(), data["scorers"].tolist(), data["scores"].copy()
    held = folder / "dance_appeal_held_out.npz"
    if held.exists():  # what was learned on these topics must not count there as if it were known
        with np.load(held) as data:
            known = dict(zip(data["files"].tolist(), data["scores"].tolist(), strict=True))
        scores[:, names.index("dance_appeal")] = [known[f] for f in files]
    marks, columns = [], []
    for judge in judges:
        with np.load(folder / f"{judge}.npz") as data:
            known = dict(zip(data["files"].tolist(), data["marks"], strict=True))
        marks.append(np.stack([known[f] for f in files]))
        columns += COLUMNS[judge]
    if people is not None:
        strengths = rate_by_pairs(read_judgements(people))
        known = {"/".join(Path(n).parts[-2:]): s for n, s in strengths.items()}
        kept = [i for i, f in enumerate(files) if f in known]
        if not kept:
            raise SystemExit(f"{people} compares nothing in {folder}: judge that folder's candidates")
        files, scores = [files[i] for i in kept], scores[kept]
        marks = [*(m[kept] for m in marks), np.array([[known[f]] for f in files])]
        columns.append("people")
    return names, scores, np.concatenate(marks, axis=1), np.array([int(f.split("/")[0]) for f in files]), columns


def fit(scores: np.ndarray, marks: np.ndarray, topic: np.ndarray) -> np.ndarray:
    """Weights of at least 0 that sum to 1."""
    from scipy.optimize import nnls

    target = within(marks, topic).mean(axis=1)
    x = ranks(scores, topic) - 0.5
    ridge = np.sqrt(0.05 * len(x) / 12) * np.eye(x.shape[1])
    weight, _ = nnls(np.concatenate([x, ridge]), np.concatenate([target, np.zeros(x.shape[1])]))
    return np.asarray(weight / max(weight.sum(), 1e-9))


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("kind", choices=FIT)
    parser.add_argument(
        "--judgements", type=Path, default=None, help="of spectrogrand judge, over the calibration folder"
    )
    options = parser.parse_args()
    home = options.folder / options.kind
    names, scores, marks, topic, columns = load(
        home / "calibration", () if options.judgements else FIT[options.kind], options.judgements
    )
    weight = fit(scores, marks, topic)
    print(f"{len(scores)} candidates of {len(np.unique(topic))} calibration topics, judged by {', '.join(columns)}")
    print("weights: " + ", ".join(f"{n} {w:.2f}" for n, w in zip(names, weight, strict=True)) + "\n")
    names, scores, marks, topic, columns = load(home / "proof", PROVE[options.kind])
    standard, ranked = within(marks, topic), ranks(scores, topic)
    rules = {"composite, best of 4": (ranked @ weight, 4), "composite, best of 16": (ranked @ weight, 16)}
    old = [
        names.index(n)
        for n in (("novelty", "danceability") if options.kind == "songs" else ("aesthetics", "cover_surprise"))
    ]
    rules["the former two, ranks"] = (ranked[:, old].mean(axis=1), 4)
    rules |= {n: (scores[:, k], 4) for k, n in enumerate(names)}
    rules["an oracle"] = (np.empty(0), 4)
    print(f"{len(scores)} candidates of {len(np.unique(topic))} proof topics\n")
    print("| rule | " + " | ".join(columns) + " |\n|---|" + "---|" * len(columns))
    for rule, (total, size) in rules.items():
        cells = []
        for k in range(len(columns)):
            by = standard[:, k] if rule == "an oracle" else total
            mean, low, high = interval(best_of(by, standard[:, k], topic, size))
            cells.append(f"{mean:+.2f} [{low:+.2f}, {high:+.2f}]")
        print(f"| {rule} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
