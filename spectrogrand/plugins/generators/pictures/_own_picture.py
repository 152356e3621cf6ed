"""What the generators share whose picture is the user's own file: read once, known by its bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ....interfaces import Generator
from ....media import load_image
from ....media.limits import digest
from ....types import CoverBrief, Image


class OwnPicture(Generator):
    """The picture at `path`, the same for every brief and seed; `fitted` says in which size."""

    source, artefact, given = CoverBrief, Image, True
    path: str
    _read: Image | None = None

    def fitted(self, picture: Image) -> Image:
        """The picture in the size that is wanted."""
        raise NotImplementedError

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
        picture = self.fitted(self._read or load_image(self.path))
        self._read = None
        return [picture for _ in sources]
