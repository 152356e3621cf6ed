"""Covers by Stable Diffusion XL, the published cover model, with its optional refiner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ....errors import InvalidValue
from ....interfaces import Card, Weights
from ....models import devices
from ....registry import register
from ....types import CoverBrief, Image
from ....weights import checkpoints, hub
from ....weights.sources import HubRepo, remedy
from .._hub_model import OFFLOADS, DiffusersGenerator, multiple, numbers, one_of
from .._prompts import filled, warn_of_cuts
from . import _lora

PROMPT = "{colour} colored album cover for music about {topic} that {word}"
REFINER = "StableDiffusionXLImg2ImgPipeline"
RAIL = "CreativeML Open RAIL++-M"


REFINER_WEIGHTS = Weights(HubRepo("stabilityai/stable-diffusion-xl-refiner-1.0", "5d4cfe854c9a9a87939ff3653551c2b3c99a4356"),
12_200.0, RAIL,
    folder="sdxl_refiner",
)  # fmt: skip


@register("sdxl")
class SDXL(DiffusersGenerator):
    """Stable Diffusion XL (Podell et al. 2023, arXiv:2307.01952): the genre's grid of colours and words as one batch.

    With `refiner`, the base model denoises the first `handover` of the schedule and the refiner the rest, in latents.

    Args:
        weights: folder of the model in the hub's layout, or a folder with `sdxl` (and `sdxl_refiner`) in it.
        prompt: text with {colour}, {topic}, {word}, {genre}.
        negative_prompt: what guidance leads away from.
        steps: denoising steps, the published 200 by default.
        guidance: guidance scale, 1 is none.
        size: side in pixels; the model learned 1024.
        lora: a LoRA file (safetensors), as `train/lora.py` writes, or a list of them.
        lora_scale: how much it counts, a number, or one for each.
        refiner: use the refiner; a folder says where it lies.
        handover: at which share of the schedule it takes over.
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
        "Stable Diffusion XL base 1.0, the published cover model",
        paper="Podell et al. 2023, SDXL: Improving latent diffusion models for high-resolution image synthesis",
        licence=RAIL,
        terms="uses that the licence's attachment A forbids are forbidden",
        extra="models",
        modules=("torch", "diffusers", "transformers"),
        weights=(
            Weights(
                HubRepo("stabilityai/stable-diffusion-xl-base-1.0", "462165984030d82259a11f4367a4eed129e94a7b"), 13_900.0, RAIL,
            ),
        ),
    )  # fmt: skip
    chooses = ("refiner",)
    source, artefact = CoverBrief, Image
    expected = "StableDiffusionXLPipeline"

    def __init__(
        self,
        *,
        weights: str | None = None,
        prompt: str = PROMPT,
        negative_prompt: str | None = None,
        steps: int = 200,
        guidance: float = 5.0,
        size: int = 1024,
        lora: str | Sequence[str] | None = None,
        lora_scale: float | Sequence[float] = 1.0,
        refiner: bool | str = False,
        handover: float = 0.8,
        batch_size: int = 4,
        dtype: str | None = None,
        device: str | None = None,
        offload: str = "auto",
        attention_slicing: bool = False,
        scheduler: str | None = None,
        channels_last: bool = True,
        compile: bool = False,
    ) -> None:
        numbers(
            "sdxl", steps=(steps, 1, 10_000), guidance=(guidance, 0.0, 100.0), size=(size, 8, 4096),
            handover=(handover, 0.01, 1.0), batch_size=(batch_size, 1, 256),
        )  # fmt: skip
        if not isinstance(refiner, bool) and not (isinstance(refiner, str) and refiner):
            raise InvalidValue(f"sdxl takes refiner as true, false or a folder, got {refiner!r}")
        multiple("sdxl", "size", size, 8)
        one_of("sdxl", "offload", offload, OFFLOADS)
        filled(prompt, colour="", topic="", word="", genre="")
        self.weights, self.prompt, self.negative_prompt, self.steps = weights, prompt, negative_prompt, steps
        self.guidance, self.size, self.refiner, self.handover = float(guidance), size, refiner, float(handover)
        self.loras = _lora.pair("sdxl", lora, lora_scale)
        self.batch_size, self.dtype, self.device = batch_size, dtype, device
        self.offload, self.attention_slicing, self.scheduler = offload, attention_slicing, scheduler
        self.channels_last, self.compile = channels_last, compile
        if refiner:
            self.card = replace(type(self).card, weights=(*type(self).card.weights, REFINER_WEIGHTS))  # type: ignore[misc]

    def generate(self, sources: Sequence[CoverBrief], seeds: Sequence[int]) -> list[Any]:
        """One picture per (brief, seed), as one batch; one that is black or not finite is the error that fails it alone."""
        base, refiner = self.model()
        prompts = [filled(self.prompt, colour=b.colour, topic=b.topic, word=b.word, genre=b.genre) for b in sources]
        warn_of_cuts(self.name, base, [*prompts, self.negative_prompt])
        noise = devices.generators(seeds)
        common: dict[str, Any] = {
            "prompt": prompts, "negative_prompt": [self.negative_prompt] * len(prompts) if self.negative_prompt else None,
            "num_inference_steps": self.steps, "guidance_scale": self.guidance, "generator": noise,
        }  # fmt: skip
        sides = {"height": self.size, "width": self.size}
        if refiner is None:
            made = self._run(base, **common, **sides, output_type="np").images
        else:
            drawn = self._run(base, **common, **sides, denoising_end=self.handover, output_type="latent").images
            made = self._run(refiner, **common, image=drawn, denoising_start=self.handover, output_type="np").images
        return list(devices.pictures(np.asarray(made)))

    def _load(self) -> tuple[Any, Any]:
        _lora.look(self.loras)
        base = super()._load()
        if not self.refiner:
            return base, None
        place, kind = self._where()
        folder = self.place_of(REFINER_WEIGHTS)
        _check_refiner(folder)
        # The two pipelines have these in common; offloading moves a pipeline's models about, so then each has its own.
        shared = {"vae": base.vae, "text_encoder_2": base.text_encoder_2} if self._offloaded == "none" else {}
        return base, self._placed(checkpoints.pipeline(folder, kind, part="sdxl_refiner", shared=shared), place)

    def _adapt(self, made: Any) -> None:
        _lora.adapt(made, self.loras, self.name, "base 1.0")

    def _folders(self) -> dict[str, Path]:
        own = _lora.folders(self.loras)
        return {**super()._folders(), **own, **({"refiner": self.place_of(REFINER_WEIGHTS)} if self.refiner else {})}

    def inspect(self) -> None:
        """As of every pipeline, and whether the refiner is one."""
        super().inspect()
        _lora.look(self.loras)
        if self.refiner:
            _check_refiner(self.place_of(REFINER_WEIGHTS))

    def place_of(self, one: Weights) -> Path:
        """The base model's folder, or the refiner's: the one that `refiner` names, or beside the base model's."""
        if one != REFINER_WEIGHTS:
            return super().place_of(one)
        if not isinstance(self.refiner, str):
            return hub.folder(self.weights, one, part=self.name, command=remedy(one, self), expected=REFINER)
        if not Path(self.refiner).expanduser().is_dir():
            raise InvalidValue(f"refiner={self.refiner} is no folder: name the refiner's, or set refiner=true")
        return hub.folder(self.refiner, replace(one, folder=""), part=self.name, command=remedy(one, self))


def _check_refiner(folder: Path) -> None:
    if hub.class_of(folder) != REFINER:
        raise InvalidValue(f"{folder} is no refiner of Stable Diffusion XL ({REFINER}): set refiner=FOLDER")
