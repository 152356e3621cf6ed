"""What stands before a transformers model: its own processor, from the same folder, and what the folder says it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..errors import InvalidValue, require
from ..files import parse_json


def processor(kind: str, folder: Path, *, part: str) -> Any:
    """The processor (transformers' class `kind`) of the model in a folder, from local files.

    Raises:
        MissingExtra: transformers is not installed. InvalidValue: the folder holds none, or a torn one.
    """
    require("transformers", "models", part)
    import transformers

    try:
        return getattr(transformers, kind).from_pretrained(folder, local_files_only=True)
    except Exception as error:  # torn JSON, a tokenizer without its words, ...: the library raises anything
        raise InvalidValue(
            f"{folder} has no {kind} that can be read ({first(error)}): spectrogrand fetch {part}"
        ) from error


def is_a(model_type: str, folder: Path, *, part: str) -> None:
    """Check that config.json in a folder says "model_type": `model_type`.

    Raises:
        InvalidValue: it says something else, or is torn.
    """
    path = folder / "config.json"
    try:
        said = parse_json(path.read_text("utf-8")).get("model_type")
    except (OSError, ValueError, AttributeError) as error:
        raise InvalidValue(f"{path} is missing or torn ({first(error)}): spectrogrand fetch {part}") from error
    if said != model_type:
        raise InvalidValue(f"{folder} holds a {said!r} model, not {model_type!r}: spectrogrand fetch {part}")


def first(error: BaseException) -> str:
    """The first line of what an error says, or what it is called.

    >>> first(ValueError("no\\nmany lines"))
    'no'
    """
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__
