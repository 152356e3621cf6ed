"""Captions of music by LP-MusicCaps, the captioner of the published music visualiser."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ....errors import CandidateError, InvalidValue, MissingExtra
from ....interfaces import Card, Weights
from ....media import resample
from ....models import devices
from ....models import lp_music_caps as lpmc
from ....registry import register
from ....types import Audio
from ....weights import files as weights
from ....weights import hub
from ....weights.sources import HubRepo, Url
from .._hub_model import HubGenerator, numbers
from ._music_language import one_line

FILE = "lp_music_caps.safetensors"
SOURCE = "https://huggingface.co/seungheondoh/lp-music-caps/resolve/main/transfer.pth"
BART = ("config.json", "vocab.json", "merges.txt")


@register("lp_music_caps")
class LPMusicCaps(HubGenerator):
    """A caption of up to 10 s of music (longer is cut, shorter is padded with silence) by beam search, as published.

    Args:
        weights: a folder, or one with `lp_music_caps` in it, that holds lp_music_caps.safetensors (what `spectrogrand convert`
            makes of the published transfer.pth) and BART's config.json, vocab.json and merges.txt (else the hub's cache).
        beams: of the search, 5 as published.
        tokens: at most so many in a caption.
        dtype: "float32", "bfloat16", "float16"; None: float32 on a CPU, bfloat16 on a GPU.
        device: "cpu", "cuda", "cuda:0"; None: a GPU where there is one.
    """

    card = Card(
        "captions of 10 s of music by LP-MusicCaps: a mel and CNN encoder, and BART",
        paper="Doh et al., LP-MusicCaps, ISMIR 2023, arXiv:2307.16372",
        licence="MIT",
        terms="the weights are a pickle, which the fetch converts without running it",
        extra="models",
        modules=("torch", "transformers"),
        weights=(
            Weights(Url(SOURCE), 1_780.0, "MIT", FILE),
            Weights(HubRepo("facebook/bart-base", "aadd2ab0ae0c8268c7c9693540e9904811f36177"), 558.0, "Apache-2.0"),
        ),
    )
    source, artefact = Audio, str
    libraries = ("transformers",)

    def __init__(
        self, *, weights: str | None = None, beams: int = 5, tokens: int = 128, dtype: str | None = None,
        device: str | None = None,
    ) -> None:  # fmt: skip
        numbers("lp_music_caps", beams=(beams, 1, 64), tokens=(tokens, 2, 1000))
        self.weights, self.beams, self.tokens, self.dtype, self.device = weights, beams, tokens, dtype, device

    def generate(self, sources: Sequence[Audio], seeds: Sequence[int]) -> list[Any]:
        """One caption per sound; seeds change nothing. An empty one is the error that fails it alone.

        Raises:
            InvalidValue: a source that is no sound. MissingExtra: no weights, or not all of them.
        """
        import torch

        for sound in sources:
            if not isinstance(sound, Audio):
                raise InvalidValue(
                    f"lp_music_caps describes Audio, got {type(sound).__name__}: load it with load_audio"
                )
        if not sources:
            return []
        model, tokenizer = self.model()
        first = next(model.parameters())
        said = []
        for sound in sources:  # one at a time, so that a caption does not depend on its neighbours' padding
            mel = torch.from_numpy(lpmc.mel(_fitted(sound)))[None].to(first.device, first.dtype)
            with torch.inference_mode(), devices.memory():
                ids = model.generate(
                    mel,
                    max_length=self.tokens,
                    min_length=2,
                    num_beams=self.beams,
                    repetition_penalty=1.0,
                    do_sample=False,
                )
            said.append(one_line(tokenizer.batch_decode(ids, skip_special_tokens=True)[0]))
        return [text or CandidateError("lp_music_caps said nothing about the sound") for text in said]

    def _load(self) -> Any:
        from transformers import BartConfig, BartTokenizer

        place, kind = self._where()
        folder, file = self._bart(), self._file()
        import torch

        with torch.random.fork_rng(devices=[]):
            model = lpmc.build(BartConfig.from_pretrained(folder, local_files_only=True))
        tensors = lpmc.tensors_of(weights.load_torch(file))
        tensors.setdefault("audio_encoder.positional_embedding", model.audio_encoder.positional_embedding)
        weights.fill(model, tensors, str(file))
        tokenizer = BartTokenizer.from_pretrained(folder, local_files_only=True)
        return model.eval().requires_grad_(False).to(place, getattr(torch, kind)), tokenizer

    def identity(self) -> Mapping[str, Any]:
        """sha256 of the weights, device, number type, batch size, library versions (librosa makes the mel spectrogram)."""
        place, kind = self._where()
        return devices.identity(self._folders(), place, kind, self.batch_size, "transformers", "librosa")

    def _folders(self) -> dict[str, Path]:
        return {"weights": self._file(), "bart": self._bart()}

    def _file(self) -> Path:
        """The converted weights: in the folder that the user named, or where `spectrogrand fetch` puts them."""
        own = Path(self.weights).expanduser() if self.weights is not None else weights.home()
        found = next((p / FILE for p in (own, own / self.name) if (p / FILE).is_file()), None)
        if found is None:
            raise MissingExtra(
                f"lp_music_caps finds no {FILE} in {own}: spectrogrand fetch lp_music_caps, or convert the published "
                f"transfer.pth (spectrogrand convert transfer.pth {FILE}) and set weights=FOLDER"
            )
        return found

    def _bart(self) -> Path:
        """The folder of BART's configuration and vocabulary: beside the weights, or the hub's cache."""
        beside = self._file().parent
        lacking = [name for name in BART if not (beside / name).is_file()]
        if not lacking:
            return beside
        try:
            return hub.folder(None, self.card.weights[1], part=self.name)
        except MissingExtra as error:
            raise MissingExtra(f"lp_music_caps finds no {lacking[0]} in {beside}: {error}") from error


def _fitted(sound: Audio) -> np.ndarray:
    """Ten seconds at 16 kHz, one channel, float32, shape=(160000,)."""
    count = lpmc.RATE * lpmc.SECONDS
    part = np.ascontiguousarray(sound.samples[:, : 11 * sound.rate].mean(axis=0, dtype=np.float32))
    wave = resample(part[None], sound.rate, lpmc.RATE)[0][:count]
    return np.pad(wave, (0, count - len(wave)))
