"""Settings of a training out of range, told in one line before anything is decoded; a recipe's own are `recipe.Recipe`'s."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...errors import ConfigError, InvalidValue, UnknownName, nearest

WHOLE = {
    "seed": (0, 2**32 - 1), "data.seed": (0, 2**32 - 1), "data.split_seed": (0, 2**32 - 1), "data.workers": (1, 1024),
    "data.songs": (1, 10**6), "data.pictures": (1, 10**7), "model.side": (8, 4096), "trainer.limit_batches": (1, 10**9),
    "trainer.threads": (1, 1024), "trainer.num_nodes": (1, 10**4), "trainer.save_every": (0, 10**9),
}  # fmt: skip
NUMBERS = {"data.share": (0, 1), "data.seconds": (2, 3600), "model.dropout": (0, 1)}
MAY_BE_NULL = ("data.workers", "model.side", "model.dropout", "trainer.limit_batches", "trainer.threads")
ACCELERATORS = ("auto", "cpu", "cuda", "gpu", "mps", "tpu")
PRECISIONS = ("32-true", "bf16-mixed", "16-mixed", "bf16-true", "16-true", "64-true")


def check(config: Mapping[str, Any]) -> None:
    """Look at what stands in the config; what is missing is its reader's to tell.

    Raises:
        InvalidValue: a number that is none, or out of range. UnknownName: no such accelerator or precision.
        ConfigError: `name` leads out of the output folder.

    >>> check({"seed": 0, "data": {"workers": None}, "trainer": {"accelerator": "cpu"}})
    """
    for ranges, kinds, what in ((WHOLE, (int,), "a whole number"), (NUMBERS, (int, float), "a number")):
        for name, (low, high) in ranges.items():
            part, _, key = name.rpartition(".")
            settings = config.get(part, {}) if part else config
            if key not in settings or (settings[key] is None and name in MAY_BE_NULL):
                continue
            value = settings[key]
            if isinstance(value, bool) or not isinstance(value, kinds) or not low <= value <= high:
                raise InvalidValue(f"{name} is {what} from {low} to {high}, got {value!r}")
    trainer = config.get("trainer", {})
    for name, known in (("accelerator", ACCELERATORS), ("precision", PRECISIONS)):
        if trainer.get(name) is not None and trainer[name] not in known:
            raise UnknownName(f"no trainer.{name} {trainer[name]!r}; {nearest(str(trainer[name]), known)}")
    devices = trainer.get("devices", 1)
    if devices != "auto" and (isinstance(devices, bool) or not isinstance(devices, int) or devices < 1):
        raise InvalidValue(f"trainer.devices is a whole number from 1, or auto, got {devices!r}")
    folder = str(config.get("name") or "unnamed")
    if Path(folder).name != folder or folder in (".", ".."):
        raise ConfigError(f"name is a folder's name without slashes, got {folder!r}")
