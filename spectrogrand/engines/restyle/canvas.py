"""The two ways of drawing: a still picture under a stream, and a stream under a picture."""

from .moving_canvas import MovingCanvas
from .still_canvas import StillCanvas

__all__ = ["MovingCanvas", "StillCanvas"]
