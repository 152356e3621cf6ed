"""Raw tracks to one picture per bar: whole bars at the track's own tempo, split by track, nothing made twice."""

import json

import numpy as np
import pytest

from spectrogrand import Audio, media
from spectrogrand.errors import InvalidValue
from spectrogrand.preparing import housex
from spectrogrand.preparing.housex import annotation, jobs, main, make
from spectrogrand.types import GENRES

RATE = 22050
EACH = 4


def clicks(tempo, seconds, seed, silence=0.0):
    """A kick on every beat, its pitch and noise from the seed."""
    rng = np.random.default_rng(seed)
    t = np.arange(int(seconds * RATE)) / RATE
    since = t % (60 / tempo)
    x = np.exp(-since / 0.05) * np.sin(2 * np.pi * (60 + 10 * seed) * since) + 0.01 * rng.standard_normal(len(t))
    return Audio(np.concatenate([np.zeros(int(silence * RATE)), 0.5 * x])[None].astype(np.float32), RATE)


@pytest.fixture(scope="module")
def raw(tmp_path_factory):
    """Four tracks a genre at 120 bpm, 7.9 s each: 3 bars of 2 s from whichever beat counts as one."""
    folder = tmp_path_factory.mktemp("raw")
    for g, genre in enumerate(GENRES):
        (folder / f"{genre} house").mkdir()
        for k in range(EACH):
            media.save_audio(folder / f"{genre} house" / f"Track {g}{k}.wav", clicks(120, 7.9, 10 * g + k))
    drops = {f"Track {g}{k}": {"start": 2.0, "end": "0:07.6", "bpm": 120} for g in range(4) for k in range(EACH)}
    (folder / "drops.json").write_text(json.dumps(drops))
    return folder


@pytest.fixture(scope="module")
def made(raw, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    words = [str(raw), str(out), "--drops", str(raw / "drops.json"), "--side", "48", "--workers", "1"]
    assert main(words) == 0
    return out


def test_whole_bars_of_every_track(made):
    rows = json.loads((made / "tracks.json").read_text())
    assert len(rows) == 4 * EACH
    assert {r["bpm"] for r in rows} == {120.0} and all(r["bars"] == 3 for r in rows)
    assert len(list(made.glob("*/*.jpg"))) == 3 * 4 * EACH
    picture = media.load_image(next(made.glob("train/future house-*~0001.jpg"))).pixels
    assert picture.shape == (48, 48, 3)
    columns = picture.astype(int).sum(axis=(0, 2))
    beats = [columns[12 * b : 12 * b + 4].mean() for b in range(4)]
    rests = [columns[12 * b + 7 : 12 * b + 11].mean() for b in range(4)]
    assert min(beats) > max(rests)  # four kicks in a bar: the window is one bar of the track's own tempo


def test_no_track_lies_in_two_splits(made):
    """By file names and by what is inside: the leak that a split by picture would have."""
    where = {}
    for path in made.glob("*/*.jpg"):
        where.setdefault(path.stem.rpartition("~")[0], set()).add(path.parent.name)
    assert len(where) == 4 * EACH and all(len(splits) == 1 for splits in where.values())
    rows = json.loads((made / "tracks.json").read_text())
    for genre in GENRES:
        assert {r["split"] for r in rows if r["genre"] == genre} == {"train", "val", "test"}


def test_training_reads_it(made, tmp_path):
    pytest.importorskip("torch")
    from spectrogrand.training.pictures.cache import decode
    from spectrogrand.training.pictures.folders import housex as entries

    found = decode(entries(made), GENRES, 32, tmp_path, workers=1)
    assert sum(map(len, found.values())) == 3 * 4 * EACH
    assert not set(found["train"].groups) & (set(found["val"].groups) | set(found["test"].groups))


def test_it_goes_on_where_it_stopped(raw, made, monkeypatch):
    monkeypatch.setattr(media, "load_audio", lambda path: pytest.fail("a finished track is read again"))
    drops = json.loads((raw / "drops.json").read_text())
    assert [make(j)["bars"] for j in jobs(raw, made, drops=drops, side=48)] == [3] * 4 * EACH


def test_the_drop_alone_as_tensors(raw, tmp_path):
    drops = json.loads((raw / "drops.json").read_text())
    job = jobs(raw, tmp_path, drops=drops, part="drop", kind="tensors")[0]
    row = make(job)
    assert row["bars"] == 2 and 1.9 <= row["start"] < 4
    tensors = sorted((tmp_path / row["split"]).glob("*.npy"))
    mel = np.load(tensors[0])
    assert len(tensors) == 2 and mel.shape == (128, 86) and mel.max() == 0 and mel.dtype == np.float32


def test_the_tempo_is_found_where_nobody_says_it(tmp_path):
    for k in range(3):
        for genre in GENRES:
            (tmp_path / genre).mkdir(exist_ok=True)
            media.save_audio(tmp_path / genre / f"{k}.wav", clicks(100 if k else 140, 9.0, 100 * k + len(genre)))
    found = {j.track[0]: make(j) for j in jobs(tmp_path, tmp_path / "out", side=32) if j.genre == "bass"}
    assert found["0"]["bpm"] == pytest.approx(140, rel=0.01) and found["1"]["bpm"] == pytest.approx(100, rel=0.01)


def test_processes_make_the_same_files(raw, made, tmp_path):
    drops = json.loads((raw / "drops.json").read_text())
    few = [j for j in jobs(raw, tmp_path, drops=drops, side=48) if j.genre == "melodic"]
    rows, problems = housex.prepare(few, tmp_path, workers=2)
    assert len(rows) == EACH and not problems
    for path in tmp_path.glob("*/*.jpg"):
        assert path.read_bytes() == (made / path.relative_to(tmp_path)).read_bytes()


def test_bad_input(raw, tmp_path, capsys):
    with pytest.raises(InvalidValue, match="holds no tracks: expected folders future house/"):
        jobs(tmp_path, tmp_path)
    for genre in GENRES:
        (tmp_path / genre).mkdir()
        for k in range(3):
            (tmp_path / genre / f"{genre}{k}.wav").write_bytes(f"{genre}{k}".encode())
    (tmp_path / "bass" / "bass0.wav").unlink()
    with pytest.raises(InvalidValue, match="bass house has 2 tracks, at least 3"):
        jobs(tmp_path, tmp_path)
    (tmp_path / "bass" / "again.wav").write_bytes(b"future0")
    with pytest.raises(InvalidValue, match="is the same track as .*future0"):
        jobs(tmp_path, tmp_path)
    (tmp_path / "bass" / "again.wav").write_bytes(b"other")
    with pytest.raises(InvalidValue, match="there is no drop of .* in the annotation"):
        jobs(tmp_path, tmp_path, drops={}, part="drop")
    assert main([str(tmp_path), str(tmp_path / "out"), "--workers", "1"]) == 1
    assert "skipped again.wav:" in capsys.readouterr().err
    for entry in ([3, 2], ["a", 2], 5, {"start": 1, "end": 2, "bpm": 3}):
        with pytest.raises(InvalidValue, match="the drop of a.mp3 is"):
            annotation({"a": entry}, housex.Path("a.mp3"))
