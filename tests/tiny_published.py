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
    from safetensors.torch import save_file

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
    (weights / "resnet_genre").mkdir()
    save_file(_genre(), weights / "resnet_genre/resnet_101_genre_classifier.safetensors")
    (weights / "mobilenet_surprise").mkdir()
    save_file(_surprise(), weights / "mobilenet_surprise/mobilenet_surprise_estimation.safetensors")
    return weights


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
