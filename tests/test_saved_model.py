"""SavedModels: operations that touch files or call Python are refused before anything is loaded, wherever they stand."""

import pytest

pytest.importorskip("tensorflow")
from spectrogrand.errors import InvalidValue
from spectrogrand.weights import saved_model

TOUCH = """
    ReadFile WriteFile MatchingFiles PyFunc EagerPyFunc PyFuncStateless PrintV2 TextLineDataset
    TFRecordDataset TextLineReaderV2 WholeFileReaderV2 FixedLengthRecordDatasetV2 SaveV2 RestoreV2 Save
    MergeV2Checkpoints InitializeTableFromTextFileV2 LookupTableFindV2 SaveDataset LoadDataset CacheDatasetV2
    AudioSummaryV2 CreateSummaryFileWriter WriteSummary DebugIdentityV2 XlaLaunch
""".split()


def written(folder, op, place):
    """A SavedModel with one operation: in the graph, in a served function, in a saver, or in a saver that is called."""
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    made = SavedModel()
    graph = made.meta_graphs.add()
    graph.object_graph_def.concrete_functions["served"].SetInParent()
    served = graph.graph_def.library.function.add()
    served.signature.name = "served"
    served.node_def.add(name="x", op="Relu")
    saver = graph.graph_def.library.function.add()
    saver.signature.name = "__inference__traced_save_7"
    if place == "graph":
        graph.graph_def.node.add(name="save/x", op=op)
    else:
        (served if place == "served" else saver).node_def.add(name="y", op=op)
    if place == "called saver":
        served.node_def.add(name="z", op="PartitionedCall").attr["f"].func.name = saver.signature.name
    if place == "exposed saver":
        graph.object_graph_def.concrete_functions[saver.signature.name].SetInParent()
    folder.mkdir(exist_ok=True)
    (folder / "saved_model.pb").write_bytes(made.SerializeToString())
    return folder


@pytest.mark.parametrize("place", ["graph", "served", "called saver", "exposed saver"])
@pytest.mark.parametrize("op", TOUCH)
def test_what_touches_files_is_refused(tmp_path, op, place):
    with pytest.raises(InvalidValue, match=f"is not loaded: its graph has {op}, which no network of pictures needs"):
        saved_model.load(written(tmp_path / "m", op, place), "scorers 'vila'")


def test_an_idle_saver_is_no_reason(tmp_path):
    assert saved_model.operations(written(tmp_path / "m", "SaveV2", "saver")) == {"Relu"}


@pytest.mark.parametrize("op", ["WriteFile", "PrintV2"])
def test_an_idle_saver_may_only_save(tmp_path, op):
    assert op in saved_model.operations(written(tmp_path / "m", op, "saver"))
