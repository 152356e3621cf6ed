"""A damaged index of lyrics is one line, whatever was changed; a damaged shard of a build is embedded again."""

import json
import random
import shutil

import pytest
from test_recommendation import Hashed, many

from spectrogrand.errors import InvalidValue, SpectrograndError, StoreError
from spectrogrand.lyrics.building import build_index
from spectrogrand.lyrics.reading import Table
from spectrogrand.lyrics.searching import Index

FILES = ("index.json", "vectors.safetensors", "clusters.safetensors", "songs.parquet", "lines.parquet")


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    pytest.importorskip("pyarrow")
    folder = tmp_path_factory.mktemp("lyrics")
    build_index(Table(many(folder / "a.csv", 60)), Hashed(), folder / "index", exact=20)
    return folder


def ask(folder):
    made = Index(folder)
    lines, _ = made.nearest(Hashed().embed(["the sea"])[0], 5)
    return made.texts(lines), [str(made.songs["title"][s]) for s in made.song_of(lines)], made.background[0].shape


def changed(data, rng):
    how = rng.randrange(4)
    at = rng.randrange(len(data))
    if how == 0:
        return data[:at] + bytes([data[at] ^ (1 << rng.randrange(8))]) + data[at + 1 :]
    if how == 1:
        return data[:at]
    if how == 2:
        return data[:at] + rng.randbytes(rng.randrange(1, 40)) + data[at:]
    return rng.randbytes(rng.randrange(0, 60))


def campaign(index, folder, rounds, seed):
    """How many of the damaged copies were told in one line; none may answer, and none may raise anything else."""
    rng, told = random.Random(seed), 0
    for _ in range(rounds):
        shutil.copytree(index / "index", folder)
        path = folder / rng.choice(FILES)
        how = rng.randrange(8)
        data = path.read_bytes()
        path.unlink()
        if how == 0:
            path.mkdir()
        elif how > 1:
            other = changed(data, rng)
            path.write_bytes(other if other != data else b"")
        with pytest.raises((InvalidValue, StoreError)) as error:
            ask(folder)
        assert "\n" not in str(error.value) and len(str(error.value)) < 600
        told += 1
        shutil.rmtree(folder)
    return told


def test_any_damage_is_one_line(index, tmp_path):
    assert ask(index / "index")[0]
    assert campaign(index, tmp_path / "copy", 60, 0) == 60


@pytest.mark.slow
def test_any_damage_is_one_line_many_times(index, tmp_path):
    assert campaign(index, tmp_path / "copy", 500, 1) == 500


@pytest.mark.parametrize("content", ["[" * 100_000, "7", '{"version": 2}', '{"version": [2]}', "9" * 5000])
def test_a_record_of_any_kind(index, tmp_path, content):
    shutil.copytree(index / "index", tmp_path / "copy")
    (tmp_path / "copy/index.json").write_text(content)
    with pytest.raises((InvalidValue, StoreError), match=r"damaged|version"):
        ask(tmp_path / "copy")
    with pytest.raises(SpectrograndError):
        build_index(Table(index / "a.csv"), Hashed(), tmp_path / "copy", exact=20)


def test_arrows_errors_after_opening_are_one_line(index, tmp_path):
    shutil.copytree(index / "index", tmp_path / "copy")
    opened = Index(tmp_path / "copy")
    for name in ("songs.parquet", "lines.parquet"):
        (tmp_path / "copy" / name).write_bytes(b"PAR1" + bytes(60) + b"PAR1")
    for read in (lambda: opened.songs, lambda: opened.texts([0])):
        with pytest.raises(InvalidValue, match="is damaged"):
            read()


def test_a_finished_index_that_lost_a_file_is_built_again(index, tmp_path):
    shutil.copytree(index / "index", tmp_path / "copy")
    (tmp_path / "copy/lines.parquet").unlink()
    build_index(Table(index / "a.csv"), Hashed(), tmp_path / "copy", exact=20)
    for name in FILES:
        assert (tmp_path / "copy" / name).read_bytes() == (index / "index" / name).read_bytes()


def test_damaged_shards_are_embedded_again(index, tmp_path, monkeypatch):
    monkeypatch.setattr("spectrogrand.lyrics.building.SHARD", 30)
    table = many(tmp_path / "a.csv", 60)
    with pytest.raises(KeyboardInterrupt):
        build_index(Table(table), Hashed(fail_after=120), tmp_path / "i", exact=20)
    shards = sorted((tmp_path / "i/.building").glob("*.safetensors"))
    assert len(shards) > 1
    shards[0].write_bytes(b"\0" * 40)
    next((tmp_path / "i/.building").glob("1.lines.parquet")).write_bytes(b"PAR1")
    build_index(Table(table), Hashed(), tmp_path / "i", exact=20)
    build_index(Table(table), Hashed(), tmp_path / "whole", exact=20)
    for name in FILES[1:]:
        assert (tmp_path / "i" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert json.loads((tmp_path / "i/index.json").read_text())["files"]
