"""What a training leaves beside its checkpoints: metrics.json, confusion matrix, reliability curve, Grad-CAM pictures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ...files import replacing
from . import measures
from .batches import tensors
from .data import Pictures
from .task import Classification, standard

EACH = 2
"""Examples per class in the Grad-CAM picture."""


def conclude(trainer: Any, module: Classification, data: Pictures, folder: Path) -> dict[str, Any]:
    """Write and print the metrics of a tested module, and draw; in one process only.

    Returns:
        accuracy, f1 (macro), f1 per class, calibration_error, loss, track_accuracy, confusion, epochs, state, config;
        average_precision in place of the three before the epochs where an item may have several classes.
    """
    results = dict(module.results)
    probabilities, labels = results.pop("probabilities"), results.pop("labels")
    results |= {
        "state": "finished",
        "epochs": int(trainer.current_epoch),
        "steps": int(trainer.global_step),
        "folder": str(folder),
        "config": module.about.get("config", {}),
    }
    if trainer.is_global_zero:
        with replacing(folder / "metrics.json") as temporary:
            temporary.write_text(json.dumps(results, indent=1), "utf-8")
        if not module.spec.multi_label:
            measures.draw_confusion(results["confusion"], module.spec.classes, folder / "confusion.png")
            measures.draw_reliability(probabilities, labels, folder / "reliability.png")
            _draw_examples(module, data, probabilities, folder / "grad_cam.png")
        shown = {"accuracy": "accuracy", "track_accuracy": "per track", "f1": "macro F1",
                 "calibration_error": "calibration error", "average_precision": "average precision"}  # fmt: skip
        print("test " + ", ".join(f"{v} {results[k]:.4f}" for k, v in shown.items() if k in results) + f": {folder}")
    return results


def _draw_examples(module: Classification, data: Pictures, probabilities: Any, path: Path) -> None:
    """Grad-CAM of a few test items per class, spread over the split."""
    test, names = data.splits["test"], module.spec.classes
    chosen: list[int] = []
    for number in range(len(names)):
        places = np.flatnonzero(test.labels[: len(probabilities)] == number)
        chosen += [int(i) for i in places[:: max(1, len(places) // EACH)][:EACH]]
    values, labels, _ = tensors(test, np.array(chosen))
    module = module.cpu().float().eval()
    pictures = module.mel(values) if module.mel is not None else values
    x = standard(pictures, module.mean, module.std)
    with torch.inference_mode(False):
        cams = measures.grad_cam(module.evaluated(), x)
    answers = [names[int(probabilities[i].argmax())] for i in chosen]
    captions = [f"{names[t]}\nanswer {a}" for t, a in zip(labels.tolist(), answers, strict=True)]
    measures.draw_grad_cam(pictures.permute(0, 2, 3, 1).numpy(), cams, captions, path)
