"""Where a model's weights are and whether they are the right ones: local files only, safetensors and TFLite, sha256 checked."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from .errors import InvalidValue, MissingExtra

SAFE = (".safetensors", ".tflite")
LISTED = 3
"""How many keys an error message shows of each kind."""


def find(weights: str | None, file: str, *, part: str, source: str, sha256: str | None = None) -> Path:
    """The weight file `file` of the plug-in `part`, looked for in `weights`: that file itself, or a folder that holds it.

    Nothing is ever downloaded.

    Args:
        source: where to get the file, for the message.
        sha256: what the file's sha256 must be, 64 hex digits; None takes any file.

    Raises:
        MissingExtra: no weights were named, or the file is not there.
        InvalidValue: the file is of a kind that could run code, is empty, or has another sha256.

    >>> find(None, "m.tflite", part="stylizers 'm'", source="example.org")
    Traceback (most recent call last):
    ...
    spectrogrand.errors.MissingExtra: stylizers 'm' needs m.tflite: get it from example.org and set weights=FOLDER
    """
    if weights is None:
        raise MissingExtra(f"{part} needs {file}: get it from {source} and set weights=FOLDER")
    if not isinstance(weights, str) or not weights:
        raise InvalidValue(f"weights is a file or a folder, got {weights!r}: set weights=FOLDER")
    place = Path(weights).expanduser()
    path = place / file if place.is_dir() else place
    if path.suffix.lower() not in SAFE:
        raise InvalidValue(
            f"{path.name} is not a safetensors or TFLite file and could run code: spectrogrand convert {path} OUT.safetensors"
        )
    if not path.is_file():
        raise MissingExtra(f"{part} finds no {path}: get {file} from {source} and set weights=FOLDER")
    if path.stat().st_size == 0:
        raise InvalidValue(f"{path} is empty: get {file} again from {source}")
    if sha256 is not None and sha256_of(path) != sha256:
        raise InvalidValue(f"{path} has sha256 {sha256_of(path)}, not {sha256}: get {file} again from {source}")
    return path


def sha256_of(path: Path) -> str:
    """sha256 of a file, 64 hex digits; read once while its size and time of change stay the same."""
    about = path.stat()
    return _sha256(str(path.resolve()), about.st_size, about.st_mtime_ns)


@lru_cache(maxsize=64)
def _sha256(path: str, size: int, changed: int) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def load_torch(path: Path) -> dict[str, Any]:
    """The tensors of a safetensors file, for torch.

    Raises:
        InvalidValue: the file is torn or no safetensors file.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return dict(load_file(path))
    except (SafetensorError, OSError, ValueError, KeyError) as error:
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InvalidValue(f"{path} is torn or no safetensors file ({said}): get or convert it again") from error


def fill(module: Any, tensors: Mapping[str, Any], origin: str) -> None:
    """Put `tensors` into a torch module, all of them and nothing else, in the module's dtypes.

    Batch norm's `num_batches_tracked` counters are not needed to compute and may be absent.

    Raises:
        InvalidValue: keys or shapes of another architecture (they are named), or values that are not finite.
    """
    import torch

    own = module.state_dict()
    missing = [k for k in own if k not in tensors and not k.endswith("num_batches_tracked")]
    strange = [k for k in tensors if k not in own]
    shaped = [
        f"{k} is {tuple(tensors[k].shape)}, not {tuple(own[k].shape)}"
        for k in own
        if k in tensors and tuple(tensors[k].shape) != tuple(own[k].shape)
    ]
    problems = [
        f"{what}: {', '.join(found[:LISTED])}{f' and {len(found) - LISTED} more' if len(found) > LISTED else ''}"
        for what, found in (("missing", missing), ("unknown", strange), ("other shapes", shaped))
        if found
    ]
    if problems:
        raise InvalidValue(f"{origin} is a checkpoint of another architecture; {'; '.join(problems)}")
    wild = [k for k, v in tensors.items() if v.is_floating_point() and not torch.isfinite(v).all()]
    if wild:
        raise InvalidValue(f"{origin} holds numbers that are not finite in {', '.join(wild[:LISTED])}: get it again")
    module.load_state_dict(dict(tensors), strict=False)
