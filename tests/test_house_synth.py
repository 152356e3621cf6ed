"""house_synth: exact lengths and beats, loudness, determinism, loops, and clear errors."""

from __future__ import annotations

import numpy as np
import pytest

from spectrogrand.errors import InvalidValue
from spectrogrand.generators.house_synth import HouseSynth
from spectrogrand.interfaces import Card, Embedder
from spectrogrand.registry import register
from spectrogrand.synth.mastering import loudness, true_peak
from spectrogrand.types import GENRES, Topic

AXES = ("energy", "valence", "tension", "brightness", "space", "era")
MOTIFS = ("space", "city", "sea", "mountains", "forest", "machines", "faces", "geometry", "waves", "abstract")


@register("stub_axes")
class StubAxes(Embedder):
    """A text embedder of known answers: topics are drawn from their letters."""

    card = Card(summary="stub")
    artefact = Topic
    axes = AXES + tuple("motif_" + m for m in MOTIFS)

    def embed(self, batch):
        rows = []
        for topic in batch:
            rng = np.random.default_rng([ord(c) for c in getattr(topic, "text", topic)])
            rows.append(np.r_[rng.uniform(-0.8, 0.8, 6), rng.dirichlet(np.full(10, 0.3))])
        return np.array(rows, np.float32)


def synth(**settings):
    return HouseSynth(text="stub_axes", **settings)


SEA = Topic("the sea at night")


@pytest.mark.parametrize("duration, samples", [(0.1, 4410), (1.2345, 54441), (3.3, 145530), (10, 441000)])
def test_length_is_exact_in_samples(duration, samples):
    assert synth(duration=duration).generate([SEA], [0])[0].samples.shape == (2, samples)


@pytest.mark.parametrize("genre", GENRES)
def test_loudness_and_true_peak(genre):
    samples = synth(genre=genre).generate([SEA], [3])[0].samples
    assert loudness(samples) == pytest.approx(-14, abs=1)
    assert true_peak(samples) <= -1


def test_same_seed_same_bytes_whatever_the_batch():
    make = synth(duration=4.0)
    alone = make.generate([SEA], [5])[0]
    batch = make.generate([Topic("a spaceship"), SEA, SEA], [5, 5, 6])
    assert alone.samples.tobytes() == batch[1].samples.tobytes() and alone.plan == batch[1].plan
    assert batch[1].samples.tobytes() != batch[2].samples.tobytes() != batch[0].samples.tobytes()


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"duration": 0}, "0.1 to 600 seconds, got 0"),
        ({"duration": float("nan")}, "got nan"),
        ({"duration": 601}, "0.1 to 600"),
        ({"genre": "futur"}, "did you mean 'future'"),
        ({"tempo": 500}, "60 to 200"),
        ({"key": "H"}, "unknown note 'H'"),
        ({"key": "A minr"}, "did you mean 'minor'"),
        ({"swing": 0.9}, "0.5 to 0.7"),
    ],
)
def test_bad_settings_say_what_to_do(settings, message):
    with pytest.raises(InvalidValue, match=message):
        synth(**settings)
