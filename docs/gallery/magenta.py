"""The published style transfer made again, and a contact sheet beside the published videos.

    python docs/gallery/magenta.py OUT --weights ../shared/models/magenta --demo ../shared/data/demo [--only NAME]

OUT gets one video per recipe (docs/results/magenta.md has their measures); with all of them there, magenta.jpg is made
beside this file.
"""

from __future__ import annotations

import argparse
from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import Image as Picture
from PIL import ImageDraw

from spectrogrand import build, media
from spectrogrand.audio.spectrogram import mel_spectrogram, spectrogram_frames

TORCH = {"backend": "torch", "device": "cpu", "size": 512, "dtype": "bfloat16"}
RECIPES = {
    "content": ("content", {**TORCH, "smoothing": 0.5}, "chunk"),
    "content-song": ("content", TORCH, "song"),
    "content-blend": ("content", {**TORCH, "blend": 0.5}, "song"),
    "style": ("style", TORCH, "song"),
}
"""Name -> what the cover is, the stylizer's settings, and what loudness the spectrogram is relative to."""
TIMES = (10, 30, 50, 70, 90)


def video(name: str, weights: Path, demo: Path, out: Path) -> None:
    """Make one recipe's video: 10 frames a second in order, each from its own tenth of a second of the song."""
    side, settings, relative = RECIPES[name]
    song = media.load_audio(demo / "spaceships_static.mp4")
    cover = media.load_image(demo / "spaceships_static.mp4").resized(512, 512)
    count = int(song.duration * 10)
    spectrogram = mel_spectrogram(song)
    frames = spectrogram_frames(
        spectrogram, count=count, fps=Fraction(10), size=(512, 512), seconds=0.1, relative=relative
    )
    stylizer = build("stylizers", {"name": "magenta", "weights": str(weights), **settings})
    drawn = stylizer.stylize(cover, frames) if side == "content" else stylizer.stylize(frames, cover)
    media.save_video(out / f"{name}.mp4", drawn, song, threads=1)


def sheet(rows: dict[str, Path], side: int = 176) -> Picture.Image:
    """One row of frames per video, labelled."""
    page = Picture.new("RGB", (len(TIMES) * side, len(rows) * (side + 18)), "white")
    pen = ImageDraw.Draw(page)
    for k, (label, path) in enumerate(rows.items()):
        pen.text((4, k * (side + 18) + 3), label, fill="black")
        shown = {n: p for n, p in enumerate(media.load_video(path)) if n in TIMES}
        for j, n in enumerate(TIMES):
            tile = Picture.fromarray(np.asarray(shown[n])).resize((side, side), Picture.Resampling.LANCZOS)
            page.paste(tile, (j * side, k * (side + 18) + 18))
    return page


def main() -> None:
    """Read the arguments, make the videos, then the sheet."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("out", type=Path)
    ask.add_argument("--weights", type=Path, required=True)
    ask.add_argument("--demo", type=Path, required=True)
    ask.add_argument("--only", choices=sorted(RECIPES))
    options = ask.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for name in [options.only] if options.only else RECIPES:
        video(name, options.weights, options.demo, options.out)
    rows = {
        "published, cover as content": options.demo / "spaceships_dynamic1.mp4",
        "ours, cover as content: loudness per window as published, smoothing 0.5": options.out / "content.mp4",
        "ours, cover as content: loudness of the song": options.out / "content-song.mp4",
        "ours, cover as content: loudness of the song, blend 0.5": options.out / "content-blend.mp4",
        "published, cover as style": options.demo / "spaceships_dynamic2.mp4",
        "ours, cover as style": options.out / "style.mp4",
    }
    if all(path.exists() for path in rows.values()):
        sheet(rows).save(Path(__file__).with_name("magenta.jpg"), quality=72, optimize=True)


if __name__ == "__main__":
    main()
