"""The values: known answers, every refusal with its reason, and properties over many inputs."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spectrogrand import Audio, CoverBrief, Frames, Image, Plan, Section, Spectrogram, Topic
from spectrogrand.errors import InvalidValue, PluginError
from spectrogrand.types import MAX_TOPIC, frame_count

NTSC = Fraction(30000, 1001)


def zeros(*shape, dtype=np.float32):
    return np.zeros(shape, dtype)


@pytest.mark.parametrize("seconds, fps, count", [
    (Fraction(10), Fraction(30), 300),
    (Fraction(441000, 44100), Fraction(30), 300),
    (Fraction(441001, 44100), Fraction(30), 301),  # one sample over ten seconds starts another picture
    (Fraction(3600), NTSC, 107893),  # 3600 * 30000 / 1001 = 107892.1...
    (Fraction(1001, 30000), NTSC, 1),
    (Fraction(1, 768000), Fraction(1), 1),
    (Fraction(0), Fraction(30), 1),
])  # fmt: skip
def test_frame_count_known_answers(seconds, fps, count):
    assert frame_count(seconds, fps) == count


rates = st.sampled_from(
    [Fraction(30), Fraction(25), Fraction(24000, 1001), NTSC, Fraction(60), Fraction(1), Fraction(7, 3)]
)


@given(samples=st.integers(1, 10**9), rate=st.integers(1000, 768000), fps=rates)
def test_pictures_cover_the_sound_and_end_within_one_frame(samples, rate, fps):
    seconds = Fraction(samples, rate)
    count = frame_count(seconds, fps)
    assert isinstance(count, int) and (count - 1) / fps < seconds <= count / fps


@given(st.text(max_size=700))
def test_topics_are_clean_or_refused(text):
    try:
        topic = Topic(text)
    except InvalidValue as error:
        assert not any(c.isprintable() and not c.isspace() for c in text) or "characters, at most 500" in str(error)
    else:
        assert 1 <= len(topic.text) <= MAX_TOPIC and topic.text == " ".join(topic.text.split())
        assert topic.text.isprintable() and Topic(topic.text) == topic


@pytest.mark.parametrize("text", ["", " ", "\n\t", "\x00\x1b", "\u200b"])
def test_blank_topics_are_refused_with_an_example(text):
    with pytest.raises(InvalidValue, match='the topic is empty: write a few words, topic="a futuristic spaceship"'):
        Topic(text)


def test_long_topics_are_refused_and_the_longest_is_not():
    assert len(Topic("x" * 500).text) == 500
    with pytest.raises(InvalidValue, match="the topic has 10,000 characters, at most 500 are read: shorten it"):
        Topic("x" * 10_000)


@pytest.mark.parametrize("value", [None, 3, b"sea", ["sea"]])
def test_topics_are_text(value):
    with pytest.raises(InvalidValue, match="a topic is text, got (NoneType|int|bytes|list)"):
        Topic(value)


@pytest.mark.parametrize("text", ["🚀 🌌", "../../etc/passwd", "${oc.env:HOME}", "--help", 'a, "b" = (c)', "星を見る"])
def test_odd_topics_are_kept_as_they_are(text):
    assert Topic(text).text == text


def test_control_characters_become_spaces():
    assert Topic("a\x1b[31m sea\r\nof\tlight\x00").text == "a [31m sea of light"


@pytest.mark.parametrize("samples, reason", [
    (zeros(2, 9, dtype=np.float64), r"sound is float32 \(channel, time\), got float64 \(2, 9\)"),
    (zeros(2, 9, dtype=np.int16), "got int16"), (zeros(9), r"got float32 \(9,\)"), ([[0.0]], "got list"),
    (zeros(0, 9), "1 to 8 channels"), (zeros(9, 9), "1 to 8 channels"), (zeros(2, 0), "at least one sample"),
])  # fmt: skip
def test_what_is_no_sound_is_refused(samples, reason):
    with pytest.raises(InvalidValue, match=reason):
        Audio(samples, 44100)


@pytest.mark.parametrize("rate", [0, 999, 768001, -44100, 44100.0, None, "44100", np.float32(8000)])
def test_odd_rates_are_refused(rate):
    with pytest.raises(InvalidValue, match="a sampling rate is a whole number from 1000 to 768000 Hz"):
        Audio(zeros(1, 9), rate)


@pytest.mark.parametrize("size", [1, 3, 7, 100])
@pytest.mark.parametrize("channels", [1, 2])
def test_blocks_cover_the_sound_once_in_memory_and_on_disk(tmp_path, size, channels, rng):
    samples = rng.random((channels, 20), np.float32)
    (tmp_path / "raw").write_bytes(b"head" + np.ascontiguousarray(samples.T).tobytes())
    mapped = np.memmap(tmp_path / "raw", np.float32, "r", offset=4, shape=(20, channels)).T
    for x in (samples, mapped):
        sound = Audio(x, 8000)
        blocks = list(sound.blocks(size))
        assert [b.shape[1] for b in blocks[:-1]] == [size] * (len(blocks) - 1) and blocks[-1].shape[1] <= size
        assert np.array_equal(np.concatenate(blocks, axis=1), samples)
    assert (sound.channels, sound.duration) == (channels, Fraction(20, 8000))


def test_mono_is_the_mean_of_the_channels():
    mono = Audio(np.array([[0.5, 1.0], [-0.5, 0.0]], np.float32), 8000).mono()
    assert mono.tolist() == [0.0, 0.5] and mono.dtype == np.float32


def test_a_plan_survives_json():
    import json

    plan = Plan(
        124.5, "F#", "dorian", "melodic", (0.0, 0.48), (0.0,), (Section("intro", 0.0, 1.5), Section("drop", 1.5, 3.0))
    )
    assert Plan.from_dict(json.loads(json.dumps(plan.as_dict()))) == plan


@pytest.mark.parametrize("pixels", [
    zeros(4, 4, 3), zeros(4, 4, dtype=np.uint8), zeros(4, 4, 4, dtype=np.uint8), zeros(0, 4, 3, dtype=np.uint8),
    zeros(3, 4, 4, dtype=np.uint8), [[[0, 0, 0]]], None,
])  # fmt: skip
def test_what_is_no_picture_is_refused(pixels):
    with pytest.raises(InvalidValue, match=r"a picture is uint8 \(row, column, rgb\), got "):
        Image(pixels)


def test_resizing_keeps_a_flat_colour_and_cuts_around_the_centre():
    pixels = np.zeros((20, 40, 3), np.uint8)
    pixels[:, 10:30] = (10, 200, 30)
    small = Image(pixels).resized(10, 10)
    assert (
        small.size == (10, 10) and (small.pixels[:, 3:-3] == (10, 200, 30)).all() and small.pixels[:, :, 1].min() > 180
    )
    same = Image(pixels)
    assert same.resized(20, 40) is same


@pytest.mark.parametrize("decibels", [
    zeros(4, 4, dtype=np.float64), zeros(4), zeros(0, 4), zeros(2, 2) * np.nan, zeros(2, 2) - np.inf,
])  # fmt: skip
def test_what_is_no_spectrogram_is_refused(decibels):
    with pytest.raises(InvalidValue, match=r"a mel spectrogram is finite float32 \(mel, frame\)"):
        Spectrogram(decibels, 22050, 512)


def test_a_spectrograms_columns_per_second():
    assert Spectrogram(zeros(128, 10), 22050, 512).frame_rate == pytest.approx(43.066, abs=1e-3)


def pictures(n, shape=(2, 3, 3), dtype=np.uint8):
    return lambda: (np.full(shape, k, dtype) for k in range(n))


def frames(make, count=4, fps=Fraction(10)):
    return Frames(make, (2, 3), count, fps)


def test_frames_can_be_walked_again_and_say_how_many():
    stream = frames(pictures(4))
    assert [p[0, 0, 0] for p in stream] == [p[0, 0, 0] for p in stream] == [0, 1, 2, 3]
    assert (len(stream), stream.duration) == (4, Fraction(2, 5))


@pytest.mark.parametrize("make, reason", [
    (pictures(3), "made 3 of the 4 pictures that it declared"), (pictures(5), "made more than the 4 pictures"),
    (pictures(4, (3, 2, 3)), r"frame 0 is uint8 \(3, 2, 3\), declared uint8 \(2, 3, 3\)"),
    (pictures(4, dtype=np.float32), r"frame 0 is float32"), (pictures(0), "made 0 of the 4"),
])  # fmt: skip
def test_a_source_that_breaks_its_promise_is_named(make, reason):
    with pytest.raises(PluginError, match=reason):
        list(frames(make))


def test_frames_are_made_one_at_a_time():
    endless = Frames(lambda: (np.zeros((2, 3, 3), np.uint8) for _ in itertools.count()), (2, 3), 10**9, Fraction(30))
    assert len(list(itertools.islice(endless, 5))) == 5


@pytest.mark.parametrize("fps", [30, 29.97, Fraction(0), Fraction(-1), Fraction(241), None])
def test_frames_per_second_are_a_fraction(fps):
    with pytest.raises(InvalidValue, match="frames per second is a Fraction above 0 and at most 240"):
        frames(pictures(4), fps=fps)


@pytest.mark.parametrize("size, count", [((0, 3), 4), ((2, 3), 0), ((2, -1), 4)])
def test_frames_need_a_size_and_a_count(size, count):
    with pytest.raises(InvalidValue, match="frames need a count and a size of at least 1"):
        Frames(pictures(4), size, count, Fraction(10))


def test_a_still_picture_repeats():
    stream = Frames.still(Image(np.full((2, 3, 3), 9, np.uint8)), 3, NTSC)
    assert [int(p.sum()) for p in stream] == [9 * 18] * 3 and math.isclose(stream.duration, 0.1001)


def test_the_published_prompt():
    brief = CoverBrief("a futuristic spaceship", "future", "dark blue", "surprises")
    assert brief.prompt == "dark blue colored album cover for music about a futuristic spaceship that surprises"
