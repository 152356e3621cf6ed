"""A training of adapters: pictures and captions to latents and text once, a trainer, and the file that generators read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import lightning
import torch

from ...errors import ConfigError, InvalidValue, require
from ...files import replacing
from ...media import load_image
from ...weights import checkpoints as hub_checkpoints
from ..loop import checkpoints, loggers, settings
from ..loop import trainer as loop
from ..loop.entry import bound
from ..loop.optim import Recipe
from .task import LoraTask

PIPELINES = ("StableDiffusionPipeline", "StableDiffusionXLPipeline")
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
PLACE = ("output", "resume", "trainer", "logger")
"""Settings that do not change which weights a training ends with, save some of the trainer's."""


def fit(config: Mapping[str, Any]) -> dict[str, Any]:
    """Train, or resume, and write lora.safetensors beside the checkpoints; returns the mean losses before and after.

    Raises:
        SpectrograndError: a setting out of range, no pictures or no captions, a model of another kind, another training's folder.
    """
    settings.check({"seed": config["seed"], "trainer": config["trainer"]})
    settings.in_ranges(config, {"model.rank": (1, 1024), "data.size": (8, 4096)}, {}, ("data.size",))
    loggers.check(config.get("logger"))
    require("peft", "train", "train/lora.py")
    recipe: Recipe = bound(Recipe, config["recipe"], "the recipe")
    if not recipe.steps:
        raise ConfigError("an adapter is trained for a number of steps: set recipe.steps=500, say")
    for part, key, what in (
        ("model", "weights", "a folder of Stable Diffusion or SDXL"),
        ("data", "root", "a folder of covers"),
    ):
        if not config[part][key]:
            raise ConfigError(f"{part}.{key} is {what}: set {part}.{key}=FOLDER")
    found = captioned(Path(config["data"]["root"]).expanduser(), config["data"]["caption"])
    folder, identity = Path(config["output"]).expanduser(), identity_of(config, found)
    last = loop.resumable(folder, identity, "choose another output=, or resume=false", resume=config["resume"])
    if config["trainer"]["threads"]:
        torch.set_num_threads(int(config["trainer"]["threads"]))
    lightning.seed_everything(int(config["seed"]), verbose=False)
    pipe = hub_checkpoints.pipeline(Path(config["model"]["weights"]).expanduser(), "float32", part="train/lora.py")
    task = make_task(pipe, found, config, recipe, identity)
    some = list(range(min(4, len(found))))
    before = _measure(task, some)
    trainer = loop.make_trainer(config, recipe, folder, monitor=None)
    steps = trainer.max_steps if trainer.max_steps > 0 else recipe.steps
    loader = torch.utils.data.DataLoader(range(steps * trainer.accumulate_grad_batches), batch_size=None)
    trainer.fit(task, loader, ckpt_path=last, weights_only=True)
    if trainer.fast_dev_run:
        return {"folder": str(folder)}
    trainer.save_checkpoint(folder / "last.ckpt")
    task.save(folder / "lora.safetensors")
    results = {"loss_before": before, "loss_after": _measure(task.cpu(), some), "steps": int(trainer.global_step)}
    told = {"state": "finished", "config": {k: v for k, v in config.items() if k not in PLACE}}
    with replacing(folder / "metrics.json") as draft:
        draft.write_text(json.dumps(told | results, indent=1), "utf-8")
    return {**results, "folder": str(folder), "objective": -results["loss_after"]}


def captioned(root: Path, caption: str | None) -> list[tuple[Path, str]]:
    """Every picture in a folder and below it, with its caption.

    Raises:
        InvalidValue: no pictures, or one without a caption where there is no `caption`.
    """
    paths = sorted(p for p in root.rglob("*") if p.suffix.lower() in SUFFIXES and not p.name.startswith("."))
    if not paths:
        raise InvalidValue(f"{root} holds no pictures: set data.root to a folder of .jpg, .png or .webp")
    found = []
    for path in paths:
        beside = path.with_suffix(".txt")
        text = beside.read_text("utf-8-sig").strip() if beside.is_file() else (caption or "").strip()
        if not text:
            raise InvalidValue(f"{path} has no caption: write {beside.name} beside it, or set data.caption")
        found.append((path, " ".join(text.split())))
    return found


def identity_of(config: Mapping[str, Any], found: list[tuple[Path, str]]) -> dict[str, Any]:
    """What decides the adapters that a training ends with: of its data what they hold, not where they lie."""
    digest = hashlib.sha256()
    for path, text in found:
        digest.update(hashlib.sha256(path.read_bytes()).digest() + text.encode())
    kept: dict[str, Any] = checkpoints.plain({k: v for k, v in config.items() if k not in PLACE})
    recipe = {k: v for k, v in kept["recipe"].items() if k not in ("steps", "epochs")}  # it may go on for longer
    return {
        **kept,
        "recipe": recipe,
        "data": {**kept["data"], "root": digest.hexdigest()},
        "trainer": loop.deciding(config),
    }


def make_task(
    pipe: Any, found: list[tuple[Path, str]], config: Mapping[str, Any], recipe: Recipe, identity: Mapping[str, Any]
) -> LoraTask:
    """The module: adapters beside the attention of the pipeline's denoiser, latents and texts made once.

    Raises:
        InvalidValue: another kind of pipeline, or `model.targets` that name nothing in it.
    """
    from diffusers import DDPMScheduler
    from peft import LoraConfig

    if type(pipe).__name__ not in PIPELINES:
        raise InvalidValue(f"train/lora.py fine-tunes {' or '.join(PIPELINES)}, not {type(pipe).__name__}")
    for part in pipe.components.values():
        if isinstance(part, torch.nn.Module):
            part.requires_grad_(False)
    side = int(config["data"]["size"] or pipe.unet.config.sample_size * pipe.vae_scale_factor)
    texts = {text: _told(pipe, text, side) for text in dict.fromkeys(t for _, t in found)}
    latents = torch.cat([_latent(pipe, path, side, int(config["seed"]), k) for k, (path, _) in enumerate(found)])
    rank = int(config["model"]["rank"])
    adapter = LoraConfig(
        r=rank, lora_alpha=rank, init_lora_weights="gaussian", target_modules=list(config["model"]["targets"])
    )
    try:
        pipe.unet.add_adapter(adapter)
    except ValueError as error:
        raise InvalidValue(f"model.targets: {' '.join(str(error).split())}") from error
    schedule = DDPMScheduler.from_config(pipe.scheduler.config)
    return LoraTask(pipe.unet, schedule, latents, [texts[t] for _, t in found], recipe, int(config["seed"]), identity)


@torch.no_grad()
def _latent(pipe: Any, path: Path, side: int, seed: int, number: int) -> torch.Tensor:
    """A picture, cut square, as a draw from the encoder's distribution, shape=(1, channel, row, column)."""
    pixels = (
        torch.from_numpy(load_image(path).resized(side, side).pixels.copy()).permute(2, 0, 1)[None].float() / 127.5 - 1
    )
    generator = torch.Generator().manual_seed(seed * 1_000_003 + number)
    drawn = pipe.vae.encode(pixels).latent_dist.sample(generator)
    return (drawn * pipe.vae.config.scaling_factor).float()


@torch.no_grad()
def _told(pipe: Any, text: str, side: int) -> dict[str, Any]:
    """What the denoiser is told of a caption."""
    if type(pipe).__name__ == "StableDiffusionPipeline":
        return {"encoder_hidden_states": pipe.encode_prompt(text, "cpu", 1, False)[0]}
    found = pipe.encode_prompt(text, device="cpu", num_images_per_prompt=1, do_classifier_free_guidance=False)
    sizes = torch.tensor([[side, side, 0, 0, side, side]], dtype=torch.float32)  # SDXL's size, cut and target size
    return {"encoder_hidden_states": found[0], "added_cond_kwargs": {"text_embeds": found[2], "time_ids": sizes}}


@torch.no_grad()
def _measure(task: LoraTask, numbers: list[int]) -> float:
    """Mean loss of some items over sixteen draws of noise and timestep, always the same."""
    return float(torch.stack([task.loss(numbers, [2**31, k]) for k in range(16)]).mean())
