"""The module that Lightning trains: pictures in, classes out, by a recipe; what is random follows from seed, epoch and index."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import lightning
import numpy as np
import torch

from ...errors import InvalidValue, SpectrograndError
from ...models.picture_classifier import Spec
from ..loop.recipe import Recipe, optimiser, share_of_rate
from .augment import Chain, mixed
from .measures import measured


class Diverged(SpectrograndError):
    """The loss stopped being a number."""


class Classification(lightning.LightningModule):
    """A network, a recipe and what is needed to use what comes out.

    Args:
        network: float (item, rgb, row, column) to logits (item, class).
        spec: what the network is; its head decides what the loss sees.
        recipe: how it is trained.
        seed: of augmentation, mixup and dropout.
        counts: training items per class, for `recipe.balance`.
        about: plain data that goes into every checkpoint: config and versions.
        mel: turns sounds into pictures where the data are sounds, else None.
        frozen_norm: batch norm keeps its statistics.
    """

    def __init__(
        self,
        network: Any,
        spec: Spec,
        recipe: Recipe,
        *,
        seed: int = 0,
        counts: Any = None,
        about: Mapping[str, Any] | None = None,
        mel: Any = None,
        frozen_norm: bool = False,
    ) -> None:
        super().__init__()
        self.network = network.to(memory_format=torch.channels_last) if recipe.channels_last else network
        self.average = copy.deepcopy(self.network).requires_grad_(False) if recipe.ema else None
        self.spec, self.recipe, self.seed, self.about, self.mel = spec, recipe, seed, dict(about or {}), mel
        self.frozen_norm, self.chain = frozen_norm, Chain(recipe.augment)
        weights = torch.ones(len(spec.classes))
        if recipe.balance and counts is not None:
            found = torch.as_tensor(np.asarray(counts), dtype=torch.float32)
            weights = found.sum() / (len(found) * found)
        self.register_buffer("class_weights", weights, persistent=False)
        self.register_buffer("mean", torch.tensor(spec.mean)[:, None, None], persistent=False)
        self.register_buffer("std", torch.tensor(spec.std)[:, None, None], persistent=False)
        self.results: dict[str, Any] = {}
        self._seen: list[tuple[Any, Any, Any]] = []
        self.train()  # a trainer leaves the modes of modules as they are

    def outputs(self, network: Any, pictures: Any) -> Any:
        """What softmax and the loss see: the network's logits, or as published their squeezed form sigmoid(leaky_relu(z))."""
        x = standard(pictures, self.mean, self.std) if pictures.dtype == torch.uint8 else pictures
        z = network(
            x.contiguous(memory_format=torch.channels_last if self.recipe.channels_last else torch.contiguous_format)
        )
        return torch.sigmoid(torch.nn.functional.leaky_relu(z)) if self.spec.head == "published" else z

    def train(self, mode: bool = True) -> Classification:
        """As any module, save that batch norm with frozen statistics stays as it is."""
        super().train(mode)
        if self.frozen_norm:
            for module in self.modules():
                if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
                    module.eval()
        if self.average is not None:
            self.average.eval()
        return self

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:
        """Dropout draws from torch's global state: set it from (seed, epoch, batch, process), so that no state is ever saved."""
        drawn = np.random.default_rng([self.seed, self.current_epoch, batch_idx, self.global_rank]).integers(2**63)
        torch.manual_seed(int(drawn))

    def training_step(self, batch: Any, batch_idx: int) -> Any:
        """Augment, mix, predict; stops when the loss is no number."""
        values, labels, indices = batch
        where = indices.tolist()
        pictures = self.mel(values) if self.mel is not None else values
        pictures = self.chain(pictures, self.seed, self.current_epoch, where)
        x = standard(pictures, self.mean, self.std)
        targets = torch.nn.functional.one_hot(labels, len(self.spec.classes)).float()
        if self.recipe.mixup and len(where) > 1:
            x, targets = mixed(x, targets, self.recipe.mixup, self.seed, self.current_epoch, where)
        loss = torch.nn.functional.cross_entropy(
            self.outputs(self.network, x).float(), targets, self.class_weights, label_smoothing=self.recipe.smoothing
        )
        if not torch.isfinite(loss.detach()):
            raise self._diverged(f"the loss is {float(loss.detach())}")
        self.log("train/loss", loss.detach(), prog_bar=True, batch_size=len(where))
        return loss

    def optimizer_step(self, *arguments: Any, **options: Any) -> None:
        """Step, then move the average of the weights: before any callback may save a checkpoint."""
        super().optimizer_step(*arguments, **options)
        if self.average is None:
            return
        decay = min(self.recipe.ema, (1 + self.global_step) / (10 + self.global_step))
        with torch.no_grad():
            for kept, now in zip(self.average.state_dict().values(), self.network.state_dict().values(), strict=True):
                kept.lerp_(now, 1 - decay) if kept.is_floating_point() else kept.copy_(now)

    def validation_step(self, batch: Any, batch_idx: int) -> None:
        """Predict without augmentation."""
        self._predict(batch)

    def test_step(self, batch: Any, batch_idx: int) -> None:
        """Predict without augmentation."""
        self._predict(batch)

    def on_validation_epoch_end(self) -> None:
        """Accuracy, F1, calibration error, loss."""
        self._conclude("val")

    def on_test_epoch_end(self) -> None:
        """The same, per class and per track; kept in `results`."""
        self._conclude("test")

    def configure_optimizers(self) -> Any:
        """The recipe's optimiser, its rate set before every step."""
        # not trainer.estimated_stepping_batches: it makes the loaders before a checkpoint could tell them where to go on
        steps = len(self.trainer.datamodule.train_dataloader()) * self.recipe.epochs
        made = optimiser(self.network, self.recipe)
        plan = torch.optim.lr_scheduler.LambdaLR(made, lambda step: share_of_rate(self.recipe, step, steps))
        return {"optimizer": made, "lr_scheduler": {"scheduler": plan, "interval": "step"}}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add what the network is and how it came about, as plain data."""
        checkpoint["spectrogrand"] = {"spec": self.spec.as_json(), "about": self.about}

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Refuse the checkpoint of another network before torch lists a thousand keys."""
        kept = checkpoint.get("spectrogrand")
        if not isinstance(kept, dict) or "spec" not in kept:
            raise InvalidValue(
                "the checkpoint does not say what it is: it is none of train/genre.py or train/surprise.py"
            )
        agree(Spec.from_json(kept["spec"]), self.spec)

    def check_weights(self) -> None:
        """Before they are validated or saved.

        Raises:
            Diverged: one of them is no number, which the next loss would tell too late.
        """
        if not all(bool(v.isfinite().all()) for v in self.state_dict().values() if v.is_floating_point()):
            raise self._diverged("a weight is nan or inf")

    def evaluated(self) -> Any:
        """The network that is tested and exported: the average where there is one."""
        return self.average if self.average is not None else self.network

    def _diverged(self, what: str) -> Diverged:
        rate = self.trainer.optimizers[0].param_groups[0]["lr"]
        return Diverged(
            f"{what} at epoch {self.current_epoch}, step {self.global_step}, learning rate {rate:.3g}: training stopped; lower "
            "recipe.rate, or set recipe.clip=1 (last.ckpt holds the last good weights)"
        )

    def _predict(self, batch: Any) -> None:
        values, labels, indices = batch
        pictures = self.mel(values) if self.mel is not None else values
        found = (
            self.outputs(self.evaluated(), pictures).float().cpu().double().softmax(1)
        )  # not every device has float64
        self._seen.append((found, labels.cpu(), indices.cpu()))

    def _conclude(self, split: str) -> None:
        probabilities, labels, indices = (torch.cat(column) for column in zip(*self._seen, strict=True))
        self._seen.clear()
        data = self.trainer.datamodule.splits[split]
        found = measured(probabilities, labels, [data.groups[i] for i in indices.tolist()], self.spec.classes)
        if split == "test":
            self.results = {**found, "probabilities": probabilities, "labels": labels}
        shown = {"f1", "accuracy"}
        for name, value in found.items():
            if isinstance(value, float):
                self.log(f"{split}/{name}", value, prog_bar=name in shown)


def standard(pictures: Any, mean: Any, std: Any) -> Any:
    """uint8 pictures as the network sees them, (x / 255 - mean) / std; channels last in memory, where whole rows go fastest."""
    n, _, rows, columns = pictures.shape
    scale, shift = ((v.flatten().repeat(columns)) for v in (1 / (255 * std), mean / std))
    source = pictures.permute(0, 2, 3, 1).reshape(n, rows, columns * 3)
    made = torch.empty(source.shape, device=source.device)
    some = n if source.is_cuda else 1  # one picture fits a processor's cache
    for x, bytes_ in zip(made.split(some), source.split(some), strict=True):
        x.copy_(bytes_).mul_(scale).sub_(shift)
    return made.view(n, rows, columns, 3).permute(0, 3, 1, 2)


def agree(kept: Spec, wanted: Spec) -> None:
    """Whether a checkpoint fits what is asked for.

    Raises:
        InvalidValue: another architecture, other classes, or the same in another order; both sides are named.
    """
    if kept.architecture != wanted.architecture or kept.head != wanted.head:
        raise InvalidValue(
            f"the checkpoint holds a {kept.architecture} ({kept.head} head), not a {wanted.architecture} ({wanted.head} head): "
            "choose the model that it was trained with"
        )
    if kept.classes != wanted.classes:
        other = "in another order" if set(kept.classes) == set(wanted.classes) else "others"
        raise InvalidValue(
            f"the checkpoint's labels are {', '.join(kept.classes)}, {other} than the data's {', '.join(wanted.classes)}"
        )
