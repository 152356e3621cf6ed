"""Does the fusion learn? On a world whose truth is known, in minutes on one core; `docs/album-cover.md` holds the table.

    python benchmarks/fusion/proof.py [OUTPUT [SEED,SEED,... [own|noise]]]

A tiny Stable Diffusion is trained on covers whose prompts name shape and, every other time, palette; then it is frozen. For
each seed 384 albums are made whose prompts name the shape alone and whose songs tell the palette, and train/fusion.py learns
from them three times: with each album's own song, with another album's, and with the same nothing for all. Measured on 96
unseen albums: the noise-prediction loss of prompt alone and of prompt with music, on the same noises, and the palettes of
drawn covers. The frozen model with the palette's word in its prompt shows what there is to gain.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.fusion import world as fusion_world
from spectrogrand.training.fusion_.data import MUSIC
from spectrogrand.training.loop.words import compose
from train import fusion

STEPS, FINISH = 5200, 2000
"""Of the frozen model's training; the last ones on the loss that is measured."""
KIND = "cross_attention"
RATES = {"own": 1e-3, "noise": 2e-3}
"""The losses that a fusion may be trained on (`recipe.loss`), and the learning rate of each."""
TRAIN, TEST, EPOCHS = 384, 96, 24
REPEATS = 32
"""Noises per unseen album."""


def main(words: list[str]) -> int:
    """Run the proof; prints and writes the table."""
    if any(w.startswith("-") for w in words):
        print(__doc__)
        return 0
    output = Path(words[0] if words else "outputs/fusion-proof")
    seeds = [int(w) for w in words[1].split(",")] if len(words) > 1 else list(range(5))
    loss, rows = words[2] if len(words) > 2 else "own", []
    for seed in seeds:
        rows += (made := prove(output, seed, loss))
        (output / f"proof-{loss}-{seed}.json").write_text(json.dumps(made), "utf-8")
    print(table(rows))
    print(f"processor time {time.process_time():.0f} s")
    return 0


def pretrained(output: Path) -> Path:
    """The frozen model's folder; trained once."""
    import torch

    from benchmarks.fusion.tiny import pretrain

    torch.set_num_threads(1)
    folder = output / f"model-{STEPS}-{FINISH}"
    if not (folder / "model_index.json").is_file():
        begun = time.process_time()
        size = fusion_world.SIZE
        losses = pretrain(folder, fusion_world.WORDS, fusion_world.examples, size=size, steps=STEPS, finish=FINISH)
        print(f"pretrained in {time.process_time() - begun:.0f} s, loss {np.mean(losses[-100:]):.4f}", flush=True)
    return folder


def prove(
    output: Path, seed: int, loss: str = "own", model: Path | None = None, epochs: int = EPOCHS
) -> list[dict[str, Any]]:
    """One seed: its albums, and a fusion for each of own, another's and constant music; one row each, and one for the word.

    Args:
        loss: one of `RATES`.
        model: the frozen model's folder; None: `pretrained`.
    """
    from spectrogrand.models import fusion as fusions
    from spectrogrand.models import stable_diffusion as diffusion
    from spectrogrand.training.fusion_ import data as fusion_data

    model = model or pretrained(output)
    home = output / f"albums-{seed}"
    if not (home / "albums.csv").is_file():
        fusion_world.albums(home, TRAIN, TEST, seed)
    parts = diffusion.load(model, "float32", "cpu", part="fused_diffusion")
    embedder, cache = fusion_data.embedder_of({"name": "timbre_rhythm"}), output / "runs" / "cache"
    size = fusion_world.SIZE
    test = fusion_data.albums(home, "test", embedder, size=size, seconds=3.0, cache=cache, style="album_genre")
    truth = [row.album_id for row in test.rows]
    plain = [test.prompt(i) for i in range(len(test))]
    named = [p + fusion_world.HINT.format(palette=t) for p, t in zip(plain, truth, strict=True)]
    alone = losses(parts, None, test, plain)
    drawn = {
        "truth": np.stack([np.round((test.pixels(i) + 1) * 127.5) for i in range(len(test))]).transpose(0, 2, 3, 1)
    }
    drawn["prompt"] = covers(parts, None, plain, None, seed)

    def row(music: str, found: np.ndarray, begun: float) -> dict[str, Any]:
        told = {"seed": seed, "music": music, "alone": alone.tolist(), "fused": found.tolist()}
        for name in ("prompt", music):
            away = [fusion_world.palette_distances(p) for p in drawn[name]]
            told[f"distance_{'fused' if name == music else name}"] = float(
                np.mean([d[t] for d, t in zip(away, truth, strict=True)])
            )
            right = [min(d, key=lambda n: d[n]) == t for d, t in zip(away, truth, strict=True)]
            told[f"nearest_{'fused' if name == music else name}"] = float(np.mean(right))
        told["processor_seconds"] = time.process_time() - begun
        print(table([told]).splitlines()[-1], flush=True)
        return told

    begun = time.process_time()
    drawn["word"] = covers(parts, None, named, None, seed)
    rows = [row("word", losses(parts, None, test, named), begun)]
    for music in MUSIC:
        begun = time.process_time()
        settings = [
            f"data.root={home}", f"model.weights={model}", f"output={output / 'runs'}", f"data.size={size}", "data.seconds=3.0",
            f"seed={seed}", f"model.kind={KIND}", "model.heads=4", f"data.music={music}",
            f"recipe.epochs={epochs}", f"recipe.check={epochs}", f"recipe.lr={RATES[loss]}",
            "recipe.batch_size=32", f"recipe.loss={loss}", "recipe.warmup=20", "recipe.repeats=1",
            "trainer.accelerator=cpu", "trainer.enable_progress_bar=false", "trainer.threads=1", "trainer.save_every=0",
        ]  # fmt: skip
        run = Path(fusion.fit(compose("fusion", settings))["folder"])
        fused, part = fusions.load(run / "fusion.safetensors", parts.unet), test.heard(music, seed)
        drawn[music] = covers(parts, fused, plain, np.stack(part.features), seed)
        rows.append(row(music, losses(parts, fused, part, plain), begun))
    sheet(output / f"covers-{loss}-{seed}.png", [drawn[name] for name in ("truth", "prompt", "own", "shuffled")])
    return rows


def losses(parts: Any, fused: Any, albums: Any, prompts: list[str]) -> np.ndarray:
    """Of each album, the mean loss of the noise and of the velocity over `REPEATS` noises, the same in every call:
    shape=(2, album)."""
    import torch

    from spectrogrand.models import fusion as fusions
    from spectrogrand.training.fusion_ import data as fusion_data
    from spectrogrand.training.fusion_.task import FusionTask

    batch = fusion_data.batch([albums[i] for i in range(len(albums))])
    blank = fusions.Fusion(fusions.FusionSettings(KIND, batch["features"].shape[2], parts.width, parts.window, heads=4))
    task = FusionTask(parts, fused or blank, {}, 0)
    found = np.zeros((2, len(albums)))
    with torch.no_grad():
        text = parts.read(prompts)
        for repeat in range(REPEATS):
            noise, t = task._chance(batch, torch.Generator().manual_seed(777_000 + repeat))
            own = task.losses(batch, text, None, noise, t, fused is not None)
            found += torch.stack([own * task._of_noise(t), own]).numpy() / REPEATS
    return found


def covers(parts: Any, fused: Any, prompts: list[str], features: Any, seed: int) -> np.ndarray:
    """A cover for each prompt, uint8, shape=(album, row, column, rgb), drawn without guidance from noises that are the same in
    every call."""
    from spectrogrand.models import stable_diffusion as diffusion

    own = [seed * 1000 + i for i in range(len(prompts))]
    made = diffusion.sample(
        parts, fused, prompts, features, own, size=fusion_world.SIZE, steps=12, guidance=1.0, music_guidance=1.0
    )
    return np.round(np.clip(made, 0, 1) * 255).astype(np.uint8)


def sheet(path: Path, rows: list[np.ndarray], count: int = 16, scale: int = 6) -> None:
    """The first covers of each row of the sheet, below each other."""
    from PIL import Image

    tiles = [
        [np.pad(p.repeat(scale, 0).repeat(scale, 1), ((2, 2), (2, 2), (0, 0)), constant_values=255) for p in r[:count]]
        for r in rows
    ]
    Image.fromarray(np.concatenate([np.concatenate(r, axis=1) for r in tiles]).astype(np.uint8)).save(path)


def gain(alone: np.ndarray, fused: np.ndarray, draws: int = 4000) -> tuple[float, float, float]:
    """How much of the mean loss over albums is gone, in percent, and its 95 % interval by the paired bootstrap over albums
    (Efron & Tibshirani 1993, chapter 13).

    >>> gain(np.array([2.0, 4.0]), np.array([1.0, 2.0]))
    (50.0, 50.0, 50.0)
    """
    picks = np.random.default_rng(0).integers(0, len(alone), (draws, len(alone)))
    again = 100 * (1 - fused[picks].mean(1) / alone[picks].mean(1))
    low, high = np.quantile(again, (0.025, 0.975))
    return float(100 * (1 - fused.mean() / alone.mean())), float(low), float(high)


def table(rows: list[dict[str, Any]]) -> str:
    """The rows as a markdown table, and for more than one seed the albums of all seeds together.
    Losses: of the noise (e' - e = sqrt(a_t) (v' - v)), and of the velocity, which the model predicts."""
    heads = ["seed", "music", "noise-prediction loss", "gain (95 %)", "gain, velocity loss", "palette distance"]
    heads.append("own palette nearest")
    seeds = sorted({r["seed"] for r in rows})
    if len(seeds) > 1:
        for music in dict.fromkeys(r["music"] for r in rows):
            own = [r for r in rows if r["music"] == music and r["seed"] in seeds]
            pooled: dict[str, Any] = {
                k: float(np.mean([r[k] for r in own])) for k in own[0] if k.startswith(("distance", "nearest"))
            }
            pooled |= {k: np.concatenate([r[k] for r in own], axis=1) for k in ("alone", "fused")}
            rows = [*rows, {"seed": "all", "music": music, **pooled}]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for r in rows:
        alone, fused = np.asarray(r["alone"]), np.asarray(r["fused"])
        (mean, low, high), velocity = gain(alone[0], fused[0]), gain(alone[1], fused[1])[0]
        cells = [r["seed"], r["music"], f"{alone[0].mean():.5f} -> {fused[0].mean():.5f}"]
        cells += [f"{mean:+.2f} % ({low:+.2f} to {high:+.2f})", f"{velocity:+.1f} %"]
        cells += [f"{r['distance_prompt']:.3f} -> {r['distance_fused']:.3f}"]
        cells += [f"{r['nearest_prompt']:.2f} -> {r['nearest_fused']:.2f}"]
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
