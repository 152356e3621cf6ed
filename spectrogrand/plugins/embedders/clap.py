"""Song or text -> CLAP embedding, the published measure of what a song sounds like: laion/clap-htsat-fused by transformers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import InvalidValue, require
from ...interfaces import Card, Embedder, Weights
from ...media.resampling import resample
from ...models import devices
from ...registry import register
from ...types import Audio
from ...weights import checkpoints, hub, processors
from ...weights.sources import HubRepo

RATE = 48000
"""Hz; the rate of everything that CLAP was trained on."""
PART = "embedders 'clap'"


@register("clap")
class Clap(Embedder):
    """Audio and text embeddings in one space, unit length (Wu et al. 2023, arXiv:2211.06687).

    What the network hears is the mean of the channels at 48 kHz, float in [-1, 1] (louder sounds are clipped to it), through
    CLAP's own processor: mel bands of the whole song if it is 10 s or shorter, else three crops of 10 s and the whole song
    shrunk to 10 s. The processor draws where the crops lie; it draws from a fixed seed here, one song at a time, so that a
    song's embedding depends on nothing else.

    Args:
        weights: folder with the model in the hub's layout, or one that holds it as `clap`; None is the hub's cache.
        device: "cpu", "cuda", ...; None is cuda where there is one.
        dtype: "float32", "bfloat16" or "float16".
    """

    artefact = Audio
    card = Card(
        "CLAP embedding of a song or of text, the published reference space",
        paper="Wu et al., Large-scale contrastive language-audio pretraining, ICASSP 2023, arXiv:2211.06687",
        extra="models",
        modules=("torch", "transformers"),
        weights=(
            Weights(HubRepo("laion/clap-htsat-fused", "cca9e288ab447cee67d9ada1f85ddb46500f1401"), 615.0, "Apache-2.0"),
        ),
    )

    def __init__(self, *, weights: str | None = None, device: str | None = None, dtype: str = "float32") -> None:
        self.weights, self.device, self.dtype = weights, device, dtype
        self._loaded: tuple[Any, Any] | None = None

    def embed(self, batch: Sequence[Audio]) -> np.ndarray:
        """Unit vectors, float32, shape=(item, 512); NaN where a song holds samples that are not finite.

        Raises:
            InvalidValue: an item is not sound, or the weights are of another architecture.
            MissingExtra: transformers is not installed, or there are no weights.
        """
        for item in batch:
            if not isinstance(item, Audio):
                raise InvalidValue(f"clap embeds Audio, got {type(item).__name__}: load it with load_audio")
        model, processor = self._load()
        found = [self._one(model, processor, heard(item)) for item in batch]
        return np.stack(found) if found else np.zeros((0, model.config.projection_dim), np.float32)

    def embed_text(self, texts: Sequence[str]) -> np.ndarray:
        """Unit vectors of texts in the same space, float32, shape=(item, 512); text beyond the encoder's window is cut off."""
        import torch

        model, processor = self._load()
        read = processor.tokenizer(list(texts), padding=True, truncation=True, return_tensors="pt")
        place = next(model.parameters()).device
        with torch.inference_mode():
            given = {k: read[k].to(place) for k in ("input_ids", "attention_mask")}
            return _unit(model.get_text_features(**given).pooler_output.float().cpu().numpy())

    def identity(self) -> Mapping[str, Any]:
        """sha256 of the model's files, device, dtype and library versions."""
        require("transformers", "models", PART)
        return devices.identity(self._folder(), devices.device(self.device), self._dtype(), 1, "transformers")

    def close(self) -> None:
        """Free the network."""
        self._loaded = None

    def _one(self, model: Any, processor: Any, samples: np.ndarray) -> np.ndarray:
        import torch

        if not np.isfinite(samples).all():
            return np.full(model.config.projection_dim, np.nan, np.float32)
        with fixed_draws():
            made = processor(audio=[samples], sampling_rate=RATE, return_tensors="pt")
        weight = next(model.parameters())
        features = made["input_features"].to(weight.device, weight.dtype)
        with torch.inference_mode():
            out = model.get_audio_features(input_features=features, is_longer=made["is_longer"].to(weight.device))
        return _unit(out.pooler_output.float().cpu().numpy())[0]

    def _dtype(self) -> str:
        return devices.dtype(self.dtype, devices.device(self.device))

    def _folder(self) -> Path:
        return hub.folder(self.weights, self.card.weights[0], part="clap")

    def _load(self) -> tuple[Any, Any]:
        if self._loaded is None:
            require("transformers", "models", PART)
            folder = self._folder()
            place = devices.device(self.device)
            from transformers import ClapModel

            processors.is_a("clap", folder, part=self.name)
            model = checkpoints.model(ClapModel, folder, self._dtype(), part=self.name).to(place)
            processor = processors.processor("ClapProcessor", folder, part=self.name)
            rate = processor.feature_extractor.sampling_rate
            if rate != RATE:
                raise InvalidValue(f"the processor in {folder} wants {rate} Hz, CLAP hears {RATE}: fetch it again")
            wild = [n for n, p in model.named_parameters() if not p.isfinite().all()]
            if wild:
                raise InvalidValue(f"{folder} holds numbers that are not finite in {wild[0]}: spectrogrand fetch clap")
            self._loaded = model, processor
        return self._loaded


def heard(song: Audio) -> np.ndarray:
    """What CLAP is given: mean of the channels at 48 kHz, float32 in [-1, 1], shape=(time,).

    >>> heard(Audio(np.full((2, 22050), 0.5, np.float32), 22050)).shape
    (48000,)
    """
    mono = song.samples.mean(axis=0, keepdims=True, dtype=np.float32)
    return np.asarray(np.clip(resample(mono, song.rate, RATE)[0], -1, 1))


@contextmanager
def fixed_draws() -> Iterator[None]:
    """numpy's global generator at a fixed seed, put back afterwards: the processor of transformers draws from it."""
    before = np.random.get_state()  # noqa: NPY002 - the library that we call uses it
    np.random.seed(0)  # noqa: NPY002
    try:
        yield
    finally:
        np.random.set_state(before)  # noqa: NPY002


def _unit(rows: np.ndarray) -> np.ndarray:
    return np.asarray(rows / np.linalg.norm(rows, axis=-1, keepdims=True), np.float32)
