"""A small world whose truth is known: the prompt names a record's genre (the shape), its music alone tells the palette."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from spectrogrand import media
from spectrogrand.albums.table import AlbumRow, write
from spectrogrand.types import Audio, Image

SIZE = 8
RATE = 22050
PALETTES = {
    "ember": ((150, 25, 25), (250, 190, 60)), "ocean": ((15, 50, 120), (120, 215, 235)),
    "meadow": ((25, 110, 50), (235, 240, 150)), "orchid": ((90, 30, 120), (245, 150, 200)),
}  # fmt: skip
"""Ground and figure, sRGB. The pretrained model knows the words; the prompts of the albums never say them."""
MUSIC = {"ember": (150, 8), "ocean": (75, 2), "meadow": (75, 8), "orchid": (150, 2)}
"""What a record of that palette sounds like: beats per minute, and partials of its chords (dull or bright)."""
GENRES = ("jazz", "techno", "folk", "metal")
TITLES = "north river glass paper winter silver garden night stone letter cloud harbour engine mirror tower wolf echo".split()
PROMPT = "Create an album cover for the album '{title}'. The genre is {genre}."
HINT = " The colours are {palette}."
WORDS = [*"Create an album cover for the genre is colours are".split(), *TITLES, *GENRES, *PALETTES]


def cover(palette: str, genre: str, rng: np.random.Generator) -> np.ndarray:
    """A cover, uint8, shape=(8, 8, rgb): the genre's shape, somewhere, in the palette's colours, a little off each time."""
    ground, figure = (np.array(c) + rng.normal(0, 4, 3) for c in PALETTES[palette])
    y, x = np.mgrid[:SIZE, :SIZE] + 0.5
    cx, cy = rng.choice([3.5, 4.5], 2)
    shape = {
        "jazz": np.hypot(x - cx, y - cy) < 2.3,
        "techno": np.maximum(abs(x - cx), abs(y - cy)) % 2 < 0.9,
        "folk": (y - cy + SIZE) % 4 < 1.9,
        "metal": abs((x - cx) - (y - cy)) < 1.5,
    }[genre]
    painted = np.where(shape[..., None], figure, ground) + rng.normal(0, 1, (SIZE, SIZE, 3))
    return np.clip(np.round(painted), 0, 255).astype(np.uint8)


def song(palette: str, rng: np.random.Generator, seconds: float = 3.0) -> Audio:
    """A song that says the palette: its tempo and brightness are the palette's, its key, chords and level are its own."""
    beats, partials = MUSIC[palette]
    bpm = beats * rng.uniform(0.93, 1.07)
    t = np.arange(int(seconds * RATE)) / RATE
    beat, since = (t * bpm / 60).astype(int), t % (60 / bpm)
    roots = 110 * 2 ** ((rng.integers(0, 12) + rng.permutation([0, 3, 5, 7, 8])[beat % 5]) / 12)
    sound = np.zeros(len(t))
    for interval in (0, rng.choice([3, 4]), 7):
        phase = 2 * np.pi * np.cumsum(roots * 2 ** (interval / 12)) / RATE
        sound += sum(np.sin(h * phase) / h for h in range(1, partials + 1))
    sound *= np.exp(-since / rng.uniform(0.12, 0.25))
    sound += 0.05 * rng.standard_normal(len(t)) * np.exp(-since / 0.02)
    return Audio((rng.uniform(0.3, 0.9) * sound / np.abs(sound).max())[None].astype(np.float32), RATE)


def albums(folder: Path, train: int, test: int, seed: int) -> Path:
    """Write a prepared folder of `train` and `test` albums, each of its own artist; the album id is its palette."""
    rng = np.random.default_rng(seed)
    for part in ("covers", "clips"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    rows = []
    for i in range(train + test):
        palette, genre = list(PALETTES)[i % 4], GENRES[(i // 4) % 4]
        title = " ".join(rng.choice(TITLES, 2, replace=False))
        media.save_image(folder / f"covers/{i}.png", Image(cover(palette, genre, rng)))
        media.save_audio(folder / f"clips/{i}.wav", song(palette, rng))
        split = "train" if i < train else "test"
        known = {"split": split, "cover": f"covers/{i}.png", "clip": f"clips/{i}.wav"}
        rows.append(AlbumRow(f"artist {i}", title, title, str(i), palette, (genre,), genre, (), None, **known))
    write(folder / "albums.csv", rows)
    return folder


def examples(count: int, draw: Any) -> tuple[Any, list[str]]:
    """What the model is pretrained on: covers with prompts, every other of which name the palette."""
    import torch

    rng = np.random.default_rng(int(torch.randint(0, 2**31, (1,), generator=draw)))
    pixels, prompts = [], []
    for _ in range(count):
        palette, genre = str(rng.choice(list(PALETTES))), str(rng.choice(GENRES))
        title = " ".join(rng.choice(TITLES, 2, replace=False))
        prompts.append(PROMPT.format(title=title, genre=genre) + HINT.format(palette=palette) * (rng.random() < 1 / 2))
        pixels.append(cover(palette, genre, rng))
    made = np.stack(pixels).transpose(0, 3, 1, 2).astype(np.float32) / 127.5 - 1
    return torch.from_numpy(made), prompts


def palette_distances(picture: np.ndarray) -> dict[str, float]:
    """How far a cover, uint8 (row, column, rgb), is from each palette: the mean over its pixels of the OKLab distance to the
    nearer of the palette's two colours.

    >>> own = palette_distances(cover("ocean", "jazz", np.random.default_rng(0)))
    >>> min(own, key=own.get)
    'ocean'
    """
    lab = _oklab(picture.reshape(-1, 3))
    return {
        name: float(np.min([np.linalg.norm(lab - _oklab(np.array(c)[None]), axis=1) for c in colours], axis=0).mean())
        for name, colours in PALETTES.items()
    }


def _oklab(srgb: np.ndarray) -> np.ndarray:
    from spectrogrand.image.inks import linear_to_oklab

    x = srgb / 255.0
    return linear_to_oklab(np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4))
