"""biggan: a latent walk drawn by BigGAN-deep with the published ImageNet weights, as the published visualizer does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ....errors import CandidateError, InvalidValue, MissingExtra
from ....interfaces import Card, Weights
from ....models import devices
from ....models.biggan import Network, resolution_of
from ....registry import register
from ....types import Frames, frame_count
from ....walks.latents import LatentWalk
from ....weights import files
from ....weights.sources import Url, remedy
from .._hub_model import HubGenerator, numbers
from ._walks import rate, resized, sides

RESOLUTIONS = (128, 256, 512)
BASE = "https://s3.amazonaws.com/models.huggingface.co/biggan/biggan-deep-"
"""Where the package pytorch-pretrained-biggan downloads its weights from (its model.py and config.py)."""
LICENCE = "Apache-2.0; see terms"


def _published(side: int) -> tuple[Weights, ...]:
    """The two files of one resolution: its configuration, and the pickle that the fetch converts."""
    folder, size = f"biggan-deep-{side}", {128: 202.0, 256: 225.0, 512: 226.0}[side]
    return (
        Weights(Url(f"{BASE}{side}-config.json"), 0.001, LICENCE, "config.json", folder),
        Weights(Url(f"{BASE}{side}-pytorch_model.bin"), size, LICENCE, "model.safetensors", folder),
    )


@register("biggan")
class BigGAN(HubGenerator):
    """Class and noise vectors, as they are, through BigGAN-deep; the walk's truncation picks the batch norms' statistics.

    The published weights are a pickle: `spectrogrand convert pytorch_model.bin model.safetensors` makes of it the file
    that is read here, beside its config.json.

    Args:
        weights: a folder with config.json and model.safetensors, or one with `biggan-deep-512` (and so on) or `biggan` in it.
        resolution: 128, 256 or 512: which of them; None: whichever is there, the largest first (`spectrogrand fetch biggan`
            brings the published 512).
        fps: frames per second, as text or a number.
        size: side of the frames in pixels, or [rows, columns] to which they are cut; None: the resolution.
        batch_size: frames a pass (published: 20 to 30); halved where memory does not hold them.
        dtype, device: of the network; None takes the best that is there.
    """

    card = Card(
        "a latent walk through BigGAN-deep, the published visualizer's network",
        paper="Brock, Donahue & Simonyan, Large scale GAN training for high fidelity natural image synthesis, ICLR 2019",
        licence="MIT",
        terms="weights by DeepMind, converted by Hugging Face (pytorch-pretrained-biggan); ImageNet: research use",
        extra="models",
        modules=("torch",),
        weights=_published(512),
    )
    chooses = ("resolution",)
    source, artefact = LatentWalk, Frames
    libraries = ()

    def __init__(
        self, *, weights: str | None = None, resolution: int | None = None, fps: str | int | float = "30",
        size: int | list[int] | None = None, batch_size: int = 20, dtype: str | None = None, device: str | None = None,
    ) -> None:  # fmt: skip
        if resolution is not None and resolution not in RESOLUTIONS:
            raise InvalidValue(f"biggan has resolutions {RESOLUTIONS}, got {resolution!r}")
        numbers("biggan", batch_size=(batch_size, 1, 1024))
        sides("biggan", RESOLUTIONS[0] if size is None else size)
        self.weights, self.resolution, self.fps, self.size = weights, resolution, fps, size
        self.batch_size, self.dtype, self.device = batch_size, dtype, device
        if resolution not in (None, 512):
            self.card = replace(type(self).card, weights=_published(resolution))  # type: ignore[misc]

    def generate(self, sources: Sequence[LatentWalk], seeds: Sequence[int]) -> list[Frames]:
        """One stream per walk; seeds change nothing, the walk holds its noise.

        Raises:
            MissingExtra: torch or the weights are not here. InvalidValue: weights of another network or resolution.
        """
        self._folder()  # what is missing is said now, not when the first frame is drawn
        return [self._stream(walk) for walk, _ in zip(sources, seeds, strict=True)]

    def _stream(self, walk: LatentWalk) -> Frames:
        fps = rate(self.fps)
        size = sides("biggan", self.size or self.resolution or resolution_of(self._folder()))
        count = frame_count(walk.duration, fps)

        def make() -> Iterator[np.ndarray]:
            for start in range(0, count, self.batch_size):
                here = walk.at(np.arange(start, min(start + self.batch_size, count)) / float(fps))
                for picture in self._drawn(here.noise, here.class_vectors(), walk.truncation):
                    yield resized(picture, size)

        return Frames(make, size, count, fps)

    def _drawn(self, noise: np.ndarray, classes: np.ndarray, truncation: float) -> Iterator[np.ndarray]:
        import torch

        network = self.model()
        try:
            with torch.inference_mode(), devices.memory():
                made = network(torch.from_numpy(noise), torch.from_numpy(classes), truncation)
                made = made.float().permute(0, 2, 3, 1).cpu().numpy()
        except MemoryError:
            if len(noise) == 1:
                raise
            half = len(noise) // 2
            yield from self._drawn(noise[:half], classes[:half], truncation)
            yield from self._drawn(noise[half:], classes[half:], truncation)
            return
        if not np.isfinite(made).all():
            raise CandidateError("BigGAN drew numbers that are not finite: try walk.dtype=float32")
        # as published: 256 equal steps from -1 to 1
        yield from np.clip((made + 1) * 128, 0, 255).astype(np.uint8)

    def _load(self) -> Any:
        place, kind = self._where()
        network = Network.load(self._folder(), place, kind)
        self._check_pixels(network.resolution)
        return network

    def inspect(self) -> None:
        """As of every hub model, and whether the weights draw as many pixels as the setting says."""
        super().inspect()
        self._check_pixels(resolution_of(self._folder()))

    def _check_pixels(self, drawn: int) -> None:
        if self.resolution not in (None, drawn):
            raise InvalidValue(f"the weights draw {drawn} pixels, not {self.resolution}: set walk.resolution={drawn}")

    def _folder(self) -> Path:
        """`biggan-deep-512` (and so on) or `biggan` in the user's folder, that folder itself, or where the fetch puts them.

        Raises:
            MissingExtra: none of them holds a configuration and its weights.
        """
        sides = [self.resolution] if self.resolution else sorted(RESOLUTIONS, reverse=True)
        for base in [*([Path(self.weights).expanduser()] if isinstance(self.weights, str) else []), files.home()]:
            for place in [*(base / f"biggan-deep-{side}" for side in sides), base / self.name, base]:
                if (place / "config.json").is_file() and any(place.glob("*.safetensors")):
                    return place
        wanted = f"biggan-deep-{self.resolution or RESOLUTIONS[-1]}"
        command = remedy(self.card.weights[0], self)
        raise MissingExtra(f"biggan finds no {wanted}: {command}, or set weights=FOLDER", command)

    def place_of(self, one: Weights) -> Path:
        """The one folder that holds both files."""
        return self._folder()
