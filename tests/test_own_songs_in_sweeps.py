"""One's own songs in sweeps: a folder, a list, a glob, paths with commas; a bad song is a row with its reason."""

import csv
import io
import json
import os

import numpy as np
import pytest

from spectrogrand.__main__ import main
from spectrogrand.errors import ConfigError
from spectrogrand.media import save_audio
from spectrogrand.runs.sweeping import several, songs, with_songs
from spectrogrand.types import Audio

FAST = ["covers=1", "videos=[]", "size=64", "gates=[]", "genre=timbre_genre"]


@pytest.fixture
def folder(tmp_path):
    home = tmp_path / "my songs"
    (home / "deeper").mkdir(parents=True)
    t = np.arange(8000 * 4) / 8000
    for k, name in enumerate(("One, Two (Mix).wav", "deeper/it's ${x}.wav", "Drei.wav")):
        pulse = (np.sin(2 * np.pi * 110 * (k + 1) * t) * np.exp(-8 * (t % 0.5))).astype(np.float32)
        save_audio(home / name, Audio(0.5 * pulse[None], 8000))
    (home / "torn.wav").write_bytes(b"RIFF\x10\x00\x00\x00WAVEfmt ")
    (home / "notes.txt").write_text("no song")
    (home / "._Drei.wav").write_bytes(b"a dropping")
    return home


def rows(output, capsys):
    capsys.readouterr()
    assert main(["table", str(output), "--csv"]) == 0
    found = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    return [r for r in found if r["row"] == "run"]


def test_a_folder_gives_a_row_a_song_and_the_bad_one_its_reason(folder, tmp_path, capsys):
    assert main(["run", f"songs_from={folder}", f"output={tmp_path / 'out'}", *FAST]) == 1, "one was bad"
    told = capsys.readouterr().err
    assert "1 of 5 files" in told and "torn.wav" in told
    found = {os.path.basename(r["song.path"]): r["failed"] for r in rows(tmp_path / "out", capsys)}
    assert set(found) == {"One, Two (Mix).wav", "it's ${x}.wav", "Drei.wav", "torn.wav"}
    assert "torn.wav" in found.pop("torn.wav") and set(found.values()) == {""}
    finished = [json.loads(p.read_text()) for p in (tmp_path / "out").glob("*/run.json")]
    assert {r["state"] for r in finished} == {"finished", "failed"}


def test_a_list_of_songs(folder, tmp_path, capsys):
    (folder / "list.txt").write_text(f"# mine\nDrei.wav\n{folder / 'gone.wav'}\n")
    assert main(["run", f"songs_from={folder / 'list.txt'}", f"output={tmp_path / 'out'}", *FAST]) == 1
    found = {os.path.basename(r["song.path"]): r["failed"] for r in rows(tmp_path / "out", capsys)}
    assert found["Drei.wav"] == "" and "no sound file" in found["gone.wav"]


def test_paths_and_globs_of_a_sweep(folder, monkeypatch):
    monkeypatch.chdir(folder)
    assert several("Drei.wav,torn.wav") == ["Drei.wav", "torn.wav"]
    assert several("One, Two (Mix).wav,Drei.wav,none.wav") == ["One, Two (Mix).wav", "Drei.wav", "none.wav"]
    assert several("*.wav") == ["Drei.wav", "One, Two (Mix).wav", "torn.wav"]
    assert several("**/it*.wav,Drei.wav") == ["deeper/it's ${x}.wav", "Drei.wav"]
    assert several("nothing*.wav") == ["nothing*.wav"], "told as missing, in a row"
    assert with_songs(["song.path=a,b.wav"]) == ["song.path=a,b.wav"], "without a sweep a path is as typed"
    assert with_songs(["-m", "song=file", "song.path=Drei.wav,torn.wav"])[2] == "song.path='Drei.wav','torn.wav'"
    assert with_songs(["-m", "song.path='a','b'"]) == ["-m", "song.path='a','b'"]


def test_two_paths_make_two_runs(folder, tmp_path, capsys):
    words = [f"song.path={folder / 'Drei.wav'},{folder / 'deeper'}/it*.wav", "song=file", f"output={tmp_path / 'out'}"]
    assert main(["run", "-m", *words, *FAST]) == 0
    assert len(rows(tmp_path / "out", capsys)) == 2


@pytest.mark.parametrize("what", ["nowhere", "empty", "blank.txt", "text"])
def test_no_songs_is_one_line(tmp_path, what):
    (tmp_path / "empty").mkdir()
    (tmp_path / "blank.txt").write_text("# nothing\n\n")
    (tmp_path / "text").mkdir()
    (tmp_path / "text/a.txt").write_text("a")
    with pytest.raises(ConfigError) as told:
        songs(str(tmp_path / what))
    assert "\n" not in str(told.value)
    with pytest.raises(ConfigError, match="give one of them"):
        with_songs([f"songs_from={tmp_path}", "song.path=a.wav"])
