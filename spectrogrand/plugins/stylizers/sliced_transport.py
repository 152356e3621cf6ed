"""Colour and texture statistics of one picture moved onto another by sliced optimal transport, in time with the stream."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from ...engines.restyle.canvas import MovingCanvas, StillCanvas
from ...errors import InvalidValue
from ...interfaces import Card, Stylizer
from ...registry import register
from ...types import Frames, Image


@register("sliced_transport")
class SlicedTransport(Stylizer):
    """Draws the content with the colours, texture and energy of the style; a stream sets the pace.

    Colours: iterative distribution transfer (Pitie, Kokaram, Dahyot 2007, algorithm 1) in OKLab, solved on a few thousand
    points every eight frames towards quantile functions that are averaged over time, and applied as a table, so that
    colours are steady. Pace: the stream's rows are read as bands (low ones at the bottom, the present at `now`); beats
    are tracked in them, up to six seconds ahead, for which the stream is walked twice at once.

    A still content keeps its shapes. Its large light is replaced: by one lamp, by curtains of light that every sound
    sends outwards along the picture's own shapes, and by a bloom and a push on each beat.
    A streaming content keeps its shapes, too: brightness is its level, colour its height, and it bends the style's
    texture like water.

    Args:
        strength: how far colours move, 0 (the content's own) to 1 (the style's).
        light: how much the stream's energy lights the picture, 0 to 1.
        displacement: how far a beat pushes the picture, in thousandths of its longer side, 0 to 50.
        now: where in the stream's pictures the present is, 0 (left edge) to 1 (right edge); `spectrogram_frames`
            centres its windows on it.
        strokes: how thick the brush strokes are by which a still content is painted anew along its shapes, and painted over by
            each beat and by what sounds, 0 (its own pixels) to 1.
        solve: side in pixels of the pictures on which transport is solved, 8 to 256.
    """

    card = Card(
        "sliced optimal transport of colour and texture, in time with the music",
        paper="Pitie, Kokaram, Dahyot 2007, doi:10.1016/j.cviu.2006.11.011; Rabin et al. 2012, doi:10.1007/978-3-642-24785-9_37",
    )

    def __init__(
        self,
        *,
        strength: float = 0.85,
        light: float = 0.5,
        displacement: float = 8.0,
        now: float = 0.5,
        solve: int = 64,
        strokes: float = 0.25,
    ) -> None:
        limits = {
            "strength": (strength, 0, 1), "light": (light, 0, 1), "displacement": (displacement, 0, 50),
            "strokes": (strokes, 0, 1),
        }  # fmt: skip
        for name, (value, low, high) in (limits | {"now": (now, 0, 1), "solve": (solve, 8, 256)}).items():
            if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
                raise InvalidValue(f"sliced_transport takes {name} from {low} to {high}, got {value!r}")
        self.strength, self.light, self.displacement = strength, light, displacement
        self.now, self.solve, self.strokes = now, int(solve), strokes

    def stylize(self, content: Image | Frames, style: Image | Frames) -> Frames:
        """Styled frames in the content's size; nothing is drawn before they are asked for.

        Raises:
            InvalidValue: two streams that differ in count or fps.

        >>> grey = Image(np.full((8, 8, 3), 128, np.uint8))
        >>> red = Image(np.full((4, 4, 3), (200, 30, 30), np.uint8))
        >>> frames = SlicedTransport().stylize(grey, red)
        >>> frames.size, frames.count
        ((8, 8), 1)
        """
        if (
            isinstance(content, Frames)
            and isinstance(style, Frames)
            and (content.count, content.fps) != (style.count, style.fps)
        ):
            raise InvalidValue(
                f"two streams must agree: content has {content.count} frames at {content.fps} fps, "
                f"style {style.count} at {style.fps}; resample one of them"
            )
        stream = content if isinstance(content, Frames) else style if isinstance(style, Frames) else None
        count, fps = (stream.count, stream.fps) if stream else (1, Fraction(1))

        def make() -> Iterator[np.ndarray]:
            canvas = StillCanvas if isinstance(content, Image) else MovingCanvas
            yield from canvas(content, style, vars(self)).frames()  # type: ignore[arg-type]

        return Frames(make, content.size, count, fps)
