"""What a pipeline's slots take and give, and whether the chosen plug-ins fit them: told before anything is made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .. import registry
from ..errors import ConfigError
from ..interfaces import Component


@dataclass(frozen=True)
class Slot:
    """A place in a pipeline that a plug-in fills.

    Args:
        kind: the interface, `Generator` or `Stylizer`.
        source: of a generator, what the pipeline gives it.
        artefact: of a generator, what it must make.
    """

    kind: type[Component]
    source: type | None = None
    artefact: type | None = None


Slots = Mapping[str, Slot]


@dataclass(frozen=True)
class Choice:
    """A plug-in that a config names: where, of which kind, and with which settings."""

    place: str
    kind: str
    settings: Mapping[str, Any]


def chosen(config: Mapping[str, Any], slots: Slots) -> Iterator[Choice]:
    """The plug-ins that a config names: in the pipeline's slots, as scorers of a slot, as gates.

    Raises:
        ConfigError: a scorer or a gate has no name.

    >>> from spectrogrand.interfaces import Generator
    >>> [c.place for c in chosen({"song": {"name": "house_synth"}, "gates": {"noise": None}}, {"song": Slot(Generator)})]
    ['song']
    """
    for slot, wanted in slots.items():
        if config.get(slot):
            yield Choice(slot, wanted.kind.kind, _named(slot, config[slot]))
    for slot in slots:
        for name, entry in (config.get(f"{slot}_scorers") or {}).items():
            if entry is not None:
                yield Choice(
                    f"{slot}_scorers.{name}", "scorers", _named(f"{slot}_scorers.{name}", _scorer(name, entry))
                )
    for name, entry in (config.get("gates") or {}).items():
        if entry is not None:
            yield Choice(f"gates.{name}", "gates", _named(f"gates.{name}", entry))


def check_fit(config: Mapping[str, Any], slots: Slots) -> None:
    """Check that every slot is filled by a plug-in that fits it, and that every scorer rates what its slot makes.

    Raises:
        ConfigError: a slot is empty, a generator takes or makes something else, a scorer rates something else, or a weight is
            no number.
        UnknownName: no such plug-in.

    >>> from spectrogrand.interfaces import Generator
    >>> from spectrogrand.types import Image, Topic
    >>> check_fit({"cover": {"name": "procedural_cover"}}, {"cover": Slot(Generator, Topic, Image)})
    Traceback (most recent call last):
    ...
    spectrogrand.errors.ConfigError: cover=procedural_cover draws from CoverBrief, the slot gives Topic: ...
    """
    for slot, wanted in slots.items():
        if not config.get(slot) or not isinstance(config[slot], str | Mapping):
            raise ConfigError(f"nothing fills the slot {slot!r}: choose one with {slot}=NAME")
        name = _named(slot, config[slot])["name"]
        made: Any = registry.get(wanted.kind.kind, name)
        if wanted.artefact is not None and made.artefact is not wanted.artefact:
            raise ConfigError(
                f"{slot}={name} makes {made.artefact.__name__}, the slot needs {wanted.artefact.__name__}: "
                f"one of {', '.join(_makers(wanted.artefact))}"
            )
        takes = getattr(made, "source", object)
        if wanted.source is not None and not issubclass(wanted.source, takes):
            raise ConfigError(
                f"{slot}={name} draws from {takes.__name__}, the slot gives {wanted.source.__name__}: "
                f"choose another with {slot}=NAME"
            )
    for slot, wanted in slots.items():
        for name, entry in (config.get(f"{slot}_scorers") or {}).items():
            if entry is not None:
                read_weight(slot, name, entry)
                scorer = _named(f"{slot}_scorers.{name}", _scorer(name, entry))["name"]
                rated: Any = getattr(registry.get("scorers", scorer), "artefact", None)
                if wanted.artefact is not None and rated is not wanted.artefact:
                    raise ConfigError(
                        f"{slot}_scorers.{name}: {scorer} rates {rated.__name__}, not {wanted.artefact.__name__}"
                    )


def read_weight(slot: str, name: str, entry: Any) -> float:
    """The weight of a scorer's entry, 1 where it names none.

    Raises:
        ConfigError: the weight is no number.

    >>> read_weight("song", "novelty", {"scorer": {"name": "novelty"}, "weight": 2})
    2.0
    """
    found = entry.get("weight", 1.0) if isinstance(entry, Mapping) else None
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise ConfigError(
            f"{slot}_scorers.{name} needs a scorer and a weight, a number: {{scorer: {{name: ...}}, weight: 1.0}}"
        )
    return float(found)


def _scorer(name: str, entry: Any) -> Any:
    """The scorer's own settings in its entry."""
    return entry.get("scorer") if isinstance(entry, Mapping) else entry


def _named(place: str, settings: Any) -> Mapping[str, Any]:
    plain = {"name": settings} if isinstance(settings, str) else settings
    if not isinstance(plain, Mapping) or not isinstance(plain.get("name"), str):
        raise ConfigError(f"{place} needs the name of a plug-in: {{name: ...}}, got {settings!r}")
    return plain


def _makers(artefact: type) -> list[str]:
    known = registry.names("generators")
    return [n for n in known if getattr(registry.get("generators", n), "artefact", None) is artefact]


def named(where: str) -> str:
    """A place as the record names it: "song scorer novelty" of "song_scorers.novelty", "gate noise" of "gates.noise"."""
    slot, _, name = where.partition(".")
    return f"{slot.removesuffix('s').replace('_', ' ')} {name}" if name else slot
