"""Writes a trained `spectral_style` as three ONNX graphs with float16 weights, and its card."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ... import media
from ...errors import InvalidValue
from ..loop import checkpoints
from .network import CELL, CODE, TAPS, Code, Decoder, Encoder, Steered, StyleNetwork, pooling, squeezenet, taps_of

CELLS = 4
"""Rows and columns of a style's cells: a style picture is read at 256 x 256."""
OPSET = 18
LARGE = 32
"""Tensors of more numbers than this are kept in float16 and widened when the file is read."""


class Reader(nn.Module):
    """Style picture (1, rgb, 256, 256) in [0, 1] -> codes of its cells, row by row, then the whole's; (1, CODE, 17)."""

    def __init__(self, squeeze: nn.Sequential, code: Code) -> None:
        super().__init__()
        self.squeeze, self.reader = squeeze[: max(TAPS) + 1], code
        side = CELLS * CELL
        with torch.no_grad():
            shapes = [t.shape[2:] for t in taps_of(squeeze, torch.zeros(1, 3, side, side), TAPS)]
        for k, (height, width) in enumerate(shapes):
            whole = torch.full((1, height * width), 1 / (height * width))
            self.register_buffer(f"pool{k}", torch.cat([pooling(CELLS, CELLS, height, width), whole]))

    def forward(self, picture: Tensor) -> Tensor:
        """All seventeen codes."""
        pools = [getattr(self, f"pool{k}") for k in range(len(TAPS))]
        result: Tensor = self.reader(Code.statistics(taps_of(self.squeeze, picture, TAPS), pools))
        return result


class Painter(nn.Module):
    """Features, code (1, CODE, cell) and three spreading matrices (cell, row, column) -> picture."""

    def __init__(self, decoder: Decoder) -> None:
        super().__init__()
        self.decoder = decoder

    def forward(
        self, half: Tensor, quarter: Tensor, eighth: Tensor, code: Tensor, s2: Tensor, s4: Tensor, s8: Tensor
    ) -> Tensor:
        """RGB in [0, 1]."""
        result: Tensor = self.decoder(half, quarter, eighth, code, [s2, s4, s8])
        return result


def export(checkpoint: Path, settings: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Write spectral_style.{code,encode,decode}.onnx and spectral_style.json; returns the card.

    Raises:
        InvalidValue: no checkpoint, or one of another network.
    """
    kept = checkpoints.load(checkpoint)
    network = StyleNetwork()
    mean = {k.removeprefix("mean."): v for k, v in kept["state_dict"].items() if k.startswith("mean.")}
    try:
        network.load_state_dict(mean)
    except RuntimeError as error:
        raise InvalidValue(
            f"{checkpoint} is no checkpoint of train/stylizer.py: {str(error).splitlines()[0]}"
        ) from error
    squeeze = squeezenet(Path(settings["model"]["squeezenet"]).expanduser())
    made = kept.get("spectrogrand", {}).get("identity") or recipe(settings)
    return write(network, squeeze, folder, {"steps": int(kept["global_step"]), "settings": made})


def recipe(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that made the weights, without anybody's folders."""
    data, trainer = settings["data"], settings["trainer"]
    chosen = {k: v for k, v in settings["recipe"].items() if k != "name"}
    if trainer.get("precision"):
        chosen["precision"] = trainer["precision"]
    about = {k: data[k] for k in ("painted", "songs", "side", "shift", "grain")}
    return {"seed": settings["seed"], **chosen, "data": {**about, "sounds": [Path(s).name for s in data["sounds"]]}}


def write(network: StyleNetwork, squeeze: nn.Sequential, folder: Path, about: dict[str, Any]) -> dict[str, Any]:
    """Export a network's three parts; sides of content may be any multiple of 8."""
    network.eval().requires_grad_(False)
    for module in network.modules():
        if isinstance(module, Steered):
            module.flat = True
    folder.mkdir(parents=True, exist_ok=True)
    side, cells = CELLS * CELL, CELLS * CELLS
    picture = torch.rand(1, 3, side, side + 64)
    half, quarter, eighth = network.encode(picture)
    spreads = [torch.rand(cells, *f.shape[2:]) for f in (half, quarter, eighth)]
    h, w = torch.export.Dim("h", min=4, max=256), torch.export.Dim("w", min=4, max=256)

    def sized(k: int, *, first: int = 2) -> dict[int, Any]:
        return {first: k * h, first + 1: k * w} if k > 1 else {first: h, first + 1: w}

    parts: dict[str, tuple[nn.Module, tuple[Tensor, ...], list[str], list[str], Any]] = {
        "code": (Reader(squeeze, network.code), (torch.rand(1, 3, side, side),), ["picture"], ["code"], None),
        "encode": (network.encode, (picture,), ["picture"], ["half", "quarter", "eighth"], (sized(8),)),
        "decode": (
            Painter(network.decode), (half, quarter, eighth, torch.rand(1, CODE, cells), *spreads),
            ["half", "quarter", "eighth", "code", "s2", "s4", "s8"], ["picture"],
            (sized(4), sized(2), sized(1), None, sized(4, first=1), sized(2, first=1), sized(1, first=1)),
        ),
    }  # fmt: skip
    sizes = {}
    for name, (module, arguments, inputs, outputs, shapes) in parts.items():
        program = torch.onnx.export(
            module.eval(), arguments, input_names=inputs, output_names=outputs, dynamic_shapes=shapes,
            opset_version=OPSET, dynamo=True, verbose=False,
        )  # fmt: skip
        model = halved(program.model_proto)
        path = folder / f"spectral_style.{name}.onnx"
        with media.replacing(path) as temporary:
            temporary.write_bytes(model.SerializeToString(deterministic=True))
        sizes[path.name] = path.stat().st_size
    trained = sum(p.numel() for p in network.parameters())
    card = {
        "name": "spectral_style", "licence": "Apache-2.0; SqueezeNet's first layers (trained on ImageNet): MIT",
        "paper": "Huang and Belongie 2017, arXiv:1703.06868; Iandola et al. 2016, arXiv:1602.07360",
        "parameters": {"trained": trained, "SqueezeNet to fire5, frozen": sum(p.numel() for p in squeeze[:8].parameters())},
        "bytes": sizes, **about,
    }  # fmt: skip
    with media.replacing(folder / "spectral_style.json") as temporary:
        temporary.write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    return card


def halved(model: Any) -> Any:
    """The same graph with large float32 tensors stored as float16 and widened by a Cast, which onnxruntime folds away."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    graph = model.graph
    kept, casts = [], []
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype == np.float32 and values.size > LARGE:
            kept.append(numpy_helper.from_array(values.astype(np.float16), tensor.name + "_half"))
            casts.append(helper.make_node("Cast", [tensor.name + "_half"], [tensor.name], to=TensorProto.FLOAT))
        else:
            kept.append(tensor)
    nodes = list(graph.node)
    del graph.initializer[:], graph.node[:], graph.value_info[:], graph.metadata_props[:], model.metadata_props[:]
    model.doc_string = graph.doc_string = ""
    for node in nodes:  # names of files on the machine that trained
        node.doc_string = ""
        del node.metadata_props[:]
    graph.initializer.extend(kept)
    graph.node.extend([*casts, *nodes])
    onnx.checker.check_model(model)
    return model


__all__ = ["Encoder", "export", "halved", "recipe", "write"]
