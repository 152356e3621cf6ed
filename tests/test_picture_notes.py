"""What a painter says of its picture lies beside it and is read back with it."""

import numpy as np
import pytest

from spectrogrand import Image
from spectrogrand.errors import InvalidValue, PluginError
from spectrogrand.runs import artefacts

PIXELS = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
NOTES = {"shown": [{"word": "fóx", "shape": "fox", "box": [0.1, 0.2, 0.5, 0.9]}], "missed": ["snow"], "finish": "neon"}


def test_notes_travel_with_the_picture(tmp_path):
    artefacts.save(Image(PIXELS, NOTES), tmp_path)
    back = artefacts.load(tmp_path)
    assert np.array_equal(back.pixels, PIXELS) and back.notes == NOTES


def test_a_picture_without_notes_has_none(tmp_path):
    artefacts.save(Image(PIXELS), tmp_path)
    assert artefacts.load(tmp_path).notes is None and not (tmp_path / "notes.json").exists()
    assert Image(PIXELS, NOTES).resized(2, 2).notes is None


def test_notes_that_are_no_plain_data(tmp_path):
    with pytest.raises(InvalidValue, match="notes are a mapping or None, got list"):
        Image(PIXELS, [])
    for bad in ({"shown": object()}, {"box": float("nan")}):
        with pytest.raises(PluginError, match="notes are plain data"):
            artefacts.save(Image(PIXELS, bad), tmp_path)
