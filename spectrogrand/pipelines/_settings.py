"""What the settings of all pipelines share: fields that are declared once and checked when the settings are read."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, ClassVar, Self

from .. import registry
from ..checks import Checked, frame_rate, one_of, text, whole
from ..errors import ConfigError, InvalidValue
from ..image.shape import fit_frames, frame_size
from ..runs.artefacts import Traced
from ..runs.run import Run
from ..selection import RULES
from ..types import Frames, Topic


@dataclass(frozen=True, kw_only=True)
class Common(Checked):
    """Settings of every pipeline. `subject` is what a run is about and what its directory is called."""

    NOTHING: ClassVar[str] = (
        'nothing to make a song about: give topic="a futuristic spaceship" or song=file song.path=FILE'
    )
    """The error where neither a topic nor a song of one's own is given."""

    topic: str | None = text(default=None)
    seed: int = whole(0, 2**31, default=0)
    selection: str = one_of(RULES, default="quantile", what="selection rule")
    subject: str = dataclasses.field(init=False, default="")
    own_song: str | None = dataclasses.field(default=None, repr=False)
    """The path of the user's own song, where the slot "song" names one."""

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "subject", self.find_subject())

    @classmethod
    def read(cls, config: Mapping[str, Any]) -> Self:
        """The settings in a config.

        Raises:
            ConfigError: a value is out of its range, or there is nothing to make something of.
            UnknownName: a word that is none of those a setting takes.
        """
        song = config.get("song")
        path = song.get("path") if isinstance(song, Mapping) else None
        return super().read({**config, "own_song": None if path is None else str(path)})

    def find_subject(self) -> str:
        """The topic, or the name of the user's own song.

        Raises:
            ConfigError: there is neither.
        """
        if self.topic is None and self.own_song is None:
            raise ConfigError(self.NOTHING)
        return Topic(self.topic if self.topic is not None else Path(str(self.own_song)).stem).text

    def fill(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """The config with what these settings hand to plug-ins; the plug-ins are built from it."""
        return dict(config)

    def idle(self) -> set[str]:
        """Slots that these settings leave unused: their weights need not be here."""
        return set()


@dataclass(frozen=True, kw_only=True)
class Framed(Common):
    """Settings of pipelines that draw frames: how many a second, their shape, and their short side in pixels."""

    DRAWING: ClassVar[tuple[str, ...]] = ("motion", "morph", "walk")
    """Slots whose plug-ins draw the frames themselves and are told how large these are."""

    fps: Fraction = frame_rate(default=Fraction(30))
    size: int = whole(16, 4096, default=512)
    shape: str = text(default="1:1")

    def __post_init__(self) -> None:
        super().__post_init__()
        try:
            object.__setattr__(self, "_frame", frame_size(self.shape, self.size))
        except InvalidValue as error:
            raise ConfigError(f"{error}: set shape=16:9, say") from error

    @property
    def frame(self) -> tuple[int, int]:
        """(rows, columns) of every frame, both even."""
        found: tuple[int, int] = self.__dict__["_frame"]
        return found

    def fill(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """The config with the frames' size handed to the plug-ins that draw them, where these have none of their own.

        Squares are left to `size`, which the plug-ins' configs follow. A plug-in that draws squares alone draws one as long as
        the longer side, and `fit` cuts it. A model of fixed width and height is given sides of
        the wanted shape, multiples of 64, that hold about as many pixels as before.
        """
        filled = super().fill(config)
        rows, columns = self.frame
        if rows == columns == self.size:
            return filled
        for slot in self.DRAWING:
            part = {"name": filled[slot]} if isinstance(filled.get(slot), str) else filled.get(slot)
            if not isinstance(part, Mapping) or "name" not in part:
                continue
            options = inspect.signature(registry.get("generators", str(part["name"]))).parameters
            if "size" in options and part.get("size") in (None, self.size):
                pair = "list" in str(options["size"].annotation) or "Sequence" in str(options["size"].annotation)
                filled[slot] = {**part, "size": [rows, columns] if pair else max(rows, columns)}
            elif {"width", "height"} <= set(options) and rows != columns:
                area = float(part.get("width", 1024)) * float(part.get("height", 576))
                wide = max(64, 64 * round((area * columns / rows) ** 0.5 / 64))
                filled[slot] = {**part, "width": wide, "height": max(64, 64 * round(area / wide / 64))}
        return filled

    def fit(self, run: Run, frames: Traced[Frames]) -> Traced[Frames]:
        """Frames that a plug-in drew, cut to the wanted shape where they have another."""
        return frames if self.shape == "1:1" else run.trace(fit_frames, frames, self.frame)
