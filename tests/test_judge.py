"""Judging pairs: blinded pages, every answer kept, agreement by hand-counted answers, strengths by Bradley and Terry."""

import json
import threading
import urllib.error
import urllib.parse
import urllib.request

import numpy as np
import pytest

from spectrogrand import Image, save_image
from spectrogrand.__main__ import main
from spectrogrand.errors import ConfigError
from spectrogrand.report.judge import make_server
from spectrogrand.report.judging import (
    Judgement,
    append_judgement,
    collect,
    measure_agreement,
    plan_pairs,
    rate_by_pairs,
    read_judgements,
)


@pytest.fixture
def covers(tmp_path):
    for topic in ("sea", "moon"):
        (tmp_path / "covers" / topic).mkdir(parents=True)
        for k in range(4):
            save_image(tmp_path / "covers" / topic / f"{k}.png", Image(np.full((8, 8, 3), 60 * k, np.uint8)))
    return tmp_path / "covers"


def test_candidates_are_compared_within_their_folder_or_choice(covers, tmp_path):
    assert [len(v) for v in collect([covers]).values()] == [4, 4]
    run = tmp_path / "runs" / "sea-1"
    run.mkdir(parents=True)
    rows = [{"file": f"covers/{k}.png", "failed": "is blank" if k == 1 else None} for k in range(3)]
    (run / "run.json").write_text(json.dumps({"choices": {"cover": {"candidates": rows}}}))
    assert collect([tmp_path / "runs"]) == {"sea-1 cover": [run / "covers/0.png", run / "covers/2.png"]}
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match="nowhere two candidates"):
        collect([tmp_path / "empty"])


def test_pairs_are_new_until_all_came_and_a_fifth_comes_again_turned(covers):
    pairs = plan_pairs(collect([covers]), 12, seed=3)
    first, again = pairs[:12], pairs[12:]
    assert len({frozenset(p[1:]) for p in first}) == 12 and len(again) == 3
    assert all((g, b, a) in first for g, a, b in again)
    assert plan_pairs(collect([covers]), 12, seed=3) == pairs != plan_pairs(collect([covers]), 12, seed=4)


def test_the_page_shows_no_names_and_keeps_every_answer(covers):
    pairs, kept = plan_pairs(collect([covers]), 2)[:2], []
    server = make_server(pairs, lambda pair, chosen: kept.append((pair, chosen)))
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    home = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        page = urllib.request.urlopen(f"{home}/{server.key}").read().decode()
        assert "sea" not in page and "moon" not in page and ".png" not in page and "1 of 2" in page
        assert urllib.request.urlopen(f"{home}/{server.key}/0/a").read() == pairs[0][1].read_bytes()
        for wrong in (f"{home}/", f"{home}/{server.key}/1/a", f"{home}/{server.key}/0/c", f"{home}/other"):
            with pytest.raises(urllib.error.HTTPError, match="404"):
                urllib.request.urlopen(wrong)
        for number, chosen in ((0, "b"), (0, "a"), (1, "equal")):  # the second is a double click: it counts once
            data = urllib.parse.urlencode({"number": number, "chosen": chosen}).encode()
            page = urllib.request.urlopen(f"{home}/{server.key}", data).read().decode()
        assert kept == [(pairs[0], "b"), (pairs[1], "equal")] and "Thank you" in page
    finally:
        server.shutdown()
        server.server_close()


def test_in_the_terminal(covers, tmp_path, monkeypatch, capsys):
    answers = iter(["1", "x", "2", "q"])
    monkeypatch.setattr("builtins.input", lambda _: next(answers))
    out = tmp_path / "j.csv"
    assert main(["judge", str(covers), f"out={out}", "pairs=5", "judge=ann", "--terminal"]) == 0
    assert [(r.chosen, r.judge) for r in read_judgements(out)] == [("a", "ann"), ("b", "ann")]
    assert "no pair was asked twice" in capsys.readouterr().out
    assert main(["judge", "--agreement", str(out)]) == 0
    assert main(["judge", str(covers), "--blind"]) == 2
    assert main(["judge", str(covers), "pairs=many"]) == 1


def answers(judge, *chosen):
    return [Judgement("g", x, y, c, judge) for x, y, c in chosen]


def test_agreement_by_hand():
    ann = answers(
        "ann", ("x", "y", "a"), ("y", "x", "b"), ("x", "z", "a"), ("z", "x", "a"), ("y", "z", "a"), ("w", "x", "b")
    )
    bob = answers("bob", ("y", "x", "b"), ("x", "z", "b"), ("z", "y", "b"), ("w", "x", "a"))
    found = measure_agreement(ann + bob)
    assert found["with oneself"] == (0.5, 2)  # x before y twice; x before z, then z before x
    # ann: x<y low, x-z low, y-z low, w-x high; bob: low, high, low, low: 2 of 4 alike, chance (3*3 + 1*1)/16
    assert (
        found["among judges"][0] == pytest.approx((2 / 4 - 10 / 16) / (1 - 10 / 16)) and found["among judges"][1] == 4
    )


def test_strengths_recover_the_order_that_made_the_answers(rng):
    true = dict(zip("abcdef", (2.0, 1.2, 0.4, -0.4, -1.2, -2.0), strict=True))
    rows = []
    for _ in range(1500):
        x, y = rng.choice(list(true), 2, replace=False)
        rows.append(Judgement("g", x, y, "a" if rng.random() < 1 / (1 + np.exp(true[y] - true[x])) else "b", "me"))
    found = rate_by_pairs(rows)
    assert [found[n] for n in true] == pytest.approx(list(true.values()), abs=0.35)


def test_files_of_another_kind_are_refused(tmp_path):
    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    with pytest.raises(ConfigError, match="other columns than group, a, b, chosen, judge"):
        read_judgements(tmp_path / "a.csv")
    append_judgement(tmp_path / "b.csv", Judgement("g", "x", "y", "neither", "me"))
    with pytest.raises(ConfigError, match="an answer 'neither', expected one of a, b, equal"):
        read_judgements(tmp_path / "b.csv")


def test_peoples_answers_set_the_weights(tmp_path, rng):
    """A person who always prefers what one of two scorers rates higher: that one gets the weight."""
    from benchmarks.creativity.table import fit, load

    files = [f"{t:02d}/{k:02d}.png" for t in range(4) for k in range(8)]
    scores = rng.normal(size=(len(files), 2))
    np.savez(tmp_path / "scores.npz", files=np.array(files), scorers=np.array(["liked", "other"]), scores=scores)
    for t in range(4):
        for _ in range(40):
            i, j = 8 * t + rng.choice(8, 2, replace=False)
            chosen = "a" if scores[i, 0] > scores[j, 0] else "b"
            row = Judgement(f"covers/{t}", f"c/{files[i]}", f"c/{files[j]}", chosen, "me")
            append_judgement(tmp_path / "people.csv", row)
    names, kept, marks, topic, columns = load(tmp_path, (), tmp_path / "people.csv")
    assert (names, columns, len(kept)) == (["liked", "other"], ["people"], 32)
    assert fit(kept, marks, topic, ((0,),))[0] > 0.85
