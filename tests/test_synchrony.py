"""Synchrony: known answers, published figures, other people's implementations, chance, and pictures that tell nothing."""

from fractions import Fraction

import numpy as np
import pytest

from spectrogrand.audio.features import analyse
from spectrogrand.audio.onsets import FINE_RATE, onset_curve, onsets, strong_beats
from spectrogrand.errors import InvalidValue
from spectrogrand.media import load_audio, load_video, save_video
from spectrogrand.metrics.nulls import interval, pieces, shifted, shuffled, shuffled_curve
from spectrogrand.metrics.synchrony import av_align, beat_hits, consistency, hits, measure, warped
from spectrogrand.metrics.visual_events import Changes, visual_events, watch
from spectrogrand.types import Audio, Frames, Image

RATE, FPS, SECONDS, TEMPO = 44100, 30, 12, 120
BEATS = np.arange(0.3, SECONDS - 0.1, 60 / TEMPO)

# the published notebook's own printout for a song of 30 s: strong beats, visual events and "Rhythm Consistency"
PUBLISHED_BEATS = [
    4.2492517, 4.69043084, 7.84834467, 8.31274376, 9.65950113, 11.4706576, 11.91183673, 13.7229932, 15.06975057, 15.53414966,
    16.88090703, 19.13324263, 20.48, 20.94439909, 22.29115646, 25.89024943, 26.35464853, 27.7014059, 29.9537415,
]  # fmt: skip
PUBLISHED_EVENTS = [
    6.0, 7.8, 9.6, 11.43333333, 13.23333333, 15.03333333, 16.66666667, 17.76666667, 19.13333333, 20.46666667, 22.26666667,
    24.06666667, 25.86666667, 27.66666667, 29.46666667,
]  # fmt: skip
PUBLISHED_CONSISTENCY = 0.6851960366503302


def kicks(seconds=SECONDS, beats=BEATS):
    samples = np.zeros(int(seconds * RATE), np.float32)
    at = np.arange(int(0.08 * RATE)) / RATE
    kick = np.sin(2 * np.pi * 80 * at) * np.exp(-at / 0.02)
    for beat in beats:
        first = round(beat * RATE)
        samples[first : first + len(kick)] += (0.8 * kick)[: len(samples) - first]
    return Audio(samples[None], RATE)


def flashes(times, seconds=SECONDS, fps=FPS, size=(64, 64), fade=0.1, seed=3):
    """A rough picture that lights up in the frame nearest to each time and fades."""
    rough = np.random.default_rng(seed).random((8, 8, 1)).repeat(size[0] // 8, 0).repeat(size[1] // 8, 1)
    count = int(seconds * fps)
    light = np.full(count, 0.25)
    for time in times:
        first = round(time * fps)
        tail = 0.25 + 0.75 * np.exp(-np.arange(count) / (fade * fps))
        light[max(first, 0) :] = np.maximum(light[max(first, 0) :], tail[: count - max(first, 0)])
    draw = lambda: ((rough.repeat(3, 2) * 255 * v).astype(np.uint8) for v in light)  # noqa: E731
    return Frames(draw, size, count, Fraction(fps))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A function (delay in seconds) -> measures of a written and read video of flashes that late; each is made once."""
    folder, kept = tmp_path_factory.mktemp("flashes"), {}

    def get(delay):
        if delay not in kept:
            path = folder / f"{len(kept)}.mp4"
            save_video(path, flashes(BEATS + delay), kicks())
            kept[delay] = measure(load_video(path), load_audio(path), draws=60)
        return kept[delay]

    return get


def test_flashes_on_the_beat_score_full_marks(made):
    found = made(0.0)
    assert found["beat_f1"].value >= 0.98
    assert found["consistency"].value > 0.99
    assert abs(found["lag"].value) <= 1 / FPS
    for name, one in found.items():
        if name == "av_align":  # fading light is motion of its own: see the jumps below
            continue
        assert one.low - 1e-9 <= one.value <= one.high + 1e-9 or name == "lag"
        assert one.p_shuffled <= 0.02
    assert abs(found["lag"].low) <= 1 / FPS and abs(found["lag"].high) <= 1 / FPS


def test_a_picture_that_jumps_on_every_click_is_aligned():
    beats = np.arange(0.3, 8, 0.5)
    steps = np.searchsorted(np.round(beats * FPS), np.arange(8 * FPS), side="right")
    soft = np.random.default_rng(4).random((16, 16)).repeat(8, 0).repeat(8, 1)[..., None].repeat(3, 2) * 255
    draw = lambda: (np.roll(soft, 4 * k, 1).astype(np.uint8) for k in steps)  # noqa: E731
    clicks = np.zeros((1, 8 * RATE), np.float32)
    clicks[0, np.round(beats * RATE).astype(int)] = 0.9
    found = measure(Frames(draw, (128, 128), 8 * FPS, Fraction(FPS)), Audio(clicks, RATE), draws=40)
    assert found["av_align"].value > 0.9
    assert found["av_align"].low > found["av_align"].shuffled and found["av_align"].p_shuffled < 0.05


@pytest.mark.parametrize("delay", [0.1, -0.1, 0.2])
def test_the_lag_of_late_pictures_is_found_within_a_frame(made, delay):
    found = made(delay)
    for time in (found["lag"].value, found["lag"].low, found["lag"].high):
        assert abs(time - delay) <= 1 / FPS
    assert found["beat_f1"].value < 0.1


def test_shuffled_sound_falls_to_chance(made, rng):
    """The sound itself is cut up and analysed again: a tracker may find a new steady grid, so the mean of several counts."""
    samples, events = kicks().samples, visual_events(watch(flashes(BEATS)))
    scores = []
    for _ in range(8):
        cuts, order = pieces(SECONDS, rng)
        at = np.round(cuts * RATE).astype(int)
        mixed = np.concatenate([samples[:, at[k] : at[k + 1]] for k in order], axis=1)
        scores.append(beat_hits(analyse(Audio(mixed, RATE)).beats, events)[0])
    chance = made(0.0)["beat_f1"].shuffled
    assert abs(np.mean(scores) - chance) < 0.15
    assert made(0.0)["beat_f1"].value - np.mean(scores) > 0.5


def test_chance_of_a_random_beat_is_the_share_of_time_that_its_windows_cover(made):
    """Windows of +-70 ms at 120 beats per minute cover 28 % of the time."""
    one = made(0.0)["beat_recall"]
    assert abs(one.shifted - 0.28) < 0.1 and abs(one.shuffled - 0.28) < 0.1


def test_neither_size_nor_rate_of_pictures_matters():
    found = [
        watch(flashes(BEATS, size=size, fps=fps)) for size, fps in (((64, 64), 30), ((256, 128), 30), ((64, 64), 60))
    ]
    events = [visual_events(c) for c in found]
    assert np.array_equal(events[0], events[1])
    assert np.allclose(found[0].change, found[1].change, atol=0.01)
    assert len(events[2]) == len(BEATS) and np.abs(events[2] - events[0]).max() <= 1 / 30
    dim = Changes(0.1 * found[0].change, found[0].motion, found[0].fps)
    assert np.array_equal(visual_events(dim), events[0])


def test_the_same_seed_gives_the_same_numbers():
    frames, audio = flashes(BEATS[:8], seconds=5), kicks(5, BEATS[:8])
    once, again, other = (measure(frames, audio, draws=20, seed=s) for s in (1, 1, 2))
    assert once == again
    assert once["beat_f1"].value == other["beat_f1"].value and once != other


def test_published_consistency_to_its_last_printed_digit():
    assert abs(consistency(np.array(PUBLISHED_BEATS), np.array(PUBLISHED_EVENTS)) - PUBLISHED_CONSISTENCY) < 1e-8


def test_warping_is_librosas_and_the_plain_recursion(rng):
    import librosa

    for n, m in ((1, 1), (1, 7), (9, 2), (40, 55), (80, 80)):
        a, b = np.sort(rng.uniform(0, 30, n)), np.sort(rng.uniform(0, 30, m))
        distance, length, costs = warped(a, b, path=True)
        total, _ = librosa.sequence.dtw(a[None], b[None])
        assert np.isclose(distance, total[-1, -1])
        assert (distance, length) == pytest.approx(recursion(a, b))
        assert len(costs) == length and np.isclose(costs.sum(), distance)


def recursion(a, b):
    """As fastdtw's inner loop is written: the first of up, left, diagonal among equals."""
    best = {(0, 0): (0.0, 0)}
    for i in range(1, len(a) + 1):
        for j in range(1, len(b) + 1):
            ways = [best.get(w, (np.inf, 0)) for w in ((i - 1, j), (i, j - 1), (i - 1, j - 1))]
            total, steps = min(ways, key=lambda w: w[0])
            best[i, j] = (total + abs(a[i - 1] - b[j - 1]), steps + 1)
    return best[len(a), len(b)]


def test_hits_are_mir_evals(rng):
    import mir_eval

    for _ in range(50):
        beats, events = (np.sort(rng.uniform(0, 10, rng.integers(1, 60))) for _ in range(2))
        mine = beat_hits(beats, events, 0.07)
        theirs = mir_eval.onset.f_measure(beats, events, window=0.07)
        assert mine == pytest.approx(theirs)
        assert len(hits(beats, events, 0.07)) == len(mir_eval.util.match_events(beats, events, 0.07))


def test_onsets_are_librosas(shared):
    import librosa

    song = load_audio(shared / "data/audio/loop_breakbeat.flac")
    features = analyse(song)
    theirs = librosa.onset.onset_detect(onset_envelope=features.onset_strength, sr=22050, hop_length=512, units="time")
    assert len(theirs) > 5 and np.allclose(onsets(features), theirs)


def test_av_align_stays_below_one():
    """Three onsets around one peak: the published code counts three of them and gives 3 / (3 + 1 - 3)."""
    sounds = np.array([1.0, 1.01, 1.02])
    assert av_align(sounds, np.array([1.01]), 30.0) == pytest.approx(1 / 3)
    assert av_align(sounds, sounds, 30.0) == 1.0
    assert av_align(np.zeros(0), np.zeros(0), 30.0) == 0.0


@pytest.mark.parametrize("time", [0.5, 0.503, 1.0])
def test_a_kick_is_dated_within_six_milliseconds(time):
    curve = onset_curve(kicks(1.5, [time]))
    assert abs(curve.argmax() / FINE_RATE - time) < 0.0065


def test_a_long_sound_is_read_without_seams(rng):
    audio = Audio((0.1 * rng.normal(size=(1, 30 * 22050))).astype(np.float32), 22050)
    curve = onset_curve(audio)
    later = onset_curve(Audio(audio.samples[:, 128 * 1000 :], 22050))
    assert np.allclose(curve[1010:5000], later[10:4000], atol=1e-5)


def test_pictures_are_looked_at_once_and_never_kept():
    alive, most = [], []

    def draw():
        import weakref

        for k in range(60):
            picture = np.full((64, 64, 3), 4 * k, np.uint8)
            alive.append(weakref.ref(picture))
            yield picture
            most.append(sum(ref() is not None for ref in alive))

    watch(Frames(draw, (64, 64), 60, Fraction(30)))
    assert len(alive) == 60 and max(most) <= 3


def still(seconds=5):
    grey = Image(np.full((32, 32, 3), 90, np.uint8))
    return Frames.still(grey, seconds * FPS, Fraction(FPS))


@pytest.mark.parametrize("sound", ["silence", "click", "10 ms", "kicks"])
@pytest.mark.parametrize("pictures", [still(), flashes(BEATS[:9], seconds=5)], ids=["still", "flashes"])
def test_pictures_or_sound_that_tell_nothing_give_nothing(sound, pictures):
    samples = {"silence": np.zeros(5 * RATE), "click": np.eye(1, 5 * RATE, RATE)[0], "10 ms": np.ones(RATE // 100)}
    audio = kicks(5, BEATS[:9]) if sound == "kicks" else Audio(samples[sound][None].astype(np.float32), RATE)
    found = measure(pictures, audio, draws=5)
    for name, one in found.items():
        assert np.isfinite(one.value) or name == "lag"
        assert 0 < one.p_shifted <= 1 and 0 < one.p_shuffled <= 1
    if sound == "silence" or pictures.count == still().count and not watch(pictures).change.any():
        assert found["beat_f1"].value == 0 and found["consistency"].value == 0 and np.isnan(found["lag"].value)


def test_a_codecs_noise_is_no_event(rng):
    noise = Changes(np.abs(rng.normal(0, 0.0003, 300)), np.zeros(300), Fraction(30))
    assert len(visual_events(noise)) == 0


def test_strong_beats_are_a_share_of_the_strongest():
    features = analyse(kicks())
    every = strong_beats(features, 0.0)
    assert np.array_equal(every, features.beats)
    assert len(strong_beats(features, 1.0)) <= len(strong_beats(features, 0.5)) <= len(every)
    assert len(strong_beats(analyse(Audio(np.zeros((1, RATE), np.float32), RATE)))) == 0


def test_shifts_and_shuffles_keep_what_they_should(rng):
    times = np.arange(0, 10, 0.5)
    moved, mixed = shifted(times, 10.0, rng), shuffled(times, 10.0, rng)
    assert np.allclose(np.diff(moved), 0.5)
    assert len(mixed) == len(times) and (mixed >= 0).all() and (mixed < 10).all() and (np.diff(mixed) > 0).all()
    assert np.ptp(np.diff(mixed)) > 0.1


def test_times_and_curves_are_shuffled_alike():
    times = np.arange(0.05, 20, 0.25)
    curve = np.zeros(20000)
    curve[np.round(times * 1000).astype(int)] = 1
    mixed = shuffled(times, 20.0, np.random.default_rng(7))
    places = np.flatnonzero(shuffled_curve(curve, 1000.0, np.random.default_rng(7))) / 1000
    assert len(places) == len(mixed) and np.abs(places - mixed).max() < 0.02
    assert np.abs(places - times).max() > 0.15


def test_no_interval_leaves_its_range():
    """Events just before a beat that begins a stretch of resampling count in that beat's stretch."""
    beats = np.arange(0.5, SECONDS - 0.1, 0.5)
    found = measure(flashes(beats - 0.05), kicks(beats=beats), draws=2)
    assert found["beat_f1"].value > 0.9
    for name, one in found.items():
        assert name == "lag" or 0 <= one.low <= one.high <= 1


def test_a_flash_of_one_frame_is_one_event_at_its_first_frame():
    change = np.zeros(90)
    for k in (10, 30, 50, 70):
        change[k : k + 2] = 0.5, 0.51  # a codec makes the way back a little larger
    assert np.array_equal(visual_events(Changes(change, change, Fraction(30))) * 30, [10, 30, 50, 70])


@pytest.mark.parametrize("stretches", [3, 5, 10])
def test_the_interval_covers_as_often_as_it_says(rng, stretches):
    """Hits of a varying number of beats a stretch, 60 % of them right: the ratio is biased a little, and not normal."""
    inside = 0
    for _ in range(2000):
        beats = rng.poisson(4, stretches) + 1
        counts = np.stack([rng.binomial(beats, 0.6), beats], axis=1).astype(float)
        low, high = interval(counts, lambda c: c[:, 0] / c[:, 1])
        inside += low <= 0.6 <= high
    assert 0.93 <= inside / 2000 <= 0.97


@pytest.mark.parametrize("wrong", [
    {"draws": 0}, {"window": 0}, {"beat_threshold": 1.5}, {"event_threshold": 1.0}, {"max_lag": -1},
])  # fmt: skip
def test_settings_out_of_range_are_named(wrong):
    with pytest.raises(InvalidValue, match=next(iter(wrong))):
        measure(still(), kicks(5, BEATS[:9]), **wrong)
