"""motion: the contract, count and size, the beat seen in the picture, calm in silence, and the loop's seam."""

from __future__ import annotations

import tracemalloc
from fractions import Fraction

import numpy as np
import pytest

from spectrogrand import build
from spectrogrand.engines.motion.choreography import envelope
from spectrogrand.errors import InvalidValue
from spectrogrand.image.focus import depth, focus_of, guided
from spectrogrand.testing import check_generator
from spectrogrand.types import Audio, Image, Plan, Scene, Section, frame_count

RATE = 22050


def cover(rows=96, columns=96, seed=0):
    """Discs of different colours on a slope of grey."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:rows, 0:columns]
    out = np.repeat((60 + 100 * y / rows)[..., None], 3, 2)
    for _ in range(10):
        disc = np.hypot(y / rows - rng.uniform(), x / columns - rng.uniform()) < rng.uniform(0.05, 0.15)
        out[disc] = rng.integers(0, 256, 3)
    return Image(out.astype(np.uint8))


def clicks(seconds=10.0, tempo=120.0, plan=None):
    """Decaying noise bursts, one a beat."""
    samples = np.zeros(int(seconds * RATE), np.float32)
    burst = np.random.default_rng(0).normal(0, 0.3, 2000) * np.exp(-np.arange(2000) / 300)
    for beat in np.arange(0, seconds - 0.1, 60 / tempo):
        at = int(beat * RATE)
        samples[at : at + 2000] += burst[: len(samples) - at].astype(np.float32)
    return Audio(samples[None], RATE, plan)


def frames(scene, **settings):
    return build("generators", {"name": "motion", "size": 96, **settings}).generate([scene], [0])[0]


def changes(made):
    """Mean absolute change of brightness from frame to frame, each frame's own mean removed first, shape=(frame,)."""
    grey = np.stack([f.astype(float).mean(2) for f in made])
    grey -= grey.mean((1, 2), keepdims=True)
    return np.r_[0, np.abs(np.diff(grey, axis=0)).mean((1, 2))]


def test_contract():
    scenes = [Scene(cover(), clicks(1.0)), Scene(cover(40, 60, 1), clicks(0.7, 150))]
    check_generator(lambda: build("generators", {"name": "motion", "size": [33, 47]}), scenes)


@pytest.mark.parametrize("fps", ["30", "30000/1001", 25, 12.5])
def test_count_fps_and_size(fps):
    song = clicks(1.234)
    made = frames(Scene(cover(50, 80), song), fps=fps, size=[30, 44])
    assert made.fps == Fraction(str(fps))
    assert (len(made), made.size) == (frame_count(song.duration, made.fps), (30, 44))
    assert [f.shape for f in made] == [(30, 44, 3)] * len(made)


def test_clicks_at_120_are_seen_as_events():
    """F1 of the change's peaks above its median against the clicks, 70 ms, as the field measures synchrony."""
    mir_eval = pytest.importorskip("mir_eval")
    change = changes(frames(Scene(cover(), clicks())))
    inner = range(1, len(change) - 1)
    peaks = [i for i in inner if change[i - 1] <= change[i] > change[i + 1] and change[i] > np.median(change)]
    beats = np.arange(0, 9.9, 0.5)
    assert mir_eval.onset.f_measure(beats, np.array(peaks) / 30, window=0.07)[0] >= 0.8
    moved = mir_eval.onset.f_measure(beats + 0.25, np.array(peaks) / 30, window=0.07)[0]
    assert moved <= 0.4, "off the beat, there is nothing to see"


def test_silence_is_calm_and_finite():
    silent = Scene(cover(), Audio(np.zeros((1, 3 * RATE), np.float32), RATE))
    quiet = changes(frames(silent))
    assert np.isfinite(quiet).all() and quiet.max() < 3
    assert quiet.max() < 0.25 * changes(frames(Scene(cover(), clicks(3.0)))).max()


def test_a_loop_has_no_seam():
    """From the last frame to the first, the picture changes as little as between its neighbours."""
    beats = tuple(np.arange(0, 8, 0.5))
    plan = Plan(120.0, "A", "minor", "future", beats, beats[::4], (Section("drop", 0.0, 8.0),))
    scene = Scene(cover(), clicks(8.0, plan=plan))
    made = [f.astype(float) for f in frames(scene, loop=True, light=0, zoom=0, dust=0)]
    around = [np.abs(b - a).mean() for a, b in zip(made, made[1:] + made[:1], strict=True)]
    at_beats = [around[int(b * 30) - 1] for b in beats[1:]]
    assert around[-1] <= 1.5 * max(at_beats)
    open_end = [f.astype(float) for f in frames(scene, loop=False, light=0, zoom=0, dust=0)]
    assert np.abs(open_end[0] - open_end[-1]).mean() > 1.5 * around[-1], "without loop, there is a seam to see"


def test_strength_zero_is_still():
    change = changes(frames(Scene(cover(), clicks(2.0)), strength=0.0))
    assert change.max() < 0.2


def test_seeds_set_out_elsewhere_and_covers_fill_the_frame():
    scene = Scene(cover(60, 120), clicks(1.0))
    motion = build("generators", {"name": "motion", "size": 64})
    first, second = (next(iter(f)) for f in motion.generate([scene, scene], [0, 1]))
    assert np.abs(first.astype(int) - second).mean() > 1
    assert first.min(axis=(1, 2)).max() > 0, "no empty rows"


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (23, 5)])
def test_any_cover_and_frame_size(size):
    for made in (
        frames(Scene(cover(*size), clicks(0.2)), size=32),
        frames(Scene(cover(), clicks(0.2)), size=list(size)),
    ):
        assert len(list(made)) == 6


def test_memory_stays_flat():
    walk = iter(frames(Scene(cover(), clicks(20.0))))
    for _ in range(20):
        next(walk)
    tracemalloc.start()
    try:
        next(walk)
        early = tracemalloc.get_traced_memory()[0]
        for _ in range(200):
            next(walk)
        assert tracemalloc.get_traced_memory()[0] - early < 1e6
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "settings, text",
    [
        ({"fps": "0"}, "fps above 0"),
        ({"fps": "fast"}, "got 'fast'"),
        ({"size": 0}, "from 1 to 8192"),
        ({"size": [10]}, r"\[rows, columns\]"),
        ({"light": 9}, "light from 0 to 3, got 9"),
    ],
)
def test_settings_out_of_range_are_named(settings, text):
    with pytest.raises(InvalidValue, match=text):
        frames(Scene(cover(), clicks(0.2)), **settings)


def test_envelope_jumps_fades_and_wraps():
    once = envelope(np.array([0.95]), np.ones(1), 10, 10.0, 0.1, False)
    assert once[9] == 1 and once[:9].max() == 0
    looped = envelope(np.array([0.95]), np.ones(1), 10, 10.0, 0.1, True)
    assert looped[0] == pytest.approx(np.exp(-1)) and looped[9] == 1


def test_focus_and_depth_find_what_stands_out():
    plain = np.full((90, 90, 3), 90, np.uint8)
    assert focus_of(plain) == (0.5, 0.5)
    plain[20:40, 60:80] = (250, 40, 20)
    row, column = focus_of(plain)
    assert 0.25 < row < 0.45 and 0.65 < column < 0.8
    near = depth(plain, 48)
    assert near[13:19, 34:40].mean() > near[10:20, 4:14].mean() + 0.2


def test_guided_filter_keeps_the_guides_edge():
    guide = np.zeros((40, 40), np.float32)
    guide[:, 20:] = 1
    noisy = guide + np.random.default_rng(0).normal(0, 0.2, guide.shape).astype(np.float32)
    out = guided(noisy, guide, 6)
    assert out[:, 21:].mean() - out[:, :19].mean() > 0.9
    assert out[:, 25:].std() < 0.1
