"""Sounds drawn once: bars of 1.875 s as mel pictures, into one memory-mapped uint8 file.

They are drawn by `audio.bars`, as the plug-ins that use the trained network draw them. Drawn by torchaudio, which is faster,
nearly the same pictures made a network that was right in every test name one of four sounds wrongly in a run.
"""

from __future__ import annotations

import hashlib
import json
import os
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from ... import media
from ...audio.bars import BAR, drawn_bars
from ...errors import InvalidValue, MediaError
from ...files import parse_json, replacing
from ...progress import bar
from ...types import Audio
from .batches import SPLITS, Labelled
from .cache import SHARE, _stamp, labels_of
from .folders import Entry, checked, same_content

VERSION = 1


def hear(
    entries: Sequence[Entry],
    classes: Sequence[str],
    side: int,
    folder: Path,
    *,
    bars: int,
    share: float = SHARE,
    workers: int | None = None,
) -> dict[str, Labelled]:
    """The splits of a data set of sounds as memory-mapped uint8 pictures (bar, side, side, rgb), drawn now or before.

    Each sound gives its whole bars of 1.875 s, at most `bars` of them, spread evenly; a shorter one gives one, with silence after
    it. All bars of a file lie in its split and count as one track.

    Args:
        entries: the files, with their splits.
        classes: in the order of the labels.
        side: rows and columns of the pictures.
        folder: of the cache, whose name follows from every file's name, size and time of change, `side` and `bars`.
        bars: of one sound, at most.
        share: at most this share of the files may be unreadable.
        workers: threads; None: as many as there are processors.

    Raises:
        InvalidValue: too many unreadable files, or all of a class in one split; one file in two splits under two names.
        MediaError: the cache is not writable.
    """
    about = [(e.split, e.label, e.path.name, *_stamp(e.path)) for e in entries]
    key = hashlib.sha256(json.dumps([VERSION, side, bars, about]).encode()).hexdigest()[:24]
    store, index = folder / f"{key}.npy", folder / f"{key}.json"
    if not (store.is_file() and index.is_file()):
        folder.mkdir(parents=True, exist_ok=True)
        kept = _write(entries, side, bars, store, workers)
        same_content(kept["sources"], entries)
        with replacing(index) as temporary:
            temporary.write_text(json.dumps(kept), "utf-8")
    kept = parse_json(index.read_text("utf-8"))
    skipped = tuple(kept["problems"].values())
    if len(skipped) > share * len(entries):
        more = f"; and {len(skipped) - 3} more" if len(skipped) > 3 else ""
        raise InvalidValue(
            f"{len(skipped)} of {len(entries)} sounds cannot be read, at most {share:.1%} may be skipped: "
            f"{'; '.join(skipped[:3])}{more}"
        )
    if skipped:
        left = [e for i, e in enumerate(entries) if str(i) not in kept["problems"]]
        checked(left, classes, f"what is left without {len(skipped)} unreadable sounds ({'; '.join(skipped[:3])})")
        warnings.warn(f"{len(skipped)} of {len(entries)} sounds cannot be read: {'; '.join(skipped)}", stacklevel=2)
    of = np.repeat(np.arange(len(entries)), kept["bars"])  # which file each bar is of
    rows = [entries[int(i)] for i in of]
    groups = tuple(e.group for e in rows)
    sources = tuple(kept["sources"][int(i)] for i in of)
    everything = Labelled(
        np.load(store, mmap_mode="r"), labels_of(entries, classes)[of], groups, tuple(classes), skipped, sources
    )
    parts = {split: np.flatnonzero([e.split == split for e in rows]) for split in SPLITS}
    return {split: everything.part(chosen) for split, chosen in parts.items() if len(chosen)}


def windows(path: Path, bars: int) -> list[Audio]:
    """Bars of a sound at its own rate, one channel; never the whole of a long one in memory.

    Raises:
        MediaError: it cannot be read.
    """
    sound = media.load_audio(path)
    length = max(1, round(float(BAR) * sound.rate))
    whole = max(1, sound.samples.shape[1] // length)
    made = []
    for k in np.unique(np.linspace(0, whole - 1, min(whole, bars)).round().astype(int)):
        part = np.asarray(sound.samples[:, k * length : (k + 1) * length], np.float32).mean(0, keepdims=True)
        made.append(Audio(np.pad(part, ((0, 0), (0, length - part.shape[1]))), sound.rate))
    return made


def _write(entries: Sequence[Entry], side: int, bars: int, store: Path, workers: int | None) -> dict[str, Any]:
    """Draw every sound and write the pictures in order; how many each gave, what could not be read, sha256 of each file."""
    kept: dict[str, Any] = {"bars": [], "problems": {}, "sources": []}
    raw = store.with_suffix(".raw")
    try:
        with (
            open(raw, "wb") as file,
            bar("drawing sounds") as tick,
            ThreadPoolExecutor(workers or os.cpu_count()) as pool,
        ):
            for start in range(0, len(entries), 32):  # a bounded number in flight
                part = entries[start : start + 32]
                for k, made in enumerate(pool.map(lambda e: _read(e.path, bars, side), part), start):
                    if isinstance(made, str):
                        kept["problems"][str(k)], made = made, ("", np.zeros((0, side, side, 3), np.uint8))
                    kept["sources"].append(made[0])
                    kept["bars"].append(len(made[1]))
                    file.write(made[1].tobytes())
                    tick(k + 1, len(entries))
        header = {"descr": "|u1", "fortran_order": False, "shape": (sum(kept["bars"]), side, side, 3)}
        with replacing(store) as temporary, open(temporary, "wb") as file, open(raw, "rb") as source:
            np.lib.format.write_array_header_1_0(file, header)
            while block := source.read(1 << 20):
                file.write(block)
    finally:
        raw.unlink(missing_ok=True)
    return kept


def _read(path: Path, bars: int, side: int) -> tuple[str, np.ndarray] | str:
    """A file's sha256 and its bars as pictures, or why there are none."""
    try:
        with open(path, "rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
        return digest, np.concatenate([drawn_bars(w, side)[:1] for w in windows(path, bars)])
    except (MediaError, InvalidValue, OSError) as error:
        return f"{path.name}: {' '.join(str(error).split())}"
