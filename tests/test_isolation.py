"""A plug-in in its own process: values cross unchanged, errors keep their class, a crash is named and stays there."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
import time
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from spectrogrand.errors import InvalidValue, PluginError, UnknownName, WorkerDied
from spectrogrand.models.isolation import Worker
from spectrogrand.models.wire import pack, receive
from spectrogrand.types import Audio, Image, Plan, Section, Topic


def toy(**settings) -> Worker:
    return Worker("gates", {"name": "isolated_toy", **settings}, imports=["isolation_toys"])


@pytest.fixture
def worker():
    with toy(factor=0.5) as made:
        yield made


def crossed(value):
    return receive(io.BytesIO(b"".join(pack(value))))


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        7,
        0.1,
        float("inf"),
        "ünï 🎵",
        [],
        [1, [2.5, "x"]],
        (1, (2,)),
        {"a": {"b": None}},
        Fraction(30000, 1001),
    ],
)
def test_plain_values_cross_unchanged(value):
    assert crossed(value) == value and type(crossed(value)) is type(value)


@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8", "int64", "bool", "complex64", ">f4"])
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 4), (4, 5)])
def test_arrays_cross_bit_for_bit(dtype, shape):
    array = np.random.default_rng(0).integers(0, 2, shape).astype(dtype)
    got = crossed({"x": array, "y": [array[..., ::-1] if array.ndim else array]})
    assert got["x"].dtype == array.dtype and got["x"].shape == shape and got["x"].tobytes() == array.tobytes()
    assert np.array_equal(got["y"][0], array[..., ::-1] if array.ndim else array)


def test_nan_keeps_its_place():
    assert np.isnan(crossed([1.0, float("nan")])[1])


def test_objects_are_refused_before_anything_is_sent():
    for value in (object(), {1: 2}, np.array([object()]), lambda: 0):
        with pytest.raises(InvalidValue, match="cannot be sent to another process"):
            pack(value)


def test_a_sound_with_its_plan_goes_and_comes_back(worker):
    plan = Plan(124.0, "A", "minor", "bass", (0.0, 0.5), (0.0,), (Section("drop", 0.0, 1.0),))
    sound = Audio(np.linspace(-1, 1, 2 * 30001, dtype=np.float32).reshape(2, -1), 44100, plan)
    back = worker.call("louder", sound)
    assert back.rate == 44100 and back.plan == plan
    assert np.array_equal(back.samples, sound.samples * np.float32(0.5))
    picture = Image(np.random.default_rng(1).integers(0, 256, (9, 7, 3), np.uint8))
    assert np.array_equal(worker.call("echo", picture).pixels, picture.pixels)
    assert worker.call("echo", Topic("the sea")) == Topic("the sea")


def test_a_mapped_sound_is_sent_as_its_path_and_a_slice_of_it_as_its_samples(tmp_path):
    samples = np.arange(20, dtype=np.float32).reshape(10, 2)
    samples.tofile(tmp_path / "sound.f32")
    mapped = np.memmap(tmp_path / "sound.f32", np.float32, "r", 0, (10, 2))
    parts = pack(Audio(mapped.T, 8000))
    assert len(parts) == 1, "the samples travel, not only their file's name"
    back = receive(io.BytesIO(b"".join(parts)))
    assert isinstance(back.samples, np.memmap) and np.array_equal(back.samples, samples.T)
    assert np.array_equal(np.concatenate(list(back.blocks(3)), axis=1), samples.T)
    assert np.array_equal(crossed(mapped[4:6]), samples[4:6])


def test_ten_calls_one_start(worker):
    assert worker.pid is None
    pids = {worker.call("pid") for _ in range(10)}
    assert pids == {worker.pid} and worker.pid != os.getpid()
    assert worker.call("count") == 1 and worker.call("count") == 2


def test_two_workers_at_once():
    with toy(factor=2.0) as a, toy(factor=3.0) as b:
        assert a.call("pid") != b.call("pid")
        one = Audio(np.ones((1, 4), np.float32), 8000)
        assert a.call("louder", one).samples.max() == 2 and b.call("louder", one).samples.max() == 3


def test_threads_share_one_worker(worker):
    got = {}
    threads = [threading.Thread(target=lambda k=k: got.update({k: worker.call("echo", k)})) for k in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert got == {k: k for k in range(8)}


def test_what_it_prints_does_not_reach_the_channel(worker, capfd):
    assert worker.call("chatter") == "clean" and worker.call("echo", 1) == 1
    assert capfd.readouterr() == ("", "")


def test_errors_keep_their_class_and_message(worker):
    with pytest.raises(InvalidValue, match="^the toy is broken: buy another$"):
        worker.call("refuse")
    with pytest.raises(PluginError, match=r"gates 'isolated_toy' failed in blunder\(\): ZeroDivisionError: one$"):
        worker.call("blunder")
    with pytest.raises(InvalidValue, match="^object cannot be sent"):
        worker.call("unsendable")
    with pytest.raises(PluginError, match="AttributeError"):
        worker.call("no_such_method")
    assert worker.call("count") == 1, "an error ended the process"


def test_an_unknown_plug_in_is_named():
    with Worker("gates", "silense") as worker, pytest.raises(UnknownName, match="did you mean 'silence'"):
        worker.call("check", [])


@pytest.mark.parametrize(
    "method, how",
    [
        ("abort", "was ended by SIGABRT in abort.*about to abort"),
        ("kill", "was ended by SIGKILL"),
        ("leave", "exit code 7"),
    ],
)
def test_a_death_is_named_and_the_next_call_starts_another(worker, method, how):
    before = worker.call("pid")
    with pytest.raises(WorkerDied, match=f"the process of gates 'isolated_toy' .*{how}"):
        worker.call(method)
    assert worker.call("pid") != before


def test_a_call_that_takes_too_long_is_ended():
    with Worker("gates", "isolated_toy", imports=["isolation_toys"], timeout=3.0) as worker:
        with pytest.raises(WorkerDied, match=r"gave no answer within 3 s and was ended in sleep\(\)"):
            worker.call("sleep", 600)
        assert worker.call("echo", "again") == "again"


def test_close_ends_the_process_and_another_call_starts_one(worker):
    first = worker.call("pid")
    worker.close()
    assert worker.pid is None and _gone(first)
    assert worker.call("count") == 1


def test_the_last_reference_ends_the_process():
    worker = toy()
    pid = worker.call("pid")
    del worker
    assert _gone(pid)


SCRIPT = """
import sys
sys.path.insert(0, {tests!r})
from spectrogrand.models.isolation import Worker
worker = Worker("gates", "isolated_toy", imports=["isolation_toys"])
print(worker.call("pid"), flush=True)
{then}
"""


@pytest.mark.parametrize("how", ["script", "command"])
def test_any_main_module_will_do(tmp_path, how):
    code = SCRIPT.format(tests=str(Path(__file__).parent), then="worker.close()")
    (tmp_path / "main.py").write_text(code)  # no __name__ guard: nothing of it may run again in the worker
    arguments = [str(tmp_path / "main.py")] if how == "script" else ["-c", code]
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") == 1


def test_no_orphan_when_the_parent_is_killed():
    code = SCRIPT.format(tests=str(Path(__file__).parent), then="worker.call('sleep', 600)")
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        pid = int(parent.stdout.readline())
        assert not _gone(pid, wait=0)
        parent.kill()
    assert _gone(pid), "the worker outlives its parent"


def _gone(pid: int, wait: float = 20.0) -> bool:
    end = time.monotonic() + wait
    while True:
        try:
            os.kill(pid, 0)
            stat = Path(f"/proc/{pid}/stat")
            if stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except (ProcessLookupError, FileNotFoundError):
            return True
        if time.monotonic() >= end:
            return False
        time.sleep(0.05)
