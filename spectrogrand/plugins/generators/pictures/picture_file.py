"""picture_file: the user's own picture, whole: for pipelines that begin with one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ....errors import InvalidValue
from ....interfaces import Card, Generator
from ....media import load_image
from ....media.limits import digest
from ....registry import register
from ....types import CoverBrief, Image


@register("picture_file")
class PictureFile(Generator):
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

    source, artefact, given = CoverBrief, Image, True
    card = Card(summary="The user's own picture, whole, scaled down where it is large.")

    def __init__(self, path: str, longest: int = 1024) -> None:
        if isinstance(longest, bool) or not isinstance(longest, int) or not 16 <= longest <= 8192:
            raise InvalidValue(f"longest is 16 to 8192 pixels, got {longest!r}")
        self.path, self.longest = path, longest
        self._read: Image | None = None

    def identity(self) -> Mapping[str, Any]:
        """The sha256 of the file: what was made from other contents is made again.

        Raises:
            MediaError: the file is missing (with the nearest name in its folder), a folder, empty or over the limits.
        """
        return {"sha256": digest(self.path, "picture")}

    def inspect(self) -> None:
        """Decode the picture before anything is made, as it may come after hours of songs; it is not decoded again.

        Raises:
            MediaError: the file cannot be read as a picture.
        """
        self._read = load_image(self.path)

    def generate(self, sources: Sequence[Any], seeds: Sequence[int]) -> list[Any]:
        """The same `Image` for each (brief, seed).

        Raises:
            MediaError: the file cannot be read as a picture.
        """
        if not sources:
            return []
        picture = self._read or load_image(self.path)
        self._read = None
        rows, columns = picture.size
        scale = self.longest / max(rows, columns)
        if scale < 1:
            picture = picture.resized(max(1, round(rows * scale)), max(1, round(columns * scale)))
        return [picture for _ in sources]
