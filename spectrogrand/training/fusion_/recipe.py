"""Settings of a fusion's training: its recipe, and what is out of range, told in one line before any clip is listened to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...errors import ConfigError, InvalidValue, UnknownName, nearest
from ...models.fusion import KINDS
from ...models.stable_diffusion import SAMPLERS
from ..loop import settings
from ..loop.optim import Recipe
from .data import MUSIC

CHOICES = {
    "model.kind": KINDS, "data.music": MUSIC, "data.prompt": ("album_genre", "album_genre_emotions"),
    "evaluate.sampler": tuple(SAMPLERS), "evaluate.encoder": ("statistics", "squeezenet", "clip"),
}  # fmt: skip
WHOLE: settings.Ranges = {
    "data.size": (8, 4096), "model.heads": (1, 1024), "recipe.check": (1, 10**6), "recipe.repeats": (1, 1000),
    "evaluate.covers": (0, 10**6), "evaluate.steps": (1, 1000),
}  # fmt: skip
NUMBERS: settings.Ranges = {"data.seconds": (0.1, 3600), "recipe.drop_text": (0, 1), "recipe.drop_music": (0, 1)}
LEAST_COVERS = 4
"""Covers are compared as sets; fewer are none."""


@dataclass(frozen=True)
class FusionRecipe(Recipe):
    """How a fusion is trained: `train/conf/recipe/fusion.yaml`, `published_fusion.yaml`.

    Args:
        loss: "own": of what the model predicts; "noise": of the noise, whatever it predicts.
        check: epochs between validations.
        drop_text: chance that a prompt is replaced by the empty one.
        drop_music: chance that the music is replaced by none.
        standardise: music features get mean 0 and deviation 1 over the training albums.
        repeats: noises per album in validation.

    Raises:
        UnknownName: no such loss.
    """

    loss: str = "own"
    check: int = 1
    drop_text: float = 0.0
    drop_music: float = 0.0
    standardise: bool = False
    repeats: int = 4

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.loss not in ("own", "noise"):
            raise UnknownName(f"no recipe.loss {self.loss!r}; {nearest(str(self.loss), ('own', 'noise'))}")


def check(config: Mapping[str, Any]) -> None:
    """Look at everything that needs neither albums nor a model.

    Raises:
        InvalidValue: no albums are named, or a number that is none, or out of range. UnknownName: no such choice.
        ConfigError: more devices than the one that a fusion is trained on.
    """
    if not config["data"]["root"]:
        raise InvalidValue("no albums to train on: set data.root=FOLDER, made by spectrogrand prepare albums")
    trainer, evaluate = config["trainer"], config["evaluate"]
    settings.check({"seed": config["seed"], "trainer": trainer, "name": config.get("name")})
    for key in ("devices", "num_nodes"):
        if trainer[key] not in (1, "auto"):
            raise ConfigError(f"a fusion is trained on one device: leave trainer.{key}={trainer[key]} out")
    settings.in_choices(config, CHOICES)
    settings.in_ranges(config, WHOLE, NUMBERS)
    if 0 < evaluate["covers"] < LEAST_COVERS:
        raise InvalidValue(f"covers are compared as sets of 4 or more, got {evaluate['covers']}: set evaluate.covers")
    if evaluate["covers"] and evaluate["encoder"] != "statistics" and not evaluate["encoder_weights"]:
        raise InvalidValue(f"the encoder {evaluate['encoder']} needs its weights: set evaluate.encoder_weights")
