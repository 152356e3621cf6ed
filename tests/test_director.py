"""The director: sections found in a song of known form, its energies in the drawn video, flashes, cuts and straight lines."""

from __future__ import annotations

import dataclasses
from fractions import Fraction

import numpy as np
import pytest

from spectrogrand import build
from spectrogrand.audio.features import analyse
from spectrogrand.engines.director.direction import direct, space_flashes
from spectrogrand.engines.director.sections import _names, find_sections
from spectrogrand.types import Audio, Image, Plan, Scene, Section

RATE, BAR = 22050, 2.0
FORM = (("intro", 8), ("drop", 8), ("break", 8), ("drop", 8))


def song(form=FORM, planned=False):
    """120 beats a minute: clicks and a faint tone; in drops a loud kick, bass and noise."""
    rng = np.random.default_rng(0)
    t = np.arange(int(sum(n for _, n in form) * BAR * RATE)) / RATE
    samples, sections, at = np.zeros(len(t)), [], 0.0
    for name, bars in form:
        here = (t >= at) & (t < at + bars * BAR)
        since = t % 0.5
        if name == "drop":
            beat = 0.6 * np.sin(2 * np.pi * 55 * since) * np.exp(-since / 0.1) + 0.1 * np.sin(2 * np.pi * 110 * t)
            samples += here * (beat + 0.1 * rng.normal(size=len(t)) * np.exp(-(t % 0.25) / 0.05))
        else:
            samples += here * (
                0.02 * np.sin(2 * np.pi * 440 * t) + 0.05 * rng.normal(size=len(t)) * np.exp(-since / 0.01)
            )
        sections.append(Section(name, at, at + bars * BAR))
        at += bars * BAR
    beats = tuple(np.arange(0, at, 0.5))
    plan = Plan(120.0, "A", "minor", "future", beats, beats[::4], tuple(sections)) if planned else None
    return Audio(samples.astype(np.float32)[None], RATE, plan)


def disc(side=96):
    y, x = np.mgrid[0:side, 0:side]
    out = np.repeat((60 + 100 * y / side)[..., None], 3, 2)
    for at, size in ((0.3, 0.1), (0.6, 0.2), (0.8, 0.07)):
        out[np.hypot(y / side - at, x / side - at) < size] = (220, 90, 200 * at)
    return Image(out.astype(np.uint8))


def motion(scene, **settings):
    return build("generators", {"name": "motion", "size": 96, "fps": "12", **settings}).generate([scene], [0])[0]


def test_sections_of_a_song_without_a_plan_are_recognised():
    heard = song()
    sections = find_sections(heard, analyse(heard))
    starts = np.array([s.start for s in sections])
    assert np.abs(starts[:, None] - np.array([0, 16, 32, 48])).min(0).max() < 0.07, starts
    assert [s.name for s in sections] == ["intro", "drop", "break", "drop"]
    assert all(a.end == b.start for a, b in zip(sections, sections[1:], strict=False))
    assert (sections[0].start, sections[-1].end) == (0, 64)


@pytest.mark.parametrize("late", [1, 2, 3])
def test_sections_begin_where_the_sound_changes_though_bars_were_found_beats_late(late):
    heard = song()
    told = analyse(heard)
    told = dataclasses.replace(told, downbeats=told.beats[late::4])
    starts = np.array([s.start for s in find_sections(heard, told)])
    assert len(starts) == 4 and np.abs(starts - np.array([0, 16, 32, 48])).max() < 0.07, starts


def test_what_is_thinner_between_two_drops_is_a_break():
    assert _names(np.array([-60.0, -40.0, -47.0, -40.0, -60.0])) == ["intro", "drop", "break", "drop", "outro"]
    assert _names(np.array([-60.0, -47.0, -40.0, -60.0, -47.0, -40.0])) == [
        "intro",
        "build",
        "drop",
        "break",
        "build",
        "drop",
    ]
    assert _names(np.array([-40.0, -40.5, -41.0])) == ["body"] * 3


@pytest.mark.parametrize("sound", [np.zeros(RATE), np.random.default_rng(0).normal(0, 0.1, 30 * RATE)])
def test_a_song_without_sections_is_one(sound):
    heard = Audio(sound.astype(np.float32)[None], RATE)
    assert [s.name for s in find_sections(heard, analyse(heard))] == ["body"]
    plan = direct(find_sections(heard, analyse(heard)), 20, 10.0)
    assert not len(plan.cuts) and (plan.energy == 1).all() and (plan.light == 1).all()


def test_drops_move_more_than_intro_and_break():
    """Mean absolute luma change, each frame's mean brightness taken out first; the frames of cuts are left out."""
    heard = song((("intro", 3), ("drop", 3), ("break", 3), ("drop", 3)), planned=True)
    grey = np.stack([f.astype(float).mean(2) for f in motion(Scene(disc(), heard))])
    grey -= grey.mean((1, 2), keepdims=True)
    change = np.abs(np.diff(grey, axis=0)).mean((1, 2))
    times = np.arange(1, len(grey)) / 12
    near_cut = np.abs(times[:, None] - np.array([6, 12, 18])).min(1) < 0.1
    drop = ((times > 6) & (times < 12) | (times > 18)) & ~near_cut
    assert change[drop].mean() >= 1.8 * change[~drop & ~near_cut].mean()
    for cut in (6, 12, 18):
        at = cut * 12 - 1
        assert change[at] == change[at - 4 : at + 5].max(), "a section begins with a new framing, in its own frame"
        assert change[at] > np.quantile(change, 0.9)


def test_never_more_than_three_flashes_in_a_second():
    events = np.cumsum(np.random.default_rng(0).uniform(0.05, 0.6, 200))
    kept = events[space_flashes(events)]
    assert (kept[3:] - kept[:-3] > 1).all() and len(kept) > 100
    assert space_flashes(np.arange(0, 10, 0.5)).all(), "120 beats a minute need no thinning"


def test_a_drawn_video_at_300_beats_a_minute_flashes_three_times_a_second_at_most():
    """A flash is a rise and fall of mean luminance by a tenth of its range, as WCAG 2.3.1 counts them."""
    t = np.arange(6 * RATE) / RATE
    beats = tuple(np.arange(0, 6, 0.2))
    plan = Plan(300.0, "A", "minor", "bass", beats, beats[::4], (Section("drop", 0.0, 6.0),))
    loud = Audio(
        (0.8 * np.sin(2 * np.pi * 60 * (t % 0.2)) * np.exp(-(t % 0.2) / 0.05)).astype(np.float32)[None], RATE, plan
    )
    white = Image(np.full((48, 48, 3), 190, np.uint8))
    made = motion(Scene(white, loud), fps="30", size=48, light=3.0, strength=2.0)
    mean = np.array([((f / 255.0) ** 2.2).mean() for f in made])
    rises = np.flatnonzero(np.diff(mean) > 0.1)
    assert made.fps == Fraction(30)
    assert all(((rises >= k) & (rises < k + 30)).sum() <= 3 for k in rises)


def test_straight_lines_stay_straight():
    """A bright mast over an even ground under the loudest bass: its centre leaves a straight line by under half a pixel."""
    side = 256
    pixels = np.full((side, side, 3), 60, np.uint8)
    pixels[20:236, 124:132] = 230
    t = np.arange(3 * RATE) / RATE
    loud = Audio((0.8 * np.sin(2 * np.pi * 60 * t)).astype(np.float32)[None], RATE)
    made = motion(Scene(Image(pixels), loud), size=side, dust=0, light=0, accents=0, displacement=1.0)
    worst = 0.0
    for frame in made:
        line = np.clip(frame[60:200].astype(float).mean(2) - 100, 0, None)
        rows = np.flatnonzero(line.sum(1) > 0)
        centre = (line[rows] * np.arange(side)).sum(1) / line[rows].sum(1)
        fit = np.polyval(np.polyfit(rows, centre, 1), rows)
        worst = max(worst, float(np.abs(centre - fit).max()))
    assert worst < 0.5, worst
