"""Artefacts on disk: how a song, a picture or a text is kept in the store and read back.

A candidate *is* its stored file: it is read back before it is scored, so that a fresh run and a reused one see the same bytes.
"""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from .. import media
from ..errors import CandidateError, PluginError
from ..store import Entry
from ..types import Audio, Image, Plan


class Item:
    """A stored artefact: its entry and, once asked for, its value. `seed` and `brief` say how it was made."""

    def __init__(self, entry: Entry, seed: int = 0, brief: dict[str, Any] | None = None) -> None:
        self.entry, self.seed, self.brief = entry, seed, brief

    @cached_property
    def value(self) -> Any:
        """The artefact, read from its file at first use."""
        return load(self.entry.folder)

    @property
    def digest(self) -> str:
        """sha256 that stands for this artefact in later steps' keys."""
        return self.entry.digest

    @property
    def file(self) -> Path:
        """The file that people open."""
        return next(self.entry.path(n) for n in ("song.wav", "picture.png", "text.txt") if n in self.entry.files)


def save(value: Any, folder: Path) -> None:
    """Write an artefact into an entry's folder.

    Raises:
        CandidateError: the artefact holds numbers that are not finite. PluginError: it is no artefact, or a picture's
            notes are not plain data.
    """
    if isinstance(value, Audio):
        if not all(np.isfinite(block).all() for block in value.blocks(1 << 20)):
            raise CandidateError("has samples that are not finite")
        media.save_audio(folder / "song.wav", value)
        if value.plan is not None:
            (folder / "plan.json").write_text(json.dumps(value.plan.as_dict()), "utf-8")
    elif isinstance(value, Image):
        media.save_image(folder / "picture.png", value)
        if value.notes is not None:
            try:
                text = json.dumps(dict(value.notes), ensure_ascii=False, allow_nan=False)
            except (TypeError, ValueError) as error:
                raise PluginError(f"a picture's notes are plain data for JSON: {error}") from None
            (folder / "notes.json").write_text(text, "utf-8")
    elif isinstance(value, str):
        (folder / "text.txt").write_text(value, "utf-8")
    else:
        raise PluginError(f"a candidate is Audio, Image or text, got {type(value).__name__}")


def load(folder: Path) -> Any:
    """Read back what `save` wrote."""
    if (folder / "song.wav").exists():
        sound = media.load_audio(folder / "song.wav")
        plan = folder / "plan.json"
        if not plan.exists():
            return sound
        return Audio(sound.samples, sound.rate, Plan.from_dict(json.loads(plan.read_text("utf-8"))))
    if (folder / "picture.png").exists():
        picture = media.load_image(folder / "picture.png")
        notes = folder / "notes.json"
        return Image(picture.pixels, json.loads(notes.read_text("utf-8"))) if notes.exists() else picture
    return (folder / "text.txt").read_text("utf-8")
