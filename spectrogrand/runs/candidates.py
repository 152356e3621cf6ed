"""Candidates and their scores, one store entry each: what a kill left finished is found again, the rest is made."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np

from .. import __version__
from ..errors import CandidateError, PluginError, StoreError
from ..files import parse_json
from ..interfaces import Classifier, Context, CreativityScorer, Gate, Generator
from ..progress import bar
from ..provenance import fingerprint
from ..store import TRIES, Entry, Store, digest
from . import artefacts
from .artefacts import Item, plain


def make_all(
    store: Store, generator: Generator, sources: Sequence[Any], seeds: Sequence[int]
) -> tuple[list[Item | None], list[str | None], int]:
    """One candidate per (source, seed): from the store, or made in batches of the generator's `batch_size`.

    Returns:
        The items (None where a candidate failed), the reasons (None where it did not), and how many were reused.
    """
    part = fingerprint(generator)
    keys = [
        digest({"step": "generate", "part": part, "source": plain(s), "seed": n, "version": __version__})
        for s, n in zip(sources, seeds, strict=True)
    ]
    entries = [store.find(k) for k in keys]
    missing = [i for i, e in enumerate(entries) if e is None]
    failed: list[str | None] = [None] * len(keys)
    batch, made_here = max(1, generator.batch_size), 0
    with bar(f"{generator.name}") as tick:
        todo = list(missing)
        while todo:
            with ExitStack() as held:
                some = _claim(store, held, keys, todo, batch)
                for i in some:
                    entries[i] = store.find(keys[i])  # another process may just have made it
                new = [i for i in some if entries[i] is None]
                if new:
                    made = attempt(generator, [sources[i] for i in new], [seeds[i] for i in new])
                    for i, one in zip(new, made, strict=True):
                        try:
                            entries[i] = _keep(store, generator, keys[i], one)
                        except CandidateError as error:
                            failed[i] = str(error)
                    made_here += len(new)
            if not some:  # all that is left is being made elsewhere
                with store.claimed(keys[todo[0]]):
                    entries[todo[0]] = store.find(keys[todo[0]])
            todo = [i for i in todo if entries[i] is None and failed[i] is None]
            tick(len(missing) - len(todo), len(missing))
    reused = len(keys) - made_here

    def again(i: int) -> Entry:
        store.forget(keys[i])
        return store.get_or_make(
            keys[i], lambda folder: artefacts.save(generator.generate([sources[i]], [seeds[i]])[0], folder)
        )[0]

    items = [
        Item(e, seeds[i], plain(sources[i]), lambda i=i: again(i)) if e else None for i, e in enumerate(entries)  # type: ignore[misc]
    ]
    return items, failed, reused


def _claim(store: Store, held: ExitStack, keys: Sequence[str], todo: Sequence[int], most: int) -> list[int]:
    """Claim up to `most` of the keys that nobody else holds; they are free again when `held` ends."""
    mine: list[int] = []
    for i in todo:
        if len(mine) < most and held.enter_context(store.claimed(keys[i], wait=False)):
            mine.append(i)
    return mine


def _keep(store: Store, generator: Generator, key: str, made: Any) -> Entry:
    if isinstance(made, CandidateError):
        raise made
    if not isinstance(made, generator.artefact):
        raise PluginError(f"{generator.name} made {type(made).__name__}, declared {generator.artefact.__name__}")
    for _ in range(TRIES):  # somebody may be emptying the store
        with store.writing(key) as folder:
            artefacts.save(made, folder)
        entry = store.find(key)
        if entry is not None:
            return entry
    raise StoreError(f"a finished step vanished from {store.root}: is another program emptying it? Run again")


def rate_all(
    store: Store, scorer: CreativityScorer, items: Sequence[Item | None], topic: str = "", sources: Sequence[Any] = ()
) -> tuple[np.ndarray, int]:
    """Scores, float64, shape=(item,), NaN for missing items, and how many were found; each is kept on its own.

    A contextual scorer's are kept by what it saw: the topic, the sources and all the items.
    """
    step: dict[str, Any] = {"step": "score", "part": fingerprint(scorer)}
    if scorer.contextual:
        step["context"] = [topic, plain(list(sources)), [i.digest if i else None for i in items]]

    def rate(batch: Sequence[Item]) -> list[float | None]:
        values = [item.value for item in batch]
        if scorer.contextual:
            every = [item.value for item in items if item is not None]
            made = np.asarray(scorer.score_in_context(values, Context(topic, list(sources), every)))
        else:
            made = np.asarray(scorer.score(values))
        if made.shape != (len(batch),) or made.dtype.kind != "f":
            raise PluginError(f"scorer {scorer.name!r} gave {made.dtype} {made.shape}, expected float64 ({len(batch)},)")
        return [float(v) if np.isfinite(v) else None for v in made]

    def sound(answer: Any) -> bool:
        return answer is None or isinstance(answer, int | float) and not isinstance(answer, bool)

    found, reused = _noted(store, step, "score.json", items, rate, sound)
    return np.array([np.nan if v is None else v for v in found], np.float64), reused


def check_all(store: Store, gate: Gate, items: Sequence[Item | None]) -> tuple[list[str | None], int]:
    """Per item None or the reason why it must not win (None for missing items), and how many answers were found."""

    def check(batch: Sequence[Item]) -> list[str | None]:
        return list(gate.check([item.value for item in batch]))

    return _noted(store, {"step": "gate", "part": fingerprint(gate)}, "gate.json", items, check)


def name_class(store: Store, classifier: Classifier, item: Item) -> tuple[dict[str, Any], int]:
    """Probabilities, names, confidence and novelty of an item as plain data, and whether they were found."""

    def name(batch: Sequence[Item]) -> list[dict[str, Any]]:
        values = [one.value for one in batch]
        rows, names = classifier.classify(values)
        confidence, novel = classifier.confidence(values), classifier.novel(values)
        return [
            {
                "probabilities": [float(p) for p in rows[k]], "names": list(names),
                "confidence": None if confidence is None else float(confidence[k]),
                "novel": None if novel is None else bool(novel[k]),
            }
            for k in range(len(values))
        ]  # fmt: skip

    found, reused = _noted(store, {"step": "classify", "part": fingerprint(classifier)}, "class.json", [item], name)
    return found[0], reused


def _noted(
    store: Store, step: dict[str, Any], file: str, items: Sequence[Item | None], make: Callable[[list[Item]], list[Any]],
    sound: Callable[[Any], bool] = lambda answer: True,
) -> tuple[list[Any], int]:  # fmt: skip
    """A plain answer for each item (None where it is missing), found or made in one call for all that nobody else makes."""
    keys = [digest({**step, "item": i.digest}) if i else "" for i in items]
    out: list[Any] = [None] * len(items)
    todo = [i for i, item in enumerate(items) if item is not None]
    made_here, wanted = 0, len(todo)

    def look(some: Sequence[int]) -> list[int]:
        """Read what is there; what is left."""
        left = []
        for i in some:
            entry = store.find(keys[i])
            if entry is None:
                left.append(i)
                continue
            try:
                out[i] = parse_json(entry.path(file).read_bytes())
                if not sound(out[i]):
                    raise ValueError(file)
            except (OSError, ValueError):  # gone since, or torn: answered again
                store.forget(keys[i])
                left.append(i)
        return left

    todo = look(todo)
    while todo:
        with ExitStack() as held:
            mine = _claim(store, held, keys, todo, len(todo))
            new = look(mine)
            for i, answer in zip(new, make([items[i] for i in new]) if new else [], strict=True):  # type: ignore[misc]
                out[i] = answer
                with store.writing(keys[i]) as folder:
                    (folder / file).write_text(json.dumps(answer), "utf-8")
            made_here += len(new)
        todo = [i for i in todo if i not in mine]
        if not mine:
            with store.claimed(keys[todo[0]]):
                pass  # its holder has made it, or has died
            todo = look(todo)
    return out, wanted - made_here


def attempt(generator: Generator, sources: Sequence[Any], seeds: Sequence[int]) -> list[Any]:
    """One call for the batch; out of memory, or one candidate's failure, halves it until the guilty ones stand alone."""
    try:
        made = generator.generate(sources, seeds)
    except CandidateError as error:
        if len(seeds) == 1:
            return [error]
    except Exception as error:
        if not _out_of_memory(error):
            raise
        if len(seeds) == 1:
            return [CandidateError(f"does not fit into memory ({type(error).__name__})")]
    else:
        if len(made) != len(seeds):
            raise PluginError(f"{generator.name} made {len(made)} artefacts for {len(seeds)} seeds")
        return list(made)
    half = len(seeds) // 2
    return attempt(generator, sources[:half], seeds[:half]) + attempt(generator, sources[half:], seeds[half:])


def _out_of_memory(error: BaseException) -> bool:
    return isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"
