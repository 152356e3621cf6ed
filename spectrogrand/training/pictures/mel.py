"""Mel pictures on the fly: bars of sound as `spectrogrand.audio.bars` draws, by torchaudio, on the GPU if there is one."""

from __future__ import annotations

from typing import Any

import torch

from ...audio.spectrogram import FLOOR, colours


class MelPictures(torch.nn.Module):
    """int16 or float sounds (item, time) at 22,050 Hz to uint8 pictures (item, rgb, side, side).

    128 Slaney mel bands, Hann window of 2048, hop 512, zeros beyond both ends, dB relative to the item's loudest bin, 80 dB of
    range, magma, low notes below: the pictures that HouseX shows, up to how they are resized.
    """

    def __init__(self, side: int, rate: int = 22050) -> None:
        super().__init__()
        import torchaudio

        self.mel = torchaudio.transforms.MelSpectrogram(
            rate, n_fft=2048, hop_length=512, n_mels=128, norm="slaney", mel_scale="slaney", pad_mode="constant"
        )
        self.side = side
        self.register_buffer("table", torch.from_numpy(colours("magma").copy()), persistent=False)

    @torch.no_grad()
    def forward(self, sounds: Any) -> Any:
        """Pictures; sound that is not finite would spread through the whole picture, so it becomes silence."""
        x = sounds.float() / 32768 if sounds.dtype == torch.int16 else sounds
        with torch.autocast(x.device.type, enabled=False):
            power = self.mel(torch.nan_to_num(x, nan=0.0, posinf=0.0, neginf=0.0))
            peak = power.amax((1, 2), keepdim=True).clamp_min(1e-20)
            decibels = (10 * torch.log10((power / peak).clamp_min(10 ** (FLOOR / 10)))).flip(1)[:, None]
            levels = torch.nn.functional.interpolate(
                decibels, (self.side, self.side), mode="bilinear", antialias=True, align_corners=False
            )
        steps = ((levels[:, 0] - FLOOR) * (255 / -FLOOR) + 0.5).clamp(0, 255).long()
        return self.table[steps].permute(0, 3, 1, 2)
