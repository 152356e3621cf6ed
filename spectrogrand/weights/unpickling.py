"""Reads pickles of tensors without running anything they name: every class and function is a stand-in written here.

A pickle is a program that may call whatever it can import. Here the only things it can name are those of `_Reader.find_class`:
tensors, their storages, ordered dictionaries, sets, numpy arrays, and modules of torch and torchvision, which become
inert `Node`s that hold their state. Nothing of the pickle's choosing is ever imported, and what it may cost is bounded
(`pickles.Budget`).
"""

from __future__ import annotations

import io
import mmap
import pickle
import re
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InvalidValue
from .pickles import NESTED, Budget, Machine, Refused, checked, ordered

DTYPES = {
    "DoubleStorage": "float64", "FloatStorage": "float32", "HalfStorage": "float16", "BFloat16Storage": "bfloat16",
    "LongStorage": "int64", "IntStorage": "int32", "ShortStorage": "int16", "CharStorage": "int8", "ByteStorage": "uint8",
    "BoolStorage": "bool",
}  # fmt: skip
MODULES = re.compile(r"(torch\.nn\.modules|torchvision\.(models|ops))(\.\w+)*")
PUBLISHED = {"GenreNet": "genre_classification", "CreativeNet": "surprise_estimation"}
"""The published pipeline's own module classes, and the files that they were defined in."""
LEGACY = 0x1950A86A20F9469CFC6C
"""What torch's file format before 1.6 begins with; tensors inside plain pickles still use it."""
DEPTH = 8
LONGEST_SHAPE = 32
PART = 64 << 20
"""Bytes of a mapped file that are in memory at a time while its checksums are taken."""
_BROKEN = (
    pickle.UnpicklingError, EOFError, ValueError, TypeError, AttributeError, KeyError, IndexError, RuntimeError,
    OverflowError, MemoryError, UnicodeDecodeError, zipfile.BadZipFile,
)  # fmt: skip


class Node:
    """What stands in for a module: the name of its class and its state, and no behaviour."""

    label = ""

    def __new__(cls, *arguments: Any, **options: Any) -> Node:
        return super().__new__(cls)

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self.state: dict[str, Any] = {}

    def __setstate__(self, state: Any) -> None:
        self.state = state if isinstance(state, dict) else {}


def read(data: bytes, name: str, depth: int = 0, budget: Budget | None = None) -> Any:
    """What a pickle, or a file of `torch.save`, holds: plain data, torch tensors, numpy arrays and `Node`s.

    Bytes that are pickles themselves are read the same way, `DEPTH` deep.

    Args:
        data: the file's content.
        name: what to call it in messages.
        depth: how many pickles it lies in.
        budget: of the file that it lies in; None is one of its own.

    Raises:
        InvalidValue: it is torn or no pickle; `Refused`, its child, where it names or costs what it has no need of.

    >>> import pickle
    >>> read(pickle.dumps({"a": [1, 2]}), "a.pkl")
    {'a': [1, 2]}
    """
    if depth > DEPTH:
        raise Refused(f"{name} nests pickles more than {DEPTH} deep: no published file does")
    if budget is None:
        budget = Budget(len(data), name)
    else:
        budget.spend(len(data))
        budget.step(NESTED)
    try:
        if data[:4] == b"PK\x03\x04":
            return _read_zip(memoryview(bytearray(data)), name, depth, budget)
        file = io.BytesIO(data)
        first = _Reader(file, name, depth, budget).load()
        return _read_legacy(file, name, depth, budget) if isinstance(first, int) and first == LEGACY else first
    except _BROKEN as error:
        if isinstance(error, InvalidValue):
            raise
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InvalidValue(f"{name} is torn or no pickle of tensors ({said}): get it again") from error


class Mapped:
    """A file of tensors, mapped into memory: what of it is read is in memory, and `forget` gives that back."""

    def __init__(self, path: Path) -> None:
        with open(path, "rb") as file:  # copies on write, so that nothing ever reaches the file
            self.bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)

    def forget(self) -> None:
        """Let the system take the pages back; they are read again from the file where they are wanted again."""
        if hasattr(mmap, "MADV_DONTNEED"):
            self.bytes.madvise(mmap.MADV_DONTNEED)

    def read(self, name: str) -> tuple[Any, Budget]:
        """As `read`, and what is left of the file's budget; tensors of a file of `torch.save` since 1.6 are views of the file."""
        budget = Budget(len(self.bytes), name)
        if self.bytes[:4] != b"PK\x03\x04":
            budget.spend(-len(self.bytes))
            return read(self.bytes[:], name, 0, budget), budget
        try:
            return _read_zip(memoryview(self.bytes), name, 0, budget, self.forget), budget
        except _BROKEN as error:
            if isinstance(error, InvalidValue):
                raise
            said = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise InvalidValue(f"{name} is torn or no pickle of tensors ({said}): get it again") from error


class _View(io.RawIOBase):
    """A file-like over bytes that are not copied, for `zipfile`."""

    def __init__(self, data: memoryview) -> None:
        self._data, self._at = data, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: len(self._data)}[whence]
        if at < 0:
            raise OSError("seek before the beginning")
        self._at = at
        return at

    def tell(self) -> int:
        return self._at

    def read(self, size: int | None = -1) -> bytes:
        stop = len(self._data) if size is None or size < 0 else self._at + size
        made = bytes(self._data[self._at : stop])
        self._at += len(made)
        return made


def _entry(data: memoryview, info: zipfile.ZipInfo, forget: Callable[[], None]) -> memoryview:
    """The bytes of a stored (not compressed) entry, checked against its checksum a part at a time."""
    head = bytes(data[info.header_offset : info.header_offset + 30])
    if head[:4] != b"PK\x03\x04":
        raise zipfile.BadZipFile(f"no entry where {info.filename} should be")
    start = info.header_offset + 30 + int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little")
    found = data[start : start + info.file_size]
    if len(found) != info.file_size:
        raise zipfile.BadZipFile(f"{info.filename} ends early")
    check = 0
    for at in range(0, len(found), PART):
        check = zlib.crc32(found[at : at + PART], check)
        if at:
            forget()
    if check != info.CRC:
        raise zipfile.BadZipFile(f"Bad CRC-32 for file {info.filename!r}")
    return found


def _read_zip(
    data: memoryview, name: str, depth: int, budget: Budget, forget: Callable[[], None] = lambda: None
) -> Any:
    """torch's file format since 1.6: a zip of data.pkl and one raw file per storage."""
    with zipfile.ZipFile(_View(data)) as box:
        packed = [i.filename for i in box.infolist() if i.compress_type != zipfile.ZIP_STORED]
        if packed:
            raise Refused(f"{name} holds compressed entries ({packed[0]}): torch writes none")
        if sum(i.file_size for i in box.infolist()) > len(data):
            raise Refused(f"{name} holds entries that overlap: torch writes none")
        inside = [n for n in box.namelist() if n.endswith("/data.pkl") or n == "data.pkl"]
        if len(inside) != 1:
            raise InvalidValue(f"{name} is a zip file without one data.pkl: it was not written by torch.save")
        root = inside[0][: -len("data.pkl")]
        if root + "byteorder" in box.namelist() and box.read(root + "byteorder") != b"little":
            raise InvalidValue(f"{name} was written on a big-endian machine: save it again on another")
        made: dict[str, Any] = {}

        def storage(key: str, dtype: str, count: int) -> Any:
            if key not in made:
                made[key] = _flat(_entry(data, box.getinfo(f"{root}data/{key}"), forget), dtype, count)
            return made[key]

        return _Reader(io.BytesIO(box.read(inside[0])), name, depth, budget, storage).load()


def _read_legacy(file: io.BytesIO, name: str, depth: int, budget: Budget) -> Any:
    """torch's file format before 1.6: version, machine, object, the storages' keys, then each storage's count and bytes."""
    for _ in range(2):
        _Reader(file, name, depth, budget).load()
    blank: dict[str, tuple[bytearray, Any]] = {}

    def storage(key: str, dtype: str, count: int) -> Any:
        if key not in blank:
            itemsize = _flat(bytearray(8), dtype, 1).element_size()
            if not 0 <= count * itemsize <= budget.size:
                raise InvalidValue(f"{name} declares {count:,} numbers, more than it is long: it is torn")
            budget.spend(count * itemsize)
            raw = bytearray(count * itemsize)
            blank[key] = raw, _flat(raw, dtype, count)
        return blank[key][1]

    found = _Reader(file, name, depth, budget, storage).load()
    for key in _Reader(file, name, depth, budget).load():
        raw, flat = blank[key]
        count = int.from_bytes(file.read(8), "little", signed=True)
        part = file.read(len(raw))
        if count != flat.numel() or len(part) != len(raw):
            raise InvalidValue(f"{name} ends inside storage {key}: it is torn, get it again")
        raw[:] = part
    return found


def _flat(raw: bytearray | memoryview, dtype: str, count: int) -> Any:
    """A flat tensor that shares the memory of `raw`."""
    import torch

    kind = getattr(torch, dtype)
    return torch.frombuffer(raw, dtype=kind, count=count) if count else torch.empty(0, dtype=kind)


class _Reader(Machine):
    """An unpickler with a list of what may be named. Stand-ins are made per reader, so that no file can alter another's."""

    def __init__(
        self,
        file: io.BytesIO,
        name: str,
        depth: int,
        budget: Budget,
        storage: Callable[[str, str, int], Any] | None = None,
    ) -> None:
        super().__init__(file, budget, (Node, _DType))
        self._name, self._depth, self._storage = name, depth, storage
        self._classes: dict[tuple[str, str], Any] = {}

    def find_class(self, module: str, name: str) -> Any:
        """A stand-in for what the pickle names, one for each name.

        Raises:
            Refused: the name is not on the list.
        """
        if (module, name) not in self._classes:
            self._classes[module, name] = self._stand_in(module, name)
        return self._classes[module, name]

    def _stand_in(self, module: str, name: str) -> Any:
        where = module.replace("__builtin__", "builtins").replace("numpy._core", "numpy.core")
        file, budget, depth = self._name, self.budget, self._depth
        known: dict[tuple[str, str], Any] = {
            ("collections", "OrderedDict"): lambda pairs=(): ordered(pairs, file),
            ("builtins", "set"): lambda items=(): set(checked(items, file)),
            ("builtins", "frozenset"): lambda items=(): frozenset(checked(items, file)),
            ("torch", "Size"): lambda sizes=(): tuple(sizes),
            ("torch", "device"): lambda *words: ":".join(str(w)[:20] for w in words if isinstance(w, str | int)),
            ("torch._utils", "_rebuild_tensor"): lambda *told: _tensor(*told),
            ("torch._utils", "_rebuild_tensor_v2"): lambda *told: _tensor(*told),
            ("torch._utils", "_rebuild_parameter"): lambda tensor, *_: tensor,
            ("torch._utils", "_rebuild_parameter_with_state"): lambda tensor, *_: tensor,
            ("torch.storage", "_load_from_bytes"): lambda data: read(bytes(data), file, depth + 1, budget),
            ("_codecs", "encode"): lambda text, encoding: _latin(text, encoding, budget),
            ("functools", "partial"): type("Node", (Node,), {"label": "functools.partial"}),
            ("numpy.core.multiarray", "_reconstruct"): lambda *_: Array(),
            ("numpy.core.numeric", "_frombuffer"): lambda *told: _from_buffer(*told),
            ("numpy", "ndarray"): None,
            ("numpy", "dtype"): lambda code, *_: _DType(code),
        }  # fmt: skip
        if (where, name) in known:
            return known[where, name]
        if where == "torch" and name in DTYPES:
            return DTYPES[name]
        if name.isidentifier() and self._is_module(where, name):
            return type("Node", (Node,), {"label": f"{where}.{name}"})
        raise Refused(
            f"{self._name} names {module[:80]}.{name[:80]}, which no file of tensors needs; nothing of it was run"
        )

    def persistent_load(self, pid: Any) -> Any:
        """A storage, which torch keeps outside the pickle."""
        if not isinstance(pid, tuple) or len(pid) < 2:
            raise Refused(f"{self._name} asks for something outside itself: only storages are read")
        if pid[0] == "module":  # the format before 1.6 adds each class's source code, for the reader's information
            return pid[1]
        kind, dtype, key, _, count = pid[:5]
        if (
            self._storage is None
            or kind != "storage"
            or not isinstance(dtype, str)
            or dtype not in DTYPES.values()
            or not isinstance(key, str | int)
            or not re.fullmatch(r"\d{1,20}", str(key), re.ASCII)
            or not isinstance(count, int)
        ):
            told = kind if isinstance(kind, str) else type(kind).__name__
            raise Refused(f"{self._name} asks for something outside itself ({told!r:.40}): only storages are read")
        return self._storage(str(key), dtype, count)

    @staticmethod
    def _is_module(where: str, name: str) -> bool:
        own = PUBLISHED.get(name)
        return bool(MODULES.fullmatch(where)) or (own is not None and where.rpartition(".")[2] in (own, "__main__"))


class _DType:
    """numpy's dtype as pickled: a code such as "f4" and a state that holds the byte order."""

    def __init__(self, code: str, *_: Any) -> None:
        self.code, self.order = code if isinstance(code, str) else "", "<"

    def __setstate__(self, state: Any) -> None:
        self.order = state[1] if state[1] in ("<", ">", "|") else "<"

    def numpy(self) -> np.dtype[Any]:
        if not re.fullmatch(r"[fiub]\d", self.code):
            raise Refused(f"an array of dtype {self.code!r:.20} is not numbers")
        return np.dtype(self.order + self.code)


class Array(Node):
    """numpy's array as pickled; `array` after its state is set."""

    def __init__(self, *_: Any) -> None:
        super().__init__()
        self.array = np.zeros(0)

    def __setstate__(self, state: Any) -> None:
        _, shape, dtype, fortran, raw = state
        self.array = _from_buffer(raw, dtype, shape, "F" if fortran else "C").array


def _from_buffer(raw: Any, dtype: Any, shape: Any, order: str, *_: Any) -> Array:
    if not isinstance(dtype, _DType) or not isinstance(raw, bytes | bytearray) or not _is_shape(shape):
        raise Refused("an array's state is not numbers")
    made = Array()
    made.array = np.frombuffer(raw, dtype.numpy()).reshape(shape, order="F" if order == "F" else "C")
    return made


def _tensor(storage: Any, offset: int, size: Any, stride: Any, *_: Any) -> Any:
    """A view of a flat tensor; torch refuses one that reaches beyond it, and we one that repeats its numbers without end."""
    import math

    import torch

    if not (_is_shape(size) and _is_shape(stride) and _is_shape((offset,)) and isinstance(storage, torch.Tensor)):
        raise Refused("a tensor's shape is no list of whole numbers: no published file has that")
    if math.prod(size) > storage.numel():
        raise Refused(
            f"a tensor of shape {tuple(size)} over {storage.numel():,} numbers: no published file repeats them"
        )
    return torch.as_strided(storage, tuple(size), tuple(stride), offset)


def _is_shape(sizes: Any) -> bool:
    return (
        isinstance(sizes, tuple | list)
        and len(sizes) <= LONGEST_SHAPE
        and all(isinstance(n, int) and 0 <= n < 1 << 62 for n in sizes)
    )


def _latin(text: str, encoding: str, budget: Budget) -> bytes:
    if not isinstance(text, str) or encoding != "latin1":
        raise Refused(f"text in the encoding {encoding!r:.20} inside a pickle: pickles of tensors use latin1")
    budget.spend(len(text))
    return text.encode("latin1")
