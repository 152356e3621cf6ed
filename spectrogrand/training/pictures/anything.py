"""Data of one's own: a folder per class, or a table; any classes, pictures or sounds, split without a leak."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from ...errors import InvalidValue, UnknownName, nearest
from .batches import SPLITS
from .folders import SUFFIXES, Entry, checked, split_by_group

SOUNDS = (".wav", ".mp3", ".flac", ".ogg", ".opus", ".m4a", ".aif", ".aiff")
GROUPS = ("stem", "artist", "album")
INPUTS = ("auto", "pictures", "sound")
SHARES = (0.7, 0.15)
"""Of data without splits: train and val, the rest is test."""


def folder(
    root: str | Path, *, input: str = "auto", group: str = "stem", groups: str | None = None, split_seed: int = 0
) -> tuple[list[Entry], tuple[str, ...], bool]:
    """A folder per class, inside `train|val|test/` or not; classes are the folders' names, sorted.

    Args:
        root: the folder that holds them.
        input: "pictures", "sound", or "auto": what the files are.
        group: what never comes into two splits: files of one "stem" (the name up to a `~`), or of one "artist" or "album" of
            a sound's tags (of a file without that tag, its stem).
        groups: a CSV with columns file (relative to `root`) and group, in place of `group`.
        split_seed: of the split, where the folders give none.

    Returns:
        The files, the classes, and whether they are sounds.

    Raises:
        InvalidValue: no folder, no files, files of both kinds, a class that lacks in a split, one group in two splits.
        UnknownName: no such `input` or `group`.
    """
    if group not in GROUPS:
        raise UnknownName(f"no data.group {group!r}; {nearest(str(group), GROUPS)}")
    home = _home(root)
    paths, sounds = _of_one_kind(sorted(p for p in home.rglob("*") if p.is_file() and p.name[0] != "."), input, home)
    told = _groups(Path(groups).expanduser()) if groups else {}
    found = []
    for path in paths:
        inside = path.relative_to(home).parts[:-1]
        if not inside or inside[-1] in SPLITS:
            continue
        split = inside[-2] if len(inside) > 1 and inside[-2] in SPLITS else ""
        if groups and path.relative_to(home).as_posix() not in told:
            raise InvalidValue(f"{groups} has no row for {path.relative_to(home)}: every file needs its group")
        own = told.get(path.relative_to(home).as_posix()) or _group(path, group, sounds)
        found.append(Entry(path, split, inside[-1], own))
    if not found:
        kinds = ", ".join((*SUFFIXES, *SOUNDS))
        raise InvalidValue(f"{home} holds no classes: expected CLASS/*{{{kinds}}}, inside train|val|test/ or not")
    classes = tuple(sorted({e.label for e in found}))
    return into_splits(found, classes, str(home), split_seed), classes, sounds


def table(
    root: str | Path | None, file: str | Path, *, multi_label: bool = False, input: str = "auto", split_seed: int = 0
) -> tuple[list[Entry], tuple[str, ...], bool]:
    """The rows of a CSV with columns `file`, `label` and, where known, `split` and `group`; labels are text, `01` is not `1`.

    Args:
        root: what the files' names are relative to; None is the CSV's own folder.
        file: the CSV.
        multi_label: labels stand together, separated by `;`.
        input: "pictures", "sound", or "auto".
        split_seed: of the split, where the table gives none.

    Returns:
        As `folder`.

    Raises:
        InvalidValue: no CSV, columns that lack, a file that is missing, lies outside `root` or stands twice, a row without a
            label, and all that `folder` refuses.
    """
    path = Path(file).expanduser()
    home = _home(root if root is not None else path.parent)
    found: list[Entry] = []
    missing: list[str] = []
    for number, row in enumerate(_rows(path, ("file", "label")), 2):
        place = (home / (row["file"] or "")).resolve()
        if not row["file"] or not place.is_relative_to(home.resolve()) or not place.is_file():
            missing.append(f"line {number}: {row['file']!r}")
            continue
        cell = (row["label"] or "").strip()
        labels = tuple(dict.fromkeys(x.strip() for x in cell.split(";") if x.strip())) if multi_label else (cell,)
        if not labels or not labels[0]:
            raise InvalidValue(f"{path}, line {number}: {row['file']} has no label")
        part = (row.get("split") or "").strip()
        if part not in ("", *SPLITS):
            raise InvalidValue(f"{path}, line {number}: no split {part!r}; {nearest(part, SPLITS)}")
        found.append(
            Entry(home / row["file"], part, labels[0], (row.get("group") or "").strip() or stem(place), labels)
        )
    if missing:
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        raise InvalidValue(f"{path} names files that are not in {home}: {'; '.join(missing[:3])}{more}")
    twice = [p for p, n in Counter(str(e.path) for e in found).items() if n > 1]
    if twice:
        raise InvalidValue(
            f"{path} names {twice[0]} twice: with multi_label its labels stand in one row, separated by ;"
        )
    if not found:
        raise InvalidValue(f"{path} has no rows: one a file, with columns file and label")
    _, sounds = _of_one_kind([e.path for e in found], input, home)
    classes = tuple(sorted({x for e in found for x in e.labels}))
    return into_splits(found, classes, str(path), split_seed), classes, sounds


def into_splits(entries: Sequence[Entry], classes: Sequence[str], what: str, seed: int) -> list[Entry]:
    """The entries with their splits: as given; a part of train for validation where there is none; else 70 / 15 / 15 by group.

    A cut that leaves a class out of a split is tried again with the next seeds, so that few groups still come out whole.

    Raises:
        InvalidValue: fewer than two classes, some files in splits and some in none, too few groups of a class, a leak.
    """
    if len(classes) < 2:
        raise InvalidValue(f"{what} holds one class, {classes[0]!r}: a classifier tells two or more apart")
    given = [e for e in entries if e.split]
    if given and len(given) < len(entries):
        lone = next(e for e in entries if not e.split)
        raise InvalidValue(f"{lone.path} is in no split while others are: put it into train, val or test")
    if given and {e.split for e in given} == set(SPLITS):
        return checked(entries, classes, what)
    if given and {e.split for e in given} != {"train", "test"}:
        raise InvalidValue(
            f"{what} has the splits {', '.join(sorted({e.split for e in given}))}: train and test are needed"
        )
    needed = 2 if given else 3
    for label in classes:
        own = {e.group for e in entries if label in e.has() and e.split in ("", "train")}
        if len(own) < needed:
            raise InvalidValue(
                f"{what}: the class {label!r} has {len(own)} track or picture to be split: {needed} are needed, of different "
                "names up to ~ (or groups)"
            )
    problem = InvalidValue(f"{what} cannot be split so that every class is in every part: give the splits yourself")
    for attempt in range(200):
        if given:
            kept = [e for e in entries if e.split == "test"]
            loose = [e for e in entries if e.split == "train"]
            made = split_by_group(loose, seed + attempt, (1 - SHARES[1], SHARES[1])) + kept
        else:
            made = split_by_group(entries, seed + attempt, SHARES)
        try:
            return checked(made, classes, what)
        except InvalidValue as error:
            if "belongs to one split" in str(error):
                raise
            problem = error
    raise problem


def stem(path: Path) -> str:
    """The track that a file's name tells: all before the last `~`, or the whole.

    >>> stem(Path("a/My Song~03.jpg")), stem(Path("b/My Song.wav"))
    ('My Song', 'My Song')
    """
    return path.stem.rpartition("~")[0] or path.stem


def fewer(entries: Sequence[Entry], fraction: float, seed: int) -> list[Entry]:
    """The same validation and test files, and of the training groups of each class a share, at least one: a learning curve's."""
    if fraction >= 1:
        return list(entries)
    kept: set[str] = set()
    for label in sorted({e.label for e in entries}):
        own = [e for e in entries if e.split == "train" and e.label == label]
        count = max(1, round(fraction * len({e.group for e in own})))
        chosen = split_by_group(own, seed, (count / max(1, len({e.group for e in own})), 0))
        kept |= {e.group for e in chosen if e.split == "train"}
    return [e for e in entries if e.split != "train" or e.group in kept]


def _of_one_kind(paths: Sequence[Path], input: str, home: Path) -> tuple[list[Path], bool]:
    """The files that are pictures or sounds, whichever is wanted, and whether they are sounds."""
    if input not in INPUTS:
        raise UnknownName(f"no data.input {input!r}; {nearest(str(input), INPUTS)}")
    sounds = [p for p in paths if p.suffix.lower() in SOUNDS]
    pictures = [p for p in paths if p.suffix.lower() in SUFFIXES]
    if input == "auto" and sounds and pictures:
        raise InvalidValue(
            f"{home} holds {len(pictures)} pictures and {len(sounds)} sounds: choose data.input=pictures or sound"
        )
    heard = input == "sound" or (input == "auto" and bool(sounds))
    return (sounds if heard else pictures), heard


def _group(path: Path, group: str, sounds: bool) -> str:
    if group == "stem" or not sounds:
        return stem(path)
    import av

    try:
        with av.open(str(path), options={"protocol_whitelist": "file"}) as opened:
            tags = {k.lower(): v for k, v in opened.metadata.items()}
    except (av.FFmpegError, OSError, ValueError):  # an unreadable sound is counted when it is decoded
        tags = {}
    return f"{group} {tags[group]}" if tags.get(group) else stem(path)


def _groups(path: Path) -> dict[str, str]:
    return {row["file"]: row["group"] for row in _rows(path, ("file", "group"))}


def _rows(path: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    try:
        with open(path, encoding="utf-8-sig", newline="") as opened:
            reader = csv.DictReader(opened)
            lacking = [c for c in columns if c not in (reader.fieldnames or [])]
            if lacking:
                raise InvalidValue(f"{path} has no column {lacking[0]!r}; expected {', '.join(columns)}")
            return list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InvalidValue(f"{path} cannot be read as a table ({error}): give a CSV in UTF-8") from error


def _home(root: str | Path) -> Path:
    found = Path(root).expanduser()
    if not found.is_dir():
        raise InvalidValue(f"{found} is no folder: set data.root to the folder that holds the data")
    return found
