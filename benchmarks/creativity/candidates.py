"""Makes the campaign's candidates as files: songs as 16-bit WAV, covers as PNG, one folder a topic.

    python -m benchmarks.creativity.candidates FOLDER --kind songs --split proof --each 16 --seconds 10

A file that is there is not made again, so that a campaign grows.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

from benchmarks.creativity.topics import CALIBRATION, PROOF, SEED
from spectrogrand import media
from spectrogrand.registry import build
from spectrogrand.types import Audio, CoverBrief, Image, Topic

SPLITS = {"calibration": CALIBRATION, "proof": PROOF}
LOOKS = (
    ("future", "dark blue", "unveils"), ("bass", "purple", "explodes"), ("progressive", "orange", "balances"),
    ("melodic", "green", "stuns"),
)  # fmt: skip


def places(folder: Path, kind: str, split: str, each: int, count: int | None = None) -> Iterator[tuple[int, int, Path]]:
    """(topic, candidate, file) of a split, in order."""
    suffix = "wav" if kind.startswith("songs") else "png"
    for t in range(len(SPLITS[split][:count])):
        for k in range(each):
            yield t, k, folder / kind / split / f"{t:02d}" / f"{k:02d}.{suffix}"


def make(kind: str, split: str, topic: int, candidate: int, seconds: float) -> Audio | Image:
    """One candidate, as a run with the default settings would make it: a song of a topic, or a cover of one look a topic."""
    text, seed = SPLITS[split][topic], SEED + 1000 * topic + candidate + (500 if split == "proof" else 0)
    if kind.startswith("songs"):
        maker = build("generators", {"name": "house_synth", "duration": seconds, "text": {"name": "lexicon"}})
        return maker.generate([Topic(text)], [seed])[0]  # type: ignore[no-any-return]
    painter = build("generators", {"name": "procedural_cover", "text": {"name": "lexicon"}})
    genre, colour, word = LOOKS[topic % len(LOOKS)]
    return painter.generate([CoverBrief(text, genre, colour, word)], [seed])[0]  # type: ignore[no-any-return]


def load_cover(file: Path) -> Image:
    """A candidate with what its painter said of it, where that was kept beside it."""
    picture, notes = media.load_image(file), file.with_suffix(".json")
    return Image(picture.pixels, json.loads(notes.read_text(encoding="utf-8"))) if notes.exists() else picture


def main() -> None:
    """Make what is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kind", default="songs", help="songs, songs30 or covers")
    parser.add_argument("--split", choices=SPLITS, default="proof")
    parser.add_argument("--each", type=int, default=16)
    parser.add_argument("--topics", type=int, default=None)
    parser.add_argument("--seconds", type=float, default=10.0)
    options = parser.parse_args()
    made = 0
    for topic, candidate, file in places(options.folder, options.kind, options.split, options.each, options.topics):
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            item = make(options.kind, options.split, topic, candidate, options.seconds)
            (media.save_audio if isinstance(item, Audio) else media.save_image)(file, item)  # type: ignore[operator]
            if isinstance(item, Image) and item.notes is not None:
                file.with_suffix(".json").write_text(json.dumps(dict(item.notes), ensure_ascii=False), encoding="utf-8")
            made += 1
    print(f"{made} made in {options.folder / options.kind / options.split}")


if __name__ == "__main__":
    main()
