"""cover_file: the user's own cover, from a picture or the first frame of a video."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ....errors import InvalidValue
from ....interfaces import Card, Generator
from ....media import load_image
from ....media.limits import digest
from ....registry import register
from ....types import CoverBrief, Image


@register("cover_file")
class CoverFile(Generator):
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

    source, artefact, given = CoverBrief, Image, True
    card = Card(summary="The user's own cover: a picture, or the first frame of a video.")

    def __init__(self, path: str, size: int | None = 1024) -> None:
        if size is not None and not 16 <= size <= 8192:
            raise InvalidValue(f"a cover's size is 16 to 8192 pixels or None (as it is), got {size}")
        self.path, self.size = path, size
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
        cover = self._read or load_image(self.path)
        self._read = None
        if self.size is not None:
            cover = cover.resized(self.size, self.size)
        return [cover for _ in sources]
