"""Intervals cover what they promise at the sizes of experiments; tests and corrections against scipy and by hand."""

import numpy as np
import pytest
from scipy import stats

from spectrogrand.errors import InvalidValue
from spectrogrand.report.tables.table import interval as table_interval
from spectrogrand.statistics.comparing import effect_size, holm, sign_flips
from spectrogrand.statistics.intervals import clustered, crossed, mean_interval

DRAWS = 4000


@pytest.mark.parametrize("count", [3, 5, 10])
@pytest.mark.parametrize("draw", ["normal", "logistic", "triangular"])
def test_intervals_cover_the_mean_as_often_as_they_say(rng, count, draw):
    """The percentile bootstrap that stood here covered 76 % at three values."""
    bounds = (-1, 0, 1) if draw == "triangular" else ()
    samples = getattr(rng, draw)(*bounds, size=(DRAWS, count))
    held = np.mean([low <= 0 <= high for _, low, high in map(table_interval, samples)])
    assert 0.93 <= held <= 0.97, held


@pytest.mark.parametrize("count", [3, 5, 10])
def test_intervals_of_clusters_cover(rng, count):
    """Four runs on each topic share what the topic gives; counting them as independent would cover far less."""
    values = rng.normal(size=(DRAWS, count, 1)) + 0.3 * rng.normal(size=(DRAWS, count, 4))
    topics = np.repeat(np.arange(count), 4).tolist()
    right, naive = 0, 0
    for sample in values.reshape(DRAWS, -1):
        _, low, high = clustered(sample, topics)
        right += low <= 0 <= high
        _, low, high = mean_interval(sample)
        naive += low <= 0 <= high
    assert 0.93 <= right / DRAWS <= 0.97 and naive / DRAWS < 0.8


def test_crossed_clusters_cover_where_topics_and_seeds_both_count(rng):
    topics, seeds = (a.ravel().tolist() for a in np.meshgrid(np.arange(6), np.arange(6), indexing="ij"))
    held = 0
    for _ in range(800):
        sample = rng.normal(size=(6, 1)) + rng.normal(size=(1, 6)) + 0.5 * rng.normal(size=(6, 6))
        _, low, high = crossed(sample.ravel(), topics, seeds)
        held += low <= 0 <= high
    assert 0.90 <= held / 800 <= 0.99, held / 800


def test_the_interval_is_scipys(rng):
    x = rng.normal(3, 2, 7)
    _, low, high = mean_interval(x)
    assert (low, high) == pytest.approx(stats.t.interval(0.95, 6, x.mean(), stats.sem(x)))


def test_one_value_has_no_interval():
    mean, low, high = mean_interval([2.0])
    assert mean == 2.0 and np.isnan([low, high]).all()
    with pytest.raises(InvalidValue, match="finite numbers"):
        mean_interval([1.0, np.nan])


@pytest.mark.parametrize("count", [4, 9])
def test_the_permutation_test_is_scipys(rng, count):
    d = rng.normal(0.4, 1, count)
    theirs = stats.permutation_test(
        (d,), np.mean, permutation_type="samples", n_resamples=np.inf, alternative="two-sided"
    )
    assert sign_flips(d) == pytest.approx(theirs.pvalue)


def test_many_pairs_are_drawn_and_agree_with_the_t_test(rng):
    d = rng.normal(0.3, 1, 60)
    assert sign_flips(d) == pytest.approx(stats.ttest_1samp(d, 0).pvalue, abs=0.01)


def test_the_permutation_test_holds_its_level(rng):
    assert np.mean([sign_flips(rng.normal(size=8)) <= 0.05 for _ in range(800)]) == pytest.approx(0.05, abs=0.025)


def test_holm_by_hand():
    assert holm([0.005, 0.2, np.nan, 0.02]).tolist() == pytest.approx([0.015, 0.2, np.nan, 0.04], nan_ok=True)
    assert holm([0.9, 0.8]).tolist() == [1.0, 1.0]


def test_the_effect_is_hedges_and_said_where_it_has_no_number():
    d = np.array([1.0, 2.0, 3.0, 6.0])
    assert effect_size(d) == pytest.approx(d.mean() / d.std(ddof=1) * (1 - 3 / 11))
    assert effect_size([2.0, 2.0]) == np.inf and effect_size([0.0, 0.0]) == 0 and np.isnan(effect_size([1.0]))


def test_a_perfect_classifier_is_perfect_on_twins_of_one_name():
    """A cover and its generated twin share a stem: they are two tracks, one in each class."""
    torch = pytest.importorskip("torch")
    pytest.importorskip("torchmetrics")
    from spectrogrand.training.pictures.measures import measured

    truth = torch.tensor([0, 1, 0, 1, 0, 1])
    perfect = torch.nn.functional.one_hot(truth).double()
    found = measured(perfect, truth, ["a", "a", "a", "a", "b", "b"], ("ai", "human"))
    assert found["track_accuracy"] == 1.0
    assert measured(1 - perfect, truth, ["a", "a", "a", "a", "b", "b"], ("ai", "human"))["track_accuracy"] == 0.0
    assert "track_accuracy" not in measured(perfect, truth, list("aabbcc"), ("ai", "human")), "no track has two items"
