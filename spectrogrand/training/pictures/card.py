"""The model card of an exported network: what it is, its data, recipe and measures, and what may be done with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...models.picture_classifier import PUBLISHED, Spec

DATA = {
    "housex": (
        "HouseX (Li, arXiv 2207.11690): mel pictures of one bar each, split as shipped.",
        "HouseX is for research use only.",
    ),
    "covers": ("A folder of covers, ai and human.", "Covers belong to their owners: look up what theirs allow."),
    "synthetic": (
        "Songs synthesised (house_synth) or covers painted (procedural_cover) by spectrogrand itself, split by song or cover and "
        "by synthesis seed. What it knows about real music or real covers is unknown.",
        "Apache-2.0, as the generators.",
    ),
}
"""Per data set: what it is, and what its licence means for weights trained on it."""


def card(
    spec: Spec,
    about: Mapping[str, Any],
    metrics: Mapping[str, Any],
    table: Mapping[str, Mapping[str, Any]],
    licence: str,
) -> str:
    """Markdown of the card.

    Args:
        about: config, versions, sizes and skipped files, as checkpoints keep them.
        metrics: of the test split, as metrics.json holds them.
        table: per exported form: megabytes, milliseconds, accuracy.
        licence: of the weights; empty: what the data's licence means is said.
    """
    config = about.get("config", {})
    data, recipe = config.get("data", {}), config.get("recipe", {})
    what, terms = DATA.get(data.get("name", ""), ("Unknown data.", "Unknown: ask who trained it."))
    plugin = spec.architecture if spec.architecture in PUBLISHED else f"timm_{spec.task}"
    slot = "genre" if spec.task == "genre" else "cover_scorers"
    use = (
        f"genre={plugin} genre.weights={spec.task}.safetensors"
        if slot == "genre"
        else f"cover_scorers=[aesthetics,{plugin}] cover_scorers.{plugin}.scorer.weights={spec.task}.safetensors"
    )
    squeezed = ", which the published head squeezes by sigmoid(leaky_relu(z)) before softmax"
    sizes = ", ".join(f"{split} {count:,}" for split, count in about.get("sizes", {}).items())
    skipped = f" Skipped as unreadable: {len(about['skipped'])}." if about.get("skipped") else ""
    parts = {
        "": f"A picture classifier for `{spec.task}`. Sees {spec.side} x {spec.side} pixels in [0, 1], less "
        f"{_numbers(spec.mean)}, divided by {_numbers(spec.std)}; gives logits in the order {', '.join(spec.classes)}"
        f"{squeezed if spec.head == 'published' else ''}.\n\n    spectrogrand run topic=... {use}",
        "Data": f"{what}\n\nItems: {sizes or 'unknown'}.{skipped}\n\n" + _settings(data),
        "Recipe": f"{_settings(recipe)}\n\nSeed {config.get('seed')}. Layers and first weights:\n\n"
        + _settings(config.get("model", {})),
        "Test split": _measures(metrics, spec),
        "Forms": _forms(table),
        "Licence": licence or terms,
        "Made with": ", ".join(f"{k} {v}" for k, v in about.get("versions", {}).items()),
    }
    lines = [f"# {spec.architecture}: {' / '.join(spec.classes)}"]
    for title, text in parts.items():
        lines += ["", f"## {title}", "", text] if title else ["", text]
    lines.append("")
    return "\n".join(lines)


def _settings(settings: Mapping[str, Any]) -> str:
    return "\n".join(f"    {key}: {value}" for key, value in settings.items() if key not in ("root", "workers"))


def _measures(metrics: Mapping[str, Any], spec: Spec) -> str:
    if not metrics:
        return "Not tested."
    names = ["accuracy", "track_accuracy", "f1", "calibration_error", *[f"f1_{c}" for c in spec.classes]]
    rows = [f"| {n} | {metrics[n]:.4f} |" for n in names if n in metrics]
    return "\n".join(["| measure | value |", "|---|---|", *rows])


def _forms(table: Mapping[str, Mapping[str, Any]]) -> str:
    rows = ["| form | megabytes | ms a picture, one thread | accuracy | lost |", "|---|---|---|---|---|"]
    whole = table["safetensors"]["accuracy"]
    for name, row in table.items():
        right = row["accuracy"]
        shown = ("not measured", "") if right is None or whole is None else (f"{right:.4f}", f"{whole - right:+.4f}")
        rows.append(f"| {name} | {row['megabytes']:.1f} | {row['milliseconds']:.1f} | {shown[0]} | {shown[1]} |")
    return "\n".join(rows)


def _numbers(values: tuple[float, ...]) -> str:
    return "(" + ", ".join(f"{v:g}" for v in values) + ")"
