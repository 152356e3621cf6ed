"""From captions to keyframes, with the art movement that goes with each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import ConfigError, nearest
from ..media import load_image
from ..types import Image
from ..walks.storyboard import Keyframe, genre_of


def load_artworks(name: str, paths: Any) -> tuple[Image, ...]:
    """The user's own pictures; none where `paths` is empty. A path, or a list of them.

    Raises:
        ConfigError: neither a path nor a list. MediaError: one cannot be read, or is over the limits.
    """
    if paths is None or paths == "":
        return ()
    listed = [paths] if isinstance(paths, str) else paths
    if not isinstance(listed, Sequence) or not all(isinstance(p, str | Image) and p for p in listed):
        raise ConfigError(f"{name} is a picture's path or a list of them, got {paths!r}: write {name}=[a.png,b.jpg]")
    return tuple(p if isinstance(p, Image) else load_image(p) for p in listed)


def check_movements(movements: Mapping[str, Any], hint: Any) -> None:
    """Check that each genre has an art movement, and so has the genre that the user names for captions without one.

    >>> check_movements({"jazz": "art deco"}, "jazz")
    """
    if not all(isinstance(v, str) and v.strip() for v in movements.values()):
        raise ConfigError("movements give each genre the words of its art movement: see conf/movements/published.yaml")
    if hint is not None and hint not in movements:
        raise ConfigError(f"genre_hint={hint} has no art movement; {nearest(str(hint), movements)}")


def write_board(
    captions: Sequence[str],
    movements: Mapping[str, str],
    own: tuple[Image, ...],
    hint: str | None,
    least: int,
    topic: str | None = None,
) -> list[Keyframe]:
    """A keyframe per caption, in order; where these are fewer than `least`, the captions are gone through again.

    Args:
        captions: what the song sounds like, stretch by stretch.
        movements: genre to art movement; the first genre that a caption names decides, else `hint`'s, else none.
        own: the user's artworks.
        hint: a genre that the user names for captions that name none; it need not be in `movements`.
        least: how many keyframes at least.
        topic: what the user says it is about.

    Raises:
        ConfigError: `hint` is no genre of `movements`, or `movements` holds something else than text.
    """
    check_movements(movements, hint)
    said = [captions[k % len(captions)] for k in range(max(least, len(captions)))]
    found = [genre_of(caption, movements) or hint for caption in said]
    return [
        Keyframe(caption, genre, movements[genre] if genre else None, own, topic)
        for caption, genre in zip(said, found, strict=True)
    ]
