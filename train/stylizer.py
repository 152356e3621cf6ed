"""Trains `spectral_style`, the stylizer of our own, and exports it for onnxruntime.

    python train/stylizer.py covers=[FOLDER] squeezenet=../shared/models/squeezenet/squeezenet1_1_notop.h5
    python train/stylizer.py ... export=FOLDER            # writes the network and its card from the last checkpoint

A night on two cores is enough (conf/stylizer.yaml says for what); it may be cut at any time and goes on where it stopped.
Loss, all on SqueezeNet's activations (Johnson et al. 2016, arXiv:1603.08155; Li et al. 2017, arXiv:1701.01036):
content   squared difference of normalised fire5, and one minus the correlation of blurred edges
style     relative squared difference of means, deviations and Gram matrices, over the whole crop and over its cells
time      squared difference of the same content drawn from crops that are up to eight pixels apart
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import lightning
import torch
from torch import Tensor
from torch.nn import functional

from spectrogrand.errors import InvalidValue
from spectrogrand.files import replacing
from spectrogrand.training.loop import checkpoints
from spectrogrand.training.loop.callbacks import Interruption
from spectrogrand.training.loop.entry import main
from spectrogrand.training.style.data import Pictures, prepare
from spectrogrand.training.style.export import export, recipe
from spectrogrand.training.style.network import (
    CELL,
    EPS,
    Code,
    StyleNetwork,
    moments,
    normalised,
    pooling,
    positions,
    squeezenet,
    taps_of,
)

LOSS_TAPS = (1, 4, 7, 10)
"""SqueezeNet's conv1, fire3, fire5 and fire7."""


class Batches(torch.utils.data.Dataset[dict[str, Tensor]]):
    """Batch `index` of a run: a function of seed and index, so that a run that was cut goes on exactly."""

    def __init__(self, pictures: Pictures, seed: int, batch: int, side: int, shift: int, steps: int) -> None:
        self.pictures, self.asked, self.seed, self.steps = pictures, (batch, side, shift), seed, steps

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        made = self.pictures.batch(self.seed, index, *self.asked)
        tensors: dict[str, Any] = {
            k: torch.from_numpy(v).permute(0, 3, 1, 2).float().div_(255).contiguous(memory_format=torch.channels_last)
            for k, v in made.items()
        }
        return tensors | {"index": torch.tensor(index)}


class Remaining(torch.utils.data.Sampler[int]):
    """The batches that a resumed run has not seen."""

    def __init__(self, first: int, steps: int) -> None:
        self.first, self.steps = first, steps

    def __iter__(self) -> Any:
        return iter(range(self.first, self.steps))

    def __len__(self) -> int:
        return self.steps - self.first


class Training(lightning.LightningModule):
    """Losses, optimiser and a running mean of the weights, which is what is exported."""

    def __init__(self, squeeze: torch.nn.Sequential, settings: dict[str, Any]) -> None:
        super().__init__()
        self.settings = settings
        self.network, self.mean = StyleNetwork(), StyleNetwork().requires_grad_(False)
        self.mean.load_state_dict(self.network.state_dict())
        fast = torch.compile if settings["compile"] else lambda function: function
        self._draw = fast(self.network.forward)
        self._edges, self._style, self._cells = fast(edge_loss), fast(style_loss), fast(cell_loss)
        self._squeeze = [squeeze.to(memory_format=torch.channels_last)]  # in a list: it is no part of the checkpoint
        self._pools: dict[tuple[int, ...], Tensor] = {}

    def pools(self, taps: list[Tensor], side: int) -> list[Tensor]:
        """Cell weights for each tap of a picture of `side` pixels."""
        cells = side // CELL
        for t in taps:
            shape = (cells, *t.shape[2:])
            if shape not in self._pools:
                self._pools[shape] = pooling(cells, cells, *t.shape[2:])
        return [self._pools[cells, *t.shape[2:]] for t in taps]

    def training_step(self, batch: dict[str, Tensor], _: int) -> Tensor:
        """One batch: a quarter of the contents is drawn twice, from places up to `shift` pixels apart."""
        s = self.settings
        style, wide = batch["style"], batch["content"]
        side = style.shape[3]
        generator = torch.Generator().manual_seed(int(batch["index"]) + 1_000_003 * int(s["seed"]))
        move = int(torch.randint(1, int(s["shift"]) + 1, (1,), generator=generator))
        content, half = wide[..., :side], max(1, len(style) // 4)
        moved = wide[:half, :, :, move : move + side]
        moved = moved + float(s["grain"]) * torch.randn(moved.shape, generator=generator)
        local = torch.rand((len(style), 1, 1), generator=generator) < 0.7
        with torch.no_grad():
            wanted = taps_of(self._squeeze[0], style, LOSS_TAPS)
            keep = taps_of(self._squeeze[0], content, (7,))[0]
            pools = self.pools(wanted, side)
            whole = Code.statistics(wanted[:3])
            cells = Code.statistics(wanted[:3], pools[:3])
        code = self.network.code(torch.where(local, cells, whole.expand_as(cells)))
        drawn = self._draw(
            torch.cat([content, moved.clamp(0, 1)]), torch.cat([code, code[:half]]), (side // CELL, side // CELL)
        )
        again, drawn = drawn[len(style) :], drawn[: len(style)]
        seen = taps_of(self._squeeze[0], drawn, LOSS_TAPS)
        with torch.autocast(drawn.device.type, enabled=False):  # a deviation is the difference of near numbers
            losses = {
                "content": functional.mse_loss(normalised(seen[2]), normalised(keep)),
                "edges": self._edges(drawn, content),
                "style": self._style(seen, wanted),
                "cells": self._cells(seen[:3], wanted[:3], pools[:3], local),
                "time": functional.mse_loss(again[..., : side - move], drawn[:half, :, :, move:]),
                "smooth": (drawn.diff(dim=2).abs().mean() + drawn.diff(dim=3).abs().mean()),
            }
        total: Tensor = sum((float(s["loss"][k]) * v for k, v in losses.items()), torch.zeros(()))
        if not torch.isfinite(total):
            raise InvalidValue(f"diverged at step {self.global_step} at rate {s['rate']}: lower rate=")
        self.log_dict({k: v.detach() for k, v in losses.items()} | {"loss": total.detach()}, prog_bar=True)
        return total

    def optimizer_step(self, *arguments: Any, **options: Any) -> None:
        """A step, and the mean follows, faster in the beginning; here, so that a checkpoint of the step holds both."""
        super().optimizer_step(*arguments, **options)
        keep = min(float(self.settings["mean"]), (1 + self.global_step) / (10 + self.global_step))
        with torch.no_grad():
            for mean, now in zip(self.mean.parameters(), self.network.parameters(), strict=True):
                mean.lerp_(now, 1 - keep)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Say what it was trained with."""
        checkpoint["spectrogrand"] = {"recipe": recipe(self.settings)}

    def configure_optimizers(self) -> Any:
        """Adam; the rate rises over the first hundredth and falls to a twentieth along a cosine."""
        optimizer = torch.optim.Adam(self.network.parameters(), lr=float(self.settings["rate"]), betas=(0.9, 0.99))
        steps = int(self.settings["steps"])
        warm = max(1, steps // 100)

        def rate(k: int) -> float:
            return min((k + 1) / warm, 1.0) * (0.525 + 0.475 * float(torch.cos(torch.tensor(torch.pi * k / steps))))

        scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, rate)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}


def edge_loss(drawn: Tensor, content: Tensor) -> Tensor:
    """One minus the correlation of the two pictures' edge strengths (blurred luminance, Sobel)."""

    def edges(pictures: Tensor) -> Tensor:
        grey = (pictures.float() * pictures.new_tensor((0.299, 0.587, 0.114)).view(1, 3, 1, 1)).sum(1, keepdim=True)
        blur = grey.new_tensor((1.0, 4.0, 6.0, 4.0, 1.0)) / 16
        kernel = (blur[:, None] * blur[None]).view(1, 1, 5, 5)
        grey = functional.conv2d(grey, kernel)
        slope = grey.new_tensor((-1.0, 0.0, 1.0))
        mean = grey.new_tensor((1.0, 2.0, 1.0)) / 4
        across = functional.conv2d(grey, (mean[:, None] * slope[None]).view(1, 1, 3, 3))
        down = functional.conv2d(grey, (slope[:, None] * mean[None]).view(1, 1, 3, 3))
        strength = (across * across + down * down + 1e-5).sqrt().flatten(1)
        centred = strength - strength.mean(1, keepdim=True)
        return centred / (centred.norm(dim=1, keepdim=True) + 1e-3)

    return 1 - (edges(drawn) * edges(content)).sum(1).mean()


def style_loss(seen: list[Tensor], wanted: list[Tensor]) -> Tensor:
    """Means, deviations and Gram matrices, each relative to the style's own size; summed over taps."""
    total = torch.zeros(())
    for s, w in zip(seen, wanted, strict=True):
        (sm, sd, sg), (wm, wd, wg) = grams(s), grams(w)
        size = (wm * wm + wd * wd).mean(1)
        total = total + (((sm - wm) ** 2 + (sd - wd) ** 2).mean(1) / size).mean()
        total = total + (((sg - wg) ** 2).mean((1, 2)) / (wg * wg).mean((1, 2))).mean()
    return total


def grams(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Mean and deviation (item, channel) and mean products of channels (item, channel, channel)."""
    flat = positions(x)
    products = flat.transpose(1, 2) @ flat / flat.shape[1]
    mean = flat.mean(1)
    return mean, (products.diagonal(dim1=1, dim2=2) - mean * mean).clamp(min=0).add(EPS).sqrt(), products


def cell_loss(seen: list[Tensor], wanted: list[Tensor], pools: list[Tensor], local: Tensor) -> Tensor:
    """Means and deviations cell by cell, where the code has cells; relative to the style's own size."""
    total = torch.zeros(())
    for s, w, p in zip(seen, wanted, pools, strict=True):
        (sm, sd), (wm, wd) = moments(s, p), moments(w, p)
        size = (wm * wm + wd * wd).mean((1, 2))
        total = total + (((sm - wm) ** 2 + (sd - wd) ** 2).mean((1, 2)) / size * local.view(-1)).mean()
    return total


def code_scale(network: StyleNetwork, squeeze: torch.nn.Sequential, pictures: Pictures, side: int) -> None:
    """Mean and spread of the statistics over 128 styles: so that every one of them speaks as loudly."""
    found = []
    for k in range(8):
        style = torch.from_numpy(pictures.batch(12345, k, 16, side, 8)["style"]).permute(0, 3, 1, 2).float() / 255
        with torch.no_grad():
            found.append(Code.statistics(taps_of(squeeze, style, LOSS_TAPS[:3])).flatten(0, 1))
    together = torch.cat(found)
    network.code.mean.copy_(together.mean(0))
    network.code.std.copy_(together.std(0) + 0.05)


def fit(settings: dict[str, Any]) -> None:
    """Train, or go on; with export=FOLDER write what the package ships."""
    folder = Path(settings["output"])
    if settings["export"]:
        export(folder / "last.ckpt", settings, Path(settings["export"]))
        return
    last = folder / "last.ckpt"
    first = gone_on(last, settings)
    torch.set_num_threads(int(settings["threads"]))
    lightning.seed_everything(int(settings["seed"]), verbose=False)
    squeeze = squeezenet(Path(settings["squeezenet"]))
    pictures = prepare(Path(settings["cache"]), **settings["data"])
    training = Training(squeeze, settings)
    code_scale(training.network, squeeze, pictures, int(settings["side"]))
    training.mean.load_state_dict(training.network.state_dict())
    steps = int(settings["steps"])
    data = Batches(pictures, *(int(settings[k]) for k in ("seed", "batch", "side", "shift", "steps")))
    loader = torch.utils.data.DataLoader(data, batch_size=None, sampler=Remaining(first, steps))
    keeper = lightning.pytorch.callbacks.ModelCheckpoint(
        dirpath=folder,
        filename="last",
        every_n_train_steps=int(settings["every"]),
        save_top_k=1,
        enable_version_counter=False,
    )
    trainer = lightning.Trainer(
        max_steps=steps, accelerator=settings["accelerator"], devices=1, precision=settings["precision"],
        callbacks=[keeper, Interruption(folder)],
        plugins=[checkpoints.PlainCheckpointIO()], log_every_n_steps=50,
        logger=lightning.pytorch.loggers.CSVLogger(folder, name="", version="", flush_logs_every_n_steps=50),
        gradient_clip_val=1.0, enable_progress_bar=bool(settings["progress"]), enable_model_summary=False,
    )  # fmt: skip
    trainer.fit(training, loader, ckpt_path=last if last.is_file() else None, weights_only=True)
    trainer.save_checkpoint(last)
    with replacing(folder / "metrics.json") as draft:
        draft.write_text(json.dumps({"state": "finished", "steps": int(trainer.global_step)}, indent=1), "utf-8")


def gone_on(last: Path, settings: dict[str, Any]) -> int:
    """The step that a training goes on from, 0 for a fresh one. More `steps` than before are no other training.

    Raises:
        InvalidValue: the folder holds a training with other settings; they are named.
    """
    if not last.is_file():
        return 0
    kept, wanted = checkpoints.load(last), recipe(settings)
    before = kept.get("spectrogrand", {}).get("recipe", wanted)
    differing = [k for k in wanted if k != "steps" and before.get(k) != wanted[k]]
    if differing:
        raise InvalidValue(
            f"{last.parent} holds a training with other settings ({', '.join(differing)}): choose another output="
        )
    return int(kept["global_step"])


if __name__ == "__main__":
    sys.exit(main("stylizer", fit))
