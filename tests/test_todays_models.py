"""Today's picture models on tiny checkpoints: klein and Z-Image, LoRA files, fewer bits, one's own picture, free licences."""

from __future__ import annotations

import json

import numpy as np
import pytest
import tiny_2026
import tiny_hub

from spectrogrand import Image, build, media
from spectrogrand.errors import ConfigError, InvalidValue, MissingExtra, UnknownName
from spectrogrand.models import quantisation
from spectrogrand.plugins.generators.videos.wan import Wan
from spectrogrand.registry import get, names
from spectrogrand.runs import preflight
from spectrogrand.types import CoverBrief
from spectrogrand.weights.licences import allows_sale

torch = pytest.importorskip("torch")
pytest.importorskip("diffusers")
BRIEFS = [CoverBrief("the sea", "bass", "blue", "rises"), CoverBrief("a city", "bass", "red", "falls")]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    home = tmp_path_factory.mktemp("todays")
    known = {}

    def folder(name):
        if name not in known:
            known[name] = (tiny_hub.MAKERS | tiny_2026.MAKERS)[name](home / name)
        return known[name]

    return folder


def painter(folder, **options):
    return build(
        "generators",
        "diffusers_image",
        **{"weights": str(folder), "steps": 2, "size": 32, "dtype": "float32", **options},
    )


@pytest.mark.parametrize("name, guidance", [("flux2_klein", 1.0), ("z_image", 0.0)])
def test_todays_models_draw_by_the_classes_that_their_indexes_name(name, guidance, made):
    part = painter(made(name), guidance=guidance)
    part.inspect()
    one, two = part.generate(BRIEFS, [1, 2])
    assert isinstance(one, Image) and one.pixels.std() > 1 and (one.pixels != two.pixels).any()
    again = painter(made(name), guidance=guidance, dtype="bfloat16").generate(BRIEFS[:1], [1])[0]
    assert isinstance(again, Image) and np.abs(again.pixels.astype(int) - one.pixels).mean() < 16


def lora_of(folder, target, scale=3.0):
    """A LoRA of a pipeline's UNet, written by the library's own writer."""
    from diffusers import StableDiffusionXLPipeline, UNet2DConditionModel
    from peft import LoraConfig
    from peft.utils import get_peft_model_state_dict

    torch.manual_seed(1)
    unet = UNet2DConditionModel.from_pretrained(folder / "unet")
    unet.add_adapter(LoraConfig(r=2, lora_alpha=2, target_modules=["to_q", "to_v"]))
    state = {k: scale * torch.randn_like(v) for k, v in get_peft_model_state_dict(unet).items()}
    StableDiffusionXLPipeline.save_lora_weights(target.parent, unet_lora_layers=state, weight_name=target.name)
    return target


def test_a_lora_file_changes_the_picture_by_its_scale_and_a_wrong_one_is_refused(made, tmp_path):
    pytest.importorskip("peft")
    file = lora_of(made("sdxl"), tmp_path / "style.safetensors")
    plain = painter(made("sdxl"), guidance=1.0).generate(BRIEFS[:1], [1])[0].pixels
    drawn = [
        painter(made("sdxl"), guidance=1.0, lora=str(file), lora_scale=s).generate(BRIEFS[:1], [1])[0].pixels
        for s in (0.0, 1.0)
    ]
    assert (drawn[0] == plain).all() and (drawn[1] != plain).any()
    part = painter(made("sdxl"), lora=[str(file)])
    assert len(part.identity()["lora0"]) == 64
    for folder, guidance in ((made("diffusers_image"), 0.0), (made("flux2_klein"), 1.0)):
        with pytest.raises(InvalidValue, match="style.safetensors is no LoRA of Flux.* get the one for this base"):
            painter(folder, lora=str(file), guidance=guidance).model()
    with pytest.raises(InvalidValue, match="no LoRA .*nothing.safetensors.: give a safetensors file"):
        painter(made("sdxl"), lora=str(tmp_path / "nothing.safetensors")).inspect()
    with pytest.raises(InvalidValue, match="1 numbers in lora_scale for 2 files"):
        painter(made("sdxl"), lora=["a.safetensors", "b.safetensors"], lora_scale=[1.0])


def test_weights_of_8_bits_draw_almost_the_same_picture_and_take_less(made):
    pytest.importorskip("torchao")
    whole, fewer = painter(made("diffusers_image")), painter(made("diffusers_image"), quantisation="int8")
    one, two = (p.generate(BRIEFS[:1], [1])[0].pixels.astype(int) for p in (whole, fewer))
    kinds = {type(p.data).__name__ for p in fewer.model().transformer.parameters()}
    assert any("Int8" in k for k in kinds)
    assert 0 < np.abs(one - two).mean() < 12


def test_a_quantisation_that_the_machine_cannot_do_is_told_before_anything_is_made(made, monkeypatch):
    with pytest.raises(UnknownName, match="no quantisation 'int9'|has no quantisation 'int9'"):
        painter(made("diffusers_image"), quantisation="int9")
    with pytest.raises(
        InvalidValue, match="quantisation=nf4 needs an NVIDIA GPU and this runs on cpu: quantisation=int8"
    ):
        painter(made("diffusers_image"), quantisation="nf4", device="cpu").inspect()
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda place: (7, 5))
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda place: "Old Card")
    if quantisation.PACKAGES["float8"] and __import__("importlib").util.find_spec("torchao"):
        with pytest.raises(InvalidValue, match="Old Card does not compute in float8 .*7.5, 8.9 is needed"):
            quantisation.check("float8", "cuda", "x")


def test_one_s_own_picture_is_changed_and_what_the_mask_keeps_stays(made, tmp_path):
    own = np.zeros((32, 32, 3), np.uint8)
    own[:, :16], own[:, 16:] = (220, 40, 40), (40, 40, 220)
    media.save_image(tmp_path / "own.png", Image(own))
    mask = np.zeros((32, 32, 3), np.uint8)
    mask[:, 16:] = 255
    media.save_image(tmp_path / "mask.png", Image(mask))
    picture = str(tmp_path / "own.png")
    part = painter(made("sdxl"), guidance=1.0, picture=picture, strength=0.5, steps=4)
    assert type(part.model()).__name__ == "StableDiffusionXLImg2ImgPipeline"
    (one, two) = part.generate(BRIEFS, [1, 2])
    assert isinstance(one, Image) and one.pixels.shape == (32, 32, 3) and (one.pixels != two.pixels).any()
    inpaint = painter(
        made("sdxl"), guidance=1.0, picture=picture, mask=str(tmp_path / "mask.png"), strength=1.0, steps=2
    )
    assert type(inpaint.model()).__name__ == "StableDiffusionXLInpaintPipeline"
    (changed,) = inpaint.generate(BRIEFS[:1], [1])
    assert (changed.pixels[:, :15] == own[:, :15]).all() and (changed.pixels[:, 17:] != own[:, 17:]).any()
    klein = painter(made("flux2_klein"), guidance=1.0, picture=picture, size=64)
    assert isinstance(klein.generate(BRIEFS[:1], [1])[0], Image), "a reference, without a strength"
    with pytest.raises(ConfigError, match="mask and strength are of a picture that changes"):
        painter(made("sdxl"), strength=0.5)
    with pytest.raises(ConfigError, match="strength 0.2 of 2 steps draws nothing"):
        painter(made("sdxl"), guidance=1.0, picture=picture, strength=0.2).generate(BRIEFS[:1], [1])


def test_wan_is_known_by_either_name_of_its_pipeline(made, tmp_path):
    import shutil

    place = tmp_path / "wan"
    shutil.copytree(made("wan"), place)
    index = json.loads((place / "model_index.json").read_text())
    index = {k: v for k, v in index.items() if not k.startswith("image_")} | {"_class_name": "WanPipeline"}
    (place / "model_index.json").write_text(json.dumps(index))
    small = {"fps": "4", "rate": 4.0, "width": 32, "height": 32, "frames": 5, "steps": 1, "dtype": "float32"}
    part = build("generators", "wan", weights=str(place), **small)
    part.inspect()
    assert type(part.model()).__name__ == "WanImageToVideoPipeline" and part.model().config.expand_timesteps
    with pytest.raises(ConfigError, match="4 k . 1 frames a clip, got 120: frames=121"):
        Wan(frames=120)
    with pytest.raises(InvalidValue, match="holds a StableDiffusionXLPipeline, wan runs WanPipeline"):
        build("generators", "wan", weights=str(made("sdxl")), **small).inspect()


# -- licences ----------------------------------------------------------------------------------------------------------


def test_licences_free_refuses_parts_that_may_not_be_sold_and_names_them():
    parts = {"song": build("generators", "audioldm2"), "cover": build("generators", "diffusers_image"),
             "motion": build("generators", "svd"), "stylizer": build("stylizers", "sliced_transport")}  # fmt: skip
    with pytest.raises(ConfigError, match="licences=free refuses") as told:
        preflight.check(parts, "free")
    said = str(told.value)
    assert "song: audioldm2 (CC" in said and "motion: svd (Stability AI Non-Commercial" in said
    assert "cover" not in said and "stylizer" not in said
    other = build("generators", "diffusers_image", model="somebody/else")
    with pytest.raises(ConfigError, match=r"cover: diffusers_image \(its own\)"):
        preflight.check({"cover": other}, "free")


def test_experiment_free_is_made_of_free_parts_and_the_published_one_is_not(tmp_path):
    from spectrogrand.config import compose
    from spectrogrand.pipelines.execute import execute

    with pytest.raises(MissingExtra):  # refused for no licence: only the weights are not here
        execute(compose(["topic=x", "experiment=free", f"output={tmp_path}", f"weights={tmp_path}"]))
    with pytest.raises(ConfigError, match="refuses .*audioldm2.*svd"):
        execute(
            compose(["topic=x", "experiment=published", "licences=free", f"output={tmp_path}", f"weights={tmp_path}"])
        )


def test_every_licence_of_a_card_is_known_to_be_free_or_bound():
    bound = set()
    for kind in ("generators", "scorers", "embedders", "stylizers", "classifiers"):
        for name in names(kind):
            card = get(kind, name).card
            bound |= {
                name for w in [card.licence, *(one.licence for one in card.weights)] if not allows_sale(w, card.terms)
            }
    assert {"audioldm2", "musicgen", "svd", "effnet_danceability", "biggan", "resnet_genre"} <= bound
    assert not bound & {
        "ace_step",
        "diffusers_image",
        "wan",
        "clap",
        "laion_aesthetics",
        "sliced_transport",
        "house_synth",
        "blip",
    }
