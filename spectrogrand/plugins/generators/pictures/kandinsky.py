"""Keyframes by Kandinsky 2.2: its prior blends caption, artworks and art movement, its decoder draws the blend."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ....interfaces import Card, Weights
from ....models import devices
from ....registry import register
from ....types import Image
from ....walks.storyboard import Keyframe
from ....weights import checkpoints, hub
from ....weights.sources import HubRepo
from .._hub_model import OFFLOADS, DiffusersGenerator, HubGenerator, multiple, numbers, one_of
from .._prompts import warn_of_cuts

PARTS = {"kandinsky_prior": "KandinskyV22PriorPipeline", "kandinsky_decoder": "KandinskyV22Pipeline"}
"""The two models' folders in a folder of weights, and the classes that their indexes name."""
NEGATIVE = (
    "text, low quality, bad anatomy, jpeg artifacts, ugly, deformed, disfigured, extra fingers, mutated hands, "
    "poorly drawn face, extra limbs, missing arms, missing legs"
)


@register("kandinsky")
class Kandinsky(DiffusersGenerator):
    """What `KandinskyV22PriorPipeline.interpolate` makes of a keyframe, drawn by the decoder, with the published weights.

    With artworks and a movement: caption 0, artworks 0.7 (shared evenly), movement 0.3; without a movement: caption 0.3, artworks
    0.7 (Pina and Li, arXiv:2412.05694, and its notebook). The published way always has an artwork; without one the caption takes
    its place: caption 0.7 and movement 0.3, or the caption alone.

    Args:
        weights: a folder with `kandinsky_prior` and `kandinsky_decoder` in the hub's layout; None: the hub's cache.
        negative_prompt: what not to draw, for the prior. prior_steps, prior_guidance: denoising steps and guidance scale of it.
        steps, guidance: of the decoder. size: side of the square pictures in pixels, a multiple of 64.
        batch_size, dtype, device, offload, attention_slicing, scheduler, channels_last, compile: as audioldm2's.
    """

    card = Card(
        "Kandinsky 2.2: caption, artworks and art movement blended by the prior, with the published weights",
        paper="Razzhigaev et al., Kandinsky, EMNLP 2023 (demo); Pina and Li, arXiv:2412.05694",
        licence="Apache-2.0",
        extra="models",
        modules=("torch", "diffusers", "transformers"),
        weights=(
            Weights(
                HubRepo("kandinsky-community/kandinsky-2-2-prior", "9fc51ad5732afc5d031724219d22e6c42179c5a8"),
                10_500.0,
                "Apache-2.0",
                folder="kandinsky_prior",
            ),
            Weights(
                HubRepo("kandinsky-community/kandinsky-2-2-decoder", "9ae140d347fed8ce6e8bb3005dcc1f48543bb8e3"),
                5_300.0,
                "Apache-2.0",
                folder="kandinsky_decoder",
            ),
        ),
    )
    source, artefact = Keyframe, Image

    def __init__(
        self, *, weights: str | None = None, negative_prompt: str = NEGATIVE, prior_steps: int = 25,
        prior_guidance: float = 4.0, steps: int = 50, guidance: float = 5.0, size: int = 768, batch_size: int = 1,
        dtype: str | None = None, device: str | None = None, offload: str = "auto", attention_slicing: bool = False,
        scheduler: str | None = None, channels_last: bool = True, compile: bool = False,
    ) -> None:  # fmt: skip
        numbers(
            "kandinsky", prior_steps=(prior_steps, 1, 1000), prior_guidance=(prior_guidance, 0.0, 100.0), steps=(steps, 1, 1000),
            guidance=(guidance, 0.0, 100.0), size=(size, 64, 4096), batch_size=(batch_size, 1, 256),
        )  # fmt: skip
        multiple("kandinsky", "size", size, 64)
        one_of("kandinsky", "offload", offload, OFFLOADS)
        self.weights, self.negative_prompt, self.prior_steps = weights, negative_prompt, prior_steps
        self.prior_guidance, self.steps, self.guidance, self.size = float(prior_guidance), steps, float(guidance), size
        self.batch_size, self.dtype, self.device, self.offload = batch_size, dtype, device, offload
        self.attention_slicing, self.scheduler = attention_slicing, scheduler
        self.channels_last, self.compile = channels_last, compile

    def generate(self, sources: Sequence[Keyframe], seeds: Sequence[int]) -> list[Any]:
        """One picture per (keyframe, seed); a black one, or one that is not finite, is the error that fails it alone."""
        import torch

        if not sources:
            return []
        prior, decoder = self.model()
        warn_of_cuts(
            self.name, prior, [*(p for k in sources for p in blend(k)[0] if isinstance(p, str)), self.negative_prompt]
        )
        generators = devices.generators(seeds)
        wanted, unwanted = [], []
        with devices.memory():
            for keyframe, generator in zip(sources, generators, strict=True):
                conditions, shares = blend(keyframe)
                made = prior.interpolate(
                    conditions, shares, num_inference_steps=self.prior_steps, generator=generator,
                    negative_prompt=self.negative_prompt, guidance_scale=self.prior_guidance,
                )  # fmt: skip
                wanted.append(made.image_embeds)
                unwanted.append(made.negative_image_embeds)
            pictures = decoder(
                image_embeds=torch.cat(wanted), negative_image_embeds=torch.cat(unwanted), height=self.size, width=self.size,
                guidance_scale=self.guidance, num_inference_steps=self.steps, generator=generators, output_type="np",
            ).images  # fmt: skip
        return list(devices.pictures(np.asarray(pictures)))

    def _load(self) -> Any:
        place, kind = self._where()
        folders = self._folders()
        prior, decoder = (checkpoints.pipeline(folders[p], kind, part=self.name, expected=c) for p, c in PARTS.items())
        own, self.scheduler = self.scheduler, None  # the setting is the decoder's: the prior's noise is of another kind
        try:
            prior = self._placed(prior, place)
        finally:
            self.scheduler = own
        return prior, self._placed(decoder, place)

    def _folders(self) -> dict[str, Path]:
        return {w.folder: self.place_of(w) for w in self.card.weights}

    def place_of(self, one: Weights) -> Path:
        """The prior's folder or the decoder's."""
        return hub.folder(self.weights, one, part=self.name, expected=PARTS[one.folder])

    def inspect(self) -> None:
        """As of every pipeline; the scheduler is the decoder's."""
        HubGenerator.inspect(self)
        self._look_into(self._folders()["kandinsky_decoder"], PARTS["kandinsky_decoder"])


def blend(keyframe: Keyframe) -> tuple[list[Any], list[float]]:
    """What the prior blends (texts and pictures) and their weights.

    >>> blend(Keyframe("Calm music.", "folk", "folk art"))
    (['Calm music.', 'folk art'], [0.7, 0.3])
    >>> picture = Image(np.zeros((2, 2, 3), np.uint8))
    >>> blend(Keyframe("Calm music.", "folk", "folk art", (picture, picture)))[1]
    [0.0, 0.35, 0.35, 0.3]
    """
    from PIL import Image as Pillow

    works = [Pillow.fromarray(a.pixels) for a in keyframe.artworks]
    conditions = [keyframe.text, *works, *([keyframe.movement] if keyframe.movement else [])]
    if not works:
        return conditions, [0.7, 0.3] if keyframe.movement else [1.0]
    shares = [0.7 / len(works)] * len(works)
    return conditions, [0.0, *shares, 0.3] if keyframe.movement else [0.3, *shares]
