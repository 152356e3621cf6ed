"""A tiny random Stable Diffusion 1.x in the hub's own layout: the published classes and files, small widths."""

from __future__ import annotations

from tiny_hub import clip_text, clip_tokenizer, image_vae, seeded

WIDTH = 16


def unet(pixels=False):
    from diffusers import UNet2DConditionModel

    channels = 3 if pixels else 4
    return UNet2DConditionModel(
        block_out_channels=(8, 16), layers_per_block=1, sample_size=16, in_channels=channels, out_channels=channels,
        norm_num_groups=4, cross_attention_dim=WIDTH, attention_head_dim=4,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"), up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
    )  # fmt: skip


@seeded
def stable_diffusion(folder, pixels=False):
    """`pixels`: without an autoencoder, so that the UNet works on pixels."""
    from diffusers import PNDMScheduler, StableDiffusionPipeline

    schedule = PNDMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", skip_prk_steps=True, steps_offset=1
    )
    if pixels:
        parts = {
            "unet": unet(True),
            "text_encoder": clip_text(width=WIDTH),
            "tokenizer": clip_tokenizer(),
            "scheduler": schedule,
        }
        for name, part in parts.items():
            part.save_pretrained(folder / name)
        (folder / "model_index.json").write_text('{"_class_name": "StableDiffusionPipeline"}')
        return
    StableDiffusionPipeline(
        vae=image_vae(), text_encoder=clip_text(width=WIDTH), tokenizer=clip_tokenizer(), unet=unet(), scheduler=schedule,
        safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    ).save_pretrained(folder)  # fmt: skip
