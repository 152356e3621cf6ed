"""Songs and covers on which the videos are judged: the published pair, real songs and covers, ours, and mixtures of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spectrogrand import Audio, CoverBrief, Image, Topic, build
from spectrogrand.media import load_audio, load_image

SECONDS = 10
OURS = (
    # topic, genre, number of a real cover (None: ours)
    ("a futuristic spaceship", "future", None),
    ("neon city rain", "bass", None),
    ("the desert at noon", "progressive", None),
    ("sunset", "melodic", 73),
    ("the calm sea", "melodic", 40),
)


@dataclass(frozen=True)
class Pair:
    """One song and cover. `beats` in seconds where they are known exactly; None where a tracker must find them."""

    name: str
    song: Audio
    cover: Image
    beats: np.ndarray | None


def pairs(shared: Path) -> Iterator[Pair]:
    """Eight pairs, each ten seconds long."""
    covers = sorted((shared / "data" / "covers_sdxl" / "val").iterdir())
    demo = shared / "data" / "demo" / "spaceships_static.mp4"
    yield Pair("published song, published cover", cut(load_audio(demo)), load_image(demo), None)
    fox = load_audio(shared / "data" / "audio" / "outfoxing.mp3")
    yield Pair("real track, real cover", cut(fox, 30), load_image(covers[6]), None)
    loop = load_audio(shared / "data" / "audio" / "loop_breakbeat.flac")
    grid = np.arange(0, SECONDS, 60 / 126)
    yield Pair("real loop, real cover", cut(repeated(loop)), load_image(covers[20]), grid)
    for topic, genre, number in OURS:
        song = build("generators", {"name": "house_synth", "genre": genre, "duration": float(SECONDS)}).generate(
            [Topic(topic)], [0]
        )[0]
        brief = CoverBrief(topic, genre, "dark blue", "unveils")
        if number is None:
            cover = build("generators", {"name": "procedural_cover", "size": 512}).generate([brief], [2])[0]
        else:
            cover = load_image(covers[number])
        whose = "our cover" if number is None else "real cover"
        yield Pair(f"our song ({genre}: {topic}), {whose}", song, cover, np.asarray(song.plan.beats))


def cut(sound: Audio, start: float = 0) -> Audio:
    """Ten seconds from `start`."""
    first = round(start * sound.rate)
    return Audio(np.ascontiguousarray(sound.samples[:, first : first + SECONDS * sound.rate]), sound.rate)


def repeated(loop: Audio) -> Audio:
    """A loop, tiled to ten seconds or more."""
    times = -(-SECONDS * loop.rate // loop.samples.shape[1])
    return Audio(np.tile(loop.samples, (1, times)), loop.rate)
