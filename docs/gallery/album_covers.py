"""The picture album-covers.jpg: one album title, six songs, four candidates each; and how far the covers follow the songs.

python docs/gallery/album_covers.py OUT [--shared ../shared]
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from spectrogrand import build, media
from spectrogrand.albums.brief import AlbumBrief, looks
from spectrogrand.audio.emotion import estimate
from spectrogrand.types import Topic

TITLE, GENRE, SIDE = "Paper Lanterns", "electronic", 220
FILES = ("arovane_beat_b.flac", "loop_mika.flac", "outfoxing.mp3", "808kick120bpm.mp3")


def main() -> None:
    """Draw, join, save; print what was estimated of each song."""
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=Path)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    given = parser.parse_args()
    songs = {name: media.load_audio(given.shared / "data/audio" / name) for name in FILES}
    songs["spaceships (published)"] = media.load_audio(given.shared / "data/demo/spaceships_static.mp4")
    songs["synthesised: funeral in the rain"] = build("generators", "house_synth").generate(
        [Topic("a sad funeral in the rain")], [0]
    )[0]
    painter = build("generators", {"name": "music_cover", "size": 512})
    rows = []
    for name, song in songs.items():
        feeling = estimate(song)
        briefs = [AlbumBrief(TITLE, GENRE, c, w, album=TITLE, feeling=feeling) for c, w in looks(feeling, 4)]
        covers = painter.generate(briefs, [0, 1, 2, 3])
        rows.append(np.concatenate([c.resized(SIDE, SIDE).pixels for c in covers], axis=1))
        numbers = f"{feeling.tempo:.0f} | {feeling.arousal:+.2f} | {feeling.valence:+.2f}"
        words, colours = ", ".join(feeling.words()), ", ".join(b.colour for b in briefs)
        sys.stdout.write(f"| {name} | {numbers} | {words} | {colours} |\n")
    from PIL import Image

    given.out.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.concatenate(rows)).save(given.out / "album-covers.jpg", quality=82)


if __name__ == "__main__":
    main()
