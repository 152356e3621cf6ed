"""Typicality, novelty among neighbours, the Wundt curve, and groove: known geometry, and length that does not count."""

import numpy as np
import pytest
from safetensors.numpy import save_file

from spectrogrand import Audio, Card, Embedder, Image, build, register
from spectrogrand.audio.windows import windows
from spectrogrand.errors import InvalidValue
from spectrogrand.plugins.scorers.domain._neighbours import hedonic

RATE = 8000


@register("on_a_circle_test")
class OnACircle(Embedder):
    """The first sample is an angle."""

    artefact = Audio
    card = Card("a test's embedder")

    def embed(self, batch):
        angles = np.array([item.samples[0, 0] for item in batch])
        return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def at(angle):
    return Audio(np.full((1, 10), angle, np.float32), RATE)


@pytest.fixture
def ring(tmp_path):
    """101 references spread over one radian, closest in the middle."""
    angles = np.sinh(np.linspace(-2, 2, 101)) / np.sinh(2) / 2
    save_file(
        {"all": np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)}, tmp_path / "r.safetensors"
    )
    return {"embedder": {"name": "on_a_circle_test"}, "references": str(tmp_path / "r.safetensors"), "k": 3}


def test_held_out_members_lie_at_typicalitys_middle_and_quartiles(ring):
    typical = build("scorers", {"name": "typicality", **ring}).reference_scores()
    assert np.median(typical) == pytest.approx(0.5, abs=0.02)
    assert np.percentile(typical, 75) - np.percentile(typical, 25) == pytest.approx(0.5, abs=0.1)


def test_further_is_newer_without_end_and_less_typical(ring):
    items = [at(a) for a in (0.0, 0.45, 0.7, 1.0, 2.0, 3.0)]
    novel = build("scorers", {"name": "novelty_knn", **ring}).score(items)
    typical = build("scorers", {"name": "typicality", **ring}).score(items)
    assert (np.diff(novel) > 0).all() and (np.diff(typical) < 0).all() and typical[-1] > 0


def test_wundt_likes_neither_the_middle_nor_what_is_far_beyond(ring):
    liked = build("scorers", {"name": "wundt", **ring}).score([at(a) for a in np.linspace(0, 3, 61)])
    best = int(liked.argmax())
    assert 0 < best < 30 and liked[0] < 0.3 and liked[-1] < 0.1


def test_the_curve_against_its_closed_form():
    x = np.linspace(-5, 5, 11)
    expected = 1 / (1 + np.exp(-2 * (x - 0.5))) - 1 / (1 + np.exp(-2 * (x - 3)))
    np.testing.assert_allclose(hedonic(x, 0.5, 3.0, 2.0), expected, atol=1e-12)


def test_a_curve_that_falls_before_it_rises_is_refused():
    with pytest.raises(InvalidValue, match="falls after it rises"):
        build("scorers", {"name": "cover_wundt", "rise": 2.0, "fall": 1.0})


def test_too_few_references_are_told(tmp_path):
    save_file({"all": np.eye(4, 2, dtype=np.float32) + np.float32(0.5)}, tmp_path / "r.safetensors")
    scorer = build(
        "scorers", {"name": "typicality", "embedder": "on_a_circle_test", "references": str(tmp_path / "r.safetensors")}
    )
    with pytest.raises(InvalidValue, match="too few for 5 neighbours"):
        scorer.score([at(0.1)])


def test_noise_pictures_are_beyond_the_covers(rng):
    noise = Image(rng.integers(0, 256, (256, 256, 3), np.uint8))
    assert build("scorers", "cover_typicality").score([noise])[0] < 0.1
    assert build("scorers", "cover_wundt").score([noise])[0] < 0.2
    assert build("scorers", "cover_novelty_knn").score([noise])[0] > 2


@pytest.mark.parametrize("seconds", [5, 8, 15, 30, 90])
def test_a_steady_songs_scores_do_not_depend_on_its_length(seconds):
    """One beat through and through: what is heard in 5 s is what is heard in 90 s."""
    t = np.arange(seconds * RATE) / RATE
    beat = np.sin(2 * np.pi * 60 * t) * np.exp(-(t % 0.5) / 0.08) + 0.3 * np.sin(2 * np.pi * 440 * t)
    long = Audio((0.5 * beat).astype(np.float32)[None], RATE)
    ten = Audio(np.resize(long.samples, (1, 10 * RATE)) if seconds < 10 else long.samples[:, : 10 * RATE], RATE)
    for name, tolerance in (("groove", 0.1), ("novelty_knn", 0.3)):
        scorer = build("scorers", name)
        known = np.sort(scorer.reference_scores())
        here, there = (np.searchsorted(known, scorer.score([x])[0]) / len(known) for x in (long, ten))
        assert abs(here - there) <= tolerance / 3


def test_windows_cover_both_ends_and_a_sound_of_their_length_is_itself():
    sound = Audio(np.arange(25 * 1000, dtype=np.float32)[None] / 25000, 1000)
    parts = windows(sound)
    assert parts[0].samples[0, 0] == 0 and parts[-1].samples[0, -1] == sound.samples[0, -1]
    exact = Audio(sound.samples[:, :10000], 1000)
    assert windows(exact) == [exact]


def test_the_offline_scorers_declare_what_re_encoding_does_to_them():
    songs = ("novelty", "danceability", "groove", "typicality", "novelty_knn", "wundt", "dance_appeal")
    covers = (
        "aesthetics",
        "cover_surprise",
        "cover_typicality",
        "cover_novelty_knn",
        "cover_wundt",
        "finish",
        "cover_appeal",
    )
    offline = (*songs, *covers)
    assert all(build("scorers", name).noise > 0 for name in offline)
    assert build("scorers", {"name": "novelty", "embedder": {"name": "timbre_rhythm"}}).noise > 0
    assert build("scorers", {"name": "novelty", "embedder": "on_a_circle_test"}).noise == 0  # nobody measured that one


def test_learned_appeal_is_doubted_beyond_the_references(rng):
    from spectrogrand.plugins.scorers.domain import cover_appeal, dance_appeal

    for part in (dance_appeal, cover_appeal):
        place = np.array([-3.0, 3.9, 5.0, 9.0])
        np.testing.assert_allclose(part.doubt(place), [0, 0, 0.5, 2.5])
    noise = Image(rng.integers(0, 256, (128, 128, 3), np.uint8))
    scorer = build("scorers", "cover_appeal")
    raw = cover_appeal.appeal(cover_appeal.describe_cover(noise))
    assert scorer.place([noise])[0] > cover_appeal.EDGE and scorer.score([noise])[0] < raw


def test_coding_and_speed_hardly_count_in_the_distance_of_songs():
    """A statistic that wear moves by as much as songs differ is trusted by a fifth; one that it leaves alone, wholly."""
    from train.robust_axes import learn

    rng = np.random.default_rng(0)
    songs = rng.normal(size=(400, 1, 3))
    worn = songs + rng.normal(size=(400, 3, 3)) * [0, 1, 3]
    np.testing.assert_allclose(learn(np.concatenate([songs, worn], axis=1)), [1, 0.2, 1 / 37], rtol=0.2)
    trust = build("scorers", "typicality")._trust
    assert trust.shape == (124,) and trust[-1] == 1 and (trust > 0).all() and (trust <= 1).all()
