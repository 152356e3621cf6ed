"""What the settings of all pipelines share: fields that are declared once and checked when the settings are read."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, ClassVar, Self

from ..checks import Checked, frame_rate, one_of, text, whole
from ..errors import ConfigError
from ..selection import RULES
from ..types import Topic
from ..weights.licences import CHOICES


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
    licences: str = one_of(CHOICES, default="any")
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
    """Settings of pipelines that draw frames: how many a second, and the side of a square picture in pixels."""

    fps: Fraction = frame_rate(default=Fraction(30))
    size: int = whole(16, 4096, default=512)
