"""The contract checks themselves: what keeps the contract passes, what breaks one rule is told which."""

from fractions import Fraction

import numpy as np
import pytest

from spectrogrand import (
    Audio,
    Card,
    Classifier,
    CreativityScorer,
    Embedder,
    Frames,
    Gate,
    Generator,
    Image,
    Reference,
    Stylizer,
    Topic,
    Weights,
)
from spectrogrand.errors import InvalidValue
from spectrogrand.testing import (
    check_classifier,
    check_component,
    check_embedder,
    check_gate,
    check_generator,
    check_scorer,
    check_stylizer,
    difference,
)
from spectrogrand.weights.sources import ByHand, HubRepo, Url

CARD = Card("a toy")
PICTURES = [Image(np.full((4, 4, 3), v, np.uint8)) for v in (10, 90, 200)]
TOPICS = [Topic("sea"), Topic("city")]


class Hiss(Generator):
    card, source, artefact = CARD, Topic, Audio

    def one(self, source, seed):
        return Audio(np.random.default_rng(seed).random((1, 50), np.float32) * len(source.text), 8000)

    def generate(self, sources, seeds):
        return [self.one(s, n) for s, n in zip(sources, seeds, strict=True)]


class Bright(CreativityScorer):
    card, aspect, artefact = CARD, "value", Image

    def score(self, batch):
        return np.array([i.pixels.mean() for i in batch], np.float64)


class Dark(Gate):
    card, artefact = CARD, Image

    def check(self, batch):
        return ["is dark" if i.pixels.mean() < 50 else None for i in batch]


class Halves(Classifier):
    card, artefact = CARD, Image

    def classify(self, batch):
        x = np.array([i.pixels.mean() / 255 for i in batch], np.float64)
        return np.stack([x, 1 - x], axis=1), ("bright", "dark")


class Mean(Embedder):
    card, artefact = CARD, Image

    def embed(self, batch):
        return np.array([i.pixels.mean((0, 1)) for i in batch], np.float32)


class Blend(Stylizer):
    card = CARD

    def stylize(self, content, style):
        if isinstance(content, Image) and isinstance(style, Image):
            return Frames.still(content, 1, Fraction(1))
        if isinstance(content, Frames) and isinstance(style, Frames) and len(content) != len(style):
            raise InvalidValue("the streams differ in length")
        if isinstance(content, Frames):
            return content
        return Frames(lambda: (content.pixels // 2 for _ in style), content.size, style.count, style.fps)


GOOD = [
    (Hiss, check_generator, TOPICS), (Bright, check_scorer, PICTURES), (Dark, check_gate, PICTURES),
    (Halves, check_classifier, PICTURES), (Mean, check_embedder, PICTURES),
]  # fmt: skip


@pytest.mark.parametrize("cls, check, batch", GOOD)
def test_what_keeps_the_contract_passes_as_class_function_and_instance(cls, check, batch):
    for make in (cls, lambda: cls(), cls()):
        assert check(make, batch) is None


def test_a_stylizer_that_keeps_the_contract_passes():
    assert check_stylizer(Blend) is None
    assert check_stylizer(Blend(), Image(np.full((8, 6, 3), 9, np.uint8)), PICTURES[0]) is None


def broken(base, **body):
    return type("Broken", (base,), body)


def drift(cls, method):
    """A method that answers differently every time."""
    calls = []

    def wrapped(self, *arguments):
        calls.append(1)
        answer = getattr(cls, method)(self, *arguments)
        if isinstance(answer, np.ndarray):
            return answer + np.asarray(len(calls), answer.dtype)
        return [Audio(a.samples * np.float32(1 / len(calls)), a.rate) for a in answer]

    return wrapped


def by_batch(self, sources, seeds):
    rng = np.random.default_rng(seeds[0])
    return [Audio(rng.random((1, 50), np.float32), 8000) for _ in seeds]


class Busy:
    def close(self):
        self.dead = True


BROKEN_GENERATORS = [
    ({"generate": drift(Hiss, "generate")}, "made twice from the same source and seed, the bytes differ"),
    ({"generate": by_batch}, "made alone, an artefact differs"),
    ({"generate": lambda s, x, n: Hiss.generate(s, x, n)[:-1]}, "lists one artefact per pair"),
    ({"generate": lambda s, x, n: tuple(Hiss.generate(s, x, n))}, "lists one artefact per pair"),
    ({"artefact": Image}, "declares Image and makes Audio"),
    ({"source": Image}, "it takes Image, not Topic"),
    ({"one": lambda s, t, n: Hiss.one(s, t, 0)}, "two seeds make the same artefact"),
    ({"one": lambda s, t, n: Audio(np.full((1, 9), np.nan, np.float32), 8000)}, "the sound is not finite"),
    ({"close": Busy.close, "one": lambda s, t, n: Hiss.one(s, t, n + 9 * hasattr(s, "dead"))}, "after close"),
    ({"source": None}, "declares source = a type"),
]


@pytest.mark.parametrize("body, rule", BROKEN_GENERATORS)
def test_broken_generators(body, rule):
    with pytest.raises(AssertionError, match=rule):
        check_generator(broken(Hiss, **body), TOPICS)


def test_a_second_one_must_make_the_same():
    made = []

    def make():
        shift = len(made)
        made.append(shift)
        return broken(Hiss, one=lambda s, t, n: Hiss.one(s, t, n + shift))()

    with pytest.raises(AssertionError, match="a second one with the same settings makes other bytes"):
        check_generator(make, TOPICS)


def test_seeds_need_not_matter_and_a_tolerance_is_a_tolerance():
    check_generator(broken(Hiss, one=lambda s, t, n: Hiss.one(s, t, 0)), TOPICS, seeds_matter=False)
    louder = broken(Hiss, generate=lambda s, x, n: [
        Audio(a.samples + np.float32(1e-3 * len(n)), a.rate) for a in Hiss.generate(s, x, n)])  # fmt: skip
    check_generator(louder, TOPICS, tolerance=0.01)
    with pytest.raises(AssertionError, match="made alone, .* by 0.002 of full scale, at most 0.001 is allowed"):
        check_generator(louder, TOPICS, tolerance=0.001)


def write(self, batch):
    for i in batch:
        i.pixels[0, 0] += 1
    return np.full(len(batch), 5.0)


REFERENCE = Reference("set", 2, "ab" * 32)
BROKEN_SCORERS = [
    ({"score": drift(Bright, "score")}, "asked twice, the answers differ"),
    (
        {"score": lambda s, b: Bright.score(s, b) - Bright.score(s, b).mean()},
        "asked alone, an item gets another answer",
    ),
    ({"score": lambda s, b: np.sort(Bright.score(s, b))}, "in another order|asked alone"),
    ({"score": lambda s, b: Bright.score(s, b).astype(np.float32)}, "is float64, got float32"),
    ({"score": lambda s, b: list(Bright.score(s, b))}, "is float64, got <class 'list'>"),
    ({"score": lambda s, b: Bright.score(s, b)[:, None]}, r"has shape \(3,\), got \(3, 1\)"),
    ({"score": lambda s, b: Bright.score(s, b) * np.nan}, "is not finite"),
    ({"score": write}, "it writes into its input"),
    ({"close": Busy.close, "score": lambda s, b: Bright.score(s, b) + hasattr(s, "dead")}, "after close"),
    ({"aspect": "beauty"}, "aspect = one of"),
    ({"artefact": "Image"}, "declares artefact = a type"),
    ({"reference": lambda s: Reference("set", 2, "abc")}, "a sha256 of 64 hex digits"),
    ({"reference": lambda s: "a set"}, r"reference\(\) is a Reference or None"),
    ({"reference_scores": lambda s: np.zeros(2)}, "say which set the scores are of"),
    ({"reference": lambda s: REFERENCE, "reference_scores": lambda s: np.zeros(3)}, r"has shape \(2,\), got \(3,\)"),
    ({"identity": lambda s: {"x": {1, 2}}}, "so it is plain data"),
    ({"identity": lambda s: "v1"}, "is a mapping of plain data"),
]


@pytest.mark.parametrize("body, rule", BROKEN_SCORERS)
def test_broken_scorers(body, rule):
    batch = [Image(i.pixels.copy()) for i in PICTURES]
    with pytest.raises(AssertionError, match=rule):
        check_scorer(broken(Bright, **body), batch)


def test_identity_may_not_change_with_use():
    def score(self, batch):
        self.used = True
        return Bright.score(self, batch)

    changing = broken(Bright, score=score, identity=lambda s: {"used": hasattr(s, "used")})
    with pytest.raises(AssertionError, match="changes with use"):
        check_scorer(changing, PICTURES)


@pytest.mark.parametrize("body, rule", [
    ({"check": lambda s, b: Dark.check(s, b)[:1]}, "lists one answer per item"),
    ({"check": lambda s, b: [True] * len(b)}, "None or a clause on one line"),
    ({"check": lambda s, b: [""] * len(b)}, "None or a clause on one line"),
    ({"check": lambda s, b: ["is bad\nvery"] * len(b)}, "None or a clause on one line"),
    ({"check": lambda s, b: ["is last" if i is b[-1] else None for i in b]}, "checked alone|in another order"),
    ({"check": lambda s, b: Dark.check(s, b) or ["nothing"]}, "one answer per item|empty batch"),
])  # fmt: skip
def test_broken_gates(body, rule):
    with pytest.raises(AssertionError, match=rule):
        check_gate(broken(Dark, **body), PICTURES)


@pytest.mark.parametrize("body, rule", [
    ({"classify": lambda s, b: (Halves.classify(s, b)[0] * 2, ("a", "b"))}, "rows sum to"),
    ({"classify": lambda s, b: (Halves.classify(s, b)[0], ("a",))}, r"has shape \(3, 1\), got \(3, 2\)"),
    ({"classify": lambda s, b: (Halves.classify(s, b)[0], ("a", "a"))}, "different names"),
    ({"classify": lambda s, b: (Halves.classify(s, b)[0], ["a", "b"])}, "names is a tuple"),
    ({"classify": lambda s, b: (Halves.classify(s, b)[0] * [[3, 1]] - [[1, 0]], ("a", "b"))}, "rows sum to"),
])  # fmt: skip
def test_broken_classifiers(body, rule):
    with pytest.raises(AssertionError, match=rule):
        check_classifier(broken(Halves, **body), PICTURES)


@pytest.mark.parametrize("body, rule", [
    ({"embed": lambda s, b: Mean.embed(s, b).astype(np.float64)}, "is float32, got float64"),
    ({"embed": lambda s, b: Mean.embed(s, b) - Mean.embed(s, b).mean(0)}, "asked alone"),
    ({"embed": lambda s, b: Mean.embed(s, b)[0]}, "has shape"),
])  # fmt: skip
def test_broken_embedders(body, rule):
    with pytest.raises(AssertionError, match=rule):
        check_embedder(broken(Mean, **body), PICTURES)


def restyled(change):
    def stylize(self, content, style):
        return change(Blend.stylize(self, content, style), content, style)

    return {"stylize": stylize}


def once(frames, *_):
    pictures = iter(list(frames))
    return Frames(lambda: pictures, frames.size, frames.count, frames.fps)


def fresh(frames, *_):
    rng = np.random.default_rng()
    return Frames(
        lambda: (p ^ rng.integers(0, 2, p.shape, np.uint8) for p in frames), frames.size, frames.count, frames.fps
    )


@pytest.mark.parametrize("body, rule", [
    (restyled(lambda f, c, s: list(f)), "gives Frames, got list"),
    (restyled(lambda f, c, s: Frames.still(s, f.count, f.fps) if isinstance(s, Image) else f), "of the content's size"),
    (restyled(lambda f, c, s: Frames(f.make, f.size, f.count, f.fps * 2)), "fps is the stream's 10"),
    (restyled(lambda f, c, s: Frames.still(Image(next(iter(f))), 1, f.fps)), "3 of the content's size"),
    (restyled(fresh), "walked twice, the frames differ"),
    ({"stylize": lambda s, c, t: Blend.stylize(s, c, t) if isinstance(c, Image) or isinstance(t, Image) else c},
     "streams of 3 and 2 frames cannot be paired"),
])  # fmt: skip
def test_broken_stylizers(body, rule):
    with pytest.raises(AssertionError, match=rule):
        check_stylizer(broken(Blend, **body))


def test_a_stream_that_can_be_walked_once_is_refused():
    from spectrogrand.errors import PluginError

    with pytest.raises((AssertionError, PluginError), match="walked twice|made 0 of the"):
        check_stylizer(broken(Blend, **restyled(once)))


def needs_array(self, weights=None):
    self.weights = np.zeros(100_000)


def anything(self, *parts):
    pass


def rich_default(self, fps=Fraction(30)):
    self.fps = fps


@pytest.mark.parametrize("body, rule", [
    ({"card": "a toy"}, "it has no card"),
    ({"card": Card("  ")}, "one line that says what it is"),
    ({"card": Card("a\nb")}, "one line that says what it is"),
    ({"card": Card("a", licence="")}, "name the licence"),
    ({"card": Card("a", weights=(Weights("hub/x", 9.0, "MIT"),))}, "weights come from HubRepo, Url, .*, got 'hub/x'"),
    ({"card": Card("a", weights=(Weights(HubRepo("hub/x"), 0, "MIT"),))}, "weights name their licence and size"),
    ({"__init__": needs_array}, "its constructor loads weights"),
    ({"__init__": anything}, r"no \*args"),
    ({"__init__": rich_default}, "the default of fps is not a plain value"),
])  # fmt: skip
def test_broken_cards_and_constructors(body, rule):
    with pytest.raises(AssertionError, match=rule):
        check_component(broken(Dark, **body), Gate)


def test_pinned_weights_pass():
    for source in (
        HubRepo("hub/x", "a" * 40),
        HubRepo("hub/x"),
        Url("https://a.org/x", "b" * 64),
        ByHand("from a friend"),
    ):
        check_component(broken(Dark, card=Card("a", weights=(Weights(source, 9.0, "MIT"),))))


@pytest.mark.parametrize("make, said", [
    (lambda: HubRepo("hub/x", "main"), "a commit of 40 hex digits, got 'main'"),
    (lambda: HubRepo("https://huggingface.co/a/b"), "OWNER/NAME"),
    (lambda: Url("https://a.org/x y"), "no blanks"),
    (lambda: Url("https://a.org/x", "sha256:" + "c" * 64), "64 hex digits"),
])  # fmt: skip
def test_a_source_that_could_not_be_fetched_is_refused_when_it_is_written(make, said):
    with pytest.raises(InvalidValue, match=said):
        make()


def test_building_may_not_load_a_model_library(monkeypatch):
    import sys
    import types

    def load(self):
        sys.modules["torch.testing_only"] = types.ModuleType("torch.testing_only")

    monkeypatch.delitem(sys.modules, "torch.testing_only", raising=False)
    with pytest.raises(AssertionError, match="building it loads torch"):
        check_component(broken(Dark, __init__=load))
    monkeypatch.delitem(sys.modules, "torch.testing_only", raising=False)


def test_a_component_of_another_kind_is_refused():
    with pytest.raises(AssertionError, match="it is a Dark, not a CreativityScorer"):
        check_scorer(Dark, PICTURES)


def test_difference_in_full_scale():
    black, white = (Image(np.full((2, 2, 3), v, np.uint8)) for v in (0, 255))
    quiet, loud = (Audio(np.full((1, 4), v, np.float32), 8000) for v in (0.25, 0.5))
    assert difference(black, white) == 1.0 and difference(quiet, loud) == 0.25
    assert difference(quiet, Audio(quiet.samples, 8001)) == np.inf and difference(black, quiet) == np.inf
    still = [Frames.still(i, 3, Fraction(10)) for i in (black, white)]
    assert difference(still[0], still[0]) == 0 and difference(*still) == 1.0
    assert difference(still[0], Frames.still(black, 2, Fraction(10))) == np.inf
    assert 0 < difference(np.float32([0.0]), np.float32([-0.0])) < 1e-300
