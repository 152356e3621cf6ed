"""Settings of a fusion's training out of range, told in one line before any clip is listened to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...errors import ConfigError, InvalidValue, UnknownName, nearest
from ...models.fusion import KINDS
from ...models.stable_diffusion import SAMPLERS
from ..fusion_.data import MUSIC
from . import settings

CHOICES = {
    "fusion.kind": KINDS, "data.music": MUSIC, "data.prompt": ("album_genre", "album_genre_emotions"),
    "fusion_recipe.loss": ("own", "noise"), "fusion_recipe.optimizer": ("adamw", "sgd"),
    "fusion_recipe.schedule": ("cosine", "constant"), "evaluate.sampler": tuple(SAMPLERS),
    "evaluate.encoder": ("statistics", "squeezenet", "clip"),
}  # fmt: skip
WHOLE = {
    "data.size": (8, 4096), "fusion.heads": (1, 1024), "fusion_recipe.batch": (1, 10**6), "fusion_recipe.epochs": (1, 10**6),
    "fusion_recipe.check": (1, 10**6), "fusion_recipe.warmup": (0, 10**9), "fusion_recipe.repeats": (1, 1000),
    "evaluate.covers": (0, 10**6), "evaluate.steps": (1, 1000),
}  # fmt: skip
NUMBERS = {
    "data.seconds": (0.1, 3600), "fusion_recipe.rate": (0, 1e3), "fusion_recipe.drop_text": (0, 1),
    "fusion_recipe.drop_music": (0, 1),
}  # fmt: skip
LEAST_COVERS = 4
"""Covers are compared as sets; fewer are none."""


def check(config: Mapping[str, Any]) -> None:
    """Look at everything that needs neither albums nor a model.

    Raises:
        InvalidValue: no albums are named, or a number that is none, or out of range. UnknownName: no such choice.
        ConfigError: more devices than the one that a fusion is trained on.
    """
    if not config["data"]["root"]:
        raise InvalidValue("no albums to train on: set data.root=FOLDER, made by spectrogrand prepare albums")
    trainer = config["trainer"]
    settings.check({"seed": config["seed"], "trainer": trainer})
    for key in ("devices", "num_nodes"):
        if trainer[key] not in (1, "auto"):
            raise ConfigError(f"a fusion is trained on one device: leave trainer.{key}={trainer[key]} out")
    for name, known in CHOICES.items():
        value = _at(config, name)
        if value not in known:
            raise UnknownName(f"no {name} {value!r}; {nearest(str(value), known)}")
    for ranges, kinds, what in ((WHOLE, (int,), "a whole number"), (NUMBERS, (int, float), "a number")):
        for name, (low, high) in ranges.items():
            value = _at(config, name)
            if isinstance(value, bool) or not isinstance(value, kinds) or not low <= value <= high:
                raise InvalidValue(f"{name} is {what} from {low} to {high:g}, got {value!r}")
    clip, evaluate = config["fusion_recipe"]["clip"], config["evaluate"]
    if clip is not None and (isinstance(clip, bool) or not isinstance(clip, int | float) or not clip > 0):
        raise InvalidValue(f"fusion_recipe.clip is a number above 0, or null for none, got {clip!r}")
    if 0 < evaluate["covers"] < LEAST_COVERS:
        raise InvalidValue(f"covers are compared as sets of 4 or more, got {evaluate['covers']}: set evaluate.covers")
    if evaluate["covers"] and evaluate["encoder"] != "statistics" and not evaluate["encoder_weights"]:
        raise InvalidValue(f"the encoder {evaluate['encoder']} needs its weights: set evaluate.encoder_weights")


def _at(config: Mapping[str, Any], name: str) -> Any:
    part, _, key = name.partition(".")
    return config[part].get(key, "own" if key == "loss" else None)
