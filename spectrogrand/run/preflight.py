"""Before anything is generated: are every chosen part's extra and weights here, and under which terms? One table, no network."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from .. import registry
from ..errors import MissingExtra, MissingOption, SpectrograndError, UnknownName, nearest
from ..interfaces import Component
from ..models import devices
from ..registry import SLOTS
from ..weights.sources import locate, remedy
from .needs import Need, show

FEW = 3
"""So many missing things are told each with its source; more of them only by their parts' names."""


def check(config: Mapping[str, Any]) -> list[Need]:
    """Look for what the chosen parts need, show the table where there is anything to show, and stop where something is missing.

    Every chosen part is built, which stores its settings and loads nothing, and looks at what it is about to use.

    Raises:
        MissingExtra: one error that lists all that is missing, with the command that fetches it.
        SpectrograndError: a part refuses its settings, or weights that are here are not its own; the slot is named.
    """
    parts = list(built(config))
    found = needs(config, parts)
    missing = [n for n in found if n.here is None]
    if found:
        show(found)
    if missing:
        raise MissingExtra(refusal(missing))
    for slot, part in parts:
        with _in_slot(slot):
            part.inspect()
    return found


def built(config: Mapping[str, Any]) -> Iterator[tuple[str, Component]]:
    """(where, plug-in) of each that a config chooses, built with its settings and checked against this machine.

    A slot whose required option nobody has set is left out: not every pipeline uses every slot (a search by topic has no
    picture), and one that does says so before it makes anything for it.

    Raises:
        SpectrograndError: a part refuses one of its settings; the slot is named.

    >>> list(built({"song": {"name": "house_synth", "duration": -1}}))
    Traceback (most recent call last):
    ...
    spectrogrand.errors.InvalidValue: song: duration is a number from 0.1 to 600 seconds, got -1
    """
    for slot, kind, settings in chosen(config):
        with _in_slot(slot):
            try:
                part = registry.build(kind, settings)
            except MissingOption:
                if "." in slot:  # a scorer, a gate, a part of a part: what they are for is used
                    raise
                continue
            _on_this_machine(part)
        yield slot, part


@contextmanager
def _in_slot(slot: str) -> Iterator[None]:
    """Our own errors, with the slot that they speak of in front."""
    try:
        yield
    except SpectrograndError as error:
        told = type(error)(f"{slot.removesuffix('.scorer')}: {error}")
        told.__dict__.update(error.__dict__)  # a remedy stays with its error
        raise told from error


def _on_this_machine(part: Component) -> None:
    """Check number type and device, which a model looks at when it loads."""
    kind, place = part.settings.get("dtype"), part.settings.get("device")
    if kind is not None and kind not in devices.DTYPES:
        raise UnknownName(f"{part.name} has no dtype {kind!r}; {nearest(str(kind), devices.DTYPES)}")
    if place not in (None, "cpu") and importlib.util.find_spec("torch") is not None:
        devices.device(place)


def needs(config: Mapping[str, Any], parts: Sequence[tuple[str, Component]] | None = None) -> list[Need]:
    """What each part that the config chooses needs beyond the core; parts that need nothing are not in it.

    Raises:
        SpectrograndError: a part refuses one of its settings, or weights that are here are torn.

    >>> needs({"song": {"name": "house_synth"}, "gates": {"silence": {"name": "silence"}}})
    []
    """
    found: dict[tuple[str, str, str], Need] = {}
    for slot, part in built(config) if parts is None else parts:
        with _in_slot(slot):
            for need in _of_part(slot, part):
                found.setdefault((need.kind, need.name, need.source), need)
    return list(found.values())


def chosen(config: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """(where, kind, settings) of each plug-in that a config names, those inside other plug-ins too.

    >>> [w for w, *_ in chosen({"song": {"name": "house_synth", "text": {"name": "lexicon"}}})]
    ['song', 'song.text']
    """
    yield from _walk(config, "")


def _walk(config: Mapping[str, Any], where: str) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for key, value in config.items():
        place = f"{where}.{key}" if where else str(key)
        if where == "gates" and isinstance(value, Mapping) and isinstance(value.get("name"), str):
            yield place, "gates", value
        elif registry.names_a_part(str(key), value):
            yield place, SLOTS[str(key)], {"name": value} if isinstance(value, str) else value
        if isinstance(value, Mapping):
            yield from _walk(value, place)


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
