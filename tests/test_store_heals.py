"""Whatever happens to the store while a run goes on or lies, the run ends well; `spectrogrand store` tells and tidies."""

import hashlib
import json
import os
import shutil
import time

import numpy as np
import pytest

from spectrogrand.__main__ import main
from spectrogrand.errors import StoreError
from spectrogrand.interfaces import Card, CreativityScorer, Generator
from spectrogrand.runs.artefacts import Traced
from spectrogrand.runs.candidates import make_all, rate_all
from spectrogrand.runs.run import Run
from spectrogrand.store import MANIFEST, Changed, Store, place
from spectrogrand.types import Image, Topic

KEYS = ["ab" * 32, "cd" * 32, "ce" * 32]


class Squares(Generator):
    """A toy: a square of the seed's shade; counts what it makes."""

    card, artefact = Card("squares"), Image
    name, settings, batch_size = "squares", {}, 4

    def __init__(self):
        self.made = 0

    def generate(self, sources, seeds):
        self.made += len(seeds)
        return [Image(np.full((8, 8, 3), n % 251, np.uint8)) for n in seeds]


class Shade(CreativityScorer):
    card, artefact = Card("shade"), Image
    name, settings, aspect = "shade", {}, "value"

    def __init__(self):
        self.rated = 0

    def score(self, batch):
        self.rated += len(batch)
        return np.array([float(i.pixels.mean()) for i in batch])


def entry_of(item):
    return item.entry.folder


def gone(folder):
    shutil.rmtree(folder)


def emptied(folder):
    for path in folder.iterdir():
        path.write_bytes(b"")


def folders(folder):
    for path in list(folder.iterdir()):
        path.unlink()
        path.mkdir()


def linked(folder):
    for path in list(folder.iterdir()):
        path.unlink()
        path.symlink_to("/etc/passwd")


def deep(folder):
    (folder / MANIFEST).write_text("[" * 100_000)
    (folder / "picture.png").unlink()


def another(folder):
    """Sound by its manifest, and no picture: somebody wrote both."""
    (folder / "picture.png").write_bytes(b"no picture")
    sha = hashlib.sha256(b"no picture").hexdigest()
    (folder / MANIFEST).write_text(json.dumps({"files": {"picture.png": sha}}))


def nothing(folder):
    for path in folder.iterdir():
        path.unlink()
    (folder / MANIFEST).write_text('{"files": {}}')


WAYS = [gone, emptied, folders, linked, deep, another, nothing]


@pytest.mark.parametrize("harm", WAYS)
def test_harm_between_making_and_reading_is_mended(tmp_path, harm):
    store, generator = Store(tmp_path), Squares()
    items, failed, reused = make_all(store, generator, [Topic("sea")] * 3, [1, 2, 3])
    assert (failed, reused, generator.made) == ([None] * 3, 0, 3)
    harm(entry_of(items[1]))
    assert [int(i.value.pixels[0, 0, 0]) for i in items] == [1, 2, 3]
    assert generator.made == 4, "one was made again"
    again, _, reused = make_all(store, generator, [Topic("sea")] * 3, [1, 2, 3])
    assert reused == 3 and [i.digest for i in again] == [i.digest for i in items]


@pytest.mark.parametrize("harm", WAYS)
def test_harm_before_a_file_is_kept_is_mended(tmp_path, harm):
    run = Run({"output": str(tmp_path)}, "sea")
    items, _, _ = make_all(run.store, Squares(), [Topic("sea")], [7])
    assert items[0].value.pixels.max() == 7
    harm(entry_of(items[0]))
    name = run.keep_item(items[0], "cover")
    kept = run.folder / name
    assert hashlib.sha256(kept.read_bytes()).hexdigest() == run._record["files"][name]["sha256"]
    from spectrogrand.media import load_image

    assert load_image(kept).pixels.max() == 7


@pytest.mark.parametrize("harm", [gone, emptied, folders, linked])
def test_a_stored_value_is_made_again(tmp_path, harm):
    run, made = Run({"output": str(tmp_path)}, "sea"), []
    value = Traced("0" * 64, lambda: made.append(1) or "words")
    got, entry = run.stored(value, "a.txt", lambda v, path: path.write_text(v), lambda path: path.read_text())
    harm(entry.folder)
    assert got.value == "words" and entry.path("a.txt").read_text() == "words"


@pytest.mark.parametrize("content", ["[" * 100_000, '"high"', "true", "[1]", "", "{}", "9" * 5000])
def test_a_score_that_is_none_is_rated_again(tmp_path, content):
    store, scorer = Store(tmp_path), Shade()
    items, _, _ = make_all(store, Squares(), [Topic("sea")] * 2, [3, 5])
    assert rate_all(store, scorer, items)[0].tolist() == [3.0, 5.0]
    path = next(p for p in tmp_path.rglob("score.json") if p.read_text() == "3.0")
    path.write_text(content)
    sha = hashlib.sha256(content.encode()).hexdigest()
    path.with_name(MANIFEST).write_text(json.dumps({"files": {"score.json": sha}}))
    scores, found = rate_all(store, scorer, items)
    assert scores.tolist() == [3.0, 5.0] and found == 1 and scorer.rated == 3


def test_a_file_beside_the_listed_ones_is_no_part_of_an_entry(tmp_path):
    store = Store(tmp_path)
    entry, _ = store.get_or_make(KEYS[0], lambda folder: (folder / "picture.png").write_text("a"))
    (entry.folder / ".nfs0001").write_text("what a network folder leaves")
    assert store.find(KEYS[0]) is not None
    (entry.folder / "song.wav").write_text("planted")
    assert store.find(KEYS[0]) is None


def test_what_vanishes_as_it_is_made_is_made_again_and_then_told(tmp_path, monkeypatch):
    store, tries = Store(tmp_path), []
    found = Store.find

    def find(self, key):
        if len(tries) < limit:
            shutil.rmtree(tmp_path / key[:2], ignore_errors=True)
        return found(self, key)

    monkeypatch.setattr(Store, "find", find)
    limit = 2
    entry, reused = store.get_or_make(KEYS[0], lambda folder: tries.append((folder / "a").write_text("a")))
    assert not reused and entry.path("a").read_text() == "a" and len(tries) == 2
    limit, tries = 99, []
    with pytest.raises(StoreError, match="vanished"):
        store.get_or_make(KEYS[1], lambda folder: (folder / "a").write_text("a"))


def test_place_checks_what_it_copies(tmp_path):
    (tmp_path / "a").write_text("a")
    place(tmp_path / "a", tmp_path / "b", hashlib.sha256(b"a").hexdigest())
    assert (tmp_path / "b").read_text() == "a" and (tmp_path / "b").stat().st_ino != (tmp_path / "a").stat().st_ino
    for source, sha in (("a", "0" * 64), ("none", None)):
        with pytest.raises(Changed, match="run again"):
            place(tmp_path / source, tmp_path / "b", sha)
    assert (tmp_path / "b").read_text() == "a" and sorted(os.listdir(tmp_path)) == ["a", "b"]


@pytest.fixture
def full(tmp_path):
    store = Store(tmp_path / ".store")
    for key in KEYS:
        store.get_or_make(key, lambda folder, key=key: (folder / "a.txt").write_text(key))
    return store


def test_verify_removes_what_is_damaged(full, tmp_path, capsys):
    (full.root / "cd" / KEYS[1] / "a.txt").write_text("b")
    (full.root / "ee").mkdir()
    (full.root / "ee" / ("ee" * 32)).write_text("a file for a folder")
    assert main(["store", "verify", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "2 finished steps" in out and "2 damaged ones removed" in out
    assert main(["store", "size", str(tmp_path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["entries"] == 2 and told["bytes"] > 128


def test_prune_goes_by_the_last_use_and_keeps_what_runs_hold(full, tmp_path, capsys):
    for key in KEYS:
        os.utime(full.root / key[:2] / key / MANIFEST, (1, time.time() - 40 * 86_400))
    assert full.find(KEYS[0]) is not None, "found: used now"
    (tmp_path / "run").mkdir()
    sha = full.find(KEYS[1]).files["a.txt"]
    os.utime(full.root / "cd" / KEYS[1] / MANIFEST, (1, time.time() - 40 * 86_400))
    (tmp_path / "run/run.json").write_text(json.dumps({"files": {"cover.png": {"sha256": sha}, "odd": 3}}))
    (tmp_path / "torn").mkdir()
    (tmp_path / "torn/run.json").write_text("[" * 100_000)
    assert main(["store", "prune", str(tmp_path), "--older-than=30d", "--keep-runs"]) == 0
    assert "1 removed" in capsys.readouterr().out
    assert [full.find(k) is not None for k in KEYS] == [True, True, False]
    os.utime(full.root / "cd" / KEYS[1] / MANIFEST, (1, 1))
    assert main(["store", "prune", str(full.root), "--older-than=2w"]) == 0
    assert [full.find(k) is not None for k in KEYS] == [True, False, False]


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["empty"],
        ["prune"],
        ["prune", "--older-than=ever"],
        ["size", "--older-than=3d"],
        ["size", "a", "b"],
        ["verify", "no"],
    ],
)
def test_what_is_asked_wrongly_is_one_line(words, full, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "outputs").mkdir()
    shutil.move(full.root, tmp_path / "outputs/.store")
    assert main(["store", *words]) in (1, 2)
    assert capsys.readouterr().err.count("\n") == 1


def test_no_folder_of_ones_own_is_taken_for_a_store(tmp_path, capsys):
    (tmp_path / "thesis.doc").write_text("years of work")
    assert main(["store", "prune", str(tmp_path), "--older-than=1h"]) == 1
    assert (tmp_path / "thesis.doc").exists() and "no store" in capsys.readouterr().err
