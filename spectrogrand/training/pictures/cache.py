"""Pictures decoded once: JPEGs at the scale that is needed, in threads, into one memory-mapped uint8 file."""

from __future__ import annotations

import hashlib
import io
import json
import os
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from ... import media
from ...errors import InvalidValue, MediaError
from ...files import parse_json, replacing
from ...media.limits import LIMITS
from ...progress import bar
from .batches import SPLITS, Labelled
from .folders import Entry, checked, same_content

VERSION = 1
SHARE = 0.01
"""Of all pictures: so many may be unreadable before that is an error."""
LARGEST = 1 << 28
"""Bytes of a picture's file."""
TOP = 0.0
FLOOR = -80.0
"""dB that mel tensors run from and to."""


def decode(
    entries: Sequence[Entry],
    classes: Sequence[str],
    side: int,
    folder: Path,
    *,
    share: float = SHARE,
    workers: int | None = None,
) -> dict[str, Labelled]:
    """The splits of a data set as memory-mapped uint8 pictures (item, side, side, rgb), decoded now or before.

    The cache's name follows from every file's name, size and time of change, and from `side`. Unreadable files are skipped, named
    in a warning and in `skipped`.

    Args:
        share: at most this share of the files may be unreadable.
        workers: threads; None: as many as there are processors.

    Raises:
        InvalidValue: too many unreadable files, or all of a class in one split; one file in two splits under two names.
        MediaError: the cache is not writable.
    """
    about = [(e.split, e.label, e.path.name, *_stamp(e.path)) for e in entries]
    key = hashlib.sha256(json.dumps([VERSION, side, about]).encode()).hexdigest()[:24]
    store, index = folder / f"{key}.npy", folder / f"{key}.json"
    kept = _told(index) if store.is_file() else {}
    if not kept:
        folder.mkdir(parents=True, exist_ok=True)
        problems, digests = _write(entries, side, store, workers)
        same_content(digests, entries)
        kept = {"problems": problems, "sources": digests}
        with replacing(index) as temporary:
            temporary.write_text(json.dumps(kept), "utf-8")
    problems = kept["problems"]
    skipped = tuple(problems[str(i)] for i in sorted(map(int, problems)))
    if len(skipped) > share * len(entries):
        named = "; ".join(skipped[:3]) + (f"; and {len(skipped) - 3} more" if len(skipped) > 3 else "")
        raise InvalidValue(
            f"{len(skipped)} of {len(entries)} pictures cannot be read, at most {share:.1%} may be skipped: {named}"
        )
    good = np.array([str(i) not in problems for i in range(len(entries))])
    if skipped:
        left = [e for e, read in zip(entries, good, strict=True) if read]
        checked(left, classes, f"what is left without {len(skipped)} unreadable pictures ({'; '.join(skipped[:3])})")
        warnings.warn(f"{len(skipped)} of {len(entries)} pictures cannot be read: {'; '.join(skipped)}", stacklevel=2)
    pixels = np.load(store, mmap_mode="r")
    labels = labels_of(entries, classes)
    groups = tuple(e.group for e in entries)
    everything = Labelled(pixels, labels, groups, tuple(classes), skipped, tuple(kept["sources"]))
    found = {}
    for split in SPLITS:
        chosen = np.flatnonzero(good & np.array([e.split == split for e in entries]))
        if len(chosen):
            found[split] = everything.part(chosen)
    return found


def labels_of(entries: Sequence[Entry], classes: Sequence[str]) -> np.ndarray:
    """int64, shape=(item,): each entry's class; where entries have several, 0 and 1, shape=(item, class)."""
    if not any(e.labels for e in entries):
        return np.array([classes.index(e.label) for e in entries], np.int64)
    return np.array([[c in e.has() for c in classes] for e in entries], np.int64)


def _told(index: Path) -> dict[str, Any]:
    """What was written down of pictures decoded before; nothing where there are none, or where an old release left it."""
    found: dict[str, Any] = parse_json(index.read_text("utf-8")) if index.is_file() else {}
    return found if "sources" in found else {}


def _stamp(path: Path) -> tuple[int, int]:
    """A file's size and time of change; of one that is not there (a broken link) none."""
    try:
        found = path.stat()
    except OSError:
        return -1, -1
    return found.st_size, found.st_mtime_ns


def _write(entries: Sequence[Entry], side: int, store: Path, workers: int | None) -> tuple[dict[str, str], list[str]]:
    """Decode in threads and write in order; never through a memory map, which a full disk would kill the process over."""
    problems: dict[str, str] = {}
    digests: list[str] = []
    header = {"descr": "|u1", "fortran_order": False, "shape": (len(entries), side, side, 3)}
    count = workers or os.cpu_count() or 1
    with replacing(store) as temporary, open(temporary, "wb") as file, bar("decoding pictures") as tick:
        np.lib.format.write_array_header_1_0(file, header)
        with ThreadPoolExecutor(count) as pool:
            for start in range(0, len(entries), 512):  # a bounded number in flight
                part = entries[start : start + 512]
                for k, made in enumerate(pool.map(lambda e: _read(e.path, side), part), start):
                    if isinstance(made, str):
                        problems[str(k)], made = made, ("", np.zeros((side, side, 3), np.uint8))
                    digests.append(made[0])
                    file.write(made[1].tobytes())
                    tick(k + 1, len(entries))
    return problems, digests


def _read(path: Path, side: int) -> tuple[str, np.ndarray] | str:
    """A file's sha256 and its picture, or why there is none."""
    try:
        if path.stat().st_size > LARGEST:
            raise MediaError(f"{path} is too large")
        data = path.read_bytes()
        return hashlib.sha256(data).hexdigest(), small(data, path, side)
    except (MediaError, InvalidValue, OSError) as error:
        return f"{path.name}: {' '.join(str(error).split())}"


def small(data: bytes, path: Path, side: int) -> np.ndarray:
    """The picture of a file's bytes at side x side, uint8 (row, column, rgb).

    JPEGs are decoded at the smallest power-of-two scale that is not smaller than wanted (their blocks allow it: the mean of
    2 x 2, 4 x 4 or 8 x 8 pixels), then reduced bilinearly, where the published way decodes and reduces the full picture.
    Mel tensors (.npy, float decibels,
    (mel, frame)) are coloured with magma first. Everything else goes through the one loader.

    Raises:
        MediaError: it cannot be decoded. InvalidValue: a tensor of another shape.
    """
    import PIL.Image

    if path.suffix.lower() == ".npy":
        return _coloured(data, path, side)
    resample = PIL.Image.Resampling.BILINEAR
    try:
        if data[:2] == b"\xff\xd8":
            with PIL.Image.open(io.BytesIO(data), formats=["JPEG"]) as picture:
                if picture.mode == "RGB" and picture.width * picture.height <= LIMITS.pixels:
                    picture.draft("RGB", (side, side))
                    return np.asarray(picture.resize((side, side), resample))
    except Exception as error:  # Pillow's decoders raise nearly anything on damaged files
        raise MediaError(f"cannot be decoded ({error}): it is damaged or cut off") from error
    whole = media.load_image(path).pixels
    return np.asarray(PIL.Image.fromarray(whole).resize((side, side), resample))


def _coloured(data: bytes, path: Path, side: int) -> np.ndarray:
    """A mel tensor as the picture that training sees."""
    import PIL.Image

    from ...audio.spectrogram import colours

    try:
        mel: Any = np.load(io.BytesIO(data), allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise InvalidValue(f"no mel tensor ({error})") from error
    if mel.ndim != 2 or mel.dtype.kind != "f" or 0 in mel.shape or not np.isfinite(mel).all():
        raise InvalidValue(f"a mel tensor is finite float (mel, frame) in dB, got {mel.dtype} {mel.shape}")
    levels = np.clip((mel[::-1] - FLOOR) * (255 / (TOP - FLOOR)) + 0.5, 0, 255).astype(np.uint8)
    drawn = PIL.Image.fromarray(colours("magma")[levels])
    return np.asarray(drawn.resize((side, side), PIL.Image.Resampling.BILINEAR))
