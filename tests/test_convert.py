"""Published pickles become safetensors; hostile ones are refused and nothing of them runs."""

import collections
import io
import os
import pickle
import sys
import types
import zipfile

import numpy as np
import pytest

from spectrogrand.errors import InvalidValue, StoreError
from spectrogrand.weights.convert import convert
from spectrogrand.weights.unpickling import Refused, read

torch = pytest.importorskip("torch")
pytest.importorskip("torchvision")


@pytest.fixture
def genre_net():
    """The published class by its published name: a ResNet inside a Sequential, and once more as an attribute."""
    from torchvision.models import resnet18

    class GenreNet(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.device = torch.device("cpu")
            self.backbone = resnet18()
            self.model = torch.nn.Sequential(self.backbone, torch.nn.Dropout(0.5), torch.nn.Linear(1000, 4))

    module = types.ModuleType("genre_classification")
    GenreNet.__module__, GenreNet.__qualname__, module.GenreNet = module.__name__, "GenreNet", GenreNet
    sys.modules[module.__name__] = module
    torch.manual_seed(0)
    yield GenreNet()
    sys.modules.pop(module.__name__, None)


def loaded(path):
    from safetensors.torch import load_file

    return load_file(path)


@pytest.mark.filterwarnings("ignore:Couldn't retrieve source code")
@pytest.mark.parametrize("zipped", [True, False])
def test_a_whole_module_gives_its_state_dict(tmp_path, genre_net, zipped):
    torch.save(genre_net, tmp_path / "m.pth", _use_new_zipfile_serialization=zipped)
    del sys.modules["genre_classification"]  # its code is not needed
    report = convert(tmp_path / "m.pth", tmp_path / "m.safetensors")
    own = genre_net.state_dict()
    got = loaded(tmp_path / "m.safetensors")
    assert {k for k in own if not k.startswith("model.0.")} == set(got)
    assert all(torch.equal(got[k], own[k]) and got[k].dtype == own[k].dtype for k in got)
    assert "model.0.conv1.weight, the same numbers as backbone.conv1.weight" in report.left_out
    assert str(report).startswith(str(tmp_path / "m.pth"))


def test_a_plain_torchvision_module(tmp_path):
    from torchvision.models import mobilenet_v3_small

    whole = mobilenet_v3_small(weights=None)  # its layers hold functools.partial
    torch.save(whole, tmp_path / "m.pth")
    convert(tmp_path / "m.pth", tmp_path / "m.safetensors")
    again = mobilenet_v3_small(weights=None)
    again.load_state_dict(loaded(tmp_path / "m.safetensors"))
    x = torch.rand(1, 3, 64, 64)
    assert torch.equal(whole.eval()(x), again.eval()(x))


def test_a_state_dict_in_every_dtype(tmp_path):
    kinds = (torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.uint8, torch.bool)
    state = collections.OrderedDict((str(k), torch.arange(6).reshape(2, 3).to(k)) for k in kinds)
    state["turned"], state["part"] = torch.rand(3, 4).T, torch.rand(9)[2:5]
    torch.save(state, tmp_path / "s.pt")
    convert(tmp_path / "s.pt", tmp_path / "s.safetensors")
    got = loaded(tmp_path / "s.safetensors")
    assert set(got) == set(state)
    assert all(torch.equal(got[k], state[k]) and got[k].dtype == state[k].dtype for k in state)


@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_embedding_dictionaries(tmp_path, protocol):
    """Tensors, one of them pickled once more into bytes, lists of rows, numpy arrays."""
    rows = torch.rand(4, 512)
    held = {
        "future": rows, "bass": pickle.dumps(rows * 2, protocol), "progressive": [r[None] for r in rows], "melodic": list(rows),
        "deep": {"numpy": rows.numpy(), "fortran": np.asfortranarray(rows.numpy())},
        "bytes": pickle.dumps({"x": rows}, protocol),
        "name": "HouseX",
    }  # fmt: skip
    (tmp_path / "e.pkl").write_bytes(pickle.dumps(held, protocol))
    report = convert(tmp_path / "e.pkl", tmp_path / "e.safetensors")
    got = loaded(tmp_path / "e.safetensors")
    assert set(got) == {"future", "bass", "progressive", "melodic", "deep.numpy", "deep.fortran", "bytes.x"}
    assert all(torch.equal(v, rows * (2 if k == "bass" else 1)) for k, v in got.items())
    assert report.left_out == ("name, not a tensor (str)",)


def test_the_same_input_gives_the_same_bytes(tmp_path):
    torch.save({"a": torch.ones(3)}, tmp_path / "s.pt")
    one, two = (convert(tmp_path / "s.pt", tmp_path / f"{n}.safetensors") for n in "ab")
    assert one.out_sha256 == two.out_sha256
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()


class Calls:
    """Pickles into a call of `what` with `arguments`."""

    def __init__(self, what, *arguments):
        self.what, self.arguments = what, arguments

    def __reduce__(self):
        return self.what, self.arguments


def hostile(mark):
    """Name -> object whose unpickling would create the file `mark`."""
    shell = f"touch {mark}"
    return {
        "posix.system": Calls(os.system, shell),
        "builtins.eval": Calls(eval, f"open({str(mark)!r}, 'w')"),
        "builtins.exec": Calls(exec, f"open({str(mark)!r}, 'w')"),
        "builtins.getattr": Calls(getattr, "", "join"),
        "io.open": Calls(open, str(mark), "w"),
        "importlib.import_module": Calls(__import__("importlib").import_module, "antigravity"),
        "torch.load": Calls(torch.load, str(mark)),
        "torch.hub.load": Calls(torch.hub.load, "a/b", "c"),
    }


@pytest.mark.parametrize("what", list(hostile("x")))
@pytest.mark.parametrize("wrap", ["pickle", "zip", "legacy", "bytes", "storage"])
def test_hostile_pickles_are_refused_and_not_run(tmp_path, what, wrap):
    mark, path = tmp_path / "mark", tmp_path / "h.pkl"
    bad = {"a": torch.ones(2), "b": hostile(mark)[what]}
    inner = pickle.dumps(bad)
    if wrap == "pickle":
        path.write_bytes(inner)
    elif wrap == "bytes":
        path.write_bytes(pickle.dumps({"ok": torch.ones(2), "nested": pickle.dumps({"deeper": inner})}))
    elif wrap == "storage":
        path.write_bytes(pickle.dumps(Calls(torch.storage._load_from_bytes, inner)))
    else:
        torch.save(bad, path, _use_new_zipfile_serialization=wrap == "zip")
    with pytest.raises(Refused, match=r"names [\w.]+, which no file of tensors needs; nothing of it was run"):
        convert(path, tmp_path / "h.safetensors")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["h.pkl"]


@pytest.mark.parametrize(
    "raw",
    [
        b"cos\nsystem\n(S'true'\ntR.",
        b"\x80\x04\x8c\x0ctorch.nn.modules\x8c\x09os.system\x93.",  # a dotted name under an allowed module
        b"\x80\x04\x8c\x10torch.nn.modules\x8c\x09os.system\x93.",
        b"\x80\x02ctorchvision.models.evil;import\nx y\n.",
        b"\x80\x02c__main__\nSomething\n)\x81.",
    ],
)
def test_names_are_matched_whole(raw):
    with pytest.raises(InvalidValue):
        read(raw, "h.pkl")


def test_state_cannot_reach_into_the_stand_ins():
    """BUILD on a class or function would set attributes: each file gets stand-ins of its own."""
    raw = b"\x80\x02ctorch.nn.modules.linear\nLinear\nN}X\x05\x00\x00\x00labelX\x04\x00\x00\x00evils\x86b."
    with pytest.raises(InvalidValue):
        read(raw, "h.pkl")
    assert read(b"\x80\x02ctorch.nn.modules.linear\nLinear\n.", "h.pkl").label == "torch.nn.modules.linear.Linear"


def test_torn_and_wrong_files(tmp_path):
    out = tmp_path / "o.safetensors"
    for legacy in (False, True):
        torch.save({"a": torch.rand(1000)}, tmp_path / "s.pt", _use_new_zipfile_serialization=not legacy)
        whole = (tmp_path / "s.pt").read_bytes()
        for end in (3, 40, len(whole) // 2, len(whole) - 500):
            (tmp_path / "t.pt").write_bytes(whole[:end])
            with pytest.raises(InvalidValue, match=r"t\.pt (is torn|ends inside|is a zip|declares)"):
                convert(tmp_path / "t.pt", out)
    for content, message in (
        (b"", "is empty"),
        (b"<html>404</html>", "torn or no pickle"),
        (pickle.dumps({"a": 1}), "holds no tensors"),
    ):
        (tmp_path / "t.pt").write_bytes(content)
        with pytest.raises(InvalidValue, match=message):
            convert(tmp_path / "t.pt", out)
    assert not out.exists()
    with pytest.raises(StoreError, match="cannot read"):
        convert(tmp_path / "none.pt", out)
    with pytest.raises(InvalidValue, match="should end in .safetensors"):
        convert(tmp_path / "s.pt", tmp_path / "s.pt")


def test_views_beyond_their_storage_are_refused(tmp_path):
    plain = io.BytesIO()
    torch.save({"a": torch.rand(16)}, plain)
    box = zipfile.ZipFile(plain)
    with zipfile.ZipFile(tmp_path / "v.pt", "w") as made:
        for name in box.namelist():
            data = box.read(name)
            made.writestr(name, data.replace(b"K\x10\x85", b"K\x7f\x85") if name.endswith("data.pkl") else data)
    with pytest.raises(Refused, match=r"shape \(127,\) over 16 numbers"):
        convert(tmp_path / "v.pt", tmp_path / "v.safetensors")
    torch.save({"a": torch.ones(1).expand(10**13)}, tmp_path / "v.pt")
    with pytest.raises(Refused, match=r"shape \(10000000000000,\) over 1 numbers"):
        convert(tmp_path / "v.pt", tmp_path / "v.safetensors")
    packed = tmp_path / "p.pt"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as made:
        for name in box.namelist():
            made.writestr(name, box.read(name))
    with pytest.raises(Refused, match="compressed entries"):
        convert(packed, tmp_path / "p.safetensors")
