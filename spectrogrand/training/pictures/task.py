"""The module that Lightning trains: pictures in, classes out, by a recipe; what is random follows from seed, epoch and index."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch

from ...errors import InvalidValue, SpectrograndError
from ...models.picture_classifier import Spec, build
from ..loop import checkpoints
from ..loop.optim import Recipe, follow, plan, total_steps
from .augment import Chain, mixed
from .measures import measured, measured_many


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
            found = torch.as_tensor(np.asarray(counts), dtype=torch.float32).clamp_min(1)
            weights = found.sum() / (len(found) * found)
        self.register_buffer("class_weights", weights, persistent=False)
        self.register_buffer("mean", torch.tensor(spec.mean)[:, None, None], persistent=False)
        self.register_buffer("std", torch.tensor(spec.std)[:, None, None], persistent=False)
        self.lr = recipe.lr
        self.results: dict[str, Any] = {}
        self._seen: list[tuple[Any, Any, Any]] = []
        self.train()  # a trainer leaves the modes of modules as they are

    @classmethod
    def load_from_checkpoint(cls, checkpoint_path: Any, map_location: Any = None, **options: Any) -> Classification:
        """The module of a checkpoint that train/genre.py or train/surprise.py wrote, its recipe, weights and average in it.

        Args:
            checkpoint_path: a .ckpt file; only plain data is ever read.
            map_location: device to place it on.
            options: of the constructor, in place of the checkpoint's.

        Raises:
            InvalidValue: no checkpoint of ours.
        """
        found = checkpoints.load(Path(checkpoint_path))
        kept = found.get("spectrogrand")
        if not isinstance(kept, dict) or "spec" not in kept:
            raise InvalidValue(
                f"{checkpoint_path} does not say what it is: it is none of train/genre.py or train/surprise.py"
            )
        spec, config = Spec.from_json(kept["spec"]), kept.get("about", {}).get("config", {})
        names = {f.name for f in fields(Recipe)}
        recipe = Recipe(**{k: v for k, v in config.get("recipe", {}).items() if k in names})
        settings = {"seed": config.get("seed", 0), "about": kept.get("about", {}), **options}
        network = build(spec, config.get("model", {}).get("dropout"))
        made = cls(network, spec, settings.pop("recipe", recipe), **settings)
        made.load_state_dict(found["state_dict"])
        return made.to(map_location) if map_location is not None else made

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
        """Augment, mix, predict; stops when the loss is no number.

        Args:
            batch: pictures uint8 (item, rgb, row, column), or float as the network sees them, which are not augmented; labels
                int64 (item,), or (item, class) of 0 and 1; and, from our own loaders, indices (item,).
            batch_idx: its number in the epoch.
        """
        values, labels, indices = unpacked(batch, batch_idx)
        where = indices.tolist()
        x = self.mel(values) if self.mel is not None else values
        if x.dtype == torch.uint8:
            x = standard(self.chain(x, self.seed, self.current_epoch, where), self.mean, self.std)
        many = self.spec.multi_label
        targets = labels.float() if many else torch.nn.functional.one_hot(labels, len(self.spec.classes)).float()
        if self.recipe.mixup and len(where) > 1:
            x, targets = mixed(x, targets, self.recipe.mixup, self.seed, self.current_epoch, where)
        found, smooth = self.outputs(self.network, x).float(), self.recipe.label_smoothing
        if many:
            targets = targets * (1 - smooth) + smooth / 2
            loss = torch.nn.functional.binary_cross_entropy_with_logits(found, targets, self.class_weights)
        else:
            loss = torch.nn.functional.cross_entropy(found, targets, self.class_weights, label_smoothing=smooth)
        if not torch.isfinite(loss.detach()):
            raise self._diverged(f"the loss is {float(loss.detach())}")
        self.log("train/loss", loss.detach(), prog_bar=True, batch_size=len(where))
        return loss

    def optimizer_step(self, *arguments: Any, **options: Any) -> None:
        """Step, then move the average of the weights: before any callback may save a checkpoint."""
        super().optimizer_step(*arguments, **options)
        if self.average is not None:
            follow(self.average, self.network, self.recipe.ema, self.global_step)

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
        return plan(self.network, replace(self.recipe, lr=self.lr), total_steps(self.trainer, self.recipe))

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add what the network is and how it came about, as plain data."""
        kept = {"spec": self.spec.as_json(), "about": self.about, "identity": self.about.get("identity", {})}
        checkpoint["spectrogrand"] = checkpoints.plain(kept)

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
            "recipe.lr, or set recipe.gradient_clip=1 (last.ckpt holds the last good weights)"
        )

    def _predict(self, batch: Any) -> None:
        values, labels, indices = unpacked(batch, len(self._seen))
        pictures = self.mel(values) if self.mel is not None else values
        found = self.outputs(self.evaluated(), pictures).float().cpu().double()  # not every device has float64
        found = found.sigmoid() if self.spec.multi_label else found.softmax(1)
        self._seen.append((found, labels.cpu(), indices.cpu()))

    def _conclude(self, split: str) -> None:
        probabilities, labels, indices = (torch.cat(column) for column in zip(*self._seen, strict=True))
        self._seen.clear()
        data = getattr(getattr(self.trainer, "datamodule", None), "splits", {}).get(split)
        groups = [data.groups[i] for i in indices.tolist()] if data is not None else None
        measure = measured_many if self.spec.multi_label else measured
        found = measure(probabilities, labels, groups, self.spec.classes)
        if split == "test":
            self.results = {**found, "probabilities": probabilities, "labels": labels}
        shown = {"f1", "accuracy"}
        for name, value in found.items():
            if isinstance(value, float):
                self.log(f"{split}/{name}", value, prog_bar=name in shown)


def unpacked(batch: Any, number: int) -> tuple[Any, Any, Any]:
    """Values, labels and indices of a batch; of a stranger's loader, which gives (values, labels), the indices count on."""
    values, labels, *rest = batch
    if rest:
        return values, labels, rest[0]
    return values, labels, torch.arange(len(labels)) + number * len(labels)


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
