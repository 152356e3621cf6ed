"""Albums for fusion: prompts, covers and music features of a prepared folder; features are made once and kept on disk."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ... import media, registry
from ...albums.brief import AlbumBrief
from ...albums.table import AlbumRow, AlbumTable
from ...errors import InvalidValue, UnknownName, nearest
from ...files import replacing
from ...models.sound_frames import MOST, frames_of
from ...progress import bar
from ...provenance import fingerprint

MUSIC = ("own", "shuffled", "constant")
"""What `data.music` may be: each album's own, another's, or the same for all."""


@dataclass(frozen=True, eq=False)
class Albums:
    """One split: prompts, cover files and music features, in the table's order. `features[i]`: float32, shape=(time, axis)."""

    rows: list[AlbumRow]
    covers: list[Path]
    features: list[np.ndarray]
    size: int
    style: str = "album_genre"
    content: str = ""
    """sha256 of prompts, covers and clips, wherever they lie."""

    def __len__(self) -> int:
        return len(self.rows)

    def prompt(self, i: int) -> str:
        """The published sentence of row i, with its emotions where the style asks for them."""
        row = self.rows[i]
        return AlbumBrief(row.album, row.genre, "", "", album=row.album, emotions=row.emotions, style=self.style).prompt

    def pixels(self, i: int) -> np.ndarray:
        """Cover i, float32 in [-1, 1], shape=(rgb, row, column)."""
        picture = media.load_image(self.covers[i]).resized(self.size, self.size)
        return np.ascontiguousarray(picture.pixels.transpose(2, 0, 1), np.float32) / np.float32(127.5) - 1

    def __getitem__(self, i: int) -> tuple[int, str, np.ndarray, np.ndarray]:
        return i, self.prompt(i), self.pixels(i), self.features[i]

    def heard(self, music: str, seed: int) -> Albums:
        """These albums with their own music, or a control's: one of `MUSIC`.

        Raises:
            UnknownName: none of `MUSIC`.
        """
        if music not in MUSIC:
            raise UnknownName(f"no music {music!r} to train on; {nearest(str(music), MUSIC)}")
        if music == "shuffled":
            return self.shuffled(seed)
        return self.constant() if music == "constant" else self

    def constant(self) -> Albums:
        """The same albums with features of zero: what a fusion learns from these is what fitting gives without music."""
        return replace(self, features=[np.zeros_like(self.features[0])] * len(self))

    def shuffled(self, seed: int) -> Albums:
        """The same albums, each with the music of another: what the music says about the cover is gone.

        The order is a random cycle, so that no album keeps its own song.
        """
        order = np.random.default_rng(seed).permutation(len(self))
        features: list[Any] = [None] * len(self)
        for k, i in enumerate(order):
            features[i] = self.features[order[(k + 1) % len(order)]]
        return replace(self, features=features)


class Batches:
    """The training loader: batches in an order drawn from (seed, epoch), its place saved, so that a training goes on with the
    albums that it had not seen.

    Args:
        limit: at most so many batches an epoch.
    """

    def __init__(self, data: Albums, size: int, seed: int, limit: int | None = None) -> None:
        self.data, self.size, self.seed = data, size, seed
        whole = -(-len(data) // size)
        self.length = min(whole, limit) if limit else whole
        self.epoch = self.position = self._start = 0
        self.sampler = self
        """Lightning tells samplers the epoch; this loader is its own."""

    def __len__(self) -> int:
        return self.length

    def set_epoch(self, epoch: int) -> None:
        """Called by Lightning before each epoch."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[dict[str, Any]]:
        start, self._start = self._start, 0
        order = np.random.default_rng([self.seed, self.epoch]).permutation(len(self.data)).tolist()
        for k in range(start, self.length):
            self.position = k + 1
            yield batch([self.data[i] for i in order[k * self.size : (k + 1) * self.size]])

    def state_dict(self) -> dict[str, int]:
        """Epoch and number of batches given out: plain data for the checkpoint."""
        return {"epoch": self.epoch, "position": self.position}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Go on where `state_dict` was taken."""
        self.epoch = state["epoch"]
        self._start = state["position"] % self.length


def albums(
    root: str | Path, split: str, embedder: Any, *, size: int, seconds: float, cache: str | Path, style: str,
    most: int | None = MOST,
) -> Albums:  # fmt: skip
    """A split of a folder that `spectrogrand prepare albums` wrote: albums.csv, and the covers and clips that it names.

    Args:
        most: time steps of features that are kept, None: all.

    Raises:
        InvalidValue: no albums in the split, a file outside the folder, or one that is missing.
    """
    home = Path(root).expanduser()
    rows = [row for row in AlbumTable(home / "albums.csv") if row.split == split]
    if not rows:
        raise InvalidValue(
            f"{home / 'albums.csv'} has no rows of the split {split!r}: make it with spectrogrand prepare albums"
        )
    covers = [_inside(home, row.cover, row) for row in rows]
    clips = [_inside(home, row.clip, row) for row in rows]
    heard = features(clips, embedder, seconds, Path(cache), most)
    found = Albums(rows, covers, heard, size, style)
    told = [(found.prompt(i), _sha256(covers[i]), _sha256(clips[i])) for i in range(len(found))]
    return replace(found, content=hashlib.sha256(json.dumps(told).encode()).hexdigest())


def features(
    clips: Sequence[Path], embedder: Any, seconds: float, cache: Path, most: int | None = MOST
) -> list[np.ndarray]:
    """Music features of clips, float32, shape=(time, axis) each, read from `cache` where they were made before.

    An embedder with a method `of_clip(path)` is asked which features are the clip's own: a folder of them, by the clip's name.
    """
    from safetensors.numpy import load_file, save_file

    told = {"part": fingerprint(embedder), "seconds": seconds} | ({} if most == MOST else {"most": most})
    part = json.dumps(told, sort_keys=True)
    made = []
    cache.mkdir(parents=True, exist_ok=True)
    with bar("music features") as tick:
        for i, clip in enumerate(clips):
            one = embedder.of_clip(clip) if hasattr(embedder, "of_clip") else embedder
            named = clip.stem.encode() if one is not embedder else b""
            key = hashlib.sha256(part.encode() + named + bytes.fromhex(_sha256(clip))).hexdigest()
            file = cache / f"{key}.safetensors"
            if not file.is_file():
                rows = frames_of(one, media.load_audio(clip), seconds, most)
                with replacing(file) as draft:
                    save_file({"frames": rows.astype(np.float16)}, str(draft))
            made.append(load_file(file)["frames"].astype(np.float32))
            tick(i + 1, len(clips))
    return made


def batch(items: Sequence[tuple[int, str, np.ndarray, np.ndarray]]) -> dict[str, Any]:
    """Items to one batch of tensors; features of different lengths are repeated to the longest."""
    import torch

    longest = max(len(item[3]) for item in items)
    rows = [np.tile(f, (math.ceil(longest / len(f)), 1))[:longest] for _, _, _, f in items]
    return {
        "index": [item[0] for item in items], "prompt": [item[1] for item in items],
        "pixels": torch.from_numpy(np.stack([item[2] for item in items])), "features": torch.from_numpy(np.stack(rows)),
    }  # fmt: skip


def embedder_of(config: Any) -> Any:
    """The sound embedder that a config names."""
    return registry.build("embedders", config)


def _sha256(file: Path) -> str:
    with open(file, "rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _inside(home: Path, name: str, row: AlbumRow) -> Path:
    path = (home / name).resolve()
    if not name or not path.is_relative_to(home.resolve()) or not path.is_file():
        raise InvalidValue(
            f"{row.artist} - {row.album} names {name!r}, which is no file in {home}: prepare the albums again"
        )
    return path
