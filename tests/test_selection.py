"""Selection: known answers, and what must hold for any scores."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import percentileofscore, zmap

from spectrogrand import registry
from spectrogrand.errors import InvalidValue, NoCandidateLeft, UnknownName
from spectrogrand.selection import choose, quantile

RULES = registry.names("selectors")
for _rule in RULES:
    registry.get("selectors", _rule)  # imported now: hypothesis times each example
finite = st.floats(-1e6, 1e6)


def tables():
    return st.integers(1, 8).flatmap(
        lambda n: st.dictionaries(st.sampled_from("abc"), arrays(np.float64, n, elements=finite), min_size=1)
    )


def test_published_takes_the_highest_raw_mean():
    choice = choose({"novelty": [0.9, 0.1], "danceability": [1.0, 3.0]}, rule="published")
    assert choice.index == 1
    assert choice.totals.tolist() == [0.95, 1.55]


def test_quantiles_keep_a_wide_score_from_drowning_a_narrow_one():
    """Danceability spans 1 to 5, novelty 0 to 1: candidate 0 is far more novel, candidate 1 a little more danceable."""
    scores = {"novelty": [0.9, 0.1], "danceability": [2.9, 3.1]}
    references = {"novelty": np.linspace(0, 1, 101), "danceability": np.linspace(1, 5, 101)}
    assert choose(scores, references=references, rule="quantile").index == 0
    assert choose({**scores, "danceability": [1.0, 3.1]}, rule="published").index == 1


def test_weights_decide():
    scores = {"a": [1.0, 0.0], "b": [0.0, 1.0]}
    assert choose(scores, weights={"a": 1, "b": 3}, rule="published").index == 1
    assert choose(scores, weights={"a": 3, "b": 1}, rule="published").index == 0
    assert choose(scores, weights={"a": 0, "b": 1}, rule="published").totals.tolist() == [0.0, 1.0]


def test_pareto_prefers_the_front_to_the_mean():
    """Candidate 2 is beaten in every score by candidate 1; the others are each best in something."""
    choice = choose({"a": [3.0, 2.0, 1.9], "b": [0.0, 2.0, 1.9]}, rule="pareto")
    assert choice.index == 1
    assert "among the 2 that no other beats" in choice.why


def test_all_beyond_the_reference_falls_back_on_ranks():
    choice = choose({"a": [11.0, 13.0, 12.0]}, references={"a": np.arange(10.0)})
    assert choice.totals.tolist() == [0.0, 1.0, 0.5]
    assert choice.notes == ("3 of 3 lie at an end of a's references: its ranks are used",)
    assert choice.notes[0] in choice.why
    assert choice.index == 1


def test_quantile_against_scipy(rng):
    reference, scores = rng.integers(0, 20, 50).astype(float), rng.integers(-2, 23, 30).astype(float)
    ours = quantile(scores, reference)
    assert ours == pytest.approx([percentileofscore(reference, s, "mean") / 100 for s in scores])


def test_failed_candidates_never_win():
    choice = choose({"a": [9.0, np.nan, 1.0, np.inf]}, failed=["is silent (-91 dBFS)", None, None, None])
    assert choice.index == 2
    assert choice.failed[:2] == ("is silent (-91 dBFS)", "has no finite a score (nan)")
    assert np.isnan(choice.totals[[0, 1, 3]]).all()


def test_all_failed_says_why():
    with pytest.raises(NoCandidateLeft, match="all 2 candidates failed; the first one is silent"):
        choose({"a": [1.0, 2.0]}, failed=["is silent", "is noise"])


def test_no_scorer_takes_the_first_that_passes():
    assert choose({}, failed=["is silent", None, None]).index == 1


@pytest.mark.parametrize("weights", [{"a": -1.0}, {"a": 0.0}, {"a": float("nan")}])
def test_bad_weights(weights):
    with pytest.raises(InvalidValue, match="weights are finite"):
        choose({"a": [1.0]}, weights=weights)


def test_bad_words_and_lengths():
    with pytest.raises(UnknownName, match="did you mean 'quantile'"):
        choose({"a": [1.0]}, rule="quantil")
    with pytest.raises(InvalidValue, match="one score per candidate"):
        choose({"a": [1.0, 2.0], "b": [1.0]})


@settings(deadline=None)
@given(tables(), st.sampled_from(RULES))
def test_invariants(scores, rule):
    choice = choose(scores, rule=rule)
    count = len(choice.totals)
    assert 0 <= choice.index < count
    assert np.isfinite(choice.totals).all()
    if rule in ("ranks", "quantile"):
        assert ((choice.totals >= 0) & (choice.totals <= 1)).all()
    if rule != "pareto":
        assert choice.totals[choice.index] == pytest.approx(choice.totals.max())


@settings(deadline=None)
@given(tables(), st.sampled_from(RULES), st.randoms(use_true_random=False))
def test_order_matters_only_in_ties(scores, rule, random):
    count = len(next(iter(scores.values())))
    order = random.sample(range(count), count)
    first = choose(scores, rule=rule)
    second = choose({k: v[order] for k, v in scores.items()}, rule=rule)
    a, b = first.index, order[second.index]
    same = all(first.used[k][a] == pytest.approx(first.used[k][b]) for k in scores) if rule != "pareto" else True
    assert a == b or same or first.totals[a] == pytest.approx(first.totals[b])


@settings(deadline=None)
@given(tables(), st.sampled_from(RULES))
def test_raising_the_winner_keeps_it(scores, rule):
    winner = choose(scores, rule=rule).index
    for name in scores:
        better = {k: v.copy() for k, v in scores.items()}
        better[name][winner] += 1.0
        assert choose(better, rule=rule).index == winner


def test_a_scorer_whose_spread_is_below_its_noise_is_left_out_and_said():
    scores = {"loud": [0.1, 0.9, 0.5], "faint": [0.52, 0.50, 0.51]}
    choice = choose(scores, rule="ranks", noise={"faint": 0.1})
    assert choice.index == 1 and choice.totals.tolist() == [0.0, 1.0, 0.5]
    assert "faint is left out" in choice.notes[0]


def test_a_lead_below_the_noise_is_a_coin_toss():
    assert "a coin toss" in choose({"a": [0.50, 0.52, 0.1]}, rule="ranks", noise={"a": 0.1}).why
    assert "a coin toss" not in choose({"a": [0.1, 0.9]}, rule="ranks", noise={"a": 0.01}).why


def test_published_scores_are_neither_ranked_nor_left_out():
    choice = choose({"a": [9.0, 8.0]}, references={"a": np.arange(3.0)}, rule="published", noise={"a": 99.0})
    assert choice.totals.tolist() == [9.0, 8.0]


def test_z_scores_are_scipys_and_keep_what_quantiles_lose(rng):
    reference, scores = rng.normal(3, 2, 50), np.array([3.0, 9.5, 11.0])
    choice = choose({"a": scores}, references={"a": reference}, rule="zscores")
    assert choice.used["a"] == pytest.approx(zmap(scores, reference))
    assert choice.index == 2 and choice.used["a"][2] > choice.used["a"][1]
    assert choose({"a": [1.0, 1.0]}, rule="zscores").totals.tolist() == [0.0, 0.0]


def test_a_rule_of_ones_own_is_a_plug_in():
    """Lexicographic: only the first scorer counts; registered by a stranger, chosen by name or as an object."""
    from spectrogrand import Card, Selector, register

    @register("first_only")
    class FirstOnly(Selector):
        card = Card("only the scorer called first counts")

        def utility(self, name, scores, reference):
            return (scores if name == "first" else scores * 0), None

    scores = {"first": [1.0, 2.0, 0.0], "second": [9.0, 0.0, 99.0]}
    assert choose(scores, rule="first_only").index == choose(scores, rule=FirstOnly()).index == 1
    assert "first_only" in choose(scores, rule="first_only").why


def test_a_contextual_scorer_sees_the_other_candidates_and_is_kept_by_them(tmp_path):
    from spectrogrand import Card, CreativityScorer, Image
    from spectrogrand.runs.artefacts import Item, save
    from spectrogrand.runs.candidates import rate_all
    from spectrogrand.store import Store

    seen = []

    class Apart(CreativityScorer):
        card, aspect, artefact, contextual = Card("distance to the others"), "novelty", Image, True

        def score(self, batch):
            raise AssertionError("it is contextual")

        def score_in_context(self, batch, context):
            seen.append((len(batch), len(context.candidates), context.topic))
            means = np.array([c.pixels.mean() for c in context.candidates])
            return np.array([np.abs(b.pixels.mean() - means).mean() for b in batch], np.float32)

    store, items = Store(tmp_path), []
    for level in (0, 10, 200):
        entry, _ = store.get_or_make(
            f"{level:064d}", lambda f, v=level: save(Image(np.full((4, 4, 3), v, np.uint8)), f)
        )
        items.append(Item(entry))
    scores, reused = rate_all(store, Apart(), items, "sea")
    assert scores.argmax() == 2 and scores.dtype == np.float64 and (reused, seen) == (0, [(3, 3, "sea")])
    assert rate_all(store, Apart(), items, "sea")[1] == 3
    assert rate_all(store, Apart(), items[:2], "sea")[1] == 0, "other candidates, other scores"
