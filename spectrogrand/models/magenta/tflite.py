"""Reads constants out of a TFLite file with nothing but struct and numpy: names, shapes, values, quantisation.

A TFLite file is a FlatBuffer (identifier TFL3): a table starts with the signed distance back to its vtable, which holds the
offset of each field, 0 where the field is absent. Field numbers are those of TensorFlow's `schema.fbs`.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import InvalidValue

TYPES: dict[int, type[Any]] = {0: np.float32, 1: np.float16, 2: np.int32, 4: np.int64, 9: np.int8}


@dataclass(frozen=True)
class Tensor:
    """One tensor: its stored values (None where it is computed), and what quantisation says of it."""

    shape: tuple[int, ...]
    stored: np.ndarray | None
    scale: np.ndarray
    zero: np.ndarray
    axis: int

    def values(self) -> np.ndarray:
        """Real values, float32: scale * (stored - zero), along `axis` where each channel has its own scale.

        Raises:
            InvalidValue: the tensor is computed, not stored.
        """
        if self.stored is None:
            raise InvalidValue("this tensor of the TFLite file holds no values: is it another network?")
        x = self.stored.astype(np.float32)
        if not self.scale.size:
            return x
        along = [1] * x.ndim
        if self.scale.size > 1:
            along[self.axis] = self.scale.size
        return np.asarray((x - self.zero.astype(np.float32).reshape(along)) * self.scale.reshape(along), np.float32)


def read(path: Path) -> dict[str, Tensor]:
    """Every tensor of the first subgraph, by name.

    Raises:
        InvalidValue: not a TFLite file, or one that ends too early.
    """
    data = path.read_bytes()
    if data[4:8] != b"TFL3":
        raise InvalidValue(f"{path} is no TFLite file: it lacks the identifier TFL3")
    try:
        file = _Reader(data)
        model = file.u32(0)
        graph = file.tables(model, 2)[0]
        buffers = file.tables(model, 4)
        return dict(file.tensor(t, buffers) for t in file.tables(graph, 0))
    except (struct.error, IndexError, ValueError, UnicodeDecodeError) as error:
        raise InvalidValue(f"{path} is a torn TFLite file ({error}): get it again") from error


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data

    def u32(self, at: int) -> int:
        return int(struct.unpack_from("<I", self.data, at)[0])

    def field(self, table: int, number: int) -> int:
        """Where a field of a table lies; 0 where it is absent."""
        vtable = table - struct.unpack_from("<i", self.data, table)[0]
        if 4 + 2 * number >= struct.unpack_from("<H", self.data, vtable)[0]:
            return 0
        offset = struct.unpack_from("<H", self.data, vtable + 4 + 2 * number)[0]
        return table + offset if offset else 0

    def vector(self, table: int, number: int) -> tuple[int, int]:
        """(count, position of the first element)."""
        at = self.field(table, number)
        if not at:
            return 0, 0
        start = at + self.u32(at)
        return self.u32(start), start + 4

    def tables(self, table: int, number: int) -> list[int]:
        count, start = self.vector(table, number)
        return [start + 4 * k + self.u32(start + 4 * k) for k in range(count)]

    def array(self, table: int, number: int, dtype: type[Any]) -> np.ndarray:
        count, start = self.vector(table, number)
        return np.frombuffer(self.data, dtype, count, start) if count else np.zeros(0, dtype)

    def tensor(self, table: int, buffers: list[int]) -> tuple[str, Tensor]:
        shape = tuple(int(n) for n in self.array(table, 0, np.int32))
        at = self.field(table, 1)
        dtype = TYPES.get(self.data[at] if at else 0)
        at = self.field(table, 2)
        raw = self.array(buffers[self.u32(at)], 0, np.uint8) if at else np.zeros(0, np.uint8)
        count, start = self.vector(table, 3)
        name = self.data[start : start + count].decode()
        at = self.field(table, 4)
        scale, zero, axis = np.zeros(0, np.float32), np.zeros(0, np.int64), 0
        if at:
            about = at + self.u32(at)
            scale, zero = self.array(about, 2, np.float32), self.array(about, 3, np.int64)
            where = self.field(about, 6)
            axis = struct.unpack_from("<i", self.data, where)[0] if where else 0
        stored = raw.view(dtype).reshape(shape) if raw.size and dtype is not None else None
        return name, Tensor(shape, stored, scale, zero, axis)
