"""offload=auto: how a pipeline is put on a card of so much free memory; without a GPU, which a number stands in for."""

from __future__ import annotations

import types

import pytest

torch = pytest.importorskip("torch")

from spectrogrand.models import devices  # noqa: E402
from spectrogrand.registry import build  # noqa: E402


def pipeline(calls):
    """What `_placed` needs of a pipeline: 4 MB of denoiser, 1 MB of autoencoder."""

    class Vae(torch.nn.Linear):
        def enable_slicing(self):
            calls.append("slicing")

        def enable_tiling(self):
            calls.append("tiling")

    unet, vae = torch.nn.Linear(1000, 1000, bias=False), Vae(500, 500, bias=False)
    scheduler = types.SimpleNamespace(step=None, set_timesteps=None, config={})
    return types.SimpleNamespace(
        unet=unet, vae=vae, scheduler=scheduler, components={"unet": unet, "vae": vae, "tokenizer": object()},
        to=lambda place: calls.append("to"), enable_model_cpu_offload=lambda device: calls.append("model"),
        enable_sequential_cpu_offload=lambda device: calls.append("sequential"),
    )  # fmt: skip


@pytest.mark.parametrize("free, calls", [
    (7_000_000, ["to"]), (6_000_000, ["slicing", "tiling", "model"]), (5_000_000, ["slicing", "tiling", "sequential"]),
])  # fmt: skip
def test_what_fits_is_chosen_from_the_free_memory(free, calls, monkeypatch):
    monkeypatch.setattr(devices, "free_bytes", lambda place: free)
    done = []
    part = build("generators", {"name": "sdxl", "channels_last": False})
    monkeypatch.setattr("spectrogrand.plugins.generators._hub_model.keep_float32", lambda scheduler: None)
    part._placed(pipeline(done), "cuda:0")
    assert done == calls


def test_a_set_offload_is_kept_and_a_cpu_has_none(monkeypatch):
    part = build("generators", {"name": "sdxl", "offload": "model"})
    assert part._chosen_offload(pipeline([]), "cpu") == "none"
    monkeypatch.setattr(devices, "free_bytes", lambda place: 1 << 40)
    assert part._chosen_offload(pipeline([]), "cuda:0") == "model"
