"""A cover set in motion by a song: a director's cuts and framings, camera, depth, and light on the beat."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np

from ....audio.features import analyse
from ....checks import rational, shown
from ....engines.motion.choreography import Moves, moves
from ....engines.motion.stage import Shot, Stage
from ....errors import InvalidValue
from ....interfaces import Card, Generator
from ....registry import register
from ....types import Frames, Scene, frame_count


@register("motion")
class Motion(Generator):
    """Moves a cover to its song: it drifts and breathes, and is pushed and lit by each beat.

    The song's sections direct it: little moves in an intro or a break, which is darker, too; a build comes closer; every
    section begins with a new framing, and drops move most. What has no straight lines flows with the bands; lines,
    letters and faces stay rigid. No second holds more than three flashes.

    The camera glides fastest just after a beat and comes to rest before the next; downbeats split the colours for a moment,
    drops push harder. A pseudo-depth of the cover parts near from far. Silence leaves a slow, calm drift.

    Args:
        fps: frames per second, as text ("30", "30000/1001") or a number.
        size: side of the square frames in pixels, or [rows, columns].
        loop: the last frame flows into the first, camera and lights alike (for a song that loops).
        strength: scales everything below at once, 0 to 2.
        depth, zoom, drift, displacement, light, accents, dust: scale one part each, 0 to 3.
    """

    card = Card("a cover moved by its song: depth, zoom, drift, displacement and light on the beat")
    source = Scene
    artefact = Frames

    def __init__(
        self, *, fps: str | int | float = "30", size: int | list[int] = 512, loop: bool = False, strength: float = 1.0,
        depth: float = 1.0, zoom: float = 1.0, drift: float = 1.0, displacement: float = 1.0, light: float = 1.0,
        accents: float = 1.0, dust: float = 1.0,
    ) -> None:  # fmt: skip
        self.fps, self.size, self.loop, self.strength = fps, size, loop, strength
        self.depth, self.zoom, self.drift, self.displacement = depth, zoom, drift, displacement
        self.light, self.accents, self.dust = light, accents, dust
        for name, value in vars(self).items():
            most = 2 if name == "strength" else 3
            if name not in ("fps", "size", "loop") and not _within(value, most):
                raise InvalidValue(f"motion takes {name} from 0 to {most}, got {value!r}")

    def generate(self, sources: Sequence[Scene], seeds: Sequence[int]) -> list[Frames]:
        """One stream per scene; the seed sets where the camera sets out.

        Raises:
            InvalidValue: an fps or size that no video can have.

        >>> from spectrogrand import Audio, Image
        >>> scene = Scene(Image(np.full((8, 8, 3), 90, np.uint8)), Audio(np.zeros((1, 4000), np.float32), 8000))
        >>> frames = Motion(size=[6, 10], fps="12").generate([scene], [0])[0]
        >>> frames.size, frames.count
        ((6, 10), 6)
        """
        fps, size = _rate(self.fps), _size(self.size)
        return [self._stream(scene, seed, fps, size) for scene, seed in zip(sources, seeds, strict=True)]

    def _stream(self, scene: Scene, seed: int, fps: Fraction, size: tuple[int, int]) -> Frames:
        count = frame_count(scene.song.duration, fps)

        def make() -> Iterator[np.ndarray]:
            plan = moves(scene.song, analyse(scene.song), count, float(fps), self.loop, seed)
            stage = Stage(scene.cover.pixels, size, seed)
            start = np.random.default_rng(seed).uniform(0, 1, 3)
            for k in range(count):
                yield stage.draw(self._shot(plan, k, start, size, stage.calm))

        return Frames(make, size, count, fps)

    def _shot(self, plan: Moves, k: int, start: np.ndarray, size: tuple[int, int], calm: float) -> Shot:
        """Where everything is in frame k; `unit` is the length of one scaled pixel of a 512-pixel picture."""
        (rows, columns), unit = size, max(size) / 512 * self.strength
        told = plan.direction
        move, turn = float(told.energy[k]), plan.phase[k]
        beat, bar, drop = move * plan.beat[k], move * plan.bar[k], plan.drop[k]
        a, b = 2 * np.pi * (turn + start[0]), 2 * np.pi * (turn + start[1])
        s, sway, lean = self.strength, calm * unit * self.drift, min(calm, 1.1) * unit * self.depth
        low, middle, high = move * unit * self.displacement * plan.bands[:, k]
        zoom = 1.1 + s * (0.025 * self.drift * np.sin(a) + self.zoom * (0.018 * beat + 0.03 * drop))
        frame = min(1.0, s) * told.zoom[k]
        return Shot(
            zoom=max(1.0, zoom + frame),
            dolly=s * self.depth * (0.02 * np.sin(a) + 0.015 * beat),
            pan=(
                sway * 9 * np.sin(2 * b) + told.down[k] * frame * rows / 2,
                sway * 13 * np.sin(a) + told.right[k] * frame * columns / 2,
            ),
            parallax=(lean * 13 * np.sin(a), lean * 25 * np.cos(a)),
            waves=(3.0 * low, 2.0 * middle, 0.7 * high),
            turn=float(turn + start[2]),
            light=s * self.light * (0.5 * move * plan.flash[k] + 0.4 * drop),
            level=float(1 - min(1.0, s) * (1 - told.light[k])),
            dust=s * self.dust * (0.2 + 0.4 * plan.energy[k] + 0.4 * beat),
            split=float(unit * self.accents * (5 * bar + 3 * drop)),
        )


def _within(value: object, most: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= most


def _rate(fps: str | int | float) -> Fraction:
    try:
        rate = rational(fps)
    except InvalidValue:
        rate = Fraction(0)
    if not 0 < rate <= 240:
        raise InvalidValue(f'motion takes fps above 0 and at most 240, such as "30" or "30000/1001", got {shown(fps)}')
    return rate


def _size(size: int | Sequence[int]) -> tuple[int, int]:
    pair = [size, size] if isinstance(size, int) else list(size)
    if len(pair) != 2 or any(isinstance(n, bool) or not isinstance(n, int) or not 1 <= n <= 8192 for n in pair):
        raise InvalidValue(
            f"motion takes size as one side or [rows, columns], each from 1 to 8192 pixels, got {size!r}"
        )
    return pair[0], pair[1]
