"""`spectrogrand prepare housex RAW OUT`: whole tracks to HouseX's mel pictures, one per bar at each track's own tempo.

    RAW/future house/*.mp3, RAW/bass house/*.mp3, ...   ->   OUT/train|val|test/future house-{track}~{bar}.jpg, OUT/tracks.json

Split by track, in processes; a track that is finished is never made again.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from fractions import Fraction
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InvalidValue, SpectrograndError
from ..files import parse_json, replacing
from ..progress import bar
from ..types import GENRES

SUFFIXES = (".mp3", ".wav", ".flac", ".ogg", ".m4a", ".aac", ".opus", ".aif", ".aiff")
SPLITS = ("train", "val", "test")
SHARES = (0.8, 0.1)
SLOW, FAST = 60.0, 200.0
BEATS = 4


@dataclass(frozen=True)
class Job:
    """One track: where it is, what is made of it, and where that goes."""

    path: str
    genre: str
    track: str
    split: str
    out: str
    drop: tuple[float, float] | None
    tempo: float | None
    kind: str
    side: int


def jobs(
    raw: Path, out: Path, *, drops: Mapping[str, Any] | None = None, part: str = "full", kind: str = "pictures", side: int = 384,
    seed: int = 0, shares: Sequence[float] = SHARES,
) -> list[Job]:  # fmt: skip
    """What there is to do: every track of `RAW/{genre}*/`, each in one split.

    Within a genre, tracks go into splits in the order of sha256(seed, track): the same on every machine, at least one each.

    Args:
        drops: per track (file name or stem) the drop's [start, end] in seconds or "m:ss", or a mapping with `start`, `end` and
            perhaps `bpm`, as HouseX's annotation gives them.
        part: "full", or "drop" for the drop's bars alone.

    Raises:
        InvalidValue: a genre with fewer tracks than splits, one track twice, a drop that is missing or is no drop.
    """
    found: dict[str, list[Path]] = {g: [] for g in GENRES}
    for folder in sorted(p for p in raw.iterdir() if p.is_dir()) if raw.is_dir() else []:
        genre = next((g for g in GENRES if re.fullmatch(rf"{g}([ _-]?house)?", folder.name.lower())), None)
        if genre:
            found[genre] += sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES)
    if not any(found.values()):
        raise InvalidValue(
            f"{raw} holds no tracks: expected folders {', '.join(g + ' house/' for g in GENRES)} with sounds"
        )
    seen: dict[str, Path] = {}
    made = []
    for genre, paths in found.items():
        if len(paths) < len(SPLITS):
            raise InvalidValue(
                f"{raw}: {genre} house has {len(paths)} tracks, at least {len(SPLITS)} are needed for three splits"
            )
        order = sorted(paths, key=lambda p: hashlib.sha256(f"{seed}/{p.stem}".encode()).hexdigest())
        first = min(max(1, round(len(paths) * shares[0])), len(paths) - 2)
        second = min(max(first + 1, round(len(paths) * (shares[0] + shares[1]))), len(paths) - 1)
        for i, path in enumerate(order):
            digest = _sha256(path)
            if digest in seen:
                raise InvalidValue(
                    f"{path} is the same track as {seen[digest]}: it would lie in two splits; remove one of them"
                )
            seen[digest] = path
            drop, tempo = annotation(drops or {}, path) if drops is not None else (None, None)
            if part == "drop" and drop is None:
                raise InvalidValue(f"there is no drop of {path.name} in the annotation: add it, or take part full")
            split = SPLITS[(i >= first) + (i >= second)]
            name = re.sub(r"[^\w.()' -]", "_", path.stem).strip(". ") or digest[:12]
            made.append(
                Job(
                    str(path),
                    genre,
                    f"{name}-{digest[:6]}",
                    split,
                    str(out),
                    drop if part == "drop" else None,
                    tempo,
                    kind,
                    side,
                )
            )
    return made


def annotation(drops: Mapping[str, Any], path: Path) -> tuple[tuple[float, float] | None, float | None]:
    """The drop of a track in seconds and its tempo, each None where the annotation is silent.

    >>> annotation({"a": ["0:30", 61.5]}, Path("a.mp3")), annotation({"b.mp3": {"start": 1, "end": 2, "bpm": 126}}, Path("b.mp3"))
    (((30.0, 61.5), None), ((1.0, 2.0), 126.0))
    """
    entry = drops.get(path.name, drops.get(path.stem))
    if entry is None:
        return None, None
    try:
        if isinstance(entry, Mapping):
            start, end = (entry.get(k, entry.get(f"drop_{k}")) for k in ("start", "end"))
            tempo = float(entry["bpm"]) if entry.get("bpm") is not None else None
        else:
            (start, end), tempo = entry, None
        drop = (_seconds(start), _seconds(end))
    except (TypeError, ValueError) as error:
        raise InvalidValue(f"the drop of {path.name} is {entry!r}: expected [start, end] in seconds or m:ss") from error
    if not 0 <= drop[0] < drop[1] or (tempo is not None and not SLOW <= tempo <= FAST):
        raise InvalidValue(f"the drop of {path.name} is {entry!r}: expected 0 <= start < end, and bpm from 60 to 200")
    return drop, tempo


def make(job: Job) -> dict[str, Any]:
    """One track's bars; returns its row of tracks.json. Windows are whole bars from the first downbeat (of the drop).

    Raises:
        InvalidValue: no tempo was found and none is annotated, or less than a bar of sound. MediaError: it cannot be read.
    """
    from ..audio.bars import drawn_bars
    from ..audio.features import analyse
    from ..audio.spectrogram import mel_spectrogram
    from ..media import load_audio
    from ..types import Audio

    done = _marker(job)
    settings = {k: v for k, v in asdict(job).items() if k not in ("path", "out")}
    if done.is_file():
        row: dict[str, Any] = parse_json(done.read_text("utf-8"))
        if row.pop("made_with") == parse_json(json.dumps(settings)):
            return row
    song = load_audio(job.path)
    found = analyse(song)
    tempo = job.tempo or found.tempo
    if not SLOW <= tempo <= FAST:
        raise InvalidValue(f"{job.path} has no clear tempo: say its bpm in the annotation")
    length = Fraction(60 * BEATS) / Fraction(round(tempo * 1000), 1000)
    start, end = job.drop or (0.0, float(song.duration))
    if end > float(song.duration) + 1:
        raise InvalidValue(f"{job.path} lasts {float(song.duration):.1f} s, but its drop is said to end at {end:.1f} s")
    later = [float(t) for t in found.downbeats if t >= start - 0.05]
    begin = later[0] if later and later[0] < start + float(length) else start
    cut = song.samples[:, int(max(0.0, begin) * song.rate) : int(end * song.rate)]
    count = int(Fraction(cut.shape[1], song.rate) / length) if cut.size else 0
    if not count:
        raise InvalidValue(f"{job.path} has less than one bar of sound at {tempo:.1f} bpm")
    piece = Audio(np.ascontiguousarray(cut), song.rate)
    folder = Path(job.out) / job.split
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{job.genre} house-{job.track}~"
    for stale in folder.glob(f"{_escaped(stem)}*"):
        stale.unlink()
    if job.kind == "pictures":
        from PIL import Image as Pillow

        for k, picture in enumerate(drawn_bars(piece, job.side, length)):
            with replacing(folder / f"{stem}{k:04d}.jpg") as temporary:
                Pillow.fromarray(picture).save(temporary, "JPEG", quality=95, subsampling=0)
    else:
        mel = mel_spectrogram(piece)
        for k in range(count):
            first, last = (round(float(i * length) * mel.frame_rate) for i in (k, k + 1))
            bar_of = mel.decibels[:, first:last]
            with replacing(folder / f"{stem}{k:04d}.npy") as temporary, open(temporary, "wb") as file:
                np.save(file, np.ascontiguousarray(bar_of - bar_of.max()))
    row = {
        "track": job.track,
        "genre": job.genre,
        "split": job.split,
        "bpm": round(tempo, 3),
        "bars": count,
        "start": round(begin, 3),
    }
    done.parent.mkdir(parents=True, exist_ok=True)
    with replacing(done) as temporary:
        temporary.write_text(json.dumps({**row, "made_with": settings}), "utf-8")
    return row


def prepare(todo: Sequence[Job], out: Path, *, workers: int | None = None) -> tuple[list[dict[str, Any]], list[str]]:
    """Make every track, in processes; writes OUT/tracks.json. Returns the rows and what could not be made, with the reason."""
    rows: list[dict[str, Any]] = []
    problems: list[str] = []
    count = min(workers or os.cpu_count() or 1, len(todo))
    with bar("drawing bars") as tick:
        if count <= 1:
            results = ((job, lambda job=job: make(job)) for job in todo)
            for done, (job, call) in enumerate(results, 1):
                _collect(job, call, rows, problems)
                tick(done, len(todo))
        else:
            with ProcessPoolExecutor(count, get_context("spawn")) as pool:
                running = {pool.submit(make, job): job for job in todo}
                for done, future in enumerate(as_completed(running), 1):
                    _collect(running[future], future.result, rows, problems)
                    tick(done, len(todo))
    rows.sort(key=lambda r: (r["genre"], r["track"]))
    out.mkdir(parents=True, exist_ok=True)
    with replacing(out / "tracks.json") as temporary:
        temporary.write_text(json.dumps(rows, indent=1, ensure_ascii=False), "utf-8")
    return rows, sorted(problems)


def main(words: list[str]) -> int:
    """The command: reads its words, prints what was made; exit code 1 where a track could not be."""
    parser = argparse.ArgumentParser(prog="spectrogrand prepare housex", description=__doc__.splitlines()[0])
    parser.add_argument("raw", type=Path, help="folder with a folder of tracks per sub-genre")
    parser.add_argument("out", type=Path, help="folder to write to")
    parser.add_argument("--drops", type=Path, help="JSON: per track its drop's [start, end], and perhaps bpm")
    parser.add_argument(
        "--part", choices=("full", "drop"), default="full", help="bars of the whole track or of its drop"
    )
    parser.add_argument(
        "--kind", choices=("pictures", "tensors"), default="pictures", help="JPEGs, or mel tensors in dB"
    )
    parser.add_argument("--side", type=int, default=384, help="pixels of a picture")
    parser.add_argument("--seed", type=int, default=0, help="of the split")
    parser.add_argument("--workers", type=int, help="processes; default: as many as processors")
    given = parser.parse_args(words)
    if not 16 <= given.side <= 1024:
        raise InvalidValue(f"--side is 16 to 1024 pixels, got {given.side}")
    drops = _read_drops(given.drops) if given.drops else None
    todo = jobs(given.raw, given.out, drops=drops, part=given.part, kind=given.kind, side=given.side, seed=given.seed)
    rows, problems = prepare(todo, given.out, workers=given.workers)
    for line in problems:
        sys.stderr.write(f"skipped {line}\n")
    bars = sum(r["bars"] for r in rows)
    sys.stdout.write(f"{bars:,} bars of {len(rows)} tracks in {given.out}\n")
    return 1 if problems else 0


def _collect(job: Job, call: Any, rows: list[dict[str, Any]], problems: list[str]) -> None:
    try:
        rows.append(call())
    except SpectrograndError as error:
        problems.append(f"{Path(job.path).name}: {' '.join(str(error).split())}")


def _read_drops(path: Path) -> dict[str, Any]:
    try:
        found = parse_json(path.expanduser().read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidValue(
            f"{path} is no annotation that can be read ({error}): expected JSON, track -> [start, end]"
        ) from error
    if not isinstance(found, dict):
        raise InvalidValue(f"{path} holds {type(found).__name__}: expected an object, track -> [start, end]")
    return found


def _seconds(value: Any) -> float:
    if isinstance(value, str) and ":" in value:
        minutes, _, seconds = value.partition(":")
        return 60 * float(minutes) + float(seconds)
    return float(value)


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _marker(job: Job) -> Path:
    return Path(job.out) / ".tracks" / f"{job.genre}-{job.track}.json"


def _escaped(stem: str) -> str:
    import glob

    return glob.escape(stem)
