"""What a plug-in is: three small interfaces (Generator, CreativityScorer, Stylizer) and three smaller helpers.

A plug-in is one class in one file. Its constructor only stores settings; weights load at first use; `close` frees them.
Class-level traits say what it takes and makes; its card says what it is, where it comes from and under which licence.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from .types import Frames, Image


class Source(ABC):
    """Where weights come from: `HubRepo`, `Url`, `ByHand` and `Packaged` of `spectrogrand.weights.sources`."""

    commanded: ClassVar[bool] = True
    """Whether `spectrogrand fetch` gets them; else `remedy` is what a person has to do."""

    @property
    @abstractmethod
    def label(self) -> str:
        """What it is called in records: a repository, an address."""

    @property
    @abstractmethod
    def short(self) -> str:
        """What a table calls it."""

    @property
    @abstractmethod
    def pin(self) -> str:
        """Commit or sha256, or that there is none yet."""

    @abstractmethod
    def locate(self, one: Weights, part: Component) -> Path | None:
        """The file or folder of a part's weights on this machine, None where it is not; nothing is loaded."""

    @abstractmethod
    def remedy(self, one: Weights, part: Component) -> str:
        """The command, or the words, that get them."""

    @abstractmethod
    def told(self, part: str) -> str:
        """The same in an error's line, for a part that found nothing: "get it from ... and set weights=FOLDER"."""


@dataclass(frozen=True)
class Weights:
    """A plug-in's weights: where they come from, their size in megabytes (1e6 bytes), their licence.

    `file` is what the file is called in the plug-in's folder of weights, "" for a repository or the address's last part.
    `folder` is what that folder is called in a folder of weights, "" for the plug-in's name: a second model has one of its own.
    """

    source: Source
    megabytes: float
    licence: str
    file: str = ""
    folder: str = ""

    def record(self) -> dict[str, Any]:
        """Plain data for `run.json` and lists: source, revision, megabytes, licence, file, folder."""
        return {
            "source": self.source.label, "revision": self.source.pin, "megabytes": self.megabytes, "licence": self.licence,
            "file": self.file, "folder": self.folder,
        }  # fmt: skip


@dataclass(frozen=True)
class Card:
    """What a plug-in is, for people: one line, paper, licence and terms, and the extra that it needs (None: the core)."""

    summary: str
    paper: str = ""
    licence: str = "Apache-2.0"
    terms: str = ""
    extra: str | None = None
    modules: tuple[str, ...] = ()
    """Top-level modules that must be importable for it to run here."""
    weights: tuple[Weights, ...] = ()


class Component(ABC):
    """What every plug-in shares. `name` and `kind` are filled in by the registry."""

    kind: ClassVar[str] = ""
    name: ClassVar[str] = ""
    card: ClassVar[Card]
    parts: ClassVar[Mapping[str, str]] = {}
    """Settings that choose a plug-in inside this one, and its kind: {"text": "embedders"}; `registry.inner` builds them."""
    files: ClassVar[Mapping[str, str]] = {}
    """Settings that name a file of the user's own, and what it holds: {"melody": "sound"}; opened before anything is made."""
    chooses: ClassVar[tuple[str, ...]] = ()
    """Settings that choose other weights than the card's: `spectrogrand fetch NAME SETTING=VALUE` then gets those."""
    settings: Mapping[str, Any] = {}
    """Name and every constructor argument, defaults included, as plain data; filled in by `registry.build`."""

    def identity(self) -> Mapping[str, Any]:
        """Plain data, beyond settings and source code, on which the output depends.

        The default is empty. A part that reads a file gives its sha256; a model gives device, dtype, batch size,
        library versions and weight hashes. It becomes part of the step's key, and of `run.json`.
        """
        return {}

    def inspect(self) -> None:
        """Look at what can be told before anything is made: settings against this machine, and against the weights' small files.

        Called once all weights are here; no model is loaded. The default looks at nothing.

        Raises:
            SpectrograndError: this cannot run, in one line.
        """
        return None

    def close(self) -> None:
        """Free weights and processes, those of the plug-ins inside this one too; the next call loads them again."""
        for part in self.__dict__.get("_held", {}).values():
            part.close()


class Generator(Component):
    """Makes an artefact from a source. The same (source, seed, settings) gives the same bytes on the same machine."""

    kind = "generators"
    source: ClassVar[type]
    artefact: ClassVar[type]
    given: ClassVar[bool] = False
    """True where the artefact is the user's own (a file): there is one candidate, and gates that are not fatal only warn."""
    shaped: ClassVar[bool] = False
    """True where options `width` and `height` give the same picture in another shape, as videos that are no squares ask for."""
    batch_size: int = 1
    """How many candidates one call should make; finished calls survive a kill."""

    @abstractmethod
    def generate(self, sources: Sequence[Any], seeds: Sequence[int]) -> list[Any]:
        """Make one artefact per (source, seed) pair, in order; the two sequences have equal length.

        A candidate's bytes depend on its own source and seed, never on its neighbours in the batch.
        """


@dataclass(frozen=True)
class Reference:
    """The set that a scorer compares with: its name, how many items, and the sha256 of its data."""

    name: str
    count: int
    sha256: str


@dataclass(frozen=True)
class Context:
    """What surrounds the items that are scored: the run's topic, what they were made of, and all candidates, these included.

    `archive` holds artefacts that were kept before, in a search over many runs; empty in a single run.
    """

    topic: str
    sources: Sequence[Any] = ()
    candidates: Sequence[Any] = ()
    archive: Sequence[Any] = ()


class CreativityScorer(Component):
    """Rates artefacts by one aspect of creativity with an exact, published formula. Higher is more creative."""

    kind = "scorers"
    aspect: ClassVar[str]
    """"novelty", "value" or "surprise"."""
    artefact: ClassVar[type]
    noise: ClassVar[float] = 0.0
    """Standard deviation of a score under re-encoding (MP3 at 64 kbit/s, JPEG 60), in its own unit; 0: not measured."""

    @abstractmethod
    def score(self, batch: Sequence[Any]) -> np.ndarray:
        """One number per item, float64, shape=(item,). An item's score never depends on the others in the batch.

        A number that is not finite means "this candidate failed"; it is reported and never chosen.
        """

    contextual: ClassVar[bool] = False
    """True where a score depends on what surrounds the item: `score_in_context` is called then in place of `score`."""

    def score_in_context(self, batch: Sequence[Any], context: Context) -> np.ndarray:
        """The same for a scorer that must see more than the item: whether a cover fits this song, novelty among candidates."""
        return self.score(batch)

    def reference(self) -> Reference | None:
        """The reference set behind the score, or None where the formula has none."""
        return None

    def reference_scores(self) -> np.ndarray | None:
        """This scorer's scores of its reference items, float64, shape=(reference,), for quantiles; None where unknown."""
        return None


class Gate(Component):
    """Fails what must never win (silence, noise, clipping, a copy), before any score is compared."""

    kind = "gates"
    artefact: ClassVar[type]
    fatal: ClassVar[bool] = False
    """True where even the user's own file must be refused (silence)."""

    @abstractmethod
    def check(self, batch: Sequence[Any]) -> list[str | None]:
        """Per item None (passes) or the reason, as a clause: "is silent (-91 dBFS)"."""


class Classifier(Component):
    """Names what an artefact is."""

    kind = "classifiers"
    artefact: ClassVar[type]

    @abstractmethod
    def classify(self, batch: Sequence[Any]) -> tuple[np.ndarray, tuple[str, ...]]:
        """Probabilities, float64, shape=(item, genre), rows summing to 1, and the genre names in column order."""

    def classes(self) -> tuple[str, ...] | None:
        """The names in column order where they can be told without loading a model; None where they cannot."""
        return None

    def confidence(self, batch: Sequence[Any]) -> np.ndarray | None:
        """How far to believe the top class, float64 in [0, 1], shape=(item,); None where the classifier cannot tell."""
        return None

    def novel(self, batch: Sequence[Any]) -> np.ndarray | None:
        """Which items are none of the classes, bool, shape=(item,); None where the classifier cannot tell."""
        return None


class Embedder(Component):
    """Maps artefacts (or text) to vectors."""

    kind = "embedders"
    artefact: ClassVar[type]

    @abstractmethod
    def embed(self, batch: Sequence[Any]) -> np.ndarray:
        """Embeddings, float32, shape=(item, axis)."""


class Stylizer(Component):
    """Draws the content in the style, streamed. What is constant over a stream is computed once."""

    kind = "stylizers"

    @abstractmethod
    def stylize(self, content: Image | Frames, style: Image | Frames) -> Frames:
        """Styled frames in the content's size; count and fps are those of whichever side is `Frames`.

        Two pictures give one frame. Two streams must agree in count and fps.
        """


class Selector(Component):
    """A selection rule: brings the scores of unlike scorers onto one scale. The highest weighted mean of those wins."""

    kind = "selectors"
    as_is: ClassVar[bool] = False
    """True where scores count as they are, also those that differ less than their own noise."""
    among: ClassVar[str] = ""
    """Which candidates `allowed` leaves, for the sentence that says why: "that no other beats in every score"."""

    @abstractmethod
    def utility(self, name: str, scores: np.ndarray, reference: np.ndarray | None) -> tuple[np.ndarray, str | None]:
        """One scorer's utilities, higher is better.

        Args:
            name: of the scorer.
            scores: of the candidates that are left, float64 (item,), finite.
            reference: the scorer's scores of its reference set, float64 (reference,), None where unknown.

        Returns:
            Utilities, float64 (item,), rising with the score; and a clause where something was done otherwise than the rule says.
        """

    def allowed(self, scores: np.ndarray) -> np.ndarray:
        """Which of the candidates that are left may win, bool (item,), from all scores, float64 (scorer, item)."""
        return np.ones(scores.shape[1], bool)


KINDS: dict[str, type[Component]] = {
    c.kind: c for c in (Generator, CreativityScorer, Gate, Classifier, Embedder, Stylizer, Selector)
}
