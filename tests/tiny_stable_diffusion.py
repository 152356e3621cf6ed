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
def published(folder):
    """As the 1.x repositories really are: a safety checker, an old class's name, the autoencoder's keys of 2022, fp16 copies.

    Sources: the model_index.json of runwayml/stable-diffusion-v1-5 and CompVis/stable-diffusion-v1-4 as stored pages show them;
    the old attention keys as diffusers' own loader renames them.
    """
    import json

    import torch
    from diffusers import PNDMScheduler, StableDiffusionPipeline
    from diffusers.pipelines.stable_diffusion import StableDiffusionSafetyChecker
    from safetensors.torch import load_file, save_file
    from transformers import CLIPConfig, CLIPImageProcessor

    small = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    sight = {**small, "image_size": 16, "patch_size": 8}
    checker = StableDiffusionSafetyChecker(CLIPConfig(text_config=small, vision_config=sight, projection_dim=8))
    schedule = PNDMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", skip_prk_steps=True, steps_offset=1
    )
    StableDiffusionPipeline(
        vae=image_vae(), text_encoder=clip_text(width=WIDTH), tokenizer=clip_tokenizer(), unet=unet(), scheduler=schedule,
        safety_checker=checker, feature_extractor=CLIPImageProcessor(size=16, crop_size=16),
    ).save_pretrained(folder)  # fmt: skip
    index = json.loads((folder / "model_index.json").read_text())
    index["feature_extractor"] = ["transformers", "CLIPFeatureExtractor"]
    index["safety_checker"] = ["stable_diffusion", "StableDiffusionSafetyChecker"]
    (folder / "model_index.json").write_text(json.dumps(index))
    (folder / "feature_extractor/preprocessor_config.json").write_text(
        json.dumps({"crop_size": 16, "size": 16, "do_center_crop": True, "do_convert_rgb": True, "do_normalize": True,
                    "do_resize": True, "feature_extractor_type": "CLIPFeatureExtractor", "image_mean": [0.48, 0.46, 0.41],
                    "image_std": [0.27, 0.26, 0.28], "resample": 3})
    )  # fmt: skip
    file = next((folder / "vae").glob("*.safetensors"))
    old = {"to_q.": "query.", "to_k.": "key.", "to_v.": "value.", "to_out.0.": "proj_attn."}
    renamed = {}
    for key, value in load_file(file).items():
        for new, name in old.items():
            key = key.replace(new, name)
        renamed[key] = value
    assert any(".query." in k for k in renamed)
    save_file(renamed, file, {"format": "pt"})
    copy = {k: v.to(torch.float16) for k, v in renamed.items()}
    save_file(copy, file.with_name("diffusion_pytorch_model.fp16.safetensors"), {"format": "pt"})


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
