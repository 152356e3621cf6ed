"""Does the fusion learn? On a world whose truth is known, in minutes on one core; `docs/album-cover.md` holds the table.

    python train/fusion_proof.py [OUTPUT [SEED,SEED,... [noise,own]]]

A tiny Stable Diffusion is trained on covers whose prompts name shape and, two times in three, palette; then it is frozen. For
each seed 192 albums are made whose prompts name the shape alone and whose songs tell the palette, and train/fusion.py learns
from them, once with each album's own song and once with another's. Measured on 24 unseen albums: the noise-prediction loss of
prompt alone and of prompt with music, on the same noises, and the palettes of drawn covers.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from train import entry, fusion, fusion_world

STEPS = (1000, 500)
KIND = "cross_attention"
COVERS = 16


def main(words: list[str]) -> int:
    """Run the proof; prints and writes the table."""
    output = Path(words[0] if words else "outputs/fusion-proof")
    seeds = [int(w) for w in words[1].split(",")] if len(words) > 1 else list(range(5))
    losses = words[2].split(",") if len(words) > 2 else ["noise", "own"]
    rows = [row for loss in losses for seed in seeds for row in prove(output, seed, loss)]
    name = f"proof-{'-'.join(losses)}-" + "-".join(map(str, seeds)) + ".json"
    (output / name).write_text(json.dumps(rows, indent=1), "utf-8")
    print(table(rows))
    return 0


def pretrained(output: Path) -> Path:
    """The frozen model's folder; trained once, in two rounds of `STEPS`."""
    import torch

    from train.tiny_diffusion import pretrain

    torch.set_num_threads(1)
    folder = None
    for round_, steps in enumerate(STEPS):
        initial, folder = folder, output / f"model-{'-'.join(map(str, STEPS[: round_ + 1]))}"
        if not (folder / "model_index.json").is_file():
            begun = time.monotonic()
            losses = pretrain(
                folder, fusion_world.WORDS, fusion_world.examples, size=fusion_world.SIZE, steps=steps, seed=round_,
                initial=initial,
            )  # fmt: skip
            print(f"pretrained in {time.monotonic() - begun:.0f} s, loss {np.mean(losses[-100:]):.4f}", flush=True)
    assert folder is not None
    return folder


def prove(
    output: Path, seed: int, loss: str = "noise", kind: str = KIND, train: int = 192, test: int = 24, epochs: int = 10
) -> list[dict[str, Any]]:
    """One seed: its albums, the fusion with each album's own music and with another's; one row each."""
    model = pretrained(output)
    home = output / f"albums-{seed}-{train}-{test}"
    if not (home / "albums.csv").is_file():
        fusion_world.albums(home, train, test, seed)
    rows = []
    for shuffled in (False, True):
        settings = [
            f"data.root={home}", f"weights={model}", f"output={output / 'runs'}", "data.size=16", "data.seconds=3.0",
            f"seed={seed}", f"fusion.kind={kind}", "fusion.heads=4", f"data.shuffle_music={shuffled}",
            f"fusion_recipe.epochs={epochs}", f"fusion_recipe.check={epochs}", "fusion_recipe.rate=2e-3",
            "fusion_recipe.batch=16", f"fusion_recipe.loss={loss}", "fusion_recipe.warmup=10",
            "trainer.accelerator=cpu", "trainer.progress=false", "trainer.threads=1", "trainer.save_every=0",
        ]  # fmt: skip
        found = fusion.fit(entry.compose("fusion", settings))
        row = {"seed": seed, "loss": loss, "kind": kind, "music": "shuffled" if shuffled else "own"}
        row |= {k: v for k, v in found.items() if k.startswith("loss_")}
        row |= palettes(model, home, Path(found["folder"]), seed)
        rows.append(row)
        print(json.dumps(row), flush=True)
    return rows


def palettes(model: Path, home: Path, run: Path, seed: int) -> dict[str, float]:
    """Covers drawn for unseen albums, by prompt alone and with their own music: distance to the true palette, and how often it is
    the nearest of the four (by chance 0.25). The contact sheet `covers.png` shows truth, prompt and fused below each other."""
    from PIL import Image

    from spectrogrand import diffusion
    from spectrogrand import fusion as fusions
    from train import fusion_data

    parts = diffusion.load(model, "float32", "cpu", part="fused_diffusion")
    fused = fusions.load(run / "fusion.safetensors", parts.unet)
    embedder = fusion_data.embedder_of({"name": "timbre_rhythm"})
    test = fusion_data.albums(
        home, "test", embedder, size=16, seconds=3.0, cache=run.parent / "cache", style="album_genre"
    )
    count = min(COVERS, len(test))
    truth = [row.album_id for row in test.rows[:count]]
    prompts, heard = [test.prompt(i) for i in range(count)], np.stack(test.features[:count])
    drawn, found = {}, {}
    for name, features in (("prompt", None), ("fused", heard)):
        own = [seed * 1000 + i for i in range(count)]
        made = diffusion.sample(
            parts,
            None if features is None else fused,
            prompts,
            features,
            own,
            size=16,
            steps=12,
            guidance=1.5,
            music_guidance=1.5,
        )
        drawn[name] = np.round(np.clip(made, 0, 1) * 255).astype(np.uint8)
        away = [fusion_world.palette_distances(p) for p in drawn[name]]
        found[f"distance_{name}"] = float(np.mean([d[t] for d, t in zip(away, truth, strict=True)]))
        found[f"nearest_{name}"] = float(
            np.mean([min(d, key=lambda n: d[n]) == t for d, t in zip(away, truth, strict=True)])
        )
    real = [np.round((test.pixels(i) + 1) * 127.5).astype(np.uint8).transpose(1, 2, 0) for i in range(16)]
    sheet = np.concatenate([np.concatenate(list(r), axis=1) for r in (real, drawn["prompt"][:16], drawn["fused"][:16])])
    Image.fromarray(sheet).resize((sheet.shape[1] * 4, sheet.shape[0] * 4), Image.Resampling.NEAREST).save(
        run / "covers.png"
    )
    return found


def table(rows: list[dict[str, Any]]) -> str:
    """The rows as a markdown table. Losses: of the noise (e' - e = sqrt(a_t) (v' - v)), and the model's own."""
    heads = [
        "trained on",
        "seed",
        "music",
        "noise-prediction loss",
        "gain",
        "velocity loss",
        "palette distance",
        "own palette nearest",
    ]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for r in rows:
        gain = 100 * (1 - r["loss_fused_noise"] / r["loss_prompt_noise"])
        cells = [
            f"{r['loss']} loss",
            r["seed"],
            r["music"],
            f"{r['loss_prompt_noise']:.5f} -> {r['loss_fused_noise']:.5f}",
        ]
        cells += [f"{gain:+.2f} %", f"{r['loss_prompt']:.4f} -> {r['loss_fused']:.4f}"]
        cells += [f"{r['distance_prompt']:.3f} -> {r['distance_fused']:.3f}"]
        cells += [f"{r['nearest_prompt']:.2f} -> {r['nearest_fused']:.2f}"]
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
