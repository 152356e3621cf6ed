"""sliced_transport: the contract, streaming, order, what is computed once, and the statistics that it moves."""

from __future__ import annotations

import tracemalloc
from fractions import Fraction

import numpy as np
import pytest

from spectrogrand import build
from spectrogrand.engines.restyle import still_canvas
from spectrogrand.engines.restyle.pulse import moments
from spectrogrand.errors import InvalidValue
from spectrogrand.image.colour import oklab, srgb
from spectrogrand.image.transport import directions, quantiles, transport
from spectrogrand.image.warp import Plate
from spectrogrand.testing import check_stylizer
from spectrogrand.types import Frames, Image

FPS = Fraction(30)


def picture(rows=72, columns=96, seed=0):
    y, x = np.mgrid[0:rows, 0:columns]
    rng = np.random.default_rng(seed)
    waves = [
        127 + 120 * np.sin(rng.uniform(1, 3) * x / columns * 6 + rng.uniform(1, 3) * y / rows * 6) for _ in range(3)
    ]
    return Image(np.dstack(waves).astype(np.uint8))


def stream(count=40, rows=72, columns=96, *, level=None, fps=FPS, made=None):
    """Rows that light up with a beat every 15 frames; `made` notes which frames are made."""

    def make():
        for k in range(count):
            if made is not None:
                made.append(k)
            bright = 40 + 180 * 0.8 ** (k % 15) if level is None else level
            grey = np.linspace(0.2, 1, rows)[:, None] * bright + np.zeros((1, columns))
            yield np.dstack([grey, grey * 0.6, grey * 0.8]).astype(np.uint8)

    return Frames(make, (rows, columns), count, fps)


def stylizer(**settings):
    return build("stylizers", {"name": "sliced_transport", "solve": 32, **settings})


def test_contract():
    check_stylizer(stylizer)


@pytest.mark.parametrize("content, style", [("still", "moving"), ("moving", "still")])
def test_frames_are_made_one_by_one_and_memory_stays_flat(content, style):
    made: list[int] = []
    long = stream(20_000, made=made)
    pair = {"still": picture(), "moving": long}
    walk = iter(stylizer().stylize(pair[content], pair[style]))
    for _ in range(3):
        next(walk)
    assert max(made) <= 6 * 30 + 3, "at most six seconds are looked at ahead"
    for _ in range(120):
        next(walk)
    tracemalloc.start()
    try:
        for _ in range(30):
            next(walk)
        early = tracemalloc.get_traced_memory()[0]
        for _ in range(400):
            next(walk)
        assert tracemalloc.get_traced_memory()[0] - early < 2e6
    finally:
        tracemalloc.stop()


def test_a_still_content_is_prepared_once_however_many_frames(monkeypatch):
    calls = []
    prepare = still_canvas.StillCanvas._prepare
    monkeypatch.setattr(still_canvas.StillCanvas, "_prepare", lambda self: (calls.append(1), prepare(self))[1])
    frames = stylizer().stylize(picture(), stream(50))
    assert calls == [], "nothing is drawn before it is asked for"
    assert len(list(frames)) == 50
    assert calls == [1]


def test_frame_k_follows_the_kth_input_in_both_directions():
    """A dark stream that turns bright in frame 40: the drawn frames change there, neither before nor after."""

    def make():
        for k in range(90):
            yield np.full((48, 64, 3), 200 if 40 <= k < 50 else 10, np.uint8)

    flash = Frames(make, (48, 64), 90, FPS)
    for frames in (stylizer().stylize(picture(48, 64), flash), stylizer().stylize(flash, picture(48, 64))):
        drawn = np.array([frame.astype(np.float32) for frame in frames])
        change = np.abs(np.diff(drawn[:50], axis=0, prepend=drawn[:1])).mean((1, 2, 3))
        assert int(np.argmax(change)) == 40, "what sounds now shows at once, in light or in colour"
        assert change[40] > 3 * change[20:40].max()
        assert np.abs(drawn[40:50].mean(0) - drawn[20:40].mean(0)).mean() > 4


def test_two_pictures_give_one_frame_with_the_colours_of_the_style():
    content = picture(seed=1)
    red = np.zeros((40, 40, 3), np.uint8)
    red[..., 0] = np.linspace(40, 255, 40)[:, None]
    (frame,) = stylizer(strength=1.0).stylize(content, Image(red))
    assert frame.shape == content.pixels.shape
    moved = frame.reshape(-1, 3).mean(0)
    assert moved[0] > 3 * max(moved[1], moved[2], 1), f"mean colour {moved}"
    (kept,) = stylizer(strength=0.0).stylize(content, Image(red))
    assert np.ptp(kept.reshape(-1, 3).mean(0)) < np.ptp(moved)


def shapes(seed):
    """Discs of different colours on grey."""
    rng = np.random.default_rng(seed)
    out = np.full((96, 96, 3), 120, np.uint8)
    y, x = np.mgrid[0:96, 0:96]
    for _ in range(8):
        disc = np.hypot(y - rng.uniform(10, 86), x - rng.uniform(10, 86)) < rng.uniform(5, 14)
        out[disc] = rng.integers(0, 256, 3)
    return Image(out)


def test_the_content_can_be_recognised():
    """Edges of a frame agree with the content's, and not with another picture's."""
    frames = list(stylizer().stylize(shapes(3), stream(30, 96, 96)))
    mine, drawn, other = (
        np.hypot(*np.gradient(p.astype(float).mean(2))).ravel()
        for p in (shapes(3).pixels, frames[-1], shapes(9).pixels)
    )
    assert np.corrcoef(mine, drawn)[0, 1] > 0.5
    assert abs(np.corrcoef(other, drawn)[0, 1]) < 0.2


def test_steady_input_gives_steady_frames():
    frames = list(stylizer().stylize(picture(), stream(60, level=90)))
    change = [np.abs(a.astype(int) - b).mean() for a, b in zip(frames[20:], frames[21:], strict=False)]
    assert max(change) < 1.5


def test_mismatched_streams_and_settings_are_named():
    with pytest.raises(InvalidValue, match="content has 4 frames at 30 fps, style 5 at 30"):
        stylizer().stylize(stream(4), stream(5))
    with pytest.raises(InvalidValue, match="30 fps, style 4 at 25"):
        stylizer().stylize(stream(4), stream(4, fps=Fraction(25)))
    with pytest.raises(InvalidValue, match="strength from 0 to 1, got 3"):
        stylizer(strength=3)


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (31, 17)])
def test_any_size(size):
    small = picture(*size)
    moving = stream(5, *size)
    for content, style in (
        (small, picture()),
        (small, moving),
        (moving, small),
        (moving, picture()),
        (picture(), moving),
    ):
        out = list(stylizer().stylize(content, style))
        assert out[0].shape == (*content.size, 3)


@pytest.mark.parametrize("value", [0, 128, 255])
def test_flat_pictures_and_silence_stay_flat(value):
    """Grey, black and white: no NaN turned into noise, no speckles."""
    flat = Image(np.full((40, 40, 3), value, np.uint8))
    for out in (
        stylizer().stylize(flat, stream(40, 40, 40, level=0)),
        stylizer().stylize(stream(40, 40, 40, level=0), flat),
        stylizer().stylize(flat, flat),
    ):
        last = list(out)[-1].astype(int)
        assert np.abs(np.diff(last, axis=0)).max() < 40 and np.abs(np.diff(last, axis=1)).max() < 40


def test_beats_are_found_in_the_pictures():
    frames = list(moments(stream(300), 0.5))
    hits = [k for k in range(1, 300) if frames[k].beat < frames[k - 1].beat]
    near = [min(abs(k - j) for j in range(0, 300, 15)) for k in hits]
    assert 17 <= len(hits) <= 21 and max(near) <= 2, hits


def test_the_published_pair_is_recognised_is_no_overlay_and_does_not_flash(shared, monkeypatch):
    """Four seconds of the published song and cover, by the project's measures: edges, linear mix, flashes."""
    from PIL import Image as Pillow

    from spectrogrand.audio.spectrogram import mel_spectrogram, spectrogram_frames
    from spectrogrand.media import load_audio, load_image

    monkeypatch.syspath_prepend(str(shared / "measure"))
    measure = pytest.importorskip("video_quality")
    video = shared / "data" / "demo" / "spaceships_static.mp4"
    song = load_audio(video)
    cover = Pillow.fromarray(load_image(video).pixels).resize((256, 256))
    style = spectrogram_frames(mel_spectrogram(song), count=300, fps=FPS, size=(256, 256))
    walk = iter(build("stylizers", "sliced_transport").stylize(Image(np.asarray(cover)), style))
    shown = [Pillow.fromarray(next(walk)) for _ in range(120)]
    sample = measure.librosa.resample(song.mono(), orig_sr=song.rate, target_sr=measure.RATE)
    keep, small = measure.edges(cover), np.asarray(cover.resize((64, 64)), float)
    some = range(20, 120, 20)
    assert np.mean([measure.ssim(keep, measure.edges(shown[k])) for k in some]) >= 0.40
    mixes = [measure.mix_r2(shown[k], small, measure.mel_picture(sample, k / 30, 0.1)) for k in some]
    assert np.mean(mixes) <= 0.70
    assert measure.flashes(np.stack([measure.luminance(f, 64) for f in shown]), 30) <= 3


def test_transport_reaches_the_target_distribution():
    """A Gaussian moved onto a skew, correlated cloud: mean, covariance and skewness arrive."""
    rng = np.random.default_rng(5)
    source = rng.normal(size=(2000, 3)).astype(np.float32)
    goal = (rng.exponential(size=(1500, 3)) @ np.array([[1, 0.5, 0], [0, 1, 0.3], [0, 0, 0.4]])).astype(np.float32)
    bases = directions(20)
    moved = transport(source, quantiles(goal, bases), bases)
    assert np.allclose(moved.mean(0), goal.mean(0), atol=0.05)
    assert np.allclose(np.cov(moved.T), np.cov(goal.T), atol=0.2)
    assert np.array_equal(moved, transport(source, quantiles(goal, bases), bases))


def test_oklab_known_colours_and_way_back():
    """Ottosson's own values for white and for sRGB red, to three decimals."""
    lab = oklab(np.array([[255, 255, 255], [255, 0, 0]], np.uint8))
    assert np.allclose(lab, [[1, 0, 0], [0.628, 0.225, 0.126]], atol=1e-3)
    every = np.random.default_rng(0).integers(0, 256, (500, 3), np.uint8)
    assert np.abs(srgb(oklab(every)) - every).max() < 0.6


def test_a_plate_moves_by_fractions_of_a_pixel():
    """A ramp sampled 2.25 pixels further on is higher by 2.25 steps on average."""
    ramp = np.linspace(0, 1, 64, dtype=np.float32)

    def draw(size):
        return (np.interp(np.linspace(0, 63, size[1]), np.arange(64), ramp) * 6300 + np.zeros((size[0], 1))).astype(
            np.int16
        )

    plate = Plate(draw, (64, 64), [np.ones((64, 64), np.float32)])
    inner = np.s_[10:-10, 10:-10]
    moved = plate.sample([0], [2.25])[inner].astype(float) - plate.sample([0], [0])[inner]
    assert moved.mean() == pytest.approx(225, rel=0.04)
