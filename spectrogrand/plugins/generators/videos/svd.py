"""Motion by Stable Video Diffusion, the published one: the cover starts to move, clip after clip, as long as the song lasts."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....errors import CandidateError
from ....interfaces import Card, Weights
from ....registry import register
from ....weights.sources import HubRepo
from .._hub_model import OFFLOADS, multiple, numbers, one_of
from ._clips import ClipGenerator, read_rate

TERMS = "Stability AI Non-Commercial Research Community"


@register("svd")
class SVD(ClipGenerator):
    """Stable Video Diffusion img2vid-xt (Blattmann et al. 2023, arXiv:2311.15127), continued from its own last frame.

    Every clip after the first starts from the last frame of the one before; its first `seam` frames fade in over that frame,
    and its colours are moved by what its first frame is off, so that they do not drift. One clip is in memory at a time.

    Args:
        weights: folder of the model in the hub's layout, or a folder with `svd` in it; None looks into the hub's cache.
        fps: of the video.
        rate: model frames per second; None: every frame is new. In between, neighbours are mixed.
        width, height: pixels, multiples of 64; the model learned 1024 x 576.
        frames: in a clip; the model learned 25.
        steps: denoising steps.
        guidance: of the last frame of a clip; the first has 1.
        motion: how much moves, 1 to 255.
        condition_fps: the frame rate that the model is told.
        noise: added to the first frame.
        seam: frames over which a clip fades in.
        decode_chunk: frames decoded at once; fewer take less memory and flicker a little. Halved when memory runs out.
        dtype: "float32", "bfloat16", "float16"; None: float32 on a CPU, bfloat16 on a GPU.
        device: "cpu", "cuda", "cuda:0"; None: a GPU where there is one.
        offload: "auto" (what the free memory allows), "none", "model" or "sequential".
        attention_slicing: attention in slices: less memory, slower.
        scheduler: a diffusers scheduler's name; None: the shipped one.
        channels_last: memory order of convolutions.
        compile: compile the denoiser at the first call.
    """

    card = Card(
        "Stable Video Diffusion img2vid-xt, the published motion model, to any length",
        paper="Blattmann et al. 2023, Stable Video Diffusion",
        licence=TERMS,
        terms="the weights are for research and non-commercial use; their terms on the hub must be accepted",
        extra="models",
        modules=("torch", "diffusers", "transformers"),
        weights=(
            Weights(
                HubRepo("stabilityai/stable-video-diffusion-img2vid-xt", "9e43909513c6714f1bc78bcb44d96e733cd242aa"),
                9_600.0, TERMS,
            ),
        ),
    )  # fmt: skip
    expected = "StableVideoDiffusionPipeline"

    def __init__(
        self,
        *,
        weights: str | None = None,
        fps: str = "10",
        rate: float | None = None,
        width: int = 1024,
        height: int = 576,
        frames: int = 25,
        steps: int = 25,
        guidance: float = 3.0,
        motion: int = 127,
        condition_fps: int = 7,
        noise: float = 0.02,
        seam: int = 4,
        decode_chunk: int = 8,
        dtype: str | None = None,
        device: str | None = None,
        offload: str = "auto",
        attention_slicing: bool = False,
        scheduler: str | None = None,
        channels_last: bool = True,
        compile: bool = False,
    ) -> None:
        numbers(
            "svd", width=(width, 64, 4096), height=(height, 64, 4096), frames=(frames, 2, 100), steps=(steps, 1, 1000),
            guidance=(guidance, 1.0, 20.0), motion=(motion, 1, 255), condition_fps=(condition_fps, 1, 60),
            noise=(noise, 0.0, 1.0), seam=(seam, 0, frames - 1), decode_chunk=(decode_chunk, 1, 100),
            **({} if rate is None else {"rate": (rate, 0.1, 240.0)}),
        )  # fmt: skip
        multiple("svd", "width", width, 64)
        multiple("svd", "height", height, 64)
        one_of("svd", "offload", offload, OFFLOADS)
        self._rate = read_rate("svd", fps)
        self.weights, self.fps, self.rate, self.width, self.height = weights, str(fps), rate, width, height
        self.frames, self.steps, self.guidance, self.motion = frames, steps, float(guidance), motion
        self.condition_fps, self.noise, self.seam, self.decode_chunk = condition_fps, float(noise), seam, decode_chunk
        self.dtype, self.device, self.offload = dtype, device, offload
        self.attention_slicing, self.scheduler = attention_slicing, scheduler
        self.channels_last, self.compile = channels_last, compile

    def _clip(self, start: np.ndarray, noise: Any) -> np.ndarray:
        """One clip from its first picture, decoded in smaller chunks if it must."""
        from PIL import Image as Pillow

        pipe, chunk, state = self.model(), self.decode_chunk, noise.get_state()
        picture = Pillow.fromarray(np.round(np.clip(start, 0, 1) * 255).astype(np.uint8))
        while True:
            noise.set_state(state)
            try:
                made = self._run(
                    pipe, image=picture, width=self.width, height=self.height, num_frames=self.frames,
                    num_inference_steps=self.steps, max_guidance_scale=self.guidance, fps=self.condition_fps,
                    motion_bucket_id=self.motion, noise_aug_strength=self.noise, decode_chunk_size=chunk, generator=noise,
                    output_type="np",
                ).frames[0]  # fmt: skip
                break
            except MemoryError as error:
                if chunk == 1:
                    raise CandidateError("svd does not fit into memory: offload=model, or a smaller width") from error
                chunk //= 2
        return self._checked(made)
