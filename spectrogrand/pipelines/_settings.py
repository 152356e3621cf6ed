"""Settings that pipelines share, checked before anything is made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from .. import media, registry
from ..errors import ConfigError, UnknownName, nearest
from ..media.limits import open_local
from ..media.sniff import sniff
from ..types import Audio


def whole(config: Mapping[str, Any], key: str, low: int, high: int) -> int:
    """A whole number from `low` to `high`.

    >>> whole({"songs": 4}, "songs", 1, 100)
    4
    """
    value = config.get(key)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ConfigError(
            f"{key} is a whole number from {low:,} to {high:,}, got {value!r}: set {key}={max(low, 1)}, say"
        )
    return value


def frame_rate(config: Mapping[str, Any], key: str = "fps") -> Fraction:
    """Frames per second: any rational above 0 and at most 120, as a number or as text.

    >>> frame_rate({"fps": "30000/1001"})
    Fraction(30000, 1001)
    """
    try:
        fps = Fraction(str(config.get(key)))
    except (ValueError, ZeroDivisionError):
        fps = Fraction(0)
    if not 0 < fps <= 120:
        raise ConfigError(
            f"{key} is a number of frames a second above 0 and at most 120, got {config.get(key)!r}: set {key}=30"
        )
    return fps


def slots(config: Mapping[str, Any], *names: str) -> None:
    """Check that something fills each of these slots.

    Raises:
        ConfigError: one of them is empty.

    >>> slots({"song": {"name": "house_synth"}}, "song")
    """
    for name in names:
        if not isinstance(config.get(name), Mapping):
            raise ConfigError(f"nothing fills the slot {name!r}: choose one with {name}=NAME")


def wanted(names: Any, known: Sequence[str], key: str = "videos") -> list[str]:
    """The names that a list setting chooses, in the order of `known`.

    >>> wanted(["motion", "static"], ("static", "motion"))
    ['static', 'motion']
    """
    if isinstance(names, str) or not isinstance(names, Sequence):
        raise ConfigError(f"{key} is a list, got {names!r}: write {key}=[{','.join(known[:2])}]")
    for name in names:
        if name not in known:
            raise UnknownName(f"no {key.removesuffix('s')} {name!r}; {nearest(str(name), known)}")
    return [n for n in known if n in names]


def own_files(config: Mapping[str, Any], *names: str) -> None:
    """Check that the user's own files can be opened before anything is made: songs, pictures, a melody to follow.

    A picture is decoded too, as it may come after hours of songs; a sound is the first thing that a run reads.

    Args:
        names: the slots to look at.

    Raises:
        ConfigError: a slot reads a file and none was given. MediaError: it is missing, empty, over the limits, or no picture.

    >>> own_files({"song": {"name": "house_synth"}}, "song")
    """
    for slot in names:
        part = config.get(slot)
        if not isinstance(part, Mapping) or not part.get("name"):
            continue  # said where the slot is filled
        made = registry.get("generators", str(part.get("name")))
        artefact, path = getattr(made, "artefact", None), part.get("path")
        if not getattr(made, "given", False):
            if part.get("melody"):
                open_local(str(part["melody"]), "sound")[1].close()
        elif not path:
            what = "song" if artefact is Audio else "picture"
            raise ConfigError(f"{slot}={part['name']} reads your own {what} and none is named: set {slot}.path=FILE")
        elif artefact is Audio:
            with open_local(str(path), "sound")[1] as file:
                known = sniff(file)
            if known is None:
                media.load_audio(str(path))  # says what it is instead
        else:
            media.load_image(str(path))
