"""Where a hub model lies on this machine: a folder that the user named, or the hub's own cache. Nothing is downloaded here."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..errors import InvalidValue, MissingExtra
from ..files import parse_json
from ..interfaces import Weights
from .files import LOCK, home, locked, sha256_of

INDEXES = ("model_index.json", "config.json")
"""What says that a folder is a model in the hub's layout: a pipeline's index, or one model's configuration."""
READ = (".json", ".txt", ".model", ".safetensors", ".tflite", ".onnx", ".npy")
"""The kinds of file that a load may read: their bytes are the model's identity."""
CODE = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".h5", ".py", ".msgpack")
VARIANT = re.compile(r"\.(fp16|bf16|fp32|non_ema|ema_only)(?=[.-])")
"""A file's second precision or training state, as in model.fp16-00001-of-00002.safetensors."""
LARGE = 1 << 26
"""From how many bytes on a file's sha256 is kept between processes."""


def repository(weights: Weights) -> str:
    """The hub's name of a card's model, "owner/name"; the source's own name where it is no repository."""
    return str(getattr(weights.source, "repository", weights.source.label))


def revision(weights: Weights) -> str:
    """The pinned commit, 40 hex digits, or "main" where `spectrogrand fetch` pins it."""
    return getattr(weights.source, "revision", "") or "main"


def folder(
    weights: str | None, card_weights: Weights, *, part: str, command: str | None = None, expected: str | None = None,
    inside: str | None = None,
) -> Path:  # fmt: skip
    """The folder of a model in the hub's layout: `weights` itself, `weights/<part>`, what was fetched, or the hub's cache.

    Of the hub's cache only the pinned revision is taken. A second model's folder is `weights/<card_weights.folder>`.

    Args:
        weights: a folder that the user named, or None.
        part: the plug-in's name, as in `spectrogrand fetch <part>`.
        command: what fetches it, where that is another command.
        inside: the one sub-folder of a pipeline that is wanted ("vae"): a folder that holds it is as good as the whole.
        expected: the pipeline's class; `weights` itself is passed over where its index names another (it is the first model's).

    Raises:
        MissingExtra: it is in none of these places, or only half of it is: one line with the command that fetches it.
        InvalidValue: `weights` is no folder.
    """
    command, home = command or f"spectrogrand fetch {part}", card_weights.folder or part
    own = 1 if card_weights.folder and expected is None and weights and Path(weights).expanduser().is_dir() else 0
    for place in _named(weights, home)[own:]:  # where nothing tells them apart, `weights` itself is the first model's
        if inside and (place / inside / "config.json").is_file():
            return _whole(place / inside, command)
        if any((place / name).is_file() for name in INDEXES) and (expected is None or expected == class_of(place)):
            return _whole(place, command)
    for name in [f"{inside}/config.json"] if inside else INDEXES:
        found = _cached(card_weights, name)
        if found is not None:
            return _whole(found.parent, command)
    raise _missing(weights, card_weights, part, command=command)


def class_of(folder: Path) -> str | None:
    """The pipeline's class that a folder's index names; None where it holds no pipeline.

    Raises:
        InvalidValue: the index is torn.
    """
    index = folder / "model_index.json"
    return str(_json(index).get("_class_name")) if index.is_file() else None


def left_out(index: Mapping[str, Any], name: str, place: Path) -> bool:
    """Whether a component that an index names may be missing, and is: a safety checker, and what only it reads."""
    if "safety_checker" not in index or (place / "safety_checker").is_dir():
        return False
    return name in ("safety_checker", "feature_extractor") and not (place / name).is_dir()


def variant(folder: Path) -> str | None:
    """Which second precision ("fp16") a folder holds its weights in, None where it holds the usual files, or none.

    Some repositories hold `model.fp16.safetensors` and nothing else.
    """
    found = [VARIANT.search(p.name) for p in folder.glob("*.safetensors")]
    kinds = sorted({m[1] for m in found if m})
    return None if None in found or not kinds else "fp16" if "fp16" in kinds else kinds[0]


def file(weights: str | None, card_weights: Weights, name: str, *, part: str) -> Path:
    """One file of a model: `weights` itself where it is a file, `weights/<name>`, `weights/<part>/<name>`, or the hub's cache.

    Raises:
        MissingExtra: it is in none of these places. InvalidValue: its kind could run code, or it is empty.
    """
    own = Path(weights).expanduser() if weights else None
    if own is not None and own.is_file() and own.suffix == Path(name).suffix:
        found: Path | None = own
    else:
        found = next((p / name for p in _named(weights, part) if (p / name).is_file()), _cached(card_weights, name))
    if found is None:
        raise _missing(weights, card_weights, part, name)
    if found.suffix.lower() in CODE:
        raise InvalidValue(f"{found} could run code: spectrogrand convert {found} OUT.safetensors")
    if found.stat().st_size == 0:
        raise InvalidValue(f"{found} is empty: get it again with spectrogrand fetch {part}")
    return found


def sha256(place: Path) -> str:
    """One sha256 for a file, or over the names and bytes of all files in a folder that a load may read.

    A file in the hub's cache is named by its sha256 already; a large one elsewhere is read once and remembered with its
    size and time of change.

    Raises:
        InvalidValue: a file is not the one that `spectrogrand fetch` wrote down; both sha256 are named.
    """
    if place.is_file():
        return _file_sha256(place)
    total = hashlib.sha256()
    for path in _files(place):
        found, wanted = _file_sha256(path), locked(path, place)
        if wanted not in (None, found):
            raise InvalidValue(f"{path} has sha256 {found}, not {wanted}: delete it and fetch it again")
        total.update(f"{path.relative_to(place).as_posix()}\0{found}\n".encode())
    return total.hexdigest()


def _named(weights: str | None, part: str) -> list[Path]:
    """The places that a user's `weights` may mean, then where `spectrogrand fetch` puts things."""
    own = home() / part
    if weights is None:
        return [own]
    if not isinstance(weights, str) or not weights:
        raise InvalidValue(f"weights is a folder, got {weights!r}: set weights=FOLDER")
    place = Path(weights).expanduser()
    if not place.exists():
        raise InvalidValue(f"weights={weights} does not exist: name a folder, or leave it out to use the hub's cache")
    return [place, place / part, own] if place.is_dir() else [own]


def _cached(weights: Weights, name: str) -> Path | None:
    """A file of the pinned revision in the hub's local cache, None where it is not there (or the hub's library is not)."""
    try:
        from huggingface_hub import try_to_load_from_cache
    except ImportError:
        return None
    if not hasattr(weights.source, "repository"):
        return None
    found = try_to_load_from_cache(repository(weights), name, revision=revision(weights))
    return Path(found) if isinstance(found, str) else None


def _whole(place: Path, command: str) -> Path:
    """The folder, checked to hold every model that its index names and every shard that these name.

    A fetch that was cut short leaves some of them out.
    """
    lacking = next(_lacking(place), None)
    if lacking:
        raise MissingExtra(f"{place} is incomplete, it lacks {lacking}: fetch the rest with {command}")
    return place


def _lacking(place: Path) -> Iterator[str]:
    index = _json(place / "model_index.json") if (place / "model_index.json").is_file() else {}
    named = [k for k, v in index.items() if isinstance(v, list) and len(v) == 2 and v[0]]
    parts = [k for k in named if not left_out(index, k, place)]
    for name in parts:
        if not (place / name).is_dir():
            yield f"{name}/"
        elif (place / name / "config.json").is_file():
            yield from _lacking_weights(place / name, f"{name}/")
    if not index:
        yield from _lacking_weights(place, "")


def _lacking_weights(folder: Path, name: str) -> Iterator[str]:
    kind = variant(folder)
    whole = list(folder.glob("*.safetensors")) + list(folder.glob("*.onnx"))
    index = f"*.safetensors.index.{kind}.json" if kind else "*.safetensors.index.json"
    shards = [v for p in folder.glob(index) for v in _json(p).get("weight_map", {}).values()]
    yield from (f"{name}{s}" for s in sorted(set(shards)) if not (folder / s).is_file())
    if not whole:
        yield f"{name}*.safetensors"
    yield from (f"{name}{p.name} (it is empty)" for p in whole if p.stat().st_size == 0)


def _json(path: Path) -> dict[str, Any]:
    try:
        read = parse_json(path.read_text("utf-8"))
    except (ValueError, OSError) as error:
        raise InvalidValue(f"{path} is torn or no JSON ({error}): get it again") from error
    if not isinstance(read, dict):
        raise InvalidValue(f"{path} holds no JSON object: get it again")
    return read


def _missing(weights: str | None, card: Weights, part: str, name: str = "", command: str | None = None) -> MissingExtra:
    looked = f"{weights}, {weights}/{card.folder or part} or the hub's cache" if weights else "the hub's cache"
    what = f"{name} of {repository(card)}" if name else repository(card)
    command = command or f"spectrogrand fetch {part}"
    return MissingExtra(
        f"{part} finds no {what} in {looked}: fetch it ({card.megabytes:,.0f} MB) with {command}, or set weights=FOLDER",
        command,
    )


def _files(place: Path) -> list[Path]:
    """Files that a load may read, in an order that every machine agrees on."""
    found = [p for p in place.rglob("*") if p.suffix.lower() in READ and p.name != LOCK and p.is_file()]
    return sorted(
        (p for p in found if not _hidden(p.relative_to(place))), key=lambda p: p.relative_to(place).as_posix()
    )


def _hidden(path: Path) -> bool:
    return any(word.startswith(".") for word in path.parts)


def _file_sha256(path: Path) -> str:
    blob = path.resolve()
    if path.is_symlink() and blob.parent.name == "blobs" and re.fullmatch("[0-9a-f]{64}", blob.name):
        return blob.name
    about = blob.stat()
    if about.st_size < LARGE:
        return sha256_of(blob)
    notes, key = _notes(), f"{blob}|{about.st_size}|{about.st_mtime_ns}"
    known = _read_notes(notes)
    if key not in known:
        known = {k: v for k, v in known.items() if not k.startswith(f"{blob}|")} | {key: sha256_of(blob)}
        _write_notes(notes, known)
    return known[key]


def _notes() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "spectrogrand" / "sha256.json"


def _read_notes(path: Path) -> dict[str, str]:
    try:
        read = parse_json(path.read_text("utf-8"))
    except (OSError, ValueError):  # none yet, or torn: the files are read again
        return {}
    good = isinstance(read, dict) and all(re.fullmatch("[0-9a-f]{64}", str(v)) for v in read.values())
    return read if good else {}


def _write_notes(path: Path, known: dict[str, str]) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(json.dumps(known), "utf-8")
        os.replace(draft, path)
    except OSError:  # a read-only home: the files are read again next time
        return
