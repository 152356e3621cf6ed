"""Measures songs that `make.py` made, and what a long song costs; prints one line a figure.

python benchmarks/songs/make.py FOLDER
python -m benchmarks.songs FOLDER [--models ../shared/models] [--only alike bands forms moods tags cost]
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.songs.make import MOODS, SEED, TAGS, TAKES, TOPICS, place
from spectrogrand.media import load_audio
from spectrogrand.registry import build
from spectrogrand.types import Audio, Topic

EDGES = (31.25, 62.5, 125, 250, 500, 1000, 2000, 4000, 8000, 16000)
"""Edges of nine octave bands in Hz."""


def songs(folder: Path, name: str, topic: str) -> list[Audio]:
    """A topic's songs."""
    return [load_audio(place(folder, name, topic, take)) for take in range(TAKES[name])]


def made(folder: Path, name: str, topics: Sequence[str]) -> list[str]:
    """Those of the topics whose songs are all there: figures say how many."""
    return [t for t in topics if all(place(folder, name, t, take).exists() for take in range(TAKES[name]))]


def cosines(rows: np.ndarray) -> np.ndarray:
    """Cosine of each pair of rows."""
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray((unit @ unit.T)[np.triu_indices(len(rows), 1)])


def describe(name: str, values: np.ndarray) -> str:
    """Median and quartiles."""
    low, middle, high = np.percentile(values, (25, 50, 75))
    return f"{name}: median {middle:.3f} (quartiles {low:.3f} to {high:.3f}, n = {len(values)})"


def alike(folder: Path, models: Path) -> None:
    """Cosine within a topic by two embeddings, and of real recordings among themselves."""
    real = [
        p for p in sorted((models / "../data/audio").iterdir()) if p.suffix in (".flac", ".mp3") and p.stem != "bd_haus"
    ]
    real.append(models / "../data/demo/spaceships_static.mp4")
    embedders = {
        "timbre_rhythm": build("embedders", "timbre_rhythm"),
        "music tagger, 256 features": build(
            "embedders", {"name": "music_tagger", "weights": str(models / "music_tagger")}
        ),
    }
    for name, embedder in embedders.items():
        rows = [np.asarray(embedder.embed(songs(folder, "topics", t))) for t in made(folder, "topics", TOPICS)]
        print(describe(f"cosine within a topic, {name}", np.concatenate([cosines(r) for r in rows])))
        print(describe(f"cosine across topics, {name}", cosines(np.array([r[0] for r in rows]))))
        print(
            describe(
                f"cosine of {len(real)} real recordings, {name}",
                cosines(np.asarray(embedder.embed([*map(load_audio, real)]))),
            )
        )


def bands(folder: Path, models: Path) -> None:
    """Standard deviation across topics of the share of each octave band in dB, for each take."""
    table = np.array(
        [[_octaves(s) for s in songs(folder, "topics", t)] for t in made(folder, "topics", TOPICS)]
    )  # (topic, take, band)
    spread = table.std(axis=0)
    print(
        f"octave bands across {len(table)} topics: mean standard deviation by take {np.round(spread.mean(axis=1), 2).tolist()} dB"
    )
    print(f"  first take, {[int(e) for e in EDGES[:-1]]} Hz: {np.round(spread[0], 2).tolist()} dB")


def _octaves(song: Audio) -> np.ndarray:
    x = song.mono()
    power = np.abs(np.fft.rfft(x * np.hanning(len(x)))) ** 2
    edges = (np.array(EDGES) * len(x) / song.rate).astype(int)
    energy = np.add.reduceat(power, edges)[: len(EDGES) - 1]
    return np.asarray(10 * np.log10(energy / energy.sum() + 1e-12))


def forms(folder: Path, models: Path) -> None:
    """Forms among the four candidates of each topic, as the generator's own style says."""
    from spectrogrand.engines.synth.style import hash_words, make_style, read_mood
    from spectrogrand.engines.synth.words import read_wishes

    text: Any = build("embedders", "lexicon")
    free: dict[str, Any] = dict.fromkeys(("genre", "tempo", "key", "swing", "form"))
    counts, tempi = [], []
    for topic in TOPICS:
        mood = read_mood(np.asarray(text.embed([Topic(topic)]))[0], tuple(text.axes))
        words, wishes = hash_words(topic), read_wishes(topic)
        four = [make_style(mood, words, SEED + k, wishes=wishes, **free) for k in range(4)]
        counts.append(len({s.form.name for s in four}))
        tempi.append(float(max(s.tempo for s in four) - min(s.tempo for s in four)))
    print(f"forms among four candidates of {len(TOPICS)} topics: at least {min(counts)}, mean {np.mean(counts):.2f}")
    print(f"tempi of four candidates span {np.median(tempi):.1f} BPM (median)")


def moods(folder: Path, models: Path) -> None:
    """Pairs of opposite mood told by `audio.emotion`, a fixed formula over measured sound that knows nothing of topics."""
    from spectrogrand.audio.emotion import estimate

    pairs = [p for p in MOODS if len(made(folder, "moods", p[1:])) == 2]
    told = 0
    for axis, high, low in pairs:
        a, b = (float(getattr(estimate(songs(folder, "moods", t)[0]), axis)) for t in (high, low))
        told += a > b
        print(f"  {axis}: {high!r} {a:.2f}, {low!r} {b:.2f}", flush=True)
    print(f"opposite moods told apart: {told} of {len(pairs)}")


def tags(folder: Path, models: Path) -> None:
    """What the tagger calls the songs, and whether the tag that a topic asks for is higher on its own songs."""
    from spectrogrand.models.music_tagger import TAGS as ALL
    from spectrogrand.models.music_tagger import MusicTagger

    network = MusicTagger(str(models / "music_tagger"))
    flat = np.array(
        [network.probabilities(s) for t in made(folder, "topics", TOPICS[:10]) for s in songs(folder, "topics", t)]
    )
    top = np.argsort(-flat, axis=1)[:, :5]
    for tag in ("electronic", "House", "dance"):
        print(
            f"tag {tag!r}: among the first five of {int((top == ALL.index(tag)).any(axis=1).sum())} of {len(flat)} songs"
        )
    asked = [pair for pair in TAGS if made(folder, "tags", pair[1:])]
    table = np.array([network.probabilities(songs(folder, "tags", t)[0]) for _, t in asked])
    better = 0
    for k, (tag, topic) in enumerate(asked):
        p = table[:, ALL.index(tag)]
        others = np.delete(p, k)
        better += bool(p[k] > np.median(others))
        rank = 1 + int((others > p[k]).sum())
        print(f"  {topic!r}: {tag} {p[k]:.3f}, elsewhere {others.mean():.3f}; place {rank} of {len(asked)}")
    print(
        f"songs whose asked tag lies over the median of the other topics' songs: {better} of {len(asked)} (half by chance)"
    )


def cost(folder: Path, models: Path) -> None:
    """Three minutes with stems, in a process of its own: processor time and peak memory."""
    code = "from benchmarks.songs.__main__ import long_song; long_song()"
    print(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout, end="")


def long_song() -> None:
    """Make a song of three minutes with stems and say what it took."""
    maker = build("generators", {"name": "house_synth", "duration": 180.0, "stems": True})
    before, wall = time.process_time(), time.perf_counter()
    song = maker.generate([Topic(TOPICS[0])], [1])[0]
    taken, wall = time.process_time() - before, time.perf_counter() - wall
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"three minutes with {len(song.parts)} files of parts: {taken:.1f} s of processor time, {wall:.1f} s by the clock"
    )
    print(f"  peak memory {peak:.2f} GiB")


CAMPAIGNS: dict[str, Callable[[Path, Path], None]] = {f.__name__: f for f in (alike, bands, forms, moods, tags, cost)}


def main() -> None:
    """Run the campaigns that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--models", type=Path, default=Path("../shared/models"))
    parser.add_argument("--only", nargs="*", choices=CAMPAIGNS, default=list(CAMPAIGNS))
    options = parser.parse_args()
    for name in options.only:
        CAMPAIGNS[name](options.folder, options.models)


if __name__ == "__main__":
    main()
