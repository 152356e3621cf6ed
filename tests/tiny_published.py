"""A whole `weights=` folder for experiment=published and experiment=fast: every model tiny, random, in its published layout."""

from __future__ import annotations

import shutil
from pathlib import Path

import tiny_clap
import tiny_graphs
import tiny_hub
import tiny_songs


def write(weights: Path, shared: Path) -> Path:
    """One folder per plug-in name; the style transfer is the real, small one."""
    tiny_songs.audioldm2(weights / "audioldm2")
    tiny_songs.ace_step(weights / "ace_step")
    tiny_hub.sdxl(weights / "sdxl")
    tiny_hub.flux(weights / "diffusers_image")
    tiny_hub.svd(weights / "svd")
    tiny_clap.write_all(weights)
    tiny_graphs.write_all(
        weights
    )  # essentia's and VILA's graphs; the SavedModel of the style transfer is not used here
    shutil.rmtree(weights / "magenta")
    shutil.copytree(shared / "models/magenta", weights / "magenta")
    networks(weights, "resnet_genre")
    networks(weights, "mobilenet_surprise")
    return weights


def one(weights: Path, name: str) -> Path:
    """The weights of one published scorer or classifier, in `weights` as `write` puts them; what is there is kept."""
    if not (weights / name).is_dir():
        (networks if name in ("resnet_genre", "mobilenet_surprise") else graphs)(weights, name)
    return weights


def networks(weights: Path, name: str) -> None:
    """The published checkpoint of one of the two torch networks, converted."""
    from safetensors.torch import save_file

    make, file = {
        "resnet_genre": (_genre, "resnet_101_genre_classifier"),
        "mobilenet_surprise": (_surprise, "mobilenet_surprise_estimation"),
    }[name]
    (weights / name).mkdir(parents=True)
    save_file(make(), weights / name / f"{file}.safetensors")


def graphs(weights: Path, name: str) -> None:
    """The published graph of one of the TensorFlow parts."""
    tiny_graphs.write_all(weights, only=name)


def _genre():
    """ResNet-101 with the published class's names, in float16 to be small."""
    import torch
    from torchvision.models import resnet101

    torch.manual_seed(0)
    state = torch.nn.ModuleDict({"backbone": resnet101(zero_init_residual=True)}).state_dict()
    head = torch.nn.Linear(1000, 4).state_dict()
    state |= {f"model.2.{k}": v for k, v in head.items()}
    return {k: v.half() if v.is_floating_point() else v for k, v in state.items()}


def _surprise():
    """MobileNet-v3-small with the published three layers behind it."""
    import torch
    from torchvision.models import mobilenet_v3_small

    torch.manual_seed(0)
    layers = {"fc1": torch.nn.Linear(1000, 128), "fc2": torch.nn.Linear(128, 32), "fc3": torch.nn.Linear(32, 2)}
    return torch.nn.ModuleDict({"baseline": mobilenet_v3_small(), **layers}).state_dict()
