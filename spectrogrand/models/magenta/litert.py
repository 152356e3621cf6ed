"""The TFLite pair run by LiteRT on the processor: one picture at a time, at the size that the files have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ...errors import InvalidValue, require

SIDE = 384
"""Rows and columns of the transfer network's content, fixed in its file."""


class LiteRTEngine:
    """Style picture -> vector of 100; content picture and vector -> styled picture. Values in [0, 1].

    Args:
        predict, transfer: the two TFLite files.
        threads: threads of one call.
    """

    def __init__(self, predict: Path, transfer: Path, threads: int = 1) -> None:
        require("ai_edge_litert", "models", "magenta with backend=litert")
        self._predict = _interpreter(predict, threads)
        self._transfer = _interpreter(transfer, threads)
        self._content: np.ndarray | None = None

    def shape(self, size: tuple[int, int]) -> tuple[int, int]:
        """The size (rows, columns) at which content of `size` is drawn: always the file's own."""
        return SIDE, SIDE

    def vector(self, style: np.ndarray) -> np.ndarray:
        """Style vector, float32, shape=(100,), of a picture, float32, shape=(256, 256, rgb)."""
        return np.asarray(_run(self._predict, {(1, 256, 256, 3): style}).reshape(100))

    def prepare(self, content: np.ndarray) -> Any:
        """Content as the transfer network reads it, float32, shape=(384, 384, rgb)."""
        return np.ascontiguousarray(content, np.float32)

    def draw(self, contents: list[Any], vectors: list[np.ndarray]) -> list[np.ndarray]:
        """Styled pictures, float32 in [0, 1], shape=(384, 384, rgb) each."""
        sides = ((1, SIDE, SIDE, 3), (1, 1, 1, 100))
        pairs = zip(contents, vectors, strict=True)
        return [_run(self._transfer, dict(zip(sides, pair, strict=True)))[0] for pair in pairs]


class LiteRTPredictor:
    """The style predictor alone, for a back end that draws by other means."""

    def __init__(self, predict: Path, threads: int = 1) -> None:
        self._predict = _interpreter(predict, threads)

    def __call__(self, style: np.ndarray) -> np.ndarray:
        """Style vector, float32, shape=(100,), of a picture, float32, shape=(256, 256, rgb)."""
        return np.asarray(_run(self._predict, {(1, 256, 256, 3): style}).reshape(100))


def _interpreter(path: Path, threads: int) -> Any:
    from ai_edge_litert.interpreter import Interpreter

    try:
        made = Interpreter(str(path), num_threads=threads)
        made.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise InvalidValue(f"{path} is no TFLite network that LiteRT can read: get it again") from error
    return made


def _run(interpreter: Any, values: dict[tuple[int, ...], np.ndarray]) -> np.ndarray:
    """One call; inputs are told apart by their shapes, since their order differs between conversions."""
    for about in interpreter.get_input_details():
        shape = tuple(int(n) for n in about["shape"])
        if shape not in values:
            raise InvalidValue(f"the TFLite file takes {shape}, expected {list(values)}: it is another network")
        interpreter.set_tensor(about["index"], np.asarray(values[shape], np.float32).reshape(shape))
    interpreter.invoke()
    return np.array(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]))
