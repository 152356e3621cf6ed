"""cover_file: the user's own cover, from a picture or the first frame of a video."""

from __future__ import annotations

from ....errors import InvalidValue
from ....interfaces import Card
from ....registry import register
from ....types import Image
from ._own_picture import OwnPicture


@register("cover_file")
class CoverFile(OwnPicture):
    """Reads the picture at `path`; every brief and seed gives the same cover, decoded once a call.

    Args:
        path: a raster picture, or a video whose first frame is taken; `~` is the home folder.
        size: side in pixels of the square that is cut from the middle and scaled (Lanczos); None leaves the picture as
            it is.

    Raises:
        InvalidValue: a size below 16 or above 8192.

    >>> CoverFile(path="art.png", size=4)
    Traceback (most recent call last):
    spectrogrand.errors.InvalidValue: a cover's size is 16 to 8192 pixels or None (as it is), got 4
    """

    card = Card(summary="The user's own cover: a picture, or the first frame of a video.")

    def __init__(self, path: str, size: int | None = 1024) -> None:
        if size is not None and not 16 <= size <= 8192:
            raise InvalidValue(f"a cover's size is 16 to 8192 pixels or None (as it is), got {size}")
        self.path, self.size = path, size

    def fitted(self, picture: Image) -> Image:
        """A square of `size` cut from the middle."""
        return picture if self.size is None else picture.resized(self.size, self.size)
