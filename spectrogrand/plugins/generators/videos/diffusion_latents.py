"""diffusion_latents: a latent walk through any diffusers model: a picture's latents per class, mixed, decoded by its VAE."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ....errors import CandidateError, InvalidValue
from ....interfaces import Card, Weights
from ....models import devices
from ....registry import register
from ....types import Frames, frame_count
from ....walks.classes import class_names
from ....walks.latents import LatentWalk
from ....walks.noise_vectors import NOISE
from ....weights import checkpoints
from ....weights.sources import HubRepo
from .._hub_model import HubGenerator, multiple, numbers
from ._walks import rate, sides

_COARSE = 4
"""Latent cells to a side of what one noise axis moves together: finer noise is grain, not motion."""


@register("diffusion_latents")
class DiffusionLatents(HubGenerator):
    """Each chosen class is one latent, sampled once by the UNet from its name; a frame is their mix, moved by the noise vector.

    With weights w of the classes and latents L of roughly unit variance, a frame's latent is sum(w^2 L) / |w^2|, which keeps
    the variance where a plain mean would grey it out, plus `noise` times the noise vector in 128 fixed smooth directions;
    it is decoded by the VAE, one pass a frame. The UNet runs once per class (12 times a video). A folder that
    holds an autoencoder alone walks between normal latents instead.

    Args:
        weights: a folder in the hub's layout: a text-to-image pipeline with UNet and VAE, or an AutoencoderKL alone.
        prompt: of a class, `{name}` in it.
        negative_prompt, steps, guidance: of the sampling.
        noise: how far noise vectors move the latent, 0 to 1.
        fps: frames per second.
        size: side in pixels, a multiple of 8, or [rows, columns], each rounded to one.
        batch_size: frames decoded a pass; halved where memory does not hold them.
        dtype, device: None takes the best.
    """

    card = Card(
        "a latent walk through a diffusers model: class latents by its UNet, frames by its VAE",
        paper="Rombach et al., High-resolution image synthesis with latent diffusion models, CVPR 2022",
        licence="Apache-2.0",
        terms="those of the weights that are given",
        extra="models",
        modules=("torch", "diffusers", "transformers"),
        weights=(
            Weights(HubRepo("stable-diffusion-v1-5/stable-diffusion-v1-5"), 5_500.0, "CreativeML OpenRAIL-M"),
        ),
    )  # fmt: skip
    source, artefact = LatentWalk, Frames

    def __init__(
        self, *, weights: str | None = None, prompt: str = "a photograph of {name}, dramatic light", negative_prompt: str = "",
        steps: int = 25, guidance: float = 7.0, noise: float = 0.25, size: int | list[int] = 512, fps: str | int | float = "30",
        batch_size: int = 4, dtype: str | None = None, device: str | None = None,
    ) -> None:  # fmt: skip
        numbers("diffusion_latents", steps=(steps, 1, 1000), guidance=(guidance, 0.0, 50.0), noise=(noise, 0.0, 1.0),
                batch_size=(batch_size, 1, 1024))  # fmt: skip
        sides("diffusion_latents", size, 8, 8)
        if isinstance(size, int):
            multiple("diffusion_latents", "size", size, 8)
        if not isinstance(prompt, str) or "{name}" not in prompt:
            raise InvalidValue(f"diffusion_latents takes a prompt with {{name}} in it, got {prompt!r}")
        self.weights, self.prompt, self.negative_prompt, self.steps = weights, prompt, negative_prompt, steps
        self.guidance, self.noise, self.size, self.fps, self.batch_size = guidance, noise, size, fps, batch_size
        self.dtype, self.device = dtype, device

    def generate(self, sources: Sequence[LatentWalk], seeds: Sequence[int]) -> list[Frames]:
        """One stream per walk; the seed draws the classes' latents and the directions of the noise.

        Raises:
            MissingExtra: torch, diffusers or the weights are not here.
        """
        self._folder()  # what is missing is said now, not when the first frame is drawn
        return [self._stream(walk, seed) for walk, seed in zip(sources, seeds, strict=True)]

    def _stream(self, walk: LatentWalk, seed: int) -> Frames:
        fps = rate(self.fps)
        count = frame_count(walk.duration, fps)

        def make() -> Iterator[np.ndarray]:
            anchors = np.stack([self._anchor(number, seed) for number in walk.classes])
            smooth = directions(seed, anchors.shape[1:])
            for start in range(0, count, self.batch_size):
                here = walk.at(np.arange(start, min(start + self.batch_size, count)) / float(fps))
                moved = np.tensordot(here.noise * np.float32(self.noise / np.sqrt(NOISE)), smooth, 1)
                yield from self._decoded(mixed(here.weights, anchors) + moved)

        return Frames(make, sides(self.name, self.size, 8, 8), count, fps)

    def _anchor(self, number: int, seed: int) -> np.ndarray:
        """A class's latent, float32, shape=(channel, row, column)."""
        import torch

        vae, pipeline = self.model()
        own = int(np.random.default_rng([seed, number]).integers(2**31))
        generator = devices.generators([own])[0]
        (rows, columns), step = sides(self.name, self.size, 8, 8), 2 ** (len(vae.config.block_out_channels) - 1)
        if pipeline is None:
            return np.asarray(
                torch.randn((vae.config.latent_channels, rows // step, columns // step), generator=generator).numpy()
            )
        with torch.inference_mode(), devices.memory(), checkpoints.quiet():
            made = pipeline(
                prompt=self.prompt.replace("{name}", class_names()[number]), negative_prompt=self.negative_prompt,
                num_inference_steps=self.steps, guidance_scale=self.guidance, generator=generator, height=rows,
                width=columns, output_type="latent",
            ).images  # fmt: skip
        return np.asarray(made[0].float().cpu().numpy())

    def _decoded(self, latents: np.ndarray) -> Iterator[np.ndarray]:
        import torch

        vae, _ = self.model()
        try:
            with torch.inference_mode(), devices.memory():
                x = torch.from_numpy(np.ascontiguousarray(latents)).to(vae.device, vae.dtype)
                x = x / vae.config.scaling_factor + (getattr(vae.config, "shift_factor", None) or 0.0)
                made = vae.decode(x).sample.float().permute(0, 2, 3, 1).cpu().numpy()
        except MemoryError:
            if len(latents) == 1:
                raise
            half = len(latents) // 2
            yield from self._decoded(latents[:half])
            yield from self._decoded(latents[half:])
            return
        if not np.isfinite(made).all():
            raise CandidateError("the autoencoder drew numbers that are not finite: try walk.dtype=float32")
        yield from np.round(np.clip(made * 127.5 + 127.5, 0, 255)).astype(np.uint8)

    def _load(self) -> Any:
        """(autoencoder, text-to-image pipeline or None)."""
        place, kind = self._where()
        folder = self._folder()
        if (folder / "model_index.json").is_file():
            pipeline = checkpoints.pipeline(folder, kind, part=self.name).to(place)
            if not all(hasattr(pipeline, name) for name in ("vae", "unet")):
                raise InvalidValue(
                    f"{folder} is {type(pipeline).__name__}, without a UNet and a VAE: name a Stable Diffusion model"
                )
            return pipeline.vae, pipeline
        from diffusers import AutoencoderKL

        return checkpoints.model(AutoencoderKL, _vae(folder), kind, part=self.name).to(place), None


def _vae(folder: Path) -> Path:
    return folder / "vae" if (folder / "vae").is_dir() else folder


def mixed(weights: np.ndarray, anchors: np.ndarray) -> np.ndarray:
    """Latents of frames, shape=(frame, channel, row, column): squared weights over their Euclidean norm.

    >>> mixed(np.ones((1, 4), np.float32), np.ones((4, 1, 1, 1), np.float32)).ravel().tolist()
    [2.0]
    """
    share = np.square(np.clip(weights, 0, None), dtype=np.float32) + np.float32(1e-12)
    share = share / np.linalg.norm(share, axis=1, keepdims=True)
    return np.asarray(np.tensordot(share, anchors, 1), np.float32)


def directions(seed: int, shape: tuple[int, ...]) -> np.ndarray:
    """128 smooth fields of unit variance, float32, shape=(128, channel, row, column): a coarse grid of normal numbers."""
    channels, rows, columns = shape
    coarse = np.random.default_rng([seed, 128]).normal(
        size=(NOISE, channels, max(2, rows // _COARSE), max(2, columns // _COARSE))
    )
    down, across = (_between(n, m) for n, m in ((rows, coarse.shape[2]), (columns, coarse.shape[3])))
    fields = np.einsum("ri,ncij,sj->ncrs", down, coarse, across, optimize=True)
    return np.asarray(fields / fields.std(axis=(1, 2, 3), keepdims=True), np.float32)


def _between(size: int, knots: int) -> np.ndarray:
    """Linear interpolation from `knots` to `size` values as a matrix, shape=(size, knots)."""
    at = np.linspace(0, knots - 1, size)
    return np.maximum(0, 1 - np.abs(at[:, None] - np.arange(knots)))
