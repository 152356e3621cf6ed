"""Before a sweep makes anything: each job composed and checked, the same job made once, and what there will be to do.

The distinct steps are found by walking each job's pipeline with nothing made: artefacts stand in by the keys that they will
have. What depends on a choice that only scores can tell is counted as if every choice differed, so that the count is the most
there can be.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from .. import __version__, registry
from ..errors import MissingExtra, StoreError
from ..interfaces import Component
from ..provenance import fingerprint, source_hash
from ..runs import preflight
from ..runs.artefacts import Item, Traced, plain
from ..runs.needs import Need, show
from ..runs.run import Run
from ..runs.slots import check_fit
from ..store import Entry, Store, digest
from ..types import GENRES, Audio, Image
from .sweep import Job, name_job


@dataclass
class Plan:
    """What a sweep will do: `steps` and `distinct` count by kind of step; `ready` of the distinct ones are in the store."""

    jobs: list[Job] = field(default_factory=list)
    configs: list[dict[str, Any]] = field(default_factory=list)
    duplicates: int = 0
    steps: dict[str, int] = field(default_factory=dict)
    distinct: dict[str, int] = field(default_factory=dict)
    ready: int = 0
    unknown: int = 0
    """Jobs whose later steps could not be told."""

    def describe(self) -> str:
        """A line or two for people: jobs, distinct steps, expected reuse."""
        total, once = sum(self.steps.values()), sum(self.distinct.values())
        lines = [
            f"{len(self.jobs)} jobs"
            + (f" ({self.duplicates} more are the same as one of them)" if self.duplicates else "")
        ]
        if total:
            kinds = ", ".join(f"{n} {kind}" for kind, n in self.distinct.items())
            lines.append(f"{total} steps, at most {once} distinct ({kinds}): {1 - once / total:.0%} or more are shared")
            if self.ready:
                lines.append(f"{self.ready} of them are in the store")
        if self.unknown:
            lines.append(f"of {self.unknown} jobs the later steps cannot be told before they run")
        return "; ".join(lines)


def make_plan(points: Sequence[tuple[tuple[str, ...], Mapping[str, Any], dict[str, Any]]]) -> Plan:
    """Check every point of a sweep and count its steps.

    Args:
        points: of each its overrides, what varies in it, and its config.

    Raises:
        SpectrograndError: a job cannot run (a misspelt setting, a missing extra); its overrides are named.
    """
    plan, seen = Plan(), set()
    keys: dict[str, set[str]] = {}
    needs: dict[tuple[str, str, str], Need] = {}
    found: set[str] = set()
    for overrides, varying, config in points:
        settings, parts, filled = _build(config)
        for need in preflight.needs(parts):
            needs.setdefault((need.kind, need.name, need.source), need)
        pipeline = registry.get_pipeline(str(config.get("pipeline") or "audiovisual"))
        kept = {k: v for k, v in config.items() if k not in ("output", "store")}
        key = digest({
            "config": plain(kept), "parts": {k: fingerprint(p) for k, p in parts.items()}, "version": __version__,
            "pipeline": source_hash(pipeline.run),
        })  # fmt: skip
        if key in seen:
            plan.duplicates += 1
            continue
        seen.add(key)
        number = len(plan.jobs)
        plan.jobs.append(Job(number, tuple(overrides), name_job(number, varying), key))
        plan.configs.append(config)
        walked = Walk(filled, parts, pipeline.SLOTS)
        try:
            pipeline.run(walked, settings)
        except Exception:  # a pipeline that reads what nobody has made yet: told as unknown
            plan.unknown += 1
        for kind, some in walked.keys.items():
            plan.steps[kind] = plan.steps.get(kind, 0) + len(some)
            keys.setdefault(kind, set()).update(some)
        found |= walked.found
    missing = [n for n in needs.values() if n.here is None]
    if needs:
        show(list(needs.values()))
    if missing:
        raise MissingExtra(preflight.refusal(missing))
    plan.distinct = {kind: len(some) for kind, some in keys.items()}
    plan.ready = len(found)
    return plan


def _build(config: dict[str, Any]) -> tuple[Any, dict[str, Component], dict[str, Any]]:
    pipeline = registry.get_pipeline(str(config.get("pipeline") or "audiovisual"))
    settings = pipeline.Settings.read(config)
    filled = settings.fill(config)
    slots = {k: v for k, v in pipeline.SLOTS.items() if k not in settings.idle()}
    check_fit(filled, slots)
    return settings, preflight.build(filled, slots), filled


class _Standing(Traced[Any]):
    """An artefact that nobody has made: its key, and something of its type for those that look."""

    def __init__(self, key: str, artefact: type) -> None:
        super().__init__(key, lambda: _stand_in(artefact))
        self.seed, self.brief, self.file = 0, None, Path("nothing")
        self.parts: list[str] = []


def _stand_in(artefact: type) -> Any:
    if artefact is Audio:
        return Audio(np.zeros((1, 8000), np.float32), 8000)
    return Image(np.zeros((16, 16, 3), np.uint8)) if artefact is Image else ""


class _Looking(Store):
    """A store that is only looked at."""

    @contextmanager
    def writing(self, key: str) -> Iterator[Path]:
        """Nothing is made while a sweep is planned."""
        raise StoreError("a plan makes nothing")
        yield Path()

    @contextmanager
    def claimed(self, key: str, wait: bool = True) -> Iterator[bool]:
        """Nothing is claimed either."""
        yield True


class Walk(Run):
    """A run in which nothing is made: `keys` are those of its steps by kind, `found` those of them that the store has.

    Args:
        config: plain data, as composed.
        parts: the plug-ins, built.
        slots: the pipeline's.
    """

    def __init__(self, config: Mapping[str, Any], parts: Mapping[str, Component], slots: Any) -> None:
        self.config, self.name, self.seed = dict(config), "", int(config.get("seed", 0))
        output = Path(config.get("output") or "outputs").expanduser()
        self.store = _Looking(Path(config.get("store") or output / ".store").expanduser())
        self.folder, self.begun = output, 0.0
        self._slots, self._built, self._used = dict(slots), dict(parts), {}
        self._record: dict[str, Any] = {
            "parts": {},
            "warnings": [],
            "videos": {},
            "files": {},
            "steps": [],
            "choices": {},
        }
        self.keys: dict[str, list[str]] = {}
        self.found: set[str] = set()
        self._told: list[str] = []
        """Answers that only a run can give, by their keys; what comes later may depend on them."""

    def write(self) -> None:
        """Nothing is written."""

    def best(self, slot: str, sources: Sequence[Any]) -> Item:
        """The key of the chosen one: it depends on all candidates, scorers, gates and the rule."""
        generator = self.part(slot)
        made = self._candidates(slot, sources[:1] if generator.given else sources)
        rating = {k: fingerprint(self._built[k]) for k in self._built if k.startswith(f"{slot}_scorers.")}
        for name, part in rating.items():
            for key in made:
                self._note(f"{slot} scores", digest({"step": "score", "part": part, "item": key, "name": name}))
        gates = {k: fingerprint(p) for k, p in self._built.items() if k.startswith("gates.")}
        rule = self.config.get("selection")
        weights = self.config.get(f"{slot}_scorers")
        key = digest({"chosen": made, "rating": rating, "gates": gates, "rule": rule, "weights": plain(weights)})
        return _Standing(key, generator.artefact)  # type: ignore[return-value]

    def every(self, slot: str, sources: Sequence[Any]) -> list[Item]:
        """Their keys."""
        artefact = self.part(slot).artefact
        return [_Standing(key, artefact) for key in self._candidates(slot, sources)]  # type: ignore[misc]

    def classify(self, slot: str, item: Item, *, nearest: bool = True) -> str | None:
        """Some class: what comes later counts as depending on which one it is."""
        key = digest({"step": "classify", "part": fingerprint(self.part(slot)), "item": item.digest})
        self._note(slot, key)
        self._told.append(key)
        return GENRES[0]

    def stored(self, value: Traced[Any], name: str, save: Any, load: Any) -> tuple[Traced[Any], Entry]:
        """The key under which it will be kept."""
        key = digest({"step": "stored", "value": value.digest, "name": name, "save": source_hash(save)})
        self._note(Path(name).stem, key)
        return Traced(key, lambda: value.value), Entry(Path("nothing"), {name: key})

    def video(self, name: str, frames: Traced[Any], song: Traced[Audio]) -> Traced[Any]:
        """The key of a video, but for the libraries' versions."""
        key = digest(
            {"step": "video", "frames": frames.digest, "song": song.digest, "media": plain(self.config.get("media"))}
        )
        self._note("videos", key)
        return Traced(key, lambda: frames.value)

    def _candidates(self, slot: str, sources: Sequence[Any]) -> list[str]:
        part = fingerprint(self.part(slot))
        keys = []
        for i, source in enumerate(sources):
            told: dict[str, Any] = {"told": list(self._told)} if self._told else {}
            key = digest({
                "step": "generate", "part": part, "source": plain(source), "seed": self.seed * 1000 + i,
                "version": __version__, **told,
            })  # fmt: skip
            keys.append(key)
            self._note(f"{slot}s", key)
            if not told and self.store.find(key) is not None:
                self.found.add(key)
        return keys

    def _note(self, kind: str, key: str) -> None:
        self.keys.setdefault(kind, []).append(key)
