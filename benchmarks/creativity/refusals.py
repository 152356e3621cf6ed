"""How often each gate refuses what is real: excerpts of the tracks, or the pictures, of a folder; with exact 95 % intervals.

    python -m benchmarks.creativity.refusals FOLDER [--gates shuffled,speech] [--each 2] [--seconds 10]

Excerpts lie at 15 % and 80 % of a track, or evenly between for more of them; of one track they are not independent, so that
the number of tracks is told, too. Sounds under 20 s are left out: effects, no music. Effects in folders called "sounds" are, too.
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

import numpy as np

from spectrogrand import media
from spectrogrand.registry import build
from spectrogrand.types import Audio

SONGS = ("silence", "too_quiet", "noise", "clipping", "one_bar_loop", "tone", "near_copy", "drowned", "shuffled", "speech",
         "single_sound", "random_notes")  # fmt: skip
COVERS = ("blank_picture", "noise_picture", "damaged_picture", "text_page")


def interval(refused: int, count: int) -> tuple[float, float]:
    """The exact interval of Clopper & Pearson (1934), 95 %.

    >>> [round(x, 4) for x in interval(0, 300)]
    [0.0, 0.0122]
    """
    from scipy.stats import beta

    low = 0.0 if refused == 0 else float(beta.ppf(0.025, refused, count - refused + 1))
    high = 1.0 if refused == count else float(beta.ppf(0.975, refused + 1, count - refused))
    return low, high


def excerpts(file: Path, each: int, seconds: float) -> list[Audio]:
    """Excerpts of a track, read in place."""
    import soundfile

    info = soundfile.info(str(file))
    if info.duration < 20:
        return []
    found = []
    for place in np.linspace(0.15, 0.8, each) if each > 1 else (0.5,):
        start = int(place * (info.frames - seconds * info.samplerate))
        x, rate = soundfile.read(file, int(seconds * info.samplerate), max(0, start), dtype="float32", always_2d=True)
        if len(x) > 0.9 * seconds * info.samplerate and np.abs(x).max() > 0.003:  # not a pause
            found.append(Audio(np.ascontiguousarray(x.T), rate))
    return found


def main() -> None:
    """Count and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--gates", default=None)
    parser.add_argument("--each", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=10.0)
    options = parser.parse_args()
    files = [p for p in sorted(options.folder.rglob("*.*")) if p.is_file() and not {"sounds", "sfx"} & set(p.parts)]
    songs = [p for p in files if p.suffix.lower() in (".ogg", ".wav", ".mp3", ".flac")]
    pictures = [] if songs else [p for p in files if p.suffix.lower() in media.PICTURES]
    names = options.gates.split(",") if options.gates else list(SONGS if songs else COVERS)
    gates = {n: build("gates", n) for n in names}
    refused: Counter[str] = Counter()
    which: dict[str, list[str]] = {}
    count = tracks = 0
    for file in songs or pictures:
        try:
            items = excerpts(file, options.each, options.seconds) if songs else [media.load_image(file)]
        except (RuntimeError, ValueError):
            continue
        tracks += bool(items)
        for item in items:
            count += 1
            told = {n: g.check([item])[0] for n, g in gates.items()}
            refused.update(n for n, reason in told.items() if reason)
            refused["any of them"] += any(told.values())
            for n, reason in told.items():
                if reason:
                    which.setdefault(n, []).append(f"{file.stem} {reason}")
    kind = f"excerpts of {options.seconds:g} s of {tracks} tracks" if songs else "pictures"
    print(f"{count} {kind} in {options.folder.name}\n\n| gate | refused | 95 % interval |\n|---|---|---|")
    for name in (*names, "any of them"):
        low, high = interval(refused[name], count)
        print(f"| {name} | {refused[name]} | {100 * low:.2f} to {100 * high:.2f} % |")
    print("\n" + "\n".join(f"{n}: {'; '.join(w[:8])}" for n, w in which.items()))


if __name__ == "__main__":
    main()
