"""READ FIRST: the whole flow, from a topic to a report.

topic -> N songs -> score (novelty, value) -> song -> mel spectrogram -> genre
      -> genre's colours x words -> N covers -> score (value, surprise) -> cover
      -> cover x spectrogram frames -> stylised frames -> static, dynamic, motion videos -> report
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..audio.features import analyse
from ..audio.spectrogram import mel_spectrogram, spectrogram_frames
from ..errors import ConfigError, UnknownName, nearest
from ..provenance import code_hash
from ..run.run import Run
from ..selection import RULES
from ..types import GENRES, Audio, CoverBrief, Frames, Image, Scene, Topic, frame_count
from ._settings import frame_rate, own_files, whole
from ._synchrony import on_the_beat

GIVES = {"song": (Topic, Audio), "cover": (CoverBrief, Image), "motion": (Scene, Frames)}
VIDEOS = ("static", "dynamic_content", "dynamic_style", "motion")


def check(config: Mapping[str, Any]) -> str:
    """Check the settings before anything is made; returns what the run is called: its topic, or its own song's name."""
    for key, most in (("songs", 1000), ("covers", 1000), ("size", 4096)):
        whole(config, key, 16 if key == "size" else 1, most)
    whole(config, "seed", 0, 2**31)
    frame_rate(config)
    _wanted(config["videos"])
    if not isinstance(config.get("synchronise", False), bool):
        raise ConfigError(f"synchronise is true or false, got {config['synchronise']!r}")
    if config["selection"] not in RULES:
        raise UnknownName(f"no selection rule {config['selection']!r}; {nearest(str(config['selection']), RULES)}")
    for slot in ("song", "cover", "motion", "stylizer", "genre", "words", "spectrogram"):
        if not isinstance(config.get(slot), Mapping):
            raise ConfigError(f"nothing fills the slot {slot!r}: choose one with {slot}=NAME")
    lacking = [g for g in GENRES if g not in config["words"]]
    if lacking:
        raise ConfigError(f"words has no colours and words for {lacking[0]}: choose words=published or add them")
    own = dict(config["song"]).get("path")
    if config.get("topic") is None and own is None:
        raise ConfigError(
            'nothing to make a song about: give topic="a futuristic spaceship" or song=file song.path=FILE'
        )
    own_files(config, "song", "cover")
    return Topic(config["topic"] if config.get("topic") is not None else Path(str(own)).stem).text


def idle(config: Mapping[str, Any]) -> set[str]:
    """Slots that no wanted video uses: their weights need not be here.

    >>> sorted(idle({"videos": ["static", "dynamic_style"]}))
    ['motion']
    """
    used = {"motion": "motion", "dynamic_content": "stylizer", "dynamic_style": "stylizer"}
    return set(used.values()) - {used[name] for name in config["videos"] if name in used}


def run(config: Mapping[str, Any], run: Run) -> Path:
    """Make everything and return the report's path."""
    topic, fps, size = Topic(check(config)), frame_rate(config), config["size"]

    song = run.best("song", Audio, [topic] * config["songs"])
    genre = run.classify("genre", song)
    cover = run.best("cover", Image, briefs(topic, genre, config["words"], config["covers"]))

    analyse(song.value)  # one pass over the sound: the spectrogram below and the motion share it
    count = frame_count(song.value.duration, fps)
    look = dict(config["spectrogram"])
    pictures = spectrogram_frames(mel_spectrogram(song.value), count=count, fps=fps, size=(size, size), **look)
    sleeve = cover.value.resized(size, size)
    inputs = {"cover": cover.digest, "fps": str(fps), "size": size}
    drawn = inputs | {"spectrogram": look, "code": code_hash("spectrogrand.audio.spectrogram")}
    unused = idle(config)
    stylizer: Any = None if "stylizer" in unused else run.part("stylizer")
    motion: Any = None if "motion" in unused else run.generator("motion", Frames)
    scene = Scene(cover.value, song.value)
    make = {
        "static": ([], inputs, lambda: Frames.still(sleeve, count, fps)),
        "dynamic_content": ([stylizer], drawn | {"content": "cover"}, lambda: stylizer.stylize(sleeve, pictures)),
        "dynamic_style": ([stylizer], drawn | {"content": "song"}, lambda: stylizer.stylize(pictures, sleeve)),
        "motion": ([motion], inputs | {"seed": run.seed}, lambda: motion.generate([scene], [run.seed])[0]),
    }
    for name in _wanted(config["videos"]):
        parts, depends, frames = make[name]
        if name == "motion" and config.get("synchronise"):
            on_the_beat(run, name, parts, depends, song, frames)
        else:
            run.video(name, parts, depends, song, frames)
    return run.finish()


def briefs(topic: Topic, genre: str, words: Mapping[str, Any], count: int) -> list[CoverBrief]:
    """`count` briefs walking the genre's grid of colours and words, colours fastest, so that a few already vary both."""
    colours, sayings = words[genre]["colours"], words[genre]["words"]
    grid = [(colours[i % len(colours)], sayings[(i + i // len(colours)) % len(sayings)]) for i in range(count)]
    return [CoverBrief(topic.text, genre, colour, word) for colour, word in grid]


def _wanted(names: Sequence[str]) -> list[str]:
    if isinstance(names, str) or not isinstance(names, Sequence):
        raise ConfigError(f"videos is a list, got {names!r}: write videos=[static,motion]")
    for name in names:
        if name not in VIDEOS:
            raise ConfigError(f"no video {name!r}; {nearest(name, VIDEOS)}")
    return [n for n in VIDEOS if n in names]
