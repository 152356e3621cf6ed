"""Motion by Wan 2.2 TI2V-5B, whose licence is free: the cover starts to move, clip after clip, as long as the song lasts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ....errors import CandidateError, ConfigError, InvalidValue
from ....interfaces import Card, Weights
from ....registry import register
from ....weights import hub
from ....weights.sources import HubRepo
from .._hub_model import OFFLOADS, multiple, numbers, one_of
from ._clips import ClipGenerator, read_rate

PIPELINES = ("WanPipeline", "WanImageToVideoPipeline")
"""What the index of a model of both ways names; it is loaded as the second."""
NEGATIVE = "text, watermark, static, blurry, low quality, deformed, flicker"


@register("wan")
class Wan(ClipGenerator):
    """Wan 2.2 TI2V-5B (Wan team 2025, arXiv:2503.20314), continued from its own last frame as `svd` is.

    It reads a picture and a sentence; it has never heard the song.

    Args:
        weights: folder of the model in the hub's layout, or a folder with `wan` in it; None looks into the hub's cache.
        prompt: what happens.
        negative_prompt: what not.
        fps: of the video.
        rate: model frames per second, 24 as it learned; None: every frame is new.
        width, height: pixels, multiples of 32; the model learned 1280 x 704.
        frames: in a clip, 4 k + 1; the model learned 121.
        steps: denoising steps.
        guidance: guidance scale.
        seam: frames over which a clip fades in.
        dtype: "float32", "bfloat16", "float16"; None: float32 on a CPU, bfloat16 on a GPU.
        device: "cpu", "cuda", "cuda:0"; None: a GPU where there is one.
        offload: "auto" (what the free memory allows), "none", "model" or "sequential".
        attention_slicing: attention in slices: less memory, slower.
        scheduler: a diffusers scheduler's name; None: the shipped one.
        channels_last: memory order of convolutions.
        compile: compile the denoiser at the first call.
    """

    card = Card(
        "Wan 2.2 TI2V-5B: motion under a free licence, to any length",
        paper="Wan team 2025, Wan: open and advanced large-scale video generative models, arXiv:2503.20314",
        licence="Apache-2.0",
        extra="models",
        modules=("torch", "diffusers", "transformers", "ftfy"),
        weights=(Weights(HubRepo("Wan-AI/Wan2.2-TI2V-5B-Diffusers"), 34_000.0, "Apache-2.0"),),
    )
    auto = "WanImageToVideoPipeline"

    def __init__(
        self,
        *,
        weights: str | None = None,
        prompt: str = "the scene comes alive, slow and steady camera motion",
        negative_prompt: str = NEGATIVE,
        fps: str = "30",
        rate: float | None = 24.0,
        width: int = 1280,
        height: int = 704,
        frames: int = 121,
        steps: int = 50,
        guidance: float = 5.0,
        seam: int = 4,
        dtype: str | None = None,
        device: str | None = None,
        offload: str = "auto",
        attention_slicing: bool = False,
        scheduler: str | None = None,
        channels_last: bool = False,
        compile: bool = False,
    ) -> None:
        numbers(
            "wan", width=(width, 32, 4096), height=(height, 32, 4096), frames=(frames, 5, 1001), steps=(steps, 1, 1000),
            guidance=(guidance, 0.0, 100.0), seam=(seam, 0, frames - 1),
            **({} if rate is None else {"rate": (rate, 0.1, 240.0)}),
        )  # fmt: skip
        multiple("wan", "width", width, 32)
        multiple("wan", "height", height, 32)
        if frames % 4 != 1:
            raise ConfigError(f"wan draws 4 k + 1 frames a clip, got {frames}: frames={4 * (frames // 4) + 1}")
        one_of("wan", "offload", offload, OFFLOADS)
        self._rate = read_rate("wan", fps)
        self.weights, self.prompt, self.negative_prompt, self.fps, self.rate = (
            weights,
            prompt,
            negative_prompt,
            str(fps),
            rate,
        )
        self.width, self.height, self.frames, self.steps = width, height, frames, steps
        self.guidance, self.seam, self.dtype, self.device, self.offload = float(guidance), seam, dtype, device, offload
        self.attention_slicing, self.scheduler = attention_slicing, scheduler
        self.channels_last, self.compile = channels_last, compile

    def _look_into(self, folder: Path, expected: str | None) -> None:
        found = hub.class_of(folder)
        if found not in PIPELINES:
            raise InvalidValue(f"{folder} holds a {found}, wan runs {' or '.join(PIPELINES)}: spectrogrand fetch wan")
        super()._look_into(folder, None)

    def _clip(self, start: np.ndarray, noise: Any) -> np.ndarray:
        from PIL import Image as Pillow

        picture = Pillow.fromarray(np.round(np.clip(start, 0, 1) * 255).astype(np.uint8))
        try:
            made = self._run(
                self.model(), image=picture, prompt=self.prompt, negative_prompt=self.negative_prompt, width=self.width,
                height=self.height, num_frames=self.frames, num_inference_steps=self.steps, guidance_scale=self.guidance,
                generator=noise, output_type="np",
            ).frames[0]  # fmt: skip
        except MemoryError as error:
            raise CandidateError("wan does not fit into memory: offload=sequential, or fewer frames") from error
        return self._checked(made)
