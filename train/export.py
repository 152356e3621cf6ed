"""Turn a training into what the pipeline reads: safetensors with a model card, ONNX, and ONNX in 8-bit integers.

    python train/export.py RUN OUT            # RUN: a training's folder, or one of its .ckpt files
    spectrogrand run topic="the sea" genre=timm_genre genre.weights=OUT/genre.safetensors

Size, time per picture and test accuracy of each form stand in the card (README.md). The ONNX file is compared with torch, and the
integers are static: ranges of activations are calibrated on training pictures. A form that loses more accuracy than
`--most-lost` is not kept, and the command fails.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from spectrogrand.audio.bars import standardised
from spectrogrand.errors import InvalidValue, SpectrograndError
from spectrogrand.files import replacing
from spectrogrand.models.picture_classifier import KEY, Spec, build
from spectrogrand.training.loop import checkpoints
from spectrogrand.training.pictures.card import card
from spectrogrand.types import GENRES

Run = Callable[[np.ndarray], np.ndarray]
"""float32 (item, rgb, row, column), standardised, to logits (item, class)."""
TIMES = 20
MOST_LOST = 0.02
"""Of test accuracy: what a form may lose against torch before it is refused."""
APART = 1e-3
"""How far ONNX logits may be from torch's, relative to the largest."""
CALIBRATION = 128
"""Training pictures whose activations set the ranges of the integers."""
COLOURS = (
    "dark blue", "red", "orange", "green", "purple", "yellow", "light blue", "black", "pink", "brown", "turquoise", "gold",
    "olive", "navy", "crimson", "teal",
)  # fmt: skip
WORDS = ("unveils", "surprises", "ascends", "explodes", "balances", "hypnotizes", "blends", "stuns")
"""What classes that are not the published genres begin with: COLOURS tell neighbours apart, WORDS are the published ones."""


def export(
    run: Path,
    out: Path,
    *,
    cache: Path | None = None,
    licence: str = "",
    onnx: bool = True,
    int8: bool = True,
    most_lost: float = MOST_LOST,
) -> dict[str, Any]:
    """Write `{task}.safetensors`, README.md and, with `onnx`, `{task}.onnx` and `{task}.int8.onnx` into `out`.

    A genre network whose classes are not the four of house gets `words.yaml`, too: see `draft_words`.

    Args:
        run: a training's folder (the checkpoint that its recipe takes), or a checkpoint.
        cache: where the training's decoded data lie; None is `cache` beside the run. Accuracy is left out where they are gone.
        licence: of the weights, for the card; empty: what the data allow is said instead.
        onnx: write the ONNX forms.
        int8: write the form in integers; it needs the training's pictures, and is left out where they are gone.
        most_lost: share of test accuracy that a form may lose against torch.

    Returns:
        Per form (safetensors, onnx, int8): megabytes, milliseconds, accuracy.

    Raises:
        InvalidValue: no checkpoint of ours; an ONNX file that says something else than torch; a form that loses more than
            `most_lost`, after the others were written. MediaError: the folder cannot be written.
    """
    checkpoint, about = _checkpoint(run)
    spec = Spec.from_json(checkpoint["spectrogrand"]["spec"])
    network = network_of(checkpoint, spec)
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"{spec.task}.safetensors"
    save(network, spec, path)
    forms: dict[str, tuple[Path, Run]] = {"safetensors": (path, _by_torch(network))}
    if onnx:
        plain, small = out / f"{spec.task}.onnx", out / f"{spec.task}.int8.onnx"
        to_onnx(network, spec, plain)
        forms["onnx"] = plain, by_onnx(plain)
    data = _data(about.get("config", {}), cache or (run if run.is_dir() else run.parent).parent / "cache")
    seen = calibration(data, spec) if data is not None else None
    if onnx:
        compare(network, forms["onnx"][1], spec, seen)
        small.unlink(missing_ok=True)
        if int8 and seen is not None:
            quantise(plain, small, seen)
            forms["int8"] = small, by_onnx(small)
    test = None if data is None else data.test_dataloader()
    table = {name: measure(file, compute, spec, test) for name, (file, compute) in forms.items()}
    folder = run if run.is_dir() else run.parent
    metrics = json.loads((folder / "metrics.json").read_text("utf-8")) if (folder / "metrics.json").is_file() else {}
    if metrics.get("state") == "interrupted":  # a checkpoint of an unfinished training was measured on nothing
        metrics = {}
    with replacing(out / "README.md") as temporary:
        temporary.write_text(card(spec, about, metrics, table, licence), "utf-8")
    if spec.task == "genre" and set(spec.classes) != set(GENRES):
        draft_words(spec.classes, out / "words.yaml")
    whole = table["safetensors"]["accuracy"]
    for name, row in table.items():
        lost = 0.0 if whole is None or row["accuracy"] is None else whole - row["accuracy"]
        if lost > most_lost:
            forms[name][0].unlink()
            raise InvalidValue(
                f"{forms[name][0].name} loses {lost:.1%} of test accuracy, more than {most_lost:.1%}: it was not kept, the other "
                "forms were; give --no-int8, or --most-lost"
            )
    return table


def draft_words(classes: Sequence[str], path: Path) -> None:
    """Write colours and words for each class into a YAML file that `spectrogrand run words=FILE` reads; one that is there stays.

    They are a beginning, walked through two lists, and know nothing of the classes: they are to be changed by hand.
    """
    import yaml

    if path.exists():
        return
    made = {
        name: {"colours": [COLOURS[i % len(COLOURS)] for i in (2 * k, 2 * k + 1)],
               "words": [WORDS[i % len(WORDS)] for i in (2 * k, 2 * k + 1)]}
        for k, name in enumerate(classes)
    }  # fmt: skip
    with replacing(path) as temporary:
        temporary.write_text(
            "# Colours and words of each class, for words=FILE: drafted by train/export.py, to be changed by hand.\n"
            + yaml.safe_dump(made, allow_unicode=True, default_flow_style=None, sort_keys=False),
            "utf-8",
        )


def calibration(data: Any, spec: Spec) -> np.ndarray:
    """Training pictures as the network sees them, spread over the split, float32 (item, rgb, row, column)."""
    train = data.splits["train"]
    chosen = np.unique(np.linspace(0, len(train) - 1, min(CALIBRATION, len(train))).round().astype(int))
    return standardised(np.asarray(train.values[chosen]), spec.mean, spec.std)


def compare(network: Any, compute: Run, spec: Spec, seen: np.ndarray | None) -> None:
    """Whether an ONNX file says what torch says, on training pictures or else on noise.

    Raises:
        InvalidValue: its logits are further away than `APART` of the largest.
    """
    noise = np.random.default_rng(0).normal(size=(8, 3, spec.side, spec.side)).astype(np.float32)
    x = noise if seen is None else seen[:8]
    ours, theirs = _by_torch(network)(x), compute(x)
    away = float(np.abs(ours - theirs).max() / max(1e-6, float(np.abs(ours).max())))
    if not away <= APART:
        raise InvalidValue(
            f"the ONNX file's logits are {away:.1e} away from torch's, at most {APART:g}: give --no-onnx"
        )


def network_of(checkpoint: Mapping[str, Any], spec: Spec) -> Any:
    """The network that was tested: the average of the weights where the recipe keeps one, in evaluation mode.

    Raises:
        InvalidValue: tensors of another architecture than the checkpoint says.
    """
    from spectrogrand.weights import files

    state = checkpoint["state_dict"]
    part = "average." if any(k.startswith("average.") for k in state) else "network."
    network = build(spec)
    files.fill(network, {k[len(part) :]: v for k, v in state.items() if k.startswith(part)}, "the checkpoint")
    return network.eval().requires_grad_(False)


def save(network: Any, spec: Spec, path: Path) -> None:
    """The network's tensors as safetensors, `spec` in the header."""
    from safetensors.torch import save as packed

    state = {k: v.contiguous() for k, v in network.state_dict().items()}
    with replacing(path) as temporary:
        # written here: safetensors' own writer makes files that only their owner may read
        temporary.write_bytes(packed(state, {KEY: spec.as_json(), "format": "pt"}))


def to_onnx(network: Any, spec: Spec, path: Path) -> None:
    """The network as ONNX: `pictures` (item, rgb, row, column), standardised, to `logits` (item, class); any number of items."""
    import torch

    example = torch.zeros(2, 3, spec.side, spec.side)
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "made.onnx"
        torch.onnx.export(
            network, (example,), made, input_names=["pictures"], output_names=["logits"], dynamo=True, external_data=False,
            dynamic_shapes=({0: torch.export.Dim("item", min=1, max=4096)},), verbose=False,
        )  # fmt: skip
        _move(made, path)


def quantise(plain: Path, small: Path, seen: np.ndarray) -> None:
    """Weights and activations as 8-bit integers, a scale per channel; ranges calibrated on `seen`, standardised pictures."""
    import logging

    import onnx
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

    class Reader(CalibrationDataReader):
        def __init__(self) -> None:
            self.left = iter(np.array_split(seen, max(1, len(seen) // 8)))

        def get_next(self) -> dict[str, np.ndarray] | None:
            part = next(self.left, None)
            return None if part is None else {"pictures": np.ascontiguousarray(part)}

    with tempfile.TemporaryDirectory() as folder:
        ready, made = Path(folder) / "ready.onnx", Path(folder) / "made.onnx"
        graph = onnx.load(str(plain))
        del graph.graph.value_info[:]  # the exporter's shapes of transposed weights contradict what is inferred anew
        onnx.save(graph, str(ready))
        logging.disable(logging.WARNING)  # it recommends a preparation that stumbles over those shapes
        try:
            quantize_static(
                str(ready), str(made), Reader(), quant_format=QuantFormat.QDQ, per_channel=True,
                activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
            )  # fmt: skip
        finally:
            logging.disable(logging.NOTSET)
        _move(made, small)


def by_onnx(path: Path) -> Run:
    """Run an ONNX file on one thread."""
    from spectrogrand.privacy import onnxruntime

    runtime = onnxruntime()
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    session = runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return lambda x: np.asarray(session.run(None, {"pictures": x})[0])


def measure(file: Path, compute: Run, spec: Spec, test: Any) -> dict[str, float | None]:
    """Megabytes, median milliseconds a picture on one thread, accuracy on the test split (None where there is none)."""
    one = np.zeros((1, 3, spec.side, spec.side), np.float32)
    compute(one)
    taken = []
    for _ in range(TIMES):
        begun = time.perf_counter()
        compute(one)
        taken.append(time.perf_counter() - begun)
    right = None
    if test is not None:
        mean, std = (np.asarray(v, np.float32)[:, None, None] for v in (spec.mean, spec.std))
        answers = []
        for pictures, labels, _ in test:
            x = (pictures.numpy().astype(np.float32) / 255 - mean) / std
            found, truth = compute(np.ascontiguousarray(x)), labels.numpy()
            answers.append((found > 0) == (truth == 1) if spec.multi_label else found.argmax(1) == truth)
        right = float(np.concatenate(answers).mean())
    return {"megabytes": file.stat().st_size / 1e6, "milliseconds": 1000 * statistics.median(taken), "accuracy": right}


def _by_torch(network: Any) -> Run:
    import torch

    def compute(x: np.ndarray) -> np.ndarray:
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            with torch.inference_mode():
                return np.asarray(network(torch.from_numpy(x)))
        finally:
            torch.set_num_threads(threads)

    return compute


def _checkpoint(run: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """A run's checkpoint, and what it says of how it came about."""
    paths = [run] if not run.is_dir() else [run / "best.ckpt", run / "last.ckpt"]
    found = checkpoints.load(next((p for p in paths if p.is_file()), paths[0]))
    kept = found.get("spectrogrand")
    if not isinstance(kept, dict) or "spec" not in kept:
        raise InvalidValue(f"{run} does not say what it is: give a folder of train/genre.py or train/surprise.py")
    about = kept.get("about", {})
    if run.is_dir() and about.get("config", {}).get("recipe", {}).get("checkpoint") == "last":
        found = checkpoints.load(run / "last.ckpt")
    return found, about


def _data(config: Mapping[str, Any], cache: Path) -> Any:
    """The training's pictures, or None where they are not here any more, or where it was trained on sounds drawn on the fly."""
    from spectrogrand.training.pictures.data import Pictures

    if not config or (config["data"]["name"] == "synthetic" and config["data"].get("input") == "sound"):
        return None
    root = config["data"].get("root")
    if (root is not None and not Path(root).expanduser().is_dir()) or (root is None and not cache.is_dir()):
        return None
    spec_side = config["model"].get("side") or {"genre": 96, "surprise": 256}[config["task"]]
    data = Pictures(config["data"], config["task"], spec_side, 64, seed=0, cache=cache)
    data.setup()
    return data


def _move(made: Path, path: Path) -> None:
    with replacing(path) as temporary:
        temporary.write_bytes(made.read_bytes())


def main(words: list[str]) -> int:
    """Export and print the table."""
    parser = argparse.ArgumentParser(prog="python train/export.py", description="export a training for the pipeline")
    parser.add_argument("run", type=Path, help="a training's folder, or a .ckpt file")
    parser.add_argument("out", type=Path, help="folder to write to")
    parser.add_argument("--cache", type=Path, help="where the training's decoded data lie")
    parser.add_argument("--licence", default="", help="of the weights, for the card")
    parser.add_argument("--no-onnx", action="store_true", help="only safetensors and the card")
    parser.add_argument("--no-int8", action="store_true", help="no form in 8-bit integers")
    parser.add_argument(
        "--most-lost", type=float, default=MOST_LOST, help="accuracy that a form may lose (default 0.02)"
    )
    given = parser.parse_args(words)
    try:
        table = export(
            given.run, given.out, cache=given.cache, licence=given.licence, onnx=not given.no_onnx, int8=not given.no_int8,
            most_lost=given.most_lost,
        )  # fmt: skip
    except SpectrograndError as error:
        sys.stderr.write(f"train export: {' '.join(str(error).split())}\n")
        return 1
    for name, row in table.items():
        right = "not measured" if row["accuracy"] is None else f"accuracy {row['accuracy']:.4f}"
        print(f"{name}: {row['megabytes']:.1f} MB, {row['milliseconds']:.1f} ms a picture, {right}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
