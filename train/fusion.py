"""Train the fusion of music and text for album covers: adapter and fusion learn, Stable Diffusion stays as it is.

    python train/fusion.py data.root=ALBUMS weights=MINISD                       # a recipe that works
    python train/fusion.py data.root=ALBUMS weights=MINISD fusion_recipe=published fusion.residual=false
    python train/fusion.py ... fusion.kind=music_attention fusion.tokens=8       # the light variant
    python train/fusion.py -m ... fusion.kind=concatenation,cross_attention,linear

ALBUMS is what `spectrogrand prepare albums` wrote. The same command goes on where it was stopped. Left behind: fusion.safetensors
(`cover.fusion=` of pipeline=album_cover), metrics.json and last.ckpt.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from spectrogrand.training.loop.entry import main

PLACE = ("output", "cache", "trainer", "evaluate")
"""Settings that do not change which weights a training ends with."""


def fit(config: dict[str, Any]) -> dict[str, Any]:
    """Data, model, fusion, trainer; fit, export, evaluate. Returns the metrics."""
    import lightning
    import torch
    from torch.utils.data import DataLoader

    from spectrogrand.files import replacing
    from spectrogrand.models import devices, fusion
    from spectrogrand.models import stable_diffusion as diffusion
    from spectrogrand.registry import get
    from spectrogrand.training.fusion_ import data as fusion_data
    from spectrogrand.training.fusion_.task import FusionTask
    from spectrogrand.training.loop import checkpoints, fusion_settings
    from spectrogrand.training.loop.callbacks import Keeper
    from spectrogrand.weights import hub

    data, recipe, told = config["data"], config["fusion_recipe"], config["trainer"]
    fusion_settings.check(config)
    if told["threads"]:
        torch.set_num_threads(told["threads"])
    folder = folder_of(config)
    folder.mkdir(parents=True, exist_ok=True)
    embedder = fusion_data.embedder_of(data["sound_embedder"])
    cache = Path(config["cache"] or Path(config["output"]) / "cache").expanduser()
    splits = {
        split: fusion_data.albums(
            data["root"], split, embedder, size=data["size"], seconds=data["seconds"], cache=cache, style=data["prompt"]
        )
        for split in ("train", "test")
    }
    splits = {split: part.heard(data["music"], config["seed"]) for split, part in splits.items()}

    lightning.seed_everything(config["seed"], verbose=False)
    card: Any = get("generators", "fused_diffusion").card
    place = devices.device(None if told["accelerator"] in ("auto", "gpu") else told["accelerator"])
    weights = hub.folder(config["weights"], card.weights[0], part="fused_diffusion")
    model = diffusion.load(weights, "float32", place, part="fused_diffusion")
    width = splits["train"].features[0].shape[1]
    settings = {"music_width": width, "width": model.width, "embedder": embedder.name, **config["fusion"]}
    settings["tokens"] = settings["tokens"] or model.window
    fused = fusion.Fusion(fusion.FusionSettings(**settings), model.unet)
    if recipe["standardise"]:
        every = torch.cat([torch.from_numpy(rows) for rows in splits["train"].features])
        fused.standardise(every.mean(0), every.std(0, correction=0))
    fused.module.to(place)
    model.unet.requires_grad_(False)
    for parameter in fused.module.parameters():
        parameter.requires_grad_(True)
    shown = fusion_data.Batches(splits["train"], recipe["batch"], config["seed"], told["limit_batches"])
    unseen = DataLoader(splits["test"], batch_size=recipe["batch"], collate_fn=fusion_data.batch)
    task = FusionTask(
        model, fused, recipe, config["seed"], steps=len(shown) * recipe["epochs"], content=splits["train"].content
    )
    trainer = lightning.Trainer(
        accelerator=told["accelerator"], devices=1, precision=told["precision"] or "32-true", max_epochs=recipe["epochs"],
        gradient_clip_val=recipe["clip"], logger=False, enable_checkpointing=False, enable_progress_bar=told["progress"],
        enable_model_summary=False, num_sanity_val_steps=0, plugins=[checkpoints.PlainCheckpointIO()],
        callbacks=[Keeper(folder, told["save_every"], "val/gain")], default_root_dir=folder,
        check_val_every_n_epoch=recipe["check"], inference_mode=True,
    )  # fmt: skip
    trainer.fit(task, shown, unseen, ckpt_path=resumable(folder, task.content))
    trainer.validate(task, unseen, verbose=False)
    task.cpu() if place == "cpu" else task.to(place)
    fused.module.eval()
    fused.save(folder / "fusion.safetensors")
    results: dict[str, Any] = {"folder": str(folder)}
    results |= {f"loss_{k}": task.results[k] for k in ("prompt", "fused", "prompt_noise", "fused_noise")}
    if config["evaluate"]["covers"]:
        from spectrogrand.training.fusion_.metrics import evaluate

        results |= evaluate(model, fused, splits["test"], embedder, config["evaluate"], config["seed"], folder)
    with replacing(folder / "metrics.json") as draft:
        draft.write_text(
            json.dumps({"state": "finished"} | {k: v for k, v in results.items() if k != "folder"}, indent=1), "utf-8"
        )
    return results


def folder_of(config: Mapping[str, Any]) -> Path:
    """Where a training lies: `output`, then kind, recipe, seed and a digest of all that matters."""
    told = {k: v for k, v in config.items() if k not in PLACE}
    digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:8]
    name = f"{config['fusion']['kind']}-{config['fusion_recipe']['name']}-seed{config['seed']}-{digest}"
    return Path(config["output"]).expanduser() / name


def resumable(folder: Path, content: str) -> Path | None:
    """The checkpoint to go on from, or None for a fresh start.

    Raises:
        InvalidValue: it was trained on albums that have changed since.
    """
    from spectrogrand.errors import InvalidValue
    from spectrogrand.training.loop import checkpoints

    last = folder / "last.ckpt"
    if not last.is_file():
        return None
    before = checkpoints.load(last).get("spectrogrand", {}).get("content", content)
    if before != content:
        raise InvalidValue(
            f"{folder} was trained on albums that have changed since: choose another output=, or remove it"
        )
    return last


if __name__ == "__main__":
    sys.exit(main("fusion", fit))
