"""Small files that would take a machine's memory or its day: each is one line within a second and 200 MB."""

import json
import pickle
import resource
import struct
import time
import zipfile
from fractions import Fraction

import numpy as np
import pytest

from spectrogrand.checks import check_frame_rate, rational
from spectrogrand.errors import ConfigError, InvalidValue
from spectrogrand.files import parse_json
from spectrogrand.lyrics.arrays import mapped
from spectrogrand.plugins.generators.videos._walks import rate
from spectrogrand.weights.convert import convert
from spectrogrand.weights.unpickling import read

torch = pytest.importorskip("torch")


def op_text(text):
    raw = text.encode()
    return b"X" + struct.pack("<I", len(raw)) + raw


def doubled(times, make=b"\x86"):
    """A pair of the same pair of the same pair ...: 4 bytes a level, 2**levels when it is walked without care."""
    body = b"\x80\x02)q\x00"
    for k in range(times):
        body += b"h" + bytes([k]) + b"h" + bytes([k]) + make + b"q" + bytes([k + 1])
    return body


HOSTILE = {
    "memo of four billion": b"\x80\x02Nr\xff\xff\xff\x0f.",
    "memo number as text": b"Np99999999999\n.",
    "key of doubled tuples": doubled(60) + b"}" + b"h\x3c" + b"Ns.",
    "set of doubled tuples": doubled(60) + b"\x8f(h\x3c\x90.",
    "frozenset of doubled tuples": b"\x80\x04" + doubled(60)[2:] + b"(h\x3c\x91.",
    "ordered pairs of doubled tuples": doubled(60) + b"ccollections\nOrderedDict\n(]((h\x3cNtetR.",
    "doubled lists": b"\x80\x02]q\x00" + b"".join(
        b"](h" + bytes([k]) + b"h" + bytes([k]) + b"eq" + bytes([k + 1]) for k in range(60)
    ) + b".",
    "doubled tuples": doubled(60) + b".",
    "device of doubled tuples": doubled(60) + b"ctorch\ndevice\nh\x3c\x85R}" + op_text("a") + b"h\x3cs.",
    "key of a thousand digits": b"\x80\x02}\x8a\xff" + b"\x01" * 255 + b"Ns.",
    "digits without end": b"I" + b"9" * 100_000 + b"\n.",
    "long of a gigabyte": b"\x80\x02\x8b\xff\xff\xff\x3f.",
    "bytes of an exabyte": b"\x80\x04\x8e" + b"\xff" * 7 + b"\x0f.",
    "bytearray of a terabyte": b"\x80\x05\x96" + struct.pack("<Q", 1 << 40) + b".",
    "two million classes": b"\x80\x04" + b"\x8c\x17torch.nn.modules.linear\x94\x8c\x06Linear\x94"
    + b"h\x00h\x01\x93" * 900_000 + b".",
    "set a tensor's items": None,
    "state on a class": b"\x80\x02cnumpy\ndtype\n}b.",
    "nested bytes": None,
    "the same tensor a million times": None,
}  # fmt: skip


def content(name):
    if name == "nested bytes":
        inner = pickle.dumps({"x": [1]})
        for _ in range(7):  # each level reads the next one 64 times
            held = b"B" + struct.pack("<I", len(inner)) + inner + b"q\x000"
            inner = b"\x80\x03ctorch.storage\n_load_from_bytes\nq\x010" + held + b"(" + b"h\x01h\x00\x85R" * 64 + b"l."
        return inner
    if name == "the same tensor a million times":
        one = pickle.dumps(torch.ones(20_000), 2)
        return one[:-1] + b"q\xf00](" + b"h\xf0" * 100_000 + b"e."
    if name == "set a tensor's items":
        return pickle.dumps(torch.ones(4), 2)[:-1] + b"K\x00K\x01s."
    return HOSTILE[name]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_pickles_cost_nothing(tmp_path, name):
    path = tmp_path / "h.pkl"
    path.write_bytes(content(name))
    begun, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(InvalidValue) as told:
        convert(path, tmp_path / "h.safetensors")
    assert "\n" not in str(told.value) and len(str(told.value)) < 400
    assert time.process_time() - begun < 6
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 400_000, "in kB"
    assert not (tmp_path / "h.safetensors").exists()


def test_entries_that_overlap_are_refused(tmp_path):
    """A directory of ten entries over one stretch of bytes: read each, it is ten times the file."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as box:
        box.writestr("a/data.pkl", pickle.dumps({}))
        for k in range(10):
            box.writestr(f"a/data/{k}", b"\0" * 1000)
    data = bytearray((tmp_path / "a.zip").read_bytes())
    at = [i for i in range(len(data)) if data[i : i + 4] == b"PK\x01\x02"]
    for where in at[1:]:
        data[where + 20 : where + 28] = struct.pack("<II", 9000, 9000)
    (tmp_path / "a.pth").write_bytes(data)
    with pytest.raises(InvalidValue, match="overlap"):
        convert(tmp_path / "a.pth", tmp_path / "a.safetensors")


def test_what_torch_writes_is_still_read():
    import collections

    made = collections.OrderedDict(a=torch.ones(2))
    made._metadata = {"": {"version": 1}}
    held = {"s": {1, 2}, "f": frozenset({"a"}), ("a", 1): 1.5, "o": made, "n": np.arange(3)}
    for protocol in (2, 3, 4, 5):
        got = read(pickle.dumps(held, protocol), "a.pkl")
        assert got["s"] == {1, 2} and got["f"] == {"a"} and got[("a", 1)] == 1.5
        assert torch.equal(got["o"]["a"], made["a"]) and got["n"].array.tolist() == [0, 1, 2]


ODD = ["1e10000000", "1e-10000000", "9" * 5000, "1/" + "9" * 5000, "inf", "nan", "1/0", "٣", True, None, [1], 10**5000]


@pytest.mark.parametrize("typed", ODD, ids=[str(k) for k in range(len(ODD))])
def test_rates_are_read_in_no_time(typed):
    begun = time.process_time()
    with pytest.raises(InvalidValue) as told:
        rational(typed)
    assert len(str(told.value)) < 200
    with pytest.raises((ConfigError, ValueError)):
        check_frame_rate("fps", typed)
    with pytest.raises(InvalidValue):
        rate(typed)
    assert time.process_time() - begun < 0.5


def test_rates_of_every_kind():
    assert [rational(v) for v in ("30000/1001", 23.976, 5e-324, "2.5e3", Fraction(1, 3), " 30 ")] == [
        Fraction(30000, 1001), Fraction("23.976"), Fraction("5e-324"), 2500, Fraction(1, 3), 30,
    ]  # fmt: skip


def test_json_of_any_depth_is_a_value_or_an_error():
    assert parse_json(b'{"a": 1}') == {"a": 1}
    for text in ("[" * 100_000, '{"a":' * 100_000, "1" * 5000, b"\xff\xfe", "", "nul"):
        with pytest.raises(InvalidValue) as told:
            parse_json(text)
        assert len(str(told.value)) < 300


@pytest.mark.parametrize(
    "shape", [[10**30], [-1, -4], [2**62, 4], [1] * 50_000, [1.5], ["4"], [True, 4], 4, [0, 10**30]]
)
def test_shapes_of_arrays(tmp_path, shape):
    header = json.dumps(
        {"a": {"dtype": "F32", "shape": shape, "data_offsets": [0, 16 if shape != [0, 10**30] else 0]}}
    ).encode()
    (tmp_path / "a.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + bytes(16))
    with pytest.raises(InvalidValue):
        mapped(tmp_path / "a.safetensors")
