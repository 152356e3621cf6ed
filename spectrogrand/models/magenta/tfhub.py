"""The published SavedModel: cut at the style vector and at the content's features, and run in a process of its own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import InvalidValue
from ...weights import saved_model
from ..isolation import Worker

PART = "stylizers 'magenta'"
SIDE = 256
"""Rows and columns of the style picture, as the network was trained."""


class TFHubEngine:
    """Style picture -> vector; content picture -> features; both -> styled picture, by the network in its own process.

    Args:
        config: name and settings of the plug-in that the process builds; its `here` is called there.
        size: the longer side at which content is drawn; sides are multiples of 4.
    """

    def __init__(self, config: Mapping[str, Any], size: int) -> None:
        self.size = size
        self._worker = Worker("stylizers", config, environment={"TF_CPP_MIN_LOG_LEVEL": "3"})

    def shape(self, size: tuple[int, int]) -> tuple[int, int]:
        """The size (rows, columns) at which content of `size` is drawn: its aspect, sides multiples of 4."""
        scale = self.size / max(size)
        rows, columns = (max(32, 4 * round(n * scale / 4)) for n in size)
        return rows, columns

    def vector(self, style: np.ndarray) -> np.ndarray:
        """Style vector, float32, shape=(100,), of a picture, float32, shape=(256, 256, rgb)."""
        return np.asarray(self._worker.call("here", "vector", style))

    def prepare(self, content: np.ndarray) -> np.ndarray:
        """What of the content does not depend on the style: features, or the picture where the network cannot be cut."""
        return np.asarray(self._worker.call("here", "prepare", content))

    def draw(self, contents: list[np.ndarray], vectors: list[np.ndarray]) -> list[np.ndarray]:
        """Styled pictures, float32 in [0, 1], shape=(row, column, rgb) each."""
        pairs = zip(contents, vectors, strict=True)
        return [np.asarray(self._worker.call("here", "draw", content, vector)) for content, vector in pairs]

    def close(self) -> None:
        """End the process."""
        self._worker.close()


class SavedModelNetwork:
    """The network itself, for the process that runs it.

    The SavedModel is one function of (content, style). It is cut where the style is 100 numbers, and where the contraction of
    the content ends, so that what is constant over a stream is computed once; each cut is kept only if the pieces together give
    what the whole gives. A network that has no such place is run whole: its "vector" is then the style picture itself.
    """

    def __init__(self, folder: Path) -> None:
        model = saved_model.load(folder, PART)
        import tensorflow as tf
        from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

        if "serving_default" not in model.signatures:
            raise InvalidValue(f"{PART}: {folder} has no signature serving_default: it is another network")
        signature = model.signatures["serving_default"]
        names = sorted(signature.structured_input_signature[1])
        if len(names) != 2 or len(signature.outputs) != 1:
            raise InvalidValue(
                f"{PART}: {folder} takes {names or 'nothing'}, expected content and style: it is another network"
            )
        self._whole = convert_variables_to_constants_v2(signature)
        order = {t.name.split(":")[0]: t for t in self._whole.inputs}
        content, style = (order.get(n, t) for n, t in zip(names, self._whole.inputs, strict=True))
        (out,) = self._whole.outputs
        operations = self._whole.graph.get_operations()
        vector = [o.outputs[0] for o in operations if o.outputs and _is_vector(o.outputs[0])]
        features = [o.outputs[0] for o in operations if o.type == "Relu" and "contract/conv3" in o.name]
        self._tf, self._order = tf, [t is content for t in self._whole.inputs]
        self._vector = self._prepare = self._draw = None
        if vector:
            self._cut(content, style, vector[-1], features[-1] if features else content, out)
            if self._draw is None and features:
                self._cut(content, style, vector[-1], content, out)

    def vector(self, style: np.ndarray) -> np.ndarray:
        """Style vector, shape=(100,); the picture itself, flat, where the network cannot be cut."""
        if self._vector is None:
            return style.reshape(-1)
        return np.asarray(self._vector(self._tf.constant(style[None]))[0]).reshape(-1)

    def prepare(self, content: np.ndarray) -> np.ndarray:
        """Content features, shape=(1, row / 4, column / 4, channel), or the picture, shape=(1, row, column, rgb)."""
        given = content[None].astype(np.float32)
        return given if self._prepare is None else np.asarray(self._prepare(self._tf.constant(given))[0])

    def draw(self, content: np.ndarray, vector: np.ndarray) -> np.ndarray:
        """The styled picture, float32 in [0, 1], shape=(row, column, rgb)."""
        vector = np.asarray(vector, np.float32)
        if self._draw is not None:
            made = self._draw(self._tf.constant(content), self._tf.constant(vector.reshape(1, 1, 1, -1)))[0]
            return np.asarray(made)[0]
        return self._drawn_whole(content, vector.reshape(1, SIDE, SIDE, 3))

    def _drawn_whole(self, content: np.ndarray, style: np.ndarray) -> np.ndarray:
        given = [self._tf.constant(content if first else style) for first in self._order]
        return np.asarray(self._whole(*given)[0])[0]

    def _cut(self, content: Any, style: Any, vector: Any, features: Any, out: Any) -> None:
        """Take the network apart at these tensors, if the parts give what the whole gives."""
        try:
            self._vector = self._whole.prune(style, [vector])
            self._prepare = None if features is content else self._whole.prune(content, [features])
            self._draw = self._whole.prune([features, vector], [out])
            rng = np.random.default_rng(0)
            one, other = rng.random((64, 48, 3), np.float32), rng.random((SIDE, SIDE, 3), np.float32)
            apart = self.draw(self.prepare(one), self.vector(other)) - self._drawn_whole(one[None], other[None])
        except (
            ValueError,
            self._tf.errors.OpError,
        ):  # something else feeds the rest of the graph: this is no place to cut
            apart = np.full(1, np.inf)
        if not np.abs(apart).max() < 1e-4:
            self._vector = self._prepare = self._draw = None


def _is_vector(tensor: Any) -> bool:
    return tensor.shape.rank == 4 and tensor.shape[-1] == 100 and tensor.dtype.name == "float32"
