"""Does the same candidate win after re-encoding? Fours of a topic's candidates, chosen by the default, as they are and worn.

    python -m benchmarks.creativity.winners FOLDER --kind songs [--split proof] [--topics 16]

Songs: MP3 at 64 kbit/s, 6 dB quieter, 50 ms cut off the beginning. Covers: JPEG of quality 60, half size. All four candidates are
worn alike. Gates are left out. The interval is Clopper & Pearson's, 95 %.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.creativity.candidates import load_cover
from benchmarks.creativity.noise import through_jpeg, through_mp3
from benchmarks.creativity.refusals import interval
from spectrogrand import media
from spectrogrand.config import compose
from spectrogrand.registry import build
from spectrogrand.runs.slots import read_weight
from spectrogrand.selection import choose
from spectrogrand.types import Audio, Image

Wear = Callable[[Any], Any]
SONGS: dict[str, Wear] = {
    "MP3, 64 kbit/s": through_mp3,
    "6 dB quieter": lambda s: Audio(s.samples * np.float32(0.5), s.rate),
    "50 ms cut": lambda s: Audio(np.ascontiguousarray(s.samples[:, round(0.05 * s.rate) :]), s.rate),
}
COVERS: dict[str, Wear] = {
    "JPEG 60": lambda p: Image(through_jpeg(p).pixels, p.notes),
    "half size": lambda p: Image(p.resized(p.size[0] // 2, p.size[1] // 2).pixels, p.notes),
}


def main() -> None:
    """Choose, wear, choose again, count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kind", choices=("songs", "covers"), default="songs")
    parser.add_argument("--split", default="proof")
    parser.add_argument("--topics", type=int, default=16)
    options = parser.parse_args()
    songs = options.kind == "songs"
    config = compose(["topic=x"])
    entries = config[f"{options.kind[:-1]}_scorers"]
    weights = {k: read_weight("x", k, v) for k, v in entries.items()}
    scorers = {k: build("scorers", v["scorer"]) for k, v in entries.items()}
    references = {k: s.reference_scores() for k, s in scorers.items()}
    noise = {k: s.noise for k, s in scorers.items()}

    def win(items: list[Any]) -> tuple[int, bool]:
        table = {k: np.array([float(s.score([x])[0]) for x in items]) for k, s in scorers.items()}
        made = choose(table, weights=weights, references=references, rule=str(config["selection"]), noise=noise)
        return made.index, "coin toss" in made.why

    wears = SONGS if songs else COVERS
    same, sure = dict.fromkeys(wears, 0), {k: [0, 0] for k in wears}
    count = 0
    folders = sorted(p for p in (options.folder / options.kind / options.split).iterdir() if p.is_dir())[
        : options.topics
    ]
    for folder in folders:
        files = sorted(p for p in folder.iterdir() if p.suffix in (".wav", ".png"))[:4]
        items = [media.load_audio(f) if songs else load_cover(f) for f in files]
        before, toss = win(items)
        count += 1
        for name, wear in wears.items():
            after = win([wear(x) for x in items])[0]
            same[name] += after == before
            sure[name][0] += after == before and not toss
            sure[name][1] += not toss
    print(f"{count} topics, four candidates each\n")
    print("| wear | same winner | 95 % interval | where it was no coin toss |\n|---|---|---|---|")
    for name, k in same.items():
        low, high = interval(count - k, count)
        told = f"{100 - 100 * high:.0f} to {100 - 100 * low:.0f} %"
        print(f"| {name} | {k} of {count} | {told} | {sure[name][0]} of {sure[name][1]} |")


if __name__ == "__main__":
    main()
