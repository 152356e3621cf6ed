"""Gates and scorers over sounds and pictures that nobody made on purpose: a number, a reason, or one of our errors."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spectrogrand import Audio, Image, build
from spectrogrand.errors import SpectrograndError

SONG_GATES = ("silence", "too_quiet", "noise", "clipping", "one_bar_loop", "tone", "near_copy", "drowned", "shuffled", "speech",
              "single_sound", "random_notes")  # fmt: skip
SONG_SCORERS = ("dance_appeal", "typicality", "wundt", "novelty_knn", "novelty", "danceability", "groove")
COVER_GATES = ("blank_picture", "noise_picture", "damaged_picture", "text_page")
COVER_SCORERS = (
    "aesthetics",
    "cover_surprise",
    "cover_typicality",
    "cover_novelty_knn",
    "cover_wundt",
    "finish",
    "topic_fit",
)
FEW = settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
RATES = (8000, 11025, 22050, 44100)


@st.composite
def sounds(draw):
    """Some of: nothing, a tone, a click, noise, a bell, a step, full scale; any length to 3 s; loud or hardly there."""
    rate = draw(st.sampled_from(RATES))
    n = draw(st.one_of(st.integers(1, 40), st.integers(41, 3 * rate)))
    channels = draw(st.integers(1, 2))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    t = np.arange(n) / rate
    x = np.zeros(n)
    for kind in draw(st.lists(st.sampled_from("tone click noise bell step ends".split()), max_size=3)):
        x = (
            x
            + {
                "tone": lambda: np.sin(2 * np.pi * rng.uniform(20, rate / 2) * t),
                "click": lambda: np.eye(1, n, int(rng.integers(n)))[0],
                "noise": lambda: rng.normal(size=n),
                "bell": lambda: np.sin(2 * np.pi * 660 * t) * np.exp(-t * 9),
                "step": lambda: (t > t[-1] / 2).astype(float),
                "ends": lambda: np.sign(rng.normal(size=n)),
            }[kind]()
        )
    gain = draw(st.sampled_from((1e-6, 1e-3, 0.3, 1.0)))
    return Audio(np.repeat((gain * x).astype(np.float32)[None], channels, axis=0), rate)


@st.composite
def pictures(draw):
    """From 1 x 1 to 90 x 70: one colour, two, noise, a ramp, stripes."""
    rows, columns = draw(st.integers(1, 90)), draw(st.integers(1, 70))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    y, x = np.mgrid[:rows, :columns]
    made = {
        "flat": np.full((rows, columns, 3), rng.integers(256)),
        "halves": np.where((x < columns / 2)[..., None], rng.integers(256), rng.integers(0, 256, 3)),
        "noise": rng.integers(0, 256, (rows, columns, 3)),
        "ramp": np.stack([(x + y) % 256] * 3, axis=2),
        "stripes": np.repeat((255 * (x % 2))[..., None], 3, axis=2),
    }[draw(st.sampled_from("flat halves noise ramp stripes".split()))]
    notes = draw(st.sampled_from((None, {}, {"shown": [{"shape": "tree", "box": [0, 0, 1, 2]}], "missed": ["sea"]})))
    return Image(made.astype(np.uint8), notes)


def answers(kind, name, item):
    """What a gate says or a scorer gives; our errors are an answer, in one line."""
    part = build(kind, name)
    try:
        (told,) = part.check([item]) if kind == "gates" else part.score([item])
    except SpectrograndError as error:
        assert "\n" not in str(error)
        return
    if kind == "gates":
        assert told is None or (isinstance(told, str) and told and "\n" not in told)
    else:
        assert isinstance(float(told), float) and not np.isinf(told)


@FEW
@given(sound=sounds())
def test_every_sound_gets_an_answer(sound):
    for name in SONG_GATES:
        answers("gates", name, sound)
    for name in SONG_SCORERS:
        answers("scorers", name, sound)


@FEW
@given(picture=pictures())
def test_every_picture_gets_an_answer(picture):
    for name in COVER_GATES:
        answers("gates", name, picture)
    for name in COVER_SCORERS:
        answers("scorers", name, picture)


@pytest.mark.parametrize("depth", [55.0, 90.0])
def test_a_song_most_of_which_is_far_below_its_loudest_bar_gets_an_answer(depth):
    """The median bar lies `depth` dB under the loudest."""
    rate = 11025
    t = np.arange(12 * rate) / rate
    bars = np.sin(2 * np.pi * 110 * t) * np.exp(-(t % 0.5) * 8) * np.where(t < 2, 1, 10 ** (-depth / 20))
    for name in SONG_GATES:
        answers("gates", name, Audio((0.9 * bars).astype(np.float32)[None], rate))
