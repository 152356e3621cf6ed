"""The published architectures as their hub configs give them, to be filled with random weights; and the same, tiny.

Speed does not depend on the weights' values. Text encoders are left out: they take a thousandth of the time, and their outputs
are drawn at random in the right shapes.
"""

from __future__ import annotations

from typing import Any

Config = dict[str, Any]

SDXL: Config = {  # stabilityai/stable-diffusion-xl-base-1.0, unet/config.json
    "sample_size": 128, "in_channels": 4, "out_channels": 4, "layers_per_block": 2, "block_out_channels": (320, 640, 1280),
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
    "attention_head_dim": (5, 10, 20), "transformer_layers_per_block": (1, 2, 10), "cross_attention_dim": 2048,
    "use_linear_projection": True, "addition_embed_type": "text_time", "addition_time_embed_dim": 256,
    "projection_class_embeddings_input_dim": 2816,
}  # fmt: skip
IMAGE_VAE: Config = {  # its vae/config.json
    "in_channels": 3, "out_channels": 3, "latent_channels": 4, "layers_per_block": 2, "block_out_channels": (128, 256, 512, 512),
    "down_block_types": ("DownEncoderBlock2D",) * 4, "up_block_types": ("UpDecoderBlock2D",) * 4, "scaling_factor": 0.13025,
}  # fmt: skip
AUDIOLDM2: Config = {  # cvssp/audioldm2-music, as diffusers' converter writes unet/config.json
    "sample_size": 256, "in_channels": 8, "out_channels": 8, "layers_per_block": 2, "block_out_channels": (128, 256, 384, 640),
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
    "transformer_layers_per_block": 1, "cross_attention_dim": ((None, 768, 1024),) * 4,
}  # fmt: skip
SOUND_VAE: Config = {
    "in_channels": 1, "out_channels": 1, "latent_channels": 8, "layers_per_block": 2, "block_out_channels": (128, 256, 512),
    "down_block_types": ("DownEncoderBlock2D",) * 3, "up_block_types": ("UpDecoderBlock2D",) * 3,
}  # fmt: skip
VOCODER: Config = {
    "model_in_dim": 64, "sampling_rate": 16000, "upsample_initial_channel": 1024, "upsample_rates": [5, 4, 2, 2, 2],
    "upsample_kernel_sizes": [16, 16, 8, 4, 4], "resblock_kernel_sizes": [3, 7, 11],
    "resblock_dilation_sizes": [[1, 3, 5]] * 3, "normalize_before": False,
}  # fmt: skip
SVD: Config = {  # stabilityai/stable-video-diffusion-img2vid-xt, unet/config.json
    "sample_size": 96, "in_channels": 8, "out_channels": 4, "layers_per_block": 2, "num_frames": 25,
    "block_out_channels": (320, 640, 1280, 1280), "num_attention_heads": (5, 10, 20, 20), "cross_attention_dim": 1024,
    "down_block_types": ("CrossAttnDownBlockSpatioTemporal",) * 3 + ("DownBlockSpatioTemporal",),
    "up_block_types": ("UpBlockSpatioTemporal",) + ("CrossAttnUpBlockSpatioTemporal",) * 3,
    "addition_time_embed_dim": 256, "projection_class_embeddings_input_dim": 768,
}  # fmt: skip
VIDEO_VAE: Config = {
    "in_channels": 3, "out_channels": 3, "latent_channels": 4, "layers_per_block": 2, "block_out_channels": (128, 256, 512, 512),
    "down_block_types": ("DownEncoderBlock2D",) * 4,
}  # fmt: skip
VISION: Config = {
    "hidden_size": 1280, "intermediate_size": 5120, "num_hidden_layers": 32, "num_attention_heads": 16, "patch_size": 14,
    "image_size": 224, "projection_dim": 1024,
}  # fmt: skip
MUSICGEN: Config = {  # facebook/musicgen-small, config.json
    "text": {"vocab_size": 32128, "d_model": 768, "d_kv": 64, "d_ff": 3072, "num_layers": 12, "num_heads": 12},
    "codec": {
        "sampling_rate": 32000, "audio_channels": 1, "normalize": False, "upsampling_ratios": [8, 5, 4, 4], "num_filters": 64,
        "hidden_size": 128, "codebook_size": 2048, "codebook_dim": 128, "target_bandwidths": [2.2], "use_causal_conv": False,
    },
    "decoder": {
        "vocab_size": 2048, "num_codebooks": 4, "hidden_size": 1024, "ffn_dim": 4096, "num_hidden_layers": 24,
        "num_attention_heads": 16, "max_position_embeddings": 2048, "bos_token_id": 2048, "pad_token_id": 2048,
    },
}  # fmt: skip
FLUX: Config = {  # black-forest-labs/FLUX.1-schnell, transformer/config.json
    "patch_size": 1, "in_channels": 64, "num_layers": 19, "num_single_layers": 38, "attention_head_dim": 128,
    "num_attention_heads": 24, "joint_attention_dim": 4096, "pooled_projection_dim": 768, "axes_dims_rope": (16, 56, 56),
    "guidance_embeds": False,
}  # fmt: skip
ACE_STEP: Config = {  # ACE-Step 1.5 XL turbo: diffusers' defaults with the wider transformer
    "hidden_size": 2560, "intermediate_size": 9728, "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8,
    "head_dim": 128, "in_channels": 192, "audio_acoustic_hidden_dim": 64, "patch_size": 2, "encoder_hidden_size": 2048,
    "is_turbo": True, "model_version": "turbo",
}  # fmt: skip
OOBLECK: Config = {
    "encoder_hidden_size": 128, "downsampling_ratios": [2, 4, 4, 6, 10], "channel_multiples": [1, 2, 4, 8, 16],
    "decoder_channels": 128, "decoder_input_channels": 64, "audio_channels": 2, "sampling_rate": 48000,
}  # fmt: skip

TINY: dict[str, Config] = {
    "SDXL": {
        "sample_size": 8, "block_out_channels": (32, 64, 64), "attention_head_dim": (2, 4, 4), "transformer_layers_per_block": 1,
        "cross_attention_dim": 32, "addition_time_embed_dim": 8, "projection_class_embeddings_input_dim": 80,
    },
    "IMAGE_VAE": {"block_out_channels": (32, 32, 32, 32)},
    "AUDIOLDM2": {"sample_size": 8, "block_out_channels": (32, 32, 64, 64), "cross_attention_dim": ((None, 16, 32),) * 4},
    "SOUND_VAE": {"block_out_channels": (32, 32, 32)},
    "VOCODER": {"upsample_initial_channel": 32},
    "SVD": {
        "sample_size": 8, "num_frames": 3, "block_out_channels": (32, 64, 64, 64), "num_attention_heads": (2, 4, 4, 4),
        "cross_attention_dim": 32, "addition_time_embed_dim": 32, "projection_class_embeddings_input_dim": 96,
    },
    "VIDEO_VAE": {"block_out_channels": (32, 32, 32, 32)},
    "VISION": {
        "hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "patch_size": 32,
        "projection_dim": 32,
    },
    "MUSICGEN": {
        "text": {"vocab_size": 99, "d_model": 16, "d_kv": 8, "d_ff": 16, "num_layers": 1, "num_heads": 2},
        "codec": {**MUSICGEN["codec"], "num_filters": 4, "hidden_size": 8, "codebook_dim": 8, "num_lstm_layers": 1},
        "decoder": {**MUSICGEN["decoder"], "hidden_size": 16, "ffn_dim": 16, "num_hidden_layers": 1, "num_attention_heads": 2},
    },
    "FLUX": {
        "num_layers": 1, "num_single_layers": 1, "attention_head_dim": 16, "num_attention_heads": 2, "joint_attention_dim": 16,
        "pooled_projection_dim": 16, "axes_dims_rope": (4, 4, 8),
    },
    "ACE_STEP": {
        "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 1,
        "head_dim": 8, "encoder_hidden_size": 16,
    },
    "OOBLECK": {"encoder_hidden_size": 64, "decoder_channels": 4, "channel_multiples": [1, 1, 1, 1, 1]},
}  # fmt: skip


def config(name: str, tiny: bool) -> Config:
    """The published config, or the same architecture with its widths and depths made tiny."""
    return {**globals()[name], **(TINY[name] if tiny else {})}
