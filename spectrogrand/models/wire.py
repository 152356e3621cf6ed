"""Values between processes: one JSON header, then the arrays' raw bytes. Nothing is pickled, so nothing is executed."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import IO, Any

import numpy as np

from ..errors import InvalidValue
from ..types import Audio, CoverBrief, Image, Plan, Scene, Section, Spectrogram, Topic

VALUES = {c.__name__: c for c in (Audio, CoverBrief, Image, Plan, Scene, Section, Spectrogram, Topic)}
_PLAIN = (str, bool, int, float, type(None))


def pack(value: Any) -> list[bytes | memoryview]:
    """What is written for one value: 8 bytes of header length and the header, then each array.

    Raises:
        InvalidValue: the value holds something that cannot be sent.

    >>> import io
    >>> receive(io.BytesIO(b"".join(pack({"tempo": 124.0, "beats": (0.0, 0.5)}))))
    {'tempo': 124.0, 'beats': (0.0, 0.5)}
    """
    arrays: list[np.ndarray] = []
    header = json.dumps(_pack(value, arrays)).encode()
    return [len(header).to_bytes(8, "little") + header, *(a.reshape(-1).view(np.uint8).data for a in arrays)]


def send(file: IO[bytes], parts: list[bytes | memoryview]) -> None:
    """Write what `pack` gave.

    Raises:
        BrokenPipeError: nobody reads.
    """
    for part in parts:
        file.write(part)
    file.flush()


def receive(file: IO[bytes]) -> Any:
    """Read one value.

    Raises:
        EOFError: the other side closed, or died half-way.
    """
    header = json.loads(_exactly(file, int.from_bytes(_exactly(file, 8), "little")))
    return _unpack(header, file)


def _pack(value: Any, arrays: list[np.ndarray]) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, np.ndarray):
        return _pack_array(value, arrays)
    if isinstance(value, list | tuple):
        return {"is": type(value).__name__, "items": [_pack(v, arrays) for v in value]}
    if isinstance(value, Fraction):
        return {"is": "Fraction", "ratio": [value.numerator, value.denominator]}
    if isinstance(value, Mapping) and all(isinstance(k, str) for k in value):
        return {"is": "dict", "keys": list(value), "items": [_pack(v, arrays) for v in value.values()]}
    name = type(value).__name__
    if VALUES.get(name) is type(value):
        fields = [f.name for f in dataclasses.fields(value)]
        return {"is": name, "keys": fields, "items": [_pack(getattr(value, f), arrays) for f in fields]}
    known = ", ".join(VALUES)
    raise InvalidValue(
        f"{name} cannot be sent to another process: send {known}, arrays, text, numbers, lists, dicts with text keys"
    )


def _pack_array(array: np.ndarray, arrays: list[np.ndarray]) -> dict[str, Any]:
    if array.dtype.kind not in "biufc":
        raise InvalidValue(f"an array of {array.dtype} cannot be sent to another process: send numbers")
    kind = {"dtype": array.dtype.str, "shape": list(array.shape)}
    if isinstance(array, np.memmap) and array.filename is not None and not array.flags.writeable:
        path, offset = Path(array.filename).resolve(), int(array.offset)
        whole = path.is_file() and path.stat().st_size - offset == array.nbytes  # a slice of a map still names its file
        if whole and (array.flags.c_contiguous or array.flags.f_contiguous):
            order = "C" if array.flags.c_contiguous else "F"
            return {"is": "mapped", "path": str(path), "offset": offset, "order": order, **kind}
    arrays.append(np.ascontiguousarray(array))
    return {"is": "array", **kind}


def _unpack(header: Any, file: IO[bytes]) -> Any:
    """Rebuild in the order of packing, which is the order of the arrays' bytes."""
    if not isinstance(header, dict):
        return [_unpack(h, file) for h in header] if isinstance(header, list) else header
    kind = header["is"]
    if kind == "array":
        dtype, shape = np.dtype(header["dtype"]), tuple(header["shape"])
        array = np.empty(shape, dtype)
        _fill(file, array.reshape(-1).view(np.uint8).data)
        return array
    if kind == "mapped":
        shape, order = tuple(header["shape"]), header["order"]
        return np.memmap(header["path"], header["dtype"], "r", header["offset"], shape, order)
    if kind == "Fraction":
        return Fraction(*header["ratio"])
    items = [_unpack(h, file) for h in header["items"]]
    if kind in ("list", "tuple"):
        return items if kind == "list" else tuple(items)
    fields = dict(zip(header["keys"], items, strict=True))
    return fields if kind == "dict" else VALUES[kind](**fields)


def _exactly(file: IO[bytes], count: int) -> bytes:
    data = bytearray(count)
    _fill(file, memoryview(data))
    return bytes(data)


def _fill(file: IO[bytes], space: memoryview) -> None:
    done = 0
    while done < len(space):
        got = file.readinto(space[done:])  # type: ignore[attr-defined]
        if not got:
            raise EOFError("the other side closed")
        done += got
