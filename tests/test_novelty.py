"""Novelty: the published table from the published embeddings, and the formula on vectors whose cosines are known."""

from __future__ import annotations

import json

import numpy as np
import pytest

from spectrogrand import registry
from spectrogrand.errors import InvalidValue, MediaError, UnknownName
from spectrogrand.interfaces import Card, Embedder
from spectrogrand.plugins.scorers.novelty import Novelty, mean_similarity
from spectrogrand.registry import register
from spectrogrand.testing import check_scorer
from spectrogrand.types import Audio


class FirstSamples(Embedder):
    """The first samples of a sound as its embedding: vectors in, vectors out."""

    card = Card("the first samples, for tests")
    artefact = Audio

    def __init__(self, axes: int = 4) -> None:
        self.axes = axes

    def embed(self, batch):
        return np.array([a.samples[0, : self.axes] for a in batch], np.float32)


@pytest.fixture(autouse=True)
def first_samples(monkeypatch):
    """The toy is known in these tests only: others walk over all names."""
    monkeypatch.setattr(registry, "_classes", dict(registry._classes))
    register("first_samples")(FirstSamples)


def sound(vector) -> Audio:
    return Audio(np.array([vector], np.float32), 8000)


@pytest.fixture
def references(tmp_path):
    from safetensors.numpy import save_file

    path = tmp_path / "references.safetensors"
    save_file(
        {
            "bass_house": np.array([[1, 0, 0, 0], [0, 1, 0, 0]], np.float32),
            "future": np.array([[0, 0, 2, 0]], np.float32),
            "scores.danceability": np.ones(3, np.float32),
        },
        path,
    )
    return path


def novelty(path, **settings) -> Novelty:
    config = {"name": "novelty", "embedder": {"name": "first_samples"}, "references": str(path), **settings}
    return registry.build("scorers", config)


def test_the_published_table_in_all_four_genres(shared):
    from safetensors.numpy import load_file

    folder = shared / "data/housex_clap"
    published = json.loads((folder / "published_mean_similarity.json").read_text())["audioldm2_raw_200"]
    songs = load_file(folder / "audioldm2_raw_200.safetensors")
    assert set(published) == set(songs) and len(songs) == 4
    for genre, value in published.items():
        scorer = novelty(
            folder / "ground_truth.safetensors", reference=genre, embedder={"name": "first_samples", "axes": 512}
        )
        scores = scorer.score([sound(v) for v in songs[genre]])
        assert round(1 - float(scores.mean()), 3) == value
        assert scorer.reference().count == 40
        short = novelty(folder / "ground_truth.safetensors", reference=genre.removesuffix("_house"))
        assert np.array_equal(short.score_embeddings(songs[genre]), scorer.score_embeddings(songs[genre]))


def test_the_mean_vector_gives_what_the_published_loop_gives(shared):
    from safetensors.numpy import load_file

    folder = shared / "data/housex_clap"
    truth, songs = load_file(folder / "ground_truth.safetensors"), load_file(folder / "audioldm2_raw_200.safetensors")
    everything = np.concatenate(list(truth.values()))
    for vector in songs["bass_house"]:
        cosines = [v @ vector / np.linalg.norm(v) / np.linalg.norm(vector) for v in everything.astype(np.float64)]
        got = novelty(folder / "ground_truth.safetensors").score_embeddings(vector[None])[0]
        assert got == pytest.approx(1 - np.mean(cosines), abs=1e-6)


@pytest.mark.parametrize(
    "vector, reference, want",
    [
        ([3, 0, 0, 0], "bass", 0.5), ([-1, 0, 0, 0], "bass", 1.5), ([0, 0, 7, 0], "bass_house", 1.0),
        ([0, 0, 0.1, 0], "future", 0.0), ([0, 0, -1, 0], "future", 2.0), ([1, 1, 1, 0], "all", 1 - 1 / np.sqrt(3)),
    ],
)  # fmt: skip
def test_known_cosines(references, vector, reference, want):
    assert novelty(references, reference=reference).score([sound(vector)])[0] == pytest.approx(want, abs=1e-7)


def test_a_song_without_a_direction_fails_and_its_neighbours_do_not(references):
    scores = novelty(references).score_embeddings(
        np.array([[0, 0, 0, 0], [np.nan, 1, 0, 0], [np.inf, 0, 0, 0], [0, 0, 0, 2]])
    )
    assert np.isnan(scores[:3]).all() and scores[3] == 1.0 and scores.dtype == np.float64


def test_an_item_does_not_depend_on_its_batch(references):
    vectors = np.random.default_rng(0).normal(size=(257, 4))
    scorer = novelty(references)
    alone = np.concatenate([scorer.score_embeddings(v[None]) for v in vectors])
    assert np.array_equal(scorer.score_embeddings(vectors), alone)
    assert scorer.score([]).shape == (0,)


def test_reference_scores_leave_each_one_out(references):
    assert novelty(references).reference_scores() == pytest.approx([1.0, 1.0, 1.0])
    rng = np.random.default_rng(1)
    units = rng.normal(size=(9, 5))
    units /= np.linalg.norm(units, axis=1, keepdims=True)
    from safetensors.numpy import save_file

    path = references.with_name("nine.safetensors")
    save_file({"bass": (units[:4] * 3).astype(np.float32), "future": units[4:].astype(np.float32)}, path)
    want = [1 - np.mean([u @ v for j, v in enumerate(units) if j != k]) for k, u in enumerate(units)]
    assert novelty(path).reference_scores() == pytest.approx(want, abs=1e-6)
    assert np.isnan(novelty(references, reference="future").reference_scores()).all(), "one song has no others"


def test_the_reference_says_what_it_is(references):
    everything, bass = novelty(references).reference(), novelty(references, reference="bass").reference()
    assert (everything.count, bass.count) == (3, 2)
    assert everything.name == "references.safetensors:all" and everything.sha256 != bass.sha256
    before = everything.sha256
    data = references.with_name("other.safetensors")
    data.write_bytes(references.read_bytes().replace(np.float32(2).tobytes(), np.float32(3).tobytes()))
    assert novelty(data).reference().sha256 != before


def test_wrong_settings_say_what_to_do(references, tmp_path):
    with pytest.raises(UnknownName, match="no reference 'basss'; did you mean 'bass"):
        novelty(references, reference="basss").score([sound([1, 0, 0, 0])])
    with pytest.raises(InvalidValue, match=r"= \(1, 3\), the references have 4 axes"):
        novelty(references, embedder={"name": "first_samples", "axes": 3}).score([sound([1, 0, 0, 0])])
    with pytest.raises(MediaError, match="cannot be read .FileNotFoundError"):
        novelty(tmp_path / "missing.safetensors").reference()
    (tmp_path / "text.safetensors").write_text("not safetensors at all")
    with pytest.raises(MediaError, match="give a safetensors file"):
        novelty(tmp_path / "text.safetensors").reference()
    from safetensors.numpy import save_file

    save_file(
        {"bass": np.ones((2, 3), np.float32), "future": np.ones((2, 4), np.float32)}, tmp_path / "mixed.safetensors"
    )
    with pytest.raises(InvalidValue, match=r"same axes, got bass \(2, 3\), future \(2, 4\)"):
        novelty(tmp_path / "mixed.safetensors").reference()
    save_file({"bass": np.zeros((2, 4), np.float32)}, tmp_path / "zeros.safetensors")
    with pytest.raises(InvalidValue, match="zeros or NaN instead of embeddings"):
        novelty(tmp_path / "zeros.safetensors").score([sound([1, 0, 0, 0])])


def test_mean_similarity_takes_the_references_or_their_mean():
    rng = np.random.default_rng(2)
    units = rng.normal(size=(30, 8))
    units /= np.linalg.norm(units, axis=1, keepdims=True)
    vectors = rng.normal(size=(5, 8))
    assert mean_similarity(vectors, units) == pytest.approx(mean_similarity(vectors, units.mean(axis=0, keepdims=True)))


def test_it_keeps_the_contract(references):
    check_scorer(lambda: novelty(references), [sound(v) for v in np.random.default_rng(3).normal(size=(4, 6))])
