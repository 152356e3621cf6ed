"""TensorFlow SavedModels: checked to touch no files and to call no Python, then loaded. For processes of their own only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..errors import InvalidValue, require

FORBIDDEN = {"ReadFile", "WriteFile", "PyFunc", "PyFuncStateless", "EagerPyFunc", "MatchingFiles"}
"""Operations with which a graph could read or write this machine's files, or call Python."""


def operations(folder: Path) -> set[str]:
    """The names of all operations in a SavedModel, read without running it.

    Raises:
        InvalidValue: saved_model.pb is torn or no SavedModel.
    """
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    read = SavedModel()
    try:
        read.ParseFromString((folder / "saved_model.pb").read_bytes())
    except Exception as error:  # the protobuf library's own error has no types that a checker knows
        raise InvalidValue(f"{folder}/saved_model.pb is torn or no SavedModel: fetch it again") from error
    graphs = [g.graph_def for g in read.meta_graphs]
    nodes = [n for g in graphs for n in g.node] + [n for g in graphs for f in g.library.function for n in f.node_def]
    return {n.op for n in nodes}


def load(folder: Path, part: str) -> Any:
    """The loaded SavedModel; what it can do lies in its graph.

    Raises:
        MissingExtra: tensorflow is not installed.
        InvalidValue: it is torn, or holds an operation that reads or writes files or calls Python.
    """
    require("tensorflow", "tfhub", part)
    import tensorflow as tf

    used = operations(folder)
    if not used:
        raise InvalidValue(f"{folder}/saved_model.pb holds no graph: fetch it again")
    if used & FORBIDDEN:
        raise InvalidValue(f"{folder} is not loaded: its graph has {', '.join(sorted(used & FORBIDDEN))}")
    tf.config.set_visible_devices([], "GPU")  # torch has the GPU; TensorFlow would take all of its memory
    try:
        return tf.saved_model.load(str(folder))
    except Exception as error:  # a torn variables file may make TensorFlow raise any of its errors
        said = str(error).strip().splitlines()
        raise InvalidValue(f"{part}: {folder} cannot be loaded ({said[0][:200] if said else error!r})") from error
