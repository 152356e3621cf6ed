"""Many files into parquet: every file is a row, also a corrupt one; stopped and gone on; both engines give the same rows."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from spectrogrand import Audio, Image, build, load_audio, save_audio, save_image
from spectrogrand.__main__ import main
from spectrogrand.errors import ConfigError, UnknownName
from spectrogrand.scale import score as scale

pq = pytest.importorskip("pyarrow.parquet")
SCORERS = ["danceability", "aesthetics"]


@pytest.fixture
def folder(tmp_path, rng):
    home = tmp_path / "files"
    (home / "deeper").mkdir(parents=True)
    for k in range(9):
        save_audio(home / f"{k}.wav", Audio(rng.normal(0, 0.1 + 0.02 * k, (1, 16000)).astype(np.float32), 8000))
    save_image(home / "deeper" / "picture.png", Image(rng.integers(0, 255, (64, 64, 3), np.uint8)))
    (home / "broken.wav").write_bytes(b"RIFF and nothing more")
    return home


def rows(path):
    return pq.read_table(path).to_pylist()


def test_every_file_is_a_row(folder, tmp_path, capsys):
    out = tmp_path / "out.parquet"
    assert main(["score", str(folder), str(out), "scorers=danceability,aesthetics"]) == 0
    assert capsys.readouterr().out == f"{out}: 11 rows\n"
    found = {r["file"]: r for r in rows(out)}
    expected = build("scorers", "danceability").score([load_audio(folder / "3.wav")])[0]
    assert found["3.wav"]["danceability"] == pytest.approx(expected) and found["3.wav"]["aesthetics"] is None
    assert found["deeper/picture.png"]["aesthetics"] is not None and found["deeper/picture.png"]["danceability"] is None
    assert found["broken.wav"]["error"] and found["broken.wav"]["danceability"] is None
    assert [r["error"] for n, r in found.items() if n != "broken.wav"] == [None] * 10
    assert not (tmp_path / "out.parquet.parts").exists()


def test_what_was_stopped_goes_on_after_the_parts_that_are_there(folder, tmp_path, monkeypatch):
    whole, calls = scale.score_part, []

    def dies(files, *rest):
        calls.append(files)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return whole(files, *rest)

    monkeypatch.setattr(scale, "score_part", dies)
    with pytest.raises(KeyboardInterrupt):
        scale.score(folder, tmp_path / "o.parquet", SCORERS, part=3)
    assert len(list((tmp_path / "o.parquet.parts").iterdir())) == 2 and not (tmp_path / "o.parquet").exists()
    assert scale.score(folder, tmp_path / "o.parquet", SCORERS, part=3) == 11
    assert len(calls) == 3 + 2, "two parts were there, two were left"


def test_what_cannot_be_is_said(folder, tmp_path):
    with pytest.raises(UnknownName, match="no engine 'locl'; did you mean 'local'"):
        scale.score(folder, tmp_path / "o.parquet", SCORERS, engine="locl")
    with pytest.raises(UnknownName, match="danceability"):
        scale.score(folder, tmp_path / "o.parquet", ["dancability"])
    (tmp_path / "none").mkdir()
    with pytest.raises(ConfigError, match="no sounds and no pictures"):
        scale.score(tmp_path / "none", tmp_path / "o.parquet", SCORERS)


BOTH = """
import sys
from spectrogrand.scale.score import score
for engine in ("local", "ray"):
    score(sys.argv[1], f"{engine}.parquet", ["danceability", "aesthetics"], engine=engine, part=3)
"""


@pytest.mark.slow
def test_ray_gives_the_rows_of_local(folder, tmp_path):
    """In a process of its own, without the proxy that guards the tests: the cluster's parts talk over this machine's address."""
    pytest.importorskip("ray")
    environment = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
    environment["PYTHONPATH"] = str(Path(__file__).resolve().parent.parent)
    subprocess.run([sys.executable, "-c", BOTH, str(folder)], cwd=tmp_path, env=environment, check=True)
    assert rows(tmp_path / "local.parquet") == rows(tmp_path / "ray.parquet")
