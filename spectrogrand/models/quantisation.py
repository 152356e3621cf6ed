"""Weights in fewer bits: which ways there are, what each needs of this machine, and what the libraries take for it."""

from __future__ import annotations

from typing import Any

from ..errors import InvalidValue, UnknownName, nearest, require

WAYS = {
    "int8": "weights of 8 bits (torchao), half of bfloat16's memory, on any device",
    "float8": "weights and sums of 8 bits (torchao), on GPUs from Ada and Hopper on",
    "nf4": "weights of 4 bits (bitsandbytes), a quarter of bfloat16's memory, on NVIDIA GPUs",
}
PACKAGES = {"int8": "torchao", "float8": "torchao", "nf4": "bitsandbytes"}
QUANTISED = ("transformer", "transformer_2", "unet", "text_encoder", "text_encoder_2", "text_encoder_3")
"""Components that are quantised: those that hold most of a pipeline's weights. The picture's autoencoder is not."""


def check(way: str, place: str, part: str) -> None:
    """Check that a way is known, its package is here, and the device can compute so.

    Raises:
        UnknownName: no such way. MissingExtra: its package is not installed. InvalidValue: the device cannot do it.

    >>> check("int9", "cpu", "diffusers_image")
    Traceback (most recent call last):
    ...
    spectrogrand.errors.UnknownName: no quantisation 'int9'; did you mean 'int8'? (known: float8, int8, nf4)
    """
    if way not in WAYS:
        raise UnknownName(f"no quantisation {way!r}; {nearest(str(way), WAYS)}")
    if way != "int8" and not place.startswith("cuda"):
        raise InvalidValue(
            f"{part}: quantisation={way} needs an NVIDIA GPU and this runs on {place}: quantisation=int8"
        )
    require(PACKAGES[way], "quantisation", f"{part} quantisation={way}")
    if way == "float8":
        import torch

        major, minor = torch.cuda.get_device_capability(place)
        if (major, minor) < (8, 9):
            raise InvalidValue(
                f"{part}: {torch.cuda.get_device_name(place)} does not compute in float8 (compute capability {major}.{minor}, "
                "8.9 is needed): quantisation=int8, or nf4"
            )


def setting(way: str, library: str, dtype: str) -> Any:
    """What a class of "diffusers" or "transformers" takes as `quantization_config`."""
    import importlib

    import torch

    home = importlib.import_module(library)
    if way == "nf4":
        return home.BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=getattr(torch, dtype)
        )
    from torchao.quantization import Float8DynamicActivationFloat8WeightConfig, Int8WeightOnlyConfig

    return home.TorchAoConfig(Int8WeightOnlyConfig() if way == "int8" else Float8DynamicActivationFloat8WeightConfig())
