"""Before anything is generated: are every chosen part's extra and weights here, and under which terms? One table, no network."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from .. import registry
from ..errors import ConfigError, MissingExtra, MissingOption, SpectrograndError, UnknownName, nearest
from ..interfaces import Component
from ..media.limits import open_local
from ..models import devices
from ..types import Audio
from ..weights.licences import refuse_bound
from ..weights.sources import locate, remedy
from .needs import Need, show
from .slots import Slots, chosen

FEW = 3
"""So many missing things are told each with its source; more of them only by their parts' names."""


def check(parts: Mapping[str, Component], licences: str = "any") -> list[Need]:
    """Look for what built plug-ins need, show the table where there is anything to show, and stop where something is missing.

    Args:
        parts: by place, as `build` gives them; the ones inside them are looked at, too.
        licences: "free" refuses parts that may not be used commercially.

    Raises:
        ConfigError: such a part; all of them are named.
        MissingExtra: one error that lists all that is missing, with the command that fetches it.
        SpectrograndError: weights that are here are not a plug-in's own, or its files cannot be read; the slot is named.
    """
    if licences == "free":
        refuse_bound(walk_parts(parts))
    found = needs(parts)
    missing = [n for n in found if n.here is None]
    if found:
        show(found)
    if missing:
        raise MissingExtra(refusal(missing))
    for slot, part in walk_parts(parts):
        with _in_slot(slot):
            part.inspect()
    return found


def build(config: Mapping[str, Any], slots: Slots) -> dict[str, Component]:
    """Every plug-in that a config chooses, by place, built with its settings and checked against this machine; nothing is loaded.

    Raises:
        SpectrograndError: a part refuses one of its settings; the slot is named.

    >>> from spectrogrand.interfaces import Generator
    >>> from spectrogrand.runs.slots import Slot
    >>> build({"song": {"name": "house_synth", "duration": -1}}, {"song": Slot(Generator)})
    Traceback (most recent call last):
    ...
    spectrogrand.errors.InvalidValue: song: duration is a number from 0.1 to 600 seconds, got -1
    """
    parts: dict[str, Component] = {}
    for choice in chosen(config, slots):
        with _in_slot(choice.place):
            try:
                part = registry.build(choice.kind, choice.settings)
            except MissingOption as error:
                made: Any = registry.get(choice.kind, choice.settings["name"])
                if not getattr(made, "given", False):
                    raise
                what = "song" if made.artefact is Audio else "picture"
                raise ConfigError(
                    f"{choice.settings['name']} reads your own {what} and none is named: set {choice.place}.path=FILE"
                ) from error
            _on_this_machine(part)
            for name, what in part.files.items():
                if part.settings.get(name):
                    open_local(str(part.settings[name]), what)[1].close()
        for where, held in walk_parts({choice.place: part}):
            with _in_slot(where):
                _on_this_machine(held)
        parts[choice.place] = part
    return parts


def walk_parts(parts: Mapping[str, Component]) -> Iterator[tuple[str, Component]]:
    """(place, plug-in) of each and of those inside it."""
    for place, part in parts.items():
        yield place, part
        held = {}
        for name in part.parts:
            with _in_slot(place):
                inside = registry.inner(part, name)
            if inside is not None:
                held[f"{place}.{name}"] = inside
        yield from walk_parts(held)


@contextmanager
def _in_slot(slot: str) -> Iterator[None]:
    """Our own errors, with the slot that they speak of in front."""
    try:
        yield
    except SpectrograndError as error:
        told = type(error)(f"{slot}: {error}")
        told.__dict__.update(error.__dict__)  # a remedy stays with its error
        raise told from error


def _on_this_machine(part: Component) -> None:
    """Check number type and device, which a model looks at when it loads."""
    kind, place = part.settings.get("dtype"), part.settings.get("device")
    if kind is not None and kind not in devices.DTYPES:
        raise UnknownName(f"{part.name} has no dtype {kind!r}; {nearest(str(kind), devices.DTYPES)}")
    if place not in (None, "cpu") and importlib.util.find_spec("torch") is not None:
        devices.device(place)


def needs(parts: Mapping[str, Component]) -> list[Need]:
    """What built plug-ins need beyond the core; those that need nothing are not in it.

    Raises:
        SpectrograndError: weights that are here are corrupt.

    >>> needs({"song": registry.build("generators", "house_synth")})
    []
    """
    found: dict[tuple[str, str, str], Need] = {}
    for slot, part in walk_parts(parts):
        with _in_slot(slot):
            for need in _of_part(slot, part):
                found.setdefault((need.kind, need.name, need.source), need)
    return list(found.values())


def _of_part(slot: str, part: Component) -> Iterator[Need]:
    card = part.card
    about = slot, part.kind, part.name
    lacking = [m for m in card.modules if importlib.util.find_spec(m) is None]
    if lacking:
        install = f"pip install 'spectrogrand[{card.extra}]'"
        yield Need(*about, "its extra", "", 0.0, card.licence, card.terms, None, install)
    for one in card.weights:
        yield Need(
            *about, one.source.short, one.source.label, one.megabytes, one.licence, card.terms, locate(one, part),
            remedy(one, part), one.source.commanded,
        )  # fmt: skip


def refusal(missing: list[Need]) -> str:
    """What is missing and the commands that get it, in one line; of many things the names, the table tells the rest."""
    plain = [n.name for n in missing if n.commanded and n.remedy == f"spectrogrand fetch {n.name}"]
    others = [n.remedy for n in missing if n.commanded and n.remedy != f"spectrogrand fetch {n.name}"]
    run = [*dict.fromkeys(others), *([f"spectrogrand fetch {' '.join(dict.fromkeys(plain))}"] if plain else [])]
    hands = [n for n in missing if not n.commanded]
    if len(missing) > FEW:
        what = f"what {', '.join(dict.fromkeys(n.name for n in missing))} need, see the table"
        by_hand = [n.name for n in hands]
    else:
        what = "; ".join(dict.fromkeys(f"{n.name} needs {n.what}" for n in missing))
        by_hand = [n.remedy for n in hands]
    said = [f"Run: {' && '.join(run)}"] if run else []
    said += [f"By hand: {'; '.join(dict.fromkeys(by_hand))}"] if by_hand else []
    megabytes = sum(n.megabytes for n in missing)
    size = f" ({megabytes:,.0f} MB)" if megabytes else ""
    return f"not here{size}: {what}. {'. '.join(said)} - or set weights=FOLDER"
