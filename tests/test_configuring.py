"""Words on the command line mean what they say, whatever characters they hold; every config fits its class."""

import inspect
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from spectrogrand import registry
from spectrogrand.config import compose, conf_folder, words_for_hydra
from spectrogrand.errors import ConfigError, UnknownName
from spectrogrand.pipelines.execute import all_slots

CONF = conf_folder()
PARTS = {"song", "cover", "motion", "stylizer", "genre", "text", "captioner"}


@settings(max_examples=25, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40))
@example("My Song (Mix), Pt 2.mp3")
@example("${oc.env:HOME}")
@example("\\${oc.env:HOME} \\\\${a}")
@example("???")
@example('it\'s a "quote" \\')
@example("\\'")
@example("--multirun")
@example("a=b,c={d}[e]:f*g#h~!")
@example("🚀 na\u00efve")
@example("null ")
@example("1e3")
@example(" lead and trail ")
def test_free_text_arrives_as_typed(text):
    config = compose([f"topic={text}", f"output={text}"])
    assert config["topic"] == text
    assert config["output"] == text


def test_null_is_not_a_topic():
    assert compose(["topic=null"])["topic"] is None


def test_paths_inside_slots_are_text():
    for word in (
        ("pipeline=latent_visualizer", "vectors=a (1), it's/v.safetensors"),
        ("pipeline=music_visuals", "artworks=a (1), it's.png"),
    ):
        key, _, path = word[1].partition("=")
        assert compose([*word])[key] == path
    assert compose(["pipeline=music_visuals", "artworks=[a.png,b.jpg]"])["artworks"] == ["a.png", "b.jpg"]
    assert compose(["pipeline=music_visuals", "artworks=null"])["artworks"] is None
    config = compose(["song=file", "song.path=My Song (Mix), Pt 2.mp3", "topic=x"])
    assert config["song"] == {"name": "song_file", "path": "My Song (Mix), Pt 2.mp3"}


def test_topics_become_a_sweep(tmp_path):
    file = tmp_path / "topics.txt"
    file.write_text("\ufeff# mine\na, b\n\nit's ${x}\n", "utf-8")
    assert words_for_hydra([f"topics={file}", "seed=0,1"]) == [
        "--multirun",
        r"topic='a, b','it\'s \${x}'",
        "seed=0,1",
    ]


@pytest.mark.parametrize(
    ("content", "message"), [("", "holds no topics"), (None, "cannot read topics"), (b"\xff\xfe\x00", "cannot read")]
)
def test_topics_that_cannot_be_read(tmp_path, content, message):
    file = tmp_path / "topics.txt"
    if content is not None:
        file.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(ConfigError, match=message):
        words_for_hydra([f"topics={file}"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["topc=x"], "no setting 'topc'; did you mean 'topic'"),
        (["song=hose_synth"], "no choice 'hose_synth' for song; did you mean 'house_synth'"),
        (["cover_scorers=[aesthetics,cover_suprise]"], "no choice 'cover_suprise' for cover_scorers; did you mean"),
        (
            ["song=file", "song.pth=x"],
            r"no setting 'song.pth'; did you mean 'song.path'\? \(known: song.name, song.path\)",
        ),
        (["song.tmpo=120"], r"no setting 'song.tmpo'; did you mean 'song.tempo'"),
    ],
)
def test_unknown_words_name_the_nearest(words, message):
    with pytest.raises(UnknownName, match=message):
        compose(words)


def test_compose_is_for_one_run(tmp_path):
    (tmp_path / "topics.txt").write_text("a\nb\n")
    for words in (["topic=a", "-m"], [f"topics={tmp_path / 'topics.txt'}"]):
        with pytest.raises(ConfigError, match="the config of one run"):
            compose(words)


def test_bare_words_are_refused():
    with pytest.raises(ConfigError, match="write name=value"):
        compose(["spaceship"])


def _named_parts(node, slot=""):
    """(slot, mapping) of everything in a YAML that names a plug-in."""
    if isinstance(node, dict):
        if isinstance(node.get("name"), str):
            yield slot, node
        for key, value in node.items():
            yield from _named_parts(value, key)


def _kind(path: Path, slot: str) -> str:
    group = path.parent.name
    return KINDS.get(slot) or KINDS[group]


KINDS = {slot: wanted.kind.kind for slot, wanted in all_slots().items()} | {
    "gates": "gates", "scorer": "scorers", "lyrics": "embedders", "sound_embedder": "embedders", "music": "generators",
}  # fmt: skip
"""Kinds of the slots, and of the settings under which a YAML names a plug-in inside another."""


FILES = sorted(
    p for p in CONF.glob("*/*.yaml") if p.parent.name not in ("experiment", "pipeline", "words", "movements")
)


@pytest.mark.parametrize("path", FILES, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_every_config_binds_to_its_class(path):
    found = list(_named_parts(yaml.safe_load(path.read_text("utf-8"))))
    assert found, "a slot's config names a plug-in"
    for slot, settings_ in found:
        cls = registry.get(_kind(path, slot), settings_["name"])
        options = inspect.signature(cls).parameters
        given_ = {k for k in settings_ if k != "name"}
        assert given_ <= set(options), f"{settings_['name']} has no {given_ - set(options)}"


@pytest.mark.parametrize(
    "path", [p for p in FILES if p.parent.name in PARTS], ids=lambda p: f"{p.parent.name}/{p.stem}"
)
def test_every_option_of_a_slot_is_in_its_config(path):
    """Hydra refuses options that a YAML does not list, so each YAML lists them all."""
    settings_ = yaml.safe_load(path.read_text("utf-8"))
    cls = registry.get(KINDS[path.parent.name], settings_["name"])
    assert set(inspect.signature(cls).parameters) == set(settings_) - {"name"}


def test_no_config_names_a_python_object():
    for path in CONF.rglob("*.yaml"):
        assert "_target_" not in path.read_text("utf-8"), path


@pytest.mark.parametrize(("slot", "advice"), [("motion", "motion=NAME for another"), ("gates", r"gates=\[\] for none"),
                                             ("song_scorers", r"song_scorers=\[\] for none")])  # fmt: skip
def test_a_slot_that_is_set_to_null_is_told_by_its_name(slot, advice):
    with pytest.raises(ConfigError, match=f"{slot} cannot be null: set {advice}"):
        compose(["topic=the sea", f"{slot}=null"])
    if "none" in advice:
        assert not compose(["topic=the sea", f"{slot}=[]"]).get(slot)


def test_prompts_and_melodies_are_text_and_not_the_grammar_of_the_settings():
    prompt, other = "a {colour} cover, about {topic}: it's (100 %)", "blurry, ugly [text]"
    made = compose(["topic=x", "cover=sdxl", f"cover.prompt={prompt}", f"cover.negative_prompt={other}", "song=musicgen",
                    "song.melody=~/my songs/a (1).wav"])  # fmt: skip
    assert (made["cover"]["prompt"], made["cover"]["negative_prompt"]) == (prompt, other)
    assert made["song"]["melody"] == "~/my songs/a (1).wav"
    assert compose(["topic=x", "cover=sdxl", "cover.negative_prompt=null"])["cover"]["negative_prompt"] is None
    assert compose(["topic=x", "cover=sdxl", "cover.prompt='{topic}, seen'"])["cover"]["prompt"] == "{topic}, seen"
    assert words_for_hydra(["-m", "data.prompt=a,b"]) == ["-m", "data.prompt=a,b"], "a sweep over two"


def test_a_slot_of_another_pipeline_is_an_unknown_setting():
    """conf/ has a folder of captioners, but a video from a topic reads no picture."""
    with pytest.raises(UnknownName, match="no setting 'captioner'"):
        compose(["captioner=picture_words", "stylizer=sliced_transport"])
    with pytest.raises(UnknownName, match="no setting 'captioner'"):
        compose(["pipeline=audiovisual", "experiment=musicgenai"])
    assert compose(["experiment=musicgenai"])["pipeline"] == "image_to_music", "an experiment brings its pipeline"
