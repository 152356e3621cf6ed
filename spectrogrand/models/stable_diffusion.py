"""Stable Diffusion by its parts, so that what its UNet reads can be changed: encode, predict noise, sample, decode."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InvalidValue, UnknownName, nearest, require
from ..files import parse_json
from ..weights import checkpoints
from . import devices
from .fusion import Fusion

SAMPLERS = {
    "ddpm": "DDPMScheduler", "ddim": "DDIMScheduler", "pndm": "PNDMScheduler", "dpmsolver++": "DPMSolverMultistepScheduler",
}  # fmt: skip
"""Ho et al. 2020 (chance in every step); Song et al. 2021, Liu et al. 2022 and Lu et al. 2022 (none after the first noise)."""


@dataclass(frozen=True, eq=False)
class Diffusion:
    """A latent diffusion model: UNet, picture autoencoder, text encoder and tokenizer, and its noise schedule as plain data.

    Where a folder holds no autoencoder (`vae` is None) the UNet works on pixels in [-1, 1]: tiny models in tests and proofs.
    """

    unet: Any
    vae: Any
    text_encoder: Any
    tokenizer: Any
    schedule: dict[str, Any]
    place: str

    @property
    def window(self) -> int:
        """Tokens that the text encoder reads: 77."""
        return int(min(self.tokenizer.model_max_length, self.text_encoder.config.max_position_embeddings))

    @property
    def width(self) -> int:
        """Axes of a text token: 768."""
        return int(self.unet.config.cross_attention_dim)

    @property
    def dtype(self) -> Any:
        """The number type of the UNet's weights."""
        return next(self.unet.parameters()).dtype

    def scheduler(self, sampler: str, steps: int | None = None) -> Any:
        """The sampler with the model's own noise schedule, set to `steps` steps where they are given.

        Raises:
            UnknownName: no such sampler.
        """
        import diffusers

        if sampler not in SAMPLERS:
            raise UnknownName(f"no sampler {sampler!r}; {nearest(str(sampler), SAMPLERS)}")
        made = getattr(diffusers, SAMPLERS[sampler]).from_config(self.schedule)
        if steps is not None:
            made.set_timesteps(steps)
        return made

    def read(self, texts: Sequence[str]) -> Any:
        """Text tokens, shape=(text, token, width): the text encoder's last hidden states; longer texts are cut."""
        import torch

        ids = self.tokenizer(
            list(texts), padding="max_length", max_length=self.window, truncation=True, return_tensors="pt"
        ).input_ids
        with torch.no_grad():
            return self.text_encoder(ids.to(self.place))[0].to(self.dtype)

    def encode(self, pixels: Any, generators: Sequence[Any] | None = None) -> Any:
        """Latents, shape=(picture, channel, row, column), of pixels in [-1, 1], shape=(picture, rgb, row, column)."""
        import torch

        if self.vae is None:
            return pixels.to(self.place, self.dtype)
        with torch.no_grad():
            found = self.vae.encode(pixels.to(self.place, self.dtype)).latent_dist
            latents = found.mode() if generators is None else torch.cat([found.sample(g)[:1] for g in generators])
        return latents * self.vae.config.scaling_factor

    def decode(self, latents: Any) -> np.ndarray:
        """Pictures, float32, nominal [0, 1], shape=(picture, row, column, rgb), of latents."""
        import torch

        if self.vae is not None:
            with torch.no_grad():
                latents = self.vae.decode(latents / self.vae.config.scaling_factor).sample
        return np.asarray((latents.float() / 2 + 0.5).permute(0, 2, 3, 1).cpu().numpy(), np.float32)

    def latent_shape(self, size: int) -> tuple[int, int, int]:
        """(channel, row, column) of a square picture's latents.

        Raises:
            InvalidValue: a size that the UNet cannot halve often enough; the nearest one is named.
        """
        factor = 1 if self.vae is None else 2 ** (len(self.vae.config.block_out_channels) - 1)
        fits(size, factor * 2 ** (len(self.unet.config.block_out_channels) - 1))
        return int(self.unet.config.in_channels), size // factor, size // factor


def fits(size: int, step: int) -> None:
    """Check that a model draws pictures of `size` pixels.

    Raises:
        InvalidValue: it draws in multiples of `step`; the nearest one is named.

    >>> fits(512, 64)
    """
    if size % step:
        raise InvalidValue(
            f"this model draws in multiples of {step} pixels, got {size}: size={max(step, round(size / step) * step)}"
        )


def step_of(folder: Path) -> int:
    """Of how many pixels a checkpoint's pictures are multiples, from its two configurations; nothing is loaded."""
    step = 1
    for part in ("vae", "unet"):
        path = folder / part / "config.json"
        try:
            blocks = parse_json(path.read_text("utf-8"))["block_out_channels"] if path.is_file() else [0]
            step *= 2 ** (len(blocks) - 1)
        except (ValueError, KeyError, TypeError, OSError) as error:
            raise InvalidValue(f"{path} is torn ({error}): get it again") from error
    return step


def load(folder: Path, dtype: str, place: str, *, part: str) -> Diffusion:
    """The parts of a Stable Diffusion checkpoint in the hub's layout; its safety checker is not run.

    Raises:
        InvalidValue: torn files, or parts of another architecture. MissingExtra: diffusers is not installed.
    """
    for library in checkpoints.LIBRARIES:
        require(library, "models", part)
    import diffusers
    from transformers import CLIPTextModel, CLIPTokenizer

    for needed in ("unet", "text_encoder", "tokenizer", "scheduler"):
        if not (folder / needed).is_dir():
            raise InvalidValue(
                f"{part}: {folder} holds no {needed}, so it is no Stable Diffusion model: fetch it again"
            )
    unet = checkpoints.model(diffusers.UNet2DConditionModel, folder / "unet", dtype, part=part).to(place)
    vae = None
    if (folder / "vae").is_dir():
        vae = checkpoints.model(diffusers.AutoencoderKL, folder / "vae", dtype, part=part).to(place)
    text = checkpoints.model(CLIPTextModel, folder / "text_encoder", dtype, part=part).to(place)
    try:
        tokenizer = CLIPTokenizer.from_pretrained(folder / "tokenizer", local_files_only=True)
        schedule = parse_json((folder / "scheduler" / "scheduler_config.json").read_text("utf-8"))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidValue(f"{part}: {folder} has no readable tokenizer or scheduler: fetch it again") from error
    return Diffusion(unet, vae, text, tokenizer, dict(schedule), place)


def predict(
    model: Diffusion, fusion: Fusion | None, noisy: Any, step: Any, text: Any, features: Any = None, keep: Any = None
) -> Any:
    """The UNet's prediction for noisy latents at a time step, given text tokens and, through the fusion, music features."""
    import torch

    if fusion is None:
        condition = text
    elif (
        features is None
    ):  # all music dropped: the same path, so that an unfused prediction is the fused one's own null
        blank = torch.zeros(len(text), 1, fusion.settings.music_width, device=text.device, dtype=text.dtype)
        condition = fusion(text, blank, torch.zeros(len(text), dtype=torch.bool, device=text.device))
    else:
        condition = fusion(text, features, keep)
    return model.unet(noisy, step, encoder_hidden_states=condition, return_dict=False)[0]


def sample(
    model: Diffusion, fusion: Fusion | None, prompts: Sequence[str], features: Any, seeds: Sequence[int], *, size: int,
    steps: int, sampler: str = "dpmsolver++", guidance: float = 7.5, music_guidance: float | None = None, negative: str = "",
) -> np.ndarray:  # fmt: skip
    """Pictures, float32, nominal [0, 1], shape=(picture, row, column, rgb), each from its own prompt, features and seed.

    Classifier-free guidance (Ho & Salimans 2022) with two conditions, either of which may be dropped (Brooks et al. 2023,
    InstructPix2Pix, eq. 3, with the text in the picture's place):

        e = e(0, 0) + s_t (e(t, 0) - e(0, 0)) + s_m (e(t, m) - e(t, 0))

    Args:
        features: float32, shape=(picture, time, axis), or None: the text alone.
        guidance: s_t, 1 is none.
        music_guidance: s_m, 1 is none, 0 drops the music; None: as `guidance`. Where both are 1 the
            UNet is asked once, with text and music, as published.
        negative: the text in the place of no text.
    """
    import torch

    shape = model.latent_shape(size)
    noise = devices.generators(seeds)
    scheduler = model.scheduler(sampler, steps)
    x = (
        torch.stack([torch.randn(shape, generator=g) for g in noise]).to(model.place, model.dtype)
        * scheduler.init_noise_sigma
    )
    text, none = model.read(prompts), model.read([negative] * len(prompts))
    heard = None if features is None or fusion is None else torch.as_tensor(features).to(model.place, model.dtype)
    strength = guidance if music_guidance is None else music_guidance
    with torch.no_grad():
        for step in scheduler.timesteps:
            seen = scheduler.scale_model_input(x, step)
            if guidance == strength == 1:
                e = predict(model, fusion, seen, step, text, heard)
            else:
                e = of_text = predict(model, fusion, seen, step, text)
                if guidance != 1:
                    nothing = predict(model, fusion, seen, step, none)
                    e = nothing + guidance * (of_text - nothing)
                if heard is not None and strength != 0:
                    e = e + strength * (predict(model, fusion, seen, step, text, heard) - of_text)
            chance = {"generator": noise} if sampler == "ddpm" else {}
            x = scheduler.step(e, step, x, return_dict=False, **chance)[0]
    return model.decode(x)
