"""Unusual names and places: bytes that are no text, the C locale, shares that refuse things, no folder, a full device."""

import errno
import json
import os
import stat
import subprocess
import sys

import pytest

from spectrogrand.errors import ConfigError, MediaError
from spectrogrand.files import replacing
from spectrogrand.media import load_audio, load_image
from spectrogrand.report.page import write_report
from spectrogrand.report.record import load_record
from spectrogrand.runs.folders import fresh, slug
from spectrogrand.store import Store, write_json


def call(*words, cwd=None, prefix=(), **env):
    clean = {k: v for k, v in os.environ.items() if k not in ("LC_ALL", "LANG", "PYTHONUTF8")}
    return subprocess.run(
        [*prefix, sys.executable, "-m", "spectrogrand", *words],
        cwd=cwd,
        env={**clean, **env},
        capture_output=True,
        timeout=300,
    )


def test_a_name_that_is_no_text_is_kept_in_the_record_and_shown_in_the_page(tmp_path):
    name = os.fsdecode(b"caf\xe9.wav")
    write_json(tmp_path / "run.json", {"topic": "x", "config": {"song": {"path": name}}})
    assert json.loads((tmp_path / "run.json").read_bytes())["config"]["song"]["path"] == name
    assert "caf?.wav" in write_report(tmp_path).read_text("utf-8")
    assert load_record(tmp_path)["config"]["song"]["path"] == "caf?.wav"
    assert slug(os.fsdecode(b"caf\xe9")) == "caf"


@pytest.mark.parametrize(
    "text",
    ["море", "海の歌", "نجوم", "हिन्दी", "é" * 300, "𝔘𝔫𝔦" * 100, "..", "/", "con\x00", "-", "\u202e gnp.exe", "İ" * 60],
)
def test_names_of_any_script_make_a_folder(tmp_path, text):
    folder = fresh(tmp_path, f"{slug(text)}-20260101-000000")
    assert folder.parent == tmp_path and folder.is_dir() and not set(folder.name) & set("/\\\0\u202e. ")
    assert len(os.fsencode(folder.name)) < 200
    if text.isalpha() and len(text) < 20:
        assert folder.name.startswith(text.casefold()), "and can be read"


@pytest.fixture(params=["fsync", "fsync folders", "chmod"])
def share(request, monkeypatch):
    """A network share that refuses what some do."""
    real = os.fsync

    def fsync(handle):
        if request.param == "fsync" or stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "Invalid argument")
        real(handle)

    def chmod(path, mode, **_):
        raise PermissionError(errno.EPERM, "Operation not permitted", str(path))

    if request.param == "chmod":
        monkeypatch.setattr(os, "chmod", chmod)
    else:
        monkeypatch.setattr(os, "fsync", fsync)


def test_shares_that_refuse_fsync_or_chmod(share, tmp_path):
    write_json(tmp_path / "a.json", {"a": 1})
    with replacing(tmp_path / "b.txt") as draft:
        draft.write_text("b")
    entry, _ = Store(tmp_path / "s").get_or_make("ab" * 32, lambda folder: (folder / "c").write_text("c"))
    assert (tmp_path / "b.txt").read_text() == "b" and entry.path("c").read_text() == "c"


def test_a_full_disk_at_fsync_is_still_told(tmp_path, monkeypatch):
    def fsync(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(MediaError, match="disk is full"), replacing(tmp_path / "b.txt") as draft:
        draft.write_text("b")


@pytest.mark.parametrize("address", ["https://example.org/a.mp3", "HTTP://a/b.png", "ftp://a/b", "s3://bucket/a.wav"])
def test_addresses_are_no_files(address):
    for load in (load_audio, load_image):
        with pytest.raises(MediaError, match="is an address, expected a .* file of this machine: download it"):
            load(address)
    with pytest.raises(MediaError, match="without file://"):
        load_audio("file:///tmp/a.wav")
    with pytest.raises(ConfigError, match="a folder, not an address"):
        fresh(__import__("pathlib").Path(address), "a")


def test_a_folder_whose_name_looks_like_an_address_is_still_read(tmp_path, monkeypatch, shared):
    monkeypatch.chdir(tmp_path)
    os.makedirs("http:/a")
    (tmp_path / "http:/a/b.flac").write_bytes((shared / "data/audio/bd_haus.flac").read_bytes())
    assert load_audio("http://a/b.flac").rate == 44100


def test_the_c_locale_says_what_it_has_to_say():
    done = call("run", "song=file", "song.path=Ünïcode/海.mp3", LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    assert done.returncode == 1 and "Ünïcode/海.mp3" in done.stderr.decode("utf-8") and done.stderr.count(b"\n") == 1
    undecodable = call("run", "song=file", os.fsdecode(b"song.path=caf\xe9.flac"))
    assert undecodable.returncode == 1 and undecodable.stderr.count(b"\n") == 1


def test_a_deleted_working_folder_is_one_line(tmp_path):
    (tmp_path / "gone").mkdir()
    inside = ("sh", "-c", 'rmdir ../gone && exec "$@"', "sh")
    done = call("run", "topic=sea", cwd=tmp_path / "gone", prefix=inside)
    assert done.returncode == 1 and done.stderr.count(b"\n") == 1 and b"was deleted" in done.stderr


@pytest.mark.parametrize("words", [["list", "gates", "--json"], ["--version"], ["--help"]])
def test_a_full_device_is_one_line(words):
    done = call(*words, prefix=("sh", "-c", '"$@" > /dev/full', "sh"))
    assert done.returncode == 1 and done.stderr.count(b"\n") == 1 and b"no space left" in done.stderr


def test_a_closed_pipe_is_silent():
    done = call("list", "gates", prefix=("sh", "-c", '"$@" | true', "sh"))
    assert done.stderr == b""


@pytest.mark.parametrize("columns", [10, 40, 200])
def test_a_narrow_terminal_shows_whole_names(columns, monkeypatch, capsys):
    from spectrogrand.cli import list_plugins

    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    assert list_plugins(["gates"]) == 0
    assert "damaged_picture" in capsys.readouterr().out
