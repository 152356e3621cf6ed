"""Album covers by Stable Diffusion from text and music: the song's features, through a trained fusion, join the prompt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ....albums.brief import AlbumBrief
from ....errors import CandidateError, ConfigError, InvalidValue, MissingExtra
from ....interfaces import Card, Weights
from ....models import devices, fusion
from ....models import stable_diffusion as diffusion
from ....models.sound_frames import MOST, frames_of
from ....registry import inner, register
from ....types import Image
from ....weights.sources import HubRepo
from .._hub_model import HubGenerator, numbers, one_of
from .._prompts import warn_of_cuts

LICENCE = "CreativeML OpenRAIL-M"


@register("fused_diffusion")
class FusedDiffusion(HubGenerator):
    """Draws an album's cover with a Stable Diffusion whose cross-attention reads the prompt fused with the music.

    The prompt is the brief's (`AlbumBrief.prompt`, the published sentences); the music is what `sound_embedder` makes of
    the middle `seconds` of the song; `spectrogrand.models.fusion` says how. Without `fusion` the prompt stands alone, as
    in the published experiments 1 to 3.

    Args:
        weights: folder of the model in the hub's layout, or a folder with `fused_diffusion` in it; None looks into the hub's
            cache. Any Stable Diffusion 1.x does; the published one is miniSD, 256 x 256.
        fusion: safetensors that train/fusion.py wrote, or a checkpoint of the authors' own training
            (`checkpoint_asd_epoch45.pth`), which is read by an unpickler that runs nothing; None: the prompt alone.
        sound_embedder: an embedder's config; it must be the one that the fusion was trained with.
        seconds: length of the clip, 25 as published; shorter songs are read whole.
        sampler: "ddpm", "pndm" (the published tables), "ddim" or "dpmsolver++".
        steps: at most 150 as published.
        guidance: how much the prompt counts, 1 is none.
        music_guidance: how much the music does, 0 drops it; None: as guidance.
            The published fused experiment has no guidance: 1 and 1.
        negative_prompt: what guidance leads away from.
        size: side of the picture in pixels.
        batch_size, dtype, device: as for every hub model.
    """

    parts = {"sound_embedder": "embedders"}
    card = Card(
        "album covers by Stable Diffusion (miniSD, 256 px) from a prompt fused with music features",
        paper="Rombach et al. 2022, Latent diffusion; No-Pain-No-GAN; Ye et al. 2023, IP-Adapter; Brooks et al. 2023, eq. 3",
        licence=LICENCE,
        terms="use restrictions of the OpenRAIL licence; the model's safety checker is not run",
        extra="models",
        modules=("torch", "diffusers", "transformers"),
        weights=(
            Weights(
                HubRepo("lambdalabs/miniSD-diffusers", "26ed8a9bfbf76f46a6cf60517dde321f900c44ce"), 2700.0, LICENCE
            ),
        ),
    )
    source, artefact = AlbumBrief, Image

    def __init__(
        self,
        *,
        weights: str | None = None,
        fusion: str | None = None,
        sound_embedder: Mapping[str, Any] | None = None,
        seconds: float = 25.0,
        sampler: str = "dpmsolver++",
        steps: int = 30,
        guidance: float = 7.5,
        music_guidance: float | None = None,
        negative_prompt: str = "",
        size: int = 256,
        batch_size: int = 4,
        dtype: str | None = None,
        device: str | None = None,
    ) -> None:
        most = {} if music_guidance is None else {"music_guidance": (music_guidance, 0.0, 100.0)}
        numbers(
            "fused_diffusion", seconds=(seconds, 1.0, 600.0), steps=(steps, 1, 1000), guidance=(guidance, 0.0, 100.0),
            size=(size, 8, 2048), batch_size=(batch_size, 1, 256), **most,
        )  # fmt: skip
        one_of("fused_diffusion", "sampler", sampler, sorted(diffusion.SAMPLERS))
        if not isinstance(negative_prompt, str):
            raise InvalidValue(f"negative_prompt is text, got {negative_prompt!r}")
        self.weights, self.fusion, self.seconds, self.sampler, self.steps = (
            weights,
            fusion,
            float(seconds),
            sampler,
            steps,
        )
        self.sound_embedder = dict(sound_embedder) if sound_embedder is not None else {"name": "timbre_rhythm"}
        self.guidance, self.music_guidance, self.negative_prompt = guidance, music_guidance, negative_prompt
        self.size, self.batch_size, self.dtype, self.device = size, batch_size, dtype, device

    def generate(self, sources: Sequence[AlbumBrief], seeds: Sequence[int]) -> list[Any]:
        """One cover per (brief, seed); a black one, or one that is not finite, is the error that fails it alone.

        Raises:
            InvalidValue: a source that is no `AlbumBrief`, or one without a song where music is fused; a song embedded by
                another embedder than the fusion's.
        """
        for brief in sources:
            if not isinstance(brief, AlbumBrief):
                raise InvalidValue(
                    f"fused_diffusion draws an AlbumBrief, got {type(brief).__name__}: pipeline=album_cover"
                )
        if not sources:
            return []
        model, fused = self.model()
        prompts = [brief.prompt for brief in sources]
        warn_of_cuts(self.name, model, [*prompts, self.negative_prompt])
        made: list[Any] = [CandidateError("was not made")] * len(sources)
        songs = [None] * len(sources) if fused is None or not fused.listens else self._features(sources, fused)
        groups: dict[int, list[int]] = {}
        for i, heard in enumerate(songs):  # one call per length of the features: padding would be heard
            groups.setdefault(0 if heard is None else len(heard), []).append(i)
        for members in groups.values():
            rows = [r for i in members if (r := songs[i]) is not None]
            heard = np.stack(rows) if rows else None
            with devices.memory():
                drawn = diffusion.sample(
                    model, fused, [prompts[i] for i in members], heard, [int(seeds[i]) for i in members], size=self.size,
                    steps=self.steps, sampler=self.sampler, guidance=self.guidance, music_guidance=self.music_guidance,
                    negative=self.negative_prompt,
                )  # fmt: skip
            for i, picture in zip(members, devices.pictures(drawn), strict=True):
                made[i] = picture
        return made

    def identity(self) -> Mapping[str, Any]:
        """sha256 of model and fusion, device, number type, batch size, versions, and what the sound embedder depends on."""
        music = {} if self.fusion is None else {"music": dict(self._sound().identity())}
        return {**super().identity(), **music}

    def inspect(self) -> None:
        """Check that the fusion is here and that the model can draw at `size`, from its configuration alone.

        Raises:
            MissingExtra: no fusion where one was named.
            InvalidValue: the model draws in multiples of another number of pixels; the nearest one is named.
        """
        super().inspect()
        if self.fusion is not None:
            self._fusion_file()
        diffusion.fits(self.size, diffusion.step_of(self._folder()))

    def _folders(self) -> dict[str, Path]:
        found = {"weights": self._folder()}
        return found if self.fusion is None else {**found, "fusion": self._fusion_file()}

    def _fusion_file(self) -> Path:
        path = Path(str(self.fusion)).expanduser()
        if not path.is_file():
            raise MissingExtra(f"fused_diffusion finds no {path}: train it with train/fusion.py, or leave fusion out")
        return path

    def _load(self) -> tuple[diffusion.Diffusion, fusion.Fusion | None]:
        place, kind = self._where()
        model = diffusion.load(self._folder(), kind, place, part=self.name)
        model.latent_shape(self.size)
        if self.fusion is None:
            return model, None
        fused = fusion.load(self._fusion_file(), model.unet)
        said, wanted = fused.settings.embedder, self.sound_embedder.get("name")
        if said and said != wanted:
            raise ConfigError(f"the fusion was trained with {said}, not {wanted}: set cover.sound_embedder.name={said}")
        if fused.settings.width != model.width:
            raise InvalidValue(
                f"the fusion's text has {fused.settings.width} axes, the model's {model.width}: train it on this model"
            )
        fused.module.to(place, model.dtype)
        return model, fused

    def _sound(self) -> Any:
        return inner(self, "sound_embedder")

    def _features(self, sources: Sequence[AlbumBrief], fused: fusion.Fusion) -> list[np.ndarray | None]:
        """Features of each brief's song, float32, shape=(time, axis); a song that several briefs share is embedded once."""
        known: dict[int, np.ndarray] = {}
        for brief in sources:
            if brief.song is None:
                raise InvalidValue(
                    "fused_diffusion fuses a song, and the brief holds none: give it one, or leave fusion out"
                )
            if id(brief.song) not in known:
                most = None if fused.settings.published else MOST
                known[id(brief.song)] = frames_of(self._sound(), brief.song, self.seconds, most)
        return [known[id(brief.song)] for brief in sources]
