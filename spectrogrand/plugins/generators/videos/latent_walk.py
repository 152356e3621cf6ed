"""A walk through the latents of an image autoencoder: from picture to picture along the sphere, decoded frame by frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ....errors import CandidateError
from ....interfaces import Card, Weights
from ....models import devices
from ....registry import register
from ....types import Frames, Image
from ....walks.storyboard import Walk
from ....weights import checkpoints, hub
from ....weights.sources import HubRepo
from .._hub_model import HubGenerator, multiple, numbers
from ._walks import sides


@register("latent_walk")
class LatentWalk(HubGenerator):
    """Slerp between the latents of consecutive pictures, decoded by the VAE of Stable Diffusion Image Variations.

    A position k + t shows decode(slerp(encode(picture k), encode(picture k + 1), t)), where encode takes the mean of the latent
    distribution (Pina and Li, arXiv:2412.05694). Latents of two pictures are held at a time, whatever the length.

    Args:
        weights: folder of the model in the hub's layout, of its `vae` alone, or a folder with `latent_walk` in it; None: the
            hub's cache.
        size: side of the frames in pixels, a multiple of 8, or [rows, columns], each rounded to one.
        frames_at_once: frames decoded in one call; halved where memory does not hold them.
        dtype: "float32", "bfloat16", "float16"; None: float32 on a CPU, bfloat16 on a GPU.
        device: "cpu", "cuda", "cuda:0"; None: a GPU where there is one.
    """

    card = Card(
        "slerp between image latents, decoded by the VAE of Stable Diffusion Image Variations v2",
        paper="Pinkney 2022, Stable Diffusion Image Variations; Shoemake, SIGGRAPH 1985 (slerp); Pina and Li, arXiv:2412.05694",
        licence="Apache-2.0",
        terms="weights: CreativeML OpenRAIL-M, with its use restrictions",
        extra="models",
        modules=("torch", "diffusers"),
        weights=(
            Weights(
                HubRepo("lambdalabs/sd-image-variations-diffusers", "a2a13984e57db80adcc9e3f85d568dcccb9b29fc", ("vae",)),
                335.0, "CreativeML OpenRAIL-M",
            ),
        ),
    )  # fmt: skip
    source, artefact = Walk, Frames
    libraries = ("diffusers",)

    def __init__(
        self, *, weights: str | None = None, size: int | list[int] = 512, frames_at_once: int = 4, dtype: str | None = None,
        device: str | None = None,
    ) -> None:  # fmt: skip
        numbers("latent_walk", frames_at_once=(frames_at_once, 1, 256))
        sides("latent_walk", size, 8, 8)
        if isinstance(size, int):
            multiple("latent_walk", "size", size, 8)
        self.weights, self.size, self.frames_at_once, self.dtype, self.device = (
            weights,
            size,
            frames_at_once,
            dtype,
            device,
        )

    def generate(self, sources: Sequence[Walk], seeds: Sequence[int]) -> list[Frames]:
        """One stream per walk; seeds change nothing, for the latents' means have no noise."""
        self._folder()  # what is missing is said now, not when the first frame is drawn
        return [self._stream(walk) for walk, _ in zip(sources, seeds, strict=True)]

    def _stream(self, walk: Walk) -> Frames:
        def make() -> Iterator[np.ndarray]:
            last = len(walk.pictures) - 1
            held: dict[int, Any] = {}
            for start in range(0, walk.count, self.frames_at_once):
                some = walk.positions[start : start + self.frames_at_once]
                steps = [min(int(p), max(last - 1, 0)) for p in some]
                for k in sorted({n for s in steps for n in (s, min(s + 1, last))}):
                    if k not in held:
                        held[k] = self._encoded(walk.pictures[k])
                points = [
                    slerp(held[s], held[min(s + 1, last)], float(p) - s) for p, s in zip(some, steps, strict=True)
                ]
                held = {k: v for k, v in held.items() if k >= steps[-1]}
                yield from self._decoded(points)

        return Frames(make, sides(self.name, self.size, 8, 8), walk.count, walk.fps)

    def _load(self) -> Any:
        from diffusers import AutoencoderKL

        place, kind = self._where()
        return checkpoints.model(AutoencoderKL, self._vae(), kind, part=self.name).to(place)

    def _vae(self) -> Path:
        return self._folder()

    def place_of(self, one: Weights) -> Path:
        """The folder of the VAE alone: all that is fetched of the model, and all that is read of a whole one."""
        return hub.folder(self.weights, one, part=self.name, inside="vae")

    def _folders(self) -> dict[str, Path]:
        return {"weights": self._vae()}

    def _encoded(self, picture: Image) -> Any:
        """The scaled mean of a picture's latents, shape=(channel, row, column)."""
        import torch

        model = self.model()
        pixels = torch.from_numpy(picture.resized(*sides(self.name, self.size, 8, 8)).pixels.copy()).permute(2, 0, 1)[
            None
        ]
        with torch.inference_mode(), devices.memory():
            drawn = (pixels.to(model.device, model.dtype) / 127.5) - 1
            return model.encode(drawn).latent_dist.mean[0].float() * model.config.scaling_factor

    def _decoded(self, points: Sequence[Any]) -> Iterator[np.ndarray]:
        import torch

        model = self.model()
        try:
            with torch.inference_mode(), devices.memory():
                latents = torch.stack(list(points)).to(model.device, model.dtype) / model.config.scaling_factor
                made = model.decode(latents).sample.float().permute(0, 2, 3, 1).cpu().numpy()
        except MemoryError:
            if len(points) == 1:
                raise
            half = len(points) // 2
            yield from self._decoded(points[:half])
            yield from self._decoded(points[half:])
            return
        if not np.isfinite(made).all():
            raise CandidateError("the autoencoder drew numbers that are not finite: try morph.dtype=float32")
        yield from np.round(np.clip(made * 127.5 + 127.5, 0, 255)).astype(np.uint8)


def slerp(a: Any, b: Any, t: float) -> Any:
    """Spherical linear interpolation of two tensors taken as vectors (Shoemake 1985); linear where they are nearly parallel.

    >>> import torch
    >>> slerp(torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0]), 0.5).tolist()
    [0.7071067690849304, 0.7071067690849304]
    """
    import torch

    dot = float(
        (a.flatten() @ b.flatten()) / (torch.linalg.vector_norm(a) * torch.linalg.vector_norm(b)).clamp_min(1e-12)
    )
    if abs(dot) > 0.9995:
        return a + (b - a) * t
    angle = float(np.arccos(dot))
    return (np.sin((1 - t) * angle) * a + np.sin(t * angle) * b) / np.sin(angle)
