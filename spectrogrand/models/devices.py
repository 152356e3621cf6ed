"""Where and how models compute: device, number type, seeds, memory, and what is wrong with what they made."""

from __future__ import annotations

import re
import sys
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import CandidateError, InvalidValue, UnknownName, nearest, require
from ..types import Audio, Image
from ..weights import hub

DTYPES = ("float32", "bfloat16", "float16")
BLACK = 2 / 255
"""A picture whose brightest value lies below this shows nothing."""
SILENT = 1e-4
"""A sound whose largest sample lies below this (-80 dBFS) is none."""
_MEMORY = ("out of memory", "can't allocate memory", "not enough memory", "alloc_failed")


def device(wanted: str | None = None) -> str:
    """The torch device: `wanted`, or "cuda" where there is a GPU, else "cpu".

    Raises:
        InvalidValue: a device that torch does not know or that this machine has not.
        MissingExtra: torch is not installed.
    """
    require("torch", "models", "choosing a device")
    import torch

    if wanted is None:
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        place = torch.device(wanted)
    except (RuntimeError, TypeError) as error:
        raise InvalidValue(f"no device {wanted!r}: cpu, cuda, cuda:0 or mps") from error
    there = {"cuda": torch.cuda.device_count(), "mps": int(torch.backends.mps.is_available()), "cpu": 1}
    if (place.index or 0) >= there.get(place.type, 0):
        here = ", ".join(f"{n} {k}" for k, n in there.items() if n)
        raise InvalidValue(f"device {wanted!r} is not on this machine ({here}): leave device out to take the best one")
    return str(place)


def dtype(wanted: str | None, place: str) -> str:
    """The number type of the weights: "float32" on a CPU and "bfloat16" on a GPU unless `wanted` says otherwise.

    bfloat16 is given only where the hardware computes in it (a CPU with AVX-512 BF16 or AMX, a GPU from Ampere on);
    elsewhere a CPU falls back to float32 and a GPU to float16.

    Raises:
        UnknownName: no such type. InvalidValue: float16 on a CPU.

    >>> dtype("float32", "cpu"), dtype(None, "cpu")
    ('float32', 'float32')
    """
    if wanted is not None and wanted not in DTYPES:
        raise UnknownName(f"no dtype {wanted!r}; {nearest(str(wanted), DTYPES)}")
    on_cpu = place.startswith("cpu")
    if wanted == "float16" and on_cpu:
        raise InvalidValue("float16 overflows and is slow on a CPU: dtype=bfloat16, or float32")
    kind = wanted or ("float32" if on_cpu else "bfloat16")
    if kind == "bfloat16" and not has_bfloat16(place):
        return "float32" if on_cpu else "float16"
    return kind


def has_bfloat16(place: str) -> bool:
    """Whether the hardware itself computes in bfloat16."""
    import torch

    if place.startswith("cpu"):
        return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    return not place.startswith("cuda") or bool(torch.cuda.is_bf16_supported(including_emulation=False))


def generators(seeds: Sequence[int]) -> list[Any]:
    """One `torch.Generator` per candidate, on the CPU, so that a seed means the same noise on every device."""
    import torch

    return [torch.Generator("cpu").manual_seed(int(seed)) for seed in seeds]


def identity(weights: Path | Mapping[str, Path], place: str, kind: str, batch: int, *libraries: str) -> dict[str, Any]:
    """What a model's output depends on beside settings and code: sha256 of the weights, device, dtype, batch size, versions.

    Args:
        weights: the model's folder or file, or several by name. libraries: distributions besides torch.
    """
    import torch

    named = weights if isinstance(weights, Mapping) else {"weights": weights}
    return {
        **{name: hub.sha256(path) for name, path in named.items()},
        "device": device_name(place), "dtype": kind, "batch": batch,
        "torch": torch.__version__,
        **{name: version(name) for name in libraries},
    }  # fmt: skip


def device_name(place: str) -> str:
    """The device with its make, because kernels differ between makes: "cuda (NVIDIA H100)".

    >>> device_name("cpu")
    'cpu'
    """
    if not place.startswith("cuda"):
        return place
    import torch

    return f"{place} ({torch.cuda.get_device_name(place)})"


@contextmanager
def memory() -> Iterator[None]:
    """Give back what a failed call held, and say "out of memory" in one way, so that its batch is halved.

    torch says it as `torch.OutOfMemoryError` on a GPU, as a plain RuntimeError on a CPU and from cuBLAS.

    >>> with memory():
    ...     raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes")
    Traceback (most recent call last):
    ...
    MemoryError: DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes
    """
    try:
        yield
    except RuntimeError as error:
        if type(error).__name__ != "OutOfMemoryError" and not any(m in str(error).lower() for m in _MEMORY):
            raise
        traceback.clear_frames(error.__traceback__)  # they hold the tensors of the failed call
        free()
        raise MemoryError(str(error).splitlines()[0]) from None


def free() -> None:
    """Give cached GPU memory back to the driver."""
    import gc

    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


ROOM = 1.3
"""A model and what it computes with take so many times its weights' bytes."""


def offloading(sizes: Sequence[int], free: int) -> str:
    """How a pipeline of several models fits into the free memory of a GPU: "none", "model" or "sequential".

    "none" keeps all of them there, "model" one at a time, "sequential" one layer at a time.

    Args:
        sizes: bytes of each model's weights in the number type that they run in.
        free: bytes.

    >>> gb = 10**9
    >>> [offloading([5 * gb, 2 * gb], free * gb) for free in (24, 8, 4)]
    ['none', 'model', 'sequential']
    """
    if sum(sizes) * ROOM <= free:
        return "none"
    return "model" if max(sizes, default=0) * ROOM <= free else "sequential"


def free_bytes(place: str) -> int | None:
    """Free memory of a GPU in bytes; None for a CPU, which has nowhere to offload to."""
    if not place.startswith("cuda"):
        return None
    import torch

    return int(torch.cuda.mem_get_info(torch.device(place))[0])


def peak() -> dict[str, int]:
    """Most memory held since the last call, in megabytes: "process" (Linux), and "gpu" where torch has used one.

    >>> all(v > 0 for v in peak().values())
    True
    """
    found: dict[str, int] = {}
    try:
        status = Path("/proc/self/status").read_text("ascii")
        found["process"] = int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) // 1000  # type: ignore[index]
        Path("/proc/self/clear_refs").write_text("5", "ascii")  # the high-water mark starts anew
    except (OSError, TypeError):  # another system, or one that keeps the mark: since the process began
        pass
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available() and torch.cuda.is_initialized():
        found["gpu"] = torch.cuda.max_memory_allocated() // 1_000_000
        torch.cuda.reset_peak_memory_stats()
    return found


def pictures(made: np.ndarray) -> list[Image | CandidateError]:
    """What a model drew as pictures; one that is black or not finite is the error that fails its candidate alone.

    Args:
        made: float, nominal [0, 1], shape=(item, row, column, rgb).

    >>> [type(p).__name__ for p in pictures(np.stack([np.full((4, 4, 3), v) for v in (0.5, 0.0, np.nan)]))]
    ['Image', 'CandidateError', 'CandidateError']
    """
    return [_picture(np.asarray(p, np.float32)) for p in made]


def sounds(made: Iterable[np.ndarray], rate: int) -> list[Audio | CandidateError]:
    """What a model played as sounds of `rate` Hz; one that is silent or not finite is the error that fails its candidate alone.

    Args:
        made: per item float, nominal [-1, 1], shape=(channel, time). Louder ones are turned down to fit.
    """
    return [_sound(np.asarray(s, np.float32), rate) for s in made]


def _picture(pixels: np.ndarray) -> Image | CandidateError:
    if not np.isfinite(pixels).all():
        return CandidateError("the model drew numbers that are not finite: try dtype=float32")
    if pixels.max() < BLACK:
        return CandidateError("the model drew a black picture: try dtype=float32, or another prompt")
    return Image(np.round(np.clip(pixels, 0, 1) * 255).astype(np.uint8))


def _sound(samples: np.ndarray, rate: int) -> Audio | CandidateError:
    if not np.isfinite(samples).all():
        return CandidateError("the model played samples that are not finite: try dtype=float32")
    peak = float(np.abs(samples).max(initial=0.0))
    if peak < SILENT:
        return CandidateError("the model played silence: try another seed or prompt")
    return Audio(np.ascontiguousarray(samples / max(1.0, peak), np.float32), rate)
