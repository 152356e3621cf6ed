"""Still pictures for the report's video players: one frame of each video, small, inside the page itself."""

from __future__ import annotations

import base64
import io
from itertools import islice
from pathlib import Path

from ..errors import MediaError
from ..types import Image

_SIDE = 480
_LATEST = 75


def poster(video: Path) -> str | None:
    """A frame from the first quarter of a video (the 75th at most) as a data URI, JPEG; None where it cannot be read.

    >>> poster(Path("nothing.mp4")) is None
    True
    """
    from ..media import load_video

    try:
        frames = load_video(video)
        pixels = next(islice(frames.make(), min(frames.count // 4, _LATEST), None))
    except (MediaError, StopIteration):
        return None
    return data_uri(Image(pixels))


def data_uri(image: Image) -> str:
    """A picture as a data URI, JPEG, its longer side at most 480 pixels.

    >>> import numpy as np
    >>> data_uri(Image(np.zeros((4, 4, 3), np.uint8)))[:23]
    'data:image/jpeg;base64,'
    """
    from PIL import Image as Pillow

    small = Pillow.fromarray(image.pixels)
    small.thumbnail((_SIDE, _SIDE), Pillow.Resampling.LANCZOS)
    held = io.BytesIO()
    small.save(held, "JPEG", quality=82, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(held.getvalue()).decode("ascii")
