"""A tiny random MusicGen in the hub's own layout: T5 text encoder, EnCodec, language model, as published but small."""

from __future__ import annotations

from tiny_hub import seeded


@seeded
def musicgen(folder):
    import torch
    from transformers import (
        EncodecConfig,
        MusicgenConfig,
        MusicgenDecoderConfig,
        MusicgenForConditionalGeneration,
        T5Config,
    )

    text = T5Config(vocab_size=96, d_model=16, d_kv=8, d_ff=32, num_layers=1, num_heads=2)
    codec = EncodecConfig(
        target_bandwidths=[1.6], sampling_rate=16000, audio_channels=1, normalize=False, num_filters=4, hidden_size=16,
        num_residual_layers=1, upsampling_ratios=[8, 5, 4, 2], codebook_size=16, codebook_dim=16, num_lstm_layers=1,
        use_causal_conv=False,
    )  # fmt: skip
    decoder = MusicgenDecoderConfig(
        vocab_size=16, max_position_embeddings=2048, num_hidden_layers=4, ffn_dim=32, num_attention_heads=2, hidden_size=16,
        num_codebooks=4, pad_token_id=16, bos_token_id=16, audio_channels=1,
    )  # fmt: skip
    config = MusicgenConfig(text_encoder=text.to_dict(), audio_encoder=codec.to_dict(), decoder=decoder.to_dict())
    model = MusicgenForConditionalGeneration(config).eval()
    heard = model.audio_encoder.encoder(0.2 * torch.randn(1, 1, 16000))
    for layer in model.audio_encoder.quantizer.layers:  # code books begin at zero: every code would be the same
        layer.codebook.embed.copy_(heard[0].T[torch.randint(heard.shape[2], (16,))])
    model.save_pretrained(folder)
