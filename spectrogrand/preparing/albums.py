"""`spectrogrand prepare albums TABLE.csv COVERS CLIPS OUT`: published columns, covers and clips to what train/fusion.py reads."""

from __future__ import annotations

import hashlib
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

from .. import media
from ..albums.table import AlbumRow, AlbumTable, write
from ..audio.emotion import estimate
from ..errors import ConfigError, InvalidValue, MediaError
from ..progress import bar
from ..store import place

PICTURES = (".jpg", ".jpeg", ".png", ".webp")
SOUNDS = (".mp3", ".wav", ".flac", ".ogg", ".m4a")
SHARE = 1470 / 4899
"""Of the artists in the test split, so that about the published 3,429 and 1,470 songs result from 4,899."""
USAGE = "spectrogrand prepare albums TABLE.csv COVERS CLIPS OUT [test=0.3] [seed=0] [emotions=true]"


def main(words: list[str]) -> int:
    """`prepare albums TABLE.csv COVERS CLIPS OUT [test=SHARE] [seed=N] [emotions=true|false]`."""
    if not words or {"-h", "--help"} & set(words):
        sys.stdout.write(USAGE + "\n")
        return 0 if words else 2
    options = {k: v for k, _, v in (w.partition("=") for w in words) if k in ("test", "seed", "emotions") and v}
    paths = [w for w in words if w.partition("=")[0] not in ("test", "seed", "emotions")]
    if len(paths) != 4:
        raise ConfigError(f"a table, two folders and an output folder are needed: {USAGE}")
    try:
        share, seed = float(options.get("test", SHARE)), int(options.get("seed", 0))
    except ValueError as error:
        raise ConfigError(f"test is a share and seed a whole number: {USAGE}") from error
    if not 0 <= share <= 1:
        raise ConfigError(f"test is a share of the artists from 0 to 1, got {share}: test=0.3")
    table, covers, clips, out = (Path(p).expanduser() for p in paths)
    counts = prepare(
        table, covers, clips, out, share=share, seed=seed, emotions=options.get("emotions", "true") == "true"
    )
    sys.stdout.write("".join(f"{count:7,}  {what}\n" for what, count in counts.items()))
    return 0


def prepare(
    table: Path, covers: Path, clips: Path, out: Path, *, share: float = SHARE, seed: int = 0, emotions: bool = True
) -> dict[str, int]:
    """Write OUT/albums.csv, OUT/covers and OUT/clips; returns how many rows were kept per split and left out per reason.

    A row's cover is COVERS/<album id> or <song id>, its clip CLIPS/<song id>, with any common ending; both must decode. The
    split is by artist, from a hash of the artist's name and the seed: no artist is in both, and adding rows moves nobody. Rows
    without emotions get the three words of the offline estimate (`spectrogrand.audio.emotion`) unless `emotions` is False.

    Raises:
        InvalidValue: no row could be kept; the reasons are in the message.
    """
    pictures, sounds = _stems(covers, PICTURES), _stems(clips, SOUNDS)
    read = AlbumTable(table)
    left: Counter[str] = Counter()
    kept: list[AlbumRow] = []
    with bar("albums") as tick:
        for i, row in enumerate(read):
            cover = pictures.get(row.album_id) or pictures.get(row.song_id)
            clip = sounds.get(row.song_id)
            if cover is None or clip is None:
                left["no cover" if cover is None else "no clip"] += 1
                continue
            try:
                media.load_image(cover)
                song = media.load_audio(clip)
            except MediaError:
                left["a cover or clip that does not decode"] += 1
                continue
            words = row.emotions or (estimate(song).words(3) if emotions else ())
            split = "test" if _place(row.artist, seed) < share else "train"
            names = f"covers/{cover.name}", f"clips/{clip.name}"
            kept.append(replace(row, emotions=words, split=split, cover=names[0], clip=names[1]))
            place(cover, out / f"covers/{cover.name}")
            place(clip, out / f"clips/{clip.name}")
            tick(i + 1, i + 2)
    left.update(read.skipped)
    if not kept:
        reasons = ", ".join(f"{count} with {what}" for what, count in left.most_common(4)) or "it has no rows"
        raise InvalidValue(f"nothing of {table} can be used: {reasons}; files are named by album_id or song_id")
    write(out / "albums.csv", kept)
    splits = Counter(row.split for row in kept)
    return {
        **{f"for {name}": splits[name] for name in ("train", "test")},
        **{f"left out: {k}": n for k, n in left.most_common()},
    }


def _stems(folder: Path, endings: tuple[str, ...]) -> dict[str, Path]:
    """The files of a folder by their names without endings; symbolic links that lead out of it are left alone."""
    if not folder.is_dir():
        raise InvalidValue(f"there is no folder {folder}: give the folder of covers and the folder of clips")
    home = folder.resolve()
    found = sorted(p for p in folder.iterdir() if p.suffix.lower() in endings and p.is_file())
    return {p.stem: p for p in found if p.resolve().is_relative_to(home)}


def _place(artist: str, seed: int) -> float:
    """Where an artist stands between 0 and 1: the same in every table.

    >>> _place("Björk", 0) == _place("  björk ", 0)
    True
    """
    name = " ".join(artist.casefold().split())
    return int.from_bytes(hashlib.sha256(f"{seed}\0{name}".encode()).digest()[:8], "big") / 2**64
