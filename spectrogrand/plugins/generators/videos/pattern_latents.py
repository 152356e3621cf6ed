"""pattern_latents: a latent walk drawn by a compositional pattern network: symmetric silk in a song's colours, no weights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np

from ....engines.patterns import Canvas
from ....errors import InvalidValue
from ....interfaces import Card, Generator
from ....registry import register
from ....types import Frames, frame_count
from ....walks.latents import LatentWalk
from ._walks import rate

SYMMETRIES = (1, 3, 4, 5, 6, 8)
_BATCH = 64
_GAIN = 0.22
"""Radians of phase per unit of noise: a loud song then turns a fold about once in three seconds."""
_RELEASE = 0.28
"""Seconds in which an accent falls to a third."""


@register("pattern_latents")
class PatternLatents(Generator):
    """Draws a walk: class vectors choose shape and palette, noise vectors turn the folds, onsets push, light and trace them.

    Every ImageNet class is a species of a small fixed network of sines (see `spectrogrand.engines.patterns`), so the
    same class looks alike in every song. Bass onsets push the picture towards the eye, middle ones light its folds, high ones
    draw its contours; loudness opens the palette. Silence leaves a slow drift.

    Args:
        fps: frames per second, as text ("30", "30000/1001") or a number.
        size: side of the square frames in pixels, or [rows, columns].
        detail: longest side at which patterns are computed; larger frames are enlarged (they are smooth).
        symmetry: 1 (left and right), 3, 4, 5, 6 or 8 wedges of a kaleidoscope; null: the seed decides.
        motion: of the noise vectors.
        accents: of onsets.
        drift: in silence. 0 to 3 each.
    """

    card = Card(
        "a latent walk as symmetric silk: a fixed compositional pattern network, no weights",
        paper="Stanley, Compositional pattern producing networks, Genet. Program. Evolvable Mach. 8, 2007",
    )
    source = LatentWalk
    artefact = Frames

    def __init__(
        self, *, fps: str | int | float = "30", size: int | list[int] = 512, detail: int = 384, symmetry: int | None = None,
        motion: float = 1.0, accents: float = 1.0, drift: float = 1.0,
    ) -> None:  # fmt: skip
        self.fps, self.size, self.detail, self.symmetry = fps, size, detail, symmetry
        self.motion, self.accents, self.drift = motion, accents, drift
        for name in ("motion", "accents", "drift"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 3:
                raise InvalidValue(f"pattern_latents takes {name} from 0 to 3, got {value!r}")
        if symmetry is not None and symmetry not in SYMMETRIES:
            raise InvalidValue(f"symmetry is null or one of {SYMMETRIES}, got {symmetry!r}")
        if isinstance(detail, bool) or not isinstance(detail, int) or not 32 <= detail <= 2048:
            raise InvalidValue(f"detail is 32 to 2048 pixels, got {detail!r}")

    def generate(self, sources: Sequence[LatentWalk], seeds: Sequence[int]) -> list[Frames]:
        """One stream per walk; the seed draws the hidden layers, and the symmetry where none is set.

        Raises:
            InvalidValue: an fps or size that no video can have.

        >>> from spectrogrand.walks.latents import still_walk
        >>> PatternLatents(size=32, fps="12").generate([still_walk([1, 2], 43)], [0])[0].count
        12
        """
        fps, size = rate(self.fps), _size(self.size)
        return [self._stream(walk, seed, fps, size) for walk, seed in zip(sources, seeds, strict=True)]

    def _stream(self, walk: LatentWalk, seed: int, fps: Fraction, size: tuple[int, int]) -> Frames:
        count = frame_count(walk.duration, fps)
        symmetry = self.symmetry or SYMMETRIES[int(np.random.default_rng([seed, 3]).integers(len(SYMMETRIES)))]

        def make() -> Iterator[np.ndarray]:
            from PIL import Image as Pillow

            scale = min(1.0, self.detail / max(size))
            inner = (max(8, round(size[0] * scale)), max(8, round(size[1] * scale)))
            canvas = Canvas(inner, seed, symmetry)
            accents = held(walk.drive, float(walk.rate))
            for start in range(0, count, _BATCH):
                times = np.arange(start, min(start + _BATCH, count)) / float(fps)
                here = walk.at(times)
                steps = np.clip(times * float(walk.rate), 0, len(accents) - 1)
                low = steps.astype(np.int64)
                high = np.minimum(low + 1, len(accents) - 1)
                driven = accents[low] + (accents[high] - accents[low]) * (steps - low)[:, None]
                for k, seconds in enumerate(times):
                    power, bass, middle, treble = (float(v) for v in driven[k])
                    picture = canvas.draw(
                        walk.classes, here.weights[k], here.noise[k] * np.float32(_GAIN * self.motion),
                        seconds=float(seconds) * self.drift,
                        zoom=1.0 + 0.03 * np.sin(0.7 * seconds * self.drift) + 0.09 * self.accents * bass,
                        light=min(1.0, 0.9 * self.accents * middle), shimmer=min(1.0, self.accents * treble),
                        turn=0.8 * np.sin(0.4 * seconds * self.drift), energy=power,
                    )  # fmt: skip
                    if inner != size:
                        enlarged = Pillow.fromarray(picture).resize((size[1], size[0]), Pillow.Resampling.BICUBIC)
                        picture = np.asarray(enlarged)
                    yield picture

        return Frames(make, size, count, fps)


def held(drive: np.ndarray, rate: float) -> np.ndarray:
    """Curves that rise at once and fall slowly, shape=(vector, curve): y_t = max(x_t, y_{t-1} e^(-1 / (rate * release))).

    >>> held(np.array([[1.0], [0.0]]), 1 / _RELEASE)[1].round(2).tolist()
    [0.37]
    """
    fall = np.arange(len(drive))[:, None] / (rate * _RELEASE)
    level = np.log(np.maximum(drive, 1e-6).astype(np.float64))
    return np.asarray(np.exp(np.maximum.accumulate(level + fall, axis=0) - fall))


def _size(value: int | list[int]) -> tuple[int, int]:
    pair = list(value) if isinstance(value, list | tuple) else [value, value]
    if len(pair) != 2 or any(isinstance(v, bool) or not isinstance(v, int) or not 16 <= v <= 4096 for v in pair):
        raise InvalidValue(f"a frame's size is 16 to 4096 pixels, one number or [rows, columns], got {value!r}")
    return pair[0], pair[1]
