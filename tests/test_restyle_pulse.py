"""The pulse of a stream of pictures: beats of a kick under louder-looking off-beats, and things that leap on the beat."""

from __future__ import annotations

import dataclasses
from fractions import Fraction

import numpy as np
import pytest

from spectrogrand import Audio, Image, Topic, build
from spectrogrand.audio.features import analyse
from spectrogrand.audio.pictures import SongPictures, draw_spectrogram
from spectrogrand.audio.rhythm.accents import accents_of
from spectrogrand.engines.restyle.moving_canvas import _Reel
from spectrogrand.engines.restyle.pulse import Moment, moments
from spectrogrand.engines.restyle.still_canvas import StillCanvas
from spectrogrand.image.ramp import colour_ramp
from spectrogrand.types import Frames, Section

FPS = Fraction(30)


@pytest.fixture(scope="module")
def song():
    """A house song with its true beats: bass between the kicks, which in decibels rises more than they do."""
    synth = build("generators", {"name": "house_synth", "genre": "progressive", "duration": 14.0})
    return synth.generate([Topic("mountain sunrise")], [7])[0]


def unlabelled(frames):
    """The pictures alone, from which beats have to be read."""
    return Frames(frames.make, frames.size, frames.count, frames.fps)


def shown_beats(stream):
    found = [(k + 1) / 30 - m.beat for k, m in enumerate(moments(stream, 0.5)) if m.beat <= 1 / 30 + 1e-9]
    return np.array(found)


@pytest.fixture(scope="module")
def pictures(song):
    return draw_spectrogram(song, fps=FPS, size=(128, 128), seconds=2.0)


def test_beats_read_from_pictures_are_those_of_the_kick(song, pictures):
    """In decibels the off-beats rise more; in magnitudes, by which pulses are found, the kick does."""
    found = shown_beats(unlabelled(pictures))
    away = np.abs(found[:, None] - np.array(song.plan.beats))
    assert (away.min(1) < 0.07).mean() > 0.9 and (away.min(0) < 0.07).mean() > 0.9


def test_pictures_of_a_song_bring_its_beats(pictures):
    assert isinstance(pictures, SongPictures)
    found = shown_beats(pictures)
    beats = np.array(analyse(pictures.song).beats)
    beats = beats[beats < pictures.count / 30]
    assert len(found) == len(beats) and np.allclose(found, beats, atol=1e-6)
    every = list(moments(pictures, 0.5))
    period = np.diff(beats).mean()
    assert np.allclose([m.gap for m in every[60:300]], period, atol=0.03), "and how far it is to the next"


def test_accents_of_other_magnitudes_are_those_of_the_sound():
    """Bursts in low bands on every half second, in high ones between: each group has its own, the silent one none."""
    frames = np.arange(345)
    seen = np.zeros((3, len(frames)))
    seen[0] = np.exp(-(frames / 86.13 % 0.5) / 0.06)
    seen[2] = np.exp(-((frames / 86.13 + 0.25) % 0.5) / 0.03)
    low, middle, high = accents_of(seen, 86.13, (1, 2))
    assert middle.max() == 0
    assert low.argmax() % 43 <= 2 or low.argmax() % 43 >= 41
    assert abs(high.argmax() % 43 - 21.5) <= 3


def test_a_leap_begins_and_ends_on_the_beat():
    none = np.zeros(1)
    ahead = [Moment(none, none, none, x, x, 1.0, 0.5).leap(0.25) for x in np.linspace(0, 0.5, 26)]
    assert ahead[0] == ahead[-1] == 0
    speed = np.diff(ahead)
    assert (np.diff(speed) < 0).all(), "fastest on the beat, and ever slower"
    assert speed.min() > -0.02, "never backwards: time itself goes on by a fiftieth of a second a step"
    assert Moment(none, none, none, 0.2, 0.2, 1.0, 0.0).leap(0.25) == 0
    assert Moment(none, none, none, np.inf, np.inf, 1.0, 0.5).leap(0.25) == 0


def test_a_reel_lies_between_frames_and_never_turns_back():
    read = []

    def make():
        for k in range(5):
            read.append(k)
            yield np.full((2, 2, 3), 40 * k, np.uint8)

    reel = _Reel(Frames(make, (2, 2), 5, FPS))
    assert reel.at(0.0)[0][0, 0] == 0
    assert reel.at(1.5)[0][0, 0] == 60
    assert reel.at(1.0)[0][0, 0] == 60, "what was shown is not undone"
    assert reel.at(3.25)[0][0, 0] == 130
    assert reel.at(9.0)[0][0, 0] == 160
    assert read == [0, 1, 2, 3, 4], "each frame is made once"


@pytest.mark.parametrize("which", ["content", "style"])
def test_redrawn_videos_move_on_the_beat_and_little_between(which, song, pictures):
    """Peaks of the change of luma above its median, mean brightness taken out, against the beats: F1 within 70 ms."""
    y, x = np.mgrid[0:128, 0:128] / 128
    cover = np.stack([60 + 120 * y, 40 + 60 * x, 150 - 80 * y], 2).astype(np.uint8)
    cover[np.hypot(y - 0.4, x - 0.6) < 0.2] = (230, 190, 60)
    pair = (Image(cover), pictures) if which == "content" else (pictures, Image(cover))
    grey = np.stack([f.mean(2) for f in build("stylizers", "sliced_transport").stylize(*pair)])
    change = np.abs(np.diff(grey - grey.mean((1, 2), keepdims=True), axis=0)).mean((1, 2))
    inner = change[1:-1]
    peak = (inner >= change[:-2]) & (inner > change[2:]) & (inner > np.median(change))
    times = (np.flatnonzero(peak) + 2) / 30
    beats = np.array([b for b in song.plan.beats if 0.2 < b < len(grey) / 30 - 0.2])
    away = np.abs(times[:, None] - beats)
    precision, recall = (away.min(1) <= 0.07).mean(), (away.min(0) <= 0.07).mean()
    assert 2 * precision * recall / (precision + recall) >= 0.7, (precision, recall)


def test_content_and_style_follow_the_sections(song):
    """A planned song's intro and break move less than its drop, in the two redrawn videos too; a break is darker."""
    sections = (Section("intro", 0, 4), Section("drop", 4, 8), Section("break", 8, 11), Section("drop", 11, 14))
    told = Audio(song.samples, song.rate, dataclasses.replace(song.plan, sections=sections))
    stream = draw_spectrogram(told, fps=FPS, size=(96, 96), seconds=2.0)
    y, x = np.mgrid[0:96, 0:96] / 96
    cover = Image(np.stack([60 + 120 * y, 40 + 60 * x, 150 - 80 * y], 2).astype(np.uint8))
    for pair, ratio in (((cover, stream), 1.8), ((stream, cover), 1.25)):
        grey = np.stack([f.mean(2) for f in build("stylizers", "sliced_transport").stylize(*pair)])
        change = np.abs(np.diff(grey - grey.mean((1, 2), keepdims=True), axis=0)).mean((1, 2))
        calm = np.r_[change[15:118], change[250:328]].mean()
        assert np.r_[change[122:238], change[332:410]].mean() >= ratio * calm
        assert grey[260:320].mean() < 0.95 * grey[140:230].mean()


def test_letters_and_lines_are_not_bent_by_the_waves():
    """A grid of lines: what of the content moves as a wave is nearly nothing on it, and much in the plain half."""
    cover = np.full((128, 128, 3), 120, np.uint8)
    cover[:, :64:8] = cover[::8, :64] = 250
    settings = {"strength": 1, "light": 1, "displacement": 8, "now": 0.5, "solve": 32}
    canvas = StillCanvas(Image(cover), Image(cover), settings)
    for wave in canvas._ways()[2:]:
        assert np.abs(wave[10:-10, 10:30]).max() < 0.1 * np.abs(wave[10:-10, 60:-12]).max()


def test_a_quiet_intro_under_a_dark_cover_can_be_seen(song):
    """Nothing but a faint tone, drawn in the colours of a nearly black picture: mean luma stays above a tenth."""
    t = np.arange(4 * 22050) / 22050
    faint = (0.002 * np.sin(2 * np.pi * 440 * t) + 0.5 * (t > 3.9) * np.sin(2 * np.pi * 90 * t)).astype(np.float32)
    quiet = Audio(
        faint[None], 22050, dataclasses.replace(song.plan, sections=(Section("intro", 0, 2), Section("drop", 2, 4)))
    )
    dark = np.zeros((96, 96, 3), np.uint8)
    dark[30:50, 30:60], dark[..., 2] = (60, 110, 160), 40
    look = {"seconds": 2.0, "colormap": colour_ramp(dark), "edges": "mirror"}
    stream = draw_spectrogram(quiet, fps=Fraction(10), size=(96, 96), **look)
    first = next(iter(build("stylizers", "sliced_transport").stylize(stream, Image(dark))))
    assert first.mean() > 25
