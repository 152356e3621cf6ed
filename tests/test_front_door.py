"""The Python front door: pipelines with plain values, results as values and rows, functions as scorers, keys of notebook code."""

import json
import subprocess
import sys
import textwrap

import numpy as np
import pytest
import toys  # noqa: F401  # registers toy plug-ins

import spectrogrand as sg
from spectrogrand import registry
from spectrogrand.errors import ConfigError, InvalidValue, StoreError, UnknownName
from spectrogrand.provenance import source_hash

SMALL = {
    "songs": 2, "covers": 2, "size": 32, "fps": 4, "song": {"name": "toy_song"}, "cover": {"name": "toy_cover"}, "gates": [],
    "song_scorers": {}, "cover_scorers": {}, "videos": ["static"],
}  # fmt: skip


@pytest.fixture
def forgotten():
    """Plug-ins that a test registers are forgotten after it."""
    before = dict(registry._classes)
    yield
    registry._classes.clear()
    registry._classes.update(before)


def test_dir_shows_public_names_alone():
    assert set(dir(sg)) == set(sg.__all__) and {
        "run",
        "compose",
        "load_run",
        "Result",
        "build",
        "list",
        "scorer",
    } <= set(dir(sg))
    assert not {"importlib", "Any", "annotations"} & set(dir(sg))
    for name in dir(sg):
        assert getattr(sg, name) is not None


def test_a_run_gives_values_and_rows(tmp_path):
    result = sg.run("audiovisual", topic="a, b (c) ${x}", output=tmp_path, **SMALL)
    assert result.record["topic"] == "a, b (c) ${x}"
    assert isinstance(result.song, sg.Audio) and isinstance(result.cover, sg.Image)
    rows = result.candidates("song")
    assert [r["index"] for r in rows] == [0, 1] and sum(r["chosen"] for r in rows) == 1
    assert isinstance(result.candidate("cover", 1), sg.Image)
    assert result.frames("static").count == len(list(result.frames("static")))
    again = sg.load_run(result.folder)
    assert again.record == result.record and "toy" not in again.why("nothing")
    assert "<video" in result._repr_html_() and "data:image/png" in result._repr_html_()
    with pytest.raises(ConfigError, match="no video 'motion', only static"):
        result.frames("motion")
    with pytest.raises(StoreError, match="no readable run.json"):
        sg.load_run(tmp_path)


def test_rows_become_a_table(tmp_path):
    pandas = pytest.importorskip("pandas")
    result = sg.run(topic="x", output=tmp_path, **SMALL)
    table = result.to_pandas()
    assert isinstance(table, pandas.DataFrame) and set(table["slot"]) == {"song", "cover"} and len(table) == 4


def test_a_built_plugin_fills_a_slot_and_misspellings_are_refused(tmp_path):
    result = sg.run(
        topic="x", output=tmp_path, **{**SMALL, "song": sg.generator("house_synth", duration=1.0), "songs": 1}
    )
    assert result.record["config"]["song"]["duration"] == 1.0 and float(result.song.duration) == 1.0
    with pytest.raises(UnknownName, match="no setting 'sonng'; did you mean 'song'"):
        sg.run(topic="x", output=tmp_path, sonng="house_synth")
    assert sg.compose(["topic=x"], {"seed": 7, "topic": "${seed}"})["topic"] == "${seed}"


def test_a_function_becomes_a_scorer_and_its_source_is_its_key(tmp_path, forgotten):
    @sg.scorer("mean_red", aspect="value", artefact=sg.Image)
    def mean_red(image):
        """How red a picture is."""
        return image.pixels[..., 0].mean()

    assert sg.build("scorers", "mean_red").card.summary == "How red a picture is."
    result = sg.run(topic="x", output=tmp_path, **{**SMALL, "cover_scorers": ["mean_red"]})
    reds = [result.candidate("cover", k).pixels[..., 0].mean() for k in range(2)]
    assert [row["mean_red"] for row in result.candidates("cover")] == pytest.approx(reds)
    with pytest.raises(InvalidValue, match="aspect is one of"):
        sg.scorer("x", aspect="beauty", artefact=sg.Image)


def test_a_torchmetrics_metric_becomes_a_scorer(forgotten):
    pytest.importorskip("torch")
    image = pytest.importorskip("torchmetrics.image")
    made = sg.scorer("variation", aspect="surprise", artefact=sg.Image)(image.TotalVariation())()
    flat, noisy = np.zeros((8, 8, 3), np.uint8), np.random.default_rng(0).integers(0, 255, (8, 8, 3)).astype(np.uint8)
    scores = made.score([sg.Image(flat), sg.Image(noisy)])
    steps = [np.abs(np.diff(noisy.astype(float), axis=axis)).sum() for axis in (0, 1)]
    assert scores[0] == 0 and scores[1] == pytest.approx(sum(steps) / 255)


NOTEBOOK = """
import numpy as np, spectrogrand as sg
from spectrogrand.provenance import source_hash
FACTOR = {factor}
def helper(x):
    return [v for v in [x.{reduce}()]][0] * FACTOR
@sg.register("typed")
class Typed(sg.CreativityScorer):
    card, aspect, artefact = sg.Card("typed into a notebook"), "value", sg.Image
    def score(self, batch):
        return np.array([helper(i.pixels) for i in batch], np.float64)
print(source_hash(Typed))
"""


def _key_of(**changes):
    code = NOTEBOOK.format(**{"factor": 2, "reduce": "std", **changes})
    done = subprocess.run([sys.executable, "-"], input=code, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_code_without_a_file_has_a_key_of_all_that_it_reaches():
    key = _key_of()
    assert len(key) == 64 and key == _key_of(), "the same in each process, comprehensions and all"
    assert key != _key_of(reduce="max"), "a method that a helper calls"
    assert key != _key_of(factor=3), "a global that a helper reads"


def test_a_script_s_sibling_module_is_part_of_its_key(tmp_path):
    (tmp_path / "statistics_of_mine.py").write_text("def f(x):\n    return x\n")
    (tmp_path / "script.py").write_text(
        textwrap.dedent("""
        import statistics_of_mine
        from spectrogrand.provenance import source_hash
        def g(x):
            return statistics_of_mine.f(x)
        print(source_hash(g))
    """)
    )

    def key():
        done = subprocess.run([sys.executable, tmp_path / "script.py"], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    first = key()
    assert first == key()
    (tmp_path / "statistics_of_mine.py").write_text("def f(x):\n    return 2 * x\n")
    assert key() != first


def test_what_cannot_be_told_apart_is_never_found_again():
    with open(__file__) as file:
        namespace = {"__name__": "__main__", "FILE": file}
        exec("def f(x):\n    return FILE.read()", namespace)
        function = namespace["f"]
        function.__module__ = "nowhere"
        with pytest.warns(UserWarning, match="never found again"):
            first = source_hash(function)
        with pytest.warns(UserWarning, match="never found again"):
            assert first != source_hash(function)


def test_list_gives_rows():
    rows = sg.list(["gates"])
    assert rows and json.dumps(rows) and {"kind", "name", "state"} <= set(rows[0])
