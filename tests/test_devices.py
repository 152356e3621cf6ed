"""Device, number type, seeds, memory, and what is wrong with what a model made."""

import numpy as np
import pytest

from spectrogrand import Audio, Image
from spectrogrand.errors import CandidateError, InvalidValue, UnknownName
from spectrogrand.models import devices

torch = pytest.importorskip("torch")


def test_the_device_is_the_gpu_where_there_is_one_and_never_the_second(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    assert devices.device() == devices.device("cpu") == "cpu"
    with pytest.raises(InvalidValue, match=r"device 'cuda' is not on this machine \(1 cpu\): leave device out"):
        devices.device("cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert devices.device() == "cuda" and devices.device("cuda:0") == "cuda:0"
    with pytest.raises(InvalidValue, match="'cuda:1' is not on this machine"):
        devices.device("cuda:1")
    with pytest.raises(InvalidValue, match="no device 'gpu'"):
        devices.device("gpu")


@pytest.mark.parametrize("wanted, place, has, expected", [
    (None, "cpu", True, "float32"), ("bfloat16", "cpu", True, "bfloat16"), ("bfloat16", "cpu", False, "float32"),
    (None, "cuda", True, "bfloat16"), (None, "cuda:0", False, "float16"), ("float16", "cuda", True, "float16"),
    ("float32", "cuda", True, "float32"),
])  # fmt: skip
def test_the_dtype_is_what_the_hardware_computes_in(monkeypatch, wanted, place, has, expected):
    monkeypatch.setattr(devices, "has_bfloat16", lambda place: has)
    assert devices.dtype(wanted, place) == expected


def test_dtypes_that_there_are_not():
    with pytest.raises(UnknownName, match="no dtype 'bf16'; did you mean"):
        devices.dtype("bf16", "cpu")
    with pytest.raises(InvalidValue, match="float16 overflows and is slow on a CPU"):
        devices.dtype("float16", "cpu")


def test_a_seed_is_its_own_noise_whatever_stands_beside_it():
    a, b = (torch.randn(3, generator=g) for g in devices.generators([5, 6]))
    assert torch.equal(b, torch.randn(3, generator=devices.generators([6])[0])) and not torch.equal(a, b)


@pytest.mark.parametrize("error", [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB\nmore lines"),
    RuntimeError("DefaultCPUAllocator: can't allocate memory"), RuntimeError("CUBLAS_STATUS_ALLOC_FAILED when calling"),
])  # fmt: skip
def test_out_of_memory_is_said_in_one_way(error):
    with pytest.raises(MemoryError, match="^[^\n]+$"), devices.memory():
        raise error
    with pytest.raises(RuntimeError, match="shapes differ"), devices.memory():
        raise RuntimeError("shapes differ")


def test_what_a_failed_call_held_is_let_go_before_the_next_one(monkeypatch):
    import weakref

    class Tensor:
        pass

    held, there = [], []

    def call():
        big = Tensor()
        held.append(weakref.ref(big))
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(devices, "free", lambda: there.append(held[0]()))
    with pytest.raises(MemoryError), devices.memory():
        call()
    assert there == [None]


def test_pictures_that_show_nothing_fail_alone():
    good = np.tile(np.linspace(-0.1, 1.1, 12).reshape(2, 2, 3), (1, 1, 1))
    made = devices.pictures(np.stack([good, np.full_like(good, np.nan), np.zeros_like(good), np.ones_like(good)]))
    assert [type(m) for m in made] == [Image, CandidateError, CandidateError, Image]
    assert made[0].pixels.min() == 0 and made[0].pixels.max() == 255
    assert made[0].pixels[0, 0, 1] == round(255 * good[0, 0, 1])
    assert "not finite" in str(made[1]) and "black" in str(made[2])


def test_sounds_that_play_nothing_fail_alone():
    loud = np.array([[0.5, -2.0, 1.0]])
    made = devices.sounds([loud, 0 * loud, loud * np.inf, loud / 4], 16000)
    assert [type(m) for m in made] == [Audio, CandidateError, CandidateError, Audio]
    np.testing.assert_allclose(made[0].samples, loud / 2)
    np.testing.assert_allclose(made[3].samples, loud / 4)
    assert made[0].rate == 16000 and "silence" in str(made[1])


def test_the_identity_names_what_the_output_depends_on(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    known = devices.identity(tmp_path, "cpu", "float32", 4, "diffusers")
    assert set(known) == {"weights", "device", "dtype", "batch", "torch", "diffusers"}
    assert known["torch"] == torch.__version__ and known["batch"] == 4 and len(known["weights"]) == 64
    (tmp_path / "config.json").write_text("{ }")
    assert devices.identity({"weights": tmp_path}, "cpu", "float32", 4)["weights"] != known["weights"]
