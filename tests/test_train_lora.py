"""Adapters of a tiny SDXL on one's own pictures: the loss falls, the generator loads the file, a stopped training resumes."""

import numpy as np
import pytest
from PIL import Image as Pillow

torch = pytest.importorskip("torch")
for needed in ("lightning", "diffusers", "peft"):
    pytest.importorskip(needed)
import tiny_hub  # noqa: E402

from spectrogrand import build  # noqa: E402
from spectrogrand.errors import ConfigError, InvalidValue  # noqa: E402
from spectrogrand.training.loop.words import compose  # noqa: E402
from spectrogrand.training.lora import fit as lora  # noqa: E402
from spectrogrand.types import CoverBrief  # noqa: E402
from spectrogrand.weights import files  # noqa: E402


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lora")
    tiny_hub.sdxl(folder / "sdxl")
    (folder / "covers").mkdir()
    for k in range(3):
        values = np.full((32, 32, 3), (200, 40 + 20 * k, 40), np.uint8)
        Pillow.fromarray(values).save(folder / "covers" / f"{k}.png")
    (folder / "covers" / "0.txt").write_text("a red cover")
    return folder


def config(place, output, *words):
    return compose("lora", [
        f"data.root={place / 'covers'}", "data.caption=red, of my own", "data.size=32", f"model.weights={place / 'sdxl'}",
        "model.rank=4", f"output={output}", "recipe.steps=30", "recipe.lr=0.02", "recipe.batch_size=2",
        "recipe.precision=32-true", "trainer.accelerator=cpu", "trainer.threads=1", "trainer.enable_progress_bar=false",
        "logger=none", *words,
    ])  # fmt: skip


def test_the_loss_falls_and_the_generator_draws_with_the_file(place, tmp_path):
    found = lora.fit(config(place, tmp_path / "whole"))
    assert found["steps"] == 30 and found["loss_after"] < 0.97 * found["loss_before"]
    path = tmp_path / "whole" / "lora.safetensors"
    tensors = files.load_torch(path)
    assert all(k.startswith("unet.") and ".lora" in k for k in tensors)
    brief = CoverBrief("the sea", "bass", "red", "blends")
    settings = {"name": "sdxl", "weights": str(place / "sdxl"), "steps": 2, "size": 32, "device": "cpu"}
    plain, own = (build("generators", settings | more) for more in ({}, {"lora": str(path)}))
    first, second = plain.generate([brief], [0])[0], own.generate([brief], [0])[0]
    assert not np.array_equal(first.pixels, second.pixels)
    assert own.identity()["lora0"] and "lora0" not in plain.identity()
    lora.fit(config(place, tmp_path / "cut", "recipe.steps=10"))
    lora.fit(config(place, tmp_path / "cut"))
    again = files.load_torch(tmp_path / "cut" / "lora.safetensors")
    assert all(torch.equal(v, again[k]) for k, v in tensors.items()), "10 steps, then 20: the same as 30"


def test_what_is_missing_or_wrong_is_told(place, tmp_path):
    with pytest.raises(ConfigError, match=r"model.weights is a folder of Stable Diffusion or SDXL"):
        lora.fit(config(place, tmp_path, "model.weights=null"))
    with pytest.raises(InvalidValue, match=r"1.png has no caption: write 1.txt beside it, or set data.caption"):
        lora.captioned(place / "covers", None)
    with pytest.raises(InvalidValue, match="holds no pictures"):
        lora.captioned(place / "sdxl" / "unet", "x")
    part = build(
        "generators", {"name": "sdxl", "weights": str(place / "sdxl"), "lora": str(tmp_path / "no"), "device": "cpu"}
    )
    with pytest.raises(InvalidValue, match="no LoRA .* such as train/lora.py writes"):
        part.model()
