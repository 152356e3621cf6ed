"""What a step's key depends on: the code that makes something, and not the code that tells a person about it."""

from __future__ import annotations

from pathlib import Path

import pytest

from spectrogrand import provenance

PACKAGE = Path(provenance.__file__).parent


@pytest.mark.parametrize(
    ("file", "counts"),
    [
        ("runs/preflight.py", False),
        ("runs/needs.py", False),
        ("progress.py", False),
        ("registry.py", False),
        ("plugins/generators/_prompts.py", True),
        ("weights/checkpoints.py", True),
    ],
)
def test_rewording_a_table_makes_no_song_and_no_picture_again(file, counts, monkeypatch):
    """All generators of hub models import the check before a run, for its commands: hours of work must outlive its words."""
    module, source = (
        "spectrogrand.plugins.generators.pictures.sdxl",
        str(PACKAGE / "plugins/generators/pictures/sdxl.py"),
    )
    plain, changed = Path.read_bytes, PACKAGE / file

    def edited(path):
        return plain(path) + (b"\n# reworded\n" if path == changed else b"")

    before = provenance._module_hash.__wrapped__(module, source)
    monkeypatch.setattr(Path, "read_bytes", edited)
    assert (provenance._module_hash.__wrapped__(module, source) != before) is counts
