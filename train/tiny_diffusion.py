"""A Stable Diffusion of 16 pixels that trains in a minute on one core: what the proof of the fusion freezes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from spectrogrand.progress import bar

WIDTH = 48
WINDOW = 32


def tokenizer(words: Sequence[str]) -> Any:
    """CLIP's tokenizer with a vocabulary of letters and these words; each is one token, by merges from left to right."""
    from tokenizers.pre_tokenizers import ByteLevel
    from transformers import CLIPTokenizer

    letters = sorted(ByteLevel.alphabet())
    vocabulary = [*letters, *(c + "</w>" for c in letters)]
    merges: dict[tuple[str, str], None] = {}
    for word in sorted({w.lower() for w in words if len(w) > 1}, key=lambda w: (len(w), w)):
        parts = [*word[:-1], word[-1] + "</w>"]
        while len(parts) > 1:
            merges.setdefault((parts[0], parts[1]))
            parts[:2] = [parts[0] + parts[1]]
    vocabulary += list(dict.fromkeys(a + b for a, b in merges))
    vocabulary += ["<|startoftext|>", "<|endoftext|>"]
    return CLIPTokenizer(vocab={w: i for i, w in enumerate(vocabulary)}, merges=list(merges), model_max_length=WINDOW)


def untrained(words: Sequence[str], size: int) -> dict[str, Any]:
    """The parts of the model, with random weights: a UNet over pixels and a text encoder."""
    from diffusers import DDPMScheduler, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel

    reads = tokenizer(words)
    ends = reads.eos_token_id
    text = CLIPTextConfig(
        vocab_size=len(reads), hidden_size=WIDTH, intermediate_size=2 * WIDTH, num_hidden_layers=2, num_attention_heads=4,
        max_position_embeddings=WINDOW, projection_dim=WIDTH, bos_token_id=reads.bos_token_id, eos_token_id=ends,
        pad_token_id=ends,
    )  # fmt: skip
    unet = UNet2DConditionModel(
        sample_size=size, in_channels=3, out_channels=3, block_out_channels=(16, 32), layers_per_block=1, norm_num_groups=8,
        cross_attention_dim=WIDTH, attention_head_dim=16, down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
    )  # fmt: skip
    # Velocities, as Stable Diffusion 2's: what a prompt tells counts in full where the noise hides it. A loss on the noise itself
    # weighs it by the signal's power there, less than a hundredth, and a model of this size then learns to read no prompt.
    schedule = DDPMScheduler(prediction_type="v_prediction")
    return {"unet": unet, "text_encoder": CLIPTextModel(text), "tokenizer": reads, "scheduler": schedule}


def pretrain(
    folder: Path, words: Sequence[str], examples: Callable[[int, Any], tuple[Any, list[str]]], *, size: int, steps: int,
    batch: int = 16, rate: float = 2e-3, seed: int = 0, initial: Path | None = None,
) -> list[float]:  # fmt: skip
    """Train the model on `examples(count, generator)` -> pixels in [-1, 1] (item, rgb, row, column) and prompts; write it.

    Args:
        initial: a folder that this wrote, to go on from (a warm restart, Loshchilov & Hutter 2017); None: from chance.

    Returns:
        The loss of every step.
    """
    from diffusers.optimization import get_cosine_schedule_with_warmup

    torch.manual_seed(seed)
    parts = untrained(words, size)
    if initial is not None:
        from diffusers import UNet2DConditionModel
        from transformers import CLIPTextModel

        parts["unet"] = UNet2DConditionModel.from_pretrained(initial / "unet", use_safetensors=True)
        parts["text_encoder"] = CLIPTextModel.from_pretrained(initial / "text_encoder", use_safetensors=True)
    unet, text, reads, schedule = (parts[k] for k in ("unet", "text_encoder", "tokenizer", "scheduler"))
    unet.train(), text.train()
    weights = [*unet.parameters(), *text.parameters()]
    optimizer = torch.optim.AdamW(weights, lr=rate)
    rates = get_cosine_schedule_with_warmup(optimizer, 50, steps)
    draw = torch.Generator().manual_seed(seed)
    losses = []
    with bar("pretraining") as tick:
        for step in range(steps):
            pixels, prompts = examples(batch, draw)
            empty = torch.rand(batch, generator=draw) < 0.1
            prompts = ["" if e else p for e, p in zip(empty.tolist(), prompts, strict=True)]
            ids = reads(
                prompts, padding="max_length", max_length=WINDOW, truncation=True, return_tensors="pt"
            ).input_ids
            noise = torch.randn(pixels.shape, generator=draw)
            t = torch.randint(0, schedule.config.num_train_timesteps, (batch,), generator=draw)
            guess = unet(schedule.add_noise(pixels, noise, t), t, encoder_hidden_states=text(ids)[0]).sample
            loss = (guess - schedule.get_velocity(pixels, noise, t)).square().mean()
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(weights, 1.0)
            optimizer.step()
            rates.step()
            losses.append(float(loss.detach()))
            tick(step + 1, steps)
            if (step + 1) % 250 == 0:
                sys.stderr.write(f"step {step + 1}: loss {sum(losses[-250:]) / 250:.4f}\n")
                _write(parts, folder)
    _write(parts, folder)
    (folder / "model_index.json").write_text(
        '{"_class_name": "StableDiffusionPipeline"}', "utf-8"
    )  # last: it says that all is there
    return losses


def _write(parts: dict[str, Any], folder: Path) -> None:
    for name, part in parts.items():
        part.save_pretrained(folder / name)
