"""What a classifier is measured by (torchmetrics) and how that is drawn: confusion matrix, reliability curve, Grad-CAM."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...files import replacing

BINS = 15


def measured(probabilities: Any, labels: Any, groups: Sequence[str] | None, classes: Sequence[str]) -> dict[str, Any]:
    """Accuracy, macro F1, F1 per class, expected calibration error, loss, and, where groups are known, accuracy per track.

    A track's answer is the class of its items' mean probability. Two tracks of one name in two classes are two tracks (a cover
    and its generated twin share a stem). Where no track has two items there is no accuracy per track: it would be the
    accuracy again.

    Args:
        probabilities: float64 tensor (item, class), rows summing to 1.
        labels: int64 tensor (item,).
        groups: each item's track or cover; None where nothing is known of them.
        classes: names in the order of the columns.

    >>> import torch
    >>> p = torch.tensor([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]]).double()
    >>> m = measured(p, torch.tensor([0, 1, 1]), ["a", "b", "b"], ("x", "y"))
    >>> round(m["accuracy"], 3), m["track_accuracy"], round(m["f1_x"], 3)
    (0.667, 1.0, 0.667)
    """
    import torch
    from torchmetrics.functional.classification import (
        multiclass_accuracy,
        multiclass_calibration_error,
        multiclass_confusion_matrix,
        multiclass_f1_score,
    )

    n = len(classes)
    each = multiclass_f1_score(probabilities, labels, n, average="none")
    found: dict[str, Any] = {
        "accuracy": float(multiclass_accuracy(probabilities, labels, n, average="micro")),
        "f1": float(each.mean()),
        "calibration_error": float(multiclass_calibration_error(probabilities, labels, n, n_bins=BINS)),
        "loss": float(-probabilities[torch.arange(len(labels)), labels].clamp_min(1e-12).log().mean()),
    }
    if groups is not None:
        named = [f"{label}/{group}" for label, group in zip(labels.tolist(), groups, strict=True)]
        names, first, where = np.unique(np.asarray(named), return_index=True, return_inverse=True)
        if len(names) < len(named):
            sums = torch.zeros(len(names), n, dtype=probabilities.dtype)
            sums.index_add_(0, torch.from_numpy(where), probabilities)
            truth = labels[torch.from_numpy(first)]
            found["track_accuracy"] = float((sums.argmax(1) == truth).double().mean())
    found |= {f"f1_{name}": float(value) for name, value in zip(classes, each, strict=True)}
    found["confusion"] = multiclass_confusion_matrix(probabilities, labels, n).tolist()
    return found


def measured_many(
    probabilities: Any, labels: Any, groups: Sequence[str] | None, classes: Sequence[str]
) -> dict[str, Any]:
    """Where an item may have several classes: share of right yes-or-nos, macro F1 at 0.5, mean average precision, loss.

    Args:
        probabilities: float64 tensor (item, class), each column by itself.
        labels: tensor (item, class) of 0 and 1.
        groups: not used: a track's items share its labels.
        classes: names in the order of the columns.

    >>> import torch
    >>> p = torch.tensor([[0.9, 0.8], [0.2, 0.7]]).double()
    >>> m = measured_many(p, torch.tensor([[1, 1], [0, 0]]), None, ("x", "y"))
    >>> m["accuracy"], round(m["f1_y"], 3), m["average_precision"]
    (0.75, 0.667, 1.0)
    """
    from torchmetrics.functional.classification import multilabel_average_precision, multilabel_f1_score

    n, truth = len(classes), labels.long()
    each = multilabel_f1_score(probabilities, truth, n, average="none")
    sure = probabilities.clamp(1e-12, 1 - 1e-12)
    found: dict[str, Any] = {
        "accuracy": float(((probabilities >= 0.5) == (truth == 1)).double().mean()),
        "f1": float(each.mean()),
        "average_precision": float(multilabel_average_precision(probabilities, truth, n)),
        "loss": float(-(truth * sure.log() + (1 - truth) * (1 - sure).log()).mean()),
    }
    return found | {f"f1_{name}": float(value) for name, value in zip(classes, each, strict=True)}


def reliability(probabilities: Any, labels: Any, bins: int = BINS) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Per bin of the top probability: mean probability, share that was right, number of items; empty bins are left out."""
    top, answer = (v.numpy() for v in probabilities.max(1))
    right = answer == labels.numpy()
    at = np.minimum((top * bins).astype(int), bins - 1)
    counts = np.bincount(at, minlength=bins)
    used = counts > 0
    means = (np.bincount(at, values, minlength=bins)[used] / counts[used] for values in (top, right))
    return *means, counts[used]  # type: ignore[return-value]


def draw_confusion(confusion: Sequence[Sequence[int]], classes: Sequence[str], path: Path) -> None:
    """Rows are the truth, columns the answer; each cell its count, coloured by its share of the row."""
    table = np.asarray(confusion, float)
    share = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    figure, axis = _figure(1.1 * len(classes) + 2.6)
    axis.imshow(share, cmap="magma", vmin=0, vmax=1)
    for i, row in enumerate(table):
        for j, count in enumerate(row):
            axis.text(j, i, f"{count:.0f}", ha="center", va="center", color="black" if share[i, j] > 0.6 else "white")
    axis.set(xticks=range(len(classes)), yticks=range(len(classes)), xlabel="answer", ylabel="truth")
    axis.set_xticklabels(classes, rotation=30, ha="right")
    axis.set_yticklabels(classes)
    _save(figure, path)


def draw_reliability(probabilities: Any, labels: Any, path: Path) -> None:
    """How often an answer is right against how sure the network was; dots grow with the number of items."""
    sure, right, counts = reliability(probabilities, labels)
    figure, axis = _figure(4.2)
    axis.plot([0, 1], [0, 1], color="grey", linewidth=1, linestyle="--")
    axis.plot(sure, right, color="#b5367a", linewidth=1.5)
    axis.scatter(sure, right, s=12 + 180 * counts / counts.sum(), color="#b5367a", zorder=3)
    axis.set(
        xlim=(0, 1), ylim=(0, 1), xlabel="probability of the answer", ylabel="share that was right", aspect="equal"
    )
    _save(figure, path)


def grad_cam(network: Any, x: Any, layer: Any = None) -> np.ndarray:
    """Where the answer comes from (Selvaraju et al., ICCV 2017, equations 1 and 2): [0, 1], float32 (item, row, column).

    Args:
        x: float (item, rgb, row, column), as the network sees it.
        layer: the convolution to look at; None is the last one whose map is more than one pixel.
    """
    import torch

    kept: dict[str, Any] = {}
    chosen = layer if layer is not None else _last_map(network, x[:1])

    def keep(module: Any, inputs: Any, output: Any) -> None:
        output.retain_grad()
        kept["map"] = output

    handle = chosen.register_forward_hook(keep)
    try:
        with torch.enable_grad():
            scores = network(x.clone().requires_grad_(True))
            scores.max(1).values.sum().backward()
    finally:
        handle.remove()
    weights = kept["map"].grad.mean((2, 3), keepdim=True)
    cam = torch.relu((weights * kept["map"]).sum(1, keepdim=True)).detach()
    cam = torch.nn.functional.interpolate(cam.float(), x.shape[2:], mode="bilinear", align_corners=False)[:, 0]
    return np.asarray((cam / cam.amax((1, 2), keepdim=True).clamp_min(1e-12)).cpu().numpy())


def draw_grad_cam(pictures: np.ndarray, cams: np.ndarray, captions: Sequence[str], path: Path) -> None:
    """Pictures above, where the network looked below; uint8 (item, row, column, rgb) and [0, 1] (item, row, column)."""
    from matplotlib.figure import Figure

    figure = Figure((1.7 * len(pictures), 3.9), dpi=110, layout="constrained")
    for k, (picture, cam, caption) in enumerate(zip(pictures, cams, captions, strict=True)):
        for row in range(2):
            axis = figure.add_subplot(2, len(pictures), row * len(pictures) + k + 1)
            axis.imshow(picture)
            if row:
                axis.imshow(cam, cmap="viridis", alpha=0.55, vmin=0, vmax=1)
            else:
                axis.set_title(caption, fontsize=8)
            axis.axis("off")
    _save(figure, path)


def _last_map(network: Any, x: Any) -> Any:
    import torch

    maps: list[Any] = []

    def keep(module: Any, inputs: Any, output: Any) -> None:
        if output.ndim == 4 and output.shape[2] * output.shape[3] > 1:
            maps.append(module)

    handles = [m.register_forward_hook(keep) for m in network.modules() if isinstance(m, torch.nn.Conv2d)]
    with torch.no_grad():
        network(x)
    for handle in handles:
        handle.remove()
    return maps[-1]


def _figure(inches: float) -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure((inches, inches), dpi=110, layout="constrained")
    return figure, figure.add_subplot()


def _save(figure: Any, path: Path) -> None:
    with replacing(path) as temporary:
        figure.savefig(
            temporary, format=path.suffix[1:], metadata={"Software": None} if path.suffix == ".png" else None
        )
