"""Words on the command line mean what they say, whatever characters they hold; every config fits its class."""

import inspect
import json
import logging
import logging.config
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import assume, example, given, settings
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
    assume(text != "null")  # no topic, or the output of the defaults
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
    assert config["song"]["path"] == "My Song (Mix), Pt 2.mp3"


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
            r"no setting 'song.pth'; did you mean 'song.path'\? \(known: song.end, song.metre, song.name, song.path, ",
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


@pytest.mark.parametrize(
    ("words", "where", "value"),
    [
        (["cover.title=Hello, World"], ("cover", "title"), "Hello, World"),
        (["cover.title=Blue (Live)"], ("cover", "title"), "Blue (Live)"),
        (["song=musicgen", "song.prompt={a: b}"], ("song", "prompt"), "{a: b}"),
        (["song=musicgen", "song.duration=2.5"], ("song", "duration"), 2.5),
        (["song.tempo=null"], ("song", "tempo"), None),
    ],
)
def test_options_that_are_text_by_type_arrive_as_typed(words, where, value):
    assert compose(["topic=x", *words])[where[0]][where[1]] == value


@pytest.fixture
def stranger(tmp_path, monkeypatch):
    """An installed package with a cover generator that has weights of its own, a scorer, and a whole pipeline."""
    (tmp_path / "stranger.py").write_text('''
import numpy as np
from dataclasses import dataclass
from pathlib import Path
from spectrogrand import Audio, Card, CoverBrief, CreativityScorer, Generator, Image, Topic
from spectrogrand.checks import text, whole
from spectrogrand.pipelines._settings import Common
from spectrogrand.runs.slots import Slot


class Ink(Generator):
    """One colour, read from a file of weights."""
    source, artefact, card = CoverBrief, Image, Card("a cover of one colour", licence="MIT")

    def __init__(self, weights: str | None = None, caption: str = "", side: int = 8):
        self.weights, self.caption, self.side = weights, caption, side

    def identity(self):
        return {"weights": Path(str(self.weights)).read_bytes().hex()}

    def generate(self, sources, seeds):
        level = Path(str(self.weights)).read_bytes()[0]
        return [Image(np.full((self.side, self.side, 3), (level + s) % 256, np.uint8)) for s in seeds]


class Dark(CreativityScorer):
    """How dark a cover is."""
    aspect, artefact, card = "value", Image, Card("how dark a cover is", licence="MIT")

    def score(self, batch):
        return np.array([255 - i.pixels.mean() for i in batch], np.float64)


SLOTS = {"cover": Slot(Generator, CoverBrief, Image)}


@dataclass(frozen=True, kw_only=True)
class Settings(Common):
    covers: int = whole(1, 9, default=2)
    motto: str | None = text(default=None)


def run(run, s):
    run.best("cover", [CoverBrief(s.subject, "bass", "black", "ascends")] * s.covers)
    run.note(motto=s.motto)
''')
    info = tmp_path / "stranger-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: stranger\nVersion: 1\n")
    (info / "entry_points.txt").write_text(
        "[spectrogrand.plugins]\ngenerators.ink = stranger:Ink\nscorers.dark = stranger:Dark\n"
        "[spectrogrand.pipelines]\nposter = stranger\n"
    )
    (tmp_path / "ink.bin").write_bytes(b"\x40")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(CONF.parent)])}
    return lambda *words: subprocess.run(
        [sys.executable, "-m", "spectrogrand", *words], capture_output=True, text=True, env=environment, cwd=tmp_path
    )


def test_a_stranger_s_plugins_and_pipeline_run_list_and_sweep_without_a_line_of_ours(stranger, tmp_path):
    listed = json.loads(stranger("list", "--json").stdout)
    assert {("generators", "ink"), ("scorers", "dark")} <= {(r["kind"], r["name"]) for r in listed}
    words = ["topic=x", "cover=ink", f"cover.weights={tmp_path / 'ink.bin'}", "cover_scorers=[dark]", "gates=[]"]
    done = stranger("run", "pipeline=poster", *words, "cover.caption=a, b: (c)", "motto=d, e (f)")
    assert done.returncode == 0, done.stderr
    record = json.loads((tmp_path / Path(done.stdout.strip()).parent / "run.json").read_text())
    assert record["motto"] == "d, e (f)" and record["config"]["cover"]["caption"] == "a, b: (c)"
    assert record["choices"]["cover"]["chosen"] == 0 and record["parts"]["cover"]["licence"] == "MIT"
    swept = stranger("run", "-m", "pipeline=poster", *words, "seed=0,1", "cover.side=4,6")
    assert swept.returncode == 0 and len(swept.stdout.split()) == 4, swept.stderr
    wrong = stranger("run", "pipeline=poster", *words, "cover.syde=4")
    assert wrong.returncode == 2 and "syde" in wrong.stderr and wrong.stderr.count("\n") == 1


def test_the_loggers_of_the_program_around_are_left_alone(tmp_path, monkeypatch):
    """Hydra's own set-up closes every handler of the process, and so the files that they write to."""
    from conftest import CLOSE_HANDLERS

    from spectrogrand.__main__ import main

    closed = []
    monkeypatch.setattr(logging.config, "_clearExistingHandlers", lambda: closed.append(CLOSE_HANDLERS))

    class Kept(logging.Handler):
        shut = False

        def close(self):
            self.shut = True
            super().close()

    handler = Kept()
    logging.getLogger("around").addHandler(handler)
    try:
        assert main(["run", "topic=x", "songs=0", f"output={tmp_path}"]) != 0
        assert not closed and not handler.shut and not logging.getLogger("around").disabled
    finally:
        logging.getLogger("around").removeHandler(handler)
