"""Pictures that become each other as paint flows, along a walk that the song drives: no model, no cross-fade."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ....engines.morph.morphing import Morph
from ....errors import InvalidValue
from ....interfaces import Card, Generator
from ....registry import register
from ....types import Frames
from ....walks.storyboard import Walk


@register("morph")
class PictureMorph(Generator):
    """Draws each position of a walk: at k it is picture k itself, between k and k + 1 the one flows into the other.

    Patches travel along the optimal transport between the pictures, palettes along the optimal transport between their
    colours, and a front decides place by place where the one's surface gives way to the other's (`imaging.morphing`). Two
    pictures are held at a time, whatever the length.

    Args:
        size: side of the square frames in pixels, or [rows, columns].
        flow: how far patches travel, 0 (not at all) to 1 (all the way).
        turbulence: how far eddies bend the picture half way, in thousandths of its side, 0 to 200.

    >>> from spectrogrand import Image
    >>> from fractions import Fraction
    >>> two = [Image(np.full((16, 16, 3), v, np.uint8)) for v in (0, 200)]
    >>> frames = PictureMorph(size=16).generate([Walk(two, np.array([0.0, 0.5, 1.0]), Fraction(10))], [0])[0]
    >>> [int(p.mean()) for p in frames][::2]
    [0, 200]
    """

    card = Card(
        "pictures that flow into each other: patches and palettes along their optimal transport, driven by the song",
        paper="Cuturi, Sinkhorn distances, NIPS 2013; McCann 1997, displacement interpolation; Pitie et al. 2007",
    )
    source = Walk
    artefact = Frames

    def __init__(self, *, size: int | list[int] = 512, flow: float = 1.0, turbulence: float = 20.0) -> None:
        pair = [size, size] if isinstance(size, int) else list(size)
        if len(pair) != 2 or any(isinstance(n, bool) or not isinstance(n, int) or not 2 <= n <= 8192 for n in pair):
            raise InvalidValue(f"morph takes size as one side or [rows, columns], from 2 to 8192 pixels, got {size!r}")
        for name, value, most in (("flow", flow, 1), ("turbulence", turbulence, 200)):
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
                raise InvalidValue(f"morph takes {name} from 0 to {most}, got {value!r}")
        self.size, self.flow, self.turbulence = size, flow, turbulence

    def generate(self, sources: Sequence[Walk], seeds: Sequence[int]) -> list[Frames]:
        """One stream per walk; the seed sets where eddies turn and fronts begin."""
        return [self._stream(walk, int(seed)) for walk, seed in zip(sources, seeds, strict=True)]

    def _stream(self, walk: Walk, seed: int) -> Frames:
        size = (self.size, self.size) if isinstance(self.size, int) else (self.size[0], self.size[1])

        def make() -> Iterator[np.ndarray]:
            here, morph, last = -1, None, len(walk.pictures) - 1
            for position in walk.positions:
                k = min(int(position), last - 1)
                if last == 0:
                    k = 0
                if k != here or morph is None:
                    a, b = walk.pictures[k].pixels, walk.pictures[min(k + 1, last)].pixels
                    here = k
                    morph = Morph(a, b, size, seed=seed + 1000 * k, flow=self.flow, turbulence=self.turbulence / 1000)
                yield morph.draw(float(position) - k)

        return Frames(make, size, walk.count, walk.fps)
