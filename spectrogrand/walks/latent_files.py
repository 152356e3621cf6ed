"""Latent walks on disk: one safetensors file, written by every run and read back with `vectors=FILE`."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..checks import rational
from ..errors import InvalidValue
from ..files import parse_json
from .latents import LatentWalk

ARRAYS = ("weights", "others", "noise", "drive")


def save(found: LatentWalk, path: str | os.PathLike[str]) -> None:
    """Write a walk as safetensors, so that another run reuses it (`vectors=FILE`)."""
    from safetensors.numpy import save_file

    about = {
        "classes": list(found.classes),
        "rate": str(found.rate),
        "duration": str(found.duration),
        "truncation": found.truncation,
    }
    tensors = {name: np.ascontiguousarray(getattr(found, name)) for name in ARRAYS}
    save_file(tensors, path, metadata={"latent_walk": json.dumps(about)})


def load(path: str | os.PathLike[str]) -> LatentWalk:
    """Read a walk that `save` wrote.

    Raises:
        InvalidValue: no such file, torn, or not a latent walk.
    """
    from safetensors import SafetensorError, safe_open

    place = Path(path).expanduser()
    if place.suffix != ".safetensors" or not place.is_file():
        raise InvalidValue(f"vectors names a run's vectors.safetensors, got {str(path)!r}")
    try:
        with safe_open(place, "numpy") as file:
            about: Mapping[str, Any] = parse_json((file.metadata() or {})["latent_walk"])
            arrays = [file.get_tensor(name) for name in ARRAYS]
        return LatentWalk(
            tuple(about["classes"]), arrays[0], arrays[1], arrays[2], arrays[3], rational(about["rate"]),
            rational(about["duration"]), float(about["truncation"]),
        )  # fmt: skip
    except (SafetensorError, KeyError, ValueError, TypeError, AttributeError, OSError, ZeroDivisionError) as error:
        if isinstance(error, InvalidValue):
            raise
        raise InvalidValue(
            f"{place} is torn or holds no latent walk ({error}): name a run's vectors.safetensors"
        ) from error
