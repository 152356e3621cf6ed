"""Makes the sheets video-*.jpg beside it: `python docs/gallery/videos.py ../shared`.

Each row is one song and cover: the cover, then six frames over ten seconds; video-beat.jpg has seven frames in a row.
"""

import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import Image as Pillow

from spectrogrand import Audio, CoverBrief, Image, Scene, Topic, build
from spectrogrand.audio.spectrogram import mel_spectrogram, spectrogram_frames
from spectrogrand.media import load_audio, load_image

FPS, COUNT, SIDE, TILE = Fraction(30), 300, 512, 208


def pairs(shared):
    """Songs and covers: the published ones, real ones, and ours."""
    demo = shared / "data" / "demo" / "spaceships_static.mp4"
    yield load_audio(demo), load_image(demo)
    covers = sorted((shared / "data" / "covers_sdxl" / "val").iterdir())
    fox = load_audio(shared / "data" / "audio" / "outfoxing.mp3")
    yield Audio(np.ascontiguousarray(fox.samples[:, 30 * fox.rate : 40 * fox.rate]), fox.rate), load_image(covers[6])
    for topic, genre, number in (
        ("a futuristic spaceship", "future", None),
        ("neon city rain", "bass", None),
        ("sunset", "melodic", 73),
    ):
        song = build("generators", {"name": "house_synth", "genre": genre}).generate([Topic(topic)], [0])[0]
        brief = CoverBrief(topic, genre, "dark blue", "unveils")
        drawn = build("generators", {"name": "procedural_cover", "size": SIDE}).generate([brief], [2])[0]
        yield song, drawn if number is None else load_image(covers[number])


def tile(pixels):
    """One frame, small."""
    return Pillow.fromarray(pixels).resize((TILE, TILE), Pillow.Resampling.LANCZOS)


def sheet(rows, path):
    """Rows of tiles as one JPEG."""
    out = Pillow.new("RGB", (TILE * max(map(len, rows)), TILE * len(rows)))
    for j, row in enumerate(rows):
        for i, one in enumerate(row):
            out.paste(one, (TILE * i, TILE * j))
    out.save(path, quality=82, optimize=True)


def main():
    """Draw all sheets."""
    here, beat = Path(__file__).parent, []
    shown = {"content": [], "style": [], "motion": []}
    for song, cover in pairs(Path(sys.argv[1])):
        small = Image(np.asarray(Pillow.fromarray(cover.pixels).resize((SIDE, SIDE), Pillow.Resampling.LANCZOS)))
        style = spectrogram_frames(mel_spectrogram(song), count=COUNT, fps=FPS, size=(SIDE, SIDE))
        stylizer = build("stylizers", "sliced_transport")
        motion = build("generators", {"name": "motion", "size": SIDE})
        made = {
            "content": stylizer.stylize(small, style),
            "style": stylizer.stylize(style, small),
            "motion": motion.generate([Scene(cover, song)], [0])[0],
        }
        for name, frames in made.items():
            row = [tile(small.pixels)]
            for k, frame in enumerate(frames):
                if k in range(45, 280, 44):
                    row.append(tile(frame))
                if name != "style" and len(beat) < 28 and 150 <= k < 157:
                    beat.append(tile(frame))
            shown[name].append(row[:7])
    for name, rows in shown.items():
        sheet(rows, here / f"video-{name}.jpg")
    sheet([beat[i : i + 7] for i in range(0, 28, 7)], here / "video-beat.jpg")


if __name__ == "__main__":
    main()
