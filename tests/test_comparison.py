"""A comparison by hand: pairs, intervals, corrected p and effects; and the same in every format and on a page that sorts."""

import csv
import io
import json

import numpy as np
import pytest
from scipy import stats

from spectrogrand.__main__ import main
from spectrogrand.errors import ConfigError, UnknownName
from spectrogrand.report.tables.comparison import compare
from spectrogrand.report.tables.figures import best_of
from spectrogrand.report.tables.formats import comparison_csv, comparison_latex, comparison_markdown, write_parquet
from spectrogrand.report.tables.table import table

TOPICS, SEEDS = ("sea", "sky"), (0, 1, 2)


def write(folder, rng, effect=0.3):
    """Two stylizers x two topics x three seeds; `b` is better by the effect, noise apart; another setting makes no difference."""
    scores = {}
    for topic in TOPICS:
        for seed in SEEDS:
            base = rng.normal()
            for stylizer in ("a", "b"):
                run = folder / f"{topic}-{seed}-{stylizer}"
                run.mkdir(parents=True)
                value = base + effect * (stylizer == "b") + 0.01 * rng.normal()
                scores[topic, seed, stylizer] = value
                candidates = [
                    {"index": 0, "scores": {"novelty": value}, "total": value, "failed": None, "seed": 0, "file": None}
                ]
                config = {
                    "topic": topic,
                    "seed": seed,
                    "stylizer": {"name": stylizer},
                    "song": {"name": "s", "duration": 4.0},
                }
                (run / "run.json").write_text(json.dumps({
                    "state": "finished", "name": run.name, "topic": topic, "seed": seed, "started": run.name, "config": config,
                    "choices": {"song": {"rule": "published", "chosen": 0, "candidates": candidates}},
                }))  # fmt: skip
    return scores


def test_a_known_effect_is_found_and_paired(tmp_path, rng):
    scores = write(tmp_path, rng)
    found = compare(table([tmp_path]), ["stylizer"])
    assert {name: g["runs"] for name, g in found.groups.items()} == {"a": 6, "b": 6}
    one = next(d for d in found.differences if d.measure == "song: novelty")
    d = np.array([scores[t, s, "a"] - scores[t, s, "b"] for t in TOPICS for s in SEEDS])
    assert (one.a, one.b, one.pairs) == ("a", "b", 6) and one.mean == pytest.approx(d.mean())
    assert one.p == pytest.approx(2 / 64), "every sign alike: the smallest p of six pairs"
    assert one.p_holm == pytest.approx(min(1, one.p * len(found.differences)))
    assert one.effect == pytest.approx(d.mean() / d.std(ddof=1) * (1 - 3 / 19))
    assert one.low < one.mean < one.high
    assert one.low < -0.3 < one.high or abs(one.mean + 0.3) < 0.02


def test_what_a_setting_cannot_change_is_left_out_and_named(tmp_path, rng):
    write(tmp_path, rng)
    for path in tmp_path.glob("*/run.json"):
        record = json.loads(path.read_text())
        record["choices"]["cover"] = {"rule": "published", "chosen": 0, "candidates": [
            {"index": 0, "scores": {"finish": float(record["seed"])}, "total": 1.0}]}  # fmt: skip
        path.write_text(json.dumps(record))
    found = compare(table([tmp_path]), ["stylizer"])
    assert "cover: finish" not in found.measures and {d.measure for d in found.differences} == {
        "song: novelty",
        "song: total",
    }
    assert any(n == "the same in every pair, and left out: cover: finish" for n in found.notes)
    one = found.differences[0]
    assert one.p_holm == pytest.approx(2 * one.p), "two questions were asked, not three"


def test_no_effect_is_not_found(tmp_path, rng):
    write(tmp_path, rng, effect=0.0)
    assert all(d.p > 0.05 for d in compare(table([tmp_path]), ["stylizer"]).differences)


def test_one_topic_and_seeds_is_the_paired_t_interval(tmp_path, rng):
    scores = write(tmp_path, rng)
    for run in tmp_path.glob("sky-*"):
        (run / "run.json").unlink()
    one = next(d for d in compare(table([tmp_path]), ["stylizer"]).differences if d.measure == "song: novelty")
    theirs = stats.ttest_rel([scores["sea", s, "a"] for s in SEEDS], [scores["sea", s, "b"] for s in SEEDS])
    low, high = theirs.confidence_interval()
    assert (one.low, one.high) == pytest.approx((low, high))


def test_any_key_of_the_config_groups_and_unknown_ones_are_named(tmp_path, rng):
    write(tmp_path, rng)
    assert list(compare(table([tmp_path]), ["song.duration"]).groups) == ["4.0"]
    assert list(compare(table([tmp_path]), ["stylizer", "topic"], ["seed"]).groups)[0] == "stylizer=a, topic=sea"
    with pytest.raises(UnknownName, match="no run has a setting 'stilizer'; did you mean 'stylizer'"):
        compare(table([tmp_path]), ["stilizer"])
    (tmp_path / "none").mkdir()
    with pytest.raises(ConfigError, match="no finished runs there to compare"):
        compare(table([tmp_path / "none"]), ["stylizer"])


def test_few_pairs_are_said(tmp_path, rng):
    write(tmp_path, rng)
    for run in [*tmp_path.glob("sky-*"), *tmp_path.glob("sea-2*")]:
        (run / "run.json").unlink()
    assert "with 2 pairs p cannot fall below 0.5" in comparison_markdown(compare(table([tmp_path]), ["stylizer"]))


def test_every_format_says_the_same(tmp_path, rng, capsys):
    pandas = pytest.importorskip("pandas")
    import spectrogrand as sg

    write(tmp_path, rng)
    found = compare(table([tmp_path]), ["stylizer"])
    one = next(d for d in found.differences if d.measure == "song: novelty")
    rows = list(csv.DictReader(io.StringIO(comparison_csv(found))))
    (row,) = [r for r in rows if r["row"] == "difference" and r["measure"] == "song: novelty"]
    assert float(row["p"]) == one.p and float(row["mean"]) == one.mean
    assert f"| song: novelty | a | b | {one.mean:.3g} |" in comparison_markdown(found)
    latex = comparison_latex(found)
    assert latex.count(r"\begin{tabular}") == 2 and f"song: novelty & a & b & {one.mean:.3g} &" in latex
    frame = sg.load_runs(tmp_path)
    assert len(frame) == 12 and frame["song: novelty"].mean() == pytest.approx(
        np.mean([r["song: novelty"] for r in table([tmp_path]).rows])
    )
    write_parquet(table([tmp_path]), tmp_path / "runs.parquet")
    assert pandas.read_parquet(tmp_path / "runs.parquet")["run"].tolist() == frame["run"].tolist()
    assert main(["table", str(tmp_path), "--by", "stylizer", "--pair", "topic,seed"]) == 0
    assert "Holm" in capsys.readouterr().out
    assert main(["table", str(tmp_path), "--bye=x"]) == 2 and "--by=" in capsys.readouterr().err


def test_latex_is_escaped(tmp_path, rng):
    write(tmp_path, rng)
    for run in tmp_path.glob("*/run.json"):
        run.write_text(run.read_text().replace('"name": "b"', '"name": "b_50% & $x"'))
    assert r"b\_50\% \& \$x" in comparison_latex(compare(table([tmp_path]), ["stylizer"]))


def test_best_of_n_is_the_mean_of_the_highest_of_every_subset(rng):
    from itertools import combinations

    x = rng.normal(size=6)
    brute = [np.mean([max(c) for c in combinations(x, n)]) for n in range(1, 7)]
    assert best_of(x) == pytest.approx(brute)


def test_the_page_opens_alone_escapes_and_sorts(tmp_path, rng, browser):
    playwright = pytest.importorskip("playwright.sync_api")
    from spectrogrand.report.sweep_page import write_sweep_page

    write(tmp_path, rng)
    for run in tmp_path.glob("sea-0*/run.json"):
        run.write_text(run.read_text().replace('"name": "sea-0', '"name": "<b>sea</b>-0'))
    page_file = write_sweep_page(tmp_path, "stylizer")
    text = page_file.read_text()
    assert "<b>sea" not in text and "http" not in text.replace("http://www.w3.org", "").replace(
        "https://www.w3.org", ""
    )
    with playwright.sync_playwright() as play:
        chrome = play.chromium.launch(executable_path=str(browser), args=["--no-sandbox"])
        page = chrome.new_page()
        page.goto(page_file.as_uri())
        head = page.locator("table").last.locator("th", has_text="song: novelty").locator("button")
        column = page.locator("table").last.locator("th").all_inner_texts().index("song: novelty")
        for up in (True, False):
            head.click()
            cells = page.locator("table").last.locator(f"tbody tr td:nth-child({column + 1})").all_inner_texts()
            values = [float(c) for c in cells]
            assert values == sorted(values, reverse=not up) and len(values) == 12
        chrome.close()
