"""The store: whole entries or none, whoever writes, whenever it is killed."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spectrogrand.errors import StoreError
from spectrogrand.files import indented
from spectrogrand.store import MANIFEST, Store, digest, file_digest, place, write_json

KEY = "ab" + "0" * 62


def put(store, text="hello", key=KEY):
    with store.writing(key) as folder:
        (folder / "a.txt").write_text(text)
    return store.find(key)


def test_what_is_written_is_found(tmp_path):
    entry = put(Store(tmp_path))
    assert entry.path("a.txt").read_text() == "hello"
    assert entry.files == {"a.txt": "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"}


def test_nothing_is_found_before(tmp_path):
    assert Store(tmp_path / "never").find(KEY) is None
    assert not (tmp_path / "never").exists()


def test_an_exception_leaves_nothing(tmp_path):
    store = Store(tmp_path)
    with pytest.raises(RuntimeError, match="stop"), store.writing(KEY) as folder:
        (folder / "a.txt").write_text("half")
        raise RuntimeError("stop")
    assert store.find(KEY) is None
    assert list((tmp_path / "ab").iterdir()) == []


@pytest.mark.parametrize("damage", ["bytes", "missing file", "no manifest", "manifest text", "manifest list"])
def test_a_damaged_entry_is_redone(tmp_path, damage):
    store = Store(tmp_path)
    folder = put(store).folder
    if damage == "bytes":
        (folder / "a.txt").write_text("hellp")
    elif damage == "missing file":
        (folder / "a.txt").unlink()
    elif damage == "no manifest":
        (folder / MANIFEST).unlink()
    else:
        (folder / MANIFEST).write_text("{" if damage == "manifest text" else "[1]")
    assert store.find(KEY) is None
    assert put(store).path("a.txt").read_text() == "hello"


@pytest.mark.parametrize(
    "damage",
    [
        "folder for a file",
        "link",
        "deep json",
        "wrong types",
        "outside",
        "file for the entry",
        "dead link",
        "file for the shard",
    ],
)
def test_anything_wrong_is_made_again(tmp_path, damage):
    store, other = Store(tmp_path / "store"), tmp_path / "other.txt"
    folder = put(store).folder
    other.write_text("hello")
    if damage in ("folder for a file", "link"):
        (folder / "a.txt").unlink()
        (folder / "a.txt").mkdir() if damage == "folder for a file" else (folder / "a.txt").symlink_to(other)
    elif damage == "deep json":
        (folder / MANIFEST).write_text("[" * 100_000)
    elif damage == "wrong types":
        (folder / MANIFEST).write_text('{"files": {"a.txt": 3}}')
    elif damage == "outside":
        (folder / MANIFEST).write_text(json.dumps({"files": {"../../../other.txt": file_digest(other)}}))
    else:
        place_of = folder.parent if damage == "file for the shard" else folder
        os.rename(place_of, tmp_path / "away")
        place_of.symlink_to(tmp_path / "nowhere") if damage == "dead link" else place_of.write_text("x")
    assert store.find(KEY) is None
    assert put(store).path("a.txt").read_text() == "hello"
    assert other.read_text() == "hello"


def test_a_writer_mends_what_lies_in_its_place(tmp_path):
    store = Store(tmp_path)
    with store.writing(KEY) as folder:
        (folder / "a.txt").write_text("hello")
        (tmp_path / "ab" / KEY).mkdir()
        (tmp_path / "ab" / KEY / "junk").write_text("x")
    assert store.find(KEY).path("a.txt").read_text() == "hello"


def test_a_live_draft_is_never_swept(tmp_path):
    """Its folder is two days old, as that of a long render is, and another step of the same shard is written."""
    store = Store(tmp_path)
    with store.writing(KEY) as slow:
        (slow / "a.txt").write_text("slow")
        for path in (slow / "a.txt", slow):
            os.utime(path, (time.time() - 172_800,) * 2)
        put(store, "other", "ab" + "1" * 62)
        assert (slow / "a.txt").exists()
    assert store.find(KEY).path("a.txt").read_text() == "slow"


def test_a_draft_whose_file_still_grows_is_not_swept(tmp_path):
    draft = tmp_path / "ab" / ".growing"
    draft.mkdir(parents=True)
    (draft / "video.mp4").write_text("x")
    os.utime(draft, (time.time() - 172_800,) * 2)
    put(Store(tmp_path))
    assert draft.exists()


def test_the_first_of_two_writers_wins_and_both_are_right(tmp_path):
    store = Store(tmp_path)
    with store.writing(KEY) as slow:
        (slow / "a.txt").write_text("same")
        put(store, "same")
    assert store.find(KEY).path("a.txt").read_text() == "same"
    assert [p.name for p in (tmp_path / "ab").iterdir()] == [KEY]


def _many(root, start):
    start.wait()
    for n in range(30):
        put(Store(root), f"entry {n}", digest(n))


def test_two_processes_at_once(tmp_path):
    context = multiprocessing.get_context("spawn")
    start = context.Event()
    workers = [context.Process(target=_many, args=(tmp_path, start)) for _ in range(2)]
    for worker in workers:
        worker.start()
    start.set()
    for worker in workers:
        worker.join(60)
    assert [w.exitcode for w in workers] == [0, 0]
    assert [Store(tmp_path).find(digest(n)).path("a.txt").read_text() for n in range(30)] == [
        f"entry {n}" for n in range(30)
    ]


def test_killed_while_writing_is_as_if_never_begun(tmp_path):
    code = (
        "import sys, time; from spectrogrand.store import Store\n"
        f"with Store({str(tmp_path)!r}).writing({KEY!r}) as f:\n"
        "    (f / 'a.txt').write_text('half'); print('in', flush=True); time.sleep(60)"
    )
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert child.stdout.readline() == b"in\n"
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    assert Store(tmp_path).find(KEY) is None
    assert put(Store(tmp_path)).path("a.txt").read_text() == "hello"


def test_what_a_kill_left_is_swept_after_a_day(tmp_path):
    for name, age in ((".old", 90_000), (".new", 60)):
        (tmp_path / "ab" / name).mkdir(parents=True)
        os.utime(tmp_path / "ab" / name, (time.time() - age,) * 2)
    put(Store(tmp_path))
    assert sorted(p.name for p in (tmp_path / "ab").iterdir()) == [".new", KEY]


def test_a_full_disk_is_one_line(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "rename", full)
    with pytest.raises(StoreError, match="the disk is full at .*: free some space and run again"):
        put(Store(tmp_path))
    assert list((tmp_path / "ab").iterdir()) == []


def test_a_file_in_the_way_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot write to .*choose another with output=FOLDER"):
        put(Store(tmp_path / "file"))


def test_json_is_whole_or_old(tmp_path):
    path = tmp_path / "run.json"
    write_json(path, {"a": 1})
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(path, {"a": float("nan")})
    assert json.loads(path.read_text()) == {"a": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["run.json"]


def test_place_replaces(tmp_path):
    (tmp_path / "a").write_text("new")
    (tmp_path / "b").write_text("old")
    place(tmp_path / "a", tmp_path / "sub" / "b")
    place(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").read_text() == (tmp_path / "sub" / "b").read_text() == "new"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "b", "sub"]


def test_digest_known_answer(tmp_path):
    (tmp_path / "empty").write_bytes(b"")
    assert file_digest(tmp_path / "empty") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert digest([]) == "4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945"
    assert digest("\ud800") != digest("?")


@settings(max_examples=40, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda part: st.lists(part) | st.dictionaries(st.text(), part) | st.dictionaries(st.integers(), part),
        max_leaves=20,
    )
)
def test_indented_json_is_that_of_the_standard_library(plain):
    assert indented(plain) == json.dumps(plain, indent=1, ensure_ascii=False, allow_nan=False)


def test_indented_json_refuses_what_json_has_no_number_for():
    with pytest.raises(ValueError, match="not JSON compliant"):
        indented({"a": [float("nan")]})
