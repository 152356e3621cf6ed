"""The fusion's training step: the frozen UNet's noise-prediction loss, either condition dropped by chance."""

from __future__ import annotations

from typing import Any

import lightning
import torch

from ...errors import InvalidValue
from ...models.fusion import Fusion
from ...models.stable_diffusion import Diffusion, predict
from ..loop.optim import plan, total_steps
from .recipe import FusionRecipe


class FusionTask(lightning.LightningModule):
    """Trains adapter and fusion; UNet, autoencoder and text encoder stay as they are.

    The loss is the one that the UNet itself was trained with (Ho et al. 2020, eq. 14): with latents x0 of the real cover, noise
    e ~ N(0, I), a time step t drawn evenly and x_t = sqrt(a_t) x0 + sqrt(1 - a_t) e,

        loss = mean (UNet(x_t, t, fusion(text, music)) - e)^2      (the velocity instead of e where the model predicts that)

    The published training compares the *sampled* picture with the real cover and sends that error back through all steps of
    the sampler. That is not done here, for three reasons. One gradient costs all (150) UNet passes and their memory, so that a
    batch holds one album. The error asks one noise to become one given cover, and its best answer, as of any squared error over
    pictures that a prompt leaves open, is their blurred mean. And its gradient is a product of 150 Jacobians, so that it
    vanishes or bursts. The noise-prediction loss costs one pass, and its optimum is the conditional distribution itself.

    With chance `drop_text` the text is replaced by the empty one and with chance `drop_music` the music by none, so that
    guidance has both unconditional predictions (Ho & Salimans 2022).

    Args:
        model: the frozen Stable Diffusion.
        fusion: what is trained.
        recipe: how.
        seed: of noise, time steps and dropped conditions.
        steps: of the whole training, for the schedule; None asks the trainer, whose answer makes the loaders before a
            checkpoint could tell them where to go on.
        content: sha256 of the albums, kept in checkpoints.
    """

    def __init__(
        self,
        model: Diffusion,
        fusion: Fusion,
        recipe: FusionRecipe,
        seed: int,
        *,
        steps: int | None = None,
        content: str = "",
    ) -> None:
        super().__init__()
        self.steps, self.content = steps, content
        self.model, self.fusion, self.recipe = model, fusion, recipe
        self.fused = fusion.module
        self.noise = model.scheduler("ddpm")
        self.seed = seed
        self.results: dict[str, float] = {}
        self._sums: dict[str, list[float]] = {}

    def losses(self, batch: dict[str, Any], text: Any, keep: Any, noise: Any, t: Any, fused: bool = True) -> Any:
        """Squared error of the prediction, float32, shape=(item,)."""
        latents = self.model.encode(batch["pixels"])
        noisy = self.noise.add_noise(latents, noise, t)
        target = noise
        if self.noise.config.prediction_type == "v_prediction":
            target = self.noise.get_velocity(latents, noise, t)
        features = batch["features"].to(self.model.dtype)
        guess = predict(self.model, self.fusion if fused else None, noisy, t, text, features, keep)
        return (guess.float() - target.float()).square().flatten(1).mean(1)

    def training_step(self, batch: dict[str, Any], _: int) -> Any:
        """One step's loss; its chance depends on the seed and the step alone, so that a resumed run draws the same."""
        draw = torch.Generator().manual_seed(self.seed * 1_000_003 + self.global_step)
        count = len(batch["prompt"])
        dropped = torch.rand(count, generator=draw) < self.recipe.drop_text
        keep = (torch.rand(count, generator=draw) >= self.recipe.drop_music).to(self.model.place)
        text = self.model.read(["" if d else p for d, p in zip(dropped.tolist(), batch["prompt"], strict=True)])
        noise, t = self._chance(batch, draw)
        each = self.losses(batch, text, keep, noise, t)
        loss = (each * self._of_noise(t)).mean() if self.recipe.loss == "noise" else each.mean()
        self.log("train/loss", loss.detach(), batch_size=count)
        return loss

    def validation_step(self, batch: dict[str, Any], _: int) -> None:
        """Prompt alone against prompt and music: the same noise and steps for both, in every epoch and for every fusion."""
        text = self.model.read(batch["prompt"])
        for repeat in range(self.recipe.repeats):
            draw = torch.Generator().manual_seed(777_000 + 1000 * repeat + int(batch["index"][0]))
            noise, t = self._chance(batch, draw)
            for name, fused in (("prompt", False), ("fused", True)):
                found = self.losses(batch, text, None, noise, t, fused)
                self._sums.setdefault(name, []).extend(found.tolist())
                self._sums.setdefault(f"{name}_noise", []).extend((found * self._of_noise(t)).tolist())

    def on_validation_epoch_end(self) -> None:
        """Mean losses over all unseen albums, logged and kept in `results`."""
        for name, values in self._sums.items():
            self.results[name] = sum(values) / len(values)
            self.log(f"val/{name}", self.results[name], prog_bar=name == "fused")
        self.log("val/gain", self.results["prompt"] - self.results["fused"])
        self._sums = {}

    def check_weights(self) -> None:
        """Refuse weights that are no numbers, before they are measured or saved.

        Raises:
            InvalidValue: the training has diverged.
        """
        if not all(bool(torch.isfinite(p).all()) for p in self.fused.parameters()):
            raise InvalidValue(
                "the fusion's weights are no numbers any more: lower recipe.lr, or set a longer "
                "recipe.warmup; last.ckpt is as it was before"
            )

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Say which albums it was trained on."""
        checkpoint["spectrogrand"] = {"identity": {"albums": self.content}}

    def configure_optimizers(self) -> Any:
        """The recipe's optimizer and schedule."""
        return plan(self.fused, self.recipe, self.steps or total_steps(self.trainer, self.recipe))

    def _of_noise(self, t: Any) -> Any:
        """What turns the loss into the noise's: 1, or a_t for a model of velocities, as e' - e = sqrt(a_t) (v' - v)."""
        share = self.noise.alphas_cumprod.to(self.model.place)[t]
        return share if self.noise.config.prediction_type == "v_prediction" else torch.ones_like(share)

    def _chance(self, batch: dict[str, Any], draw: torch.Generator) -> tuple[Any, Any]:
        """Noise in the latents' shape and time steps, spread evenly over the batch (Kingma et al. 2021, appendix I.1)."""
        size = int(batch["pixels"].shape[-1])
        count = len(batch["prompt"])
        noise = torch.randn((count, *self.model.latent_shape(size)), generator=draw)
        steps = int(self.noise.config.num_train_timesteps)
        even = (torch.rand(1, generator=draw) + torch.arange(count) / count) % 1
        t = (even[torch.randperm(count, generator=draw)] * steps).long()
        return noise.to(self.model.place, self.model.dtype), t.to(self.model.place)
