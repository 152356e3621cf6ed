"""Content videos are painted anew, style videos keep the beat and begin and end as bright as they are inside."""

from fractions import Fraction

import numpy as np
import pytest

from spectrogrand import Audio, Image, build
from spectrogrand.audio.pictures import draw_spectrogram
from spectrogrand.audio.spectrogram import mel_spectrogram, spectrogram_frames
from spectrogrand.engines.restyle.strokes import Strokes
from spectrogrand.errors import InvalidValue
from spectrogrand.image.ramp import colour_ramp
from spectrogrand.image.warp import Plate

RATE, FPS = 22050, Fraction(25)


def song(seconds=6.0, tempo=120):
    t = np.arange(int(seconds * RATE)) / RATE
    since = t % (60 / tempo)
    kick = 0.7 * np.exp(-since / 0.05) * np.sin(2 * np.pi * 60 * since)
    pad = sum(0.05 * np.sin(2 * np.pi * f * t) for f in (220, 277, 330, 880))
    hiss = 0.15 * np.exp(-since / 0.02) * np.random.default_rng(0).standard_normal(len(t))
    return Audio((kick + pad + hiss)[None].astype(np.float32), RATE)


def cover(size=160):
    y, x = np.mgrid[0:size, 0:size] / size
    out = np.stack([60 + 120 * y, 40 + 60 * x, 150 - 80 * y], 2)
    out[np.hypot(y - 0.4, x - 0.6) < 0.2] = (230, 190, 60)
    return Image(out.astype(np.uint8))


def stream(heard, **look):
    ramp = colour_ramp(cover().pixels)
    return draw_spectrogram(heard, fps=FPS, size=(160, 160), seconds=2.0, colormap=ramp, edges="mirror", **look)


@pytest.fixture(scope="module")
def content():
    return [f.copy() for f in build("stylizers", {"name": "sliced_transport"}).stylize(cover(), stream(song()))]


def test_a_stroke_has_one_colour_along_its_length():
    """Painted from a plate without bristles' light a stripe of strokes shows few levels, the smooth ramp below it all."""
    level = np.tile(np.linspace(0.2, 0.8, 128, dtype=np.float32), (128, 1))
    drawn = (128 + level * 511).astype(np.int16)
    plate = Plate(lambda size: np.kron(drawn, np.ones((size[0] // 128, size[1] // 128), np.int16)), (128, 128))
    before = plate.sample((), ()).copy()
    Strokes(plate, level)
    after = plate.sample((), ())
    assert (before != after).mean() > 0.8, "nearly all of it is painted"
    around = np.abs(after.astype(int) % 768 - 128 - 511 * level)
    assert np.median(around) < 60, "with the colours that were there"
    assert (np.diff(before[64]) == 0).mean() < 0.3
    again = Plate(lambda size: np.kron(drawn, np.ones((size[0] // 128, size[1] // 128), np.int16)), (128, 128))
    Strokes(again, level)
    assert np.array_equal(again.sample((), ()), after), "the same again"


def test_a_beat_paints_more_than_the_time_between(content):
    """Compared with the pixels' own video, frames change in patches; most of it in the frames of beats."""
    grey = np.stack([f.mean(2) for f in content])
    grey -= grey.mean((1, 2), keepdims=True)
    change = np.abs(np.diff(grey, axis=0)).mean((1, 2))
    times = (np.arange(1, len(grey))) / float(FPS)
    near = np.abs(times[:, None] - np.arange(0.5, 6, 0.5)).min(1) < 0.05
    assert change[near].mean() > 2 * change[~near].mean()


def test_shapes_stay(content):
    """The disc's rim is the strongest edge of the cover, and of the painting."""
    from scipy.ndimage import gaussian_gradient_magnitude

    y, x = np.mgrid[0:160, 0:160] / 160
    away = np.abs(np.hypot(y - 0.4, x - 0.6) - 0.2)
    for frame in content[::30]:
        edge = sum(gaussian_gradient_magnitude(frame[..., c].astype(float), 2.0) for c in range(3))
        assert edge[away < 0.02].mean() > 1.6 * edge[away > 0.06].mean()


def test_strokes_can_be_left_out():
    plain = build("stylizers", {"name": "sliced_transport", "strokes": 0.0}).stylize(cover(), cover())
    painted = build("stylizers", {"name": "sliced_transport", "strokes": 1.0}).stylize(cover(), cover())
    assert np.abs(next(iter(plain)).astype(int) - next(iter(painted))).mean() > 1
    with pytest.raises(InvalidValue, match="strokes from 0 to 1"):
        build("stylizers", {"name": "sliced_transport", "strokes": 2})


def test_style_videos_move_on_the_beat_and_have_no_dark_half():
    frames = [f.copy() for f in build("stylizers", {"name": "sliced_transport"}).stylize(stream(song()), cover())]
    grey = np.stack([f.mean(2) for f in frames])
    change = np.abs(np.diff(grey - grey.mean((1, 2), keepdims=True), axis=0)).mean((1, 2))
    times = np.arange(1, len(grey)) / float(FPS)
    beats = np.arange(0.5, 5.6, 0.5)
    leaps = [change[np.abs(times - beat) < 0.07].max() for beat in beats]
    between = np.median(change[np.abs(times[:, None] - beats).min(1) > 0.1])
    assert np.mean(np.array(leaps) > 1.5 * between) >= 0.8
    halves = grey.reshape(len(grey), 160, 2, 80).mean((1, 3))
    usual = halves[30:-30].mean()
    assert halves[0].min() > 0.6 * usual and halves[-1].min() > 0.6 * usual


def test_windows_beyond_the_song_show_it_backwards():
    heard = song(2.0)
    look = {"count": 50, "fps": FPS, "size": (32, 64), "seconds": 1.0}
    silent, mirrored = (
        [f.copy() for f in spectrogram_frames(mel_spectrogram(heard), edges=e, **look)] for e in ("silence", "mirror")
    )
    assert (silent[25] == mirrored[25]).all(), "inside nothing differs"
    first = mirrored[0].astype(int)
    assert (
        np.abs(first[:, :30] - first[:, 34:][:, ::-1]).mean()
        < np.abs(first[:, :30] - silent[0][:, :30].astype(int)).mean()
    )
    with pytest.raises(InvalidValue, match="'silence' or 'mirror'"):
        spectrogram_frames(mel_spectrogram(heard), edges="black", **look)
