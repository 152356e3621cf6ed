"""The contracts of the plug-ins as checks: for this project's tests, and for anyone who writes a plug-in.

Each check takes what makes the plug-in (its class, or a function without arguments) or one that is made already,
uses it on real inputs, and raises `AssertionError` with the rule that is broken. Call them from any pytest test.

>>> import numpy as np
>>> from spectrogrand import Card, CreativityScorer, Image
>>> class Brightness(CreativityScorer):
...     card, aspect, artefact = Card("mean brightness, 0 to 1"), "value", Image
...     def score(self, batch):
...         return np.array([image.pixels.mean() / 255 for image in batch], np.float64)
>>> check_scorer(Brightness, [Image(np.full((4, 4, 3), v, np.uint8)) for v in (0, 90, 255)])
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from itertools import zip_longest
from typing import Any

import numpy as np

from .errors import SpectrograndError
from .interfaces import (
    Card,
    Classifier,
    Component,
    CreativityScorer,
    Embedder,
    Gate,
    Generator,
    Reference,
    Source,
    Stylizer,
)
from .types import Audio, Frames, Image, Plan

__all__ = [
    "check_classifier", "check_component", "check_embedder", "check_gate", "check_generator", "check_scorer",
    "check_stylizer", "difference",
]  # fmt: skip


HEAVY = ("torch", "tensorflow", "jax", "diffusers", "transformers", "essentia", "librosa", "matplotlib")
"""Modules that neither importing nor building a plug-in may load."""
_LARGE = 1 << 16


def check_generator(
    make: Generator | Callable[[], Generator], sources: Sequence[Any], *, seeds: Sequence[int] = (0, 1, 2),
    tolerance: float = 0.0, seeds_matter: bool = True,
) -> None:  # fmt: skip
    """The contract of a `Generator`: types, determinism, independence of the batch and of its order, `close`.

    Args:
        make: the class, a function that builds one, or a generator.
        sources: one or more sources; they are cycled over the seeds.
        seeds: three or so different seeds.
        tolerance: largest difference that another batch may make, in full scale (1.0); 0 asks for identical bytes.
        seeds_matter: False where the seed changes nothing, as for a file.

    >>> import numpy as np
    >>> from spectrogrand import Audio, Card, Topic
    >>> class Hiss(Generator):
    ...     card, source, artefact = Card("a short hiss"), Topic, Audio
    ...     def generate(self, sources, seeds):
    ...         return [Audio(np.random.default_rng(s).random((1, 99), np.float32), 8000) for s in seeds]
    >>> check_generator(Hiss, [Topic("the sea")])
    """
    made = check_component(make, Generator)
    _check_traits(made, "source", "artefact")
    given = [sources[k % len(sources)] for k in range(len(seeds))]
    for source in given:
        assert isinstance(source, made.source), f"it takes {made.source.__name__}, not {type(source).__name__}"
    first = _generated(made, given, seeds)
    _same(first, _generated(made, given, seeds), 0.0, "made twice from the same source and seed, the bytes differ")
    if not isinstance(make, Component):
        again = make()
        _same(first, _generated(again, given, seeds), 0.0, "a second one with the same settings makes other bytes")
    alone = [_generated(made, [s], [n])[0] for s, n in zip(given, seeds, strict=True)]
    _same(first, alone, tolerance, "made alone, an artefact differs from the same one made in a batch")
    turned = _generated(made, given[::-1], list(seeds)[::-1])[::-1]
    _same(first, turned, tolerance, "in another order, the artefacts differ")
    made.close()
    _same(first, _generated(made, given, seeds), 0.0, "after close(), it must load again and make the same bytes")
    if seeds_matter and len(set(seeds)) > 1:
        fixed = _generated(made, [given[0]] * 2, list(dict.fromkeys(seeds))[:2])
        assert difference(*fixed) > 0, "two seeds make the same artefact: use np.random.default_rng(seed)"


def check_scorer(
    make: CreativityScorer | Callable[[], CreativityScorer], batch: Sequence[Any], *, tolerance: float = 0.0
) -> None:
    """The contract of a `CreativityScorer`: one finite float64 per item, whatever the batch and its order; `reference`.

    Give at least three different items. `tolerance` is the largest difference that another batch may make.

    >>> import numpy as np
    >>> from spectrogrand import Image, build
    >>> pictures = [Image(np.random.default_rng(n).integers(0, 256, (64, 64, 3), np.uint8)) for n in range(3)]
    >>> check_scorer(build("scorers", "aesthetics"), pictures)
    """
    made = check_component(make, CreativityScorer)
    _check_traits(made, "artefact")
    aspects = ("novelty", "value", "surprise")
    assert getattr(made, "aspect", None) in aspects, f"the class declares aspect = one of {aspects}"
    _check_rows(made, made.score, batch, np.float64, (len(batch),), tolerance)
    reference, scores = made.reference(), made.reference_scores()
    assert reference is None or isinstance(reference, Reference), "reference() is a Reference or None"
    if reference is not None:
        known = reference.name and reference.count > 0 and re.fullmatch("[0-9a-f]{64}", reference.sha256)
        assert known, f"a reference set has a name, at least one item and a sha256 of 64 hex digits, got {reference}"
    if scores is not None:
        assert reference is not None, "reference_scores() without reference(): say which set the scores are of"
        _check_array(scores, np.float64, (reference.count,), "reference_scores()")


def check_gate(make: Gate | Callable[[], Gate], batch: Sequence[Any]) -> None:
    """The contract of a `Gate`: None or a one-line reason per item, whatever the batch and its order.

    >>> import numpy as np
    >>> from spectrogrand import Audio, build
    >>> check_gate(build("gates", "silence"), [Audio(np.full((1, 800), v, np.float32), 8000) for v in (0, 0.1, 0.9)])
    """
    made = check_component(make, Gate)
    _check_traits(made, "artefact")
    before = _fingerprints(batch)
    first = made.check(batch)
    assert isinstance(first, list) and len(first) == len(batch), f"check() lists one answer per item, got {first!r}"
    for reason in first:
        assert reason is None or (isinstance(reason, str) and reason.strip() == reason != "" and "\n" not in reason), (
            f'an answer is None or a clause on one line such as "is silent (-91 dBFS)", got {reason!r}'
        )
    assert made.check(batch) == first, "checked twice, the answers differ"
    assert [made.check([item])[0] for item in batch] == first, "checked alone, an item gets another answer"
    assert made.check(list(batch)[::-1])[::-1] == first, "in another order, the answers differ"
    assert made.check([]) == [], "an empty batch gives an empty list"
    made.close()
    assert made.check(batch) == first, "after close(), it must load again and answer the same"
    assert _fingerprints(batch) == before, "it writes into its input"


def check_classifier(
    make: Classifier | Callable[[], Classifier], batch: Sequence[Any], *, tolerance: float = 1e-6
) -> None:
    """The contract of a `Classifier`: float64 rows of probabilities that sum to 1, and the names of their columns.

    >>> import numpy as np
    >>> from spectrogrand import Audio, build
    >>> tones = [Audio(np.sin(np.arange(44100, dtype=np.float32) / n)[None], 22050) for n in (3, 9, 27)]
    >>> check_classifier(build("classifiers", "timbre_genre"), tones)
    """
    made = check_component(make, Classifier)
    _check_traits(made, "artefact")
    names = made.classify(batch)[1]
    named = isinstance(names, tuple) and names and all(isinstance(n, str) and n for n in names)
    assert named and len(set(names)) == len(names), f"names is a tuple of different names, got {names!r}"
    rows = made.classify(batch)[0]
    _check_rows(made, lambda items: made.classify(items)[0], batch, np.float64, (len(batch), len(names)), tolerance)
    assert rows.min() >= 0 and np.allclose(rows.sum(1), 1, rtol=0, atol=1e-6), f"rows sum to {rows.sum(1)}, not to 1"


def check_embedder(make: Embedder | Callable[[], Embedder], batch: Sequence[Any], *, tolerance: float = 1e-5) -> None:
    """The contract of an `Embedder`: finite float32 rows of one length, whatever the batch and its order.

    >>> from spectrogrand import Topic, build
    >>> check_embedder(build("embedders", "lexicon"), [Topic("a calm sea"), Topic("a fast robot"), Topic("night")])
    """
    made = check_component(make, Embedder)
    _check_traits(made, "artefact")
    width = np.asarray(made.embed(batch[:1])).shape[-1]
    _check_rows(made, made.embed, batch, np.float32, (len(batch), width), tolerance)


def check_stylizer(
    make: Stylizer | Callable[[], Stylizer], content: Image | None = None, style: Image | None = None
) -> None:
    """The contract of a `Stylizer`: the content's size, the stream's count and fps, re-iterable, repeatable.

    `content` and `style` are two pictures; two small ones are made where none are given.

    >>> from spectrogrand import Card
    >>> class Same(Stylizer):
    ...     card = Card("changes nothing")
    ...     def stylize(self, content, style):
    ...         if isinstance(content, Image):
    ...             return Frames.still(content, getattr(style, "count", 1), getattr(style, "fps", Fraction(1)))
    ...         if getattr(style, "count", content.count) != content.count:
    ...             raise SpectrograndError("the two streams differ in length")
    ...         return content
    >>> check_stylizer(Same)
    """
    made = check_component(make, Stylizer)
    ramp = np.indices((72, 96)).transpose(1, 2, 0) * 2
    one = content or Image(np.dstack([ramp, 255 - ramp[..., :1]]).astype(np.uint8))
    other = style or Image(np.ascontiguousarray(one.pixels[:64, :64, ::-1] // 2))
    before = _fingerprints([one, other])
    moving, moved = _stream(one, 3), _stream(other, 3)
    for c, s, count in ((one, other, 1), (moving, other, 3), (one, moved, 3), (moving, moved, 3)):
        what = f"content {type(c).__name__} with style {type(s).__name__}"
        out = made.stylize(c, s)
        assert isinstance(out, Frames), f"{what}: stylize() gives Frames, got {type(out).__name__}"
        fits = out.size == one.size and out.count == count
        assert fits, f"{what}: {count} of the content's size {one.size} wanted, got {out.count} of {out.size}"
        stream = c if isinstance(c, Frames) else s
        assert not isinstance(stream, Frames) or out.fps == stream.fps, f"{what}: fps is the stream's {stream.fps}"
        assert difference(out, out) == 0, f"{what}: walked twice, the frames differ"
        assert difference(out, made.stylize(c, s)) == 0, f"{what}: called twice with the same inputs, the frames differ"
        made.close()
        assert difference(out, made.stylize(c, s)) == 0, f"{what}: after close(), it must load again and draw the same"
    try:
        list(made.stylize(moving, _stream(other, 2)))
    except SpectrograndError:
        pass
    else:
        raise AssertionError("streams of 3 and 2 frames cannot be paired: raise InvalidValue")
    assert _fingerprints([one, other]) == before, "it writes into its input"


def _check_rows(
    made: Component, rate: Callable[[Sequence[Any]], np.ndarray], batch: Sequence[Any], dtype: type,
    shape: tuple[int, ...], tolerance: float,
) -> None:  # fmt: skip
    before, identity = _fingerprints(batch), dict(made.identity())
    first = rate(batch)
    _check_array(first, dtype, shape, "the answer")
    again = rate(batch)
    assert first.tobytes() == again.tobytes(), "asked twice, the answers differ"
    alone = np.concatenate([rate([item]) for item in batch])
    _near(first, alone, tolerance, "asked alone, an item gets another answer")
    _near(first, rate(list(batch)[::-1])[::-1], tolerance, "in another order, the answers differ")
    made.close()
    assert rate(batch).tobytes() == first.tobytes(), "after close(), it must load again and answer the same"
    assert dict(made.identity()) == identity, "identity() changes with use: it is part of the step's key"
    assert _fingerprints(batch) == before, "it writes into its input"


def _check_array(x: Any, dtype: type, shape: tuple[int, ...], what: str) -> None:
    got = getattr(x, "dtype", type(x))
    assert isinstance(x, np.ndarray) and x.dtype == dtype, f"{what} is {np.dtype(dtype)}, got {got}"
    assert x.shape == shape, f"{what} has shape {shape}, got {x.shape}"
    assert np.isfinite(x).all(), f"{what} is not finite for real items: {x}"


def _near(a: np.ndarray, b: np.ndarray, tolerance: float, rule: str) -> None:
    apart = float(np.max(np.abs(a.astype(np.float64) - b)))
    assert apart <= tolerance, f"{rule}: by {apart:.3g}, at most {tolerance:.3g} is allowed"


def _generated(made: Generator, sources: Sequence[Any], seeds: Sequence[int]) -> list[Any]:
    out = made.generate(sources, seeds)
    assert isinstance(out, list) and len(out) == len(seeds), f"generate() lists one artefact per pair, got {out!r:.80}"
    for artefact in out:
        ok = isinstance(artefact, made.artefact)
        assert ok, f"it declares {made.artefact.__name__} and makes {type(artefact).__name__}"
        assert not isinstance(artefact, Audio) or np.isfinite(artefact.samples).all(), "the sound is not finite"
    return out


def _same(a: Sequence[Any], b: Sequence[Any], tolerance: float, rule: str) -> None:
    apart = max(difference(x, y) for x, y in zip(a, b, strict=True))
    assert apart <= tolerance, f"{rule}: by {apart:.3g} of full scale, at most {tolerance:.3g} is allowed"


def _stream(image: Image, count: int) -> Frames:
    return Frames(lambda: (np.roll(image.pixels, 3 * k, axis=1) for k in range(count)), image.size, count, Fraction(10))


def check_component(make: Component | Callable[[], Component], interface: type = Component) -> Any:
    """Card complete, constructor of plain keyword settings that loads nothing, plain identity; returns the plug-in.

    >>> from spectrogrand import build
    >>> check_component(build("gates", "silence")).name
    'silence'
    """
    loaded = set(sys.modules)
    made = make if isinstance(make, Component) else make()
    heavy = sorted({m.partition(".")[0] for m in set(sys.modules) - loaded} & set(HEAVY))
    assert not heavy, f"building it loads {', '.join(heavy)}: import such modules inside the methods that use them"
    assert isinstance(made, interface), f"it is a {type(made).__name__}, not a {interface.__name__}"
    _check_card(made)
    _check_constructor(made)
    identity = made.identity()
    assert isinstance(identity, Mapping), f"identity() is a mapping of plain data, got {type(identity).__name__}"
    try:
        json.dumps(dict(identity))
    except (TypeError, ValueError) as error:
        raise AssertionError(f"identity() goes into run.json, so it is plain data: {error}") from None
    return made


def _check_card(made: Component) -> None:
    card = getattr(made, "card", None)
    assert isinstance(card, Card), "it has no card: set the class attribute card = Card(summary=...)"
    assert card.summary.strip() and "\n" not in card.summary, "card.summary is one line that says what it is"
    assert card.licence.strip(), "card.licence is empty: name the licence"
    extras = (None, "models", "tfhub", "essentia", "train", "app", "text")
    ours = type(made).__module__.startswith("spectrogrand.")
    assert not ours or card.extra in extras, f"card.extra is one of {extras}, got {card.extra!r}"
    for w in card.weights:
        typed = "weights come from HubRepo, Url, ByHand or Packaged of spectrogrand.weights.sources"
        assert isinstance(w.source, Source), f"{typed}, got {w.source!r}"
        assert w.licence and w.megabytes > 0, "weights name their licence and size in megabytes"


def _check_constructor(made: Component) -> None:
    for p in inspect.signature(type(made)).parameters.values():
        assert p.kind is not p.VAR_POSITIONAL, "a constructor takes named settings, no *args"
        plain = p.default is p.empty or isinstance(p.default, str | int | float | bool | list | tuple | dict | None)
        assert plain, f"the default of {p.name} is not a plain value: {p.default!r}"
    for key, value in vars(made).items():
        home = type(value).__module__.partition(".")[0]
        small = not isinstance(value, np.ndarray) or value.nbytes <= _LARGE
        assert home not in (*HEAVY, "onnxruntime") and small, f"its constructor loads {key}: load at first use"


def _check_traits(made: Component, *traits: str) -> None:
    """Assert that the class states each trait (source, artefact) as a type."""
    for trait in traits:
        assert isinstance(getattr(type(made), trait, None), type), f"the class declares {trait} = a type, such as Audio"


def difference(a: Any, b: Any) -> float:
    """Largest difference of two artefacts in full scale (1.0); 0 for the same bytes, infinity where unlike in kind.

    >>> black, grey = (Image(np.full((2, 2, 3), v, np.uint8)) for v in (0, 51))
    >>> difference(black, grey), difference(black, black), difference("a", "b")
    (0.2, 0.0, inf)
    """
    if type(a) is not type(b):
        return np.inf
    if isinstance(a, np.ndarray):
        if a.shape != b.shape or a.dtype != b.dtype:
            return np.inf
        if a.tobytes() == b.tobytes():
            return 0.0
        scale = 255.0 if a.dtype == np.uint8 else 1.0
        apart = float(np.max(np.abs(a.astype(np.float64) - b.astype(np.float64)), initial=0.0)) / scale
        return np.inf if np.isnan(apart) else max(apart, np.finfo(float).tiny)
    if isinstance(a, Frames):
        if (a.size, a.count, a.fps) != (b.size, b.count, b.fps):
            return np.inf
        return max(np.inf if x is None or y is None else difference(x, y) for x, y in zip_longest(a, b))
    if dataclasses.is_dataclass(a) and not isinstance(a, Plan):
        return max(difference(getattr(a, f.name), getattr(b, f.name)) for f in dataclasses.fields(a))
    return 0.0 if a == b else np.inf


def _fingerprints(batch: Sequence[Any]) -> list[Any]:
    """What an item held before, to see whether a plug-in wrote into it."""
    held = {Audio: lambda x: x.samples.tobytes(), Image: lambda x: x.pixels.tobytes()}
    return [held.get(type(x), lambda x: x)(x) for x in batch]
