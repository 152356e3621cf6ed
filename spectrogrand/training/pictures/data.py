"""Data modules: a config's `name:` to labelled splits, and the loaders over them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import lightning
import numpy as np

from ...errors import InvalidValue, UnknownName, nearest
from ...types import GENRES
from ..loop.entry import bound
from . import anything, folders, hearing, synthetic
from .batches import Batches, InOrder, Labelled
from .cache import SHARE, decode


class Pictures(lightning.LightningDataModule):
    """Splits of labelled pictures (or bars of sound) for one task.

    Args:
        config: `name:` of a data set and its settings, as `train/conf/data/*.yaml` hold them.
        task: "genre" or "surprise".
        side: rows and columns of the pictures.
        batch: pictures a step, over all processes.
        seed: of the order.
        cache: folder of what was decoded or synthesised once.
        limit: at most so many batches an epoch, or as a fraction of them.

    Raises:
        UnknownName: no such data set or setting.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        task: str,
        side: int,
        batch: int,
        *,
        seed: int,
        cache: Path,
        limit: float | None = None,
    ) -> None:
        super().__init__()
        self.config, self.task, self.side, self.batch = dict(config), task, side, batch
        self.seed, self.cache, self.limit = seed, cache, limit
        self.splits: dict[str, Labelled] = {}
        self._content: str | None = None
        if config.get("name") not in DATASETS:
            raise UnknownName(f"no data set {config.get('name')!r}; {nearest(str(config.get('name')), DATASETS)}")

    def prepare_data(self) -> None:
        """Decode or synthesise, in one process of a machine."""
        if not self.splits:
            self._load()

    def setup(self, stage: str | None = None) -> None:
        """Open what was prepared, in every process.

        Raises:
            InvalidValue: no validation split.
        """
        if not self.splits:
            self.splits = self._load()
            if "val" not in self.splits:
                raise InvalidValue("there is no validation split: make a folder val/ beside train/ and test/")

    def train_dataloader(self) -> Batches:
        """This process's share of the shuffled training items."""
        trainer = self.trainer
        rank, world = (trainer.global_rank, trainer.world_size) if trainer is not None else (0, 1)
        return Batches(self.splits["train"], self.batch, seed=self.seed, rank=rank, world=world, limit=self.limit)

    def val_dataloader(self) -> InOrder:
        """All validation items, in every process."""
        return InOrder(self.splits["val"], max(64, min(self.batch, 256)))

    def test_dataloader(self) -> InOrder:
        """All test items."""
        return InOrder(self.splits["test"], max(64, min(self.batch, 256)))

    @property
    def classes(self) -> tuple[str, ...]:
        """Names in the order of the labels; of the presets the published order, of other data sorted."""
        self.setup()
        return self.splits["train"].classes

    @property
    def multi_label(self) -> bool:
        """Whether an item may have several classes."""
        self.setup()
        return self.splits["train"].labels.ndim == 2

    def counts(self) -> np.ndarray:
        """Training items per class."""
        labels = self.splits["train"].labels
        return labels.sum(0) if labels.ndim == 2 else np.bincount(labels, minlength=len(self.classes))

    def content(self) -> str | None:
        """sha256 of the files' bytes, labels and tracks, wherever they lie; None where settings make them.

        Of the files, not of the decoded pictures: these would be read as a whole at each start, and another release of the
        decoder draws them a level lighter.
        """
        if "root" not in self.config or (self.config["root"] is None and not self.config.get("csv")):
            return None
        if self._content is None:
            self.setup()
            digest = hashlib.sha256()
            for split, part in self.splits.items():
                digest.update(json.dumps([split, part.labels.tolist(), part.groups, part.sources]).encode())
            self._content = digest.hexdigest()
        return self._content

    def _load(self) -> dict[str, Labelled]:
        make = DATASETS[self.config["name"]]
        what = f"data set {self.config['name']!r}"
        found: dict[str, Labelled] = bound(make, self.config, what, task=self.task, side=self.side, cache=self.cache)
        return found


def housex(
    *, task: str, side: int, cache: Path, root: str, share: float = SHARE, workers: int | None = None
) -> dict[str, Labelled]:
    """The mel pictures of HouseX, split as shipped."""
    _only("genre", task, "housex")
    return decode(folders.housex(root), GENRES, side, cache, share=share, workers=workers)


def covers(
    *,
    task: str,
    side: int,
    cache: Path,
    root: str,
    split_seed: int = 0,
    share: float = SHARE,
    workers: int | None = None,
) -> dict[str, Labelled]:
    """Covers in folders ai/ and human/."""
    _only("surprise", task, "covers")
    return decode(folders.covers(root, split_seed), folders.SOURCES, side, cache, share=share, workers=workers)


def made(
    *, task: str, side: int, cache: Path, songs: int = 264, seconds: float = 15.0, pictures: int = 1200, seed: int = 0,
    input: str = "pictures", shuffle_labels: bool = False, workers: int | None = None,
) -> dict[str, Labelled]:  # fmt: skip
    """Synthesised songs or painted covers, whichever the task needs.

    Args:
        songs: how many.
        seconds: of each.
        pictures: how many covers.
        seed: of the synthesis.
        input: "pictures", or "sound" for a mel spectrogram on the fly (genre only).
        shuffle_labels: train on labels in random order, to see accuracy fall to chance.
    """
    if input not in ("pictures", "sound") or (input == "sound" and task != "genre"):
        raise InvalidValue(f"data.input is 'pictures', or 'sound' for the genre, got {input!r}")
    if task == "genre":
        found = synthetic.songs(
            cache, count=songs, seconds=seconds, side=side, sound=input == "sound", seed=seed, workers=workers
        )
    else:
        found = synthetic.pictures(cache, count=pictures, side=side, seed=seed, workers=workers)
    if shuffle_labels:
        found = {split: synthetic.shuffled(part, seed) if split == "train" else part for split, part in found.items()}
    return found


def own_folder(
    *, task: str, side: int, cache: Path, root: str, input: str = "auto", group: str = "stem", groups: str | None = None,
    bars: int = 16, split_seed: int = 0, fraction: float = 1.0, share: float = SHARE, workers: int | None = None,
) -> dict[str, Labelled]:  # fmt: skip
    """A folder per class, of pictures or sounds: see `anything.folder`."""
    found = anything.folder(root, input=input, group=group, groups=groups, split_seed=split_seed)
    return _read(found, side, cache, bars, fraction, split_seed, share, workers)


def own_table(
    *, task: str, side: int, cache: Path, csv: str, root: str | None = None, multi_label: bool = False, input: str = "auto",
    bars: int = 16, split_seed: int = 0, fraction: float = 1.0, share: float = SHARE, workers: int | None = None,
) -> dict[str, Labelled]:  # fmt: skip
    """The rows of a CSV, pictures or sounds: see `anything.table`."""
    found = anything.table(root, csv, multi_label=multi_label, input=input, split_seed=split_seed)
    return _read(found, side, cache, bars, fraction, split_seed, share, workers)


def _read(
    found: tuple[list[folders.Entry], tuple[str, ...], bool], side: int, cache: Path, bars: int, fraction: float, seed: int,
    share: float, workers: int | None,
) -> dict[str, Labelled]:  # fmt: skip
    entries, classes, sounds = found
    entries = anything.fewer(entries, fraction, seed)
    if sounds:
        return hearing.hear(entries, classes, side, cache, bars=bars, share=share, workers=workers)
    return decode(entries, classes, side, cache, share=share, workers=workers)


DATASETS: dict[str, Any] = {
    "housex": housex,
    "covers": covers,
    "synthetic": made,
    "folder": own_folder,
    "csv": own_table,
}


def _only(wanted: str, task: str, name: str) -> None:
    if task != wanted:
        raise InvalidValue(f"data={name} is for train/{wanted}.py, not for train/{task}.py")
