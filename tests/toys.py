"""Tiny registered parts, so that the pipeline's own behaviour is tested in seconds and its work can be counted."""

import os
import time
from fractions import Fraction

import numpy as np

from spectrogrand import (
    GENRES,
    Audio,
    Card,
    Classifier,
    CoverBrief,
    CreativityScorer,
    Frames,
    Gate,
    Generator,
    Image,
    Scene,
    Stylizer,
    Topic,
    register,
)
from spectrogrand.errors import CandidateError
from spectrogrand.types import frame_count

CALLS = []
CARD = Card(summary="a toy for tests")


def call(name):
    """Count a call; in a child process, write it down where the parent can read it."""
    CALLS.append(name)
    if os.environ.get("TOYS_LOG"):
        with open(os.environ["TOYS_LOG"], "a") as log:
            log.write(name + "\n")
    time.sleep(float(os.environ.get("TOYS_SLEEP", "0")))


@register("toy_song")
class ToySong(Generator):
    source, artefact, card = Topic, Audio, CARD

    def __init__(self, seconds=1.0, fail=(), nan=()):
        self.seconds, self.fail, self.nan = seconds, fail, nan

    def generate(self, sources, seeds):
        return [self._one(s) for s in seeds]

    def _one(self, seed):
        call(f"song {seed}")
        if seed in self.fail:
            raise CandidateError("was refused by the toy")
        t = np.arange(int(self.seconds * 8000)) / 8000
        tone = 0.5 * np.sin(2 * np.pi * (200 + 40 * (seed % 1000)) * t)
        if seed in self.nan:
            tone[5] = np.nan
        return Audio(tone[None].astype(np.float32), 8000)


@register("toy_cover")
class ToyCover(Generator):
    source, artefact, card = CoverBrief, Image, CARD
    batch_size = 4

    def __init__(self, room=99):
        self.room = room

    def generate(self, sources, seeds):
        call(f"covers {len(seeds)}")
        if len(seeds) > self.room:
            raise MemoryError
        return [Image(np.random.default_rng(s).integers(0, 255, (32, 32, 3), np.uint8)) for s in seeds]


@register("toy_loudness")
class ToyLoudness(CreativityScorer):
    aspect, artefact, card = "value", Audio, CARD

    def score(self, batch):
        call(f"scores {len(batch)}")
        return np.array([float(np.abs(np.diff(a.samples)).mean()) for a in batch])


@register("toy_redness")
class ToyRedness(CreativityScorer):
    aspect, artefact, card = "value", Image, CARD

    def score(self, batch):
        return np.array([float(i.pixels[..., 0].mean()) for i in batch])


@register("toy_gate")
class ToyGate(Gate):
    artefact, card = Audio, CARD

    def check(self, batch):
        return [None if np.abs(a.samples).max() > 0.01 else "is silent" for a in batch]


@register("toy_genre")
class ToyGenre(Classifier):
    artefact, card = Audio, CARD

    def classify(self, batch):
        return np.tile([0.1, 0.2, 0.3, 0.4], (len(batch), 1)), ("future", "bass", "progressive", "melodic")


@register("toy_stylizer")
class ToyStylizer(Stylizer):
    card = CARD

    def __init__(self, mix=0.5):
        self.mix = mix

    def stylize(self, content, style):
        moving = content if isinstance(content, Frames) else style
        still = style if isinstance(content, Frames) else content

        def make():
            call("stylize")
            for picture in moving:
                yield (self.mix * picture + (1 - self.mix) * still.pixels).astype(np.uint8)

        return Frames(make, moving.size, moving.count, moving.fps)


@register("toy_motion")
class ToyMotion(Generator):
    source, artefact, card = Scene, Frames, CARD

    def __init__(self, fps="10", size=64):
        self.fps, self.size = fps, size

    def generate(self, sources, seeds):
        return [self._one(s) for s in sources]

    def _one(self, scene):
        fps = Fraction(self.fps)
        count = frame_count(scene.song.duration, fps)
        picture = scene.cover.resized(self.size, self.size).pixels
        return Frames(lambda: (np.roll(picture, k, 1) for k in range(count)), picture.shape[:2], count, fps)


def config(output, **changes):
    """A whole config made of toys, as the command line would compose it."""
    return {
        "pipeline": "audiovisual", "topic": "a toy", "seed": 0, "songs": 3, "covers": 2, "selection": "quantile", "fps": "10",
        "size": 64, "videos": ["static", "dynamic_content", "dynamic_style", "motion"],
        "spectrogram": {"seconds": 0.5, "colormap": "magma"}, "sleeve": "still",
        "media": {"preset": "ultrafast", "crf": 30, "threads": 1},
        "output": str(output), "store": None, "song": {"name": "toy_song"}, "cover": {"name": "toy_cover"},
        "motion": {"name": "toy_motion"}, "stylizer": {"name": "toy_stylizer"}, "genre": {"name": "toy_genre"},
        "song_scorers": {"loudness": {"scorer": {"name": "toy_loudness"}, "weight": 1.0}},
        "cover_scorers": {"redness": {"scorer": {"name": "toy_redness"}, "weight": 1.0}},
        "gates": {"toy": {"name": "toy_gate"}},
        "words": {g: {"colours": ["red", "blue"], "words": ["stuns", "blends"]} for g in GENRES},
        **changes,
    }  # fmt: skip
