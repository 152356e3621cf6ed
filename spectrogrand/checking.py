"""What all contract checks share: the plug-in itself (card, constructor, identity), and how far two artefacts are apart."""

from __future__ import annotations

import dataclasses
import inspect
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from itertools import zip_longest
from typing import Any

import numpy as np

from .interfaces import Card, Component, Source
from .types import Audio, Frames, Image, Plan

HEAVY = ("torch", "tensorflow", "jax", "diffusers", "transformers", "essentia", "librosa", "matplotlib")
"""Modules that neither importing nor building a plug-in may load."""
_LARGE = 1 << 16


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


def declares(made: Component, *traits: str) -> None:
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


def prints(batch: Sequence[Any]) -> list[Any]:
    """What an item held before, to see whether a plug-in wrote into it."""
    held = {Audio: lambda x: x.samples.tobytes(), Image: lambda x: x.pixels.tobytes()}
    return [held.get(type(x), lambda x: x)(x) for x in batch]
