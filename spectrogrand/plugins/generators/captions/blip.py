"""blip: a picture to a caption by the published captioner (BLIP), from weights on this machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ....errors import CandidateError, InvalidValue, require
from ....interfaces import Card, Generator, Weights
from ....models import devices
from ....registry import register
from ....types import MAX_TOPIC, Image
from ....weights import checkpoints, hub, processors
from ....weights.sources import HubRepo


@register("blip")
class Blip(Generator):
    """Captions pictures with BLIP (Li et al., ICML 2022): what stands on them, in about ten words, by beam search.

    Args:
        prompt: words that the caption goes on from, as "a photograph of"; None lets the model begin. They are left out of the
            caption.
        beams: width of the beam search; 1 is greedy. Nothing is sampled, so the seed changes nothing.
        max_tokens: most word pieces of the caption.
        device: a torch device; None takes the best one.
        dtype: float32, bfloat16 or float16; None goes by the device.
        weights: a folder with the model in the hub's layout, or one that holds it as `blip`; None: the hub's cache.

    Raises:
        InvalidValue: beams outside 1 to 16, or max_tokens outside 1 to 100.

    >>> Blip(beams=0)
    Traceback (most recent call last):
    spectrogrand.errors.InvalidValue: beams is a whole number from 1 to 16, got 0
    """

    source, artefact = Image, str
    card = Card(
        summary="picture to caption by BLIP",
        paper="Li, Li, Xiong & Hoi, BLIP, ICML 2022 (arXiv 2201.12086)",
        licence="BSD-3-Clause",
        extra="models",
        modules=("torch", "transformers"),
        weights=(
            Weights(
                HubRepo("Salesforce/blip-image-captioning-large", "353689b859fcf0523410b1806dace5fb46ecdf41"),
                1880, "BSD-3-Clause",
            ),
        ),
    )  # fmt: skip

    def __init__(
        self, prompt: str | None = None, beams: int = 3, max_tokens: int = 40, device: str | None = None,
        dtype: str | None = None, weights: str | None = None,
    ) -> None:  # fmt: skip
        for what, value, most in (("beams", beams, 16), ("max_tokens", max_tokens, 100)):
            if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
                raise InvalidValue(f"{what} is a whole number from 1 to {most}, got {value!r}")
        self.prompt, self.beams, self.max_tokens = prompt, beams, max_tokens
        self.device, self.dtype, self.weights = device, dtype, weights
        self._loaded: tuple[Any, Any] | None = None

    def identity(self) -> Mapping[str, Any]:
        """The sha256 of the weights, device, dtype and library versions.

        Raises:
            MissingExtra: torch, transformers or the weights are not here.
        """
        place = devices.device(self.device)
        return devices.identity(self._folder(), place, devices.dtype(self.dtype, place), 1, "transformers")

    def generate(self, sources: Sequence[Any], seeds: Sequence[int]) -> list[Any]:
        """One caption per picture, at most 500 characters.

        Raises:
            CandidateError: the model said nothing.
        """
        if not sources:
            return []
        import torch

        processor, model = self._load()
        captions = []
        for image in sources:  # one at a time: a caption never depends on its neighbours
            given = processor(images=image.pixels.copy(), text=self.prompt, return_tensors="pt").to(
                model.device, model.dtype
            )
            with torch.inference_mode(), devices.memory():
                # without early stopping a caption could grow with the beams of a library's next default
                tokens = model.generate(
                    **given, num_beams=self.beams, max_new_tokens=self.max_tokens, do_sample=False, early_stopping=True
                )
            text = " ".join(processor.decode(tokens[0], skip_special_tokens=True).split())
            if self.prompt and text.lower().startswith(self.prompt.lower().strip()):
                text = text[len(self.prompt.strip()) :].strip()
            if not text:
                raise CandidateError("BLIP found no words for it: give a larger picture, or captioner=picture_words")
            captions.append(text[:MAX_TOPIC])
        return captions

    def close(self) -> None:
        """Free the model."""
        self._loaded = None

    def _folder(self) -> Path:
        require("transformers", "models", "the blip captioner")
        return hub.folder(self.weights, self.card.weights[0], part="blip")

    def _load(self) -> tuple[Any, Any]:
        if self._loaded is None:
            folder, place = self._folder(), devices.device(self.device)
            from transformers import BlipForConditionalGeneration

            kind = devices.dtype(self.dtype, place)
            reader = processors.processor("BlipProcessor", folder, part=self.name)
            model = checkpoints.model(BlipForConditionalGeneration, folder, kind, part=self.name)
            self._loaded = reader, model.to(place)
        return self._loaded
