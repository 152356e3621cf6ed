"""The GPU benchmark runs whole on toy sizes, and without a GPU it claims nothing."""

import math

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("diffusers")


def test_all_of_it_runs_on_toy_sizes(capsys):
    from benchmarks import gpu

    assert gpu.main(["--tiny"]) == 0
    lines = capsys.readouterr().out.splitlines()
    rows = [line for line in lines if line.startswith("| ") and "model | way" not in line]
    assert len(rows) == 2 * 6 and "toy sizes" in lines[-1]
    for name in ("SDXL", "AudioLDM2-music", "SVD-xt", "MusicGen-small", "FLUX.1 schnell", "ACE-Step"):
        assert any(name in row for row in rows)
    assert all(float(row.split("|")[5]) > 0 for row in rows[1::2])


def test_full_size_is_the_published_size():
    """Parameters of the published denoisers, in billions, counted without memory."""
    from diffusers import AudioLDM2UNet2DConditionModel, FluxTransformer2DModel, UNet2DConditionModel
    from diffusers import UNetSpatioTemporalConditionModel as Video

    from benchmarks._architectures import config

    for cls, name, billions in (
        (UNet2DConditionModel, "SDXL", 2.567), (AudioLDM2UNet2DConditionModel, "AUDIOLDM2", 0.346),
        (Video, "SVD", 1.525), (FluxTransformer2DModel, "FLUX", 11.9),
    ):  # fmt: skip
        with torch.device("meta"):
            made = cls(**config(name, tiny=False))
        assert sum(p.numel() for p in made.parameters()) / 1e9 == pytest.approx(billions, rel=0.01)


def test_without_a_gpu_nothing_is_claimed(monkeypatch, capsys):
    from benchmarks import gpu

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    row = gpu.run()
    assert math.isnan(row["ratio"]) and row["met"] is None and row["note"] == "not measured: no GPU"
    assert gpu.main([]) == 0 and "not measured: no GPU" in capsys.readouterr().out


def test_what_was_not_measured_is_said_and_not_a_number():
    from benchmarks.__main__ import row

    found = {
        "what": "a",
        "against": "b",
        "ratio": math.nan,
        "goal": ">= 2",
        "met": None,
        "note": "not measured: no GPU",
    }
    assert row("gpu", found) == "| gpu | a | b | not measured | >= 2 |  | not measured: no GPU |"
