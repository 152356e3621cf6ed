"""Measures covers of topics; prints one table a part.

python -m benchmarks.covers [--only calibrate prove alike time words]

calibrate  what topic_fit's constants CHANCE and CLEAR should be, on topics of topics.json that nothing else uses
prove      on other topics, whether the default choice drops an on-topic cover for an off-topic one, and what lies gain
alike      200 covers: the nearest pair by a perceptual hash, finishes among any 20, same bytes, same picture at every size
time       processor time of a cover of 1024 x 1024 in each finish, medians of five
words      words of the topics that covers show and miss
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")

import numpy as np  # noqa: E402

from spectrogrand.engines.painting.things import show, vocabulary  # noqa: E402
from spectrogrand.interfaces import Context  # noqa: E402
from spectrogrand.plugins.scorers import topic_fit  # noqa: E402
from spectrogrand.registry import build  # noqa: E402
from spectrogrand.selection import choose  # noqa: E402
from spectrogrand.types import CoverBrief, Image  # noqa: E402

TOPICS = json.loads((Path(__file__).parent / "topics.json").read_text("utf-8"))
LOOKS = (("bass", ("black", "purple")), ("future", ("dark blue", "red")), ("melodic", ("green", "light blue")),
         ("progressive", ("orange", "yellow")))  # fmt: skip
GESTURES = ("ascends", "balances", "unveils", "erupts")


def brief(topic: str, k: int, seed: int = 0) -> CoverBrief:
    """A brief of a topic: the genre by k, colour and word by the seed, as a run has them."""
    genre, colours = LOOKS[k % 4]
    return CoverBrief(topic, genre, colours[seed % 2], GESTURES[seed // 2 % 4])


def covers(topics: Sequence[str], seeds: Sequence[int], size: int) -> Iterator[tuple[str, int, Image]]:
    """Covers of topics, one per seed."""
    paint = build("generators", {"name": "procedural_cover", "size": size})
    for k, topic in enumerate(topics):
        for seed in seeds:
            yield topic, seed, paint.generate([brief(topic, k, seed)], [seed])[0]


def calibrate() -> Iterator[str]:
    """Agreements of drawn outlines and of lies about them."""
    drawn: list[tuple[str, np.ndarray, dict[str, Any]]] = []
    by: dict[str, list[float]] = {}
    for _, _, image in covers(TOPICS["calibration"], range(10), 256):
        edges = topic_fit.edge_strength(image.pixels)
        for entry in (image.notes or {})["shown"]:
            if topic_fit._checkable(entry):
                drawn.append((str(entry["shape"]), edges, dict(entry)))
                by.setdefault(str((image.notes or {})["finish"]), []).append(topic_fit.agreement(edges, entry))
    true = np.concatenate([np.asarray(v) for v in by.values()])
    rng = np.random.default_rng(14)
    names = sorted({name for name, _, _ in drawn if name != "disc"})
    lies: dict[str, list[float]] = {
        "another outline in its box": [],
        "its notes on another picture": [],
        "best of 20 boxes": [],
    }
    for k, (name, edges, entry) in enumerate(drawn):
        other = names[int(rng.integers(len(names)))]
        if other.removesuffix(" whole") == name.removesuffix(" whole"):
            continue
        lies["another outline in its box"].append(topic_fit.agreement(edges, {**entry, "shape": other}))
        far = drawn[(k + 97) % len(drawn)]
        if far[0] != name:
            lies["its notes on another picture"].append(topic_fit.agreement(far[1], entry))
        if k % 20 == 0:
            tries = []
            for _ in range(20):
                x, y, r = *rng.uniform(0.25, 0.75, 2), rng.uniform(0.12, 0.25)
                box = [x - r, y - r, x + r, y + r]
                tries.append(topic_fit.agreement(edges, {"word": other, "shape": other, "box": box}))
            lies["best of 20 boxes"].append(max(tries))
    yield f"| drawn, by finish | n | least | 5 % | median |\n|---|---|---|---|---|\n{_rows(by)}"
    yield f"all drawn: n {len(true)}, 2 % {np.quantile(true, 0.02):.3f}, 5 % {np.quantile(true, 0.05):.3f}"
    for name, found in lies.items():
        q = np.quantile(found, [0.5, 0.95, 0.99, 1.0])
        yield f"lie, {name}: n {len(found)}, median {q[0]:.3f}, 95 % {q[1]:.3f}, 99 % {q[2]:.3f}, largest {q[3]:.3f}"
    said = np.concatenate([lies["another outline in its box"], lies["its notes on another picture"]])
    yield f"CHANCE, 99.5 % of the first two kinds of lies: {np.quantile(said, 0.995):.2f} (in use: {topic_fit.CHANCE})"
    yield f"CLEAR, 2 % of what is drawn: {np.quantile(true, 0.02):.2f} (in use: {topic_fit.CLEAR})"


def _rows(by: dict[str, list[float]]) -> str:
    return "\n".join(
        f"| {k} | {len(v)} | {min(v):.2f} | {np.quantile(v, 0.05):.2f} | {np.median(v):.2f} |"
        for k, v in sorted(by.items())
    )


def prove() -> Iterator[str]:
    """Pairs of an on-topic and an off-topic cover, scored and chosen as a run does."""
    topics = [t for t in TOPICS["proof"] if vocabulary.read(t).things]
    scorers = {name: build("scorers", {"name": name}) for name in ("aesthetics", "cover_surprise", "topic_fit")}
    references = {name: scorer.reference_scores() for name, scorer in scorers.items()}
    made = {topic: [image for _, _, image in covers([topic], range(2), 256)] for topic in topics}
    dropped: dict[str, list[int]] = {}
    pairs: dict[str, int] = {}
    gained: dict[str, list[float]] = {}
    for k, topic in enumerate(topics):
        off = made[topics[(k + 17) % len(topics)]]
        for a, b in zip(made[topic], off, strict=True):
            for kind, notes in _lies(topic, a, b).items():
                pair = [a, Image(b.pixels, notes)]
                context = Context(topic, [brief(topic, 0)] * 2, pair)
                table = {n: np.asarray(s.score_in_context(pair, context) if s.contextual else s.score(pair))
                         for n, s in scorers.items()}  # fmt: skip
                rest = {n: v for n, v in table.items() if n != "topic_fit"}
                used = choose(rest, references={n: references[n] for n in rest}).used
                lead = float(np.mean([v[1] - v[0] for v in used.values()]))
                pairs[kind] = pairs.get(kind, 0) + (abs(lead) <= 0.1)
                gained.setdefault(kind, []).append(float(table["topic_fit"][1]))
                if abs(lead) <= 0.1 and choose(table, references=references).index != 0:
                    dropped.setdefault(kind, []).append(k)
                even = {n: np.array([0.5, 0.6]) for n in rest} | {"topic_fit": table["topic_fit"]}
                flat = {n: np.linspace(0, 1, 1001) for n in even}
                if choose(even, references=flat).index != 0:
                    dropped.setdefault(kind + ", a tenth better in both others", []).append(k)
    on = [
        float(scorers["topic_fit"].score_in_context(made[t], Context(t, [brief(t, 0)] * 2, made[t])).min())
        for t in topics
    ]
    yield f"{len(topics)} topics; topic_fit of on-topic covers: least {min(on):.2f}, median {np.median(on):.2f}"
    yield "| the off-topic cover | pairs within .1 | on-topic one dropped | its topic_fit, largest |\n|---|---|---|---|"
    for kind, values in gained.items():
        worst = len(dropped.get(kind + ", a tenth better in both others", []))
        told = f"{len(dropped.get(kind, []))}; {worst} of {2 * len(topics)} where it is .1 better in both"
        yield f"| {kind} | {pairs[kind]} | {told} | {max(values):.2f} |"
    for kind, which in dropped.items():
        yield f"dropped, {kind}: {', '.join(sorted({topics[k] for k in which}))}"


def _lies(topic: str, a: Image, b: Image) -> dict[str, Any]:
    """What the painter of an off-topic cover b may say of it, a being the on-topic cover."""
    reading = vocabulary.read(topic)
    right = dict(a.notes or {})
    whole = [{"word": t.word, "shape": t.shape.name, "box": [0.0, 0.0, 1.0, 1.0]} for t in reading.things]
    return {
        "honest": dict(b.notes or {}),
        "silent": None,
        "says that it missed nothing": {"shown": [], "missed": [], "finish": "x"},
        "claims the on-topic cover's notes": right,
        "claims its own outlines under the topic's words": {
            **dict(b.notes or {}),
            "missed": [],
            "shown": [{**e, "word": t.word} for e, t in zip((b.notes or {})["shown"], reading.things, strict=False)],
        },
        "claims that everything fills the picture": {"shown": whole, "missed": [], "finish": "x"},
    }


def alike() -> Iterator[str]:
    """200 covers of 50 topics by their perceptual hashes."""
    from scipy.fft import dctn

    topics = [*TOPICS["mended"][:25], *TOPICS["proof"][:25]]
    hashes, finishes, names = [], [], []
    for topic, seed, image in covers(topics, range(4), 256):
        grey = np.asarray(Image(image.pixels).resized(32, 32).pixels, float) @ (0.299, 0.587, 0.114)
        low = dctn(grey, norm="ortho")[:8, :8].ravel()
        hashes.append(low > np.median(low[1:]))
        finishes.append((image.notes or {})["finish"])
        names.append(f"{topic} [{seed}]")
    table = np.asarray(hashes)
    far = (table[:, None] != table[None]).sum(-1)
    np.fill_diagonal(far, 64)
    i, j = np.unravel_index(int(far.argmin()), far.shape)
    near = int((far[np.triu_indices(len(far), 1)] < 10).sum())
    yield f"pairs under 10 bits apart: {near} of {len(far) * (len(far) - 1) // 2:,}"
    pair = f"{names[i]} and {names[j]}"
    yield f"{len(names)} covers; nearest pair: {far.min()} of 64 bits apart ({pair}); median {np.median(far):.0f}"
    windows = [len(set(finishes[k : k + 20])) for k in range(len(finishes) - 19)]
    rng = np.random.default_rng(0)
    drawn = [len({finishes[n] for n in rng.choice(len(finishes), 20, replace=False)}) for _ in range(10_000)]
    most = f"{np.percentile(drawn, 1):.0f} or more in 99 % of 10,000 draws of any 20"
    yield f"finishes among 20: at least {min(windows)} in a row, {most}"
    small = build("generators", {"name": "procedural_cover", "size": 256})
    least = 1.0
    for k, topic in enumerate(topics[::5]):
        first = small.generate([brief(topic, k)], [k])[0].pixels
        if not np.array_equal(first, small.generate([brief(topic, k)], [k])[0].pixels):
            yield f"other bytes for the same seed: {topic}"
        large = build("generators", {"name": "procedural_cover", "size": 768}).generate([brief(topic, k)], [k])[0]
        a, b = (np.asarray(Image(p).resized(48, 48).pixels, float).ravel() for p in (first, large.pixels))
        least = min(least, float(np.corrcoef(a, b)[0, 1]))
    count = len(topics[::5])
    yield f"same seed, same bytes: {count} topics; 256 beside 768 pixels, seen at 48: correlation at least {least:.3f}"


def seconds() -> Iterator[str]:
    """Processor time in each finish."""
    paint = build("generators", {"name": "procedural_cover", "size": 1024})
    every = dict(show.FINISHES)
    yield "| finish | one thing, s | three things in the rain at sea, s |\n|---|---|---|"
    try:
        for name in every:
            show.FINISHES = {name: every[name]}
            cells = []
            for topic in ("a lighthouse", "two foxes and a cat in the rain by the sea"):
                paint.generate([brief(topic, 1)], [0])
                spent = []
                for seed in range(5):
                    began = time.process_time()
                    paint.generate([brief(topic, 1, seed)], [seed])
                    spent.append(time.process_time() - began)
                cells.append(f"{np.median(spent):.2f}")
            yield f"| {name} | {' | '.join(cells)} |"
    finally:
        show.FINISHES = every


def words() -> Iterator[str]:
    """Words shown and missed."""
    for part in ("mended", "proof"):
        shown, missed = [], []
        for _, _, image in covers(TOPICS[part], [0], 256):
            notes = image.notes or {}
            shown += [e["word"] for e in notes["shown"]]
            missed += notes["missed"]
        yield f"{part}: {len(TOPICS[part])} topics, {len(shown)} words shown, {len(missed)} missed: {', '.join(missed)}"


PARTS: dict[str, Callable[[], Iterator[str]]] = {
    "calibrate": calibrate, "prove": prove, "alike": alike, "time": seconds, "words": words,
}  # fmt: skip


def main() -> None:
    """Print the parts that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    for name in parser.parse_args().only:
        sys.stdout.write(f"\n## {name}\n\n")
        for line in PARTS[name]():
            sys.stdout.write(line + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
