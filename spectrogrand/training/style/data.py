"""Pictures to train `spectral_style` on: covers and spectrogram strips, decoded once into memory-mapped uint8 caches."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from ... import media
from ...audio.spectrogram import WINDOW, colours, mel_spectrogram, spectrogram_frames
from ...registry import build
from ...types import GENRES, CoverBrief, Topic, frame_count

SIDE = 256
"""Pixels: what the network draws at."""
SUBJECTS = (
    "the sea at night", "a futuristic spaceship", "a forest in autumn", "neon city streets", "a desert caravan",
    "robots dancing", "a mountain in winter", "faces in the crowd", "falling in love", "a storm", "the sun", "crystals",
    "a flower garden", "sound waves", "an old factory", "northern lights",
)  # fmt: skip
COLOURS = ("dark blue", "red", "black", "purple", "orange", "yellow", "green", "light blue")
MAPS = ("magma", "magma", "magma", "inferno", "viridis", "plasma")
"""Colour maps of the spectrogram pictures, the default one most often."""


class Pictures:
    """Random crops of covers and of spectrograms; crop `index` depends on the seed and on nothing else.

    Args:
        covers: uint8, shape=(picture, 256, 256, rgb).
        strips: uint8 levels, shape=(256, column), of all songs one after another, time to the right, low notes below.
        starts: columns at which songs begin, and the end.
    """

    def __init__(self, covers: np.ndarray, strips: np.ndarray, starts: np.ndarray) -> None:
        self.covers, self.strips, self.starts = covers, strips, starts
        self.tables = [colours(m) for m in MAPS]

    def cover(self, rng: np.random.Generator, side: int) -> np.ndarray:
        """A crop of a cover, or all of it at half its size; mirrored as often as not; uint8 (side, side, rgb)."""
        picture = self.covers[rng.integers(len(self.covers))]
        if rng.random() < 0.3 and side == SIDE // 2:
            quarters = picture.reshape(side, 2, side, 2, 3).astype(np.uint16).sum((1, 3))
            made = ((quarters + 2) // 4).astype(np.uint8)
        else:
            top, left = rng.integers(0, SIDE - side + 1, 2)
            made = picture[top : top + side, left : left + side]
        return made[:, ::-1] if rng.random() < 0.5 else made

    def spectrogram(self, rng: np.random.Generator, side: int, extra: int = 0) -> np.ndarray:
        """A crop of a song's spectrogram, uint8 (side, side + extra, rgb), never across two songs."""
        long = np.flatnonzero(np.diff(self.starts) >= side + extra)
        song = rng.choice(long)
        left = rng.integers(self.starts[song], self.starts[song + 1] - side - extra + 1)
        top = rng.integers(0, SIDE - side + 1)
        return self.tables[rng.integers(len(self.tables))][self.strips[top : top + side, left : left + side + extra]]

    def batch(self, seed: int, index: int, size: int, side: int, shift: int) -> dict[str, np.ndarray]:
        """Batch number `index`: `content` is `shift` pixels wider than `style`, so that it can be seen at two places.

        Of ten contents five are covers, of ten styles five spectrograms; covers as contents meet spectrograms four times of
        five, and spectrograms covers always; one in eight content is its own style.
        """
        rng = np.random.default_rng((seed, index))
        contents, styles = [], []
        for _ in range(size):
            if rng.random() < 0.5:
                wide = self._wide_cover(rng, side, shift)
                style = self.spectrogram(rng, side) if rng.random() < 0.8 else self.cover(rng, side)
            else:
                wide, style = self.spectrogram(rng, side, shift), self.cover(rng, side)
            contents.append(wide)
            styles.append(wide[:, :side] if rng.random() < 1 / 8 else style)
        return {"content": np.stack(contents), "style": np.stack(styles)}

    def _wide_cover(self, rng: np.random.Generator, side: int, shift: int) -> np.ndarray:
        """A crop of a cover that is `shift` pixels wider than high."""
        picture = self.covers[rng.integers(len(self.covers))]
        top, left = rng.integers(0, SIDE - side + 1), rng.integers(0, SIDE - side - shift + 1)
        made = picture[top : top + side, left : left + side + shift]
        return made[:, ::-1] if rng.random() < 0.5 else made


def prepare(
    cache: Path, *, covers: Sequence[str] = (), sounds: Sequence[str] = (), painted: int = 160, songs: int = 24
) -> Pictures:
    """Decode or draw everything once; the cache's name follows what is asked for, so that a change makes it anew.

    Args:
        covers: folders of pictures.
        sounds: sound files.
        painted: how many procedural covers to draw.
        songs: how many `house_synth` songs of 20 s to make.
    """
    asked = repr((sorted(map(str, covers)), sorted(map(str, sounds)), painted, songs, WINDOW))
    folder = cache / hashlib.sha256(asked.encode()).hexdigest()[:16]
    names = ("covers", "strips", "starts")
    if not all((folder / f"{n}.npy").is_file() for n in names):
        folder.mkdir(parents=True, exist_ok=True)
        pictures = np.stack([*_files(covers), *_painted(painted)])
        strips = [_strip(s) for s in _sounds(sounds, songs)]
        starts = np.cumsum([0] + [s.shape[1] for s in strips])
        for name, value in zip(names, (pictures, np.concatenate(strips, 1), starts), strict=True):
            with media.replacing(folder / f"{name}.npy") as path, open(path, "wb") as file:
                np.save(file, value, allow_pickle=False)
    covers_, strips_, starts_ = (np.load(folder / f"{n}.npy", mmap_mode="r", allow_pickle=False) for n in names)
    return Pictures(covers_, strips_, np.asarray(starts_))


def _files(folders: Sequence[str]) -> Iterator[np.ndarray]:
    for folder in folders:
        for path in sorted(Path(folder).expanduser().glob("*.*")):
            if path.suffix.lower() in (".jpg", ".jpeg", ".png", ".webp"):
                yield media.load_image(path).resized(SIDE, SIDE).pixels


def _painted(count: int) -> Iterator[np.ndarray]:
    painter = build("generators", {"name": "procedural_cover", "size": SIDE})
    for k in range(count):
        brief = CoverBrief(SUBJECTS[k % len(SUBJECTS)], GENRES[k % 4], COLOURS[(k // 3) % len(COLOURS)], "stuns")
        yield painter.generate([brief], [7000 + k])[0].pixels


def _sounds(paths: Sequence[str], songs: int) -> Iterator[Any]:
    for path in paths:
        yield media.load_audio(Path(path).expanduser())
    for k in range(songs):
        maker = build("generators", {"name": "house_synth", "duration": 20.0, "genre": GENRES[k % 4]})
        yield maker.generate([Topic(SUBJECTS[k % len(SUBJECTS)])], [7000 + k])[0]


def _strip(sound: Any) -> np.ndarray:
    """A song's spectrogram as the pipeline draws it, at the scale of a 256-pixel window; uint8 levels, shape=(256, column)."""
    step = Fraction(WINDOW)
    count = max(1, frame_count(sound.duration, 1 / step) - 1)
    frames = spectrogram_frames(
        mel_spectrogram(sound), count=count, fps=1 / step, size=(SIDE, SIDE), seconds=WINDOW, colormap="gray"
    )
    return np.concatenate([f[..., 0] for f in frames], 1)
