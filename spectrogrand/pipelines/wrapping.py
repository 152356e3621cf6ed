"""Plain functions and torchmetrics metrics as plug-ins: a scorer in one line of a notebook."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..errors import InvalidValue
from ..interfaces import Card, CreativityScorer
from ..provenance import source_hash
from ..registry import build, register
from ..types import Audio, Image

ASPECTS = ("novelty", "value", "surprise")


def scorer(name: str, *, aspect: str, artefact: type, summary: str = "") -> Callable[[Callable[[Any], Any]], Any]:
    """Register a function of one artefact as a scorer; it can be chosen by its name at once.

    Args:
        name: of the scorer.
        aspect: "novelty", "value" or "surprise".
        artefact: `Audio`, `Image` or `str`: what is rated.
        summary: what it measures, for lists and reports; the function's first line where it is left out.

    Returns:
        A decorator. It takes a function from an artefact to a number, or a torchmetrics metric of one batch, to which a
        picture is given as float32 in [0, 1] (1, rgb, row, column), since uint8 wraps round where a metric subtracts it,
        and a sound as float32 (1, channel, time); it gives back the class.

    Raises:
        InvalidValue: no such aspect.

    >>> @scorer("redness", aspect="value", artefact=Image)
    ... def redness(image):
    ...     return image.pixels[..., 0].mean() / 255
    >>> float(redness().score([Image(np.full((2, 2, 3), 51, np.uint8))])[0])
    0.2
    """
    if aspect not in ASPECTS:
        raise InvalidValue(f"a scorer's aspect is one of {', '.join(ASPECTS)}, got {aspect!r}")

    def wrap(function: Callable[[Any], Any]) -> type[CreativityScorer]:
        is_metric = hasattr(function, "update") and hasattr(function, "compute")
        said = summary or (function.__doc__ or name).strip().splitlines()[0]

        class Wrapped(CreativityScorer):
            __doc__ = f"{said}\n\n    A plain function, registered as a scorer."
            card = Card(said, licence="the author's")
            rate = staticmethod(function) if not is_metric else function

            def score(self, batch: Sequence[Any]) -> np.ndarray:
                return np.array(
                    [float(_rate_by_metric(function, x) if is_metric else function(x)) for x in batch], np.float64
                )

            def identity(self) -> dict[str, Any]:
                """The function's own source: two functions of one name do not share scores."""
                return {"function": source_hash(type(function) if is_metric else function)}

        Wrapped.aspect, Wrapped.artefact = aspect, artefact
        Wrapped.__name__ = Wrapped.__qualname__ = getattr(function, "__name__", type(function).__name__)
        Wrapped.__module__ = getattr(function, "__module__", __name__)
        return register(name)(Wrapped)

    return wrap


def _rate_by_metric(metric: Any, item: Any) -> float:
    import torch

    if isinstance(item, Image):
        batch = torch.from_numpy(np.ascontiguousarray(item.pixels.transpose(2, 0, 1), np.float32)[None] / 255)
    elif isinstance(item, Audio):
        batch = torch.from_numpy(np.ascontiguousarray(item.samples)[None])
    else:
        batch = [item]
    metric.reset()
    metric.update(batch)
    return float(metric.compute())


def generator(name: str, **settings: Any) -> Any:
    """A generator by its name and settings: what `build("generators", name, ...)` makes.

    >>> generator("house_synth", duration=2.0).duration
    2.0
    """
    return build("generators", name, **settings)
