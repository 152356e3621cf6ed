"""What the latent visualizer is made of: its settings, classes from words, the frame that stands for the video."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from .. import media
from ..checks import check_number, flag, number, one_of, rational, text, whole
from ..checks import field as checked
from ..errors import ConfigError, InvalidValue
from ..runs.artefacts import Traced
from ..runs.run import Run
from ..store import file_digest
from ..types import Audio, Frames, Image, Topic
from ..walks import classes as lyric_classes
from ..walks.latent_files import load, save
from ..walks.latents import LatentWalk, check_classes, check_parameters, walk
from ._settings import Framed

PARAMETERS = ("pitch_sensitivity", "tempo_sensitivity", "jitter", "truncation", "smooth_factor", "frame_length")
POSTER = 300
"""The frame that stands for a long video: ten seconds in at 30 fps."""


def check_ids(name: str, value: Any) -> list[int]:
    """A list of ImageNet ids."""
    if not isinstance(value, list):
        raise ConfigError(f"{name} is a list of ImageNet ids, got {value!r}: write {name}=[22,980,327]")
    check_classes(value)
    return value


def check_duration(name: str, value: Any) -> float:
    """Seconds above 0."""
    if check_number(name, value, 0, 86400) == 0:
        raise ConfigError(f"{name} is a number of seconds above 0: leave it out for the whole song")
    return float(value)


@dataclass(frozen=True, kw_only=True)
class Settings(Framed):
    """What may be set beside the plug-ins; the parameters of the vectors are checked by `walks.latents`."""

    UNTIMED = True
    NOTHING = 'no song: give song=file song.path=FILE, or topic="a futuristic spaceship" to have one made'

    classes: list[int] | None = checked(check_ids, default=None)
    num_classes: int = whole(1, 12, default=12)
    choice: str = one_of(lyric_classes.STRATEGIES, default="contextual", what="choice of classes")
    match: float = number(0, 10, default=1.0)
    sort_by_power: bool = flag(default=True)
    published: bool = flag(default=False)
    pitch_sensitivity: float = 220
    tempo_sensitivity: float = 0.25
    jitter: float = 0.5
    truncation: float = 1.0
    smooth_factor: int = 20
    frame_length: int = 512
    duration: float | None = checked(check_duration, default=None)
    vectors: str | None = text(default=None)
    verses: list[list[str]] = field(init=False, default_factory=list, repr=False)
    saved: LatentWalk | None = field(init=False, default=None, repr=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_parameters(*(getattr(self, name) for name in PARAMETERS))
        if self.classes is not None and self.lyrics is not None:
            raise ConfigError("classes and lyrics both choose the classes: give one of them")
        if self.lyrics is not None:
            words = [[line.text for line in self.lines]] if self.lines else lyric_classes.read_lyrics(self.lyrics)
            object.__setattr__(self, "verses", words)
        if self.vectors is not None:
            object.__setattr__(self, "saved", load(self.vectors))


def choose_classes(run: Run, s: Settings) -> list[int]:
    """The chosen classes: given, from the lyrics, from the topic, or drawn by the seed; written into the record."""
    names = lyric_classes.class_names()
    if s.saved is not None:
        how, chosen = "of the saved vectors", list(s.saved.classes)
    elif s.classes is not None:
        how, chosen = "given", list(s.classes)
    elif s.lyrics is None and s.topic is None:
        how = "drawn by the seed"
        chosen = [int(c) for c in np.random.default_rng(run.seed).permutation(len(names))[: s.num_classes]]
    else:
        how = f"from the {'lyrics' if s.lyrics is not None else 'topic'}, {s.choice}"
        embedded = run.embed("text", run.trace(list, names))
        known, _ = run.stored(embedded, "class_names.safetensors", save_array, load_array)
        chosen = lyric_classes.choose(
            s.verses or [[Topic(str(s.topic)).text]], run.part("text").embed, known.value, count=s.num_classes,
            strategy=s.choice, words=float(s.match), seed=run.seed,
        )  # fmt: skip
    run.note(classes={"how": how, "chosen": [{"id": c, "name": names[c]} for c in chosen]})
    return chosen


def find_walk(run: Run, s: Settings, song: Traced[Audio], classes: list[int]) -> Traced[LatentWalk]:
    """The song's walk: the saved one, or from the store, or made; a file of the run in each case."""
    if s.saved is not None:
        path = Path(str(s.vectors)).expanduser()
        sha256 = file_digest(path)
        run.keep(path, "vectors.safetensors", sha256)
        return Traced(sha256, lambda: s.saved)  # type: ignore[return-value,arg-type]
    settings = {name: getattr(s, name) for name in (*PARAMETERS, "sort_by_power", "published")}
    made = run.trace(walk, song, classes, seed=run.seed, **settings)
    vectors, entry = run.stored(made, "vectors.safetensors", save, load)
    run.keep(entry.path("vectors.safetensors"), "vectors.safetensors", entry.files["vectors.safetensors"])
    return vectors


def cut_walk(walk: LatentWalk, duration: Fraction) -> LatentWalk:
    """A walk as long as its video."""
    return replace(walk, duration=duration)


def cut_song(song: Audio, seconds: float | None) -> Audio:
    """The first `seconds` of a song; the song itself where they are no less than all of it."""
    if seconds is None or rational(seconds) >= song.duration:
        return song
    samples = max(1, int(rational(seconds) * song.rate))
    return Audio(np.ascontiguousarray(song.samples[:, :samples]), song.rate)


def keep_poster(run: Run, video: Traced[Frames]) -> None:
    """A frame of the video as the report's picture: a third in, or ten seconds."""
    frame, entry = run.stored(run.trace(find_poster, video), "cover.png", save_picture, media.load_image)
    run.keep(entry.path("cover.png"), "cover.png", frame.digest)


def find_poster(video: Frames) -> Image:
    """The frame a third into a video, the three hundredth at most."""
    return Image(np.ascontiguousarray(next(islice(iter(video), min(video.count // 3, POSTER), None))))


def save_picture(picture: Image, path: Path) -> None:
    """A picture into a file."""
    media.save_image(path, picture)


def save_array(values: np.ndarray, path: Path) -> None:
    """An array into a file of its own."""
    from safetensors.numpy import save_file

    save_file({"values": np.ascontiguousarray(values)}, path)


def load_array(path: Path) -> np.ndarray:
    """An array that `save_array` wrote.

    Raises:
        InvalidValue: it holds none.
    """
    from safetensors.numpy import load_file

    found: Mapping[str, np.ndarray] = load_file(path)
    if "values" not in found:
        raise InvalidValue(f"{path} holds no array: remove it and run again")
    return found["values"]
