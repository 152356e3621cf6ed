"""The music captioner of LP-MusicCaps as a torch module with the published key names: a mel and CNN encoder, and BART."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

RATE, SECONDS = 16000, 10
N_MELS, N_FFT, HOP = 128, 1024, 160
STRIDES = 5
MEL = ("audio_encoder.mel_encoder.spec_fn.window", "audio_encoder.mel_encoder.mel_scale.fb")
"""Buffers of the published checkpoint that are computed here."""
TIED = ("bart.model.encoder.embed_tokens.weight", "bart.model.decoder.embed_tokens.weight", "bart.lm_head.weight")
SHARED = "bart.model.shared.weight"


def build(config: Any) -> Any:
    """The model for a BART configuration, `facebook/bart-base` in the published one; its values are random.

    Doh et al., "LP-MusicCaps: LLM-based pseudo music captioning" (ISMIR 2023), 4.1: a log-mel spectrogram of 10 s at 16 kHz,
    six convolutions of width 3 and BART's width, five of them with stride 2, GELU after each, sinusoidal positions; then
    BART's encoder and decoder. Keys: `audio_encoder.conv1`, `audio_encoder.conv_stack.0` to `.4`,
    `audio_encoder.positional_embedding`, `bart.*`.
    """
    import torch
    from torch import nn
    from transformers import BartForConditionalGeneration

    width = config.d_model

    class AudioEncoder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv1 = nn.Conv1d(N_MELS, width, 3, padding=1)
            self.conv_stack = nn.ModuleList(nn.Conv1d(width, width, 3, stride=2, padding=1) for _ in range(STRIDES))
            frames = RATE * SECONDS // HOP // 2**STRIDES + 1
            self.register_buffer("positional_embedding", torch.from_numpy(sinusoids(frames, width)))

        def forward(self, mel: Any) -> Any:
            """Log-mel (item, mel, frame) to embeddings (item, place, width)."""
            x = nn.functional.gelu(self.conv1(mel))
            for layer in self.conv_stack:
                x = nn.functional.gelu(layer(x))
            return x.permute(0, 2, 1) + self.positional_embedding.to(x.dtype)

    class Captioner(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.audio_encoder = AudioEncoder()
            self.bart = BartForConditionalGeneration(config)

        def generate(self, mel: Any, **options: Any) -> Any:
            """Token ids of captions, by BART's own search over its encoding of the sound."""
            start = torch.full((len(mel), 1), self.bart.config.decoder_start_token_id, device=mel.device)
            encoded = self.bart.model.encoder(inputs_embeds=self.audio_encoder(mel), return_dict=True)
            return self.bart.generate(
                encoder_outputs=encoded, decoder_input_ids=start, attention_mask=torch.ones(mel.shape[0], encoded[0].shape[1]),
                **options,
            )  # fmt: skip

    return Captioner()


def tensors_of(checkpoint: Mapping[str, Any]) -> dict[str, Any]:
    """The published checkpoint's tensors under this module's keys: without the wrapper's prefix and what is computed here.

    BART's word embedding stands in the file once or four times, according to how it was written.
    """
    bare = {k.removeprefix("state_dict.").removeprefix("module."): v for k, v in checkpoint.items()}
    out = {k: v for k, v in bare.items() if k not in MEL and not k.startswith("epoch")}
    word = next((out[k] for k in (SHARED, *TIED) if k in out), None)
    if word is not None:
        out.update(dict.fromkeys((SHARED, *TIED), word))
    return out


def mel(wave: np.ndarray) -> np.ndarray:
    """Log-mel spectrogram of a sound at 16 kHz, float32 decibels, shape=(mel, frame): 10 log10 of 128 HTK mel bands.

    As published it squares the *real part* of the spectrum alone, not its magnitude: the weights were trained on that.

    >>> mel(np.zeros(160000, np.float32)).shape
    (128, 1001)
    """
    import librosa

    spectrum = librosa.stft(np.asarray(wave, np.float32), n_fft=N_FFT, hop_length=HOP, pad_mode="reflect")
    bands = librosa.filters.mel(sr=RATE, n_fft=N_FFT, n_mels=N_MELS, fmin=0, fmax=RATE / 2, htk=True, norm=None)
    return np.asarray(10 * np.log10(np.maximum(bands @ np.square(spectrum.real), 1e-10)), np.float32)


def sinusoids(length: int, channels: int, slowest: float = 10000.0) -> np.ndarray:
    """Sine and cosine positions, float32, shape=(length, channels), frequencies falling evenly in the logarithm (Whisper's)."""
    steps = np.log(slowest) / (channels // 2 - 1)
    at = np.arange(length)[:, None] * np.exp(-steps * np.arange(channels // 2))
    return np.concatenate([np.sin(at), np.cos(at)], axis=1).astype(np.float32)
