"""Data made here, so that every script trains for real with nothing downloaded: bars of synthesised songs, two kinds of covers.

Both are split by source (song, cover) and every source has its own synthesis seed, so that nothing of a test track was ever seen.
Made in processes, one file per source, written whole: a killed preparation goes on where it stopped.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import InvalidValue
from ...files import replacing
from ...progress import bar
from ...types import GENRES, CoverBrief, Topic
from .batches import SPLITS, Labelled
from .folders import SOURCES

VERSION = 1
FIRST_SEED = 20_000
"""Far from the seeds of the shipped reference songs and of the songs that timbre_genre was trained and tested on."""
SHARES = (0.6, 0.2)
RATE = 22050
TRAITS = {
    "grain": (np.log(3.0), 0.35, 0.84),
    "vignette": (0.20, 0.07, 0.168),
    "colour": (1.0, 0.16, -0.384),
    "softness": (0.25, 0.22, 0.528),
}
"""Per trait of a cover's finish: mean of the class ai, spread of both, and how far the class human's mean lies from it. One
trait alone tells the classes apart in 88 of 100 covers, all four together in 99."""
SUBJECTS = (
    "a futuristic spaceship", "the sea at night", "a furious storm", "a quiet lake", "neon city streets", "a mountain in winter",
    "a flower garden", "a clockwork robot", "carnival masks", "a crystal", "sound waves", "a broken heart", "a haunted house",
    "ancient Egypt", "the edge of the universe", "a dark cave", "morning sunshine", "strange dreams", "a coral reef",
    "a volcano erupts", "fireflies in a forest", "a chess game", "northern lights", "a racing car", "saying goodbye",
)  # fmt: skip
COLOURS = ("dark blue", "red", "black", "purple", "orange", "yellow", "green", "light blue")
WORDS = ("unveils", "surprises", "ascends", "explodes", "balances", "hypnotizes", "blends", "stuns")


def songs(
    folder: Path, *, count: int, seconds: float, side: int, sound: bool, seed: int, workers: int | None
) -> dict[str, Labelled]:
    """Bars of `count` house_synth songs, a quarter per sub-genre, split by song 60 / 20 / 20.

    Pictures are drawn as `spectrogrand.audio.bars` draws them, uint8 (bar, side, side, rgb); with `sound` the bars
    themselves come, int16 at 22,050 Hz, (bar, time), for a mel spectrogram on the fly.
    """
    if count < 5 * len(GENRES):
        raise InvalidValue(f"at least {5 * len(GENRES)} songs are needed for three splits, got data.songs={count}")
    about = {
        "version": VERSION,
        "what": "songs",
        "seconds": seconds,
        "side": 0 if sound else side,
        "sound": sound,
        "seed": seed,
    }
    jobs = [(i, GENRES[i % len(GENRES)], about) for i in range(count)]
    made = _make(_song, jobs, folder / _key(about), workers, "synthesising songs")
    labels = [i % len(GENRES) for i in range(count)]
    return _splits(made, labels, [f"song {i}" for i in range(count)], GENRES, count // len(GENRES))


def pictures(folder: Path, *, count: int, side: int, seed: int, workers: int | None) -> dict[str, Labelled]:
    """`count` procedural covers, half finished as "ai" and half as "human", split by cover 60 / 20 / 20.

    The classes differ in how a cover is finished (film grain, vignette, colour, softness: `TRAITS`), each with parameters that
    overlap, and in nothing that it shows.
    """
    if count < 10:
        raise InvalidValue(f"at least 10 covers are needed for three splits, got data.pictures={count}")
    about = {
        "version": VERSION,
        "traits": {k: list(v) for k, v in TRAITS.items()},
        "what": "pictures",
        "side": side,
        "seed": seed,
    }
    jobs = [(i, SOURCES[i % 2], about) for i in range(count)]
    made = _make(_cover, jobs, folder / _key(about), workers, "painting covers")
    return _splits(made, [i % 2 for i in range(count)], [f"cover {i}" for i in range(count)], SOURCES, count // 2)


def shuffled(data: Labelled, seed: int) -> Labelled:
    """The same items with labels in random order: what is learned from them must not beat chance."""
    mixed = np.random.default_rng([seed, 1]).permutation(data.labels)
    return Labelled(data.values, mixed, data.groups, data.classes, data.skipped)


def traits(label: str, rng: np.random.Generator) -> dict[str, float]:
    """A cover's finish, drawn from its class's distributions."""
    return {k: float(rng.normal(m + d * (label == "human"), s)) for k, (m, s, d) in TRAITS.items()}


def finished(pixels: np.ndarray, finish: dict[str, float], rng: np.random.Generator) -> np.ndarray:
    """uint8 (row, column, rgb) after softness (blur, pixels), colour (saturation), vignette and grain (log sigma, of 255)."""
    from scipy.ndimage import gaussian_filter

    x = pixels.astype(np.float32)
    blur = max(0.0, finish["softness"]) * len(x) / 256
    if blur > 0.05:
        x = gaussian_filter(x, (blur, blur, 0))
    grey = x @ np.array([0.299, 0.587, 0.114], np.float32)
    x = grey[..., None] + max(0.0, finish["colour"]) * (x - grey[..., None])
    y, z = np.mgrid[-1 : 1 : len(x) * 1j, -1 : 1 : x.shape[1] * 1j]
    x *= (1 - max(0.0, finish["vignette"]) * (y * y + z * z))[..., None]
    x += np.exp(finish["grain"]) * rng.standard_normal((*x.shape[:2], 1))
    return np.clip(np.rint(x), 0, 255).astype(np.uint8)


def _song(job: tuple[int, str, dict[str, Any]]) -> np.ndarray:
    from ...audio.bars import BAR, drawn_bars
    from ...media import resample
    from ...registry import build

    i, genre, about = job
    maker = build("generators", {"name": "house_synth", "genre": genre, "duration": about["seconds"]})
    topic = Topic(SUBJECTS[(i // len(GENRES)) % len(SUBJECTS)])
    song = maker.generate([topic], [FIRST_SEED + 10_000 * about["seed"] + i])[0]
    if not about["sound"]:
        return drawn_bars(song, about["side"])
    mono = resample(song.mono()[None], song.rate, RATE)[0]
    size = int(BAR * RATE)
    bars = mono[: len(mono) // size * size].reshape(-1, size)
    return np.asarray(np.rint(np.clip(bars, -1, 1) * 32767), np.int16)


def _cover(job: tuple[int, str, dict[str, Any]]) -> np.ndarray:
    from ...registry import build

    i, label, about = job
    rng = np.random.default_rng([about["seed"], i])
    words = [str(rng.choice(w)) for w in (SUBJECTS, GENRES, COLOURS, WORDS)]
    painter = build("generators", {"name": "procedural_cover", "size": about["side"]})
    painted = painter.generate([CoverBrief(*words)], [FIRST_SEED + 10_000 * about["seed"] + i])[0].pixels
    return finished(painted, traits(label, rng), rng)[None]


def _make(
    work: Callable[[Any], np.ndarray], jobs: Sequence[Any], folder: Path, workers: int | None, what: str
) -> list[np.ndarray]:
    """Every job's array, made in processes or read from its file."""
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"{job[0]:05d}.npy" for job in jobs]
    missing = [k for k, file in enumerate(files) if not file.is_file()]
    count = min(workers or os.cpu_count() or 1, len(missing))
    with bar(what) as tick:
        if count <= 1:
            for done, k in enumerate(missing, 1):
                _keep(files[k], work(jobs[k]))
                tick(done, len(missing))
        else:
            with ProcessPoolExecutor(count, get_context("spawn")) as pool:
                running = {pool.submit(work, jobs[k]): files[k] for k in missing}
                for done, future in enumerate(as_completed(running), 1):
                    _keep(running.pop(future), future.result())
                    tick(done, len(missing))
    return [np.load(file) for file in files]


def _keep(file: Path, values: np.ndarray) -> None:
    with replacing(file) as temporary, open(temporary, "wb") as opened:
        np.save(opened, values)


def _splits(
    made: Sequence[np.ndarray], labels: Sequence[int], groups: Sequence[str], classes: Sequence[str], each: int
) -> dict[str, Labelled]:
    """Whole sources into splits: within a class the first 60 % train, then 20 % val, then test."""
    first, second = round(each * SHARES[0]), round(each * (SHARES[0] + SHARES[1]))
    found = {}
    for number, split in enumerate(SPLITS):
        chosen = [i for i in range(len(made)) if (i // len(classes) >= first) + (i // len(classes) >= second) == number]
        values = np.concatenate([made[i] for i in chosen])
        counts = [len(made[i]) for i in chosen]
        repeated = np.repeat([labels[i] for i in chosen], counts).astype(np.int64)
        names = tuple(groups[i] for i, n in zip(chosen, counts, strict=True) for _ in range(n))
        found[split] = Labelled(values, repeated, names, tuple(classes))
    return found


def _key(about: dict[str, Any]) -> str:
    return f"{about['what']}-{hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:12]}"
