"""Candidates and their scores, one store entry each: what a kill left finished is found again, the rest is made."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import __version__
from ..checks import check_number
from ..errors import CandidateError, ConfigError, PluginError
from ..files import parse_json
from ..interfaces import CreativityScorer, Generator
from ..progress import bar
from ..provenance import fingerprint
from ..store import Entry, Store, digest
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
    reused = sum(e is not None for e in entries)
    missing = [i for i, e in enumerate(entries) if e is None]
    failed: list[str | None] = [None] * len(keys)
    with bar(f"{generator.name}") as tick:
        for start in range(0, len(missing), max(1, generator.batch_size)):
            some = missing[start : start + max(1, generator.batch_size)]
            for i, made in zip(
                some, attempt(generator, [sources[i] for i in some], [seeds[i] for i in some]), strict=True
            ):
                try:
                    if isinstance(made, CandidateError):
                        raise made
                    if not isinstance(made, generator.artefact):
                        raise PluginError(
                            f"{generator.name} made {type(made).__name__}, declared {generator.artefact.__name__}"
                        )
                    entries[i], _ = store.get_or_make(keys[i], lambda folder, made=made: artefacts.save(made, folder))  # type: ignore[misc]
                except CandidateError as error:
                    failed[i] = str(error)
            tick(start + len(some), len(missing))

    def again(i: int) -> Entry:
        store.forget(keys[i])
        return store.get_or_make(
            keys[i], lambda folder: artefacts.save(generator.generate([sources[i]], [seeds[i]])[0], folder)
        )[0]

    items = [
        Item(e, seeds[i], plain(sources[i]), lambda i=i: again(i)) if e else None for i, e in enumerate(entries)  # type: ignore[misc]
    ]
    return items, failed, reused


def rate_all(store: Store, scorer: CreativityScorer, items: Sequence[Item | None]) -> tuple[np.ndarray, int]:
    """Scores, float64, shape=(item,), NaN for missing items, and how many were found; each is kept on its own."""
    part = fingerprint(scorer)
    keys = [digest({"step": "score", "part": part, "item": i.digest}) if i else "" for i in items]
    entries = [store.find(k) if k else None for k in keys]
    out = np.full(len(items), np.nan)
    for i, entry in enumerate(entries):
        if entry:
            try:
                value = parse_json(entry.path("score.json").read_bytes())
                out[i] = np.nan if value is None else check_number("a score", value, -math.inf, math.inf)
            except (OSError, ValueError, ConfigError):  # gone since, or no score: rated again
                store.forget(keys[i])
                entries[i] = None
    missing = [i for i, item in enumerate(items) if item is not None and entries[i] is None]
    if missing:
        made = np.asarray(scorer.score([items[i].value for i in missing]))  # type: ignore[union-attr]
        if made.shape != (len(missing),) or made.dtype != np.float64:
            raise PluginError(
                f"scorer {scorer.name!r} gave {made.dtype} {made.shape}, expected float64 ({len(missing)},)"
            )
        for i, value in zip(missing, made, strict=True):
            out[i] = value
            with store.writing(keys[i]) as folder:
                (folder / "score.json").write_text(json.dumps(float(value) if np.isfinite(value) else None), "utf-8")
    return out, sum(e is not None for e in entries)


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
