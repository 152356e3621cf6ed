"""Keyframes by Kandinsky 2.2: its prior blends caption, artworks and art movement, its decoder draws the blend."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ....errors import InvalidValue
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

    With artworks and a movement: caption 0, artworks 0.7 (shared), movement 0.3; without a movement: caption 0.3, artworks
    0.7 (Pina and Li, arXiv:2412.05694, and its notebook). The published way always has an artwork; without one the caption takes
    its place: caption 0.7 and movement 0.3, or the caption alone.

    Args:
        weights: a folder with `kandinsky_prior` and `kandinsky_decoder` in the hub's layout; None: the hub's cache.
        caption_weight: share of the caption; None: as above.
        movement_weight: share of the movement, where a caption has one.
        artwork_weights: how much each artwork counts among the artworks, one number per artwork; None: all alike. They share what
            caption and movement leave.
        negative_prompt: what not to draw, for the prior.
        prior_steps, prior_guidance: denoising steps and guidance scale of it.
        steps, guidance: of the decoder.
        size: side of the square pictures in pixels, a multiple of 64.
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
        self, *, weights: str | None = None, caption_weight: float | None = None, movement_weight: float = 0.3,
        artwork_weights: Sequence[float] | None = None, negative_prompt: str = NEGATIVE, prior_steps: int = 25,
        prior_guidance: float = 4.0, steps: int = 50, guidance: float = 5.0, size: int = 768, batch_size: int = 1,
        dtype: str | None = None, device: str | None = None, offload: str = "auto", attention_slicing: bool = False,
        scheduler: str | None = None, channels_last: bool = True, compile: bool = False,
    ) -> None:  # fmt: skip
        numbers(
            "kandinsky", prior_steps=(prior_steps, 1, 1000), prior_guidance=(prior_guidance, 0.0, 100.0), steps=(steps, 1, 1000),
            guidance=(guidance, 0.0, 100.0), size=(size, 64, 4096), batch_size=(batch_size, 1, 256),
        )  # fmt: skip
        told = caption_weight if caption_weight is not None else 0.0
        shares = artwork_weights if artwork_weights is not None else []
        if isinstance(shares, str) or not isinstance(shares, Sequence):
            raise InvalidValue(f"kandinsky takes artwork_weights as a list of numbers, got {shares!r}")
        numbers(
            "kandinsky", caption_weight=(told, 0.0, 1.0), movement_weight=(movement_weight, 0.0, 1.0 - told),
            **{f"artwork_weights[{k}]": (w, 0.0, 1e6) for k, w in enumerate(shares)},
        )  # fmt: skip
        if artwork_weights is not None and not sum(shares) > 0:
            raise InvalidValue("kandinsky takes artwork_weights of which one at least is above 0: leave them out")
        self.caption_weight, self.movement_weight, self.artwork_weights = (
            caption_weight,
            movement_weight,
            artwork_weights,
        )
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
        blends = [
            blend(k, caption=self.caption_weight, movement=self.movement_weight, artworks=self.artwork_weights)
            for k in sources
        ]
        prior, decoder = self.model()
        warn_of_cuts(
            self.name, prior, [*(p for said, _ in blends for p in said if isinstance(p, str)), self.negative_prompt]
        )
        generators = devices.generators(seeds)
        wanted, unwanted = [], []
        with devices.memory():
            for (conditions, shares), generator in zip(blends, generators, strict=True):
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


def blend(
    keyframe: Keyframe, caption: float | None = None, movement: float = 0.3, artworks: Sequence[float] | None = None
) -> tuple[list[Any], list[float]]:
    """What the prior blends (texts and pictures) and their shares, which sum to 1.

    Args:
        keyframe: caption, artworks, movement.
        caption: its share; None: 0 beside artworks and a movement, 0.3 beside artworks alone.
        movement: the movement's, where there is one.
        artworks: each artwork's weight among them; None: all alike.

    Raises:
        InvalidValue: another number of weights than of artworks.

    >>> blend(Keyframe("Calm music.", "folk", "folk art"))
    (['Calm music.', 'folk art'], [0.7, 0.3])
    >>> picture = Image(np.zeros((2, 2, 3), np.uint8))
    >>> blend(Keyframe("Calm music.", "folk", "folk art", (picture, picture)))[1]
    [0.0, 0.35, 0.35, 0.3]
    >>> blend(Keyframe("Calm music.", None, None, (picture, picture)), caption=0.2, artworks=[3, 1])[1]
    [0.2, 0.6, 0.2]
    """
    from PIL import Image as Pillow

    works = [Pillow.fromarray(a.pixels) for a in keyframe.artworks]
    conditions = [keyframe.text, *works, *([keyframe.movement] if keyframe.movement else [])]
    style = [movement] if keyframe.movement else []
    if not works:
        return conditions, [1.0 - sum(style), *style]
    weights = [1.0] * len(works) if artworks is None else list(artworks)
    if len(weights) != len(works):
        raise InvalidValue(f"kandinsky got {len(weights)} artwork_weights for {len(works)} artworks: give one for each")
    said = (0.0 if style else 0.3) if caption is None else caption
    left = 1.0 - said - sum(style)
    return conditions, [said, *(round(left * w / sum(weights), 12) for w in weights), *style]
