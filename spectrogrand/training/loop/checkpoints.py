"""Checkpoints as plain data: written whole or not at all, read without running anything.

Lightning's own writer is not atomic and pickles what it is given. Here a checkpoint is tensors, numbers, texts, lists and
dictionaries; anything else is refused when it is written, with its place, so that every file of ours loads under `weights_only`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from lightning.fabric.plugins import CheckpointIO

from ...errors import InvalidValue
from ...files import replacing


class PlainCheckpointIO(CheckpointIO):
    """Lightning's door for checkpoints: `Trainer(plugins=[PlainCheckpointIO()])`. Only rank 0 writes."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """Write `checkpoint` to `path`: to a file beside it first, flushed to disk, then renamed."""
        save(checkpoint, path)

    def load_checkpoint(self, path: Any, map_location: Any = None, weights_only: bool | None = None) -> dict[str, Any]:
        """Read a checkpoint; nothing but plain data is ever read, whatever is asked for."""
        return load(path)

    def remove_checkpoint(self, path: Any) -> None:
        """Delete a checkpoint that a better one has replaced."""
        Path(path).unlink(missing_ok=True)


def save(checkpoint: Mapping[str, Any], path: str | Path) -> None:
    """Write plain data to `path` atomically, its folder made where it is missing.

    Raises:
        InvalidValue: something in it is not plain data; its place is named.
        MediaError: no permission, a full disk; the file that was there before is untouched.
    """
    import torch

    found = plain(checkpoint)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        try:
            torch.save(found, temporary)
        except RuntimeError as error:  # torch's zip writer tells a full disk so
            import errno

            raise OSError(errno.ENOSPC, str(error)) from error


def load(path: str | Path) -> dict[str, Any]:
    """Read a checkpoint on the CPU.

    Raises:
        InvalidValue: missing, torn, or it holds pickled objects; none of them is made.
    """
    import torch

    file = Path(path).expanduser()
    if not file.is_file():
        raise InvalidValue(f"there is no checkpoint {file}: give the path of a .ckpt file that training wrote")
    try:
        found = torch.load(file, map_location="cpu", weights_only=True)
    except (
        Exception
    ) as error:  # torch's reader raises nearly anything on damaged files, and a kind of pickle's on objects
        with open(file, "rb") as opened:
            ours = opened.read(2) in (b"PK", b"\x80\x02")  # torch's zip file, or a bare pickle
        if ours and ("weights_only" in str(error) or "Unsupported" in str(error)):
            raise InvalidValue(
                f"{file} holds pickled objects, which could run code; nothing of it was run: train it again, or read the "
                "published pickles with spectrogrand convert"
            ) from error
        raise InvalidValue(f"{file} is torn or no checkpoint: train it again, or resume from another") from error
    if not isinstance(found, dict):
        raise InvalidValue(f"{file} holds {type(found).__name__}, not a checkpoint's dictionary")
    return found


def plain(value: Any, place: str = "checkpoint") -> Any:
    """The value as dict, list, tuple, str, int, float, bool, None and tensors; subclasses of these become these.

    >>> plain({"a": (np.float32(1), Path("b"))})
    {'a': (1.0, 'b')}

    Raises:
        InvalidValue: something else, with its place.
    """
    import torch

    if isinstance(value, torch.Tensor):
        return value.detach()
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Path):
        return str(value)
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return kind(value)
    if isinstance(value, Mapping):
        return {plain(k, place): plain(v, f"{place}.{k}") for k, v in value.items()}
    if isinstance(value, list | tuple):
        return type_of(value)(plain(v, f"{place}[{i}]") for i, v in enumerate(value))
    raise InvalidValue(f"{place} is {type(value).__name__}: a checkpoint holds plain data and tensors only")


def type_of(value: Any) -> Callable[..., Any]:
    """list or tuple, whatever kind of it (torch.Size, a named tuple) the value is."""
    return list if isinstance(value, list) else tuple
