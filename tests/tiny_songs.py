"""Tiny random checkpoints of the song models; AudioLDM2's index names `GPT2Model`, as the published one does."""

from __future__ import annotations

import json

from tiny_hub import CONTEXT, roberta_tokenizer, seeded, t5_encoder, t5_tokenizer


@seeded
def audioldm2(folder):
    import torch
    from diffusers import (
        AudioLDM2Pipeline,
        AudioLDM2ProjectionModel,
        AudioLDM2UNet2DConditionModel,
        AutoencoderKL,
        DDIMScheduler,
    )
    from transformers import (
        ClapConfig,
        ClapFeatureExtractor,
        ClapModel,
        GPT2Config,
        GPT2Model,
        SpeechT5HifiGan,
        SpeechT5HifiGanConfig,
    )

    unet = AudioLDM2UNet2DConditionModel(
        block_out_channels=(8, 16), layers_per_block=1, norm_num_groups=8, sample_size=32, in_channels=4, out_channels=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=((None, 8, 16), (None, 8, 16)),
    )  # fmt: skip
    vae = AutoencoderKL(
        block_out_channels=(8, 16), in_channels=1, out_channels=1, latent_channels=4, norm_num_groups=8,
        down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2,
    )  # fmt: skip
    clap = ClapConfig(
        text_config={
            "hidden_size": 8, "intermediate_size": 16, "num_attention_heads": 2, "num_hidden_layers": 1, "vocab_size": 261,
            "pad_token_id": 1, "max_position_embeddings": CONTEXT + 2, "projection_dim": 8,
        },
        audio_config={
            "spec_size": 8, "window_size": 4, "num_mel_bins": 8, "depths": [1, 1], "num_attention_heads": [1, 1], "patch_size": 1,
            "patch_stride": [1, 1], "patch_embeds_hidden_size": 4, "hidden_size": 8, "num_hidden_layers": 2, "projection_dim": 8,
        },
        projection_dim=8,
    )  # fmt: skip
    features = ClapFeatureExtractor(
        feature_size=8, sampling_rate=48000, hop_length=480, fft_window_size=1024, max_length_s=1
    )
    gpt = GPT2Model(GPT2Config(vocab_size=99, n_embd=8, n_head=2, n_layer=2, n_positions=256, max_new_tokens=8)).eval()
    gpt.config.max_new_tokens = 8
    vocoder = SpeechT5HifiGan(
        SpeechT5HifiGanConfig(
            model_in_dim=8, sampling_rate=16000, upsample_initial_channel=32, upsample_rates=[5, 4, 4, 2],
            upsample_kernel_sizes=[10, 8, 8, 4], resblock_kernel_sizes=[3], resblock_dilation_sizes=[[1, 3]],
            normalize_before=False,
        )
    )  # fmt: skip
    with torch.no_grad():  # random layers halve what passes: without this the tiny model plays silence
        for weight in vocoder.parameters():
            weight *= 12
    scheduler = DDIMScheduler(
        beta_start=0.0015, beta_end=0.0195, beta_schedule="scaled_linear", clip_sample=False, set_alpha_to_one=False,
        steps_offset=1,
    )  # fmt: skip
    AudioLDM2Pipeline(
        vae=vae, text_encoder=ClapModel(clap).eval(), text_encoder_2=t5_encoder(16), unet=unet, scheduler=scheduler,
        projection_model=AudioLDM2ProjectionModel(text_encoder_dim=8, text_encoder_1_dim=16, langauge_model_dim=8),
        language_model=gpt, tokenizer=roberta_tokenizer(), tokenizer_2=t5_tokenizer(), feature_extractor=features,
        vocoder=vocoder.eval(),
    ).save_pretrained(folder)  # fmt: skip
    index = folder / "model_index.json"
    assert json.loads(index.read_text())["language_model"] == ["transformers", "GPT2Model"]  # as the published one says


@seeded
def stable_audio(folder):
    from diffusers import (
        AutoencoderOobleck,
        CosineDPMSolverMultistepScheduler,
        StableAudioDiTModel,
        StableAudioPipeline,
        StableAudioProjectionModel,
    )

    transformer = StableAudioDiTModel(
        sample_size=64, in_channels=3, num_layers=2, attention_head_dim=4, num_attention_heads=4, num_key_value_attention_heads=2,
        out_channels=3, cross_attention_dim=4, time_proj_dim=8, global_states_input_dim=8, cross_attention_input_dim=4,
    )  # fmt: skip
    vae = AutoencoderOobleck(
        encoder_hidden_size=6, downsampling_ratios=[5, 10], decoder_channels=3, decoder_input_channels=3, audio_channels=2,
        channel_multiples=[2, 4], sampling_rate=4000,
    )  # fmt: skip
    projection = StableAudioProjectionModel(text_encoder_dim=16, conditioning_dim=4, min_value=0, max_value=32)
    StableAudioPipeline(
        vae=vae, text_encoder=t5_encoder(16), projection_model=projection, tokenizer=t5_tokenizer(), transformer=transformer,
        scheduler=CosineDPMSolverMultistepScheduler(),
    ).save_pretrained(folder)  # fmt: skip


def _musicgen_parts(channels, width=16, rate=2000):
    from transformers import EncodecConfig, T5Config

    text = T5Config(vocab_size=96, d_model=width, d_kv=8, d_ff=32, num_layers=1, num_heads=2)
    codec = EncodecConfig(  # a hop of 20 samples: 100 frames a second, 4 codebooks of 1024 entries
        sampling_rate=rate, audio_channels=1, normalize=False, upsampling_ratios=[5, 4], num_filters=4, hidden_size=8,
        codebook_dim=8, codebook_size=1024, target_bandwidths=[4.0], num_lstm_layers=1, use_causal_conv=False,
        num_residual_layers=1, compress=2, chunk_length_s=None,
    )  # fmt: skip
    decoder = {
        "vocab_size": 1024, "num_codebooks": 4 * channels, "hidden_size": width, "ffn_dim": 32, "num_hidden_layers": 2,
        "num_attention_heads": 2, "audio_channels": channels, "max_position_embeddings": 512, "bos_token_id": 1024,
        "pad_token_id": 1024,
    }  # fmt: skip
    return text, codec, decoder


@seeded
def musicgen(folder, channels=1, melody=False):
    import torch
    from transformers import (
        EncodecFeatureExtractor,
        GenerationConfig,
        MusicgenConfig,
        MusicgenDecoderConfig,
        MusicgenForConditionalGeneration,
        MusicgenMelodyConfig,
        MusicgenMelodyDecoderConfig,
        MusicgenMelodyFeatureExtractor,
        MusicgenMelodyForConditionalGeneration,
    )

    text, codec, decoder = _musicgen_parts(channels)
    if melody:
        config = MusicgenMelodyConfig(
            text_encoder=text,
            audio_encoder=codec,
            decoder=MusicgenMelodyDecoderConfig(**decoder),
            num_chroma=12,
            chroma_length=8,
        )
        model = MusicgenMelodyForConditionalGeneration(config).eval()
        features = MusicgenMelodyFeatureExtractor(
            sampling_rate=2000, hop_length=125, n_fft=512, chunk_length=1, num_chroma=12
        )
    else:
        config = MusicgenConfig(text_encoder=text, audio_encoder=codec, decoder=MusicgenDecoderConfig(**decoder))
        model = MusicgenForConditionalGeneration(config).eval()
        features = EncodecFeatureExtractor(feature_size=channels, sampling_rate=2000)
    with torch.no_grad():  # a random codebook is all zeros: without this every token sounds alike
        for name, buffer in model.audio_encoder.named_buffers():
            if name.endswith("codebook.embed"):
                buffer.normal_()
    model.generation_config = GenerationConfig(
        bos_token_id=1024,
        pad_token_id=1024,
        decoder_start_token_id=1024,
        do_sample=True,
        guidance_scale=3.0,
        max_length=200,
    )
    model.save_pretrained(folder)
    features.save_pretrained(folder)
    t5_tokenizer().save_pretrained(folder)


@seeded
def ace_step(folder):
    import torch
    from diffusers import (
        AceStepConditionEncoder,
        AceStepPipeline,
        AceStepTransformer1DModel,
        AutoencoderOobleck,
        FlowMatchEulerDiscreteScheduler,
    )
    from tiny_visuals import _qwen_tokenizer
    from transformers import Qwen3Config, Qwen3Model

    tokenizer = _qwen_tokenizer()
    sizes = {
        "hidden_size": 16, "intermediate_size": 32, "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 8,
        "sliding_window": 16,
    }  # fmt: skip
    text = Qwen3Config(
        vocab_size=len(tokenizer), hidden_size=16, intermediate_size=24, num_hidden_layers=1, num_attention_heads=2,
        num_key_value_heads=1, head_dim=8,
    )  # fmt: skip
    transformer = AceStepTransformer1DModel(
        **sizes, num_hidden_layers=2, in_channels=12, audio_acoustic_hidden_dim=4, is_turbo=True, model_version="turbo"
    )
    conditions = AceStepConditionEncoder(
        **sizes,
        text_hidden_dim=16,
        timbre_hidden_dim=4,
        num_lyric_encoder_hidden_layers=1,
        num_timbre_encoder_hidden_layers=1,
    )
    vae = AutoencoderOobleck(
        encoder_hidden_size=8, downsampling_ratios=[4, 10], decoder_channels=4, decoder_input_channels=4, audio_channels=2,
        channel_multiples=[2, 4], sampling_rate=4000,
    )  # fmt: skip
    with torch.no_grad():
        conditions.silence_latent.normal_(std=0.1)
    AceStepPipeline(
        vae=vae, text_encoder=Qwen3Model(text).eval(), tokenizer=tokenizer, transformer=transformer,
        condition_encoder=conditions, scheduler=FlowMatchEulerDiscreteScheduler(num_train_timesteps=1, shift=1.0),
    ).save_pretrained(folder)  # fmt: skip


MAKERS = {"audioldm2": audioldm2, "musicgen": musicgen, "stable_audio": stable_audio, "ace_step": ace_step}
