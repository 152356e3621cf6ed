"""What is told before anything is made: second models, settings that no part takes, weights of another model."""

import json
import shutil
from types import SimpleNamespace

import numpy as np
import preflights
import pytest
import tiny_hub
import tiny_songs
import tiny_visuals
import tiny_walks

from spectrogrand import Audio, CoverBrief, Image, build, media
from spectrogrand.__main__ import main
from spectrogrand.config import compose
from spectrogrand.errors import ConfigError, InvalidValue, MediaError, MissingExtra, SpectrograndError
from spectrogrand.pipelines.execute import execute
from spectrogrand.plugins.generators.pictures import sdxl
from spectrogrand.weights import fetch as fetching
from spectrogrand.weights.hub import variant
from spectrogrand.weights.sources import remedy

torch = pytest.importorskip("torch")
pytest.importorskip("diffusers")


@pytest.fixture(autouse=True)
def empty_caches(tmp_path, monkeypatch):
    monkeypatch.setenv("SPECTROGRAND_WEIGHTS", str(tmp_path / "none"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "none"))


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A folder of weights, one folder per model."""
    place = tmp_path_factory.mktemp("weights")
    tiny_hub.sdxl(place / "sdxl")
    tiny_songs.musicgen(place / "musicgen")
    tiny_visuals.folder(place, "kandinsky")
    tiny_walks.folder(place, "biggan")
    media.save_audio(place / "song.wav", Audio(np.zeros((1, 800), np.float32), 8000))
    media.save_image(place / "cover.png", Image(np.full((32, 32, 3), 99, np.uint8)))
    return place


@pytest.fixture
def refined(weights, tmp_path):
    """The same with the refiner beside the base model."""
    shutil.copytree(weights / "sdxl", tmp_path / "models/sdxl")
    tiny_hub.sdxl_refiner(tmp_path / "models/sdxl_refiner")
    return tmp_path / "models"


# -- second models -----------------------------------------------------------------------------------------------------


def cover(weights=None, **settings):
    return {"cover": {"name": "sdxl", "weights": weights and str(weights), **settings}}


def test_the_refiner_is_in_the_table_and_in_the_one_command(capsys):
    with pytest.raises(MissingExtra) as caught:
        preflights.check(cover(refiner=True))
    said = str(caught.value)
    assert (
        "sdxl needs stabilityai/stable-diffusion-xl-base-1.0; sdxl needs stabilityai/stable-diffusion-xl-refiner"
        in said
    )
    assert "(26,100 MB)" in said and "Run: spectrogrand fetch sdxl refiner=true - or set weights=FOLDER" in said
    rows = [line for line in capsys.readouterr().err.splitlines() if "xl-refiner-1.0" in line]
    assert len(rows) == 1 and "12,200" in rows[0] and "RAIL" in rows[0]
    assert [n.source for n in preflights.needs(cover())] == ["stabilityai/stable-diffusion-xl-base-1.0"]


def test_the_refiner_is_looked_for_where_it_is_loaded_from(weights, refined):
    places = {n.source.partition("-xl-")[2]: n.here for n in preflights.check(cover(refined, refiner=True))}
    assert places == {"base-1.0": str(refined / "sdxl"), "refiner-1.0": str(refined / "sdxl_refiner")}
    base = refined / "sdxl"  # the base model's own folder is not taken for the refiner's
    assert [n.here for n in preflights.needs(cover(base, refiner=True))] == [str(base), None]
    preflights.check(cover(base, refiner=str(refined / "sdxl_refiner")))
    with pytest.raises(
        MissingExtra, match="sdxl needs stabilityai/stable-diffusion-xl-refiner-1.0. Run: spectrogrand fetch"
    ):
        preflights.check(cover(weights, refiner=True))
    with pytest.raises(InvalidValue, match="cover: .*sdxl is no refiner of Stable Diffusion XL"):
        preflights.check(cover(refined, refiner=str(base)))
    with pytest.raises(InvalidValue, match="cover: refiner=/nowhere is no folder"):
        preflights.check(cover(refined, refiner="/nowhere"))
    with pytest.raises(InvalidValue, match="refiner as true, false or a folder, got 1"):
        preflights.check(cover(refined, refiner=1))


@pytest.mark.parametrize("words, folders", [
    (["sdxl"], ["sdxl"]),
    (["sdxl", "refiner=true"], ["sdxl", "sdxl_refiner"]),
    (["kandinsky"], ["kandinsky_prior", "kandinsky_decoder"]),
])  # fmt: skip
def test_each_model_is_fetched_into_the_folder_in_which_it_is_looked_for(words, folders, tmp_path, monkeypatch):
    got = []
    monkeypatch.setattr(
        fetching, "_repository", lambda one, local, home: got.append((one.source.label, local)) or local
    )
    assert main(["fetch", *words, f"weights={tmp_path}"]) == 0
    assert [place for _, place in got] == [tmp_path / f for f in folders]
    assert (sdxl.REFINER_WEIGHTS.source.label in dict(got)) == ("sdxl_refiner" in folders)


def test_both_models_of_kandinsky_are_found_in_a_folder_of_weights(weights):
    found = preflights.check({"images": {"name": "kandinsky", "weights": str(weights)}})
    assert [n.here for n in found] == [str(weights / "kandinsky_prior"), str(weights / "kandinsky_decoder")]


def test_the_command_names_every_setting_that_chose_the_model_and_no_other():
    part = build("generators", {"name": "diffusers_image", "model": "a/b", "revision": "0" * 40, "steps": 7})
    command = remedy(part.card.weights[0], part)
    assert command == f"spectrogrand fetch diffusers_image model=a/b revision={'0' * 40}"


# -- settings ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words, said", [
    (["cover=sdxl", "cover.guidance=abc"], "cover: sdxl takes guidance as a number from 0.0 to 100.0, got 'abc'"),
    (["cover=sdxl", "cover.offload=disk"], "cover: sdxl has no offload 'disk'"),
    (["cover=sdxl", "cover.size=100"], "cover: sdxl draws size in multiples of 8 pixels, got 100: size=96"),
    (["cover=sdxl", "cover.dtype=float17"], "cover: sdxl has no dtype 'float17'; did you mean 'float1"),
    (["cover=sdxl", "cover.dtype=float16", "cover.device=cpu"], "cover: float16 overflows and is slow on a CPU"),
    (["cover=sdxl", "cover.device=cuda:7"], "cover: device 'cuda:7' is not on this machine"),
    (["cover=sdxl", "cover.device=gpu"], "cover: no device 'gpu'"),
    (["cover=sdxl", "cover.scheduler=DPM"], "cover: sdxl cannot sample with scheduler 'DPM'"),
    (["cover=diffusers_image", "cover.weights={weights}/musicgen"], "holds no pipeline, diffusers_image runs pipelines"),
    (["cover=diffusers_image", "cover.model=flux"], "cover: diffusers_image takes model as OWNER/NAME"),
    (["motion=svd", "motion.weights={weights}/sdxl"], "motion: .* holds a StableDiffusionXLPipeline, svd runs StableVideoD"),
    (["song=musicgen", "song.melody={weights}/song.wav"], "song: .*musicgen cannot follow a melody"),
    (["song_scorers=[clap_alignment]", "song=file", "song.path={weights}/song.wav", "topic=null"],
     "song_scorers.clap_alignment: scorers 'clap_alignment' needs topic"),
    (["cover=music_cover"], "cover=music_cover draws from AlbumBrief, the slot gives CoverBrief"),
    (["pipeline=image_to_music", "captioner=mir_caption", "picture={weights}/cover.png"], "captioner=mir_caption draws from Aud"),
    (["cover_scorers.finish.weight=much"], "cover_scorers.finish needs a scorer and a weight, a number"),
    (["cover_scorers.finish.scorer={name: novelty}"], "cover_scorers.finish: .*novelty"),
    (["genre=timm_genre", "genre.dtype=half"], "genre: .*dtype 'half'"),
    (["stylizer=magenta", "stylizer.backend=tflite"], "stylizer: no magenta backend 'tflite'; did you mean 'litert'"),
    (["pipeline=latent_visualizer", "walk=biggan", "walk.resolution=512"],
     "walk: the weights draw 128 pixels, not 512: set walk.resolution=128"),
    (["pipeline=music_visuals", "images=kandinsky", "images.scheduler=none"], "images: kandinsky cannot sample with schedul"),
    (["pipeline=album_cover", "song=house_synth", "cover=fused_diffusion", "cover.weights={weights}/sdxl",
      "cover.fusion=/no.safetensors"], "fused_diffusion finds no /no.safetensors"),
])  # fmt: skip
def test_a_setting_that_no_part_takes_is_told_before_anything_is_made(words, said, weights, tmp_path):
    given = [w.replace("{weights}", str(weights)) for w in words]
    config = compose(["topic=the sea", f"weights={weights}", f"output={tmp_path / 'out'}", *given])
    with pytest.raises(SpectrograndError, match=said) as caught:
        execute(config)
    assert "\n" not in str(caught.value) and not (tmp_path / "out").exists()


def test_a_melody_that_is_not_there_is_told_before_anything_is_made(weights, tmp_path):
    tiny_songs.musicgen(tmp_path / "melody", melody=True)
    song = {"name": "musicgen", "weights": str(tmp_path / "melody"), "melody": str(tmp_path / "a.wav")}
    with pytest.raises(MediaError, match="song: no sound file .*a.wav"):
        preflights.check({"song": song})
    media.save_audio(tmp_path / "a.wav", Audio(np.zeros((1, 800), np.float32), 8000))
    preflights.check({"song": song})


def test_a_file_of_one_s_own_that_nobody_named_is_asked_for():
    with pytest.raises(ConfigError, match="cover_file reads your own picture and none is named: set cover.path=FILE"):
        preflights.build({"cover": {"name": "cover_file", "path": None}})


# -- files -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def half(weights, tmp_path):
    """The model as some repositories hold it: float16 files and no others."""
    from diffusers import StableDiffusionXLPipeline

    made = StableDiffusionXLPipeline.from_pretrained(weights / "sdxl", torch_dtype=torch.float16)
    made.save_pretrained(tmp_path / "sdxl", variant="fp16", max_shard_size="20KB")
    return tmp_path / "sdxl"


def test_a_model_that_has_only_float16_files_is_loaded(weights, half):
    names = [p.name for p in (half / "unet").iterdir()]
    assert not any(".fp16" not in n for n in names if n.endswith(".safetensors")) and len(names) > 4, (
        "shards of float16"
    )
    settings = {"name": "sdxl", "steps": 2, "size": 32, "device": "cpu"}
    brief = [CoverBrief("a city", "bass", "black", "ascends")]
    one, other = (
        build("generators", {**settings, "weights": str(w)}).generate(brief, [0])[0].pixels.astype(float)
        for w in (half, weights / "sdxl")
    )
    assert np.abs(one - other).mean() < 3, "the same picture within what float16 rounds"
    preflights.check(cover(half))
    shard = next(half.glob("unet/*-00002-of-*"))
    shard.unlink()
    with pytest.raises(MissingExtra, match=f"incomplete, it lacks unet/{shard.name}"):
        build("generators", {**settings, "weights": str(half)}).generate(brief, [0])


def test_the_usual_files_are_taken_where_both_are_there(tmp_path):
    (tmp_path / "model.fp16.safetensors").touch()
    assert variant(tmp_path) == "fp16"
    (tmp_path / "model.safetensors").touch()
    assert variant(tmp_path) is None
    names = [
        "config.json",
        "model.fp16.safetensors",
        "model-00001-of-00003.safetensors",
        "model.fp16-00001-of-00002.safetensors",
    ]
    assert fetching.wanted_of(names) == [names[0], names[2]]


def test_a_pipeline_whose_network_has_another_name_is_run(weights):
    part = build("generators", {"name": "diffusers_image", "weights": str(weights / "sdxl"), "steps": 1, "size": 32})
    pipe = part.model()
    bare = SimpleNamespace(scheduler=pipe.scheduler, to=lambda place: None, vae=pipe.vae)
    assert part._placed(bare, "cpu") is bare
    part.compile = True
    with pytest.raises(SpectrograndError, match="finds nothing to compile in a SimpleNamespace: compile=false"):
        part._placed(bare, "cpu")


def test_the_record_says_where_a_second_model_came_from(refined):
    part = build("generators", {"name": "sdxl", "weights": str(refined), "refiner": True})
    assert [w.source.label for w in part.card.weights] == [
        "stabilityai/stable-diffusion-xl-base-1.0", sdxl.REFINER_WEIGHTS.source.label,
    ]  # fmt: skip
    assert json.loads(json.dumps([w.record() for w in part.card.weights]))[1]["folder"] == "sdxl_refiner"
