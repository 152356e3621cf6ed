"""Songs by AudioLDM2, the published song model: latent diffusion over a mel spectrogram, 16 kHz mono."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ....errors import CandidateError
from ....interfaces import Card, Weights
from ....models import devices
from ....registry import register
from ....types import Audio, Topic
from ....weights.sources import HubRepo
from .._hub_model import OFFLOADS, DiffusersGenerator, numbers, one_of
from .._prompts import filled, warn_of_cuts

PROMPT = "Jumpy electronic house music for {topic}"
NEGATIVE = "low quality, monotonous, boring"


@register("audioldm2")
class AudioLDM2(DiffusersGenerator):
    """AudioLDM2 (Liu et al. 2023, arXiv:2308.05734) with the published prompt, negative prompt and numbers of steps.

    Every candidate is one waveform of its own seed, and all of them are rated: nothing that was made is thrown away
    unheard. Candidates of one prompt and number of steps are one batch. Candidate n takes steps[seed % len(steps)], so that
    consecutive seeds walk the list.

    Args:
        weights: folder of the model in the hub's layout, or a folder with `audioldm2` in it; None looks into the hub's cache.
        prompt: text with {topic}.
        negative_prompt: what guidance leads away from.
        steps: denoising steps, or a list of them.
        guidance: guidance scale, 1 is none.
        duration: seconds; the model learned 10.24.
        batch_size: candidates in one call; halved when memory runs out.
        dtype: "float32", "bfloat16", "float16"; None: float32 on a CPU, bfloat16 on a GPU.
        device: "cpu", "cuda", "cuda:0"; None: a GPU where there is one.
        offload: "auto" (what the free memory allows), "none", "model" or "sequential".
        attention_slicing: less memory, slower.
        scheduler: a diffusers scheduler's name; None: the shipped one.
        channels_last: memory order of convolutions.
        compile: compile the denoiser at the first call.
    """

    card = Card(
        "AudioLDM2-music, the published song model: 16 kHz mono from text",
        paper="Liu et al. 2023, AudioLDM 2: Learning holistic audio generation with self-supervised pretraining",
        licence="CC-BY-NC-SA-4.0",
        terms="the weights are for non-commercial use",
        extra="models",
        modules=("torch", "diffusers", "transformers"),
        weights=(
            Weights(
                HubRepo("cvssp/audioldm2-music", "d7575171ab06949fd7080ec541647189345bf902"), 4400.0, "CC-BY-NC-SA-4.0"
            ),
        ),
    )
    source, artefact = Topic, Audio
    expected = "AudioLDM2Pipeline"
    instead = {"language_model": "GPT2LMHeadModel"}  # the index names GPT2Model, which cannot generate

    def __init__(
        self,
        *,
        weights: str | None = None,
        prompt: str = PROMPT,
        negative_prompt: str | None = NEGATIVE,
        steps: int | list[int] = 200,
        guidance: float = 3.5,
        duration: float = 10.0,
        batch_size: int = 4,
        dtype: str | None = None,
        device: str | None = None,
        offload: str = "auto",
        attention_slicing: bool = False,
        scheduler: str | None = None,
        channels_last: bool = False,
        compile: bool = False,
    ) -> None:
        self.steps = list(steps) if isinstance(steps, list | tuple) else [steps]
        numbers(
            "audioldm2", **{f"steps[{i}]": (n, 1, 10_000) for i, n in enumerate(self.steps)}, guidance=(guidance, 0.0, 100.0),
            duration=(duration, 0.1, 120.0), batch_size=(batch_size, 1, 256),
            **({} if self.steps else {"steps": (None, 1, 10_000)}),
        )  # fmt: skip
        one_of("audioldm2", "offload", offload, OFFLOADS)
        filled(prompt, topic="")
        self.weights, self.prompt, self.negative_prompt, self.guidance = (
            weights,
            prompt,
            negative_prompt,
            float(guidance),
        )
        self.duration, self.batch_size, self.dtype, self.device = float(duration), batch_size, dtype, device
        self.offload, self.attention_slicing, self.scheduler = offload, attention_slicing, scheduler
        self.channels_last, self.compile = channels_last, compile

    def generate(self, sources: Sequence[Topic], seeds: Sequence[int]) -> list[Any]:
        """One song per (topic, seed); a silent one, or one with samples that are not finite, is the error that fails it alone."""
        pipe = self.model()
        made: list[Any] = [CandidateError("was not made")] * len(seeds)
        groups: dict[tuple[str, int], list[int]] = {}
        for i, (topic, seed) in enumerate(zip(sources, seeds, strict=True)):
            key = filled(self.prompt, topic=topic.text), self.steps[seed % len(self.steps)]
            groups.setdefault(key, []).append(i)
        warn_of_cuts(self.name, pipe, [*(prompt for prompt, _ in groups), self.negative_prompt])
        # One call per prompt: the language model reads positions, so that a longer neighbour's padding would be heard.
        for (prompt, steps), members in groups.items():
            waves = self._run(
                pipe,
                prompt=[prompt] * len(members),
                negative_prompt=[self.negative_prompt] * len(members) if self.negative_prompt else None,
                num_inference_steps=steps,
                guidance_scale=self.guidance,
                audio_length_in_s=self.duration,
                generator=devices.generators([seeds[i] for i in members]),
            ).audios
            rate = int(pipe.vocoder.config.sampling_rate)
            for i, sound in zip(members, devices.sounds([w[None] for w in waves], rate), strict=True):
                made[i] = sound
        return made
