"""VILA, Magenta's SavedModel and essentia's networks on tiny graphs of the published names, each in its own process."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
import tiny_graphs

from spectrogrand import Audio, Frames, Image, build
from spectrogrand.errors import InvalidValue, MissingExtra, WorkerDied
from spectrogrand.plugins.scorers import effnet_danceability, vila
from spectrogrand.testing import check_scorer, check_stylizer

for library in ("tensorflow", "essentia"):  # looked for, never imported here: two TensorFlows in one process abort it
    if importlib.util.find_spec(library) is None:
        pytest.skip(f"no {library}", allow_module_level=True)
RATE = 22050


@pytest.fixture(scope="session")
def graphs(tmp_path_factory):
    return tiny_graphs.write_all(tmp_path_factory.mktemp("graphs"))


def song(seed, seconds=4.0):
    t = np.arange(int(seconds * RATE)) / RATE
    x = np.sin(2 * np.pi * 110 * (seed + 1) * t) * np.exp(-(t % 0.5) / 0.1) + 0.1 * np.random.default_rng(seed).random(
        len(t)
    )
    return Audio(0.4 * x[None].astype(np.float32), RATE)


def picture(seed, size=48):
    return Image(
        np.random.default_rng(seed).integers(0, 256, (8, 8, 3), np.uint8).repeat(size // 8, 0).repeat(size // 8, 1)
    )


def judge(graphs):
    return build("scorers", {"name": "vila", "weights": str(graphs)})


def dance(graphs, **settings):
    return build("scorers", {"name": "effnet_danceability", "weights": str(graphs), "pinned": False, **settings})


def stream(count):
    return Frames(lambda: iter([picture(k).pixels for k in range(count)]), (48, 48), count, Fraction(10))


def style(graphs, **settings):
    return build("stylizers", {"name": "magenta", "backend": "tfhub", "weights": str(graphs), "size": 64, **settings})


@pytest.fixture(scope="module")
def running(graphs):
    """The three parts, their processes started once for the whole file: starting TensorFlow costs seconds."""
    parts = {"vila": judge(graphs), "effnet": dance(graphs), "magenta": style(graphs)}
    yield parts
    for part in parts.values():
        part.close()


# -- one run, three TensorFlows ----------------------------------------------------------------------------------------


def test_all_three_in_one_process_without_an_abort_each_started_once(running):
    vila_, effnet, magenta = running.values()
    frames = iter(magenta.stylize(picture(0), stream(2)))
    next(frames)
    scores = [float(vila_.score([picture(0)])[0]), float(effnet.score([song(0)])[0])]
    pids = [vila_._worker.pid, effnet._worker.pid, magenta._engine._worker.pid]
    assert len({*pids, os.getpid()}) == 4
    next(frames)
    assert [float(vila_.score([picture(1), picture(0)])[1]), float(effnet.score([song(1), song(0)])[1])] == scores
    assert np.isfinite(scores).all()
    assert [vila_._worker.pid, effnet._worker.pid, magenta._engine._worker.pid] == pids


def test_a_process_that_dies_is_one_clear_error(graphs):
    part = dance(graphs)
    before = part.score([song(0)])
    os.kill(part._worker.pid, signal.SIGKILL)
    with pytest.raises(
        WorkerDied, match=r"the process of scorers 'effnet_danceability' was ended by SIGKILL in score_here"
    ):
        part.score([song(0)])
    assert np.array_equal(part.score([song(0)]), before), "the next call starts another"
    part.close()
    assert part._worker is None


# -- vila --------------------------------------------------------------------------------------------------------------


def test_vila_is_given_the_encoded_picture_and_answers_predictions_0_0(running):
    part = running["vila"]  # the tiny network's answer is the mean of the red channel
    pixels = np.zeros((20, 30, 3), np.uint8)
    pixels[:10, :, 0], pixels[..., 1] = 255, 99
    assert part.score([Image(pixels), picture(3)])[0] == pytest.approx(0.5, abs=1e-6)
    assert vila.encoded(picture(0)).startswith(b"\x89PNG")
    many = part.score([picture(0), picture(1), picture(2)])
    assert many.dtype == np.float64 and len(set(many)) == 3
    assert np.array_equal(many[::-1], part.score([picture(2), picture(1), picture(0)]))
    assert set(part.identity()) == {"weights", "tensorflow"}


def test_saved_models_that_are_hostile_torn_or_of_another_network(graphs, tmp_path):
    """In one process that has TensorFlow, which is where they are loaded."""
    shutil.copytree(graphs / "vila", tmp_path / "torn")
    whole = (tmp_path / "torn/saved_model.pb").read_bytes()
    (tmp_path / "torn/saved_model.pb").write_bytes(whole[: len(whole) // 2])
    shutil.copytree(graphs / "vila", tmp_path / "variables")
    (tmp_path / "variables/variables/variables.index").write_bytes(b"torn")
    code = """
import sys, numpy as np
from spectrogrand import Image, build
from spectrogrand.errors import InvalidValue
grey = np.full((64, 64, 3), 0.5, np.float32)
for folder in sys.argv[1:]:
    jobs = {
        "vila": lambda: build("scorers", {"name": "vila", "weights": folder}).score_here(Image(np.zeros((8, 8, 3), np.uint8))),
        "magenta": lambda: build("stylizers", {"name": "magenta", "backend": "tfhub", "weights": folder}).here("prepare", grey),
    }
    for name, job in jobs.items():
        try:
            job()
        except InvalidValue as error:
            print(f"{folder.rsplit('/', 1)[-1]} as {name}: {error}")
"""
    folders = [graphs / "hostile", tmp_path / "torn", tmp_path / "variables", graphs / "magenta", graphs / "vila"]
    words = [sys.executable, "-c", code, *map(str, folders)]
    said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    for line in (
        "hostile as vila: .* is not loaded: its graph has WriteFile", "torn as vila: .*saved_model.pb is torn",
        "torn as magenta: .*saved_model.pb is torn", "variables as vila: .* cannot be loaded",
        "magenta as vila: .*it is another one|magenta as vila: .*another network", "vila as magenta: .*it is another network",
    ):  # fmt: skip
        assert re.search(line, said), (line, said)
    assert not (graphs / "written").exists()


def test_a_file_that_is_not_the_one_that_was_fetched(graphs, tmp_path):
    folder = shutil.copytree(graphs / "vila", tmp_path / "vila")
    (folder / "weights-lock.json").write_text('{"files": {"saved_model.pb": {"sha256": "' + "0" * 64 + '"}}}')
    part = build("scorers", {"name": "vila", "weights": str(tmp_path)})
    with pytest.raises(InvalidValue, match=r"saved_model.pb has sha256 [0-9a-f]{64}, not 0{64}"):
        part.score([picture(0)])
    assert part._worker is None


def test_missing_graphs_name_the_command(tmp_path):
    for kind, name in (("scorers", "vila"), ("scorers", "effnet_danceability"), ("stylizers", "magenta")):
        extra = {"backend": "tfhub"} if name == "magenta" else {}
        part = build(kind, {"name": name, "weights": str(tmp_path), **extra})
        with pytest.raises(MissingExtra, match=f"spectrogrand fetch {name}"):
            part.identity()


# -- essentia's networks -----------------------------------------------------------------------------------------------


def test_danceability_is_column_0_of_the_head_averaged_over_the_patches(running, graphs):
    """Against the two tiny graphs by hand: essentia's own mel bands, then numpy."""
    score = running["effnet"].score([song(0)])[0]
    effnet, head = (str(graphs / "effnet_danceability" / n) for n in (tiny_graphs.EFFNET, tiny_graphs.HEAD))
    code = f"""
import essentia, numpy as np
essentia.log.infoActive = essentia.log.warningActive = False
from essentia.standard import TensorflowPredict2D, TensorflowPredictEffnetDiscogs
x = np.load({str(graphs / "heard.npy")!r})
e = TensorflowPredictEffnetDiscogs(graphFilename={effnet!r}, output="PartitionedCall:1")(x)
p = TensorflowPredict2D(graphFilename={head!r}, output="model/Softmax")(e)
print(e.shape, p[:, 0].mean(dtype=np.float64), p[:, 1].mean(dtype=np.float64))
"""
    heard = effnet_danceability.heard(song(0))
    assert heard.shape == (4 * 16000,) and heard.dtype == np.float32
    np.save(graphs / "heard.npy", heard)
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert said[1] == "1280)" and float(said[2]) == pytest.approx(score, abs=1e-6)
    assert float(said[3]) == pytest.approx(1 - score, abs=1e-5)
    assert 0 < score < 1


def test_what_is_too_short_or_not_finite_is_nan(running):
    torn = Audio(np.full((1, 4 * RATE), np.nan, np.float32), RATE)
    found = running["effnet"].score([song(0, 0.5), torn, song(1)])
    assert found.dtype == np.float64 and np.isnan(found[:2]).all() and np.isfinite(found[2])
    assert found[2] == running["effnet"].score([song(1)])[0]


def test_only_the_published_graphs_pass_unless_asked(graphs):
    part = dance(graphs, pinned=True)
    with pytest.raises(InvalidValue, match=r"discogs-effnet-bs64-1.pb has sha256 [0-9a-f]{64}, not 3ed9af50"):
        part.score([song(0)])


def test_a_graph_of_another_architecture(graphs, tmp_path):
    folder = tmp_path / "effnet_danceability"
    folder.mkdir()
    for name in (tiny_graphs.EFFNET, tiny_graphs.HEAD):
        shutil.copy(graphs / "effnet_danceability" / tiny_graphs.HEAD, folder / name)
    part = dance(tmp_path)
    with pytest.raises(InvalidValue, match="another architecture|cannot be run"):
        part.score([song(0)])
    part.close()


# -- magenta's SavedModel ----------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_tensorflow_parts_keep_their_contracts(graphs):
    check_scorer(lambda: judge(graphs), [picture(k) for k in range(3)])
    check_scorer(lambda: dance(graphs), [song(0), song(1), song(2, 3.0)])
    check_stylizer(lambda: style(graphs, smoothing=0.3), picture(0, 72), picture(1, 64))


def test_constant_sides_are_prepared_once_and_the_network_is_cut(running, monkeypatch):
    part = running["magenta"]
    engine = part._load()
    calls = []
    plain = engine._worker.call
    monkeypatch.setattr(engine._worker, "call", lambda method, what, *a: calls.append(what) or plain(method, what, *a))
    drawn = list(part.stylize(picture(9), stream(3)))
    assert [p.shape for p in drawn] == [(48, 48, 3)] * 3 and not np.array_equal(drawn[0], drawn[1])
    assert [calls.count(c) for c in ("prepare", "vector", "draw")] == [1, 3, 3]
    calls.clear()
    list(part.stylize(stream(3), picture(9)))
    assert [calls.count(c) for c in ("prepare", "vector", "draw")] == [3, 1, 3]
    assert engine.prepare(np.zeros((64, 64, 3), np.float32)).shape == (1, 16, 16, 4)
    assert engine.vector(np.zeros((256, 256, 3), np.float32)).shape == (100,)


@pytest.mark.slow
def test_the_saved_model_of_the_real_weights_draws_what_the_torch_module_draws(shared, tmp_path):
    pytest.importorskip("torch")
    weights = shared / "models/magenta"
    tiny_graphs.write_all(tmp_path, weights)
    smooth = [Image(np.asarray(picture(k, 96).pixels)) for k in (4, 5)]
    module = build(
        "stylizers", {"name": "magenta", "backend": "torch", "device": "cpu", "weights": str(weights), "size": 96}
    )
    hub = style(tmp_path, size=96)
    one, other = (next(iter(p.stylize(*smooth))).astype(float) for p in (module, hub))
    assert np.abs(one - other).mean() < 3 and one.std() > 10
    assert hub.card.weights[0].file == "saved_model.pb" and hub.card.extra == "tfhub"
    hub.close()


# -- the command -------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_one_command_with_all_three_finishes_and_writes_down_what_was_used(graphs, tmp_path):
    import tiny_clap

    weights = shutil.copytree(graphs, tmp_path / "weights")
    tiny_clap.write_all(weights)
    words = [
        "topic=the sea", "song_scorers=[clap_novelty,clap_alignment,effnet_danceability]",
        "cover_scorers=[vila,laion_aesthetics]",
        "song_scorers.effnet_danceability.scorer.pinned=false", "stylizer=magenta", "stylizer.backend=tfhub", "stylizer.size=64",
        f"weights={weights}", "songs=2", "covers=2", "size=64", "fps='4'", "song.duration=4.0", "cover.size=128",
        "videos=[dynamic_content,dynamic_style]", "gates=[silence,blank_picture]", "selection=published",
        f"output={tmp_path / 'out'}",
    ]  # fmt: skip
    run = subprocess.run(
        [sys.executable, "-m", "spectrogrand", "run", *words], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr[-3000:]
    assert "google/vila" in run.stderr and "non-commercial" in run.stderr, "the preflight table"
    record = json.loads(next((tmp_path / "out").glob("*/run.json")).read_text())
    assert record["state"] == "finished" and set(record["videos"]) == {"dynamic_content", "dynamic_style"}
    for slot, about in record["parts"].items():
        if about["name"] in ("vila", "effnet_danceability", "clap_novelty", "magenta"):
            assert about["identity"] and about["weights"], slot
    for choice in record["choices"].values():
        for candidate in choice["candidates"]:
            assert None not in candidate["scores"].values()
