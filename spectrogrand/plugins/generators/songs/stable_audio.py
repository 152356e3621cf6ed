"""Songs by Stable Audio Open: latent diffusion over waveforms, 44.1 kHz stereo, up to 47 seconds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ....errors import ConfigError
from ....interfaces import Card, Weights
from ....models import devices
from ....registry import register
from ....types import Audio, Topic
from ....weights.sources import HubRepo
from .._hub_model import OFFLOADS, DiffusersGenerator, numbers, one_of
from .._prompts import filled, warn_of_cuts


@register("stable_audio")
class StableAudio(DiffusersGenerator):
    """Stable Audio Open 1.0 (Evans et al. 2024, arXiv:2407.14358): all candidates as one batch, each with its own noise.

    The sampler is stochastic; its Brownian path is drawn from the candidate's own seed, so that neighbours do not matter.

    Args:
        weights: folder of the model in the hub's layout, or a folder with `stable_audio` in it; None: the hub's cache.
        prompt: text with {topic}.
        negative_prompt: what guidance leads away from.
        steps: denoising steps.
        guidance: guidance scale, 1 is none.
        duration: seconds, at most the model's window (47.5).
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
        "Stable Audio Open 1.0: 44.1 kHz stereo from text",
        paper="Evans et al. 2024, Stable Audio Open",
        licence="Stability AI Community",
        terms="free below a yearly revenue of one million dollars; its terms on the hub must be accepted",
        extra="models",
        modules=("torch", "diffusers", "transformers", "torchsde"),
        weights=(
            Weights(HubRepo("stabilityai/stable-audio-open-1.0", "f21265c1e2710b3bd2386596943f0007f55f802e"),
            5_000.0, "Stability AI Community"
            ),
        ),
    )  # fmt: skip
    source, artefact = Topic, Audio
    expected = "StableAudioPipeline"

    def __init__(
        self,
        *,
        weights: str | None = None,
        prompt: str = "Jumpy electronic house music about {topic}, 124 BPM, four on the floor, high quality",
        negative_prompt: str | None = "low quality, monotonous, boring",
        steps: int = 100,
        guidance: float = 7.0,
        duration: float = 30.0,
        batch_size: int = 4,
        dtype: str | None = None,
        device: str | None = None,
        offload: str = "auto",
        attention_slicing: bool = False,
        scheduler: str | None = None,
        channels_last: bool = False,
        compile: bool = False,
    ) -> None:
        numbers(
            "stable_audio", steps=(steps, 1, 10_000), guidance=(guidance, 0.0, 100.0), duration=(duration, 0.1, 600.0),
            batch_size=(batch_size, 1, 256),
        )  # fmt: skip
        one_of("stable_audio", "offload", offload, OFFLOADS)
        filled(prompt, topic="")
        self.weights, self.prompt, self.negative_prompt, self.steps = weights, prompt, negative_prompt, steps
        self.guidance, self.duration, self.batch_size = float(guidance), float(duration), batch_size
        self.dtype, self.device, self.offload = dtype, device, offload
        self.attention_slicing, self.scheduler = attention_slicing, scheduler
        self.channels_last, self.compile = channels_last, compile

    def generate(self, sources: Sequence[Topic], seeds: Sequence[int]) -> list[Any]:
        """One song per (topic, seed); a silent one, or one with samples that are not finite, is the error that fails it alone.

        Raises:
            ConfigError: `duration` is longer than the model's window.
        """
        pipe = self.model()
        prompts = [filled(self.prompt, topic=topic.text) for topic in sources]
        rate = int(pipe.vae.config.sampling_rate)
        window = pipe.transformer.config.sample_size * pipe.vae.hop_length / rate
        if self.duration > window:
            raise ConfigError(
                f"stable_audio makes at most {window:.1f} s, got {self.duration:g}: song.duration={int(window)}"
            )
        warn_of_cuts(self.name, pipe, [*prompts, self.negative_prompt])
        made = self._run(
            pipe,
            prompt=prompts,
            negative_prompt=[self.negative_prompt] * len(prompts) if self.negative_prompt else None,
            num_inference_steps=self.steps,
            guidance_scale=self.guidance,
            audio_end_in_s=self.duration,
            generator=devices.generators(seeds),
        ).audios
        return list(devices.sounds([wave.float().cpu().numpy() for wave in made], rate))
