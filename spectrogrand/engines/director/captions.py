"""Captions on a stream of pictures: the song's lines on its beats, its title and artist at the beginning."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ...image.lettering import set_lines, shadow_of
from ...types import Frames

TITLE = (0.4, 4.4)
"""Seconds between which title and artist are shown."""
RISE, FALL = 0.08, 0.18
"""Seconds in which text comes and goes."""
SAFE = {"wide": 0.90, "tall": 0.76}
"""Where captions end, as a share of the height: what stands lower is under the buttons of upright players."""


@dataclass(frozen=True)
class Caption:
    """Text that is shown in [start, end) seconds: a "line" of the song, the "title" or the "artist"."""

    start: float
    end: float
    text: str
    kind: str = "line"


def write_captions(frames: Frames, captions: Sequence[Caption], box: tuple[int, int, int, int] | None = None) -> Frames:
    """The frames with the captions drawn over them; lines of the song low in the middle, title and artist above them.

    `box` (top, left, height, width) is where text is wanted; None is the whole frame, without its lowest part.

    >>> from fractions import Fraction
    >>> grey = Frames(lambda: (np.full((120, 160, 3), 90, np.uint8) for _ in range(4)), (120, 160), 4, Fraction(2))
    >>> shown = list(write_captions(grey, [Caption(1.0, 2.0, "la la la")]))
    >>> [bool((picture != 90).any()) for picture in shown]
    [False, False, True, True]
    """
    fps = float(frames.fps)

    def make() -> Iterator[np.ndarray]:
        drawn: dict[Caption, _Drawn] = {}
        for k, picture in enumerate(frames):
            time = (k + 0.5) / fps
            shown = [c for c in captions if c.start <= time + 0.5 / fps and time < c.end]
            drawn = {c: drawn.get(c) or _Drawn(c, frames.size, box) for c in shown}
            for caption, ink in drawn.items():
                since, left = time + 0.5 / fps - caption.start, caption.end - time
                picture = ink.over(picture, float(np.clip(min(since / RISE, left / FALL), 0, 1)))
            yield picture

    return Frames(make, frames.size, frames.count, frames.fps)


class _Drawn:
    """A caption's ink and rim, and where they lie."""

    def __init__(self, caption: Caption, size: tuple[int, int], box: tuple[int, int, int, int] | None) -> None:
        rows, columns = size
        over, beside, high, broad = box or (0, 0, rows, columns)
        short = min(size)
        share = {"line": 0.062, "title": 0.082, "artist": 0.046}[caption.kind]
        ink = set_lines(caption.text, round(0.86 * broad), round(share * short), 3 if caption.kind == "line" else 2)
        reach = max(1.0, 0.006 * short)
        self._shade = shadow_of(ink, reach).astype(np.float32)
        pad = (len(self._shade) - len(ink)) // 2
        self._ink = np.pad(ink, pad)
        foot = over + high * (0.96 if box else SAFE["tall" if rows > 1.2 * columns else "wide"])
        if caption.kind == "title":
            foot -= 0.2 * short
        elif caption.kind == "artist":
            foot -= 0.12 * short
        top = round(foot) - len(ink) - pad
        left = beside + (broad - self._ink.shape[1]) // 2
        up, before = max(0, -top), max(0, -left)
        tall, wide = min(len(self._ink), rows - top), min(self._ink.shape[1], columns - left)
        self._ink, self._shade = self._ink[up:tall, before:wide, None], self._shade[up:tall, before:wide, None]
        self._at = (slice(top + up, top + tall), slice(left + before, left + wide))

    def over(self, picture: np.ndarray, opacity: float) -> np.ndarray:
        """A copy of the picture with the text on it."""
        if opacity <= 0 or self._ink.size == 0:
            return picture
        out = picture.copy()
        part = out[self._at].astype(np.float32)
        part *= 1 - opacity * self._shade
        part += opacity * self._ink * (250 - part)
        out[self._at] = np.clip(part + 0.5, 0, 255).astype(np.uint8)
        return out
