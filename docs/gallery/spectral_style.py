"""The two offline stylizers side by side: measures as a table, and the sheet spectral-style.jpg beside this file.

    python docs/gallery/spectral_style.py ../shared OUT [--pairs 0,1,2,3] [--only NAME] [--set layout=0.5] [--no-sheet]

OUT keeps the videos (25 frames a second, ten seconds, 256 x 256) and measures.json; what is there is not made again.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw

from spectrogrand import Audio, CoverBrief, Topic, build, media
from spectrogrand.audio.spectrogram import mel_spectrogram, spectrogram_frames

FPS, SECONDS, SIDE, TILE = Fraction(25), 10, 256, 92
NAMES = ("sliced_transport", "spectral_style")
WHAT = ("edge_ssim", "mix_r2", "carries", "carries_rank", "beat_f1_flat", "flicker", "flashes")


def pairs(shared: Path):
    """Songs and covers: the published ones, real ones, and two of ours; none of the covers or songs was trained on."""
    demo = shared / "data/demo/spaceships_static.mp4"
    yield "published song, published cover", media.load_audio(demo), media.load_image(demo)
    covers = sorted((shared / "data/covers_sdxl/val").iterdir())
    kick = media.load_audio(shared / "data/audio/808kick120bpm.mp3")
    yield "real kick drum, real cover", kick, media.load_image(covers[6])
    for topic, genre, number in (("sunset on the ice", "melodic", 30), ("a clockwork city", "bass", None)):
        song = build("generators", {"name": "house_synth", "genre": genre}).generate([Topic(topic)], [11])[0]
        brief = CoverBrief(topic, genre, "purple", "ascends")
        drawn = build("generators", {"name": "procedural_cover", "size": 512}).generate([brief], [11])[0]
        yield (
            f"our song ({genre}), {'our' if number is None else 'real'} cover",
            song,
            (drawn if number is None else media.load_image(covers[number])),
        )


def flicker(path: Path) -> float:
    """Mean absolute second difference over time of 64 x 64 luminance, in levels: what shakes, and not what moves steadily."""
    small = (Pillow.fromarray(p).convert("L").resize((64, 64), Pillow.Resampling.BOX) for p in media.load_video(path))
    shown = [np.asarray(p, float) for p in small]
    return round(float(np.abs(np.diff(np.stack(shown), 2, axis=0)).mean()), 3)


def sheet(rows: dict[str, list[np.ndarray]]) -> Pillow.Image:
    """One labelled row of tiles each."""
    page = Pillow.new("RGB", (TILE * max(map(len, rows.values())), (TILE + 14) * len(rows)), "white")
    pen = ImageDraw.Draw(page)
    for k, (label, tiles) in enumerate(rows.items()):
        pen.text((4, k * (TILE + 14) + 1), label, fill="black")
        for j, one in enumerate(tiles):
            tile = Pillow.fromarray(one).resize((TILE, TILE), Pillow.Resampling.LANCZOS)
            page.paste(tile, (j * TILE, k * (TILE + 14) + 14))
    return page


def main() -> None:
    """Make what is asked for, measure it, print the table."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("shared", type=Path)
    ask.add_argument("out", type=Path)
    ask.add_argument("--pairs", default="0,1,2,3")
    ask.add_argument("--only")
    ask.add_argument("--set", nargs="*", default=[])
    ask.add_argument("--no-sheet", action="store_true")
    ask.add_argument("--no-measure", action="store_true")
    options = ask.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    spec = importlib.util.spec_from_file_location("video_quality", options.shared / "measure/video_quality.py")
    measures = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(measures)
    kept = options.out / "measures.json"
    known = json.loads(kept.read_text()) if kept.is_file() else {}
    wanted = [int(n) for n in options.pairs.split(",")]
    extra = {k: (v if not v.replace(".", "").isdigit() else float(v)) for k, v in (s.split("=") for s in options.set)}
    rows, others = {}, []
    every = list(pairs(options.shared))
    for k, (_, song, _) in enumerate(every):
        others.append(options.out / f"song{k}.wav")
        if not others[-1].is_file():
            media.save_audio(others[-1], song)
    for k in wanted:
        title, song, cover = every[k]
        song = Audio(np.ascontiguousarray(song.samples[:, : SECONDS * song.rate]), song.rate)
        small = cover.resized(SIDE, SIDE)
        frames = spectrogram_frames(mel_spectrogram(song), count=int(SECONDS * FPS), fps=FPS, size=(SIDE, SIDE))
        for direction in ("content", "style"):
            for name in NAMES:
                if options.only not in (None, name):
                    continue
                settings = extra if name == "spectral_style" else {}
                label = f"{k}-{direction}-{name}" + "".join(f"-{a}{b}" for a, b in settings.items())
                path = options.out / f"{label}.mp4"
                if not path.is_file():
                    made = build("stylizers", {"name": name, **settings})
                    drawn = made.stylize(small, frames) if direction == "content" else made.stylize(frames, small)
                    media.save_video(path, drawn, song, threads=1)
                if label not in known and not options.no_measure:
                    rest = [str(o) for n, o in enumerate(others) if n != k]
                    found = measures.measure(str(path), Pillow.fromarray(small.pixels), None, rest)
                    known[label] = {**found, "flicker": flicker(path)}
                    kept.write_text(json.dumps(known, indent=1))
                shown = [p for n, p in enumerate(media.load_video(path)) if n % 42 == 20]
                rows[f"{title}: cover as {direction}, {name}"] = [small.pixels, *shown]
    lines = [f"| pair, cover as | stylizer | {' | '.join(WHAT)} |", "|---" * (len(WHAT) + 2) + "|"]
    for label, found in known.items():
        k, direction, *name = label.split("-")
        values = " | ".join(str(found[w]) for w in WHAT)
        lines.append(f"| {every[int(k)][0]}, {direction} | {'-'.join(name)} | {values} |")
    sys.stdout.write("\n".join(lines) + "\n")
    if not options.no_sheet:
        sheet(rows).save(Path(__file__).with_name("spectral-style.jpg"), quality=60, optimize=True)


if __name__ == "__main__":
    main()
