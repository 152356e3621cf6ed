"""The table of runs: right cells, right groups, intervals that can be checked by hand, hostile text made harmless."""

import csv
import io
import json

import pytest
from scipy import stats

from spectrogrand.report.tables.table import as_csv, as_markdown, interval, table


def add(folder, name, *, topic="a sea", seed=0, stylizer="a", novelty=0.5, state="finished", config=None, started="1"):
    run = folder / name
    run.mkdir(parents=True)
    record = {
        "state": state, "name": name, "topic": topic, "seed": seed, "seconds": 10.0 + seed, "started": started,
        "config": {"topic": topic, "seed": seed, "output": str(folder), "song": {"name": "house_synth", "duration": 10.0},
                   "stylizer": {"name": stylizer}, **(config or {})},
        "choices": {"song": {"chosen": 1, "candidates": [
            {"index": 0, "scores": {"novelty": 9.0}, "total": 9.0},
            {"index": 1, "scores": {"novelty": novelty, "danceability": 2}, "total": 0.25}]}},
        "genre": {"chosen": "bass", "probabilities": {"bass": 1.0}},
    }  # fmt: skip
    (run / "run.json").write_text(json.dumps(record))
    return run


def cells(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_a_run_is_a_row_with_the_chosen_candidates_scores(tmp_path):
    add(tmp_path, "one", seed=3)
    found = cells(as_csv(table([tmp_path])))
    assert found == [{
        "row": "run", "run": "one", "topic": "a sea", "seed": "3", "song": "house_synth", "stylizer": "a",
        "song: novelty": "0.5", "song: danceability": "2", "song: total": "0.25", "genre found": "bass", "seconds": "13.0",
    }]  # fmt: skip


def test_only_finished_runs_count_each_once_oldest_first(tmp_path):
    add(tmp_path / "x", "late", started="2026-02")
    add(tmp_path / "y", "early", started="2026-01")
    add(tmp_path / "x", "broken-off", state="interrupted")
    add(tmp_path / "x" / ".store", "kept")
    assert [r["run"] for r in table([tmp_path, tmp_path / "x", tmp_path / "x" / "late"]).rows] == ["early", "late"]


def test_a_torn_record_is_left_out_and_named(tmp_path):
    (add(tmp_path, "torn") / "run.json").write_text("{")
    add(tmp_path, "whole")
    with pytest.warns(UserWarning, match="left out: no readable run.json in .*torn"):
        assert [r["run"] for r in table([tmp_path]).rows] == ["whole"]


def test_settings_in_which_runs_differ_become_columns(tmp_path):
    add(tmp_path, "one", config={"size": 512, "song": {"name": "house_synth", "duration": 10.0}, "fps": "30"})
    add(tmp_path, "two", config={"size": 256, "song": {"name": "house_synth", "duration": 20.0}, "fps": "30"})
    found = table([tmp_path])
    assert found.columns[3:7] == ("song", "stylizer", "size", "song.duration") and "fps" not in found.columns
    assert [r["song.duration"] for r in found.rows] == [10.0, 20.0]


def test_seeds_make_groups_per_topic_and_setting(tmp_path):
    for seed, novelty in enumerate((0.2, 0.4, 0.9)):
        add(tmp_path, f"a{seed}", seed=seed, novelty=novelty)
        add(tmp_path, f"b{seed}", seed=seed, novelty=0.1, stylizer="b")
    add(tmp_path, "alone", topic="a city")
    found = table([tmp_path])
    assert [(g["topic"], g["stylizer"], g["seeds"]) for g in found.groups] == [("a sea", "a", 3), ("a sea", "b", 3)]
    mean, low, high = found.groups[0]["song: novelty"]
    assert mean == pytest.approx(0.5)
    assert (low, high) == pytest.approx(stats.t.interval(0.95, 2, 0.5, stats.sem([0.2, 0.4, 0.9])))
    assert found.groups[1]["song: novelty"] == pytest.approx((0.1, 0.1, 0.1))
    rows = cells(as_csv(found))
    assert [r["row"] for r in rows] == ["run"] * 7 + ["mean", "low", "high"] * 2
    assert float(rows[8]["song: novelty"]) == low and rows[8]["stylizer"] == "a" and rows[8]["seed"] == ""
    assert "0.5 (-0.396 to 1.4)" in as_markdown(found)


def test_the_same_seed_twice_is_no_group(tmp_path):
    add(tmp_path, "one")
    add(tmp_path, "two")
    assert table([tmp_path]).groups == ()


def test_the_interval_does_not_depend_on_order(rng):
    values = rng.normal(5, 1, 20)
    assert interval(values) == interval(values[::-1]) == interval(list(values))


def test_totals_of_two_rules_are_two_columns(tmp_path):
    for name, rule in (("one", "quantile"), ("two", "published")):
        path = add(tmp_path, name, config={"selection": rule}) / "run.json"
        record = json.loads(path.read_text())
        record["choices"]["song"]["rule"] = rule
        path.write_text(json.dumps(record))
    rows = cells(as_csv(table([tmp_path])))
    assert [r["song: total (quantile)"] for r in rows] == ["0.25", ""]
    assert [r["song: total (published)"] for r in rows] == ["", "0.25"]
    assert "song: total" not in rows[0]


def steps(folder, *found):
    path = folder / "run.json"
    listed = [{"slot": s, "reused": r, "made": m, "seconds": x} for s, r, m, x in found]
    path.write_text(json.dumps({**json.loads(path.read_text()), "steps": listed}))


def test_seconds_are_those_of_runs_and_steps_that_found_nothing(tmp_path):
    steps(add(tmp_path, "fresh"), ("song", 0, 2, 6.0), ("motion video", 0, 1, 4.0))
    steps(add(tmp_path, "half", seed=1), ("song", 2, 0, 0.1), ("motion video", 0, 1, 5.0))
    rows = cells(as_csv(table([tmp_path])))[:2]
    assert [r["seconds"] for r in rows] == ["10.0", ""] and [r["reused"] for r in rows] == ["", "0.6667"]
    assert [r["song: seconds"] for r in rows] == ["6.0", ""]
    assert [r["motion video: seconds"] for r in rows] == ["4.0", "5.0"]
    assert table([tmp_path]).groups[0]["motion video: seconds"][0] == pytest.approx(4.5)


def test_what_evaluate_measured_stands_beside_the_scores_until_the_video_changes(tmp_path):
    run = add(tmp_path, "one")
    record = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps({**record, "files": {"motion.mp4": {"sha256": "ab", "bytes": 1}}}))
    (run / "evaluation.json").write_text(
        json.dumps([{"video": "motion.mp4", "sha256": "ab", "beat_f1": 0.75, "lag": None}])
    )
    found = table([tmp_path])
    assert found.rows[0]["motion: beat_f1"] == 0.75 and "motion: beat_f1" in found.measures
    (run / "evaluation.json").write_text(json.dumps([{"video": "motion.mp4", "sha256": "other", "beat_f1": 0.75}]))
    assert "motion: beat_f1" not in table([tmp_path]).columns


def test_mixed_versions_and_changed_references_are_named(tmp_path):
    for name, version, sha in (("one", "0.1.0", "a" * 64), ("two", "0.2.0", "b" * 64)):
        path = add(tmp_path, name) / "run.json"
        record = {**json.loads(path.read_text()), "version": version}
        record["choices"]["song"]["scorers"] = {"novelty": {"reference": {"name": "songs", "count": 3, "sha256": sha}}}
        path.write_text(json.dumps(record))
    text = as_markdown(table([tmp_path]))
    assert "mixed versions: 0.1.0 (1 runs), 0.2.0 (1 runs)" in text
    assert "song: novelty was scored against 2 different reference sets (aaaaaaaa, bbbbbbbb)" in text


def test_jobs_of_a_sweep_that_are_not_done_are_named(tmp_path):
    add(tmp_path, "one")
    jobs = [
        {"number": 0, "name": "a", "state": "finished"},
        {"number": 1, "name": "seed=1", "state": "failed", "error": "no"},
    ]
    (tmp_path / "sweep.json").write_text(json.dumps({"jobs": jobs}))
    assert f"- job 1 of {tmp_path.name} (seed=1) is failed: no" in as_markdown(table([tmp_path]))


@pytest.mark.parametrize("topic", ["=cmd|' /C calc'!A0", "+1", "-1+1", "@SUM(A1)", "\t=1", "\r\n=1", " =1"])
def test_topics_are_no_formulas_in_a_spreadsheet(tmp_path, topic):
    add(tmp_path, "one", topic=topic)
    shown = cells(as_csv(table([tmp_path])))[0]["topic"]
    assert shown.startswith("'") and shown[1:] == " ".join(topic.split())


def test_negative_numbers_stay_numbers(tmp_path):
    add(tmp_path, "one", novelty=-0.5)
    assert cells(as_csv(table([tmp_path])))[0]["song: novelty"] == "-0.5"


def test_topics_with_quotes_and_commas_survive(tmp_path):
    add(tmp_path, "one", topic='rain, "wind" & fire; 🚀')
    assert cells(as_csv(table([tmp_path])))[0]["topic"] == 'rain, "wind" & fire; 🚀'


def test_topics_cannot_break_a_markdown_table(tmp_path):
    add(tmp_path, "one", topic="a | b\n| c <script> [x](y) `z` \\| *w*")
    text = as_markdown(table([tmp_path]))
    line = text.splitlines()[2]
    assert len(text.splitlines()) == 3 and "<script>" not in text
    assert r"a \| b \| c &lt;script&gt; \[x\](y) \`z\` \\\| \*w\*" in line
    columns = text.splitlines()[0].count(" | ")
    assert line.replace(r"\\", "").replace(r"\|", "").count("|") == columns + 2


def test_no_runs_is_said(tmp_path):
    assert as_markdown(table([tmp_path])) == "No finished runs there."
    assert as_csv(table([tmp_path])) == "row\n"
