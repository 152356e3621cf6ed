"""Covers by any text-to-image model that diffusers knows: FLUX.2, Z-Image, Qwen-Image, Stable Diffusion, the turbo models."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from .... import media
from ....errors import CandidateError, ConfigError, InvalidValue
from ....interfaces import Card, Weights
from ....models import devices
from ....models import quantisation as quantising
from ....registry import register
from ....types import CoverBrief, Image
from ....weights import checkpoints, hub
from ....weights.sources import HubRepo
from .._hub_model import OFFLOADS, DiffusersGenerator, multiple, numbers, one_of
from .._prompts import filled, warn_of_cuts
from . import _lora

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
        Weights(HubRepo("black-forest-labs/FLUX.2-klein-4B"), 16_000.0, "Apache-2.0"),
        Weights(HubRepo("Tongyi-MAI/Z-Image-Turbo"), 33_000.0, "Apache-2.0"),
        Weights(HubRepo("Qwen/Qwen-Image"), 57_700.0, "Apache-2.0"),
    )
}  # fmt: skip
"""Models whose size and licence are known here; any other is taken by its name on the hub."""
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
        model: the model's name on the hub.
        revision: its commit, 40 hex digits; None: pinned here, or by the fetch.
        prior: the name of the model's prior on the hub, where it draws what another model makes of the prompt (Kandinsky 2.2,
            Stable Cascade); it lies in `diffusers_image_prior` beside the model's folder. None: the known one, if there is one.
        prompt: text with {colour}, {topic}, {word}, {genre}.
        negative_prompt: where the model takes one.
        steps: denoising steps.
        guidance: guidance scale; turbo and schnell models want 0; None: the model's own way.
        true_guidance: guidance by a second pass with the negative prompt, for models that take one beside theirs (Qwen-Image: 4).
        size: side in pixels.
        lora: a LoRA file (safetensors), or a list of them.
        lora_scale: how much it counts, a number, or one for each.
        quantisation: weights in fewer bits, to fit a smaller GPU: "int8", "float8", "nf4"; None: as they are.
        picture: a picture of one's own to begin with (image to image).
        strength: how much of it changes, above 0 to 1; those that
            take a picture as a reference (FLUX.2) have none.
        mask: a picture, white where `picture` may change and black where it is kept (inpaint).
        batch_size: candidates in one call; halved when memory runs out.
        dtype: "float32", "bfloat16", "float16"; None: float32 on a CPU, bfloat16 on a GPU.
        device: "cpu", "cuda", "cuda:0"; None: a GPU where there is one.
        offload: "auto" (what the free memory allows), "none", "model" or "sequential".
        attention_slicing: attention in slices: less memory, slower.
        scheduler: a diffusers scheduler's name; None: the shipped one.
        channels_last: memory order of convolutions.
        compile: compile the denoiser at the first call.
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
    files = {"picture": "picture", "mask": "picture"}
    source, artefact = CoverBrief, Image

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
        guidance: float | None = 0.0,
        true_guidance: float | None = None,
        size: int = 1024,
        lora: str | Sequence[str] | None = None,
        lora_scale: float | Sequence[float] = 1.0,
        quantisation: str | None = None,
        picture: str | None = None,
        mask: str | None = None,
        strength: float | None = None,
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
            "diffusers_image", steps=(steps, 1, 10_000), size=(size, 8, 4096), batch_size=(batch_size, 1, 256),
        )  # fmt: skip
        multiple("diffusers_image", "size", size, 8)
        ranges = {"guidance": (guidance, 100.0), "true_guidance": (true_guidance, 100.0), "strength": (strength, 1.0)}
        numbers("diffusers_image", **{k: (v, 0.0, most) for k, (v, most) in ranges.items() if v is not None})
        if quantisation is not None:
            one_of("diffusers_image", "quantisation", quantisation, sorted(quantising.WAYS))
        if picture is None and (mask is not None or strength is not None):
            raise ConfigError("mask and strength are of a picture that changes: set cover.picture=FILE")
        self.loras = _lora.pair(self.name, lora, lora_scale)
        self.true_guidance, self.quantisation, self.picture, self.mask = true_guidance, quantisation, picture, mask
        self.strength = strength
        one_of("diffusers_image", "offload", offload, OFFLOADS)
        filled(prompt, colour="", topic="", word="", genre="")
        self.weights, self.repository, self.revision, self.prior = weights, model, revision, prior
        self.prompt, self.negative_prompt, self.steps = prompt, negative_prompt, steps
        self.guidance, self.size, self.batch_size = guidance if guidance is None else float(guidance), size, batch_size
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
        options: dict[str, Any] = {"height": self.size, "width": self.size, **self._begun(takes)}
        if self.guidance is not None:
            options["guidance_scale"] = self.guidance
        if self.true_guidance is not None:
            options["true_cfg_scale"] = self.true_guidance
        if self.negative_prompt:
            options["negative_prompt"] = [self.negative_prompt] * len(prompts)
        if self.picture is not None:  # these take the size of the picture
            options = {k: v for k, v in options.items() if k in takes or k not in ("height", "width")}
        lacking = [k for k in options if k not in takes]
        if lacking:
            own = {"true_cfg_scale": "true_guidance", "guidance_scale": "guidance"}.get(lacking[0], lacking[0])
            raise InvalidValue(f"{type(pipe).__name__} takes no {own}: leave it out for {self.repository}")
        warn_of_cuts(self.name, pipe, [*prompts, self.negative_prompt])
        made = self._run(
            pipe, prompt=prompts, num_inference_steps=self.steps, generator=devices.generators(seeds), output_type="np", **options
        )  # fmt: skip
        hidden = getattr(made, "nsfw_content_detected", None) or [False] * len(prompts)
        drawn = devices.pictures(self._kept(np.asarray(made.images, np.float32)))
        return [CENSORED if black else picture for picture, black in zip(drawn, hidden, strict=True)]

    @property
    def auto(self) -> str:  # type: ignore[override]
        """What chooses the pipeline's class: from words alone, from a picture, from a picture and a mask."""
        return (
            f"AutoPipelineFor{'Text2Image' if self.picture is None else 'Inpainting' if self.mask else 'Image2Image'}"
        )

    def _begun(self, takes: Any) -> dict[str, Any]:
        """What a pipeline takes of the user's own picture: the picture, the mask, the strength."""
        if self.picture is None:
            return {}
        made: dict[str, Any] = {"image": self._own(self.picture)}
        if self.mask is not None:
            made["mask_image"] = self._own(self.mask)
        if self.strength is not None or "strength" in takes:
            made["strength"] = 0.6 if self.strength is None else self.strength
            if int(self.steps * made["strength"]) < 1:
                raise ConfigError(
                    f"strength {made['strength']:g} of {self.steps} steps draws nothing: set cover.strength, or more cover.steps"
                )
        return made

    def _kept(self, drawn: np.ndarray) -> np.ndarray:
        """What was drawn, with the user's own pixels where the mask is black: an autoencoder gives none back as it was."""
        if self.mask is None or self.picture is None:
            return drawn
        rows, columns = drawn.shape[1:3]
        own, mask = (
            media.load_image(p).resized(rows, columns).pixels.astype(np.float32) / 255
            for p in (self.picture, self.mask)
        )
        share = mask.mean(axis=-1, keepdims=True)
        return np.asarray(own + share * (drawn - own), np.float32)

    def _own(self, path: str) -> Any:
        from PIL import Image as Pillow

        return Pillow.fromarray(media.load_image(path).resized(self.size, self.size).pixels)

    def inspect(self) -> None:
        """As of every pipeline; whether a prior is here where one is needed, LoRA files are, and the device can quantise."""
        super().inspect()
        _lora.look(self.loras)
        if self.quantisation is not None:
            quantising.check(self.quantisation, self._where()[0], self.name)
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
        fewer = {}
        if self.quantisation is not None:
            named = checkpoints.parts_of(checkpoints.read_index(self._folder()))
            fewer = {
                name: quantising.setting(self.quantisation, named[name][0], kind)
                for name in quantising.QUANTISED
                if name in named
            }
        made = checkpoints.pipeline(self._folder(), kind, part=self.name, auto=self.auto, shared=parts, quantised=fewer)
        _lora.adapt(made, self.loras, self.name, self.repository)
        return self._placed(made, place)

    def _folders(self) -> dict[str, Path]:
        second = self._prior()
        own = _lora.folders(self.loras) | {
            k: Path(str(v)).expanduser() for k, v in (("picture", self.picture), ("mask", self.mask)) if v is not None
        }
        return {**super()._folders(), **({"prior": self.place_of(second)} if second else {}), **own}

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
