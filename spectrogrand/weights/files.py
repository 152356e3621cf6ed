"""Where a model's weights are and whether they are the right ones: local files only, sha256 checked."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..errors import InvalidValue, MissingExtra
from ..files import parse_json
from ..interfaces import Weights

SAFE = (".safetensors", ".tflite", ".h5")
LOCK = "weights-lock.json"
"""What `spectrogrand fetch` writes beside the files it got: each file's source, revision and sha256."""
LISTED = 3
"""How many keys an error message shows of each kind."""


def home() -> Path:
    """Where fetched weights lie, one folder per plug-in: SPECTROGRAND_WEIGHTS, else spectrogrand/weights in the user's cache."""
    named = os.environ.get("SPECTROGRAND_WEIGHTS")
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(named).expanduser() if named else Path(cache).expanduser() / "spectrogrand" / "weights"


def places(weights: str | None, name: str) -> list[Path]:
    """Folders (or the one file) in which the plug-in `name` may keep its weights, in the order in which they are looked at.

    >>> [str(p) for p in places("models", "clap")]
    ['models', 'models/clap']
    """
    if weights is None:
        return [home() / name]
    if not isinstance(weights, str) or not weights:
        raise InvalidValue(f"weights is a file or a folder, got {weights!r}: set weights=FOLDER")
    return [Path(weights).expanduser(), Path(weights).expanduser() / name]


def find(
    weights: str | None, one: Weights, *, part: str, sha256: str | None = None, suffixes: tuple[str, ...] = SAFE,
) -> Path:  # fmt: skip
    """The file of a part's weights: `weights` itself, in that folder, or in the plug-in's own folder in it.

    Without `weights`, what `spectrogrand fetch` has put into `home()`. Nothing is ever downloaded here.

    Args:
        one: whose `file` is looked for, from the plug-in's card.
        part: the plug-in's name.
        sha256: what the file's sha256 must be, 64 hex digits; None takes what weights-lock.json beside the file says, or any.
        suffixes: kinds of files that are taken; those of the default cannot run code.

    Raises:
        MissingExtra: no weights were named, or the file is not there.
        InvalidValue: the file is of a kind that could run code, is empty, or has another sha256.
    """
    file, told = one.file, one.source.told(part)
    found = places(weights, one.folder or part)
    path = found[0] if weights is not None and not found[0].is_dir() else found[0] / file
    if not path.is_file() and path.name == file:
        path = next((p / file for p in found if (p / file).is_file()), path)
    command = f"spectrogrand fetch {part}" if one.source.commanded else ""
    if weights is None and not path.is_file():
        raise MissingExtra(f"{part} needs {file}: {told}", command)
    if path.suffix.lower() not in suffixes:
        raise InvalidValue(
            f"{path.name} is not a safetensors or TFLite file and could run code: spectrogrand convert {path} OUT.safetensors"
        )
    if not path.is_file():
        raise MissingExtra(f"{part} finds no {path}: {told}", command)
    if path.stat().st_size == 0:
        raise InvalidValue(f"{path} is empty: {told}")
    sha256 = sha256 or locked(path)
    if sha256 is not None and sha256_of(path) != sha256:
        raise InvalidValue(f"{path} has sha256 {sha256_of(path)}, not {sha256}: {told}")
    return path


def find_folder(weights: str | None, one: Weights, *, part: str) -> Path:
    """The folder that holds `one.file` (a SavedModel's saved_model.pb): `weights` itself or the plug-in's folder in it.

    Raises:
        MissingExtra: there is none. InvalidValue: a file in it is not the one that was fetched.
    """
    marker = one.file
    found = next((p for p in places(weights, one.folder or part) if (p / marker).is_file()), None)
    if found is None:
        command = f"spectrogrand fetch {part}" if one.source.commanded else ""
        raise MissingExtra(f"{part} finds no folder with {marker}: {one.source.told(part)}", command)
    for path in sorted(p for p in found.rglob("*") if p.is_file() and p.name != LOCK):
        wanted = locked(path, found)
        if wanted is not None and sha256_of(path) != wanted:
            raise InvalidValue(f"{path} has sha256 {sha256_of(path)}, not {wanted}: {one.source.told(part)}")
    return found


def locked(path: Path, folder: Path | None = None) -> str | None:
    """The sha256 that weights-lock.json in `folder` (the file's own by default) names for a file; None where it names none."""
    folder = folder or path.parent
    lock = folder / LOCK
    if not lock.is_file():
        return None
    try:
        files = parse_json(lock.read_text("utf-8"))["files"]
        found = files.get(path.relative_to(folder).as_posix(), {}).get("sha256")
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise InvalidValue(f"{lock} is torn ({type(error).__name__}): fetch the weights again") from error
    return str(found) if found else None


def sha256_of_folder(folder: Path) -> str:
    """One sha256 over the names and contents of all files in a folder, in sorted order; weights-lock.json not counted."""
    total = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and p.name != LOCK):
        total.update(f"{path.relative_to(folder).as_posix()}:{sha256_of(path)}\n".encode())
    return total.hexdigest()


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
