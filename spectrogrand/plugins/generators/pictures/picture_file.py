"""picture_file: the user's own picture, whole: for pipelines that begin with one."""

from __future__ import annotations

from ....errors import InvalidValue
from ....interfaces import Card
from ....registry import register
from ....types import Image
from ._own_picture import OwnPicture


@register("picture_file")
class PictureFile(OwnPicture):
    """Reads the picture at `path`, uncut, scaled down where its longer side has more than `longest` pixels.

    Args:
        path: a raster picture, or an animation or video whose first frame is taken; `~` is the home folder.
        longest: pixels of the longer side, 16 to 8192.

    Raises:
        InvalidValue: `longest` outside its range.

    >>> PictureFile(path="art.png", longest=4)
    Traceback (most recent call last):
    spectrogrand.errors.InvalidValue: longest is 16 to 8192 pixels, got 4
    """

    card = Card(summary="The user's own picture, whole, scaled down where it is large.")

    def __init__(self, path: str, longest: int = 1024) -> None:
        if isinstance(longest, bool) or not isinstance(longest, int) or not 16 <= longest <= 8192:
            raise InvalidValue(f"longest is 16 to 8192 pixels, got {longest!r}")
        self.path, self.longest = path, longest

    def fitted(self, picture: Image) -> Image:
        """The whole picture, no side longer than `longest`."""
        rows, columns = picture.size
        scale = self.longest / max(rows, columns)
        if scale >= 1:
            return picture
        return picture.resized(max(1, round(rows * scale)), max(1, round(columns * scale)))
