"""topic_fit: what a painter says counts as far as the pixels bear it out, and decides between on-topic and off-topic covers."""

import json
from pathlib import Path

import numpy as np
import pytest

from spectrogrand import CoverBrief, Image, build
from spectrogrand.interfaces import Context
from spectrogrand.plugins.scorers.topic_fit import UNKNOWN, TopicFit, agreement, edge_strength
from spectrogrand.report.words import tell_chosen, tell_words
from spectrogrand.selection import choose
from spectrogrand.testing import check_scorer

GALLERY = json.loads((Path(__file__).parents[1] / "docs" / "gallery" / "sixty_topics.json").read_text("utf-8"))
TWENTY = [*GALLERY["concrete"][::2], *GALLERY["scenes"][::2], *GALLERY["emoji"][:2]]
LOOKS = (("bass", "black"), ("future", "red"), ("melodic", "light blue"), ("progressive", "orange"))


@pytest.fixture(scope="module")
def twenty():
    """One cover of each of twenty topics, in all finishes."""
    paint = build("generators", {"name": "procedural_cover", "size": 256})
    briefs = [CoverBrief(t, *LOOKS[k % 4], "ascends") for k, t in enumerate(TWENTY)]
    return paint.generate(briefs, list(range(len(briefs))))


def score(*pictures):
    return TopicFit().score(pictures)


def test_contract(twenty):
    check_scorer(TopicFit, [*twenty[:4], Image(np.zeros((20, 30, 3), np.uint8))])


def test_drawn_things_are_borne_out(twenty):
    fits = [(f, len(p.notes["missed"])) for f, p in zip(score(*twenty), twenty, strict=True)]
    whole = [f for f, missed in fits if not missed]
    assert np.mean([f > 0.6 for f in whole]) >= 0.95, sorted(whole)[:5]
    assert len({p.notes["finish"] for p in twenty}) >= 8


def test_a_painter_that_lies_gains_nothing(twenty):
    """The notes of one cover on the pixels of another, and of an outline that lies elsewhere in the same box."""
    swapped = [Image(b.pixels, a.notes) for a, b in zip(twenty, [*twenty[7:], *twenty[:7]], strict=True)]
    assert np.mean(score(*swapped)) < 0.08 < 0.7 < np.mean(score(*twenty))
    octopus = twenty[TWENTY.index("a giraffe")]
    (entry,) = octopus.notes["shown"]
    lie = {**octopus.notes, "shown": [{**entry, "shape": "helicopter"}]}
    assert score(octopus)[0] > 0.9 and score(Image(octopus.pixels, lie))[0] < 0.2
    rng = np.random.default_rng(0)
    noise = Image(rng.integers(0, 256, octopus.pixels.shape, dtype=np.uint8), octopus.notes)
    assert score(noise)[0] < 0.05
    assert score(Image(np.zeros_like(octopus.pixels), octopus.notes))[0] == 0


def test_missed_words_lower_it_and_silence_is_no_judgement(twenty):
    octopus = twenty[TWENTY.index("a giraffe")]
    more = Image(octopus.pixels, {**octopus.notes, "missed": ["quiet"]})
    assert score(more)[0] == pytest.approx(score(octopus)[0] / 2)
    only = Image(octopus.pixels, {"shown": [], "missed": ["longing"], "finish": "type"})
    assert score(Image(octopus.pixels), only).tolist() == [UNKNOWN, 0.0]
    odd = {"shown": [{"shape": "cat", "box": [0, 0]}, "cat", {"box": None}], "missed": None}
    assert score(Image(octopus.pixels, odd))[0] == UNKNOWN


def test_agreement_is_chance_on_noise_and_near_one_on_a_bare_drawing():
    from spectrogrand.engines.painting.things import outlines, vocabulary

    body = outlines.draw(vocabulary.named("fox"), 150, 150).body
    pixels = np.full((256, 256, 3), 255, np.uint8)
    pixels[60 : 60 + body.shape[0], 60 : 60 + body.shape[1]] -= (255 * body[..., None]).astype(np.uint8)
    box = [62 / 256, 62 / 256, (58 + body.shape[1]) / 256, (58 + body.shape[0]) / 256]
    entry = {"word": "fox", "shape": "fox", "box": box}
    assert agreement(edge_strength(pixels), entry) > 0.75
    noise = np.random.default_rng(1).integers(0, 256, pixels.shape, dtype=np.uint8)
    assert agreement(edge_strength(noise), entry) == pytest.approx(0.5, abs=0.04)


def test_an_on_topic_cover_is_never_dropped_for_an_off_topic_one_within_a_tenth(twenty):
    """Default scorers' weights: two others say that the off-topic cover is better by a tenth each."""
    fits = score(*twenty)
    silent = score(*(Image(p.pixels, {"shown": [], "missed": ["it"], "finish": "type"}) for p in twenty))
    for fit, off in zip(fits, silent, strict=True):
        if fit < 0.5:  # half of the topic's words name no thing: neither is on topic
            continue
        scores = {"aesthetics": [0.6, 0.7], "cover_surprise": [0.4, 0.5], "topic_fit": [fit, off]}
        references = {k: np.linspace(0, 1, 1001) for k in scores}
        assert choose(scores, references=references).index == 0


def test_words_are_told():
    record = {"choices": {"cover": {"chosen": 1, "candidates": [{"index": 0}, {"index": 1, "notes": {"shown": [{"word": "fox"}],
              "missed": ["sly"], "finish": "glass"}}]}}}  # fmt: skip
    assert tell_chosen(record) == "shown: fox; not shown: sly (glass)"
    assert tell_chosen({}) == "" and tell_words({"finish": "family sea"}) == ""


class Liar:
    """Paints something else and says what it likes of it."""

    def __init__(self, painted, said):
        self.painted, self.said = painted, said

    def paint(self):
        return Image(self.painted.pixels, self.said)


def test_in_a_run_lies_and_silence_gain_nothing(twenty):
    """The words are those of the topic's own reading: none may be left out, renamed or claimed elsewhere."""
    right, other = (
        twenty[TWENTY.index("a giraffe")],
        twenty[TWENTY.index("headphones" if "headphones" in TWENTY else TWENTY[0])],
    )
    (shown,) = right.notes["shown"]
    (its,) = other.notes["shown"]
    lies = [
        None,
        {"shown": [], "missed": []},
        dict(other.notes),
        {"shown": [{**its, "word": "giraffe"}], "missed": []},
        {"shown": [{**shown, "box": [0.0, 0.0, 1.0, 1.0]}], "missed": []},
        dict(right.notes),
        {"shown": [{**shown, "box": its["box"]}], "missed": []},
    ]
    batch = [right, *(Liar(other, said).paint() for said in lies)]
    context = Context("a giraffe", [CoverBrief("a giraffe", "bass", "black", "ascends")] * len(batch), batch)
    fits = TopicFit().score_in_context(batch, context)
    assert fits[0] > 0.9 and fits[1:].max() < 0.1, fits
    two = Context("a giraffe and a quiet evening", (), batch)
    assert TopicFit().score_in_context(batch, two)[0] == pytest.approx(
        fits[0] / 2
    )  # "quiet" is of the topic, whoever says so
    assert TopicFit().score_in_context(batch, Context("infinite longing", (), batch)).tolist() == [UNKNOWN] * len(batch)
    assert TopicFit().score_in_context(batch, Context("", (), batch)).tolist() == TopicFit().score(batch).tolist()


def test_the_landscapes_moon_is_borne_out_as_a_disc():
    paint = build("generators", {"name": "procedural_cover", "size": 256})
    topic = "la luna sobre el mar"
    brief = CoverBrief(topic, "bass", "purple", "ascends")
    made = paint.generate([brief] * 10, list(range(10)))
    fits = TopicFit().score_in_context(made, Context(topic, [brief] * 10, made))
    assert np.mean(fits > 0.5) >= 0.9, fits
