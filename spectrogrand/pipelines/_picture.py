"""What pipelines that begin with the user's own picture share: its name, its place in the run, its caption."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import ConfigError
from ..run.artefacts import Item
from ..run.run import Run
from ..types import CoverBrief, Image

LARGEST = 1024
"""Longer side, in pixels, of what is captioned and shown: a photo of 50 million pixels says no more than that."""


def named(config: Mapping[str, Any]) -> str:
    """What a run is called that begins with a picture: the picture's name without its ending.

    Raises:
        ConfigError: no picture was given.

    >>> named({"picture": "photos/the-sea.jpg"})
    'the-sea'
    """
    if not config.get("picture"):
        raise ConfigError("which picture? give picture=FILE")
    return " ".join(Path(str(config["picture"])).stem.replace("_", " ").split()) or "picture"


def shown(run: Run) -> Item:
    """The user's picture, read once, at most 1024 pixels long, as the run's cover."""
    brief = CoverBrief(run.record["topic"], "", "", "")
    item = run.every("cover", Image, [brief])[0]
    run.keep_item(item, "cover")
    return item


def caption(run: Run, picture: Item) -> str:
    """The picture in words, kept in the record."""
    words = run.every("captioner", str, [picture.value])[0].value
    run.record["caption"] = {"text": words, "plugin": run.record["parts"]["captioner"]["name"]}
    run.write()
    return str(words)
