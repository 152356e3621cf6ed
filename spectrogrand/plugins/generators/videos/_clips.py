"""What motion models of short clips share: clip after clip from the last frame of the one before, as long as the song lasts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from ....checks import rational, shown
from ....errors import CandidateError, InvalidValue
from ....models import devices
from ....types import Frames, Image, Scene, frame_count
from .._hub_model import DiffusersGenerator


class ClipGenerator(DiffusersGenerator):
    """A `DiffusersGenerator` of clips: a subclass draws one from its first picture with `_clip`.

    Every clip after the first starts from the last frame of the one before; its first `seam` frames fade in over that frame, and
    its colours are moved by what its first frame is off, so that they do not drift. One clip is in memory at a time.
    """

    source, artefact = Scene, Frames
    width: int
    height: int
    seam: int
    rate: float | None
    _rate: Fraction

    def generate(self, sources: Sequence[Scene], seeds: Sequence[int]) -> list[Frames]:
        """One stream per (scene, seed), as long as the scene's song; clips are made while it is read.

        Raises:
            CandidateError: while it is read: the model drew numbers that are not finite, or memory is too small for one frame.
        """
        return [self._stream(scene, seed) for scene, seed in zip(sources, seeds, strict=True)]

    def _stream(self, scene: Scene, seed: int) -> Frames:
        count = frame_count(scene.song.duration, self._rate)
        start = scene.cover.resized(self.height, self.width)
        return Frames(lambda: self._shown(start, seed, count), (self.height, self.width), count, self._rate)

    def _shown(self, start: Image, seed: int, count: int) -> Iterator[np.ndarray]:
        """The video's frames: the model's own, or mixtures of neighbours where the video has more of them."""
        step = 1.0 if self.rate is None else min(1.0, self.rate / float(self._rate))
        made = self._endless(start.pixels.astype(np.float32) / 255, seed)
        first, here = next(made), 0
        second = first if step == 1.0 else next(made)
        for k in range(count):
            at = k * step
            while here < int(at):
                first, here = (next(made) if step == 1.0 else second), here + 1
                second = first if step == 1.0 else next(made)
            mixed = first + (at - here) * (second - first) if at > here else first
            yield np.round(np.clip(mixed, 0, 1) * 255).astype(np.uint8)

    def _endless(self, last: np.ndarray, seed: int) -> Iterator[np.ndarray]:
        """The model's frames, float32 [0, 1], shape=(row, column, rgb), clip after clip, without end."""
        (noise,) = devices.generators([seed])
        clip = self._clip(last, noise)
        yield from clip
        while True:
            last = clip[-1]
            clip = self._clip(last, noise)
            off = (last - clip[0]).mean(axis=(0, 1))
            clip = np.clip(clip + off, 0, 1)  # clipped, so that nothing piles up over an hour
            for j in range(1, len(clip)):
                fade = min(1.0, j / (self.seam + 1))
                yield last + fade * (clip[j] - last)

    def _clip(self, start: np.ndarray, noise: Any) -> np.ndarray:
        """One clip from its first picture, float32, shape=(frame, row, column, rgb)."""
        raise NotImplementedError

    def _checked(self, made: Any) -> np.ndarray:
        """A clip that a pipeline drew, float32, shape=(frame, row, column, rgb).

        Raises:
            CandidateError: it is not finite, or black.
        """
        clip = np.asarray(made, np.float32)
        if not np.isfinite(clip).all():
            raise CandidateError(f"{self.name} drew numbers that are not finite: try dtype=float32")
        if clip.max() < devices.BLACK:
            raise CandidateError(f"{self.name} drew black pictures: try dtype=float32")
        return clip


def read_rate(part: str, fps: Any) -> Fraction:
    """Frames a second as a fraction.

    Raises:
        InvalidValue: no rational.
    """
    try:
        return rational(fps)
    except InvalidValue as error:
        raise InvalidValue(f"{part} takes fps as a rational such as 30 or 30000/1001, got {shown(fps)}") from error
