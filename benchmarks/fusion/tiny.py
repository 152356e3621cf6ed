"""A Stable Diffusion of 8 pixels that trains in minutes on one core: what the proof of the fusion freezes."""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from spectrogrand.progress import bar

WIDTH = 48
WINDOW = 32
BETAS = (0.006, 0.010)
"""Variance of the noise added in the first and last of 1,000 steps. The log signal-to-noise ratio falls from 5 to -8: in a good
half of the steps the noise hides the colours of 64 pixels, and they still count in a loss on the noise."""
KEPT = 0.998
"""Of the moving average of the weights, per step (Karras et al. 2024, section 3: without one a model of noise is never quite its
data's, and what is left is there for a fusion to learn without hearing anything)."""


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
    # Velocities, as Stable Diffusion 2's: what a prompt tells counts in full where the noise hides it, and the noise that follows
    # from a velocity, sqrt(a_t) v + sqrt(1 - a_t) x_t, is exact to a_t times the velocity's error there. A model of the noise
    # itself must copy its input to a thousandth before a prompt's word shows in its loss.
    schedule = DDPMScheduler(prediction_type="v_prediction", beta_start=BETAS[0], beta_end=BETAS[1])
    return {"unet": unet, "text_encoder": CLIPTextModel(text), "tokenizer": reads, "scheduler": schedule}


def pretrain(
    folder: Path, words: Sequence[str], examples: Callable[[int, Any], tuple[Any, list[str]]], *, size: int, steps: int,
    finish: int = 0, batch: int = 32, rate: float = 2e-3, seed: int = 0,
) -> list[float]:  # fmt: skip
    """Train the model on `examples(count, generator)` -> pixels in [-1, 1] (item, rgb, row, column) and prompts; write it.

    Written is the moving average of the weights (`KEPT`), with a warm-up: at first it forgets faster.

    Args:
        finish: the last steps, on the loss of the noise, e' - e = sqrt(a_t) (v' - v): where that is what is measured, the model
            must be at its best in it, or anything that is trained on it gains. From the start it would learn to read no prompt.

    Returns:
        The velocity's loss of every step.
    """
    from diffusers.optimization import get_cosine_schedule_with_warmup

    torch.manual_seed(seed)
    parts = untrained(words, size)
    unet, text, reads, schedule = (parts[k] for k in ("unet", "text_encoder", "tokenizer", "scheduler"))
    unet.train(), text.train()
    weights = [*unet.parameters(), *text.parameters()]
    optimizer = torch.optim.AdamW(weights, lr=rate)
    rates = get_cosine_schedule_with_warmup(optimizer, 50, steps)
    draw = torch.Generator().manual_seed(seed)
    losses = []
    kept = {k: copy.deepcopy(parts[k]).requires_grad_(False) for k in ("unet", "text_encoder")}
    followed = [
        (p, q) for k, part in kept.items() for p, q in zip(part.parameters(), parts[k].parameters(), strict=True)
    ]
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
            each = (guess - schedule.get_velocity(pixels, noise, t)).square().flatten(1).mean(1)
            share = schedule.alphas_cumprod[t] if step >= steps - finish else 1.0
            optimizer.zero_grad()
            (each * share).mean().backward()
            torch.nn.utils.clip_grad_norm_(weights, 1.0)
            optimizer.step()
            rates.step()
            _follow(followed, min(KEPT, (1 + step) / (10 + step)))
            losses.append(float(each.detach().mean()))
            tick(step + 1, steps)
            if (step + 1) % 250 == 0:
                sys.stderr.write(f"step {step + 1}: loss {sum(losses[-250:]) / 250:.4f}\n")
                _write({**parts, **kept}, folder)
    _write({**parts, **kept}, folder)
    (folder / "model_index.json").write_text(
        '{"_class_name": "StableDiffusionPipeline"}', "utf-8"
    )  # last: it says that all is there
    return losses


def _write(parts: dict[str, Any], folder: Path) -> None:
    for name, part in parts.items():
        part.save_pretrained(folder / name)


def _follow(pairs: Sequence[tuple[Any, Any]], share: float) -> None:
    """One step of the exponential moving average of the weights."""
    with torch.no_grad():
        torch._foreach_lerp_([p for p, _ in pairs], [q for _, q in pairs], 1 - share)
