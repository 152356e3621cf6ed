"""Song -> what a music language model makes of it: MusicGen's hidden states over EnCodec's codes, over time or their mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import InvalidValue, require
from ...interfaces import Card, Embedder, Weights
from ...media.resampling import resample
from ...models import devices
from ...models.sound_frames import middle
from ...registry import register
from ...types import Audio
from ...weights import checkpoints, hub
from ...weights.sources import HubRepo

PART = "embedders 'musicgen_states'"


@register("musicgen_states")
class MusicGenStates(Embedder):
    """Hidden states of one layer of MusicGen (Copet et al. 2023, arXiv:2306.05284) while it reads a song.

    The living successor of the published features: 4800-d states of Jukebox's language model over VQ-VAE codes (Castellon,
    Donahue and Liang, ISMIR 2021), whose middle layers say most about genre, key and emotion. Here EnCodec turns the middle
    `seconds` of the song (mono, 32 kHz) into 4 codes, 50 times a second; the language model reads them in its delay pattern
    (codebook k one step later than codebook k - 1) without any text (cross-attention reads zeros, as in its training
    with dropped text). The state of time t is taken where all codes of time t have been read.

    Args:
        weights: folder of the model in the hub's layout, or one that holds it as `musicgen_states`; None is the hub's cache.
        layer: which layer's output, 0 the embedding; None: the middle one.
        seconds: length of the clip, 25 as published.
        device: "cpu", "cuda", ...; None is cuda where there is one.
        dtype: "float32", "bfloat16", "float16"; None: by device.
    """

    artefact = Audio
    card = Card(
        "hidden states of MusicGen's language model over a song's EnCodec codes, 1024 axes (small)",
        paper="Copet et al. 2023, arXiv:2306.05284; Castellon et al., ISMIR 2021, Codified audio language modeling",
        licence="CC-BY-NC-4.0",
        terms="the weights are for non-commercial use",
        extra="models",
        modules=("torch", "transformers"),
        weights=(
            Weights(
                HubRepo("facebook/musicgen-small", "4c8334b02c6ec4e8664a91979669a501ec497792"), 2360.0, "CC-BY-NC-4.0"
            ),
        ),
    )

    def __init__(
        self, *, weights: str | None = None, layer: int | None = None, seconds: float = 25.0, device: str | None = None,
        dtype: str | None = None,
    ) -> None:  # fmt: skip
        if layer is not None and (isinstance(layer, bool) or not isinstance(layer, int) or layer < 0):
            raise InvalidValue(f"layer is a whole number from 0, or null for the middle one, got {layer!r}")
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 1 <= seconds <= 30:
            raise InvalidValue(f"musicgen_states reads 1 to 30 seconds, which is what it learned, got {seconds!r}")
        self.weights, self.layer, self.seconds, self.device, self.dtype = weights, layer, float(seconds), device, dtype
        self._model: Any = None

    def embed(self, batch: Sequence[Audio]) -> np.ndarray:
        """The mean of `frames` over time, float32, shape=(item, axis).

        Raises:
            InvalidValue: an item is not sound, or the weights are of another architecture. MissingExtra: no weights.
        """
        rows = [self.frames(item).mean(axis=0) for item in batch]
        return np.stack(rows) if rows else np.zeros((0, self._load().decoder.config.hidden_size), np.float32)

    def frames(self, song: Audio) -> np.ndarray:
        """Hidden states of the song's middle, float32, shape=(time, axis), 50 a second."""
        if not isinstance(song, Audio):
            raise InvalidValue(f"musicgen_states embeds Audio, got {type(song).__name__}: load it with load_audio")
        import torch

        model = self._load()
        codes = self.codes(song)
        ids = delayed(codes, int(model.decoder.config.pad_token_id))
        books, steps = codes.shape
        given = torch.as_tensor(ids, device=model.device)
        silent = torch.zeros(1, 1, model.decoder.config.hidden_size, device=model.device, dtype=model.dtype)
        with torch.inference_mode(), devices.memory():
            out = model.decoder(
                input_ids=given,
                encoder_hidden_states=silent,
                output_hidden_states=True,
                use_cache=False,
                return_dict=True,
            )
        states = out.hidden_states[self._layer(model)][0, books : books + steps]
        return np.asarray(states.float().cpu().numpy(), np.float32)

    def codes(self, song: Audio) -> np.ndarray:
        """EnCodec's codes of the song's middle, int64, shape=(codebook, time)."""
        import torch

        model = self._load()
        rate = int(model.audio_encoder.config.sampling_rate)
        clip = middle(song, self.seconds)
        mono = np.clip(resample(clip.samples.mean(axis=0, keepdims=True, dtype=np.float32), clip.rate, rate), -1, 1)
        heard = torch.as_tensor(np.nan_to_num(mono))[None].to(model.device, model.dtype)
        with torch.inference_mode(), devices.memory():
            found = model.audio_encoder.encode(heard).audio_codes
        books = int(model.decoder.config.num_codebooks)
        return np.asarray(found[0, 0, :books].cpu().numpy(), np.int64)

    def identity(self) -> Mapping[str, Any]:
        """sha256 of the model's files, device, number type and library versions."""
        require("transformers", "models", PART)
        place = devices.device(self.device)
        return devices.identity(self._folder(), place, devices.dtype(self.dtype, place), 1, "transformers")

    def close(self) -> None:
        """Free the model."""
        if self._model is not None:
            self._model = None
            devices.free()

    def _layer(self, model: Any) -> int:
        count = int(model.decoder.config.num_hidden_layers)
        layer = count // 2 if self.layer is None else self.layer
        if layer > count:
            raise InvalidValue(
                f"this MusicGen has {count} layers, there is no layer {layer}: set layer from 0 to {count}"
            )
        return layer

    def _folder(self) -> Path:
        return hub.folder(self.weights, self.card.weights[0], part="musicgen_states")

    def _load(self) -> Any:
        if self._model is None:
            require("transformers", "models", PART)
            place = devices.device(self.device)
            from transformers import MusicgenForConditionalGeneration

            self._model = checkpoints.model(
                MusicgenForConditionalGeneration, self._folder(), devices.dtype(self.dtype, place), part=self.name
            ).to(place)
        return self._model


def delayed(codes: np.ndarray, pad: int) -> np.ndarray:
    """Codes in MusicGen's delay pattern: shape=(codebook, time) becomes (codebook, time + codebooks), int64.

    Column 0 is the start; the code of codebook k at time t stands in column t + 1 + k; all else is `pad`.

    >>> delayed(np.array([[1, 2, 3], [4, 5, 6]]), 9)
    array([[9, 1, 2, 3, 9],
           [9, 9, 4, 5, 6]])
    """
    books, steps = codes.shape
    out = np.full((books, steps + books), pad, np.int64)
    for k in range(books):
        out[k, k + 1 : k + 1 + steps] = codes[k]
    return out
