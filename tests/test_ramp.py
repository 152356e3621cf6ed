"""Colour maps made of covers: hue of the cover, even lightness, and their use in a spectrogram's frames."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from spectrogrand.audio.spectrogram import spectrogram_frames
from spectrogrand.errors import InvalidValue
from spectrogrand.image.colour import oklab
from spectrogrand.image.ramp import colour_ramp
from spectrogrand.types import Spectrogram


def hue(lab):
    return np.degrees(np.arctan2(lab[..., 2], lab[..., 1]))


@pytest.mark.parametrize("colour", [(200, 30, 30), (20, 160, 60), (30, 60, 200), (230, 180, 40), (150, 40, 170)])
def test_the_hue_is_the_picture_s_and_lightness_rises(colour):
    pixels = np.full((40, 50, 3), 128, np.uint8)
    pixels[10:30, 10:40] = colour
    lab = oklab(colour_ramp(pixels))
    off = (hue(lab[60:220]) - hue(oklab(np.array([colour], np.uint8)))[0] + 180) % 360 - 180
    assert np.abs(off).max() < 20
    assert (np.diff(lab[:, 0]) > -0.004).all() and lab[0, 0] < 0.15 and lab[-1, 0] > 0.85


def test_a_second_colour_is_taken_by_what_is_loud_and_grey_stays_grey():
    pixels = np.full((40, 40, 3), (30, 60, 200), np.uint8)
    pixels[:15] = (230, 150, 30)
    table = colour_ramp(pixels).astype(int)
    assert table[90, 2] > table[90, 0] and table[230, 0] > table[230, 2]
    grey = colour_ramp(np.full((1, 1, 3), 90, np.uint8)).astype(int)
    assert np.ptp(grey, axis=1).max() <= 1


def test_frames_are_drawn_in_it():
    table = colour_ramp(np.full((8, 8, 3), (20, 160, 60), np.uint8))
    loud = Spectrogram(np.zeros((128, 90), np.float32), 22050, 512)
    (frame,) = spectrogram_frames(loud, count=1, fps=Fraction(1), size=(20, 20), seconds=0.5, colormap=table)
    assert (frame == table[255]).all()
    with pytest.raises(InvalidValue, match="uint8"):
        spectrogram_frames(loud, count=1, fps=Fraction(1), size=(4, 4), colormap=table.astype(float))
