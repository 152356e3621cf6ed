"""Make the sheets of covers that draw their topics: the sixty topics of sixty_topics.json, four seeds each, default settings.

python docs/gallery/cover_things.py            # cover-concrete, cover-scenes, cover-words (abstract, languages, emoji)
python docs/gallery/cover_things.py --count    # also the words shown and missed, a topic a line
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image as Picture

from spectrogrand import CoverBrief, build

SIDE, COLUMNS, SEEDS = 192, 8, 4
LOOKS = {
    "future": ("dark blue", "red"), "bass": ("black", "purple"), "progressive": ("orange", "yellow"),
    "melodic": ("green", "light blue"),
}  # fmt: skip
SHEETS = {
    "cover-concrete": ("concrete",),
    "cover-scenes": ("scenes",),
    "cover-words": ("abstract", "languages", "emoji"),
}


def main() -> None:
    """Paint and lay out every sheet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", action="store_true", help="print the words shown and missed")
    options = parser.parse_args()
    here = Path(__file__).parent
    topics = json.loads((here / "sixty_topics.json").read_text("utf-8"))
    paint = build("generators", {"name": "procedural_cover", "size": 256})
    shown, missed, lines = 0, 0, []
    for name, kinds in SHEETS.items():
        tiles = []
        for k, topic in enumerate(t for kind in kinds for t in topics[kind]):
            genre = list(LOOKS)[k % 4]
            for seed in range(SEEDS):
                brief = CoverBrief(topic, genre, LOOKS[genre][seed % 2], ("ascends", "balances")[seed // 2])
                image = paint.generate([brief], [seed])[0]
                tiles.append(image.pixels)
            notes = image.notes or {}
            words = [entry["word"] for entry in notes["shown"]]
            shown, missed = shown + len(words), missed + len(notes["missed"])
            lines.append(f"{topic}: shown {', '.join(words) or '-'}; missed {', '.join(notes['missed']) or '-'}")
        page = Picture.new("RGB", (COLUMNS * SIDE, -(-len(tiles) // COLUMNS) * SIDE), "white")
        for k, pixels in enumerate(np.asarray(tiles)):
            tile = Picture.fromarray(pixels).resize((SIDE, SIDE), Picture.Resampling.LANCZOS)
            page.paste(tile, (k % COLUMNS * SIDE, k // COLUMNS * SIDE))
        page.save(here / f"{name}.jpg", quality=80, optimize=True)
    if options.count:
        sys.stdout.write("\n".join([*lines, f"words of all topics: {shown} shown, {missed} missed"]) + "\n")


if __name__ == "__main__":
    main()
