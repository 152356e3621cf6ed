"""One bad run.json never breaks a list: it is skipped and named, whatever is in it."""

import copy
import json
import os
import warnings

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spectrogrand.errors import ConfigError, SpectrograndError, StoreError
from spectrogrand.pipelines.results import Result
from spectrogrand.report.page import write_report
from spectrogrand.report.record import load_record
from spectrogrand.report.tables.table import as_csv, as_markdown, table
from spectrogrand.report.why import explain

GOOD = {
    "schema": 1, "state": "finished", "name": "a", "topic": "sea", "started": "2026-01-01T00:00:00+00:00", "seconds": 2.5,
    "version": "1", "platform": {"python": "3"}, "seed": 1, "config": {"song": {"name": "house_synth"}, "fps": 30},
    "steps": [{"slot": "song", "name": "house_synth", "reused": 0, "made": 2, "seconds": 1.0, "peak_mb": 3}],
    "genre": {"plugin": "timbre_genre", "chosen": "bass", "probabilities": {"bass": 0.6}, "confidence": 0.6},
    "parts": {"song": {"name": "house_synth", "weights": [{"source": "a", "revision": "b", "licence": "c"}]}},
    "files": {"song.wav": {"sha256": "0", "bytes": 5}}, "videos": {"static": "static.mp4"}, "warnings": ["w"], "error": None,
    "storyboard": [{"caption": "c", "genre": "g", "movement": "m", "file": "images/0.png"}],
    "synchrony": {"static": {"before": {"beat_f1": {"value": 1, "low": 0, "high": 1, "shuffled": 0}}}},
    "classes": {"chosen": [{"name": "cat"}]}, "caption": {"text": "t"},
    "found": {"query": "q", "songs": [{"score": 1, "title": "t", "lines": [{"text": "l", "cosine": 1}]}], "index": {}},
    "choices": {"song": {
        "rule": "quantile", "why": "best", "chosen": 0, "noise": 0.1, "margin": 0.2,
        "scorers": {"n": {"aspect": "novelty", "plugin": "novelty", "weight": 1.0, "reference": {"name": "r", "count": 3}}},
        "candidates": [{
            "index": 0, "file": "song.wav", "failed": None, "seed": 1, "total": 0.5, "scores": {"n": 0.5}, "used": {"n": 0.5},
            "plan": {"tempo": 124, "key": "A", "mode": "minor", "sections": [{"name": "drop", "start": 0, "end": 2}]},
            "brief": {"topic": "sea"},
        }],
    }},
}  # fmt: skip
BAD = {
    "deep": "[" * 100_000, "deep inside": json.dumps(GOOD)[:-1] + ', "config": ' + '{"a":' * 900 + "1" + "}" * 900 + "}",
    "digits": '{"seed": ' + "9" * 5000 + "}", "large number": '{"state": "finished", "seconds": 1' + "0" * 400 + "}",
    "list": "[]", "torn": '{"state": "fini', "empty": "", "bytes": "\udcff\udcfe", "null": "null", "choices": '{"choices": [1]}',
    "config": '{"state": "finished", "config": 3}', "topic": '{"state": "finished", "topic": {}}',
    "scores": '{"state": "finished", "choices": {"song": {"candidates": [{"scores": [1]}]}}}',
    "candidate": '{"state": "finished", "choices": {"song": {"candidates": ["x"]}}}', "started": '{"started": 7}',
}  # fmt: skip


def put(output, name, content):
    (output / name).mkdir()
    (output / name / "run.json").write_bytes(content.encode("utf-8", "surrogateescape"))
    return output / name


@pytest.fixture
def output(tmp_path):
    put(tmp_path, "good", json.dumps(GOOD))
    for name, content in BAD.items():
        put(tmp_path, f"bad {name}", content)
    (tmp_path / "bad folder/run.json").mkdir(parents=True)
    for name, target in (("link", "nowhere"), ("loop", "run.json"), ("device", "/dev/zero")):
        (tmp_path / f"bad {name}").mkdir()
        (tmp_path / f"bad {name}/run.json").symlink_to(target)
    (tmp_path / "bad pipe").mkdir()
    os.mkfifo(tmp_path / "bad pipe/run.json")
    return tmp_path


def test_the_table_leaves_them_out_and_names_each(output):
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        found = table([output])
    assert [row["run"] for row in found.rows] == ["a"]
    assert as_csv(found).count("\n") == 2 and "| a |" in as_markdown(found)
    # a link to nothing is no file at all
    named = [w for w in told if "left out" in str(w.message)]
    assert len(named) == len(BAD) + 3 and all("bad " in str(w.message) and "\n" not in str(w.message) for w in named)


def test_the_gallery_leaves_them_out_and_names_each(output):
    from spectrogrand.app import views

    shown = views.gallery(output)
    assert shown.count("<h3>") == 1 and "<h3>sea</h3>" in shown
    assert "Left out" in shown and all(f"bad {name}" in shown for name in BAD)


def test_one_by_one_each_is_one_line(output):
    for folder in sorted(output.glob("bad *")):
        for read in (load_record, Result, explain):
            with pytest.raises((StoreError, ConfigError)) as told:
                read(folder)
            assert "\n" not in str(told.value) and len(str(told.value)) < 600
        try:
            write_report(folder)  # odd parts are left out of a page, what is no record is one line
        except StoreError as error:
            assert "\n" not in str(error)


def test_half_characters_reach_no_page(tmp_path):
    folder = put(tmp_path, "a", json.dumps(GOOD | {"topic": "se\ud800a"}))
    assert load_record(folder)["topic"] == "se?a"
    assert "se?a" in write_report(folder).read_text("utf-8")
    assert "se?a" in as_csv(table([tmp_path]))


anything = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**25), 10**25) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3), max_leaves=6,
)  # fmt: skip


def places(value, path=()):
    yield path
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from places(value[key], (*path, key))


@given(st.sampled_from([p for p in places(GOOD) if p]), anything)
@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_value_in_any_place_is_a_row_a_page_or_one_line(tmp_path_factory, path, value):
    record = copy.deepcopy(GOOD)
    inside = record
    for key in path[:-1]:
        inside = inside[key]
    inside[path[-1]] = value
    output = tmp_path_factory.mktemp("run")
    folder = put(output, "a", json.dumps(record))
    from spectrogrand.app import views

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = table([output])
        assert "," in as_csv(found) or not found.rows
        as_markdown(found)
    views.gallery(output).encode("utf-8")
    for read in (write_report, explain, lambda f: Result(f)._repr_html_()):
        try:
            read(folder)
        except SpectrograndError as error:
            assert "\n" not in str(error)
