"""Full-size models of random weights, each as a function (batch, steps) that makes items the way the plug-in does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks._architectures import config

Make = Callable[[int, int], None]


@contextmanager
def _born(place: str, kind: str) -> Iterator[Any]:
    """Modules made inside are born on the device in the number type."""
    import torch

    before = torch.get_default_dtype()
    torch.set_default_dtype(getattr(torch, kind))
    try:
        with torch.device(place):
            yield torch
    finally:
        torch.set_default_dtype(before)


def _ready(model: Any, ours: bool, compiled: bool = False) -> Any:
    import torch

    model = model.eval().requires_grad_(False)
    if ours:
        for layer in model.modules():
            if isinstance(layer, torch.nn.Conv2d):
                layer.to(memory_format=torch.channels_last)
        if compiled:
            model.compile()
    return model


def _random(torch: Any, place: str, kind: str, *shape: int) -> Any:
    return torch.randn(shape, device=place, dtype=getattr(torch, kind))


def sdxl(place: str, kind: str, tiny: bool, ours: bool) -> Make:
    """Stable Diffusion XL with guidance 5, from embeddings to a picture."""
    from diffusers import AutoencoderKL, EulerDiscreteScheduler, StableDiffusionXLPipeline, UNet2DConditionModel

    settings = config("SDXL", tiny)
    with _born(place, kind) as torch:
        unet = _ready(UNet2DConditionModel(**settings), ours, compiled=True)
        vae = _ready(AutoencoderKL(**config("IMAGE_VAE", tiny), force_upcast=False), ours)
    pipe = StableDiffusionXLPipeline(
        vae=vae, text_encoder=None, text_encoder_2=None, tokenizer=None, tokenizer_2=None, unet=unet,
        scheduler=EulerDiscreteScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear"),
        add_watermarker=False,
    )  # fmt: skip
    pipe.set_progress_bar_config(disable=True)
    width = settings["cross_attention_dim"]
    pooled = settings["projection_class_embeddings_input_dim"] - 6 * settings["addition_time_embed_dim"]

    def make(batch: int, steps: int) -> None:
        text = [_random(torch, place, kind, batch, 77, width) for _ in range(2)]
        whole = [_random(torch, place, kind, batch, pooled) for _ in range(2)]
        pipe(
            prompt_embeds=text[0], negative_prompt_embeds=text[1], pooled_prompt_embeds=whole[0],
            negative_pooled_prompt_embeds=whole[1], num_inference_steps=steps, guidance_scale=5.0, output_type="pt",
        )  # fmt: skip

    return make


def audioldm2(place: str, kind: str, tiny: bool, ours: bool) -> Make:
    """AudioLDM2-music with guidance 3.5, from embeddings to a waveform of 10.24 s."""
    from diffusers import AudioLDM2UNet2DConditionModel, AutoencoderKL, DDIMScheduler
    from transformers import SpeechT5HifiGan, SpeechT5HifiGanConfig

    settings = config("AUDIOLDM2", tiny)
    with _born(place, kind) as torch:
        unet = _ready(AudioLDM2UNet2DConditionModel(**settings), ours, compiled=True)
        vae = _ready(AutoencoderKL(**config("SOUND_VAE", tiny)), ours)
        vocoder = SpeechT5HifiGan(SpeechT5HifiGanConfig(**config("VOCODER", tiny))).eval()
    scheduler = DDIMScheduler(beta_start=0.0015, beta_end=0.0195, beta_schedule="scaled_linear", clip_sample=False)
    _, first, second = settings["cross_attention_dim"][0]

    def make(batch: int, steps: int) -> None:
        heard = _random(torch, place, kind, 2 * batch, 8, first)
        read = _random(torch, place, kind, 2 * batch, 32, second)
        mask = torch.ones(2 * batch, 32, device=place, dtype=torch.long)
        latents = _random(torch, place, kind, batch, settings["in_channels"], settings["sample_size"], 16)
        scheduler.set_timesteps(steps, device=place)
        with torch.inference_mode():
            for moment in scheduler.timesteps:
                noise = unet(
                    torch.cat([latents] * 2), moment, encoder_hidden_states=heard, encoder_hidden_states_1=read,
                    encoder_attention_mask_1=mask, return_dict=False,
                )[0]  # fmt: skip
                away, toward = noise.chunk(2)
                latents = scheduler.step(away + 3.5 * (toward - away), moment, latents).prev_sample
            vocoder(vae.decode(latents).sample.squeeze(1)).cpu()

    return make


def svd(place: str, kind: str, tiny: bool, ours: bool) -> Make:
    """Stable Video Diffusion img2vid-xt: one clip from one picture."""
    from diffusers import (
        AutoencoderKLTemporalDecoder,
        EulerDiscreteScheduler,
        StableVideoDiffusionPipeline,
        UNetSpatioTemporalConditionModel,
    )
    from PIL import Image
    from transformers import CLIPImageProcessor, CLIPVisionConfig, CLIPVisionModelWithProjection

    settings = config("SVD", tiny)
    with _born(place, kind):
        unet = _ready(UNetSpatioTemporalConditionModel(**settings), ours, compiled=True)
        vae = _ready(AutoencoderKLTemporalDecoder(**config("VIDEO_VAE", tiny), force_upcast=False), ours)
        vision = CLIPVisionModelWithProjection(CLIPVisionConfig(**config("VISION", tiny))).eval()
    pipe = StableVideoDiffusionPipeline(
        vae=vae, image_encoder=vision, unet=unet,
        feature_extractor=CLIPImageProcessor(crop_size=224, size={"shortest_edge": 224}),
        scheduler=EulerDiscreteScheduler(
            prediction_type="v_prediction", use_karras_sigmas=True, timestep_type="continuous", sigma_min=0.002, sigma_max=700
        ),
    )  # fmt: skip
    pipe.set_progress_bar_config(disable=True)
    width, height = (64, 64) if tiny else (1024, 576)

    def make(batch: int, steps: int) -> None:
        for _ in range(batch):
            pipe(
                Image.new("RGB", (width, height), (90, 40, 160)), width=width, height=height, num_inference_steps=steps,
                decode_chunk_size=8, output_type="pt",
            )  # fmt: skip

    return make


def musicgen(place: str, kind: str, tiny: bool, ours: bool) -> Make:
    """MusicGen-small with guidance 3; a step is a token of each codebook, 50 of them a second."""
    from transformers import (
        EncodecConfig,
        GenerationConfig,
        MusicgenConfig,
        MusicgenDecoderConfig,
        MusicgenForConditionalGeneration,
        T5Config,
    )

    parts = config("MUSICGEN", tiny)
    whole = MusicgenConfig(
        text_encoder=T5Config(**parts["text"]), audio_encoder=EncodecConfig(**parts["codec"]),
        decoder=MusicgenDecoderConfig(**parts["decoder"]),
    )  # fmt: skip
    with _born(place, kind) as torch:
        model = MusicgenForConditionalGeneration(whole).eval()
    model.generation_config = GenerationConfig(
        bos_token_id=2048, pad_token_id=2048, decoder_start_token_id=2048, do_sample=True, top_k=250
    )

    def make(batch: int, steps: int) -> None:
        words = torch.randint(3, 90, (batch, 16), device=place)
        with torch.inference_mode():
            model.generate(
                input_ids=words, attention_mask=torch.ones_like(words), guidance_scale=3.0, max_new_tokens=max(8, steps)
            )

    return make


def flux(place: str, kind: str, tiny: bool, ours: bool) -> Make:
    """FLUX.1 schnell, from embeddings to a picture."""
    from diffusers import AutoencoderKL, FlowMatchEulerDiscreteScheduler, FluxPipeline, FluxTransformer2DModel

    settings = config("FLUX", tiny)
    with _born(place, kind) as torch:
        transformer = _ready(FluxTransformer2DModel(**settings), ours, compiled=True)
        vae = _ready(
            AutoencoderKL(**{**config("IMAGE_VAE", tiny), "latent_channels": 16, "shift_factor": 0.1159}), ours
        )
    pipe = FluxPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(), vae=vae, text_encoder=None, tokenizer=None, text_encoder_2=None,
        tokenizer_2=None, transformer=transformer,
    )  # fmt: skip
    pipe.set_progress_bar_config(disable=True)
    side = 64 if tiny else 1024

    def make(batch: int, steps: int) -> None:
        pipe(
            prompt_embeds=_random(torch, place, kind, batch, 256, settings["joint_attention_dim"]),
            pooled_prompt_embeds=_random(torch, place, kind, batch, settings["pooled_projection_dim"]),
            num_inference_steps=steps, guidance_scale=0.0, height=side, width=side, output_type="pt",
        )  # fmt: skip

    return make


def ace_step(place: str, kind: str, tiny: bool, ours: bool) -> Make:
    """ACE-Step 1.5 turbo, from conditions to 10.24 s of 48 kHz stereo."""
    from diffusers import AceStepTransformer1DModel, AutoencoderOobleck

    settings = config("ACE_STEP", tiny)
    with _born(place, kind) as torch:
        transformer = _ready(AceStepTransformer1DModel(**settings), ours, compiled=True)
        vae = AutoencoderOobleck(**config("OOBLECK", tiny)).eval()
    frames = 16 if tiny else 256

    def make(batch: int, steps: int) -> None:
        latents = _random(torch, place, kind, batch, frames, 64)
        context = _random(torch, place, kind, batch, frames, 128)
        conditions = _random(torch, place, kind, batch, 300, settings["encoder_hidden_size"])
        with torch.inference_mode():
            for k in range(steps):
                moment = torch.full((batch,), 1 - k / steps, device=place, dtype=latents.dtype)
                speed = transformer(
                    hidden_states=latents, timestep=moment, timestep_r=moment, encoder_hidden_states=conditions,
                    context_latents=context, return_dict=False,
                )[0]  # fmt: skip
                latents = latents - speed / steps
            vae.decode(latents.transpose(1, 2)).sample.cpu()

    return make
