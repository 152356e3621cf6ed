"""Covers by any text-to-image model that diffusers knows: FLUX, Stable Diffusion 3.5, Kandinsky, PixArt, the turbo models."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ....errors import CandidateError, ConfigError, InvalidValue
from ....interfaces import Card, Weights
from ....models import devices
from ....registry import register
from ....types import CoverBrief, Image
from ....weights import checkpoints, hub
from ....weights.sources import HubRepo
from .._hub_model import OFFLOADS, DiffusersGenerator, multiple, numbers, one_of
from .._prompts import filled, warn_of_cuts

DECODERS = ("KandinskyPipeline", "KandinskyV22Pipeline", "WuerstchenDecoderPipeline", "StableCascadeDecoderPipeline")
PROMPT = "{colour} colored album cover for music about {topic} that {word}"
KNOWN = {
    w.source.label: w
    for w in (
        Weights(
            HubRepo("black-forest-labs/FLUX.1-schnell", "741f7c3ce8b383c54771c7003378a50191e9efe9"), 33_700.0, "Apache-2.0",
        ),
        Weights(
            HubRepo("stabilityai/sdxl-turbo", "71153311d3dbb46851df1931d3ca6e939de83304"),
            13_900.0, "Stability AI Non-Commercial",
        ),
    )
}  # fmt: skip
"""Models whose revision is pinned here; any other is taken by its name on the hub."""
PRIORS = {
    "kandinsky-community/kandinsky-2-2-decoder": Weights(
        HubRepo("kandinsky-community/kandinsky-2-2-prior", "9fc51ad5732afc5d031724219d22e6c42179c5a8"), 10_500.0,
        "Apache-2.0", folder="diffusers_image_prior",
    ),
}  # fmt: skip
"""Models that draw what another one, their prior, makes of the prompt."""


CENSORED = CandidateError("the model's own safety checker blacked the picture out: try another prompt or seed")


@register("diffusers_image")
class DiffusersImage(DiffusersGenerator):
    """Whatever `AutoPipelineForText2Image` loads, with every setting that its pipeline takes; all briefs as one batch.

    Args:
        weights: folder of the model in the hub's layout, or a folder with `diffusers_image` in it; None: the hub's cache.
        model: the model's name on the hub. revision: its commit, 40 hex digits; None: pinned here, or by the fetch.
        prior: the name of the model's prior on the hub, where it draws what another model makes of the prompt (Kandinsky 2.2,
            Stable Cascade); it lies in `diffusers_image_prior` beside the model's folder. None: the known one, if there is one.
        prompt: text with {colour}, {topic}, {word}, {genre}. negative_prompt: where the model takes one.
        steps: denoising steps. guidance: guidance scale; turbo and schnell models want 0.
        size: side in pixels.
        batch_size, dtype, device, offload, attention_slicing, scheduler, channels_last, compile: as audioldm2's.
    """

    card = Card(
        "any text-to-image model of diffusers: FLUX.1 schnell unless told otherwise",
        paper="Black Forest Labs 2024, FLUX.1; Sauer et al. 2023, Adversarial diffusion distillation",
        licence="Apache-2.0",
        terms="FLUX.1 schnell is free for any use once its terms on the hub are accepted; another model has its own licence",
        extra="models",
        modules=("torch", "diffusers", "transformers"),
        weights=(KNOWN["black-forest-labs/FLUX.1-schnell"],),
    )
    chooses = ("model", "revision", "prior")
    source, artefact = CoverBrief, Image
    auto = "AutoPipelineForText2Image"

    def __init__(
        self,
        *,
        weights: str | None = None,
        model: str = "black-forest-labs/FLUX.1-schnell",
        revision: str | None = None,
        prior: str | None = None,
        prompt: str = PROMPT,
        negative_prompt: str | None = None,
        steps: int = 4,
        guidance: float = 0.0,
        size: int = 1024,
        batch_size: int = 4,
        dtype: str | None = None,
        device: str | None = None,
        offload: str = "auto",
        attention_slicing: bool = False,
        scheduler: str | None = None,
        channels_last: bool = True,
        compile: bool = False,
    ) -> None:
        for key, value in {"model": model, **({} if prior is None else {"prior": prior})}.items():
            if not isinstance(value, str) or value.count("/") != 1 or not all(value.split("/")):
                raise InvalidValue(f"diffusers_image takes {key} as OWNER/NAME on the hub, got {value!r}")
        if revision is not None and (len(str(revision)) != 40 or set(str(revision)) - set("0123456789abcdef")):
            raise InvalidValue(f"diffusers_image takes revision as a commit of 40 hex digits, got {revision!r}")
        numbers(
            "diffusers_image", steps=(steps, 1, 10_000), guidance=(guidance, 0.0, 100.0), size=(size, 8, 4096),
            batch_size=(batch_size, 1, 256),
        )  # fmt: skip
        multiple("diffusers_image", "size", size, 8)
        one_of("diffusers_image", "offload", offload, OFFLOADS)
        filled(prompt, colour="", topic="", word="", genre="")
        self.weights, self.repository, self.revision, self.prior = weights, model, revision, prior
        self.prompt, self.negative_prompt, self.steps = prompt, negative_prompt, steps
        self.guidance, self.size, self.batch_size = float(guidance), size, batch_size
        self.dtype, self.device, self.offload = dtype, device, offload
        self.attention_slicing, self.scheduler = attention_slicing, scheduler
        self.channels_last, self.compile = channels_last, compile
        second = self._prior()
        lots = (self._hub_weights(), *([second] if second else []))
        self.card = replace(type(self).card, weights=lots)  # type: ignore[misc]

    def generate(self, sources: Sequence[CoverBrief], seeds: Sequence[int]) -> list[Any]:
        """One picture per (brief, seed), as one batch; one that is black or not finite is the error that fails it alone."""
        pipe = self.model()
        prompts = [filled(self.prompt, colour=b.colour, topic=b.topic, word=b.word, genre=b.genre) for b in sources]
        takes = inspect.signature(pipe.__call__).parameters
        options: dict[str, Any] = {"guidance_scale": self.guidance, "height": self.size, "width": self.size}
        if self.negative_prompt:
            options["negative_prompt"] = [self.negative_prompt] * len(prompts)
        lacking = [k for k in options if k not in takes]
        if lacking:
            raise InvalidValue(f"{type(pipe).__name__} takes no {lacking[0]}: leave it out for {self.repository}")
        warn_of_cuts(self.name, pipe, [*prompts, self.negative_prompt])
        made = self._run(
            pipe, prompt=prompts, num_inference_steps=self.steps, generator=devices.generators(seeds), output_type="np", **options
        )  # fmt: skip
        hidden = getattr(made, "nsfw_content_detected", None) or [False] * len(prompts)
        drawn = devices.pictures(np.asarray(made.images))
        return [CENSORED if black else picture for picture, black in zip(drawn, hidden, strict=True)]

    def inspect(self) -> None:
        """As of every pipeline, and whether a model that needs a prior has one."""
        super().inspect()
        if self._prior() is None and hub.class_of(self._folder()) in DECODERS:
            raise ConfigError(
                f"{self._folder()} draws what a prior makes of the prompt: set prior=OWNER/NAME, and put it into "
                "diffusers_image_prior"
            )

    def _load(self) -> Any:
        place, kind = self._where()
        self.inspect()
        second, parts = self._prior(), {}
        if second is not None:
            made = checkpoints.pipeline(self.place_of(second), kind, part=self.name)
            parts = {f"prior_{name}": model for name, model in made.components.items()}
        return self._placed(
            checkpoints.pipeline(self._folder(), kind, part=self.name, auto=self.auto, shared=parts), place
        )

    def _folders(self) -> dict[str, Path]:
        second = self._prior()
        return {**super()._folders(), **({"prior": self.place_of(second)} if second else {})}

    def _prior(self) -> Weights | None:
        known = PRIORS.get(self.repository)
        if self.prior is None or (known is not None and self.prior == known.source.label):
            return known
        return Weights(HubRepo(self.prior), 10_000.0, "its own", folder="diffusers_image_prior")

    def _hub_weights(self) -> Weights:
        known = KNOWN.get(self.repository)
        if known is not None and self.revision is None:
            return known
        size, licence = (known.megabytes, known.licence) if known else (10_000.0, "its own")
        return Weights(HubRepo(self.repository, self.revision or ""), size, licence)
