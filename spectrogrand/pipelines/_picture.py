"""What pipelines that begin with the user's own picture share: its name, its place in the run, its caption."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..checks import text
from ..errors import ConfigError
from ..runs.artefacts import Item
from ..runs.run import Run
from ..types import CoverBrief
from ._settings import Common


@dataclass(frozen=True, kw_only=True)
class Pictured(Common):
    """Settings of pipelines that begin with a picture."""

    picture: str | None = text(default=None)

    def find_subject(self) -> str:
        """The picture's name without its ending.

        Raises:
            ConfigError: no picture was given.
        """
        if not self.picture:
            raise ConfigError("which picture? give picture=FILE")
        return " ".join(Path(self.picture).stem.replace("_", " ").split()) or "picture"


def show_picture(run: Run) -> Item:
    """The user's picture, read once, at most 1024 pixels long, as the run's cover."""
    item = run.every("cover", [CoverBrief(run.name, "", "", "")])[0]
    run.keep_item(item, "cover")
    return item


def write_caption(run: Run, picture: Item) -> str:
    """The picture in words, kept in the record."""
    words = str(run.every("captioner", [picture.value])[0].value)
    part = run.part("captioner")
    run.note(caption={"text": words, "plugin": part.name, "how": str(getattr(part, "seen_by", ""))})
    return words
