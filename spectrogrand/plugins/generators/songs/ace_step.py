"""Songs by ACE-Step 1.5: flow matching in a few steps, 48 kHz stereo, minutes long, at a tempo of one's own."""

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
from .._prompts import filled


@register("ace_step")
class ACEStep(DiffusersGenerator):
    """ACE-Step 1.5 turbo (Gong et al. 2025, arXiv:2506.00045, and its successor): all candidates of a prompt as one batch.

    Args:
        weights: folder of the model in the hub's layout, or a folder with `ace_step` in it; None looks into the hub's cache.
        prompt: text with {topic}.
        sung: lyrics; "[instrumental]" is none.
        steps: denoising steps; turbo learned 8.
        guidance: guidance scale; turbo ignores it.
        shift: of the schedule.
        bpm: beats per minute that the model is asked for; None leaves it free.
        key: such as "A minor"; None leaves it free.
        duration: seconds.
        batch_size: candidates in one call; halved when memory runs out.
        dtype: "float32", "bfloat16", "float16"; None: float32 on a CPU, bfloat16 on a GPU.
        device: "cpu", "cuda", "cuda:0"; None: a GPU where there is one.
        offload: "auto" (what the free memory allows), "none", "model" or "sequential".
        attention_slicing: attention in slices: less memory, slower.
        channels_last: memory order of convolutions.
        compile: compile the denoiser at the first call.
    """

    card = Card(
        "ACE-Step 1.5 turbo: 48 kHz stereo songs in eight steps",
        paper="Gong et al. 2025, ACE-Step: A step towards music generation foundation model",
        licence="MIT",
        extra="models",
        modules=("torch", "diffusers", "transformers"),
        weights=(
            Weights(
                HubRepo("ACE-Step/acestep-v15-xl-turbo-diffusers", "200ba991ae448051e14b0183157e35c2d27c9fb0"),
                13_000.0,
                "MIT",
            ),
        ),
    )
    source, artefact = Topic, Audio
    expected = "AceStepPipeline"
    scheduler = None  # its pipeline gives its own schedule

    def __init__(
        self,
        *,
        weights: str | None = None,
        prompt: str = "Jumpy electronic house music about {topic}, four on the floor, punchy kick, deep bass, bright synths",
        sung: str = "[instrumental]",
        steps: int = 8,
        guidance: float = 1.0,
        shift: float = 3.0,
        bpm: int | None = 124,
        key: str | None = None,
        duration: float = 30.0,
        batch_size: int = 4,
        dtype: str | None = None,
        device: str | None = None,
        offload: str = "auto",
        attention_slicing: bool = False,
        channels_last: bool = False,
        compile: bool = False,
    ) -> None:
        numbers(
            "ace_step", steps=(steps, 1, 1000), guidance=(guidance, 0.0, 100.0), shift=(shift, 0.1, 10.0),
            duration=(duration, 0.1, 600.0), batch_size=(batch_size, 1, 256), **({} if bpm is None else {"bpm": (bpm, 30, 300)}),
        )  # fmt: skip
        one_of("ace_step", "offload", offload, OFFLOADS)
        filled(prompt, topic="")
        self.weights, self.prompt, self.sung, self.steps = weights, prompt, str(sung), steps
        self.guidance, self.shift, self.bpm, self.key = float(guidance), float(shift), bpm, key
        self.duration, self.batch_size, self.dtype, self.device = float(duration), batch_size, dtype, device
        self.offload, self.attention_slicing = offload, attention_slicing
        self.channels_last, self.compile = channels_last, compile

    def generate(self, sources: Sequence[Topic], seeds: Sequence[int]) -> list[Any]:
        """One song per (topic, seed); a silent one, or one with samples that are not finite, is the error that fails it alone."""
        pipe = self.model()
        made: list[Any] = [CandidateError("was not made")] * len(seeds)
        groups: dict[str, list[int]] = {}
        for i, topic in enumerate(sources):
            groups.setdefault(filled(self.prompt, topic=topic.text), []).append(i)
        for prompt, members in groups.items():  # one call per prompt: a longer neighbour's padding would be attended to
            waves = self._run(
                pipe,
                prompt=[prompt] * len(members),
                lyrics=[self.sung] * len(members),
                audio_duration=self.duration,
                num_inference_steps=self.steps,
                guidance_scale=self.guidance,
                shift=self.shift,
                bpm=self.bpm,
                keyscale=self.key,
                timesignature="4",
                generator=devices.generators([seeds[i] for i in members]),
                output_type="np",
            ).audios
            length = round(self.duration * pipe.sample_rate)
            sounds = devices.sounds([wave[:, :length] for wave in waves], pipe.sample_rate)
            for i, sound in zip(members, sounds, strict=True):
                made[i] = sound
        return made
