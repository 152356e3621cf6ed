"""People's judgements: pairs of candidates, blinded, which of the two is better; how far judges agree; a strength for each."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from ..errors import ConfigError
from ..media import PICTURES, SOUNDS

COLUMNS = ("group", "a", "b", "chosen", "judge")
CHOICES = ("a", "b", "equal")


@dataclass(frozen=True)
class Judgement:
    """One answer: of the files `a` and `b` of a group (candidates of one choice), which was better: "a", "b" or "equal"."""

    group: str
    a: str
    b: str
    chosen: str
    judge: str


def collect(folders: Iterable[str | Path]) -> dict[str, list[Path]]:
    """Candidates that may be compared: those of each choice of a run that did not fail; else the files of each folder.

    Raises:
        ConfigError: no such folder, or nowhere two to compare.
    """
    groups: dict[str, list[Path]] = {}
    for folder in map(Path, folders):
        if not folder.is_dir():
            raise ConfigError(f"no folder {str(folder)!r}: give runs, or folders of songs or pictures")
        records = [p for p in sorted(folder.rglob("run.json")) if ".store" not in p.parts]
        for record in records:
            for slot, choice in (json.loads(record.read_text("utf-8")).get("choices") or {}).items():
                kept = [c for c in choice.get("candidates") or () if not c.get("failed") and c.get("file")]
                groups[f"{record.parent.name} {slot}"] = [record.parent / c["file"] for c in kept]
        if not records:
            for place in (folder, *sorted(p for p in folder.rglob("*") if p.is_dir())):
                for suffixes in (SOUNDS, PICTURES):
                    found = [p for p in sorted(place.iterdir()) if p.suffix.lower() in suffixes]
                    groups[f"{place.relative_to(folder.parent).as_posix()}{found[0].suffix if found else ''}"] = found
    groups = {k: v for k, v in groups.items() if len(v) > 1}
    if not groups:
        raise ConfigError("nowhere two candidates to compare: give runs with two and more candidates")
    return groups


def plan_pairs(groups: Mapping[str, Sequence[Path]], count: int, seed: int = 0) -> list[tuple[str, Path, Path]]:
    """`count` pairs (group, a, b), sides at random, groups in turn, no pair twice before all came; then every fifth once more.

    The repeated ones come last, with their sides changed: a judge who answers them otherwise chose at random.

    >>> len(plan_pairs({"g": [Path("1"), Path("2"), Path("3")]}, 10))
    12
    """
    rng = np.random.default_rng(seed)
    queues: dict[str, list[tuple[Path, Path]]] = {k: [] for k in groups}
    pairs: list[tuple[str, Path, Path]] = []
    names = list(groups)
    for k in range(count):
        name = names[k % len(names)]
        if not queues[name]:
            items = groups[name]
            every = [(x, y) for i, x in enumerate(items) for y in items[i + 1 :]]
            queues[name] = [every[i] for i in rng.permutation(len(every))]
        a, b = queues[name].pop()
        pairs.append((name, a, b) if rng.random() < 0.5 else (name, b, a))
    again = [(name, b, a) for name, a, b in pairs[::5]]
    return pairs + [again[i] for i in rng.permutation(len(again))]


def read_judgements(path: str | Path) -> list[Judgement]:
    """The rows of a file of judgements.

    Raises:
        ConfigError: it cannot be read, or has other columns or answers.
    """
    try:
        with Path(path).open(encoding="utf-8", newline="") as file:
            table = csv.DictReader(file)
            if tuple(table.fieldnames or ()) != COLUMNS:
                raise ConfigError(f"{path} has other columns than {', '.join(COLUMNS)}: is it a file of judgements?")
            rows = [Judgement(**row) for row in table]
    except (OSError, UnicodeDecodeError, csv.Error, TypeError) as error:
        raise ConfigError(f"no judgements can be read from {path}: {error}") from error
    for row in rows:
        if row.chosen not in CHOICES:
            raise ConfigError(f"{path} has an answer {row.chosen!r}, expected one of {', '.join(CHOICES)}")
    return rows


def append_judgement(path: str | Path, row: Judgement) -> None:
    """Add one row; the file is begun where there is none, so that an interrupted session loses nothing."""
    target = Path(path)
    fresh = not target.exists()
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("a", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, COLUMNS)
        if fresh:
            table.writeheader()
        table.writerow(asdict(row))


def measure_agreement(rows: Sequence[Judgement]) -> dict[str, tuple[float, int]]:
    """How often the same pair was answered alike: {"with oneself": (share, pairs), "among judges": (kappa, pairs)}.

    With oneself: the share of the pairs that a judge answered twice. Among judges: Cohen's kappa (1960) over the pairs that two
    judges answered, chance being taken from the answers' own frequencies. NaN where there are none.

    >>> one = Judgement("g", "x", "y", "a", "me")
    >>> measure_agreement([one, Judgement("g", "y", "x", "b", "me")])["with oneself"]
    (1.0, 1)
    """
    by: dict[tuple[str, str, str], dict[str, list[str]]] = {}
    for r in rows:
        low, high = sorted((r.a, r.b))
        better = {"a": r.a, "b": r.b, "equal": ""}[r.chosen]
        answer = "equal" if not better else "low" if better == low else "high"
        by.setdefault((r.group, low, high), {}).setdefault(r.judge, []).append(answer)
    alike = [answers[0] == answers[1] for judges in by.values() for answers in judges.values() if len(answers) > 1]
    both = []
    for judges in by.values():
        first = [answers[0] for _, answers in sorted(judges.items())]
        both += [(x, y) for i, x in enumerate(first) for y in first[i + 1 :]]
    kappa = float("nan")
    if both:
        seen = float(np.mean([x == y for x, y in both]))
        left, right = ([pair[k] for pair in both] for k in (0, 1))
        chance = sum(left.count(w) * right.count(w) for w in ("low", "high", "equal")) / len(both) ** 2
        kappa = (seen - chance) / (1 - chance) if chance < 1 else 1.0
    return {
        "with oneself": (float(np.mean(alike)) if alike else float("nan"), len(alike)),
        "among judges": (kappa, len(both)),
    }


def rate_by_pairs(rows: Sequence[Judgement]) -> dict[str, float]:
    """Each file's log strength, mean 0 within its group: Bradley & Terry (1952), by Hunter's iteration (2004).

    A tie counts half for each. Everyone is also given half a win and half a loss against a stranger of mean strength, so that one
    who always won has a finite strength.

    >>> marks = rate_by_pairs([Judgement("g", "x", "y", "a", "me"), Judgement("g", "y", "z", "a", "me")])
    >>> marks["x"] > marks["y"] > marks["z"]
    True
    """
    out: dict[str, float] = {}
    for group in dict.fromkeys(r.group for r in rows):
        here = [r for r in rows if r.group == group]
        names = sorted({n for r in here for n in (r.a, r.b)})
        at = {n: i for i, n in enumerate(names)}
        wins = np.zeros((len(names), len(names)))
        for r in here:
            a, b, half = at[r.a], at[r.b], 0.5 if r.chosen == "equal" else 1.0
            if r.chosen in ("a", "equal"):
                wins[a, b] += half
            if r.chosen in ("b", "equal"):
                wins[b, a] += half
        strength = np.ones(len(names))
        met = wins + wins.T
        for _ in range(500):
            shared = (met / (strength[:, None] + strength[None])).sum(axis=1) + 1 / (strength + 1)
            strength = (wins.sum(axis=1) + 0.5) / shared
            strength /= np.exp(np.log(strength).mean())
        out |= {n: float(np.log(strength[i])) for n, i in at.items()}
    return out
