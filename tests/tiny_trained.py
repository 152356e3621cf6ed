"""Exports as `train/export.py` writes them, of timm's smallest network with random weights: genre and surprise in one folder."""

from spectrogrand.models.picture_classifier import Spec, build
from spectrogrand.types import GENRES


def save(folder):
    """Write genre.safetensors and surprise.safetensors into `folder`; returns it."""
    import torch

    from train.export import save as save_network

    folder.mkdir(parents=True, exist_ok=True)
    for task, classes in (("genre", GENRES), ("surprise", ("ai", "human"))):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(11)
            spec = Spec("test_resnet", classes, 32, task=task)
            network = build(spec)
            with torch.no_grad():  # else random weights say almost the same of everything
                network.fc.weight *= 30
        save_network(network, spec, folder / f"{task}.safetensors")
    return folder
