"""How far re-encoding moves each scorer's score: songs through MP3 at 64 kbit/s, covers through JPEG 60; and whom it makes win.

    python -m benchmarks.creativity.noise FOLDER --kind songs --split calibration [--each 2]

The deviation of a scorer's difference is what its class declares as `noise`. The spread within topics stands beside it: a scorer
whose candidates differ less than that is left out of a choice (`spectrogrand.selection`).
"""

from __future__ import annotations

import argparse
import io
from pathlib import Path

import numpy as np

from benchmarks.creativity.measure import COVERS, SONGS
from spectrogrand import media
from spectrogrand.registry import build
from spectrogrand.types import Audio, Image


def through_mp3(song: Audio, kilobits: int = 64) -> Audio:
    """The song after MP3 at a constant rate, decoded again at 44.1 kHz."""
    import av
    import soxr

    samples = song.samples if song.rate == 44100 else soxr.resample(song.samples.T, song.rate, 44100).T
    stereo = np.ascontiguousarray(np.repeat(samples, 2, axis=0) if len(samples) == 1 else samples[:2], np.float32)
    data = io.BytesIO()
    with av.open(data, "w", format="mp3") as out:
        stream = out.add_stream("libmp3lame", rate=44100, layout="stereo")
        stream.bit_rate = 1000 * kilobits
        frame = av.AudioFrame.from_ndarray(stereo, format="fltp", layout="stereo")
        frame.sample_rate, frame.pts = 44100, 0
        fit = av.AudioResampler(format=stream.format, layout="stereo", rate=44100, frame_size=stream.frame_size or 1152)
        for part in (*fit.resample(frame), *fit.resample(None)):
            out.mux(stream.encode(part))
        out.mux(stream.encode(None))
    data.seek(0)
    with av.open(data) as back:
        decoded = np.concatenate([f.to_ndarray() for f in back.decode(audio=0)], axis=1)
    return Audio(np.ascontiguousarray(decoded, np.float32), 44100)


def through_jpeg(picture: Image, quality: int = 60) -> Image:
    """The picture after JPEG."""
    from PIL import Image as Pillow

    data = io.BytesIO()
    Pillow.fromarray(picture.pixels).save(data, "JPEG", quality=quality)
    data.seek(0)
    return Image(np.asarray(Pillow.open(data).convert("RGB")))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kind", default="songs")
    parser.add_argument("--split", default="calibration")
    parser.add_argument("--each", type=int, default=2)
    options = parser.parse_args()
    home = options.folder / options.kind / options.split
    songs = options.kind.startswith("songs")
    names = SONGS if songs else COVERS
    scorers = [build("scorers", n) for n in names]
    rows, topics = [], []
    for folder in sorted(p for p in home.iterdir() if p.is_dir()):
        for file in sorted(folder.iterdir())[: options.each]:
            item = media.load_audio(file) if songs else media.load_image(file)
            worn = through_mp3(item) if isinstance(item, Audio) else through_jpeg(item)
            rows.append([[float(s.score([x])[0]) for x in (item, worn)] for s in scorers])
            topics.append(folder.name)
    table = np.array(rows)
    moved = table[:, :, 1] - table[:, :, 0]
    print(f"{len(table)} items of {len(set(topics))} topics\n")
    print("| scorer | mean change | noise | spread within topics |\n|---|---|---|---|")
    for k, name in enumerate(names):
        groups = [table[[t == u for t in topics], k, 0] for u in sorted(set(topics))]
        within = np.concatenate([g - g.mean() for g in groups])
        spread = within.std() * np.sqrt(options.each / max(options.each - 1, 1))
        print(f"| {name} | {moved[:, k].mean():+.3g} | {moved[:, k].std():.3g} | {spread:.3g} |")


if __name__ == "__main__":
    main()
