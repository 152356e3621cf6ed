"""Low-rank adapters (Hu et al. 2021) laid over a diffusers pipeline; what the picture generators share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ....errors import InvalidValue, require
from ....weights import checkpoints
from .._hub_model import numbers

Loras = list[tuple[Path, float]]
"""Files, and how much each counts."""


def pair(part: str, files: Any, scales: Any) -> Loras:
    """LoRA files and how much each counts.

    Args:
        part: the plug-in, for messages.
        files: one file, a list of them, or None.
        scales: a number for all, or one for each.

    Raises:
        InvalidValue: no files, or another number of scales than of files.

    >>> pair("sdxl", ["a.safetensors", "b.safetensors"], 0.5)
    [(PosixPath('a.safetensors'), 0.5), (PosixPath('b.safetensors'), 0.5)]
    """
    if files is None or files == []:
        return []
    listed = [files] if isinstance(files, str) else files
    if not isinstance(listed, Sequence) or not all(isinstance(f, str) and f for f in listed):
        raise InvalidValue(f"{part} takes lora as a file or a list of files, got {files!r}")
    counts = list(scales) if isinstance(scales, Sequence) and not isinstance(scales, str) else [scales] * len(listed)
    if len(counts) != len(listed):
        raise InvalidValue(f"{part} got {len(counts)} numbers in lora_scale for {len(listed)} files: one for each")
    numbers(part, **{f"lora_scale[{k}]": (c, -10.0, 10.0) for k, c in enumerate(counts)})
    return [(Path(f).expanduser(), float(c)) for f, c in zip(listed, counts, strict=True)]


def look(loras: Loras) -> None:
    """Are the files there?

    Raises:
        InvalidValue: one is missing, or of another kind.
    """
    for file, _ in loras:
        if file.suffix != ".safetensors" or not file.is_file():
            raise InvalidValue(f"no LoRA {str(file)!r}: give a safetensors file, such as train/lora.py writes")


def folders(loras: Loras) -> dict[str, Path]:
    """The files by name, for the plug-in's identity."""
    return {f"lora{k}": file for k, (file, _) in enumerate(loras)}


def adapt(pipe: Any, loras: Loras, part: str, base: str) -> None:
    """Put the files into a pipeline.

    Args:
        pipe: of diffusers.
        loras: the files; none leaves the pipeline as it is.
        part: the plug-in, for messages.
        base: the model that they are laid over, for messages.

    Raises:
        InvalidValue: one is of another model. MissingExtra: peft is not installed.
    """
    if not loras:
        return
    require("peft", "models", f"{part} lora=FILE")
    names = []
    for k, (file, _) in enumerate(loras):
        names.append(f"lora{k}")
        wrong = f"{file} is no LoRA of {type(pipe).__name__} {base}"
        try:
            with checkpoints.quiet():
                pipe.load_lora_weights(
                    str(file.parent), weight_name=file.name, adapter_name=names[-1], use_safetensors=True
                )
        except Exception as error:  # the libraries raise whatever meets the first strange key or shape
            said = " ".join(str(error).split())[:200]
            raise InvalidValue(f"{wrong} ({type(error).__name__}: {said}): get the one for this base model") from error
        if not any(names[-1] in held for held in pipe.get_list_adapters().values()):
            raise InvalidValue(f"{wrong}: none of its keys is one of the model's; get the one for this base model")
    pipe.set_adapters(names, [scale for _, scale in loras])
