"""Whether chosen parts fit together, told before anything is made: what a slot gives and wants, and who rates what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import registry
from ..errors import ConfigError

Gives = Mapping[str, tuple[type, type]]
"""Per slot that a generator fills: what the pipeline gives it, and what it must make."""


def check(config: Mapping[str, Any], gives: Gives) -> None:
    """Check the generators of a pipeline's slots, and every scorer with its weight.

    Raises:
        ConfigError: a generator takes or makes something else, a scorer rates something else, or a weight is no number.
        UnknownName: no such plug-in.

    >>> from spectrogrand.types import Image, Topic
    >>> check({"cover": {"name": "procedural_cover"}}, {"cover": (Topic, Image)})
    Traceback (most recent call last):
    ...
    spectrogrand.errors.ConfigError: cover=procedural_cover draws from CoverBrief, the slot gives Topic: ...
    """
    for slot, (source, artefact) in gives.items():
        if not config.get(slot):
            raise ConfigError(f"nothing fills the slot {slot!r}: choose one with {slot}=NAME")
        name = _name(config[slot])
        makes(slot, name, artefact)
        takes = getattr(registry.get("generators", name), "source", object)
        if not issubclass(source, takes):
            raise ConfigError(
                f"{slot}={name} draws from {takes.__name__}, the slot gives {source.__name__}: choose another with {slot}=NAME"
            )
    for key, entries in config.items():
        slot = key.removesuffix("_scorers")
        if slot == key or not isinstance(entries, Mapping):
            continue
        for name, entry in entries.items():
            if entry is not None:
                weight(slot, name, entry)
                if slot in gives:
                    rates(slot, name, _name(entry.get("scorer")), gives[slot][1])


def makes(slot: str, name: str, artefact: type) -> None:
    """Check that a generator makes what its slot needs.

    Raises:
        ConfigError: it makes something else; those that would do are named.
    """
    made = registry.get("generators", name).artefact  # type: ignore[attr-defined]
    if made is not artefact:
        known = registry.names("generators")
        fits = [n for n in known if getattr(registry.get("generators", n), "artefact", None) is artefact]
        raise ConfigError(
            f"{slot}={name} makes {made.__name__}, the slot needs {artefact.__name__}: one of {', '.join(fits)}"
        )


def rates(slot: str, name: str, scorer: str, artefact: type) -> None:
    """Check that a scorer rates what its slot makes.

    Raises:
        ConfigError: it rates something else.
    """
    rated = registry.get("scorers", scorer).artefact  # type: ignore[attr-defined]
    if rated is not artefact:
        raise ConfigError(f"{slot}_scorers.{name}: {scorer} rates {rated.__name__}, not {artefact.__name__}")


def weight(slot: str, name: str, entry: Any) -> float:
    """The weight of a scorer's entry.

    Raises:
        ConfigError: the entry is no mapping of a scorer and a weight that is a number.

    >>> weight("song", "novelty", {"scorer": {"name": "novelty"}, "weight": 2})
    2.0
    """
    found = entry.get("weight", 1.0) if isinstance(entry, Mapping) else None
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise ConfigError(
            f"{slot}_scorers.{name} needs a scorer and a weight, a number: {{scorer: {{name: ...}}, weight: 1.0}}"
        )
    return float(found)


def _name(part: Any) -> str:
    name = part.get("name") if isinstance(part, Mapping) else part
    if not isinstance(name, str):
        raise ConfigError(f"a part needs a name: {{name: ...}}, got {part!r}")
    return name
