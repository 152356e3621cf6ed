"""experiment=published and experiment=fast: the settings are the paper's, and both run end to end on tiny checkpoints."""

import json
from fractions import Fraction

import pytest

from spectrogrand import load_audio, load_video
from spectrogrand.__main__ import main
from spectrogrand.config import compose
from spectrogrand.registry import defaults, get
from spectrogrand.types import frame_count

VIDEOS = ("static", "dynamic_content", "dynamic_style", "motion")


def test_the_published_settings_are_the_papers():
    config = compose(["experiment=published", "topic=x", "weights=/models"])
    song, cover, motion = (
        defaults(get("generators", config[slot]["name"])) | config[slot] for slot in ("song", "cover", "motion")
    )
    assert (song["name"], song["prompt"]) == ("audioldm2", "Jumpy electronic house music for {topic}")
    assert (song["negative_prompt"], song["steps"], song["duration"]) == (
        "low quality, monotonous, boring",
        [600, 750],
        10.0,
    )
    assert (cover["name"], cover["steps"], cover["size"], cover["refiner"]) == ("sdxl", 200, 1024, False)
    assert cover["prompt"] == "{colour} colored album cover for music about {topic} that {word}"
    assert (motion["name"], motion["width"], motion["height"], motion["fps"]) == ("svd", 1024, 576, "10")
    assert config["selection"] == "published" and config["fps"] == "10" and config["size"] == 512
    weights = {
        name: entry["weight"] for slot in ("song_scorers", "cover_scorers") for name, entry in config[slot].items()
    }
    assert weights == {"clap_novelty": 1.0, "effnet_danceability": 1.0, "vila": 1.0, "mobilenet_surprise": 1.0}
    assert config["song_scorers"]["clap_novelty"]["scorer"]["reference"] == "all"
    assert config["song_scorers"]["effnet_danceability"]["scorer"]["pinned"] is True
    assert config["genre"]["name"] == "resnet_genre"
    assert config["spectrogram"] == {"seconds": 0.1, "colormap": "magma", "relative": "chunk"}
    stylizer = defaults(get("stylizers", "magenta")) | config["stylizer"]
    assert {k: stylizer[k] for k in ("name", "size", "strength")} == {
        "name": "magenta",
        "size": 512,
        "strength": 1.0,
    }
    assert config["videos"] == list(VIDEOS) and (config["songs"], config["covers"]) == (4, 4)
    bass = config["words"]["bass"]
    assert (list(bass["colours"]), list(bass["words"])) == (["black", "purple"], ["ascends", "explodes"])


def test_every_model_of_an_experiment_is_looked_for_in_one_folder():
    for experiment in ("published", "fast"):
        text = json.dumps(compose([f"experiment={experiment}", "topic=x", "weights=/models"]))
        assert '"/models"' in text
    config = compose(["experiment=published", "topic=x", "weights=/models"])
    for part in (config["song"], config["cover"], config["motion"], config["genre"], config["stylizer"]):
        assert part["weights"] == "/models"


@pytest.fixture(scope="module")
def weights(tmp_path_factory, shared):
    for module in ("torch", "diffusers", "transformers", "torchvision", "tensorflow", "essentia"):
        pytest.importorskip(module) if module != "tensorflow" and module != "essentia" else _found(module)
    import tiny_published

    return tiny_published.write(tmp_path_factory.mktemp("weights"), shared)


def _found(module):
    """Skip where it is not installed, without loading it: TensorFlow and essentia do not share a process."""
    import importlib.util

    if importlib.util.find_spec(module) is None:
        pytest.skip(f"no {module}")


def run(capsys, tmp_path, *words):
    code = main(["run", "topic=a futuristic spaceship", f"output={tmp_path}", "seed=1", *words])
    said = capsys.readouterr()
    assert code == 0, said.err
    folders = [p.parent for p in tmp_path.glob("*/run.json")]
    return folders[0], json.loads((folders[0] / "run.json").read_text("utf-8"))


def check(folder, record, fps):
    assert record["state"] == "finished" and not record["error"]
    song = load_audio(folder / "song.wav")
    for name in VIDEOS:
        video = load_video(folder / f"{name}.mp4")
        assert video.count == frame_count(song.duration, Fraction(fps))
    for slot in ("song", "cover"):
        candidates = record["choices"][slot]["candidates"]
        assert len(candidates) == 4 and not any(c["failed"] for c in candidates)
        assert all(v is not None for c in candidates for v in c["scores"].values())
    return song


@pytest.fixture
def alive(monkeypatch):
    """The names of the hub models that are loaded together, each time that one loads."""
    from spectrogrand.plugins.generators._hub_model import HubGenerator

    loaded, seen = {}, []
    load, close = HubGenerator.model, HubGenerator.close

    def model(self):
        made = load(self)
        loaded[id(self)] = self.name
        seen.append(sorted(loaded.values()))
        return made

    def closed(self):
        loaded.pop(id(self), None)
        close(self)

    monkeypatch.setattr(HubGenerator, "model", model)
    monkeypatch.setattr(HubGenerator, "close", closed)
    return seen


def test_the_published_pipeline_end_to_end(weights, tmp_path, capsys, alive):
    small = [
        "song.steps=[2,3]", "song.duration=3", "cover.steps=2", "cover.size=64", "size=64", "stylizer.size=64", "motion.width=64",
        "motion.height=64", "motion.frames=16", "motion.steps=1", "song_scorers.effnet_danceability.scorer.pinned=false",
    ]  # fmt: skip
    folder, record = run(capsys, tmp_path, "experiment=published", f"weights={weights}", *small)
    song = check(folder, record, 10)
    assert song.rate == 16000 and song.duration == 3
    scores = record["choices"]["song"]["candidates"][0]["scores"]
    assert set(scores) == {"clap_novelty", "effnet_danceability"}
    assert set(record["choices"]["cover"]["candidates"][0]["scores"]) == {"vila", "mobilenet_surprise"}
    genre = record["genre"]["chosen"]
    briefs = [c["brief"] for c in record["choices"]["cover"]["candidates"]]
    assert {b["genre"] for b in briefs} == {genre} and len({(b["colour"], b["word"]) for b in briefs}) == 4
    for slot in ("song", "cover", "motion", "genre", "stylizer"):
        assert record["parts"][slot]["identity"], slot
    assert record["parts"]["song"]["terms"] == "the weights are for non-commercial use"
    assert len(record["parts"]["cover"]["identity"]["weights"]) == 64
    assert {tuple(names) for names in alive} == {("audioldm2",), ("sdxl",), ("svd",)}, "one stage's model at a time"
    assert all(step["peak_mb"] for step in record["steps"])


def test_the_fast_one_end_to_end(weights, tmp_path, capsys):
    small = [
        "songs=4", "covers=4", "song.steps=2", "song.duration=3", "cover.steps=2", "cover.size=64", "size=64", "fps=8",
        "gates=[silence,blank_picture]",  # what a random model plays is noise, and fails as such
    ]  # fmt: skip
    folder, record = run(capsys, tmp_path, "experiment=fast", f"weights={weights}", *small)
    check(folder, record, 8)
    assert set(record["choices"]["song"]["candidates"][0]["scores"]) == {"clap_novelty", "clap_alignment"}
    assert set(record["choices"]["cover"]["candidates"][0]["scores"]) == {"laion_aesthetics", "cover_surprise"}


def test_without_weights_one_line_says_what_fetches_them_before_anything_is_made(tmp_path, capsys, monkeypatch):
    pytest.importorskip("torch")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "none"))
    monkeypatch.setenv("SPECTROGRAND_WEIGHTS", str(tmp_path / "none"))
    assert main(["run", "topic=x", "experiment=published", f"output={tmp_path / 'out'}"]) != 0
    said = capsys.readouterr().err
    assert "spectrogrand fetch" in said and "audioldm2" in said and "Traceback" not in said
    assert not list((tmp_path / "out").glob("*/songs/*"))
