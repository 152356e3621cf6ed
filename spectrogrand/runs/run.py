"""A run: the steps of a pipeline, each found in the store or made, all written down in run.json as they happen."""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from .. import __version__, media, registry
from ..errors import ConfigError, NoCandidateLeft
from ..interfaces import Classifier, Component, CreativityScorer, Gate, Generator
from ..models import devices
from ..progress import bar
from ..provenance import fingerprint, source_hash
from ..selection import Choice, choose, failed_choice
from ..store import Entry, Store, digest, place, write_json
from ..types import Audio, Frames, Image
from .artefacts import Item, Traced, plain, read
from .by_hand import choose_by_hand, given, take_from
from .candidates import check_all, make_all, name_class, rate_all
from .choices import describe_choice
from .folders import fresh, slug
from .sharing import cleaned
from .slots import Slot, named, read_weight

T = TypeVar("T")


class Run:
    """One run of a pipeline: a fresh directory under `output`, the shared store, and the record that becomes run.json.

    Args:
        config: plain data, as composed.
        name: what the run directory is called, slugged, with date and time; a number is added where it is taken.
        slots: the pipeline's slots.
        parts: the plug-ins that the config names, by place, built already ("song", "song_scorers.novelty", "gates.noise").
        folder: what the run directory is called in place of that; a number is added where it is taken.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        name: str,
        slots: Mapping[str, Slot] | None = None,
        parts: Mapping[str, Component] | None = None,
        folder: str | None = None,
    ) -> None:
        self.config = dict(config)
        self.name = name
        self.seed = int(config.get("seed", 0))
        output = Path(config.get("output") or "outputs").expanduser()
        self.store = Store(Path(config.get("store") or output / ".store").expanduser())
        self.begun = time.monotonic()
        dated = f"{slug(name)}-{datetime.now().strftime('%Y%m%d-%H%M%S')}"
        self.folder = fresh(output, folder or dated, config.get("job"))
        self._slots, self._built = dict(slots or {}), dict(parts or {})
        self._used: dict[str, Component] = {}
        self._record: dict[str, Any] = {
            "schema": 1, "state": "running", "name": self.folder.name, "topic": name,
            "started": datetime.now(UTC).isoformat(timespec="seconds"), "seconds": 0.0, "version": __version__,
            "platform": {"python": platform.python_version(), "system": platform.platform()},
            "seed": self.seed, "config": self.config, "steps": [], "choices": {}, "genre": None,
            "parts": {}, "files": {}, "videos": {}, "warnings": [], "error": None,
        }  # fmt: skip
        self.write()

    # -- plug-ins ------------------------------------------------------------------------------------------------------

    def part(self, where: str) -> Any:
        """The plug-in that fills a place, noted in the record with its card, licence and weights; built once in a run."""
        if where in self._used:
            return self._used[where]
        made = self._built.get(where) or self._build(where)
        self._used[where] = made
        card = made.card
        self._record["parts"][named(where)] = {
            "name": made.name, "kind": made.kind, "summary": card.summary, "paper": card.paper, "licence": card.licence,
            "terms": card.terms, "identity": dict(made.identity()), "weights": [w.record() for w in card.weights],
        }  # fmt: skip
        return made

    def _build(self, where: str) -> Component:
        """What preflight left out, because nobody had set an option that it needs: the error says which."""
        if where not in self._slots or not self.config.get(where):
            raise ConfigError(f"nothing fills the slot {where!r}: choose one with {where}=NAME")
        made: Component = registry.build(self._slots[where].kind.kind, self.config[where])
        return made

    # -- steps with candidates -----------------------------------------------------------------------------------------

    def best(self, slot: str, sources: Sequence[Any]) -> Item:
        """Make one candidate per source, gate them, rate them, choose one, and write down why.

        Raises:
            NoCandidateLeft: every candidate failed.
        """
        if (self.config.get("kept") or {}).get(slot):
            return self._keep_from(slot, Path(self.config["kept"][slot]))
        generator: Generator = self.part(slot)
        entries = {k: v for k, v in (self.config.get(f"{slot}_scorers") or {}).items() if v is not None}
        weights = {k: read_weight(slot, k, v) for k, v in entries.items()}
        scorers: dict[str, CreativityScorer] = {k: self.part(f"{slot}_scorers.{k}") for k in entries}
        gates = self._gates(generator.artefact)
        if generator.given:
            sources = sources[:1]
        self._free_all_but(generator)
        items, failed = self._make(slot, generator, sources)

        self._free_all_but(*gates)
        begun, reused, asked = time.monotonic(), 0, 0
        live = [i for i, item in enumerate(items) if item is not None]
        for gate in gates:
            reasons, found = check_all(self.store, gate, items)
            reused, asked = reused + found, asked + len(live)
            for i, reason in enumerate(reasons):
                if reason and generator.given and not gate.fatal:
                    self.warn(f"your {slot} {reason}")
                elif reason:
                    failed[i] = failed[i] or reason
        if gates:
            self.note_step(f"{slot} gates", None, reused, asked - reused, begun)
        begun = time.monotonic()
        scores, references, reused = {}, {}, 0
        for name, scorer in scorers.items():
            scores[name], found = rate_all(self.store, scorer, items, self.name, sources)
            references[name] = scorer.reference_scores()
            scorer.close()
            reused += found
        rule = self.config.get("selection") or "ranks"
        try:
            if generator.given and failed[0] is None:
                choice = given(scores, "it is your own")
            else:
                noise = {k: s.noise for k, s in scorers.items()}
                choice = choose(scores, weights=weights, references=references, failed=failed, rule=rule, noise=noise)
        except NoCandidateLeft as error:
            self._note_choice(slot, items, scorers, weights, scores, failed_choice(failed, scores, rule, str(error)))
            raise NoCandidateLeft(f"no {slot} can be used: {error}") from error
        by_hand = (self.config.get("chosen") or {}).get(slot)
        if by_hand is not None and not generator.given:
            choice = choose_by_hand(choice, slot, by_hand, failed)
        self.note_step(f"{slot} scores", None, reused, len(live) * len(scorers) - reused, begun)
        self._note_choice(slot, items, scorers, weights, scores, choice)
        chosen = items[choice.index]
        assert chosen is not None
        return chosen

    def _keep_from(self, slot: str, folder: Path) -> Item:
        """The song or cover of another run, as it stands in that run's folder."""
        begun = time.monotonic()
        item, part = take_from(self.store, slot, folder)
        self._record["parts"] |= {slot: part} if part else {}
        self.note_step(slot, None, 1, 0, begun)
        self._note_choice(slot, [item], {}, {}, {}, given({}, f"it is kept from the run {folder.name}"))
        return item

    def every(self, slot: str, sources: Sequence[Any]) -> list[Item]:
        """Make one artefact per source and keep them all, in order: captions, keyframes; nothing is chosen.

        Raises:
            NoCandidateLeft: one of them failed; the message says which and why.
        """
        self._free_all_but(self.part(slot))
        items, failed = self._make(slot, self.part(slot), sources)
        for i, reason in enumerate(failed):
            if reason is not None:
                raise NoCandidateLeft(f"{slot} {i + 1} of {len(items)} failed: {reason}")
        made = [item for item in items if item is not None]
        for i, item in enumerate(made):
            self.keep_item(item, f"{slot}/{i}")
        self.write()
        return made

    def classify(self, slot: str, item: Item, *, nearest: bool = True) -> str | None:
        """The most probable class of an artefact, with all probabilities in the record.

        Args:
            slot: of the classifier.
            item: what it names.
            nearest: whether the nearest class stands in where the classifier says that none fits; with a warning then.

        Returns:
            The class, or None where none fits and `nearest` is false; nothing is recorded then.
        """
        classifier, begun = self._alone(self.part(slot)), time.monotonic()
        told, reused = name_class(self.store, classifier, item)
        rows, names = told["probabilities"], told["names"]
        best = names[int(np.argmax(rows))]
        confidence, novel = told["confidence"], told["novel"]
        fits = not novel
        self.note_step(slot, classifier, reused, 1 - reused, begun)
        if not fits and not nearest:
            return None
        found: dict[str, Any] = {
            "plugin": classifier.name, "chosen": best,
            "probabilities": {n: round(float(p), 6) for n, p in zip(names, rows, strict=True)},
        }  # fmt: skip
        if confidence is not None:
            found["confidence"] = round(confidence, 6)
        if novel is not None:
            found["none_of_these"] = not fits
            if not fits:
                self.warn(f"no {slot} that {classifier.name} knows fits: {best} is only the nearest")
        self.note(**{slot: found})
        return best

    def none_fits(self, slot: str) -> bool:
        """Whether the slot's classifier said of what it named last that none of its classes fits."""
        return bool((self._record.get(slot) or {}).get("none_of_these"))

    # -- values that carry their key -----------------------------------------------------------------------------------

    def trace(self, function: Callable[..., T], *inputs: Any, **settings: Any) -> Traced[T]:
        """`function(*inputs, **settings)`, called when it is read; its digest holds the function's source and the inputs'.

        Args:
            function: a function or class whose result depends on its arguments alone.
            inputs: traced values, artefacts, pictures, plain data; lists of them.
            settings: the same, by name.
        """
        key = digest({
            "step": "trace", "function": getattr(function, "__qualname__", repr(function)), "source": source_hash(function),
            "inputs": plain(list(inputs)), "settings": plain(settings),
        })  # fmt: skip
        return Traced(key, lambda: function(*read(list(inputs)), **read(settings)))

    def generate(self, slot: str, source: Traced[Any], seed: int | None = None, **options: Any) -> Traced[Any]:
        """What the slot's generator, with other `options`, makes of one source; made when it is read, and not stored."""
        generator = registry.build("generators", {**self.config[slot], **options}) if options else self.part(slot)
        seed = self.seed if seed is None else seed
        key = digest({
            "step": "generate", "part": fingerprint(generator), "source": source.digest, "seed": seed,
            "version": __version__,
        })  # fmt: skip
        return Traced(key, lambda: self._alone(generator).generate([source.value], [seed])[0])

    def stylize(self, content: Traced[Image] | Traced[Frames], style: Traced[Image] | Traced[Frames]) -> Traced[Frames]:
        """The content drawn in the style by the plug-in of the slot "stylizer"; drawn when it is read, and not stored."""
        stylizer = self.part("stylizer")
        key = digest({
            "step": "stylize", "part": fingerprint(stylizer), "content": content.digest, "style": style.digest,
            "version": __version__,
        })  # fmt: skip
        return Traced(key, lambda: self._alone(stylizer).stylize(content.value, style.value))

    def embed(self, slot: str, batch: Traced[Sequence[Any]]) -> Traced[np.ndarray]:
        """What the embedder of a slot makes of a batch, float32, shape=(item, axis)."""
        embedder = self.part(slot)
        key = digest({"step": "embed", "part": fingerprint(embedder), "batch": batch.digest, "version": __version__})
        return Traced(key, lambda: embedder.embed(batch.value))

    def stored(
        self, value: Traced[T], name: str, save: Callable[[T, Path], object], load: Callable[[Path], T]
    ) -> tuple[Traced[T], Entry]:
        """A traced value kept in the store as one file: made at most once, then read back.

        Args:
            value: what to keep.
            name: the file's.
            save: writes a value into a file.
            load: reads it.

        Returns:
            The value as read back, which the file's bytes stand for, and its entry.
        """
        begun = time.monotonic()
        key = digest({"step": "stored", "value": value.digest, "name": name, "save": source_hash(save)})
        entry, found = self.store.get_or_make(key, lambda folder: save(value.value, folder / name))
        self.note_step(Path(name).stem, None, int(found), int(not found), begun)
        item = Item(entry, again=lambda: self._again(key, lambda folder: save(value.value, folder / name)))
        return Traced(entry.files[name], lambda: item.tried(lambda: load(item.entry.checked() / name))), entry

    def video(self, name: str, frames: Traced[Frames], song: Traced[Audio]) -> Traced[Frames]:
        """The frames with the song's sound as `<name>.mp4`, encoded now or taken from the store; the video as it can be read."""
        begun = time.monotonic()
        settings = dict(self.config.get("media") or {})
        key = digest({
            "step": "video", "frames": frames.digest, "song": song.digest, "media": settings,
            "encoder": source_hash(media.save_video), "libraries": media.versions(), "version": __version__,
        })  # fmt: skip

        def make(folder: Path) -> None:
            with bar(f"{name}.mp4") as tick:
                media.save_video(folder / "video.mp4", frames.value, song.value, progress=tick, **settings)

        entry, found = self.store.get_or_make(key, make)
        item = Item(entry, again=lambda: self._again(key, make))
        path = self._keep_of(item, "video.mp4", f"{name}.mp4")
        self._record["videos"][name] = path.name
        self.note_step(f"{name} video", None, int(found), int(not found), begun)
        return Traced(entry.files["video.mp4"], lambda: media.load_video(path))

    # -- the record ----------------------------------------------------------------------------------------------------

    def note(self, **entries: Any) -> None:
        """Put plain data into the record under these names, and write it down."""
        self._record.update(entries)
        self.write()

    def warn(self, text: str) -> None:
        """A line for the reader of the run, once."""
        if text not in self._record["warnings"]:
            self._record["warnings"].append(text)

    def note_step(self, slot: str, part: Component | None, reused: int, made: int, begun: float) -> None:
        """Write down a finished step.

        Args:
            slot: what the step is called.
            part: the plug-in that did it, if one did.
            reused: how many results were found.
            made: how many were made.
            begun: `time.monotonic()` at its start.
        """
        seconds = round(time.monotonic() - begun, 3)
        self._record["steps"].append({
            "slot": slot, "name": part.name if part else "", "reused": reused, "made": made, "seconds": seconds,
            "peak_mb": devices.peak(),
        })  # fmt: skip
        self.write()

    def keep(self, source: Path, name: str, sha256: str) -> Path:
        """Put a stored file into the run directory and list it with its hash."""
        target = self.folder / name
        place(source, target, sha256)
        self._record["files"][name] = {"sha256": sha256, "bytes": target.stat().st_size}
        return target

    def keep_item(self, item: Item, stem: str) -> str:
        """Put an artefact's file into the run directory as `stem` plus its own suffix."""
        name = stem + item.tried(lambda: item.file).suffix
        self._keep_of(item, item.file.name, name)
        return name

    def _keep_of(self, item: Item, inside: str, name: str) -> Path:
        """`keep` of a file of an entry; where it is gone or damaged, of the entry that is made again."""
        return item.tried(lambda: self.keep(item.entry.path(inside), name, item.entry.files[inside]))

    def _again(self, key: str, make: Callable[[Path], Any]) -> Entry:
        self.store.forget(key)
        return self.store.get_or_make(key, make)[0]

    def close(self, state: str = "finished", error: str | None = None) -> None:
        """Close the plug-ins and write the last record."""
        for part in {id(p): p for p in (*self._used.values(), *self._built.values())}.values():
            part.close()
        self.note(state=state, error=error)

    def write(self) -> None:
        """Write run.json as it stands."""
        self._record["seconds"] = round(time.monotonic() - self.begun, 3)
        write_json(self.folder / "run.json", cleaned(self._record, self.folder))

    def _make(
        self, slot: str, generator: Generator, sources: Sequence[Any]
    ) -> tuple[list[Item | None], list[str | None]]:
        begun = time.monotonic()
        seeds = [self.seed * 1000 + i for i in range(len(sources))]
        items, failed, reused = make_all(self.store, generator, sources, seeds)
        self.note_step(slot, generator, reused, len(items) - reused, begun)
        return items, failed

    def _alone(self, part: Any) -> Any:
        """A plug-in once the models of all other stages are freed."""
        self._free_all_but(part)
        return part

    def _free_all_but(self, *parts: Component) -> None:
        """Free the models of all other stages: their plug-ins load them again where they are called again."""
        for part in self._used.values():
            if not any(part is kept for kept in parts):
                part.close()

    def _gates(self, artefact: type) -> list[Gate]:
        chosen = [k for k, v in (self.config.get("gates") or {}).items() if v is not None]
        gates: dict[str, Any] = {
            k: self._built.get(f"gates.{k}") or registry.build("gates", self.config["gates"][k]) for k in chosen
        }
        self._built |= {f"gates.{k}": g for k, g in gates.items()}
        return [self.part(f"gates.{k}") for k, g in gates.items() if g.artefact is artefact]

    def _note_choice(
        self, slot: str, items: Sequence[Item | None], scorers: Mapping[str, CreativityScorer],
        weights: Mapping[str, float], scores: Mapping[str, np.ndarray], choice: Choice,
    ) -> None:  # fmt: skip
        files = [self.keep_item(item, f"{slot}s/{i}") if item else None for i, item in enumerate(items)]
        self._record["choices"][slot] = describe_choice(items, files, scorers, weights, scores, choice)
        chosen = items[choice.index] if choice.index >= 0 else None
        if chosen is not None:
            self.keep_item(chosen, slot)
            for name in chosen.parts:
                self._keep_of(chosen, name, f"{slot}_parts/{name}")
        self.write()
