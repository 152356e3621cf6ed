"""Published pickles to safetensors: whole modules, state dicts and embedding dictionaries, read without running them."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import InvalidValue, StoreError, require
from ..files import sync_handle
from .pickles import VISIT, Budget, Refused
from .unpickling import PART, Array, Mapped, Node, read

PICKLED = (".pth", ".pt", ".pkl", ".bin")
"""Published files that are turned into safetensors as soon as they are here, by an unpickler that runs nothing."""
KINDS = {
    "torch.float64": "F64", "torch.float32": "F32", "torch.float16": "F16", "torch.bfloat16": "BF16", "torch.int64": "I64",
    "torch.int32": "I32", "torch.int16": "I16", "torch.int8": "I8", "torch.uint8": "U8", "torch.bool": "BOOL",
}  # fmt: skip
"""torch's types of number as safetensors calls them."""
LONGEST_NAME = 1000


@dataclass(frozen=True)
class Report:
    """What a conversion wrote: the two files with their sha256, the tensors' shapes, and what was left out and why."""

    source: Path
    source_sha256: str
    out: Path
    out_sha256: str
    shapes: dict[str, tuple[int, ...]]
    left_out: tuple[str, ...]

    def __str__(self) -> str:
        many = f"{len(self.shapes)} tensors" if len(self.shapes) != 1 else "1 tensor"
        lines = [f"{self.source} -> {self.out}: {many}, sha256 {self.out_sha256}"]
        return "\n".join(lines + [f"left out: {reason}" for reason in self.left_out])


def convert(path: str | Path, out: str | Path) -> Report:
    """Turn a `.pth`, `.pt` or `.pkl` of tensors into a safetensors file, running nothing that the file names.

    A module gives its state dict; nested dictionaries give keys joined by "."; a list of tensors of one shape gives one
    tensor with the items along its first axis (items of shape (1, n) are rows). Tensors that share their numbers are kept once.

    Raises:
        InvalidValue: the file names something that tensors do not need (nothing of it was run), is torn, or holds no tensors.
        StoreError: a file cannot be read or written.
        MissingExtra: torch is not installed.

    >>> import pickle, tempfile, torch
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "a.pkl").write_bytes(pickle.dumps({"bass": torch.ones(2, 3)}))
    >>> convert(folder / "a.pkl", folder / "a.safetensors").shapes
    {'bass': (2, 3)}
    """
    require("torch", "models", "converting weights")
    source, target = Path(path), Path(out)
    if target.suffix != ".safetensors":
        raise InvalidValue(f"{target} should end in .safetensors: that is what is written")
    try:
        if not source.stat().st_size:
            raise InvalidValue(f"{source} is empty: get it again")
        mapped = Mapped(source)
        with open(source, "rb") as file:
            source_sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise StoreError(f"cannot read {source}: {error.strerror}") from error
    left_out: list[str] = []
    tensors = _named(mapped.read(source.name), source, left_out)
    out_sha256 = _write(target, tensors, mapped.forget)
    shapes = {k: tuple(v.shape) for k, v in tensors.items()}
    return Report(source, source_sha256, target, out_sha256, shapes, tuple(left_out))


def read_tensors(path: str | Path) -> dict[str, Any]:
    """The tensors of a pickle by name, as `convert` names them; the file is mapped, and nothing that it names is run.

    Raises:
        InvalidValue: as `convert`. StoreError: it cannot be read.
    """
    require("torch", "models", "reading weights")
    source = Path(path)
    try:
        return _named(Mapped(source).read(source.name), source, [])
    except OSError as error:
        raise StoreError(f"cannot read {source}: {error.strerror}") from error


def _named(read: Any, source: Path, left_out: list[str]) -> dict[str, Any]:
    """What was read as tensors by name, those that share their numbers once."""
    tensors: dict[str, Any] = {}
    seen: dict[tuple[Any, ...], str] = {}
    read_, budget = read
    for name, tensor in _tensors(_of_training(read_, left_out), (), budget, left_out):
        place = (tensor.data_ptr(), tensor.dtype, tuple(tensor.shape), tensor.stride())
        if tensor.numel() and place in seen:
            left_out.append(f"{name}, the same numbers as {seen[place]}")
            continue
        if name in tensors:
            raise InvalidValue(f"{source} holds two tensors called {name}: which one is meant cannot be told")
        seen[place] = name
        budget.spend(tensor.numel() * tensor.element_size())
        tensors[name] = tensor
    if not tensors:
        raise InvalidValue(
            f"{source} holds no tensors: it is neither a module, nor a state dict, nor a dictionary of embeddings"
        )
    return tensors


def _of_training(found: Any, left_out: list[str]) -> Any:
    """The model of a training's checkpoint; the rest is left.

    {epoch, state_dict, optimizer} as LP-MusicCaps' and Lightning's; {model_state_dict, ...} as PyTorch's guide.
    """
    known = ("state_dict", "model_state_dict")
    name = next((k for k in known if isinstance(found, dict) and isinstance(found.get(k), dict)), None)
    if name is None:
        return found
    left_out.extend(f"{key}, the training's and not the model's" for key in found if key != name)
    return found[name]


def _tensors(
    value: Any, keys: tuple[str, ...], budget: Budget, left_out: list[str], depth: int = 0
) -> Iterator[tuple[str, Any]]:
    """(name, tensor) of everything inside, depth first, in the file's order."""
    import torch

    file = budget.name
    budget.step(VISIT)
    if sum(map(len, keys)) > LONGEST_NAME:
        raise Refused(f"{file} has names of more than {LONGEST_NAME} characters: no published file does")
    name = ".".join(keys) or "tensor"
    if depth > 100:
        raise InvalidValue(f"{file} nests deeper than 100 levels at {name[:60]}: no published file does")
    if isinstance(value, Array):
        budget.spend(value.array.nbytes)
        value = torch.from_numpy(value.array.astype(value.array.dtype.newbyteorder("="), copy=True))
    if isinstance(value, torch.Tensor):
        yield name, value
    elif isinstance(value, Node):
        yield from _of_module(value, keys, budget, left_out, depth)
    elif isinstance(value, dict):
        for key, part in value.items():
            yield from _tensors(part, (*keys, _text(key)), budget, left_out, depth + 1)
    elif isinstance(value, bytes) and value[:1] == b"\x80":
        yield from _tensors(read(value, f"{file}, {name}", 1, budget), keys, budget, left_out, depth + 1)
    elif isinstance(value, list | tuple) and value:
        parts = [list(_tensors(part, (*keys, str(k)), budget, left_out, depth + 1)) for k, part in enumerate(value)]
        rows = [part[0][1] for part in parts if len(part) == 1]
        if len(rows) == len(parts) and len({(tuple(r.shape), r.dtype) for r in rows}) == 1:
            budget.spend(sum(r.numel() * r.element_size() for r in rows))
            yield name, torch.cat(rows) if rows[0].ndim > 1 and rows[0].shape[0] == 1 else torch.stack(rows)
        else:
            yield from (found for part in parts for found in part)
    elif value is not None:
        left_out.append(f"{name}, not a tensor ({type(value).__name__})")


def _of_module(
    node: Node, keys: tuple[str, ...], budget: Budget, left_out: list[str], depth: int
) -> Iterator[tuple[str, Any]]:
    """A module's state dict: its parameters and lasting buffers, then those of its parts."""
    told = node.state.get("_non_persistent_buffers_set")
    passing = told if isinstance(told, set | frozenset) else ()
    for group in ("_parameters", "_buffers", "_modules"):
        members = node.state.get(group) or {}
        if not isinstance(members, dict):
            raise InvalidValue(f"{budget.name}: {node.label} has {group} of {type(members).__name__}, not a dictionary")
        for key, part in members.items():
            budget.step()
            if part is not None and not (group == "_buffers" and key in passing):
                yield from _tensors(part, (*keys, _text(key)), budget, left_out, depth + 1)


def _text(key: Any) -> str:
    """A dictionary's key as part of a name; what is neither text nor number is told by its type."""
    return str(key) if isinstance(key, str | int | float) else type(key).__name__


def _write(target: Path, tensors: dict[str, Any], forget: Callable[[], None]) -> str:
    """Write a safetensors file tensor by tensor beside the target, sync, then rename; returns its sha256.

    The layout is that of the safetensors library: a header of 8-byte length and JSON, then the numbers without gaps, the widest
    types first. `forget` gives back what a tensor's numbers took in memory.
    """
    import torch

    order = sorted(tensors, key=lambda k: (-tensors[k].element_size(), k))
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    end = 0
    for key in order:
        tensor = tensors[key]
        begin, end = end, end + tensor.numel() * tensor.element_size()
        header[key] = {"dtype": KINDS[str(tensor.dtype)], "shape": list(tensor.shape), "data_offsets": [begin, end]}
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    total = hashlib.sha256()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                for part in (len(text).to_bytes(8, "little"), text):
                    file.write(part)
                    total.update(part)
                for key in order:
                    numbers = tensors[key].contiguous().reshape(-1)
                    raw = memoryview(numbers.view(torch.uint8).numpy()) if numbers.numel() else memoryview(b"")
                    for at in range(0, len(raw), PART):
                        file.write(raw[at : at + PART])
                        total.update(raw[at : at + PART])
                        if at:
                            forget()
                    del raw, numbers
                    forget()
                file.flush()
                sync_handle(file.fileno())
            os.replace(temporary, target)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise StoreError(f"cannot write {target}: {error.strerror}") from error
    return total.hexdigest()
