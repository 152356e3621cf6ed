"""From captions to keyframes, and from stored pictures to a sequence that reads one at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, overload

from ..errors import ConfigError, nearest
from ..media import load_image
from ..run.artefacts import Item, load
from ..types import Image
from ..walks.storyboard import Keyframe, genre_of


def artworks(paths: Any) -> tuple[Image, ...]:
    """The user's own pictures; none where `paths` is null. A path, or a list of them.

    Raises:
        ConfigError: neither a path nor a list. MediaError: one cannot be read, or is over the limits.
    """
    if paths is None or paths == "":
        return ()
    listed = [paths] if isinstance(paths, str) else paths
    if not isinstance(listed, Sequence) or not all(isinstance(p, str) and p for p in listed):
        raise ConfigError(
            f"artworks is a picture's path or a list of them, got {paths!r}: write artworks=[a.png,b.jpg]"
        )
    return tuple(load_image(p) for p in listed)


def known(movements: Mapping[str, Any], hint: Any) -> None:
    """Check that each genre has an art movement, and so has the genre that the user names for captions without one.

    >>> known({"jazz": "art deco"}, "jazz")
    """
    if not all(isinstance(v, str) and v.strip() for v in movements.values()):
        raise ConfigError("movements give each genre the words of its art movement: see conf/movements/published.yaml")
    if hint is not None and hint not in movements:
        raise ConfigError(f"genre_hint={hint} has no art movement; {nearest(str(hint), movements)}")


def board(
    captions: Sequence[str],
    movements: Mapping[str, str],
    own: tuple[Image, ...],
    hint: str | None,
    least: int,
    topic: str | None = None,
) -> list[Keyframe]:
    """A keyframe per caption, in order; where these are fewer than `least`, the captions are gone through again.

    Args:
        movements: genre to art movement; the first genre that a caption names decides, else `hint`'s, else none.
        topic: what the user says it is about.
        hint: a genre that the user names for captions that name none; it need not be in `movements`.

    Raises:
        ConfigError: `hint` is no genre of `movements`, or `movements` holds something else than text.
    """
    known(movements, hint)
    said = [captions[k % len(captions)] for k in range(max(least, len(captions)))]
    found = [genre_of(caption, movements) or hint for caption in said]
    return [
        Keyframe(caption, genre, movements[genre] if genre else None, own, topic)
        for caption, genre in zip(said, found, strict=True)
    ]


class Stored(Sequence[Image]):
    """Pictures of the store, each read when it is asked for and kept by nobody."""

    def __init__(self, items: Sequence[Item]) -> None:
        self._folders = [item.entry.folder for item in items]

    def __len__(self) -> int:
        return len(self._folders)

    @overload
    def __getitem__(self, index: int) -> Image: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Image]: ...
    def __getitem__(self, index: int | slice) -> Image | Sequence[Image]:
        if isinstance(index, slice):
            return [self[k] for k in range(*index.indices(len(self)))]
        picture = load(self._folders[index])
        assert isinstance(picture, Image)
        return picture
