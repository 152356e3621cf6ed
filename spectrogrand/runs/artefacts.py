"""Values with the digest of how they were made, and artefacts on disk: how a song, a picture or a text is kept and read back.

A candidate *is* its stored file: it is read back before it is scored, so that a fresh run and a reused one see the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from fractions import Fraction
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any, Generic, TypeVar, overload

import numpy as np

from .. import media
from ..errors import CandidateError, PluginError, SpectrograndError, StoreError
from ..files import parse_json
from ..store import Changed, Entry, digest
from ..types import Audio, Image, Plan

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
BESIDE = ("song.wav", "plan.json", "picture.png", "notes.json", "text.txt")
"""Files of an entry that are the artefact itself and what is known of it; others are parts of it: stems, MIDI."""


class Traced(Generic[T_co]):
    """A value, made when it is first read, and the digest of how it is made: what later steps take as its hash.

    >>> Traced("a1b2", lambda: 6 * 7).value
    42
    """

    def __init__(self, digest: str, make: Callable[[], T_co]) -> None:
        self.digest, self._make = digest, make

    @cached_property
    def value(self) -> T_co:
        """The value itself."""
        return self._make()


_UNREADABLE = (SpectrograndError, OSError, ValueError, KeyError, TypeError, AttributeError, StopIteration)


class Item(Traced[Any]):
    """A stored artefact: its entry and, once asked for, its value. `seed` and `brief` say how it was made.

    What is deleted or damaged in the store while the run goes on is made again by `again`, which gives the new entry.
    """

    def __init__(
        self, entry: Entry, seed: int = 0, brief: dict[str, Any] | None = None, again: Callable[[], Entry] | None = None
    ) -> None:
        super().__init__(entry.digest, lambda: self.tried(lambda: load(self.entry.checked())))
        self.entry, self.seed, self.brief, self._again = entry, seed, brief, again

    def tried(self, use: Callable[[], T]) -> T:
        """`use()`, which reads the entry; once more with a new one where that fails."""
        try:
            return use()
        except _UNREADABLE as error:
            if self._again is None or (isinstance(error, StoreError) and not isinstance(error, Changed)):
                raise  # nobody can make it again, or it is not the store's fault: a full disk
            self.entry = self._again()
            try:
                return use()
            except _UNREADABLE as second:
                raise StoreError(f"{self.entry.folder} cannot be read ({second}): is it being changed? Run again") from error

    @property
    def parts(self) -> list[str]:
        """The names of the files that are parts of it: stems and MIDI of a song."""
        return [name for name in self.entry.files if name not in BESIDE]

    @property
    def file(self) -> Path:
        """The file that people open."""
        return next(self.entry.path(n) for n in ("song.wav", "picture.png", "text.txt") if n in self.entry.files)


class Pictures(Traced[Sequence[Image]], Sequence[Image]):
    """Stored pictures as one value: each is read when it is asked for and kept by nobody."""

    def __init__(self, items: Sequence[Item]) -> None:
        super().__init__(digest([item.digest for item in items]), lambda: self)
        self._items = items

    def __len__(self) -> int:
        return len(self._items)

    @overload
    def __getitem__(self, index: int) -> Image: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Image]: ...
    def __getitem__(self, index: int | slice) -> Image | Sequence[Image]:
        if isinstance(index, slice):
            return [self[k] for k in range(*index.indices(len(self)))]
        item = self._items[index]
        picture = item.tried(lambda: load(item.entry.checked()))
        assert isinstance(picture, Image)
        return picture


def plain(value: Any) -> Any:
    """A value as plain data: for keys, and for the record. Sound and pictures stand there by their sha256.

    >>> from spectrogrand import CoverBrief
    >>> plain(CoverBrief("the sea", "melodic", "green", "blends"))["colour"]
    'green'
    """
    if isinstance(value, Traced):
        return {"digest": value.digest}
    if isinstance(value, Audio):
        total = sha256(str((value.samples.shape, value.rate)).encode())
        for block in value.blocks(1 << 20):
            total.update(np.ascontiguousarray(block.T).tobytes())
        return {"sound": total.hexdigest()}
    if isinstance(value, Image):
        return {"picture": sha256(str(value.size).encode() + value.pixels.tobytes()).hexdigest()}
    if isinstance(value, np.ndarray):
        return {
            "array": sha256(f"{value.dtype}{value.shape}".encode() + np.ascontiguousarray(value).tobytes()).hexdigest()
        }
    if isinstance(value, Fraction | Path):
        return str(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    return [plain(part) for part in value] if isinstance(value, list | tuple) else value


def read(value: Any) -> Any:
    """What a function is called with: traced values are read, also those in lists and mappings."""
    if isinstance(value, Traced):
        return value.value
    if isinstance(value, list | tuple):
        return type(value)(read(v) for v in value)
    return {k: read(v) for k, v in value.items()} if isinstance(value, dict) else value


def save(value: Any, folder: Path) -> None:
    """Write an artefact into an entry's folder.

    Raises:
        CandidateError: the artefact holds numbers that are not finite.
        PluginError: it is no artefact, or a picture's notes are not plain data.
    """
    if isinstance(value, Audio):
        if not all(np.isfinite(block).all() for block in value.blocks(1 << 20)):
            raise CandidateError("has samples that are not finite")
        media.save_audio(folder / "song.wav", value, tags=write_tags(value.plan))
        if value.plan is not None:
            (folder / "plan.json").write_text(json.dumps(value.plan.as_dict()), "utf-8")
        for name, content in value.parts.items():
            if Path(name).name != name or name in BESIDE:
                raise PluginError(f"a song's part is named as a file of its own, got {name!r}")
            (folder / name).write_bytes(content)
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


def write_tags(plan: Plan | None) -> dict[str, str]:
    """A plan as tags of a sound file: genre, and a comment of tempo, key and sections that people and programs read.

    >>> from spectrogrand.types import Section
    >>> write_tags(Plan(124.0, "A", "minor", "bass", sections=(Section("drop", 0.0, 8.0),)))["comment"]
    'tempo=124 BPM; key=A minor; sections=drop 0.000-8.000'
    """
    if plan is None:
        return {}
    sections = ", ".join(f"{s.name} {s.start:.3f}-{s.end:.3f}" for s in plan.sections)
    comment = f"tempo={plan.tempo:.10g} BPM; key={plan.key} {plan.mode}; sections={sections}"
    return {"genre": f"{plan.genre} house", "comment": comment}


def load(folder: Path) -> Any:
    """Read back what `save` wrote."""
    if (folder / "song.wav").exists():
        sound = media.load_audio(folder / "song.wav")
        plan = folder / "plan.json"
        if not plan.exists():
            return sound
        return Audio(sound.samples, sound.rate, Plan.from_dict(parse_json(plan.read_text("utf-8"))))
    if (folder / "picture.png").exists():
        picture = media.load_image(folder / "picture.png")
        notes = folder / "notes.json"
        return Image(picture.pixels, parse_json(notes.read_text("utf-8"))) if notes.exists() else picture
    return (folder / "text.txt").read_text("utf-8")
