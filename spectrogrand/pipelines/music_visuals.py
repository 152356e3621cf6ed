"""Music drives the picture: captions of the music become pictures, and the song walks from one to the next.

song -> a caption per 10 s -> the caption's genre -> its art movement -> a picture of each (with one's own artworks)
     -> a walk along the pictures, moved on by percussive and harmonic energy (and nudged onto the beats) -> video -> report
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

from .. import registry
from ..audio.excerpts import Stretches
from ..audio.features import analyse
from ..audio.percussive import energies
from ..errors import ConfigError, UnknownName, nearest
from ..provenance import code_hash
from ..run.run import Run
from ..selection import RULES
from ..types import Audio, Frames, Image, Topic
from ..walks.storyboard import Keyframe, Walk
from ..walks.timing import DRIVES, on_beats, positions
from ._settings import frame_rate, own_files, whole
from ._storyboard import Stored, artworks, board, known
from ._synchrony import report_synchrony

LEAST, MOST = 1, 60
"""Seconds that one caption may tell of."""


def check(config: Mapping[str, Any]) -> str:
    """Check the settings before anything is made; returns what the run is called: its topic, or its own song's name."""
    for key, low, most in (("songs", 1, 1000), ("pictures", 2, 1000), ("size", 16, 4096), ("seed", 0, 2**31)):
        whole(config, key, low, most)
    frame_rate(config)
    number(config, "caption_seconds", LEAST, MOST)
    number(config, "smooth", 0, 1)
    if config["selection"] not in RULES:
        raise UnknownName(f"no selection rule {config['selection']!r}; {nearest(str(config['selection']), RULES)}")
    if config["drive"] not in DRIVES:
        raise UnknownName(f"no drive {config['drive']!r}; {nearest(str(config['drive']), DRIVES)}")
    if not isinstance(config["synchronise"], bool):
        raise ConfigError(f"synchronise is true or false, got {config['synchronise']!r}")
    for slot in ("song", "captioner", "images", "morph", "movements"):
        if not isinstance(config.get(slot), Mapping):
            raise ConfigError(f"nothing fills the slot {slot!r}: choose one with {slot}=NAME")
    for slot, source in (("captioner", Audio), ("images", Keyframe), ("morph", Walk)):
        takes = getattr(registry.get("generators", str(config[slot].get("name"))), "source", None)
        if takes is not source:
            raise ConfigError(f"{slot}={config[slot]['name']} draws from {getattr(takes, '__name__', 'nothing')}, the slot gives "
                              f"{source.__name__}: choose another with {slot}=NAME")  # fmt: skip
    own = dict(config["song"]).get("path")
    if config.get("topic") is None and own is None:
        raise ConfigError('no music: give song=file song.path=FILE, or topic="a futuristic spaceship" to make a song')
    known(config["movements"], config["genre_hint"])
    artworks(config.get("artworks"))
    own_files(config, "song")
    return Topic(config["topic"] if config.get("topic") is not None else Path(str(own)).stem).text


def run(config: Mapping[str, Any], run: Run) -> Path:
    """Make everything and return the report's path."""
    topic, fps = Topic(check(config)), frame_rate(config)
    own = artworks(config.get("artworks"))

    song = run.best("song", Audio, [topic] * config["songs"])
    captions = run.every("captioner", str, Stretches(song.value, Fraction(str(config["caption_seconds"]))))
    said, movements = [c.value for c in captions], dict(config["movements"])
    keyframes = board(said, movements, own, config["genre_hint"], config["pictures"], config.get("topic"))
    pictures = run.every("images", Image, keyframes)
    run.keep_item(pictures[0], "cover")
    run.record["storyboard"] = [
        {"caption": k.caption, "genre": k.genre, "movement": k.movement, "file": f"images/{i}.png"}
        for i, k in enumerate(keyframes)
    ]

    beats = analyse(song.value).beats
    way = positions(energies(song.value), fps, len(pictures), drive=config["drive"], smooth=config["smooth"])
    leaping = on_beats(way, fps, beats) if config["synchronise"] else way
    shown = Stored(pictures)
    morph = run.generator("morph", Frames)

    def video(walked: Any) -> Frames:
        frames: Frames = morph.generate([Walk(shown, walked, fps)], [run.seed])[0]
        return frames

    inputs = {
        "pictures": [p.digest for p in pictures], "fps": str(fps), "seed": run.seed, "drive": config["drive"],
        "smooth": config["smooth"], "synchronise": config["synchronise"],
        "code": [code_hash(f"spectrogrand.{m}") for m in ("walks.timing", "audio.percussive", "audio.features")],
    }  # fmt: skip
    made = run.video("music_visuals", [morph], inputs, song, lambda: video(leaping))
    if config["synchronise"]:
        report_synchrony(run, "music_visuals", [morph], inputs, song, lambda: video(way), made)
    return run.finish()


def number(config: Mapping[str, Any], key: str, low: float, high: float) -> float:
    """A number from `low` to `high`.

    >>> number({"smooth": 0.2}, "smooth", 0, 1)
    0.2
    """
    value = config.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise ConfigError(
            f"{key} is a number from {low} to {high}, got {value!r}: set {key}={max(low, min(high, 1))}, say"
        )
    return value
