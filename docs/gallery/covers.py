"""Make the contact sheets of covers in this folder, or a shuffled sheet without labels for a blind matching.

python docs/gallery/covers.py                          # cover-topics.jpg and cover-forty.jpg
python docs/gallery/covers.py --blind sheet.png        # ten covers in random order; the key goes to sheet.png.key
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from PIL import Image as Picture

from spectrogrand import CoverBrief, build

TOPICS = (
    "a futuristic spaceship", "a neon city at night", "the deep blue ocean", "snowy mountains at dawn",
    "a forest full of flowers", "robots and circuits", "masks and faces at a carnival",
    "triangles and perfect symmetry", "the vibration of sound waves",
    "liquid colours flowing like silk",
)  # fmt: skip
"""Fixed before the motifs were tuned."""
BRIEFS = (
    ("future", "dark blue", "unveils"), ("future", "red", "surprises"),
    ("bass", "black", "ascends"), ("bass", "purple", "explodes"),
    ("progressive", "orange", "balances"), ("progressive", "yellow", "hypnotizes"), ("melodic", "green", "blends"),
    ("melodic", "light blue", "stuns"),
)  # fmt: skip


def sheet(pictures: list[np.ndarray], columns: int, side: int) -> Picture.Image:
    """Pictures side by side, each `side` pixels wide."""
    page = Picture.new("RGB", (columns * side, -(-len(pictures) // columns) * side))
    for k, pixels in enumerate(pictures):
        tile = Picture.fromarray(pixels).resize((side, side), Picture.Resampling.LANCZOS)
        page.paste(tile, (k % columns * side, k // columns * side))
    return page


def blind(path: Path, seed: int | None) -> None:
    """One cover per topic, random seeds, colours and order; the key beside it."""
    rng = np.random.default_rng(seed)
    generator = build("generators", {"name": "procedural_cover", "size": 512})
    pictures, key = [], []
    for k in rng.permutation(len(TOPICS)):
        brief, number = CoverBrief(TOPICS[k], *BRIEFS[rng.integers(8)]), int(rng.integers(100_000))
        pictures.append(generator.generate([brief], [number])[0].pixels)
        key.append({"topic": brief.topic, "colour": brief.colour, "word": brief.word, "seed": number})
    sheet(pictures, 5, 320).save(path)
    path.with_name(path.name + ".key").write_text(json.dumps(key, indent=1) + "\n")


def main() -> None:
    """Read the arguments, write the sheets."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--blind", type=Path, help="a sheet without labels instead")
    parser.add_argument("--seed", type=int, help="makes the blind sheet repeatable")
    options = parser.parse_args()
    if options.blind:
        blind(options.blind, options.seed)
        return
    here = Path(__file__).parent
    generator = build("generators", {"name": "procedural_cover", "size": 512})
    topics = [CoverBrief(t, *BRIEFS[(3 * i + 2 * k) % 8]) for i, t in enumerate(TOPICS) for k in range(4)]
    pictures = [made.pixels for made in generator.generate(topics, [k for _ in TOPICS for k in range(4)])]
    sheet(pictures, 8, 200).save(here / "cover-topics.jpg", quality=82)
    forty = [CoverBrief("an endless summer night", *BRIEFS[k % 8]) for k in range(40)]
    pictures = [made.pixels for made in generator.generate(forty, list(range(40)))]
    sheet(pictures, 8, 200).save(here / "cover-forty.jpg", quality=82)


if __name__ == "__main__":
    main()
