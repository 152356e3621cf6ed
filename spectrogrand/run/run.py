"""A run: the steps of a pipeline, each found in the store or made, all written down in run.json as they happen."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from .. import __version__, media, registry
from ..errors import ConfigError, NoCandidateLeft
from ..interfaces import Classifier, Component, CreativityScorer, Gate, Generator
from ..progress import bar
from ..provenance import code_hash, fingerprint
from ..selection import Choice, choose, failed_choice
from ..store import Store, digest, place, write_json
from ..types import Frames
from . import fitting
from .artefacts import Item
from .candidates import make_all, rate_all
from .folders import fresh, slug


class Run:
    """One run of a pipeline: a fresh directory under `output`, the shared store, and the record that becomes run.json.

    Args:
        config: plain data, as composed; slots are read from it by `part`.
        name: what the run directory is called, slugged, with date and time; a number is added where it is taken.
    """

    def __init__(self, config: Mapping[str, Any], name: str) -> None:
        self.config = dict(config)
        self.seed = int(config.get("seed", 0))
        output = Path(config.get("output") or "outputs").expanduser()
        self.store = Store(Path(config.get("store") or output / ".store").expanduser())
        self.begun = time.monotonic()
        self.folder = fresh(output, f"{slug(name)}-{datetime.now().strftime('%Y%m%d-%H%M%S')}")
        self._parts: list[Component] = []
        self.record: dict[str, Any] = {
            "schema": 1, "state": "running", "name": self.folder.name, "topic": name,
            "started": datetime.now(UTC).isoformat(timespec="seconds"), "seconds": 0.0, "version": __version__,
            "platform": {"python": platform.python_version(), "system": platform.platform()},
            "seed": self.seed, "config": self.config, "steps": [], "choices": {}, "genre": None,
            "parts": {}, "files": {}, "videos": {}, "warnings": [], "error": None,
        }  # fmt: skip
        self.write()

    # -- parts ---------------------------------------------------------------------------------------------------------

    def part(self, slot: str, config: Mapping[str, Any] | None = None, kind: str | None = None) -> Any:
        """Build the plug-in that fills a slot and note its card, licence and weights in the record."""
        settings = self.config.get(slot) if config is None else config
        if not settings:
            raise ConfigError(f"nothing fills the slot {slot!r}: choose one with {slot}=NAME")
        made: Component = registry.build(kind or registry.SLOTS[slot], settings)
        card = made.card
        self.record["parts"][slot] = {
            "name": made.name, "kind": made.kind, "summary": card.summary, "paper": card.paper, "licence": card.licence,
            "terms": card.terms, "identity": dict(made.identity()),
            "weights": [vars(w) for w in card.weights],
        }  # fmt: skip
        self._parts.append(made)
        return made

    def generator(self, slot: str, artefact: type) -> Generator:
        """The generator of a slot, checked to make what the slot needs."""
        made = self.part(slot)
        fitting.makes(slot, made.name, artefact)
        return made

    # -- steps ---------------------------------------------------------------------------------------------------------

    def best(self, slot: str, artefact: type, sources: Sequence[Any]) -> Item:
        """Make one candidate per source, gate them, rate them, choose one, and write down why."""
        generator = self.generator(slot, artefact)
        entries = {k: v for k, v in (self.config.get(f"{slot}_scorers") or {}).items() if v is not None}
        weights = {k: fitting.weight(slot, k, v) for k, v in entries.items()}
        scorers = self._scorers(slot, artefact, entries)
        gates: list[Gate] = [
            self.part(f"gate {k}", v, "gates")
            for k, v in (self.config.get("gates") or {}).items()
            if v is not None and registry.get("gates", v["name"]).artefact is artefact  # type: ignore[attr-defined]
        ]
        if generator.given:
            sources = sources[:1]
        begun = time.monotonic()
        seeds = [self.seed * 1000 + i for i in range(len(sources))]
        items, failed, reused = make_all(self.store, generator, sources, seeds)
        self._step(slot, generator, reused, len(items) - reused, begun)

        begun = time.monotonic()
        live = [i for i, item in enumerate(items) if item is not None]
        for gate in gates:
            reasons = gate.check([items[i].value for i in live])  # type: ignore[union-attr]
            for i, reason in zip(live, reasons, strict=True):
                if reason and generator.given and not gate.fatal:
                    self.record["warnings"].append(f"your {slot} {reason}")
                elif reason:
                    failed[i] = failed[i] or reason
        scores, references = {}, {}
        for name, scorer in scorers.items():
            scores[name] = rate_all(self.store, scorer, items)
            references[name] = scorer.reference_scores()
        rule = self.config.get("selection") or "quantile"
        try:
            if generator.given and failed[0] is None:
                choice = _given(scores)
            else:
                noise = {k: s.noise for k, s in scorers.items()}
                choice = choose(scores, weights=weights, references=references, failed=failed, rule=rule, noise=noise)
        except NoCandidateLeft as error:
            self._record_choice(slot, items, scorers, weights, scores, failed_choice(failed, scores, rule, str(error)))
            raise NoCandidateLeft(f"no {slot} can be used: {error}") from error
        self._step(f"{slot} scores", None, 0, len(items), begun)
        self._record_choice(slot, items, scorers, weights, scores, choice)
        chosen = items[choice.index]
        assert chosen is not None
        return chosen

    def every(self, slot: str, artefact: type, sources: Sequence[Any]) -> list[Item]:
        """Make one artefact per source and keep them all, in order: captions, keyframes; nothing is chosen.

        Raises:
            NoCandidateLeft: one of them failed; the message says which and why.
        """
        generator = self.generator(slot, artefact)
        begun = time.monotonic()
        seeds = [self.seed * 1000 + i for i in range(len(sources))]
        items, failed, reused = make_all(self.store, generator, sources, seeds)
        for i, reason in enumerate(failed):
            if reason is not None:
                raise NoCandidateLeft(f"{slot} {i + 1} of {len(items)} failed: {reason}")
        made = [item for item in items if item is not None]
        for i, item in enumerate(made):
            self.keep_item(item, f"{slot}/{i}")
        self._step(slot, generator, reused, len(made) - reused, begun)
        return made

    def classify(self, slot: str, item: Item) -> str:
        """The most probable class of an artefact, with all probabilities in the record."""
        classifier: Classifier = self.part(slot)
        begun = time.monotonic()
        rows, names = classifier.classify([item.value])
        best = names[int(np.argmax(rows[0]))]
        self.record[slot] = {
            "plugin": classifier.name, "chosen": best,
            "probabilities": {n: round(float(p), 6) for n, p in zip(names, rows[0], strict=True)},
        }  # fmt: skip
        confidence, novel = classifier.confidence([item.value]), classifier.novel([item.value])
        if confidence is not None:
            self.record[slot]["confidence"] = round(float(confidence[0]), 6)
        if novel is not None:
            self.record[slot]["none_of_these"] = bool(novel[0])
            if novel[0]:
                self.record["warnings"].append(
                    f"no {slot} that {classifier.name} knows fits: {best} is only the nearest"
                )
        self._step(slot, classifier, 0, 1, begun)
        return best

    def video(
        self, name: str, parts: Sequence[Component], inputs: Mapping[str, Any], song: Item, make: Callable[[], Frames]
    ) -> Path:
        """Encode `make()` with the song's sound as `<name>.mp4`, or take it from the store.

        Args:
            parts: the plug-ins that draw it. inputs: plain data that the pictures depend on besides (digests, settings).
        """
        begun = time.monotonic()
        settings = dict(self.config.get("media") or {})
        key = digest({
            "step": "video", "parts": [fingerprint(p) for p in parts], "inputs": dict(inputs), "song": song.digest,
            "media": settings, "encoder": code_hash("spectrogrand.media.encode"), "libraries": media.versions(),
            "version": __version__,
        })  # fmt: skip
        entry = self.store.find(key)
        reused = entry is not None
        if entry is None:
            with self.store.writing(key) as folder, bar(f"{name}.mp4") as tick:
                media.save_video(folder / "video.mp4", make(), song.value, progress=tick, **settings)
            entry = self.store.find(key)
            assert entry is not None
        path = self.keep(entry.path("video.mp4"), f"{name}.mp4", entry.files["video.mp4"])
        self.record["videos"][name] = path.name
        self._step(f"{name} video", parts[-1] if parts else None, int(reused), int(not reused), begun)
        return path

    # -- record --------------------------------------------------------------------------------------------------------

    def keep(self, source: Path, name: str, sha256: str) -> Path:
        """Put a stored file into the run directory and list it with its hash."""
        target = self.folder / name
        place(source, target)
        self.record["files"][name] = {"sha256": sha256, "bytes": target.stat().st_size}
        return target

    def keep_item(self, item: Item, stem: str) -> str:
        """Put an artefact's file into the run directory as `stem` plus its own suffix."""
        name = stem + item.file.suffix
        self.keep(item.file, name, item.entry.files[item.file.name])
        return name

    def finish(self, state: str = "finished", error: str | None = None) -> Path:
        """Close the parts, write the last record and the report; returns the report's path (or the run directory)."""
        from ..report.page import write_report

        for part in self._parts:
            part.close()
        self.record.update(state=state, error=error)
        self.write()
        return write_report(self.folder)

    def write(self) -> None:
        """Write run.json as it stands."""
        self.record["seconds"] = round(time.monotonic() - self.begun, 3)
        write_json(self.folder / "run.json", self.record)

    def _scorers(self, slot: str, artefact: type, entries: Mapping[str, Any]) -> dict[str, CreativityScorer]:
        made: dict[str, CreativityScorer] = {}
        for name, entry in entries.items():
            scorer = self.part(f"{slot} scorer {name}", entry.get("scorer"), "scorers")
            fitting.rates(slot, name, scorer.name, artefact)
            made[name] = scorer
        return made

    def _record_choice(
        self, slot: str, items: Sequence[Item | None], scorers: Mapping[str, CreativityScorer],
        weights: Mapping[str, float], scores: Mapping[str, np.ndarray], choice: Choice,
    ) -> None:  # fmt: skip
        rows = []
        for i, item in enumerate(items):
            plan = getattr(item.value, "plan", None) if item else None
            rows.append({
                "index": i, "failed": choice.failed[i], "seed": item.seed if item else None,
                "brief": item.brief if item else None, "plan": plan.as_dict() if plan else None,
                "file": self.keep_item(item, f"{slot}s/{i}") if item else None, "sha256": item.digest if item else None,
                "scores": {k: _number(v[i]) for k, v in scores.items()},
                "used": {k: _number(v[i]) for k, v in choice.used.items()}, "total": _number(choice.totals[i]),
            })  # fmt: skip
        self.record["choices"][slot] = {
            "rule": choice.rule, "why": choice.why, "notes": list(choice.notes), "margin": _number(choice.margin),
            "noise": choice.noise, "chosen": choice.index if choice.index >= 0 else None, "candidates": rows,
            "scorers": {
                k: {
                    "plugin": s.name, "aspect": s.aspect, "weight": weights.get(k, 1.0),
                    "reference": vars(r) if (r := s.reference()) else None,
                }
                for k, s in scorers.items()
            },
        }  # fmt: skip
        chosen = items[choice.index] if choice.index >= 0 else None
        if chosen is not None:
            self.keep_item(chosen, slot)
        self.write()

    def _step(self, slot: str, part: Component | None, reused: int, made: int, begun: float) -> None:
        seconds = round(time.monotonic() - begun, 3)
        self.record["steps"].append({
            "slot": slot, "name": part.name if part else "", "reused": reused, "made": made, "seconds": seconds,
        })  # fmt: skip
        self.write()


def _given(scores: Mapping[str, np.ndarray]) -> Choice:
    used = {k: np.asarray(v, np.float64) for k, v in scores.items()}
    return Choice(0, np.array([np.nan]), used, (None,), "given", "it is your own")


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
