"""What the latent visualizer is made of: settings, classes from words, vectors in the store, an excerpt of a song."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from .. import media
from ..errors import ConfigError, UnknownName, nearest
from ..interfaces import Generator
from ..progress import bar
from ..provenance import code_hash, fingerprint
from ..run.artefacts import Item
from ..run.run import Run
from ..selection import RULES
from ..store import digest, file_digest
from ..types import Audio, Frames, Image, Topic
from ..walks import classes as lyric_classes
from ..walks.latent_files import load, save
from ..walks.latents import LatentWalk, check_classes, check_parameters, walk
from ._settings import frame_rate, own_files, slots, whole

PARAMETERS = ("pitch_sensitivity", "tempo_sensitivity", "jitter", "truncation", "smooth_factor", "frame_length")
_POSTER = 300


class Excerpt(Item):
    """The beginning of a song, standing for it as a video's sound."""

    def __init__(self, song: Item, value: Audio) -> None:
        super().__init__(song.entry, song.seed, song.brief)
        self.value = value
        self._digest = digest({"of": song.digest, "samples": value.samples.shape[1]})

    @property
    def digest(self) -> str:
        """sha256 of the song and of how much of it is heard."""
        return self._digest


def checked(config: Mapping[str, Any]) -> str:
    """Check every setting; returns the run's name."""
    whole(config, "size", 16, 4096)
    whole(config, "seed", 0, 2**31)
    whole(config, "num_classes", 1, 12)
    frame_rate(config)
    if config["selection"] not in RULES:
        raise UnknownName(f"no selection rule {config['selection']!r}; {nearest(str(config['selection']), RULES)}")
    slots(config, "song", "walk", "text")
    if config["walk"].get("fps") is not None:
        frame_rate(config["walk"])
    check_parameters(*(config[name] for name in PARAMETERS))
    for name in ("sort_by_power", "published"):
        if not isinstance(config[name], bool):
            raise ConfigError(f"{name} is true or false, got {config[name]!r}")
    if config["choice"] not in lyric_classes.STRATEGIES:
        raise UnknownName(
            f"no choice of classes {config['choice']!r}; {nearest(str(config['choice']), lyric_classes.STRATEGIES)}"
        )
    for name, most in (("match", 10), ("duration", 86400)):
        value = config[name]
        if name == "duration" and value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
            raise ConfigError(f"{name} is a number from 0 to {most:,}, got {value!r}")
    if config["duration"] == 0:
        raise ConfigError("duration is a number of seconds above 0: leave it out for the whole song")
    if config["classes"] is not None:
        if not isinstance(config["classes"], list):
            raise ConfigError(
                f"classes is a list of ImageNet ids, got {config['classes']!r}: write classes=[22,980,327]"
            )
        check_classes(config["classes"])
        if config["lyrics"] is not None:
            raise ConfigError("classes and lyrics both choose the classes: give one of them")
    if config["lyrics"] is not None:
        lyric_classes.read_lyrics(str(config["lyrics"]))
    if config["vectors"] is not None:
        load(str(config["vectors"]))
    own = dict(config["song"]).get("path")
    if config.get("topic") is None and own is None:
        raise ConfigError('no song: give song=file song.path=FILE, or topic="a futuristic spaceship" to have one made')
    own_files(config, "song")
    return Topic(config["topic"] if config.get("topic") is not None else Path(str(own)).stem).text


def walker(run: Run) -> Generator:
    """The generator behind the walk, checked to take one."""
    generator = run.generator("walk", Frames)
    if generator.source is not LatentWalk:
        raise ConfigError(
            f"walk={generator.name} takes {generator.source.__name__}, not a latent walk: walk=pattern_latents, say"
        )
    return generator


def choose_classes(run: Run) -> list[int]:
    """The chosen classes: given, from the lyrics, from the topic, or drawn by the seed; written into the record."""
    config = run.config
    names = lyric_classes.class_names()
    count = config["num_classes"]
    if config["vectors"] is not None:
        how, chosen = "of the saved vectors", list(load(str(config["vectors"])).classes)
    elif config["classes"] is not None:
        how, chosen = "given", list(config["classes"])
    elif config["lyrics"] is None and config.get("topic") is None:
        how = "drawn by the seed"
        chosen = [int(c) for c in np.random.default_rng(run.seed).permutation(len(names))[:count]]
    else:
        how = "from the lyrics" if config["lyrics"] is not None else "from the topic"
        verses = (
            lyric_classes.read_lyrics(str(config["lyrics"])) if config["lyrics"] else [[Topic(config["topic"]).text]]
        )
        embedder = run.part("text")
        chosen = lyric_classes.choose(
            verses, embedder.embed, _names(run, embedder), count=count, strategy=config["choice"],
            words=float(config["match"]), seed=run.seed,
        )  # fmt: skip
        how += f", {config['choice']}"
    run.record["classes"] = {"how": how, "chosen": [{"id": c, "name": names[c]} for c in chosen]}
    run.write()
    return chosen


def _names(run: Run, embedder: Any) -> np.ndarray:
    """The class names' embeddings, shape=(1000, axis), from the store or made once."""
    from safetensors.numpy import load_file, save_file

    names = lyric_classes.class_names()
    key = digest({"step": "class names", "part": fingerprint(embedder), "names": digest(list(names))})
    entry = run.store.find(key)
    if entry is None:
        with run.store.writing(key) as folder, bar("class names"):
            save_file({"names": np.ascontiguousarray(embedder.embed(list(names)))}, folder / "names.safetensors")
        entry = run.store.find(key)
        assert entry is not None
    return np.asarray(load_file(entry.path("names.safetensors"))["names"])


def vectors(run: Run, song: Item, classes: list[int], duration: Fraction) -> tuple[LatentWalk, str]:
    """The song's walk, as long as the video, and its sha256: saved ones again, from the store, or made."""
    config = run.config
    if config["vectors"] is not None:
        path = Path(str(config["vectors"])).expanduser()
        sha256 = file_digest(path)
    else:
        settings = {name: config[name] for name in (*PARAMETERS, "sort_by_power", "published")}
        key = digest({
            "step": "vectors", "song": song.digest, "classes": classes, "settings": settings, "seed": run.seed,
            "code": code_hash("spectrogrand.walks.latents"), "libraries": media.versions(),
        })  # fmt: skip
        entry = run.store.find(key)
        if entry is None:
            with run.store.writing(key) as folder, bar("vectors"):
                save(walk(song.value, classes, seed=run.seed, **settings), folder / "vectors.safetensors")
            entry = run.store.find(key)
            assert entry is not None
        path, sha256 = entry.path("vectors.safetensors"), entry.files["vectors.safetensors"]
    run.keep(path, "vectors.safetensors", sha256)
    return dataclasses.replace(load(path), duration=duration), sha256


def excerpt(song: Item, seconds: float | None) -> Item:
    """The first `seconds` of a song; the song itself where they are no less than all of it."""
    sound = song.value
    if seconds is None or Fraction(str(seconds)) >= sound.duration:
        return song
    samples = max(1, int(Fraction(str(seconds)) * sound.rate))
    return Excerpt(song, Audio(np.ascontiguousarray(sound.samples[:, :samples]), sound.rate))


def picture(run: Run, video: Path) -> None:
    """A frame of the video as the report's picture: a third in, or ten seconds."""
    stream = media.load_video(video)
    wanted = min(stream.count // 3, _POSTER)
    key = digest({"step": "frame", "video": run.record["files"][video.name]["sha256"], "frame": wanted})
    entry = run.store.find(key)
    if entry is None:
        with run.store.writing(key) as folder:
            for k, pixels in enumerate(stream):
                if k == wanted:
                    media.save_image(folder / "cover.png", Image(np.ascontiguousarray(pixels)))
                    break
        entry = run.store.find(key)
        assert entry is not None
    run.keep(entry.path("cover.png"), "cover.png", entry.files["cover.png"])
