"""The layouts of what was really published: pipelines of 2022, training checkpoints, archives that a person downloads."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zipfile

import numpy as np
import preflights
import pytest
import tiny_published
import tiny_stable_diffusion
import tiny_visuals

from spectrogrand.__main__ import main
from spectrogrand.errors import CandidateError, InvalidValue, MissingExtra
from spectrogrand.registry import build
from spectrogrand.types import Audio, CoverBrief, Image
from spectrogrand.weights.convert import convert

torch = pytest.importorskip("torch")
pytest.importorskip("diffusers")
BRIEF = CoverBrief("the sea", "dark blue", "unveils", "future")


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory):
    place = tmp_path_factory.mktemp("published") / "diffusers_image"
    tiny_stable_diffusion.published(place)
    return place


def painter(folder, **options):
    return build("generators", {"name": "diffusers_image", "weights": str(folder), "steps": 2, "size": 32, **options})


def test_a_pipeline_with_a_safety_checker_an_old_class_and_old_keys_draws(pipeline, monkeypatch):
    part = painter(pipeline)
    preflights.check({"cover": {"name": "diffusers_image", "weights": str(pipeline)}})
    pipe = part.model()
    assert type(pipe.safety_checker).__name__ == "StableDiffusionSafetyChecker"
    assert type(pipe.feature_extractor).__name__.startswith("CLIPImageProcessor")
    assert pipe.vae.dtype is torch.float32, "the fp16 copy is another file"
    monkeypatch.setattr(pipe, "safety_checker", lambda images, clip_input: (images, [False] * len(images)))
    (made,) = part.generate([BRIEF], [3])
    assert isinstance(made, Image) and made.pixels.std() > 1


def test_a_picture_that_the_safety_checker_hides_is_said_and_fails_alone(pipeline, monkeypatch):
    part = painter(pipeline)

    def hides_the_first(images, clip_input):
        images[0] = 0
        return images, [True, False]

    monkeypatch.setattr(part.model(), "safety_checker", hides_the_first)
    hidden, shown = part.generate([BRIEF, BRIEF], [0, 1])
    assert isinstance(hidden, CandidateError) and "safety checker blacked the picture out" in str(hidden)
    assert isinstance(shown, Image)


def test_without_its_safety_checker_the_pipeline_still_draws(pipeline, tmp_path):
    import shutil

    place = tmp_path / "diffusers_image"
    shutil.copytree(pipeline, place)
    shutil.rmtree(place / "safety_checker")
    shutil.rmtree(place / "feature_extractor")
    (made,) = painter(place).generate([BRIEF], [3])
    assert isinstance(made, Image)
    shutil.rmtree(place / "vae")
    with pytest.raises(MissingExtra, match="it lacks vae/"):
        painter(place).inspect()


def test_an_index_that_names_no_class_of_today_is_refused_before_anything_is_made(pipeline, tmp_path):
    import shutil

    place = tmp_path / "diffusers_image"
    shutil.copytree(pipeline, place)
    index = json.loads((place / "model_index.json").read_text())
    index["text_encoder"] = ["transformers", "CLIPTextModelOfTomorrow"]
    (place / "model_index.json").write_text(json.dumps(index))
    with pytest.raises(InvalidValue, match="cover: .*names 'CLIPTextModelOfTomorrow', which is no class of diffusers"):
        preflights.check({"cover": {"name": "diffusers_image", "weights": str(place)}})


# -- training checkpoints ----------------------------------------------------------------------------------------------


def test_lp_music_caps_as_published_is_a_training_checkpoint(tmp_path):
    """transfer.pth: {epoch, state_dict, optimizer}; the keys as DistributedDataParallel writes them."""
    place = tmp_path / "lp_music_caps"
    tiny_visuals.lp_music_caps(place)
    file = place / "lp_music_caps.safetensors"
    from safetensors.torch import load_file

    tensors = load_file(file)
    moments = {i: {"step": torch.tensor(3.0), "exp_avg": torch.zeros_like(v)} for i, v in enumerate(tensors.values())}
    groups = [{"lr": 1e-4, "betas": (0.9, 0.999), "params": list(moments)}]
    torch.save(
        {"epoch": 7, "state_dict": tensors, "optimizer": {"state": moments, "param_groups": groups}},
        tmp_path / "transfer.pth",
    )
    file.unlink()
    report = convert(tmp_path / "transfer.pth", file)
    assert set(report.shapes) == set(tensors) and all(k.startswith("module.") for k in report.shapes)
    assert report.left_out == (
        "epoch, the training's and not the model's",
        "optimizer, the training's and not the model's",
    )
    sound = Audio(np.sin(np.arange(16000) / 20).astype(np.float32)[None], 16000)
    made = build("generators", {"name": "lp_music_caps", "weights": str(place), "tokens": 6, "beams": 1}).generate(
        [sound], [0]
    )
    assert isinstance(made[0], str | CandidateError)


@pytest.mark.parametrize(
    "size", [pytest.param(120, id="120 MB"), pytest.param(600, id="600 MB", marks=pytest.mark.slow)]
)
def test_a_conversion_holds_a_tensor_at_a_time(size, tmp_path):
    """In a process of its own: the peak beyond what importing torch took."""
    code = """
import resource, torch
from pathlib import Path
from spectrogrand.weights.convert import convert
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
before = peak()
report = convert("big.pth", "big.safetensors")
print(round(peak() - before), len(report.shapes))
"""
    torch.manual_seed(0)
    count = 6
    torch.save(
        {"state_dict": {f"w{i}": torch.rand(size * 250_000 // count) for i in range(count)}}, tmp_path / "big.pth"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path, timeout=300
    )
    took, tensors = map(int, done.stdout.split())
    assert tensors == count
    assert took <= 1.3 * size / count + (300 if size > 300 else 80), f"{took} MB for {size} MB"
    from safetensors.torch import load_file

    first = torch.load(tmp_path / "big.pth", weights_only=True, mmap=True)["state_dict"]["w3"]
    assert torch.equal(load_file(tmp_path / "big.safetensors")["w3"], first)


# -- downloaded by a person --------------------------------------------------------------------------------------------


def test_a_zip_file_from_the_authors_page_becomes_the_genre_network(tmp_path, capsys):
    tiny_published.networks(tmp_path / "made", "resnet_genre")
    from safetensors.torch import load_file

    tensors = load_file(tmp_path / "made/resnet_genre/resnet_101_genre_classifier.safetensors")
    torch.save(tensors, tmp_path / "resnet_101_genre_classifier.pth")
    with zipfile.ZipFile(tmp_path / "archive.zip", "w", zipfile.ZIP_DEFLATED) as box:
        box.writestr("README.md", "models")
        box.write(tmp_path / "resnet_101_genre_classifier.pth", "public release/resnet_101_genre_classifier.pth")
    words = ["fetch", "resnet_genre", f"weights={tmp_path / 'w'}"]
    assert main([*words, f"from={tmp_path / 'archive.zip'}"]) == 0
    assert capsys.readouterr().out.strip().endswith("w/resnet_genre/resnet_101_genre_classifier.safetensors")
    lock = json.loads((tmp_path / "w/resnet_genre/weights-lock.json").read_text())["files"]
    assert lock["resnet_101_genre_classifier.safetensors"]["source"].startswith("archive.zip: public release/")
    part = build("classifiers", {"name": "resnet_genre", "weights": str(tmp_path / "w")})
    noise = np.random.default_rng(0).normal(0, 0.1, (1, 44100 * 2)).astype(np.float32)
    rows, _ = part.classify([Audio(noise, 44100)])
    assert np.isclose(rows.sum(), 1)
    # the file alone, and what is not it
    assert main([*words, f"from={tmp_path / 'resnet_101_genre_classifier.pth'}"]) == 0
    capsys.readouterr()
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as box:
        box.writestr("notes.txt", "x")
    for given, said in (
        ("other.zip", "holds no resnet_101_genre_classifier.pth .*it holds notes.txt"), ("none.zip", "there is no such file"),
    ):  # fmt: skip
        assert main([*words, f"from={tmp_path / given}"]) == 1
        assert re.search(said, capsys.readouterr().err)
    assert not list((tmp_path / "w/resnet_genre").glob(".taking-*"))
