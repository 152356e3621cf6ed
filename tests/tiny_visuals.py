"""Tiny random checkpoints of the music visualiser's models, written by the libraries themselves in the hub's own layout."""

from __future__ import annotations

import json

from tiny_hub import clip_text, clip_tokenizer, image_vae, seeded


@seeded
def kandinsky_prior(folder):
    from diffusers import KandinskyV22PriorPipeline, PriorTransformer, UnCLIPScheduler
    from transformers import CLIPImageProcessor, CLIPVisionConfig, CLIPVisionModelWithProjection

    vision = CLIPVisionConfig(
        hidden_size=16, projection_dim=16, num_hidden_layers=1, num_attention_heads=2, image_size=32, intermediate_size=20,
        patch_size=16,
    )  # fmt: skip
    prior = PriorTransformer(
        num_attention_heads=2,
        attention_head_dim=8,
        num_layers=1,
        embedding_dim=16,
        num_embeddings=77,
        additional_embeddings=4,
    )
    prior.clip_std.data.fill_(1.0)  # a new one multiplies all it says by zero
    scheduler = UnCLIPScheduler(
        variance_type="fixed_small_log",
        prediction_type="sample",
        num_train_timesteps=1000,
        clip_sample=True,
        clip_sample_range=10.0,
    )
    KandinskyV22PriorPipeline(
        prior=prior, image_encoder=CLIPVisionModelWithProjection(vision).eval(), text_encoder=clip_text(True),
        tokenizer=clip_tokenizer(), scheduler=scheduler,
        image_processor=CLIPImageProcessor(crop_size=32, size={"shortest_edge": 32}),
    ).save_pretrained(folder)  # fmt: skip


@seeded
def kandinsky_decoder(folder):
    from diffusers import DDPMScheduler, KandinskyV22Pipeline, UNet2DConditionModel, VQModel

    unet = UNet2DConditionModel(
        in_channels=4, out_channels=8, addition_embed_type="image", encoder_hid_dim=16, encoder_hid_dim_type="image_proj",
        down_block_types=("ResnetDownsampleBlock2D", "SimpleCrossAttnDownBlock2D"),
        up_block_types=("SimpleCrossAttnUpBlock2D", "ResnetUpsampleBlock2D"), mid_block_type="UNetMidBlock2DSimpleCrossAttn",
        block_out_channels=(16, 32), layers_per_block=1, cross_attention_dim=16, attention_head_dim=4,
        resnet_time_scale_shift="scale_shift", class_embed_type=None, norm_num_groups=8,
    )  # fmt: skip
    movq = VQModel(
        block_out_channels=(32, 64), down_block_types=("DownEncoderBlock2D", "AttnDownEncoderBlock2D"), in_channels=3,
        latent_channels=4, layers_per_block=1, norm_num_groups=8, norm_type="spatial", num_vq_embeddings=12, out_channels=3,
        up_block_types=("AttnUpDecoderBlock2D", "UpDecoderBlock2D"), vq_embed_dim=4,
    )  # fmt: skip
    KandinskyV22Pipeline(unet=unet, scheduler=DDPMScheduler(num_train_timesteps=1000), movq=movq).save_pretrained(
        folder
    )


@seeded
def variations_vae(folder):
    image_vae().save_pretrained(folder)


ROBOT = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{% for c in m['content'] %}{% if c['type'] == 'audio' %}{SOUND}"
    "{% else %}{{ c['text'] }}{% endif %}{% endfor %}<|im_end|>\n{% endfor %}<|im_start|>assistant\n"
)


def _qwen_tokenizer(*special):
    from tokenizers.pre_tokenizers import ByteLevel
    from transformers import Qwen2Tokenizer

    words = [*sorted(ByteLevel.alphabet()), "<|endoftext|>", "<|im_start|>", "<|im_end|>", *special]
    made = Qwen2Tokenizer(
        vocab={w: i for i, w in enumerate(words)}, merges=[], eos_token="<|im_end|>", pad_token="<|endoftext|>"
    )
    made.add_special_tokens({"additional_special_tokens": ["<|im_start|>", "<|im_end|>", *special]})
    return made


def _qwen_text(tokenizer):
    return {
        "model_type": "qwen2", "hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 1, "num_attention_heads": 2,
        "num_key_value_heads": 1, "vocab_size": len(tokenizer), "max_position_embeddings": 4096, "tie_word_embeddings": False,
        "eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id, "bos_token_id": None,
    }  # fmt: skip


def _ears(kind):
    return {
        "model_type": kind, "d_model": 16, "encoder_layers": 1, "encoder_attention_heads": 2, "encoder_ffn_dim": 24,
        "num_mel_bins": 128, "max_source_positions": 1500, "hidden_size": 16, "num_attention_heads": 2, "num_hidden_layers": 1,
        "intermediate_size": 24,
    }  # fmt: skip


@seeded
def qwen2_audio(folder):
    from transformers import (
        Qwen2AudioConfig,
        Qwen2AudioForConditionalGeneration,
        Qwen2AudioProcessor,
        WhisperFeatureExtractor,
    )

    tokenizer = _qwen_tokenizer("<|AUDIO|>", "<|audio_bos|>", "<|audio_eos|>")
    config = Qwen2AudioConfig(
        audio_config=_ears("qwen2_audio_encoder"), text_config=_qwen_text(tokenizer),
        audio_token_index=tokenizer.convert_tokens_to_ids("<|AUDIO|>"),
    )  # fmt: skip
    Qwen2AudioForConditionalGeneration(config).eval().save_pretrained(folder)
    template = ROBOT.replace("{SOUND}", "<|audio_bos|><|AUDIO|><|audio_eos|>")
    Qwen2AudioProcessor(WhisperFeatureExtractor(feature_size=128), tokenizer, chat_template=template).save_pretrained(
        folder
    )


@seeded
def music_flamingo(folder):
    from transformers import (
        MusicFlamingoConfig,
        MusicFlamingoForConditionalGeneration,
        MusicFlamingoProcessor,
        WhisperFeatureExtractor,
    )

    tokenizer = _qwen_tokenizer("<sound>", "<|sound_bos|>", "<|sound_eos|>")
    ids = [tokenizer.convert_tokens_to_ids(w) for w in ("<sound>", "<|sound_bos|>", "<|sound_eos|>")]
    config = MusicFlamingoConfig(
        audio_config=_ears("audioflamingo3_encoder"), text_config=_qwen_text(tokenizer), audio_token_id=ids[0],
        audio_bos_token_id=ids[1], audio_eos_token_id=ids[2],
        rope_parameters={"rope_type": "default", "rope_theta": 1200.0, "partial_rotary_factor": 0.5},
    )  # fmt: skip
    MusicFlamingoForConditionalGeneration(config).eval().save_pretrained(folder)
    template = ROBOT.replace("{SOUND}", "<sound>")
    MusicFlamingoProcessor(
        WhisperFeatureExtractor(feature_size=128), tokenizer, chat_template=template
    ).save_pretrained(folder)


@seeded
def lp_music_caps(folder):
    from safetensors.torch import save_file
    from tokenizers.pre_tokenizers import ByteLevel
    from transformers import BartConfig, BartTokenizer

    from spectrogrand.models import lp_music_caps as lpmc

    words = ["<s>", "<pad>", "</s>", "<unk>", *sorted(ByteLevel.alphabet()), "<mask>"]
    config = BartConfig(
        vocab_size=len(words), d_model=32, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2,
        decoder_attention_heads=2, encoder_ffn_dim=32, decoder_ffn_dim=32, max_position_embeddings=160,
    )  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    model = lpmc.build(config)
    config.save_pretrained(folder)
    BartTokenizer(vocab={w: i for i, w in enumerate(words)}, merges=[]).save_pretrained(folder)
    (folder / "vocab.json").write_text(json.dumps({w: i for i, w in enumerate(words)}), "utf-8")
    (folder / "merges.txt").write_text("#version: 0.2\n", "utf-8")
    # as the published file has them after conversion: the wrapper's prefix, and the word embedding once
    tensors = {f"module.{k}": v.clone() for k, v in model.state_dict().items() if k not in lpmc.TIED}
    save_file(tensors, folder / "lp_music_caps.safetensors")


def folder(place, name):
    """A weights folder with what the plug-in `name` needs in it."""
    for part in {"kandinsky": ("kandinsky_prior", "kandinsky_decoder"), "latent_walk": ("variations_vae",)}.get(
        name, (name,)
    ):
        globals()[part](place / {"variations_vae": "latent_walk"}.get(part, part))
    return place
