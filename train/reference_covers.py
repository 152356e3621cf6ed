"""Make a reference set of covers: the shipped one (painted here, 192 covers) or one from a folder of pictures.

python train/reference_covers.py                                     # writes spectrogrand/data/cover_reference.safetensors
python train/reference_covers.py --folder my_covers --out mine.safetensors
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from spectrogrand.engines.painting import scenes
from spectrogrand.engines.painting.composition import FAMILIES
from spectrogrand.engines.painting.things.vocabulary import shapes
from spectrogrand.image.statistics import NAMES, statistics
from spectrogrand.references.covers import SHIPPED, SUFFIXES, CoverReference
from spectrogrand.types import CoverBrief, Image

COLOURS = {
    "future": ("dark blue", "red"),
    "bass": ("black", "purple"),
    "progressive": ("orange", "yellow"),
    "melodic": ("green", "light blue"),
}
WORDS = {
    "future": ("unveils", "surprises"),
    "bass": ("ascends", "explodes"),
    "progressive": ("balances", "hypnotizes"),
    "melodic": ("blends", "stuns"),
}
AXES = ("energy", "valence", "tension", "brightness", "space", "era")
COUNT, SIZE = 192, 512


def covers(count: int = COUNT, size: int = SIZE) -> Iterator[Image]:
    """Covers that go through all families, colours and words in turn, every other one of a thing; moods are drawn."""
    outlines = shapes()
    for k in range(count):
        rng = np.random.default_rng([20240, k])
        genre = tuple(COLOURS)[k % 4]
        thing = (
            outlines[37 * k % len(outlines)].name if k % 2 else f"qwx {k}"
        )  # half name a thing, half leave it to the family
        brief = CoverBrief(thing, genre, COLOURS[genre][k // 4 % 2], WORDS[genre][k // 8 % 2])
        shares = 0.1 * rng.random(len(FAMILIES))
        shares[k % len(FAMILIES)] += 0.6
        row = {name: float(rng.uniform(-0.8, 0.8)) for name in AXES}
        row.update({"motif_" + name: float(v) for name, v in zip(FAMILIES, shares / shares.sum(), strict=True)})
        yield Image(scenes.paint(brief, row, k, size).pixels)


def main() -> None:
    """Read the arguments, write the table."""
    from safetensors.numpy import save

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--folder", type=Path, help=f"pictures of your own ({', '.join(SUFFIXES)}) instead of painted covers"
    )
    parser.add_argument("--out", type=Path, default=SHIPPED, help="where the table goes")
    options = parser.parse_args()
    if options.folder:
        table = CoverReference(str(options.folder)).table()
    else:
        table = np.array([statistics(cover) for cover in covers()])
    data = save({"statistics": np.ascontiguousarray(table, np.float32)}, metadata={"names": " ".join(NAMES)})
    options.out.parent.mkdir(parents=True, exist_ok=True)
    part = options.out.with_suffix(".part")
    part.write_bytes(data)
    os.replace(part, options.out)
    print(f"{len(table)} covers, {len(data):,} bytes: {options.out}")


if __name__ == "__main__":
    main()
