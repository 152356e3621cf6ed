"""A shared run tells nothing of the machine: no path outside it, no token, no secret; `spectrogrand export` copies it clean."""

import json
import zipfile
from pathlib import Path

import pytest

from spectrogrand.__main__ import main
from spectrogrand.errors import ConfigError, StoreError
from spectrogrand.pipelines.execute import execute
from spectrogrand.runs.sharing import cleaned, export

SECRET = "correct-horse-battery"


@pytest.fixture(scope="module")
def made(tmp_path_factory, shared):
    """A real run of a song of one's own, with a secret in the environment and in a setting."""
    from spectrogrand.config import compose

    home = tmp_path_factory.mktemp("somebodys home")
    (home / "private songs").mkdir()
    song = home / "private songs/My Loop.flac"
    song.write_bytes((shared / "data/audio/loop_mika.flac").read_bytes())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MY_API_KEY", SECRET)
        config = compose([
            "song=file", f"song.path={song}", "covers=1", "videos=[static]", "size=64", "gates=[]",
            f"output={home / 'out'}", f"store={home / 'elsewhere'}", "+job=job0123456789abcdef", f"+note={SECRET}",
        ])  # fmt: skip
        return home, execute(config).parent


def texts(folder):
    return {p.name: p.read_text("utf-8") for p in (folder / "run.json", folder / "report.html")}


def test_record_and_page_of_a_run_are_private(made):
    home, folder = made
    for name, text in texts(folder).items():
        for told in (
            str(home),
            home.name,
            "private songs",
            str(Path.home()) + "/",
            "/tmp/",
            SECRET,
            "job0123456789abcdef",
        ):
            assert told not in text, f"{told} in {name}"
    record = json.loads((folder / "run.json").read_text())
    assert record["config"]["song"]["path"] == "My Loop.flac" and record["topic"] == "My Loop"
    assert (folder / ".job").read_text() == "job0123456789abcdef", "the page finds its run by a file that is not shared"


@pytest.mark.parametrize("out", ["copy", "copy.zip"])
def test_export_is_the_run_without_what_lies_beside_it(made, tmp_path, out):
    _, folder = made
    (folder / "diary.txt").write_text("mine")
    assert main(["export", str(folder), str(tmp_path / out)]) == 0
    if out.endswith(".zip"):
        with zipfile.ZipFile(tmp_path / out) as box:
            box.extractall(tmp_path / "unpacked")
        got = tmp_path / "unpacked/copy"
    else:
        got = tmp_path / out
    names = {p.relative_to(got).as_posix() for p in got.rglob("*") if p.is_file()}
    record = json.loads((got / "run.json").read_text())
    assert names == {*record["files"], "run.json", "report.html"} and "static.mp4" in names
    assert (got / "static.mp4").read_bytes() == (folder / "static.mp4").read_bytes()


def test_export_cleans_a_record_of_before(tmp_path, monkeypatch):
    monkeypatch.setenv("HUB_TOKEN", "abcdef123456")
    run = tmp_path / "runs/old"
    run.mkdir(parents=True)
    (run / "cover.png").write_bytes(b"p")
    old = {
        "state": "finished", "topic": "/r/house and/or techno", "files": {"cover.png": {"sha256": "0", "bytes": 1}},
        "config": {"job": "job1", "weights": "/mnt/big disk/weights", "output": str(run.parent), "home": "~/music/a.mp3"},
        "error": "the file '/home/ana/Music/a b.mp3' is torn; see /var/log/x.log, C:\\Users\\ana\\a.wav and https://u:p@h.org/a",
        "warnings": [f"in {run}/cover.png: abcdef123456 and hf_" + "a" * 30], "fps": "30000/1001",
    }  # fmt: skip
    (run / "run.json").write_text(json.dumps(old))
    got = json.loads((export(run, tmp_path / "new") / "run.json").read_text())
    assert got["topic"] == old["topic"] and got["fps"] == "30000/1001" and "job" not in got["config"]
    assert got["config"] == {"weights": "weights", "output": "runs", "home": "a.mp3"}
    assert got["error"] == "the file 'a b.mp3' is torn; see x.log, a.wav and https://h.org/a"
    assert got["warnings"] == ["in cover.png: (hidden) and (hidden)"]
    assert cleaned(got, run) == got, "once is enough"


def test_what_cannot_be_exported_is_one_line(tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    with pytest.raises(StoreError, match="no readable run.json"):
        export(run, tmp_path / "copy")
    for name in ("../secret", "gone.png", "/etc/passwd", "link"):
        (run / "run.json").write_text(json.dumps({"files": {name: {}}}))
        if name == "link":
            (run / "link").symlink_to("/etc/passwd")
        with pytest.raises(StoreError, match="gone, or lies elsewhere"):
            export(run, tmp_path / "copy")
    (run / "run.json").write_text("{}")
    (tmp_path / "there").write_text("mine")
    with pytest.raises(ConfigError, match="there already"):
        export(run, tmp_path / "there")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["run", "there"]
