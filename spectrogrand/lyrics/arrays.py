"""Arrays in safetensors files, written as a stream and read as memory maps: only the rows in use are in memory."""

from __future__ import annotations

import json
import math
import os
import struct
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from ..errors import InvalidValue
from ..files import parse_json, replacing

_NAMES = {"F16": np.float16, "F32": np.float32, "I8": np.int8, "I32": np.int32, "I64": np.int64}
_LONGEST_HEADER = 1 << 20
_MOST = 1 << 48


def write(path: Path, arrays: Mapping[str, tuple[np.dtype, tuple[int, ...], Iterable[np.ndarray]]]) -> None:
    """Write arrays given as (type, shape, blocks of consecutive rows), never torn.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     blocks = [np.zeros((1, 2), np.float16), np.ones((2, 2), np.float16)]
    ...     write(Path(folder, "a.safetensors"), {"x": (np.dtype(np.float16), (3, 2), blocks)})
    ...     mapped(Path(folder, "a.safetensors"))["x"].sum().item()
    4.0
    """
    header, offset = {}, 0
    for name, (kind, shape, _) in arrays.items():
        size = kind.itemsize * math.prod(shape)
        code = next(k for k, v in _NAMES.items() if v == kind)
        header[name] = {"dtype": code, "shape": list(shape), "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with replacing(path) as draft, open(draft, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        begun = file.tell()
        for kind, _, blocks in arrays.values():
            for block in blocks:
                file.write(np.ascontiguousarray(block, kind).tobytes())
        assert file.tell() - begun == offset, "the blocks are not as large as was said"


def mapped(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a safetensors file as read-only memory maps.

    Raises:
        InvalidValue: the file is missing, torn, or no such file.
    """
    try:
        size = os.path.getsize(path)
        with open(path, "rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            if length > min(_LONGEST_HEADER, size):
                raise ValueError("its header is longer than the file")
            header = parse_json(file.read(length))
        found = {}
        for name, entry in header.items():
            if name == "__metadata__":
                continue
            kind, shape, (start, end) = np.dtype(_NAMES[entry["dtype"]]), tuple(entry["shape"]), entry["data_offsets"]
            if len(shape) > 8 or not all(type(n) is int and 0 <= n <= _MOST for n in (*shape, start, end)):
                raise ValueError(f"{name[:40]} has no shape")
            if not 0 <= start <= end <= size - 8 - length or end - start != kind.itemsize * math.prod(shape):
                raise ValueError(f"{name} does not fit into it")
            empty = end == start
            found[name] = np.zeros(shape, kind) if empty else np.memmap(path, kind, "r", 8 + length + start, shape)
        return found
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, struct.error) as error:
        raise InvalidValue(
            f"{path} is missing, torn or no safetensors file ({error}): build the index again"
        ) from error
