"""Best of 4 against random of 4, by judges that had no part: the default choice as it stands, its parts, and what a fit says.

    python -m benchmarks.creativity.table FOLDER songs|covers [--judgements FILE]

The default's scorers, weights and rule are read from the configuration, and `choose` chooses, as in a run. Effects are in
within-topic standard deviations of each judge over the proof topics; the interval is a bootstrap over topics, 95 %. "A run's
four" are four seeds in a row that begin at a multiple of four, as a run draws them.

Calibration judges (songs: musicnn and BeatNet; covers: EfficientNet-lite1 and BRISQUE), each kind of judgement weighing
alike, say on calibration topics what weights they would set: non-negative least squares of the within-topic standardised
judgement on the within-topic ranks of the scorers. A file of `spectrogrand judge` over the calibration folder, people's choices
between pairs, takes the calibration judges' place.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from benchmarks.creativity.judges import COLUMNS
from spectrogrand.config import compose
from spectrogrand.registry import build
from spectrogrand.report.judging import rate_by_pairs, read_judgements
from spectrogrand.runs.slots import read_weight
from spectrogrand.selection import choose

FIT = {"songs": ("musicnn", "beatnet"), "covers": ("efficientnet1", "brisque")}
KINDS = {"songs": ((0, 2), (1, 3), (4,)), "covers": ((0,), (1,), (2,))}
"""Which of their columns judge the same: dancing, electronic sound, the beat; sureness, likeness, naturalness."""
PROVE = {"songs": ("tagger", "yamnet", "essentia", "madmom"), "covers": ("efficientnet", "efficientnet2", "squeezenet")}
FORMER = {"songs": ("novelty", "danceability"), "covers": ("aesthetics", "cover_surprise")}


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


def fit(scores: np.ndarray, marks: np.ndarray, topic: np.ndarray, kinds: tuple[tuple[int, ...], ...]) -> np.ndarray:
    """Weights of at least 0 that sum to 1."""
    from scipy.optimize import nnls

    judged = within(marks, topic)
    target = np.mean([judged[:, list(k)].mean(axis=1) for k in kinds], axis=0)
    x = ranks(scores, topic) - 0.5
    ridge = np.sqrt(0.05 * len(x) / 12) * np.eye(x.shape[1])
    weight, _ = nnls(np.concatenate([x, ridge]), np.concatenate([target, np.zeros(x.shape[1])]))
    return np.asarray(weight / max(weight.sum(), 1e-9))


def draw(topic: np.ndarray, size: int, draws: int = 100, block: bool = False) -> list[list[np.ndarray]]:
    """Per topic, sets of `size` of its candidates; with `block`, the consecutive ones."""
    rng = np.random.default_rng(1)
    out = []
    for t in np.unique(topic):
        here = np.flatnonzero(topic == t)
        if block or size >= len(here):
            out.append([here[k : k + size] for k in range(0, len(here) - size + 1, size)])
        else:
            out.append([rng.choice(here, size, False) for _ in range(draws)])
    return out


def chosen(
    names: list[str], scores: np.ndarray, drawn: list[list[np.ndarray]], weights: dict[str, float], rule: str
) -> list[np.ndarray]:
    """Per topic the candidates that `choose` takes of its sets, with the scorers' references and noise."""
    known = compose(["topic=x"])
    known = {**known["song_scorers"], **known["cover_scorers"]}
    parts = {n: build("scorers", known[n]["scorer"] if n in known else n) for n in weights}
    references, noise = {n: p.reference_scores() for n, p in parts.items()}, {n: p.noise for n, p in parts.items()}
    columns = {n: scores[:, names.index(n)] for n in weights}

    def pick(few: np.ndarray) -> int:
        told = {n: v[few] for n, v in columns.items()}
        return int(few[choose(told, weights=weights, references=references, rule=rule, noise=noise).index])

    return [np.array([pick(few) for few in sets]) for sets in drawn]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("kind", choices=[*FIT, "songs30"])
    parser.add_argument(
        "--judgements", type=Path, default=None, help="of spectrogrand judge, over the calibration folder"
    )
    options = parser.parse_args()
    home, kind = options.folder / options.kind, options.kind.removesuffix("30")
    if (home / "calibration" / "scores.npz").exists():
        names, scores, marks, topic, columns = load(
            home / "calibration", () if options.judgements else FIT[kind], options.judgements
        )
        weight = fit(scores, marks, topic, KINDS[kind] if options.judgements is None else ((0,),))
        print(f"{len(scores)} candidates of {len(np.unique(topic))} calibration topics, judged by {', '.join(columns)}")
        print("they would set: " + ", ".join(f"{n} {w:.2f}" for n, w in zip(names, weight, strict=True)) + "\n")
    config = compose(["topic=x"])
    default = {k: read_weight("x", k, v) for k, v in config[f"{kind[:-1]}_scorers"].items()}
    rule = str(config["selection"])
    names, scores, marks, topic, columns = load(home / "proof", PROVE[kind])
    default = {n: w for n, w in default.items() if n in names}
    standard, four = within(marks, topic), draw(topic, 4)
    most = min(16, *np.unique(topic, return_counts=True)[1].tolist())
    print(f"the default: {', '.join(f'{n} {w:g}' for n, w in default.items())}, by {rule}")
    print(f"{len(scores)} candidates of {len(np.unique(topic))} proof topics\n")
    rows = {
        "the default, best of 4": chosen(names, scores, four, default, rule),
        "the default, a run's four": chosen(names, scores, draw(topic, 4, block=True), default, rule),
        f"the default, best of {most}": chosen(names, scores, draw(topic, most), default, rule),
        "the former default, by quantiles": chosen(names, scores, four, dict.fromkeys(FORMER[kind], 1.0), "quantile"),
    }
    for n in default if len(default) > 1 else ():
        rows[f"the default without {n}"] = chosen(
            names, scores, four, {k: w for k, w in default.items() if k != n}, rule
        )
    rows |= {n: chosen(names, scores, four, {n: 1.0}, rule) for n in names}
    print("| rule | " + " | ".join(columns) + " |\n|---|" + "---|" * len(columns))
    for row, picks in rows.items():
        cells = [interval(np.array([standard[p, k].mean() for p in picks])) for k in range(len(columns))]
        print(f"| {row} | " + " | ".join(f"{m:+.2f} [{low:+.2f}, {high:+.2f}]" for m, low, high in cells) + " |")
    best = [
        interval(np.array([np.mean([standard[few, k].max() for few in sets]) for sets in four]))
        for k in range(len(columns))
    ]
    print("| an oracle | " + " | ".join(f"{m:+.2f} [{low:+.2f}, {high:+.2f}]" for m, low, high in best) + " |")


if __name__ == "__main__":
    main()
