"""The module that Lightning trains: a frozen denoiser with low-rank matrices beside its attention, on latents made beforehand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch
from torch import Tensor

from ...errors import InvalidValue
from ..loop.optim import Recipe, plan


class LoraTask(lightning.LightningModule):
    """Predicts the noise (or velocity) in noisy latents, as the model was trained to; only the adapters learn.

    Loss: mean squared error at timesteps drawn evenly (Ho et al. 2020, arXiv:2006.11239, eq. 14), as diffusers' scripts do.
    Noise, timesteps and order follow from (seed, step), so that a resumed training draws what an undisturbed one would have.

    Args:
        denoiser: diffusers' UNet2DConditionModel, with an adapter already added.
        schedule: diffusers' DDPMScheduler of the model's own noise.
        latents: of every picture, float32, shape=(item, channel, row, column).
        texts: per item what the denoiser is told: `encoder_hidden_states`, and `added_cond_kwargs` of SDXL.
        recipe: optimiser, rate, batch size, steps.
        seed: of noise, timesteps and order.
        identity: plain data that tells this training from another.
    """

    def __init__(
        self,
        denoiser: Any,
        schedule: Any,
        latents: Tensor,
        texts: Sequence[Mapping[str, Any]],
        recipe: Recipe,
        seed: int,
        identity: Mapping[str, Any],
    ) -> None:
        super().__init__()
        self.strict_loading = False  # a checkpoint holds what learns, not the frozen model
        self.denoiser, self.schedule, self.recipe, self.seed = denoiser, schedule, recipe, seed
        self.latents, self.texts, self.identity = latents, texts, dict(identity)
        self.lr = recipe.lr

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        """The loss of the items that follow from the step; the loader only counts.

        Lightning starts a loader from its beginning where a training resumes within an epoch, so nothing may depend on it.
        """
        every = int(self.trainer.accumulate_grad_batches)
        place = self.global_step * every + batch_idx % every
        numbers = chosen(place, self.recipe.batch_size, len(self.texts), self.seed)
        loss = self.loss(numbers, [self.seed, place])
        if not torch.isfinite(loss.detach()):
            raise InvalidValue(f"the loss is {float(loss.detach())} at step {self.global_step}: lower recipe.lr")
        self.log("loss", loss.detach(), prog_bar=True, batch_size=len(numbers))
        return loss

    def loss(self, numbers: Sequence[int], seeds: Sequence[int]) -> Tensor:
        """Mean squared error of the prediction for these items, noise and timesteps drawn from `seeds`."""
        rng = np.random.default_rng(list(seeds))
        clean = self.latents[list(numbers)].to(self.device)
        drawn = rng.standard_normal(tuple(clean.shape)).astype(np.float32)
        noise = torch.from_numpy(drawn).to(self.device)
        most = int(self.schedule.config.num_train_timesteps)
        when = torch.from_numpy(rng.integers(0, most, len(numbers))).to(self.device)
        noisy = self.schedule.add_noise(clean, noise, when)
        kind = self.schedule.config.prediction_type
        goal = self.schedule.get_velocity(clean, noise, when) if kind == "v_prediction" else noise
        told = _stacked([self.texts[i] for i in numbers], self.device)
        return torch.nn.functional.mse_loss(self.denoiser(noisy, when, **told).sample.float(), goal.float())

    def configure_optimizers(self) -> dict[str, Any]:
        """Only what learns is handed to the optimiser."""
        return plan(self.denoiser, self.recipe, int(self.recipe.steps or self.trainer.max_steps))

    def check_weights(self) -> None:
        """Refuse adapters that are no numbers, before they are saved.

        Raises:
            InvalidValue: the training has diverged.
        """
        if not all(bool(p.isfinite().all()) for p in self.denoiser.parameters() if p.requires_grad):
            raise InvalidValue(f"diverged at step {self.global_step} at rate {self.recipe.lr}: lower recipe.lr")

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep what learns, and what the training is."""
        learning = {f"denoiser.{k}" for k, p in self.denoiser.named_parameters() if p.requires_grad}
        checkpoint["state_dict"] = {k: v for k, v in checkpoint["state_dict"].items() if k in learning}
        checkpoint["spectrogrand"] = {"identity": self.identity}

    def save(self, path: Path) -> None:
        """The adapters in the layout that diffusers' `load_lora_weights` reads."""
        from diffusers.utils import convert_state_dict_to_diffusers
        from peft.utils import get_peft_model_state_dict
        from safetensors.torch import save

        from ...files import replacing

        found = convert_state_dict_to_diffusers(get_peft_model_state_dict(self.denoiser))
        tensors = {f"unet.{k}": v.detach().float().cpu().contiguous() for k, v in found.items()}
        with replacing(path) as draft:
            draft.write_bytes(save(tensors, {"format": "pt"}))


def chosen(place: int, size: int, count: int, seed: int) -> list[int]:
    """The items of batch number `place`: every one once before any comes again, in an order drawn from (seed, round).

    >>> sorted(chosen(0, 2, 4, 0) + chosen(1, 2, 4, 0))
    [0, 1, 2, 3]
    """
    places = range(place * size, (place + 1) * size)
    orders = {r: np.random.default_rng([seed, r, 1]).permutation(count) for r in {p // count for p in places}}
    return [int(orders[p // count][p % count]) for p in places]


def _stacked(parts: Sequence[Any], device: Any) -> Any:
    """Tensors of several items as one, through mappings."""
    if isinstance(parts[0], Mapping):
        return {k: _stacked([p[k] for p in parts], device) for k in parts[0]}
    return torch.cat(list(parts)).to(device)
