"""The main job on toy parts: what it leaves, what it reuses, what it survives."""

import json
import os
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
import toys

from spectrogrand import load_audio, load_video
from spectrogrand.audio.emotion import estimate
from spectrogrand.errors import ConfigError, NoCandidateLeft, UnknownName
from spectrogrand.pipelines._briefs import MOODS, name_mood, write_briefs
from spectrogrand.pipelines.execute import execute
from spectrogrand.types import Topic

MEDIA = ("song.wav", "cover.png", "static.mp4", "dynamic_content.mp4", "dynamic_style.mp4", "motion.mp4")


@pytest.fixture(autouse=True)
def fresh_calls():
    toys.CALLS.clear()


def run(*words, **settings):
    report = execute(toys.config(*words, **settings))
    return report.parent, json.loads((report.parent / "run.json").read_text())


def hashes(folder, record):
    return {k: v["sha256"] for k, v in record["files"].items()}


def made(record):
    return {s["slot"]: s["made"] for s in record["steps"]}


def test_everything_promised_is_there(tmp_path):
    folder, record = run(tmp_path)
    assert all((folder / name).stat().st_size > 100 for name in (*MEDIA, "report.html"))
    assert record["state"] == "finished"
    assert sorted(p.name for p in (folder / "songs").iterdir()) == ["0.wav", "1.wav", "2.wav"]
    assert sorted(p.name for p in (folder / "covers").iterdir()) == ["0.png", "1.png"]
    assert record["choices"]["song"]["chosen"] == 2, "the highest tone changes most from sample to sample"
    assert (folder / "song.wav").read_bytes() == (folder / "songs/2.wav").read_bytes()
    assert record["genre"]["chosen"] == "melodic"
    for name in ("static", "dynamic_content", "dynamic_style", "motion"):
        video = load_video(folder / f"{name}.mp4")
        assert (video.count, video.fps, video.size) == (10, 10, (64, 64))


def test_a_song_of_no_known_genre_is_said_to_be_one(tmp_path, monkeypatch):
    monkeypatch.setattr(toys.ToyGenre, "novel", lambda self, batch: np.ones(len(batch), bool))
    monkeypatch.setattr(toys.ToyGenre, "confidence", lambda self, batch: np.full(len(batch), 0.25))
    folder, record = run(tmp_path)
    assert (record["genre"]["none_of_these"], record["genre"]["confidence"]) == (True, 0.25)
    mood = name_mood(estimate(load_audio(folder / "song.wav")))
    assert record["warnings"] == [
        "no genre that toy_genre knows fits: melodic is only the nearest",
        f"the covers' colours and words follow the song's mood instead: {mood}",
    ]
    assert "It sounds like none of these" in (folder / "report.html").read_text("utf-8")


def test_music_of_no_genre_gets_the_colours_of_its_mood():
    colours = {m: {b.colour for b in write_briefs(Topic("a lake"), m, MOODS, 4)} for m in MOODS}
    assert colours["calm"] == {"light blue", "green"} and all(len(c) == 2 for c in colours.values())
    assert len(set.union(*colours.values())) == 8, "no two moods share a colour"


def test_a_classifier_that_cannot_tell_is_not_asked_to(tmp_path):
    _, record = run(tmp_path)
    assert not {"none_of_these", "confidence"} & set(record["genre"])


def test_listed_hashes_are_those_of_the_files(tmp_path):
    import hashlib

    folder, record = run(tmp_path)
    for name, entry in record["files"].items():
        data = (folder / name).read_bytes()
        assert (hashlib.sha256(data).hexdigest(), len(data)) == (entry["sha256"], entry["bytes"])
    assert set(MEDIA) <= set(record["files"])


def test_the_same_again_makes_nothing(tmp_path):
    first = run(tmp_path)
    toys.CALLS.clear()
    second = run(tmp_path)
    assert toys.CALLS == []
    assert hashes(*first) == hashes(*second)
    assert first[0] != second[0]


def test_two_empty_stores_give_the_same_bytes(tmp_path):
    assert hashes(*run(tmp_path / "a")) == hashes(*run(tmp_path / "b"))


def test_another_seed_gives_other_songs(tmp_path):
    a, b = run(tmp_path)[1], run(tmp_path, seed=1)[1]
    songs = [{c["sha256"] for c in r["choices"]["cover"]["candidates"]} for r in (a, b)]
    assert not songs[0] & songs[1]


def test_changing_the_stylizer_reuses_songs_covers_and_motion(tmp_path):
    run(tmp_path)
    toys.CALLS.clear()
    _, record = run(tmp_path, stylizer={"name": "toy_stylizer", "mix": 0.25})
    assert toys.CALLS == ["stylize", "stylize"]
    steps = made(record)
    assert (steps["song"], steps["cover"], steps["static video"], steps["motion video"]) == (0, 0, 0, 0)
    assert (steps["dynamic_content video"], steps["dynamic_style video"]) == (1, 1)


def test_one_more_candidate_makes_one_more(tmp_path):
    run(tmp_path)
    toys.CALLS.clear()
    run(tmp_path, songs=4, videos=[])
    assert toys.CALLS == ["song 3", "scores 1"]


def test_a_batch_that_does_not_fit_is_halved(tmp_path):
    whole = run(tmp_path / "a", covers=4, videos=[])[1]
    toys.CALLS.clear()
    halved = run(tmp_path / "b", covers=4, videos=[], cover={"name": "toy_cover", "room": 1})[1]
    assert [c for c in toys.CALLS if c.startswith("covers")] == [
        "covers 4",
        "covers 2",
        *["covers 1"] * 2,
        "covers 2",
        *["covers 1"] * 2,
    ]
    pictures = [[c["sha256"] for c in r["choices"]["cover"]["candidates"]] for r in (whole, halved)]
    assert pictures[0] == pictures[1]


def test_failed_candidates_are_reported_and_the_rest_goes_on(tmp_path):
    folder, record = run(tmp_path, song={"name": "toy_song", "fail": [2], "nan": [1]}, videos=[])
    rows = record["choices"]["song"]["candidates"]
    assert [r["failed"] for r in rows] == [None, "has samples that are not finite", "was refused by the toy"]
    assert record["choices"]["song"]["chosen"] == 0
    assert "was refused by the toy" in (folder / "report.html").read_text()


def test_what_a_part_warns_of_is_shown_and_stands_in_the_record_and_the_report(tmp_path, monkeypatch):
    inner = toys.ToySong._one

    def one(self, seed):
        warnings.warn("toy_song: the prompt is cut off: 'the last words'", stacklevel=1)
        warnings.warn_explicit("a library's own affair", UserWarning, "/site-packages/torch/nn.py", 1)
        return inner(self, seed)

    monkeypatch.setattr(toys.ToySong, "_one", one)
    monkeypatch.setattr("toys.__file__", __file__)  # the plug-in's method stands in this file now
    for i in range(2):  # a second run in the same process is told of it again
        with pytest.warns(UserWarning, match="the last words"):
            folder, record = run(tmp_path / str(i), videos=[])
        assert record["warnings"] == ["toy_song: the prompt is cut off: 'the last words'"]
        assert "the last words" in (folder / "report.html").read_text("utf-8")


def test_all_failed_is_one_error_and_a_record(tmp_path):
    with pytest.raises(
        NoCandidateLeft, match="no song can be used: all 3 candidates failed; the first one was refused"
    ):
        run(tmp_path, song={"name": "toy_song", "fail": [0, 1, 2]})
    (record,) = tmp_path.glob("*/run.json")
    assert json.loads(record.read_text())["state"] == "failed"
    assert (record.parent / "report.html").exists()


def test_gates_fail_before_scores_are_compared(tmp_path, monkeypatch):
    monkeypatch.setattr(toys.ToyGate, "check", lambda self, batch: [None, None, "is too toy-like"])
    assert run(tmp_path, videos=[])[1]["choices"]["song"]["chosen"] == 1


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"videos": ["moton"]}, UnknownName, "no video 'moton'; did you mean 'motion'"),
        ({"selection": "best"}, UnknownName, "no selection rule 'best'"),
        ({"pipeline": "audiovisuel"}, UnknownName, "did you mean 'audiovisual'"),
        ({"song": {"name": "toy_cover"}}, ConfigError, "song=toy_cover makes Image, the slot needs Audio: one of"),
        ({"song": {}}, ConfigError, "nothing fills the slot 'song'"),
        ({"topic": None}, ConfigError, "nothing to make a song about"),
        ({"fps": "x"}, ConfigError, "fps"),
        ({"fps": "0"}, ConfigError, "fps"),
        ({"size": 0}, ConfigError, "size"),
        ({"songs": 0}, ConfigError, "songs"),
        ({"seed": "a"}, ConfigError, "seed"),
    ],
)
def test_bad_settings_are_one_line(tmp_path, settings, error, message):
    with pytest.raises(error, match=message) as caught:
        run(tmp_path, **settings)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "topic", ["../../x", "${oc.env:HOME}", "--help", "🚀", "a" * 500, "/etc/passwd", "<script>alert(1)</script>"]
)
def test_hostile_topics_stay_inside_and_are_only_text(tmp_path, topic):
    folder, record = run(tmp_path / "out", topic=topic, videos=[], songs=1, covers=1)
    assert folder.parent == tmp_path / "out"
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
    assert record["topic"] == topic
    assert "<script>alert" not in (folder / "report.html").read_text()


@pytest.mark.parametrize(("topic", "message"), [("", "empty"), (" \n\t", "empty"), ("a" * 10_000, "10,000 characters")])
def test_topics_that_are_refused_leave_nothing(tmp_path, topic, message):
    from spectrogrand.errors import InvalidValue

    with pytest.raises(InvalidValue, match=message):
        run(tmp_path, topic=topic)
    assert list(tmp_path.iterdir()) == []


def test_the_grid_of_colours_and_words():
    words = {"bass": {"colours": ["black", "purple"], "words": ["ascends", "explodes"]}}
    made = [(b.colour, b.word) for b in write_briefs(Topic("x"), "bass", words, 5)]
    assert made[:4] == [("black", "ascends"), ("purple", "explodes"), ("black", "explodes"), ("purple", "ascends")]
    assert made[4] == made[0]


def child(output, log, sleep="0"):
    code = f"import toys; from spectrogrand.pipelines.execute import execute; execute(toys.config({str(output)!r}))"
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), str(Path(__file__).parent.parent)])}
    env |= {"TOYS_LOG": str(log), "TOYS_SLEEP": sleep}
    return subprocess.Popen([sys.executable, "-c", code], env=env, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("after", [2, 5, 6])
def test_killed_anywhere_it_goes_on_from_there(tmp_path, after):
    """SIGKILL while call number `after` is under way: what was finished before it is never made again."""
    log = tmp_path / "log"
    first = child(tmp_path / "out", log, sleep="0.4")
    until = time.monotonic() + 120
    while (not log.exists() or len(log.read_text().split("\n")) - 1 < after) and time.monotonic() < until:
        time.sleep(0.02)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    done = log.read_text().split("\n")[:-1]
    assert len(done) == after
    log.unlink()
    second = child(tmp_path / "out", log)
    assert second.wait(120) == 0, second.stderr.read()
    again = log.read_text().split("\n")[:-1]
    assert not set(done[:-1]) - {"stylize"} & set(again), "only the call that was cut off is made again"
    whole = run(tmp_path / "whole")
    (finished,) = [p for p in (tmp_path / "out").glob("*/run.json") if json.loads(p.read_text())["state"] == "finished"]
    assert hashes(None, json.loads(finished.read_text())) == hashes(*whole)


def test_two_runs_in_one_folder_at_once(tmp_path):
    both = [child(tmp_path / "out", tmp_path / f"log{n}") for n in range(2)]
    assert [c.wait(120) for c in both] == [0, 0], [c.stderr.read() for c in both]
    records = [json.loads(p.read_text()) for p in (tmp_path / "out").glob("*/run.json")]
    assert [r["state"] for r in records] == ["finished", "finished"]
    assert hashes(None, records[0]) == hashes(None, records[1])
    assert records[0]["name"] != records[1]["name"]


def test_interrupted_is_said_and_resumable(tmp_path, monkeypatch):
    def interrupt(self, content, style):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(toys.ToyStylizer, "stylize", interrupt)
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path)
    (record,) = tmp_path.glob("*/run.json")
    assert json.loads(record.read_text())["state"] == "interrupted"
    toys.CALLS.clear()
    run(tmp_path)
    assert toys.CALLS == ["stylize", "stylize"]


def test_a_damaged_result_in_the_store_is_made_again(tmp_path):
    first = run(tmp_path)
    song = next((tmp_path / ".store").glob("*/*/song.wav"))
    data = bytearray(song.read_bytes())
    data[-1] ^= 1
    song.unlink()
    song.write_bytes(data)
    toys.CALLS.clear()
    assert hashes(*run(tmp_path)) == hashes(*first)
    assert len([c for c in toys.CALLS if c.startswith("song")]) == 1


def test_frames_carry_the_cover(tmp_path):
    from spectrogrand import load_image

    folder, _ = run(tmp_path, videos=["static"])
    cover = load_image(folder / "cover.png").resized(64, 64).pixels.astype(float)
    shown = next(iter(load_video(folder / "static.mp4"))).astype(float)
    assert np.corrcoef(cover.mean(2).ravel(), shown.mean(2).ravel())[0, 1] > 0.8


def test_another_seed_moves_the_same_song_and_cover_anew(tmp_path):
    """What is the user's own does not change with the seed, but its motion may: the store must not mix them up."""
    given = {"song": {"name": "toy_song"}, "videos": ["motion"], "songs": 1, "covers": 1}
    run(tmp_path, **given)
    assert made(run(tmp_path, **given)[1])["motion video"] == 0
    keys = set((tmp_path / ".store").glob("*/*/video.mp4"))
    run(tmp_path, **given, seed=1)
    assert len(set((tmp_path / ".store").glob("*/*/video.mp4")) - keys) == 1


def test_runs_do_not_share_their_files(tmp_path):
    first, second = run(tmp_path)[0], run(tmp_path)[0]
    with open(first / "song.wav", "ab") as file:
        file.write(b"zz")
    assert (first / "song.wav").read_bytes() != (second / "song.wav").read_bytes()
    assert hashes(*run(tmp_path))["song.wav"] == hashes(*run(tmp_path))["song.wav"]


def test_a_failed_choice_keeps_every_reason(tmp_path):
    with pytest.raises(NoCandidateLeft):
        run(tmp_path, song={"name": "toy_song", "fail": [0, 2], "nan": [1]})
    (path,) = tmp_path.glob("*/run.json")
    choice = json.loads(path.read_text())["choices"]["song"]
    assert choice["chosen"] is None
    assert [c["failed"] for c in choice["candidates"]] == [
        "was refused by the toy", "has samples that are not finite", "was refused by the toy",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"videos": 5}, r"write videos=\[static,dynamic_content\]"),
        ({"videos": None}, r"videos is a list"),
        ({"spectrogram": None}, "nothing fills the slot 'spectrogram'"),
        ({"stylizer": None}, "nothing fills the slot 'stylizer'"),
        ({"words": {}}, "words has no colours and words for any genre"),
        ({"song_scorers": {"loudness": {"scorer": {"name": "toy_loudness"}, "weight": "heavy"}}}, "a weight, a number"),
        ({"song_scorers": {"loudness": 5}}, "needs a scorer and a weight"),
    ],
)
def test_null_and_misshapen_settings_are_one_line(tmp_path, settings, message):
    with pytest.raises(ConfigError, match=message):
        run(tmp_path, **settings)


def test_null_switches_a_gate_or_a_scorer_off(tmp_path):
    _, record = run(tmp_path, gates={"toy": None}, song_scorers={"loudness": None}, videos=[])
    assert record["choices"]["song"]["chosen"] == 0
    assert record["choices"]["song"]["scorers"] == {}
