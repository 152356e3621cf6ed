"""Preflight: what the chosen parts need is told in one table before anything is made, and what is missing in one error."""

from __future__ import annotations

import io
import json
import subprocess
import sys

import preflights
import pytest

from spectrogrand import registry
from spectrogrand.config import compose
from spectrogrand.errors import ConfigError, InvalidValue, MissingExtra
from spectrogrand.pipelines.execute import execute
from spectrogrand.provenance import fingerprint
from spectrogrand.runs import needs as needs_table
from spectrogrand.runs import preflight
from spectrogrand.weights import fetch as fetching
from spectrogrand.weights.sources import remedy

PUBLISHED = {
    "song_scorers": {
        "clap_novelty": {"scorer": {"name": "clap_novelty", "embedder": {"name": "clap"}}, "weight": 1.0},
        "effnet_danceability": {"scorer": {"name": "effnet_danceability"}},
        "nothing": None,
    },
    "cover_scorers": {"vila": {"scorer": {"name": "vila"}}},
    "stylizer": {"name": "magenta", "backend": "tfhub"},
    "gates": {"silence": {"name": "silence"}},
}


@pytest.fixture(autouse=True)
def empty_caches(tmp_path, monkeypatch):
    monkeypatch.setenv("SPECTROGRAND_WEIGHTS", str(tmp_path / "none"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hf/hub"), raising=False)


def test_the_default_needs_nothing_and_shows_nothing(capsys):
    config = compose(["topic=the sea"])
    assert preflights.needs(config) == [] and preflights.check(config) == []
    assert capsys.readouterr() == ("", "")


def test_nested_parts_scorers_and_gates_are_found():
    found = {(where, name) for where, _, name in preflights.chosen(PUBLISHED)}
    assert ("song_scorers.clap_novelty.embedder", "clap") in found
    assert ("gates.silence", "silence") in found and ("stylizer", "magenta") in found and len(found) == 6


def test_everything_that_is_missing_is_one_error_with_one_command():
    with pytest.raises(MissingExtra) as caught:
        preflights.check(PUBLISHED)
    said = str(caught.value)
    assert said == (
        "not here (2,322 MB): what magenta, clap_novelty, clap, effnet_danceability, vila need, see the table. Run: "
        "spectrogrand fetch magenta backend=tfhub && spectrogrand fetch clap_novelty clap effnet_danceability vila "
        "- or set weights=FOLDER"
    )
    few = [n for n in preflights.needs(PUBLISHED) if n.name in ("clap", "vila")]
    assert "clap needs laion/clap-htsat-fused; vila needs tfhub.dev: google/vila" in preflight.refusal(few)


@pytest.mark.parametrize("experiment", ["published", "fast", "musicgenai"])
def test_all_that_an_experiment_lacks_is_one_readable_line_and_nothing_of_the_table_is_cut_off(experiment, capsys):
    picture = ["picture=x.png"] if experiment == "musicgenai" else []
    with pytest.raises(MissingExtra) as caught:
        preflights.check(compose(["topic=the sea", f"experiment={experiment}", *picture]))
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 400
    table = capsys.readouterr().err
    assert "…" not in table
    if experiment == "published":  # what is got by hand is told in full, below the table
        assert (
            "resnet_genre: get resnet_101_genre_classifier.safetensors from https://www.kaggle.com/datasets/vijay"
            in table
        )


def test_the_table_tells_size_licence_terms_and_what_gets_it():
    from rich.console import Console

    console = Console(file=io.StringIO(), width=400)
    console.print(needs_table.table(preflights.needs(PUBLISHED)))
    text = console.file.getvalue()
    row = next(line for line in text.splitlines() if "discogs-effnet-bs64" in line)
    for part in ("18", "CC BY-NC-SA 4.0", "non-commercial", "missing: spectrogrand fetch effnet_danceability"):
        assert part in row
    assert "615" in next(line for line in text.splitlines() if "laion/clap-htsat-fused" in line)


def test_what_is_here_is_found_in_the_weights_folder(tmp_path):
    for name in ("discogs-effnet-bs64-1.pb", "danceability-discogs-effnet-1.pb"):
        (tmp_path / "effnet_danceability").mkdir(exist_ok=True)
        (tmp_path / "effnet_danceability" / name).write_bytes(b"graph")
    (tmp_path / "vila").mkdir()
    (tmp_path / "vila/saved_model.pb").write_bytes(b"")  # what an interrupted copy leaves is not here
    scorers = [{"name": n, "weights": str(tmp_path)} for n in ("effnet_danceability", "vila")]
    found = preflights.needs(
        {"song_scorers": {"a": {"scorer": scorers[0]}}, "cover_scorers": {"b": {"scorer": scorers[1]}}}
    )
    assert [n.here is not None for n in found] == [True, True, False]


def test_a_missing_extra_is_told_with_its_install_line(monkeypatch):
    real = preflight.importlib.util.find_spec
    monkeypatch.setattr(preflight.importlib.util, "find_spec", lambda m: None if m == "tensorflow" else real(m))
    found = preflights.needs({"cover_scorers": {"vila": {"scorer": {"name": "vila"}}}})
    assert found[0].remedy == "pip install 'spectrogrand[tfhub]'" and found[0].here is None
    with pytest.raises(MissingExtra, match=r"pip install 'spectrogrand\[tfhub\]' && spectrogrand fetch vila"):
        preflights.check({"cover_scorers": {"vila": {"scorer": {"name": "vila"}}}})


def test_the_list_says_which_weights_are_missing():
    from spectrogrand.runs.listing import rows

    states = {r["name"]: r["state"] for r in rows(["scorers"])}
    assert states["novelty"] == "ready"
    assert states["clap_novelty"] == "needs weights: spectrogrand fetch clap_novelty"
    assert states["mobilenet_surprise"] == "needs weights: spectrogrand fetch mobilenet_surprise"
    genre = {r["name"]: r["state"] for r in rows(["classifiers"])}["resnet_genre"]
    assert genre.startswith("needs weights: get resnet_101_genre_classifier.safetensors from https://www.kaggle.com/")
    assert genre.endswith("then spectrogrand fetch resnet_genre from=DOWNLOADED")


def test_a_run_stops_before_it_makes_anything(tmp_path):
    config = compose(["topic=the sea", f"output={tmp_path / 'out'}", "cover_scorers=[aesthetics,vila]"])
    with pytest.raises(MissingExtra, match="spectrogrand fetch vila"):
        execute(config)
    assert not (tmp_path / "out").exists()


def test_what_no_wanted_video_uses_need_not_be_here(tmp_path):
    """Songs and covers on a machine without the models of motion and style."""
    words = [
        "topic=the sea", f"output={tmp_path}", "songs=1", "covers=1", "song.duration=2", "size=64", "fps=4",
        "motion=svd", "stylizer=magenta",
    ]  # fmt: skip
    for videos, missing in {
        "motion": "svd needs stab[^;]*Run",
        "static,dynamic_style": "magenta needs [^;]*; magenta",
    }.items():
        with pytest.raises(MissingExtra, match=missing):
            execute(compose([*words, f"videos=[{videos}]"]))
    report = execute(compose([*words, "videos=[static]"]))
    record = json.loads((report.parent / "run.json").read_text("utf-8"))
    assert list(record["videos"]) == ["static"] and not {"motion", "stylizer"} & set(record["parts"])


def test_it_asks_no_network_and_loads_no_model_library():
    """In a process of its own: offline costs no more than looking into folders."""
    code = """
import sys
asked = []
sys.addaudithook(lambda event, args: asked.append(event) if event in ("socket.connect", "socket.getaddrinfo") else None)
from spectrogrand import registry
from spectrogrand.pipelines.execute import all_slots
from spectrogrand.runs import preflight
from spectrogrand.weights import fetch
scorer = {"name": "clap_novelty", "embedder": {"name": "clap"}}
config = {"song_scorers": {"a": {"scorer": scorer}}, "cover_scorers": {"b": {"scorer": {"name": "vila"}}}}
preflight.needs(preflight.build(config, all_slots()))
loaded = {m.split(".")[0] for m in sys.modules}
print(asked + sorted(loaded & {"torch", "tensorflow", "transformers", "diffusers"}))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.strip() == "[]"


def test_weights_to_be_trained_and_settings_out_of_range_are_told_before_anything_is_made(tmp_path):
    pytest.importorskip("timm")
    words = ["topic=the sea", f"output={tmp_path / 'runs'}"]
    with pytest.raises(
        MissingExtra,
        match="timm_genre needs weights that you train. By hand: get genre.safetensors from python train/genre.py",
    ):
        execute(compose([*words, "genre=timm_genre"]))
    with pytest.raises(InvalidValue, match="stylizer: .*smoothing"):
        execute(compose([*words, "stylizer=magenta", "stylizer.smoothing=7"]))
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("kind, config, command", [
    ("stylizers", {"name": "magenta", "backend": "tfhub"}, "magenta backend=tfhub"),
    ("generators", {"name": "diffusers_image", "model": "a/b"}, "diffusers_image model=a/b"),
    ("generators", {"name": "musicgen", "model": "facebook/musicgen-melody"}, "musicgen model=facebook/musicgen-melody"),
    ("scorers", {"name": "laion_aesthetics", "head": "linear"}, "laion_aesthetics head=linear"),
])  # fmt: skip
def test_the_command_fetches_the_model_that_was_chosen(kind, config, command, monkeypatch):
    part = registry.build(kind, config)
    assert remedy(part.card.weights[-1], part) == f"spectrogrand fetch {command}"
    got = []
    monkeypatch.setattr(fetching, "fetch", lambda name, sources, folder: got.append((name, sources, folder)) or [])
    assert fetching.main([*command.split(), "weights=here"]) == 0
    assert got == [(config["name"], part.card.weights, "here")]
    with pytest.raises(ConfigError, match="fetch it alone"):
        fetching.main([*command.split(), "clap"])


def test_what_no_command_gets_is_not_among_the_commands_to_run():
    with pytest.raises(MissingExtra) as caught:
        preflights.check({**PUBLISHED, "genre": {"name": "resnet_genre"}})
    run, _, by_hand = str(caught.value).partition(". By hand: ")
    assert run.endswith("effnet_danceability vila") and by_hand == "resnet_genre - or set weights=FOLDER"
    with pytest.raises(
        MissingExtra, match=r"needs www.kaggle.com.*By hand: get resnet_101_genre_classifier.safetensors from"
    ):
        preflights.check({"genre": {"name": "resnet_genre"}})


def test_a_nested_part_may_be_named_by_a_word_and_a_word_that_names_none_is_no_part():
    config = {"song_scorers": {"novel": {"scorer": {"name": "clap_novelty", "embedder": "clap"}}},
              "song": {"name": "house_synth", "genre": "bass"}}  # fmt: skip
    found = {(kind, name) for _, kind, name in preflights.chosen(config)}
    assert found == {
        ("scorers", "clap_novelty"),
        ("embedders", "clap"),
        ("generators", "house_synth"),
        ("embedders", "lexicon"),
    }


def test_a_word_under_a_slot_s_name_is_no_part_of_the_fingerprint():
    song = registry.build("generators", {"name": "house_synth", "genre": "bass", "text": "lexicon"})
    assert list(fingerprint(song)["parts"]) == ["text"]
