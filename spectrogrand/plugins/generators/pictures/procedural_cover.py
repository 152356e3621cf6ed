"""Covers without a model: motifs chosen by the topic, palettes from the genre's colour, painted with numpy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ....engines.painting import scenes, typefaces
from ....errors import InvalidValue
from ....interfaces import Card, Generator
from ....registry import inner, register
from ....types import CoverBrief, Image

SIZES = (16, 4096)
LONGEST = 4
"""A picture's longer side over its shorter one, at most."""


@register("procedural_cover")
class ProceduralCover(Generator):
    """Paints album covers from ten families of motifs that the topic chooses, combines and varies through a text encoder.

    The families are space, city, sea, mountains, forest and flowers, machines, faces and masks, geometry, waves, abstract flow.
    The encoder's `motif_*` columns choose subject and setting, its axes (energy, valence, tension, brightness, space, era) light,
    layout and finish; the brief's colour leads the palette (built in OKLCH, Ottosson 2020) and its word sets the gesture.

    Args:
        size: side of the square picture in pixels, 16 to 4096; the same picture is drawn at every size.
        width, height: in pixels, where the picture is no square: at most 4 to 1; None takes `size`.
        title: True sets the topic as a title, a text sets that text, False none.
        text: the text encoder, an embedder's config; its class attribute `axes` names its columns.

    Raises:
        InvalidValue: a size, title or encoder outside its range, or a brief whose colour is no known colour.

    >>> cover = ProceduralCover(size=64).generate([CoverBrief("the sea at night", "future", "dark blue", "unveils")], [0])[0]
    >>> cover.size
    (64, 64)
    """

    source = CoverBrief
    artefact = Image
    shaped = True
    parts = {"text": "embedders"}
    card = Card(
        summary="album covers painted from ten families of motifs, palettes in OKLCH",
        paper="Ottosson 2020, A perceptual color space for image processing",
        modules=("scipy", "PIL", "matplotlib"),
    )

    def __init__(
        self, size: int = 1024, title: bool | str = False, text: Mapping[str, Any] | None = None,
        width: int | None = None, height: int | None = None,
    ) -> None:  # fmt: skip
        for name, side in (("size", size), ("width", width), ("height", height)):
            whole = isinstance(side, int) and not isinstance(side, bool)
            if side is not None and not (whole and SIZES[0] <= side <= SIZES[1]):
                raise InvalidValue(
                    f"a cover's {name} is a whole number of pixels from {SIZES[0]} to {SIZES[1]}, got {side!r}"
                )
        if size is None:
            raise InvalidValue(f"a cover's size is a whole number of pixels from {SIZES[0]} to {SIZES[1]}, got None")
        self.width, self.height = width or size, height or size
        if max(self.width, self.height) > LONGEST * min(self.width, self.height):
            raise InvalidValue(
                f"a cover is at most {LONGEST} times as long as it is wide, got {self.width} x {self.height} pixels: "
                "paint it less long and cut it"
            )
        if not isinstance(title, bool | str) or (isinstance(title, str) and len(title) > 80):
            raise InvalidValue(f"title is true, false or a text of at most 80 characters, got {title!r}")
        self.size = size
        self.title = title
        self.text = dict(text) if text is not None else {"name": "lexicon"}

    def generate(self, sources: Sequence[CoverBrief], seeds: Sequence[int]) -> list[Image]:
        """One cover per (brief, seed); each depends on its own pair alone.

        Raises:
            InvalidValue: sequences of different lengths, something that is no brief, a negative seed.
        """
        if len(sources) != len(seeds):
            raise InvalidValue(f"one seed per brief: got {len(sources)} briefs and {len(seeds)} seeds")
        for brief, seed in zip(sources, seeds, strict=True):
            if not isinstance(brief, CoverBrief):
                raise InvalidValue(f"a cover is made from a CoverBrief, got {type(brief).__name__}")
            if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
                raise InvalidValue(f"a seed is a whole number of at least 0, got {seed!r}")
        rows = {topic: self._row(topic) for topic in dict.fromkeys(brief.topic for brief in sources)}
        made = []
        for brief, seed in zip(sources, seeds, strict=True):
            title = self.title if isinstance(self.title, str) else brief.topic * self.title
            painting = scenes.paint(brief, rows[brief.topic], int(seed), (self.width, self.height), title)
            made.append(Image(painting.pixels, painting.notes))
        return made

    def identity(self) -> Mapping[str, Any]:
        """What the encoder depends on, and the faces that are installed: the cover depends on them too."""
        encoder = inner(self, "text")
        return {"text": {"settings": dict(self.text), **encoder.identity()}, "faces": list(typefaces.names())}

    def _row(self, topic: str) -> dict[str, float]:
        encoder = inner(self, "text")
        axes = tuple(getattr(encoder, "axes", ()))
        vector = np.asarray(encoder.embed([topic]), np.float32)
        if vector.shape != (1, len(axes)) or not axes or not np.isfinite(vector).all():
            name = self.text.get("name")
            raise InvalidValue(
                f"text encoder {name!r} gave {vector.shape}, a row of named axes was expected: use lexicon"
            )
        return {name: float(value) for name, value in zip(axes, vector[0], strict=True)}
