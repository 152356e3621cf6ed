"""Labelled pictures in memory-mapped uint8, and batches of them whose order follows from (seed, epoch) alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...errors import InvalidValue

SPLITS = ("train", "val", "test")


@dataclass(frozen=True, eq=False)
class Labelled:
    """Examples of one split.

    Args:
        values: uint8 pictures (item, row, column, rgb), or float32/int16 sounds (item, time); may be a memory map.
        labels: indices into `classes`, int64, shape=(item,); or 0 and 1, shape=(item, class), where items may have several.
        groups: the track or cover that each item comes from; no group lies in two splits.
        classes: names in the order of the network's outputs.
        skipped: files that could not be read, with the reason.
        sources: sha256 of each item's file; empty where settings make the items.
    """

    values: np.ndarray
    labels: np.ndarray
    groups: tuple[str, ...]
    classes: tuple[str, ...]
    skipped: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.labels)

    def part(self, chosen: np.ndarray) -> Labelled:
        """The items of these indices."""
        groups, sources = (tuple(told[i] for i in chosen) if told else () for told in (self.groups, self.sources))
        rows: Any = _Rows(self.values, chosen)
        return Labelled(rows, self.labels[chosen], groups, self.classes, self.skipped, sources)


class _Rows:
    """Some rows of an array, read when they are asked for: a split of a memory map is never copied as a whole."""

    def __init__(self, values: Any, rows: np.ndarray) -> None:
        inner = isinstance(values, _Rows)
        self._values: Any = values._values if inner else values
        self._rows: np.ndarray = np.asarray(values._rows[rows] if inner else rows, np.int64)
        self.shape, self.dtype = (len(rows), *values.shape[1:]), values.dtype

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, chosen: Any) -> np.ndarray:
        return np.asarray(self._values[self._rows[chosen]])


class Batches:
    """The training loader: (values, labels, indices) as torch tensors, its order drawn from (seed, epoch), its place saved.

    Process `rank` of `world` gets its contiguous share of every global batch of `batch` items, so that any number of processes
    sees the same batches; a last batch that would be smaller is dropped (the next epoch's order brings its items back), unless it
    is the only one.
    """

    def __init__(
        self, data: Labelled, batch: int, *, seed: int, rank: int = 0, world: int = 1, limit: float | None = None
    ) -> None:
        if batch % world:
            raise InvalidValue(
                f"a batch of {batch} cannot be shared by {world} processes: choose recipe.batch_size a multiple"
            )
        if len(data) < world:
            raise InvalidValue(f"there is too little to train on: {len(data)} items for {world} processes")
        self.data, self.seed, self.rank, self.world = data, seed, rank, world
        self.batch = min(batch, len(data) // world * world)
        whole = len(data) // self.batch
        self.length = limited(whole, limit)
        self.epoch = self.position = self._start = 0
        self.sampler = self
        """Lightning tells samplers the epoch; this loader is its own."""

    def __len__(self) -> int:
        return self.length

    def set_epoch(self, epoch: int) -> None:
        """Say which epoch comes next."""
        self.epoch = epoch

    def order(self, epoch: int) -> np.ndarray:
        """All items of an epoch in their order, int64."""
        return np.random.default_rng([self.seed, epoch]).permutation(len(self.data))

    def __iter__(self) -> Iterator[tuple[Any, Any, Any]]:
        start, self._start = self._start, 0
        order, share = self.order(self.epoch), self.batch // self.world
        for k in range(start, self.length):
            begin = k * self.batch + self.rank * share
            self.position = k + 1
            yield tensors(self.data, order[begin : begin + share])

    def state_dict(self) -> dict[str, int]:
        """Epoch and number of batches given out: plain data for the checkpoint."""
        return {"epoch": self.epoch, "position": self.position}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Go on where `state_dict` was taken."""
        self.epoch = state["epoch"]
        self._start = state["position"] % self.length


class InOrder:
    """The evaluation loader: every item once, in order; each process sees all of them."""

    def __init__(self, data: Labelled, batch: int, limit: float | None = None) -> None:
        self.data, self.batch = data, batch
        whole = -(-len(data) // batch)
        self.length = limited(whole, limit)

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[tuple[Any, Any, Any]]:
        for k in range(self.length):
            yield tensors(self.data, np.arange(k * self.batch, min((k + 1) * self.batch, len(self.data))))


def limited(batches: int, limit: float | None) -> int:
    """How many batches of an epoch are taken: all, at most `limit`, or as Lightning has it a share of them where it is no whole
    number.

    >>> limited(10, None), limited(10, 3), limited(10, 0.25)
    (10, 3, 2)
    """
    if limit is None:
        return batches
    return max(1, int(batches * limit)) if isinstance(limit, float) else max(1, min(batches, int(limit)))


def tensors(data: Labelled, chosen: np.ndarray) -> tuple[Any, Any, Any]:
    """Values, labels and indices of some items; pictures as uint8 (item, rgb, row, column), channels last in memory."""
    import torch

    values = torch.from_numpy(np.ascontiguousarray(data.values[chosen]))
    if values.ndim == 4:
        values = values.permute(0, 3, 1, 2)
    return values, torch.from_numpy(data.labels[chosen]), torch.from_numpy(np.asarray(chosen, np.int64))


def draws(seed: int, epoch: int, indices: Sequence[int], count: int) -> np.ndarray:
    """Uniform numbers for each item, float64, shape=(item, count): they follow from (seed, epoch, index) and nothing else."""
    return np.stack([np.random.default_rng([seed, epoch, int(i)]).random(count) for i in indices])
