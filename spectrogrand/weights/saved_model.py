"""TensorFlow SavedModels: checked to touch no files and to call no Python, then loaded. For processes of their own only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..errors import InvalidValue, require

ALLOWED = frozenset(
    """
    Abs Add AddN AddV2 All Any ArgMax ArgMin Assert AssignVariableOp AvgPool BatchMatMul BatchMatMulV2 BatchMatMulV3
    BatchToSpaceND BiasAdd BroadcastArgs BroadcastTo Cast Ceil CheckNumerics ClipByValue Concat ConcatV2 Const Conv2D
    Conv2DBackpropInput Cos CropAndResize Cumsum DecodeImage DecodeJpeg DecodePng DepthwiseConv2dNative DepthToSpace
    Div DivNoNan Einsum Elu EnsureShape Equal Erf Exp ExpandDims FakeQuantWithMinMaxVars Fill Floor FloorDiv FloorMod
    FusedBatchNorm FusedBatchNormV2 FusedBatchNormV3 Gather GatherNd GatherV2 Greater GreaterEqual Identity IdentityN
    If InvertPermutation IsFinite IsNan LeakyRelu Less LessEqual LinSpace Log Log1p LogicalAnd LogicalNot LogicalOr
    LogSoftmax MatMul Max Maximum MaxPool Mean Merge Min Minimum MirrorPad Mul Neg NoOp NotEqual OneHot OnesLike Pack
    Pad PadV2 PartitionedCall Placeholder PlaceholderWithDefault Pow Prod Range Rank ReadVariableOp RealDiv Reciprocal
    Relu Relu6 Reshape ResizeArea ResizeBicubic ResizeBilinear ResizeNearestNeighbor ReverseV2 Round Rsqrt ScalarMul
    ScatterNd Select SelectV2 Selu Shape ShapeN Sigmoid Sign Sin Size Slice Softmax Softplus SpaceToBatchND
    SpaceToDepth Split SplitV Sqrt Square SquaredDifference Squeeze StatefulPartitionedCall StatelessIf StatelessWhile
    StopGradient StridedSlice StringFormat Sub Sum Switch Tanh Tile TopKV2 Transpose Unpack VarHandleOp
    VarIsInitializedOp Where While ZerosLike
    """.split()
)
"""What a network of pictures computes with: numbers, shapes, variables of its own, encoded pictures in memory, control flow."""
SAVING = frozenset("MergeV2Checkpoints RestoreV2 SaveV2 ShardedFilename StaticRegexFullMatch StringJoin".split())
"""What TensorFlow itself writes into every SavedModel to save and restore variables; loading and serving run none of it."""
SAVERS = ("__inference__traced_save_", "__inference__traced_restore_")
"""How the functions are named that may hold `SAVING`, as long as nothing that runs can reach them."""


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
    return {op for graph in read.meta_graphs for op in _that_may_run(graph)}


def _that_may_run(graph: Any) -> set[str]:
    """Operations of a graph and its functions, without those of savers that no object and no other function can call."""
    functions = {f.signature.name: f for f in graph.graph_def.library.function}
    exposed = set(graph.object_graph_def.concrete_functions)
    called = {n for name, f in functions.items() if not name.startswith(SAVERS) for n in _names(f.node_def)}
    saved_by_objects = bool(exposed)  # without objects TensorFlow runs the graph itself: nothing is excused
    idle = {n for n in functions if n.startswith(SAVERS) and saved_by_objects and n not in exposed | called}
    nodes = [n for name, f in functions.items() if name not in idle for n in f.node_def]
    found = {n.op for n in [*graph.graph_def.node, *nodes]}
    found |= {n.op for name in idle for n in functions[name].node_def if n.op not in SAVING}
    return found - set(functions)


def _names(nodes: Any) -> set[str]:
    """Functions that nodes may call: their own operation, and every function named among their settings."""
    found: set[str] = set()
    for node in nodes:
        found.add(node.op)
        for value in node.attr.values():
            found |= {value.func.name, *(f.name for f in value.list.func)}
    return found


def load(folder: Path, part: str) -> Any:
    """The loaded SavedModel; what it can do lies in its graph.

    Raises:
        MissingExtra: tensorflow is not installed.
        InvalidValue: it is torn, or holds an operation that is not among `ALLOWED`.
    """
    require("tensorflow", "tfhub", part)
    import tensorflow as tf

    used = operations(folder)
    if not used:
        raise InvalidValue(f"{folder}/saved_model.pb holds no graph: fetch it again")
    strange = sorted(used - ALLOWED)
    if strange:
        raise InvalidValue(
            f"{folder} is not loaded: its graph has {', '.join(strange[:5])}, which no network of pictures needs: "
            "get the published one"
        )
    tf.config.set_visible_devices([], "GPU")  # torch has the GPU; TensorFlow would take all of its memory
    try:
        return tf.saved_model.load(str(folder))
    except Exception as error:  # a torn variables file may make TensorFlow raise any of its errors
        said = str(error).strip().splitlines()
        raise InvalidValue(f"{part}: {folder} cannot be loaded ({said[0][:200] if said else error!r})") from error
