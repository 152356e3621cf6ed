"""The compatibility kit: a manifest per repository says its classes and key names; the tiny checkpoint has them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

HOME = Path(__file__).parent / "hub_shapes"
MANIFESTS = {p.stem: json.loads(p.read_text("utf-8")) for p in sorted(HOME.glob("*.json"))}
FIELDS = {"repository", "pipeline", "licence", "components", "keys", "source", "verified"}


@pytest.mark.parametrize("name", MANIFESTS)
def test_a_manifest_says_where_it_is_from_and_the_weights_page_lists_it(name):
    manifest = MANIFESTS[name]
    assert set(manifest) == FIELDS and len(manifest["source"]) > 20 and isinstance(manifest["verified"], bool)
    page = (HOME.parents[1] / "docs/weights.md").read_text("utf-8")
    row = next(line for line in page.splitlines() if line.startswith(f"| {manifest['repository']} |"))
    assert ("| yes |" if manifest["verified"] else "| no |") in row


@pytest.mark.parametrize("name", MANIFESTS)
def test_the_tiny_checkpoint_has_the_manifests_classes_and_keys(name, tmp_path):
    pytest.importorskip("diffusers")
    import tiny_2026
    from safetensors import safe_open

    manifest = MANIFESTS[name]
    folder = tiny_2026.MAKERS[name](tmp_path / name)
    index = json.loads((folder / "model_index.json").read_text("utf-8"))
    assert index["_class_name"] == manifest["pipeline"]
    assert {k: index[k] for k in manifest["components"]} == manifest["components"]
    for component, keys in manifest["keys"].items():
        with safe_open(next((folder / component).glob("*.safetensors")), "np") as file:
            assert set(keys) <= set(file.keys())
