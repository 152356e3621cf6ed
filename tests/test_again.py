"""A run made again: what is reused, what is chosen by hand, what is kept, and what is refused in one line."""

import json
import shutil

import numpy as np
import pytest
import toys

from spectrogrand import Audio, load_video, media
from spectrogrand.__main__ import main
from spectrogrand.cli import as_settings
from spectrogrand.config import compose
from spectrogrand.errors import ConfigError, SpectrograndError, UnknownName
from spectrogrand.pipelines._again import config_again
from spectrogrand.pipelines.execute import execute
from spectrogrand.report.closing import closing
from spectrogrand.report.tags import write_command
from spectrogrand.runs.folders import slug


def run(config):
    folder = execute(config).parent
    return folder, json.loads((folder / "run.json").read_text())


def again(folder, *words):
    config, said = config_again(folder, words)
    toys.CALLS.clear()
    return *run(config), said


def hashes(record, *names):
    return [record["files"][name]["sha256"] for name in names]


@pytest.fixture
def first(tmp_path):
    return run(toys.config(tmp_path))


def test_the_same_again_makes_nothing(first):
    folder, record, said = again(first[0])
    assert toys.CALLS == [] and said == [] and folder != first[0] and folder.parent == first[0].parent
    assert record["files"].keys() == first[1]["files"].keys()
    assert hashes(record, "song.wav", "cover.png", "motion.mp4") == hashes(
        first[1], "song.wav", "cover.png", "motion.mp4"
    )


def test_another_song_is_taken_by_its_number(first):
    assert first[1]["choices"]["song"]["chosen"] == 2
    folder, record, _ = again(first[0], "song=0")
    choice = record["choices"]["song"]
    assert choice["chosen"] == 0 and choice["why"] == "it was chosen by hand; the scores would have taken candidate 2"
    assert (folder / "song.wav").read_bytes() == (first[0] / "songs/0.wav").read_bytes()
    assert not any(c.startswith("song") for c in toys.CALLS), "no song is made again"
    _, third, _ = again(folder, "seed=0")
    assert third["choices"]["song"]["chosen"] == 0, "and it stays chosen"


def test_what_is_kept_stays_whatever_else_changes(first):
    folder, record, _ = again(first[0], "keep=song", "seed=5")
    assert hashes(record, "song.wav") == hashes(first[1], "song.wav")
    assert hashes(record, "covers/0.png") != hashes(first[1], "covers/0.png")
    assert "kept from the run" in record["choices"]["song"]["why"] and record["parts"]["song"]["name"] == "toy_song"
    _, both, _ = again(folder, "keep=song,cover", "seed=6")
    assert hashes(both, "song.wav", "cover.png", "static.mp4") == hashes(record, "song.wav", "cover.png", "static.mp4")
    assert not any(c.startswith(("song", "cover")) for c in toys.CALLS)


def test_a_store_that_is_gone_is_made_anew(first):
    shutil.rmtree(first[0].parent / ".store")
    _, record, _ = again(first[0], "song=1")
    assert record["choices"]["song"]["chosen"] == 1 and any(c.startswith("song") for c in toys.CALLS)
    assert hashes(record, "songs/1.wav", "cover.png") == hashes(first[1], "songs/1.wav", "cover.png")


def test_another_version_is_said(first, capsys):
    record = first[1] | {"version": "0.0.7"}
    (first[0] / "run.json").write_text(json.dumps(record))
    assert "made by spectrogrand 0.0.7" in config_again(first[0], [])[1][0]
    assert main(["again", str(first[0]), "videos=[]"]) == 0
    told = capsys.readouterr()
    assert "made by spectrogrand 0.0.7" in told.err and len(told.out.splitlines()) == 1


def test_an_own_song_that_is_gone_is_taken_from_the_run(tmp_path):
    t = np.arange(8000) / 8000
    media.save_audio(tmp_path / "mine.wav", Audio(np.sin(700 * t).astype(np.float32)[None], 8000))
    own = {"name": "song_file", "path": str(tmp_path / "mine.wav")}
    folder, record = run(toys.config(tmp_path / "out", song=own, topic=None))
    (tmp_path / "mine.wav").unlink()
    _, second, said = again(folder, "keep=cover", "seed=3")
    assert "mine.wav is gone" in said[0]
    assert hashes(second, "song.wav", "cover.png") == hashes(record, "song.wav", "cover.png")


def test_frames_follow_another_size_and_shape(tmp_path):
    words = [
        "topic=x",
        "song.duration=1",
        "songs=1",
        "covers=1",
        "size=32",
        "fps=6",
        "cover.size=64",
        "videos=[motion]",
    ]
    folder, _ = run(compose([*words, f"output={tmp_path}"]))
    upright, _, _ = again(folder, "shape=9:16")
    assert load_video(upright / "motion.mp4").size == (56, 32)
    small, _, _ = again(upright, "size=48", "shape=1:1")
    assert load_video(small / "motion.mp4").size == (48, 48)


@pytest.mark.parametrize(
    "words, error, message",
    [
        (["song=9"], ConfigError, "no song 9, only 0 to 2"), (["song=-1"], ConfigError, "no song -1"),
        (["keep=lyrics"], ConfigError, "keep takes song, cover or both"),
        (["keep=song", "song=1"], ConfigError, "give one of them"), (["louder"], ConfigError, "not 'louder'"),
        (["sise=5"], UnknownName, "did you mean 'size'"), (["experiment=published"], ConfigError, "start anew"),
        (["song.secnds=2"], UnknownName, "secnds"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_one_line(first, words, error, message):
    with pytest.raises(error, match=message) as caught:
        config_again(first[0], words)
    assert "\n" not in str(caught.value)


def test_a_failed_candidate_cannot_be_taken(tmp_path):
    folder, _ = run(toys.config(tmp_path, song={"name": "toy_song", "fail": [1]}))
    with pytest.raises(ConfigError, match="song 1 cannot be used: it was refused by the toy"):
        config_again(folder, ["song=1"])


@pytest.mark.parametrize("text", ["", "{", "[]", "{}"])
def test_a_damaged_record_is_one_line(tmp_path, text):
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(SpectrograndError, match=r"run\.json|config"):
        config_again(tmp_path, [])
    assert main(["again", str(tmp_path / "nowhere")]) == 2
    assert main(["again"]) == 2


def test_the_end_of_a_run_names_videos_and_what_can_be_done(first):
    text = closing(first[1], first[0])
    assert all(str(first[0] / f"{v}.mp4") in text for v in first[1]["videos"])
    assert text.count("spectrogrand again") == 3 and f"spectrogrand again {first[0]} keep=song seed=1" in text
    assert "understood: melodic house, a red cover that stuns" in text
    page = (first[0] / "report.html").read_text()
    assert f'data-copy="spectrogrand again {first[0].name} seed=1"' in page and page.count('class="copy"') >= 3


def test_words_as_a_maker_types_them(tmp_path):
    assert as_settings(["a", "cat", "seed=1"]) == ["topic=a cat", "seed=1"]
    assert as_settings(["a = b"]) == ["topic=a = b"]
    assert as_settings(["song.path=x.mp3", "cover.path=y.png"]) == [
        "cover=file", "song=file", "song.path=x.mp3", "cover.path=y.png"
    ]  # fmt: skip
    assert as_settings(["song=musicgen", "song.path=x"]) == ["song=musicgen", "song.path=x"]
    assert as_settings(["pipeline=image_to_music", "cover.path=y"]) == ["pipeline=image_to_music", "cover.path=y"]
    assert as_settings(["-m", "videos=motion,static"]) == ["-m", "videos=motion,static"]
    assert as_settings(["--cfg", "job"]) == ["--cfg", "job"]
    song = tmp_path / "my song.mp3"
    song.write_bytes(b"x")
    assert as_settings([str(song)]) == ["song=file", f"song.path={song}"]
    assert compose(as_settings(["a cat in the rain", "videos=motion"]))["topic"] == "a cat in the rain"
    with pytest.raises(ConfigError, match="given already"):
        as_settings(["a cat", "topic=a dog"])


def test_one_video_by_its_name(tmp_path):
    assert main(["run", "a cat in the rain", "videos=motion", "songs=1", "covers=1", "song.duration=1", "size=32",
                 "cover.size=64", "fps=6", f"output={tmp_path}"]) == 0  # fmt: skip
    (folder,) = tmp_path.glob("a-cat-in-the-rain-*")
    record = json.loads((folder / "run.json").read_text())
    assert list(record["videos"]) == ["motion"] and "spectrogrand run 'topic=a cat in the rain'" in record["command"]
    assert str(tmp_path) not in record["command"]


def test_open_shows_the_video(tmp_path, monkeypatch, capsys):
    import webbrowser

    seen = []
    monkeypatch.setattr(webbrowser, "open", lambda url: seen.append(url) or len(seen) < 2)
    words = ["run", "x", "videos=motion", "songs=1", "covers=1", "song.duration=1", "size=32", "cover.size=64", "fps=6"]
    assert main([*words, "--open", f"output={tmp_path}"]) == 0
    assert seen[0].startswith("file:///") and seen[0].endswith("/motion.mp4")
    assert main([*words, "--open", "videos=[]", f"output={tmp_path}"]) == 0
    assert seen[1].endswith("/report.html") and "open" in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize(
    "topic, name",
    [
        ("дождь в лесу", "дождь-в-лесу"), ("雨の中の猫", "雨の中の猫"), ("قطة في المطر", "قطة-في-المطر"),
        ("Café Müller", "café-müller"),
        ("बारिश में बिल्ली", "बारिश-में-बिल्ली"), ("🚀🌙", "rocket-crescent-moon"), ("…", "run"),
        ("\u202e\u0000", "run"),
        ("a_b/../c", "a-b-c"),
    ],
)  # fmt: skip
def test_names_keep_their_script(topic, name):
    assert slug(topic) == name
    assert len(slug(topic * 40).encode()) < 200


def test_commands_tell_no_folder():
    told = write_command(["topic=a", "song.path=/home/me/a b.mp3", "+job=x", "store=/s", "lyrics=~/me/l.lrc"])
    assert told == "spectrogrand run topic=a 'song.path=a b.mp3' lyrics=l.lrc"
    assert write_command([]) == ""
