"""Songs by MusicGen: a language model over an audio codec; text, a melody to follow, and songs longer than its window."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from .... import media
from ....errors import CandidateError, ConfigError, InvalidValue
from ....files import parse_json
from ....interfaces import Card, Weights
from ....models import devices
from ....registry import register
from ....types import Audio, Topic
from ....weights import checkpoints
from ....weights.files import sha256_of
from ....weights.sources import HubRepo
from .._hub_model import HubGenerator, numbers
from .._prompts import filled, warn_of_cuts
from .._step_bar import StepBar
from ._sampling import First, Sampler

CLASSES = {"musicgen": "MusicgenForConditionalGeneration", "musicgen_melody": "MusicgenMelodyForConditionalGeneration"}
SMALL = Weights(HubRepo("facebook/musicgen-small", "4c8334b02c6ec4e8664a91979669a501ec497792"), 2_400.0, "CC-BY-NC-4.0")


@register("musicgen")
class MusicGen(HubGenerator):
    """MusicGen (Copet et al. 2023, arXiv:2306.05284), every candidate sampled by a generator of its own seed.

    A song longer than `window` is continued: the last `overlap` seconds are encoded again, the model plays on from there,
    and the seam is cross-faded over the overlap, where both sides hold the same music.

    Args:
        weights: folder of a MusicGen or MusicGen melody, mono or stereo, in the hub's layout, or a folder with `musicgen` in it.
        model: the model's name on the hub, for the hub's cache.
        prompt: text with {topic}.
        melody: a sound file whose melody the song follows; it goes round where it is shorter. Needs a melody model.
        guidance: guidance scale, 1 is none.
        temperature, top_k: of sampling; top_k 0 is all.
        duration: seconds.
        window: seconds that the model learned.
        overlap: seconds that a continuation hears again.
        batch_size: candidates in one call; halved when memory runs out.
        dtype: "float32", "bfloat16", "float16"; None: float32 on a CPU, bfloat16 on a GPU.
        device: "cpu", "cuda", "cuda:0"; None: a GPU where there is one.
    """

    files = {"melody": "sound"}
    card = Card(
        "MusicGen: text (and a melody) to music of any length",
        paper="Copet et al. 2023, Simple and controllable music generation",
        licence="CC-BY-NC-4.0",
        terms="the weights are for non-commercial use",
        extra="models",
        modules=("torch", "transformers", "diffusers"),
        weights=(SMALL,),
    )
    chooses = ("model",)
    source, artefact = Topic, Audio
    libraries = ("transformers",)

    def __init__(
        self,
        *,
        weights: str | None = None,
        model: str = "facebook/musicgen-small",
        prompt: str = "Jumpy electronic house music about {topic}, 124 bpm, four on the floor",
        melody: str | None = None,
        guidance: float = 3.0,
        temperature: float = 1.0,
        top_k: int = 250,
        duration: float = 30.0,
        window: float = 30.0,
        overlap: float = 10.0,
        batch_size: int = 4,
        dtype: str | None = None,
        device: str | None = None,
    ) -> None:
        numbers(
            "musicgen", guidance=(guidance, 1.0, 100.0), temperature=(temperature, 0.01, 10.0), top_k=(top_k, 0, 10_000),
            duration=(duration, 0.1, 3600.0), window=(window, 0.1, 300.0), overlap=(overlap, 0.02, 300.0),
            batch_size=(batch_size, 1, 256),
        )  # fmt: skip
        if overlap > 0.9 * window:
            raise ConfigError(
                f"musicgen: an overlap of {overlap:g} s leaves too little of a {window:g} s window: overlap=10"
            )
        filled(prompt, topic="")
        self.weights, self.repository, self.prompt, self.melody = weights, model, prompt, melody
        self.guidance, self.temperature, self.top_k = float(guidance), float(temperature), top_k
        self.duration, self.window, self.overlap = float(duration), float(window), float(overlap)
        self.batch_size, self.dtype, self.device = batch_size, dtype, device
        if melody is not None and not isinstance(melody, str):
            raise InvalidValue(f"musicgen takes melody as a sound file, got {melody!r}")
        self.card = replace(type(self).card, weights=(self._hub_weights(),))  # type: ignore[misc]

    def generate(self, sources: Sequence[Topic], seeds: Sequence[int]) -> list[Any]:
        """One song per (topic, seed); a silent one, or one with samples that are not finite, is the error that fails it alone."""
        model, tokenizer, _ = self.model()
        made: list[Any] = [CandidateError("was not made")] * len(seeds)
        groups: dict[str, list[int]] = {}
        for i, topic in enumerate(sources):
            groups.setdefault(filled(self.prompt, topic=topic.text), []).append(i)
        warn_of_cuts(self.name, _Tokenizers(tokenizer), list(groups))
        rate = int(model.config.audio_encoder.sampling_rate)
        for prompt, members in groups.items():
            with devices.memory(), checkpoints.quiet():
                waves = self._songs(prompt, devices.generators([seeds[i] for i in members]), rate)
            for i, sound in zip(members, devices.sounds(waves, rate), strict=True):
                made[i] = sound
        return made

    def identity(self) -> Mapping[str, Any]:
        """As any hub model's, with the sha256 of the melody."""
        return {**super().identity(), **({"melody": sha256_of(self._melody_file())} if self.melody is not None else {})}

    def inspect(self) -> None:
        """As of every hub model; whether the folder holds a MusicGen, and one that follows a melody where there is one."""
        super().inspect()
        self._family(self._folder())
        if self.melody is not None:
            self._melody_file()

    def _songs(self, prompt: str, noise: Sequence[Any], rate: int) -> np.ndarray:
        """Songs of one prompt, float32, shape=(item, channel, time), window after window."""
        frame = int(self.model()[0].config.audio_encoder.frame_rate)
        total, window = round(self.duration * rate), round(self.window * frame)
        overlap = max(1, round(self.overlap * frame))
        hop = rate // frame
        made = self._window(prompt, noise, None, min(window, -(-total // hop)), 0.0)
        while made.shape[-1] < total:
            heard = made[..., -overlap * hop :]
            frames = min(window, overlap - (made.shape[-1] - total) // hop)
            more = self._window(prompt, noise, heard, frames, (made.shape[-1] - heard.shape[-1]) / rate)
            made = joined(made, more, heard.shape[-1])
        return made[..., :total]

    def _window(
        self, prompt: str, noise: Sequence[Any], heard: np.ndarray | None, frames: int, start: float
    ) -> np.ndarray:
        """`frames` codec frames of music, float32, shape=(item, channel, time); with `heard`, that and what follows it."""
        import torch

        model, tokenizer, features = self.model()
        place, kind = self._where()
        text = tokenizer([prompt] * len(noise), padding=True, truncation=True, return_tensors="pt").to(place)
        options: dict[str, Any] = {}
        if self.melody is not None:
            options["input_features"] = self._melody(features, start, len(noise)).to(place, getattr(torch, kind))
        books = model.decoder.config.num_codebooks // model.decoder.config.audio_channels
        known = 0
        with torch.inference_mode(), StepBar(self.name, total=frames) as steps:
            if heard is not None:
                options["decoder_input_ids"] = _codes(model, torch.from_numpy(heard).to(place, getattr(torch, kind)))
                known = options["decoder_input_ids"].shape[-1]
            made = model.generate(
                **text, **options, do_sample=False, guidance_scale=self.guidance, max_new_tokens=frames + books - 1 - known,
                logits_processor=First([Sampler(noise, self.temperature, self.top_k, steps.update)]),
            )  # fmt: skip
        return np.asarray(made.float().cpu().numpy())

    def _melody(self, features: Any, start: float, count: int) -> Any:
        """Chroma of the window's part of the melody, shape=(item, frame, chroma)."""
        from ....media.resampling import resample

        sound = media.load_audio(self._melody_file())
        mono = resample(sound.mono()[None], sound.rate, features.sampling_rate)[0]
        first = round(start * features.sampling_rate)
        part = np.take(mono, np.arange(first, first + round(self.window * features.sampling_rate)), mode="wrap")
        return features([part] * count, sampling_rate=features.sampling_rate, return_tensors="pt").input_features

    def _hub_weights(self) -> Weights:
        if self.repository == SMALL.source.label:
            return SMALL
        return Weights(HubRepo(self.repository), 8_000.0, "CC-BY-NC-4.0")

    def _load(self) -> tuple[Any, Any, Any]:
        import transformers

        place, kind = self._where()
        folder = self._folder()
        family = self._family(folder)
        model = checkpoints.model(getattr(transformers, CLASSES[family]), folder, kind, part=self.name).to(place)
        with checkpoints.said(folder, self.name), checkpoints.quiet():
            tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
            features = transformers.AutoFeatureExtractor.from_pretrained(folder, local_files_only=True)
        return model, tokenizer, features

    def _family(self, folder: Path) -> str:
        """Which of the two kinds of MusicGen a folder holds."""
        with checkpoints.said(folder, self.name):
            family = parse_json((folder / "config.json").read_text("utf-8")).get("model_type")
        if family not in CLASSES:
            raise InvalidValue(
                f"{folder} holds a {family!r} model, musicgen plays {' and '.join(CLASSES)}: fetch musicgen"
            )
        if self.melody is not None and family != "musicgen_melody":
            raise ConfigError(
                f"{folder} cannot follow a melody: set model=facebook/musicgen-melody, or name its folder"
            )
        return str(family)

    def _melody_file(self) -> Path:
        path = Path(str(self.melody)).expanduser()
        if not path.is_file():
            raise InvalidValue(f"musicgen finds no melody {path}: name a sound file, or leave melody out")
        return path


class _Tokenizers:
    """The shape in which prompts are checked against windows."""

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer


def joined(before: np.ndarray, after: np.ndarray, overlap: int) -> np.ndarray:
    """Two sounds, shape=(..., time), as one: the last `overlap` samples of `before` fade into the first of `after`.

    The weights are linear and sum to 1, which keeps the level, because both sides hold the same music there.

    >>> joined(np.ones(4), np.ones(5), 3).round(6).tolist()
    [1.0, 1.0, 1.0, 1.0, 1.0, 1.0]
    """
    rising = (np.arange(overlap, dtype=np.float32) + 0.5) / overlap
    seam = before[..., -overlap:] * (1 - rising) + after[..., :overlap] * rising
    return np.concatenate([before[..., :-overlap], seam, after[..., overlap:]], axis=-1)


def _codes(model: Any, heard: Any) -> Any:
    """Sound as the codec's tokens, shape=(item * codebook, frame); stereo interleaves left and right."""
    import torch

    if model.decoder.config.audio_channels == 1:
        codes = model.audio_encoder.encode(heard).audio_codes[0]
    else:
        left, right = (model.audio_encoder.encode(heard[:, c : c + 1]).audio_codes[0] for c in (0, 1))
        codes = torch.stack([left, right], dim=2).flatten(1, 2)
    return codes.reshape(-1, codes.shape[-1])
