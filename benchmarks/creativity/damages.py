"""Is the original preferred to its damaged copy? Pairs of a cover and a copy, chosen by the default's scorers, weights and rule.

    python -m benchmarks.creativity.damages FOLDER [--pairs 60]

FOLDER holds pictures (of `benchmarks.creativity.candidates`, or any), spread evenly over its files. A copy that a default gate
refuses counts as not preferred.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.creativity.candidates import load_cover
from benchmarks.creativity.noise import through_jpeg
from spectrogrand import media
from spectrogrand.config import compose
from spectrogrand.registry import build
from spectrogrand.runs.slots import read_weight
from spectrogrand.selection import choose
from spectrogrand.types import Image

Damage = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def filtered(x: np.ndarray, name: str, amount: float) -> np.ndarray:
    """Pillow's unsharp mask in per cent, blur in pixels, or colour as a factor."""
    from PIL import Image as Pillow
    from PIL import ImageEnhance, ImageFilter

    picture = Pillow.fromarray(x)
    if name == "colour":
        return np.asarray(ImageEnhance.Color(picture).enhance(amount))
    chosen = ImageFilter.GaussianBlur(amount) if name == "blur" else ImageFilter.UnsharpMask(2, round(amount), 0)
    return np.asarray(picture.filter(chosen))


def tiled(x: np.ndarray, rng: np.random.Generator, count: int = 4) -> np.ndarray:
    """count x count tiles in random order."""
    rows, columns = x.shape[0] // count, x.shape[1] // count
    tiles = [x[r * rows : (r + 1) * rows, c * columns : (c + 1) * columns] for r in range(count) for c in range(count)]
    order = rng.permutation(len(tiles))
    return np.concatenate(
        [np.concatenate([tiles[order[r * count + c]] for c in range(count)], axis=1) for r in range(count)]
    )


def halved(x: np.ndarray) -> np.ndarray:
    """The lower half in one colour."""
    out = x.copy()
    out[len(x) // 2 :] = x.mean(axis=(0, 1)).astype(np.uint8)
    return out


DAMAGES: dict[str, Damage] = {
    "noise, sd 15": lambda x, r: np.clip(x + r.normal(0, 15, x.shape), 0, 255).astype(np.uint8),
    "JPEG 10": lambda x, r: through_jpeg(Image(x), 10).pixels,
    "sharpened 300 %": lambda x, r: filtered(x, "sharp", 300),
    "saturation 3": lambda x, r: filtered(x, "colour", 3),
    "blurred by 3 pixels": lambda x, r: filtered(x, "blur", 3),
    "16 tiles shuffled": tiled,
    "half flat": lambda x, r: halved(x),
}


def main() -> None:
    """Damage, choose, count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pairs", type=int, default=60)
    options = parser.parse_args()
    config = compose(["topic=x"])
    weights = {k: read_weight("cover", k, v) for k, v in config["cover_scorers"].items()}
    scorers = {k: build("scorers", v["scorer"]) for k, v in config["cover_scorers"].items()}
    gates = [g for v in config["gates"].values() if (g := build("gates", v)).artefact is Image]
    references, noise = {k: s.reference_scores() for k, s in scorers.items()}, {k: s.noise for k, s in scorers.items()}
    files = [p for p in sorted(options.folder.rglob("*")) if p.suffix.lower() in media.PICTURES]
    files = [files[i] for i in np.linspace(0, len(files) - 1, min(options.pairs, len(files))).round().astype(int)]
    rng = np.random.default_rng(0)
    kept, alone = dict.fromkeys(DAMAGES, 0), {d: dict.fromkeys(scorers, 0) for d in DAMAGES}

    def rate(image: Image) -> dict[str, float]:
        return {k: float(s.score([image])[0]) for k, s in scorers.items()}

    for file in files:
        whole = load_cover(file)
        first = rate(whole)
        for name, damage in DAMAGES.items():
            copy = Image(np.ascontiguousarray(damage(whole.pixels, rng)), whole.notes)
            second = rate(copy)
            reason = next((r for g in gates if (r := g.check([copy])[0])), None)
            table = {k: np.array([second[k], first[k]]) for k in scorers}  # the copy stands first: a tie is a loss
            made = choose(table, weights=weights, references=references, failed=[reason, None],
                          rule=str(config["selection"]), noise=noise)  # fmt: skip
            kept[name] += made.index == 1
            for k in scorers:
                alone[name][k] += first[k] > second[k]
    print(
        f"{len(files)} pictures of {options.folder.name}\n\n| damage | original preferred | "
        + " | ".join(scorers)
        + " |"
    )
    print("|---" * (2 + len(scorers)) + "|")
    for name, count in kept.items():
        print(f"| {name} | {count} of {len(files)} | " + " | ".join(str(alone[name][k]) for k in scorers) + " |")


if __name__ == "__main__":
    main()
