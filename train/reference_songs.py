"""Makes the reference songs' data: embeddings, fingerprints and danceability of 160 `house_synth` songs, and the scale.

Run:  python train/reference_songs.py        (about 5 minutes on one core; again whenever `house_synth` changes its sound)

40 topics, each in the four sub-genres, 10 seconds, seeds from 90,000 on, far from those a run uses: nobody's own song is a
reference. Writes into spectrogrand/data/
  song_reference.safetensors         per genre float32 (40, axis) embeddings, as in the published HouseX file, "prints.<genre>"
                                     uint8 (40, 50, 8) and "scores.danceability" float64 (160,), genres in sorted order
  song_reference_scale.safetensors   with --scale only: mean and std (statistic,) of `sound_statistics.describe` over the
                                     songs. What was learned on the old scale (timbre_genre, dance_appeal) is then void.

Measured 2026-11-29: silhouette of the four sub-genres 0.17 (cosine); novelty within the set 0.36 to 0.62, median 0.45.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from spectrogrand.audio.fingerprint import take_print
from spectrogrand.audio.statistics import describe
from spectrogrand.plugins.embedders.timbre_rhythm import SCALE, project
from spectrogrand.references.songs import SHIPPED
from spectrogrand.registry import build
from spectrogrand.types import GENRES, Audio, Topic

TOPICS = (
    "a futuristic spaceship", "the sea at night", "a furious storm", "a quiet lake at dawn", "a rainy medieval village",
    "neon city streets", "a mountain peak in winter", "a flower garden in spring", "a clockwork robot", "carnival masks",
    "a crystal polyhedron", "sound waves", "a broken heart", "a birthday party", "a haunted house", "dinosaurs walking",
    "ancient Egypt", "a small cosy room", "the edge of the universe", "a dark cave", "morning sunshine", "strange dreams",
    "coral reef fish", "a computer waking up", "a kaleidoscope", "running through the desert", "joy and freedom",
    "a long train ride", "war drums", "a jazz cafe", "cats on the roof", "falling in love", "a volcano erupts",
    "an abandoned factory", "fireflies in a forest", "surfing a giant wave", "a chess game", "northern lights",
    "a racing car", "saying goodbye",
)  # fmt: skip
FIRST_SEED = 90_000
STD_FLOOR = 1e-3
"""Below the spread of every statistic: only guards against one that stands still."""


def songs(
    genre: str, topics: Iterable[str], first_seed: int, settings: Sequence[dict[str, Any]] = ({"duration": 10.0},)
) -> Iterator[Audio]:
    """Songs of one sub-genre, one per topic, seeds counting from `first_seed`, going round the settings in turn."""
    for number, topic in enumerate(topics):
        turn = settings[number % len(settings)]
        generator = build("generators", {"name": "house_synth", "genre": genre, "text": "lexicon", **turn})
        yield generator.generate([Topic(topic)], [first_seed + number])[0]


def main() -> None:
    """Make the songs, describe, print and score them, and write the files."""
    from safetensors.numpy import load_file, save_file

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", action="store_true", help="make the scale, too")
    rescale = parser.parse_args().scale

    scorer = build("scorers", "danceability")
    raw: dict[str, np.ndarray] = {}
    marks: dict[str, np.ndarray] = {}
    scores: list[float] = []
    for genre in sorted(GENRES):
        described, taken = [], []
        for song in songs(genre, TOPICS, FIRST_SEED):
            described.append(describe(song))
            taken.append(take_print(song))
            scores.append(float(scorer.score([song])[0]))
        raw[genre] = np.array(described)
        marks[f"prints.{genre}"] = np.array(taken)
        print(f"{genre}: danceability {np.mean(scores[-len(TOPICS) :]):.3f}", flush=True)
    if rescale:
        together = np.concatenate(list(raw.values())).astype(np.float64)
        std = np.maximum(together.std(axis=0), STD_FLOOR)
        save_file({"mean": together.mean(axis=0).astype(np.float32), "std": std.astype(np.float32)}, SCALE)
    kept = load_file(SCALE)
    scale = kept["mean"].astype(np.float64), kept["std"].astype(np.float64)
    embedded = {genre: project(values, *scale) for genre, values in raw.items()}
    save_file({**embedded, **marks, "scores.danceability": np.array(scores)}, SHIPPED)
    for path in (SCALE, SHIPPED):
        path.chmod(0o644)
        print(f"{path.name}: {path.stat().st_size} bytes")
    report(embedded)


def report(embedded: dict[str, np.ndarray]) -> None:
    """Silhouette of the four sub-genres (cosine), and the spread of novelty within the set."""
    from sklearn.metrics import silhouette_score

    vectors = np.concatenate(list(embedded.values()))
    labels = np.repeat(list(embedded), [len(v) for v in embedded.values()])
    likeness = vectors @ vectors.T
    novelty = 1 - (likeness.sum(axis=1) - 1) / (len(vectors) - 1)
    print(f"silhouette {silhouette_score(vectors, labels, metric='cosine'):.3f}")
    print(f"novelty within the set: {novelty.min():.3f} to {novelty.max():.3f}, median {np.median(novelty):.3f}")


if __name__ == "__main__":
    main()
