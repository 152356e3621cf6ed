"""Folders of labelled pictures: HouseX in both of its namings, covers by source; what is wrong is said before training."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ...errors import InvalidValue
from ...types import GENRES
from .batches import SPLITS

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".npy")
HOUSEX = re.compile(rf"({'|'.join(GENRES)})[ _]house-(.+)")
RENAMED = re.compile(rf"(train|val|test)_({'|'.join(GENRES)})(?:[ _]house)?_(.+)")
SOURCES = ("ai", "human")
SHARES = (0.51, 0.15)
"""Of covers without splits: train and val as in the published 256 / 78 / 172, the rest is test."""


@dataclass(frozen=True)
class Entry:
    """One file: where it is, its split, class and track (or cover); `labels` where it may have several classes."""

    path: Path
    split: str
    label: str
    group: str
    labels: tuple[str, ...] = ()

    def has(self) -> tuple[str, ...]:
        """All its classes."""
        return self.labels or (self.label,)


def housex(root: str | Path) -> list[Entry]:
    """The mel pictures of HouseX with the split as shipped.

    Either `train|val|test/{genre} house-*.jpg`, or all in one folder as `{split}_{genre}_{n}.jpg`. In what
    `spectrogrand prepare housex` writes, the name holds the track, `{genre} house-{track}~{bar}`; of the published pictures the
    track is not known.

    Raises:
        InvalidValue: no folder, nothing of either naming in it, a class that is empty or lacks in a split, a track in two splits.
    """
    folder = _folder(root)
    found = []
    for path in _files(folder):
        inside = path.relative_to(folder).parts[:-1]
        old, new = HOUSEX.fullmatch(path.stem), RENAMED.fullmatch(path.stem)
        if old and inside and inside[-1] in SPLITS:
            found.append(Entry(path, inside[-1], old[1], _track(path, old[2])))
        elif new:
            found.append(Entry(path, new[1], new[2], path.stem))
    if not found:
        raise InvalidValue(
            f"{folder} holds no mel pictures of HouseX: expected train|val|test/future house-*.jpg or train_future_*.jpg"
        )
    return checked(found, GENRES, str(folder))


def covers(root: str | Path, seed: int = 0) -> list[Entry]:
    """Covers in folders `ai/` and `human/`, inside `train|val|test/` where there is a split; else split here, 51 / 15 / 34.

    A cover and its twin (files of one stem) always come into the same split.

    Raises:
        InvalidValue: no folder, no pictures, a class that is empty or lacks in a split, a cover in two splits.
    """
    folder = _folder(root)
    found = []
    for path in _files(folder):
        inside = path.relative_to(folder).parts[:-1]
        if inside and inside[-1] in SOURCES:
            split = inside[-2] if len(inside) > 1 and inside[-2] in SPLITS else ""
            found.append(Entry(path, split, inside[-1], path.stem))
    if not found:
        raise InvalidValue(
            f"{folder} holds no covers: expected ai/*.jpg and human/*.jpg, in train|val|test/ or without"
        )
    if not any(e.split for e in found):
        found = split_by_group(found, seed)
    elif not all(e.split for e in found):
        lone = next(e for e in found if not e.split)
        raise InvalidValue(f"{lone.path} lies in no split while others do: move it into train, val or test")
    elif not any(e.split == "val" for e in found):  # the published test folder decides, a part of train stops early
        train = split_by_group([e for e in found if e.split == "train"], seed, (1 - SHARES[1], SHARES[1]))
        found = train + [e for e in found if e.split == "test"]
    return checked(found, SOURCES, str(folder))


def split_by_group(entries: Sequence[Entry], seed: int, shares: tuple[float, float] = SHARES) -> list[Entry]:
    """Split by track or cover, the same way on every machine: groups in the order of sha256(seed, group), cut by the shares."""
    groups = sorted({e.group for e in entries}, key=lambda g: hashlib.sha256(f"{seed}/{g}".encode()).hexdigest())
    first, second = round(len(groups) * shares[0]), round(len(groups) * (shares[0] + shares[1]))
    where = {g: SPLITS[(i >= first) + (i >= second)] for i, g in enumerate(groups)}
    return [replace(e, split=where[e.group]) for e in entries]


def checked(entries: Sequence[Entry], classes: Sequence[str], what: str) -> list[Entry]:
    """The entries, sorted, after the checks that every data set of ours passes.

    Raises:
        InvalidValue: a class without any picture, a class missing from a split, the same track in two splits.
    """
    counts = Counter((e.split, label) for e in entries for label in e.has())
    splits = [s for s in SPLITS if any(k[0] == s for k in counts)]
    if "train" not in splits or "test" not in splits:
        raise InvalidValue(f"{what} has no {'train' if 'train' not in splits else 'test'} split")
    for label in classes:
        if not any(counts[s, label] for s in splits):
            raise InvalidValue(f"{what}: the class {label!r} is empty; expected pictures of {', '.join(classes)}")
        lacking = [s for s in splits if not counts[s, label]]
        if lacking:
            raise InvalidValue(f"{what}: the class {label!r} is missing from {lacking[0]}, where others are")
    seen: dict[str, str] = {}
    for entry in entries:
        if seen.setdefault(entry.group, entry.split) != entry.split:
            raise InvalidValue(
                f"{what}: {entry.group!r} is in {seen[entry.group]} and in {entry.split}: a track or cover belongs to one split"
            )
    return sorted(entries, key=lambda e: (SPLITS.index(e.split), e.label, e.path.name))


def same_content(digests: Sequence[str], entries: Sequence[Entry]) -> None:
    """Refuse one and the same file in two splits under two names.

    Raises:
        InvalidValue: two of them are named.
    """
    seen: dict[str, Entry] = {}
    for digest, entry in zip(digests, entries, strict=True):
        other = seen.setdefault(digest, entry)
        if digest and other.split != entry.split:
            raise InvalidValue(f"{entry.path} is the same file as {other.path}, in another split: remove one of them")


def _track(path: Path, rest: str) -> str:
    return rest.rpartition("~")[0] if "~" in rest else f"{path.parent.name}/{path.stem}"


def _folder(root: str | Path) -> Path:
    folder = Path(root).expanduser()
    if not folder.is_dir():
        raise InvalidValue(f"{folder} is no folder: set data.root to the folder that holds the pictures")
    return folder


def _files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES and not p.name.startswith("."))
