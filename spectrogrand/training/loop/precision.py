"""Which numbers a training computes in: bf16 only where the hardware multiplies it, measured once and said."""

from __future__ import annotations

import functools
import statistics
import sys
import time

PRECISIONS = ("auto", "32-true", "bf16-mixed", "16-mixed", "bf16-true", "16-true", "64-true")
"""Lightning's words, and "auto": bf16-mixed where the hardware has units for it, else 32-true."""


def choose(precision: str, accelerator: str = "auto") -> str:
    """Lightning's word for `precision`; "auto" follows from the hardware alone, never from a stopwatch.

    So the same command takes the same precision each time it is started on a machine, and resumes to the bit.

    Args:
        precision: one of `PRECISIONS`.
        accelerator: "auto", "cpu", "cuda", "gpu", ...: where it will run.

    >>> choose("32-true")
    '32-true'
    """
    if precision != "auto":
        return precision
    return "bf16-mixed" if bf16_units(accelerator) else "32-true"


@functools.cache
def bf16_units(accelerator: str = "auto") -> str:
    """The unit that multiplies bf16: "amx_bf16", "avx512_bf16", "cuda" or "mps"; empty where bf16 is emulated.

    A processor without such a unit widens every number before it multiplies: a step of timm's `test_resnet` then took 1.9 s in
    bf16 and 0.24 s in float32.
    """
    import torch

    if accelerator != "cpu":
        if torch.cuda.is_available():
            return "cuda" if torch.cuda.is_bf16_supported(including_emulation=False) else ""
        if accelerator != "auto" or torch.backends.mps.is_available():
            return ""  # of other accelerators nothing is known: float32 is right everywhere
    for name, probe in (("amx_bf16", "_is_amx_tile_supported"), ("avx512_bf16", "_is_avx512_bf16_supported")):
        found = getattr(torch.cpu, probe, None)
        if found is not None and found():
            return name
    return ""


@functools.cache
def measured_ratio() -> float:
    """Time of a convolution's forward and backward pass in bf16 over float32 on this processor; under 1 where bf16 is faster.

    Medians of five interleaved passes, a tenth of a second together where bf16 units are.
    """
    import torch

    with torch.random.fork_rng(devices=[]):
        layer = torch.nn.Conv2d(32, 32, 3, padding=1).to(memory_format=torch.channels_last)
        x = torch.rand(8, 32, 32, 32).contiguous(memory_format=torch.channels_last)
    taken: dict[bool, list[float]] = {True: [], False: []}
    for half in (True, False) * 6:
        begun = time.perf_counter()
        with torch.enable_grad(), torch.autocast("cpu", torch.bfloat16, enabled=half):
            loss = layer(x).float().square().mean()
        loss.backward()
        taken[half].append(time.perf_counter() - begun)
    return statistics.median(taken[True][1:]) / statistics.median(taken[False][1:])


def say(chosen: str, accelerator: str) -> None:
    """One line about an automatic choice, with what was measured where the processor computes."""
    unit = bf16_units(accelerator)
    why = f"{unit} multiplies bf16" if unit else "nothing here multiplies bf16"
    ratio = f"; a convolution takes {measured_ratio():.2f} times its float32 time in bf16" if unit != "cuda" else ""
    sys.stderr.write(f"precision {chosen}: {why}{ratio} (trainer.precision= chooses another)\n")
