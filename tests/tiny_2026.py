"""Tiny random checkpoints of today's picture and video models, of the classes that their published indexes name."""

from __future__ import annotations

import json
from pathlib import Path

from tiny_hub import image_vae, seeded
from tiny_visuals import _qwen_tokenizer


def _named(folder, **components):
    """Classes in an index as the repository names them: tokenizers' fast classes have other names in today's library."""
    path = Path(folder) / "model_index.json"
    index = json.loads(path.read_text()) | {k: list(v) for k, v in components.items()}
    path.write_text(json.dumps(index))


def _chat_tokenizer():
    made = _qwen_tokenizer("<think>", "</think>")
    made.chat_template = (
        "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
        "<|im_start|>assistant\n"
    )
    return made


def _qwen3(cls, width=16, layers=2):
    from transformers import Qwen3Config

    return cls(
        Qwen3Config(
            vocab_size=300, hidden_size=width, intermediate_size=2 * width, num_hidden_layers=layers, num_attention_heads=2,
            num_key_value_heads=1, head_dim=8,
        )
    ).eval()  # fmt: skip


@seeded
def flux2_klein(folder):
    from diffusers import (
        AutoencoderKLFlux2,
        FlowMatchEulerDiscreteScheduler,
        Flux2KleinPipeline,
        Flux2Transformer2DModel,
    )
    from transformers import Qwen3ForCausalLM

    transformer = Flux2Transformer2DModel(
        patch_size=1, in_channels=16, num_layers=1, num_single_layers=1, attention_head_dim=16, num_attention_heads=2,
        joint_attention_dim=48, timestep_guidance_channels=16, axes_dims_rope=(4, 4, 4, 4), guidance_embeds=False,
    )  # fmt: skip
    vae = AutoencoderKLFlux2(
        down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2, block_out_channels=(8, 16),
        layers_per_block=1, latent_channels=4, norm_num_groups=4, sample_size=32,
    )  # fmt: skip
    Flux2KleinPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True), vae=vae,
        text_encoder=_qwen3(Qwen3ForCausalLM, layers=28), tokenizer=_chat_tokenizer(), transformer=transformer, is_distilled=True,
    ).save_pretrained(folder)  # fmt: skip
    _named(folder, tokenizer=("transformers", "Qwen2TokenizerFast"))


@seeded
def z_image(folder):
    from diffusers import FlowMatchEulerDiscreteScheduler, ZImagePipeline, ZImageTransformer2DModel
    from transformers import Qwen3Model

    transformer = ZImageTransformer2DModel(
        all_patch_size=(2,), all_f_patch_size=(1,), in_channels=4, dim=32, n_layers=1, n_refiner_layers=1, n_heads=2,
        n_kv_heads=2, cap_feat_dim=16, axes_dims=[4, 6, 6], axes_lens=[256, 64, 64],
    )  # fmt: skip
    for parameter in (transformer.x_pad_token, transformer.cap_pad_token):
        parameter.data.normal_()  # torch.empty: whatever lay in memory
    ZImagePipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0), vae=image_vae(scaling_factor=0.3611, shift_factor=0.1159),
        text_encoder=_qwen3(Qwen3Model), tokenizer=_chat_tokenizer(), transformer=transformer,
    ).save_pretrained(folder)  # fmt: skip


@seeded
def wan(folder):
    from diffusers import AutoencoderKLWan, UniPCMultistepScheduler, WanImageToVideoPipeline, WanTransformer3DModel
    from tiny_hub import t5_tokenizer
    from transformers import UMT5Config, UMT5EncoderModel

    vae = AutoencoderKLWan(
        base_dim=8, decoder_base_dim=8, z_dim=4, dim_mult=[1, 1, 1], num_res_blocks=1, temperal_downsample=[False, True],
        latents_mean=[0.0] * 4, latents_std=[1.0] * 4, in_channels=3, out_channels=3,
        scale_factor_temporal=2, scale_factor_spatial=4,
    )  # fmt: skip
    transformer = WanTransformer3DModel(
        patch_size=(1, 2, 2), num_attention_heads=2, attention_head_dim=12, in_channels=4, out_channels=4, text_dim=16,
        freq_dim=32, ffn_dim=32, num_layers=1, rope_max_seq_len=32, image_dim=None,
    )  # fmt: skip
    text = UMT5EncoderModel(UMT5Config(vocab_size=96, d_model=16, d_kv=8, d_ff=32, num_layers=1, num_heads=2)).eval()
    schedule = UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=5.0)
    WanImageToVideoPipeline(
        tokenizer=t5_tokenizer(), text_encoder=text, vae=vae, scheduler=schedule, transformer=transformer,
        image_encoder=None, image_processor=None, transformer_2=None, expand_timesteps=True,
    ).save_pretrained(folder)  # fmt: skip
    _named(folder, tokenizer=("transformers", "T5TokenizerFast"))


MAKERS = {"flux2_klein": flux2_klein, "z_image": z_image, "wan": wan}
