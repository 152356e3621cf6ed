"""Before anything is generated: are every chosen part's extra and weights here, and under which terms? One table, no network."""

from __future__ import annotations

import importlib.util
import inspect
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import registry
from ..errors import MissingExtra, MissingOption, SpectrograndError, UnknownName, nearest
from ..interfaces import Component, Weights
from ..models import devices
from ..registry import SLOTS
from ..weights import files as weights
from ..weights import hub
from .needs import short, show

FEW = 3
"""So many missing things are told each with its source; more of them only by their parts' names."""


@dataclass(frozen=True)
class Need:
    """One thing that a chosen part needs: its extra (`source` is then "") or one of its weights."""

    slot: str
    kind: str
    name: str
    source: str
    megabytes: float
    licence: str
    terms: str
    here: str | None
    """Where it is; None where it is missing."""
    remedy: str
    """The command that gets it."""


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
        raise type(error)(f"{slot.removesuffix('.scorer')}: {error}") from error


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
        yield Need(*about, "", 0.0, card.licence, card.terms, None, install)
    if not type(part).card.weights and "weights" in part.settings and not lacking:
        try:
            part.identity()  # weights that are nobody's but the user's: it looks for them, and says how to make them
        except MissingExtra as error:
            how = str(error).partition(": get ")[2].partition(" and set")[0] or str(error)
            yield Need(*about, "weights that you train", 0.0, card.licence, card.terms, None, f"get {how}")
    for one in card.weights:
        here = where(one, part.settings.get("weights"), part)
        yield Need(*about, one.source, one.megabytes, one.licence, card.terms, here, remedy(one, part))


def where(one: Weights, folder: str | None, part: Component) -> str | None:
    """The file or folder of one of a part's weights on this machine, None where it is not; nothing is loaded.

    Raises:
        InvalidValue: `weights` names no folder, or a torn model.
    """
    if by_hand(one) and "https://" not in one.source:
        return "in its package"  # comes with the extra, which is looked for by its modules
    if by_hand(one) and not one.file:
        try:
            part.identity()  # it hashes what it finds, and says what it does not
        except MissingExtra:
            return None
        return "found by the part"
    if is_hub(one):
        try:
            own = getattr(part, "place_of", None)  # a part that holds several models knows where each of them lies
            return str(own(one) if own else hub.folder(folder, one, part=part.name))
        except MissingExtra:
            return None
    name = one.file or Path(one.source).name
    places = weights.places(folder, part.name)
    found = [p if p.is_file() else p / name for p in places]
    return next((str(p) for p in found if p.is_file() and p.stat().st_size), None)


def missing_weights(kind: str, name: str) -> list[str]:
    """The commands that get what a plug-in with its default settings lacks; empty where nothing is, or where it needs settings.

    >>> missing_weights("scorers", "novelty")
    []
    """
    try:
        part = registry.build(kind, name)
        lacking = [one for one in part.card.weights if where(one, None, part) is None]
    except SpectrograndError:
        return []
    return list(dict.fromkeys(remedy(one, part) for one in lacking))


def is_hub(one: Weights) -> bool:
    """Whether weights come from a repository of the hub, "owner/name"."""
    words = one.source.removeprefix("https://huggingface.co/").split()
    return len(words) == 1 and words[0].count("/") == 1 and not words[0].startswith("https:")


def by_hand(one: Weights) -> bool:
    """Whether weights cannot be fetched by a command: no hub repository, no address of a file."""
    return not is_hub(one) and (not one.source.startswith("https://") or " " in one.source)


def remedy(one: Weights, part: Component) -> str:
    """The command that gets one of a part's weights, with the setting that chose them where they are not the usual ones.

    >>> tfhub = registry.build("stylizers", {"name": "magenta", "backend": "tfhub"})
    >>> remedy(tfhub.card.weights[0], tfhub)
    'spectrogrand fetch magenta backend=tfhub'
    """
    if by_hand(one):
        return f"get {one.file or 'it'} from {one.source}"
    words = [f"{k}={json.dumps(v) if isinstance(v, bool) else v}" for k, v in _choosing(part).items()]
    return " ".join(["spectrogrand fetch", part.name, *words])


def _choosing(part: Component) -> dict[str, Any]:
    """The fewest settings of a part that choose its weights; none where they are its class's own."""
    if part.card.weights == type(part).card.weights:
        return {}
    usual = {k: p.default for k, p in inspect.signature(type(part)).parameters.items()}
    given = {
        k: v for k, v in part.settings.items()
        if k not in ("name", "weights") and isinstance(v, str | bool | int | float) and v != usual.get(k)
    }  # fmt: skip
    for key in list(given):
        fewer = {k: v for k, v in given.items() if k != key}
        try:
            other = registry.build(part.kind, {"name": part.name, **fewer})
        except SpectrograndError:
            continue  # the others cannot stand without it
        if other.card.weights == part.card.weights:
            given = fewer
    return given


def refusal(missing: list[Need]) -> str:
    """What is missing and the commands that get it, in one line; of many things the names, the table tells the rest."""
    fetch = list(dict.fromkeys(n.name for n in missing if n.remedy == f"spectrogrand fetch {n.name}"))
    others = list(dict.fromkeys(n.remedy for n in missing if n.remedy != f"spectrogrand fetch {n.name}"))
    by_hand = [r for r in others if r.startswith("get ")]
    run = [r for r in others if r not in by_hand] + ([f"spectrogrand fetch {' '.join(fetch)}"] if fetch else [])
    if len(missing) > FEW:
        what = f"what {', '.join(dict.fromkeys(n.name for n in missing))} need, see the table"
        by_hand = list(dict.fromkeys(n.name for n in missing if n.remedy in by_hand))
    else:
        what = "; ".join(dict.fromkeys(f"{n.name} needs {short(n.source) or 'its extra'}" for n in missing))
    said = [f"Run: {' && '.join(run)}"] if run else []
    said += [f"By hand: {'; '.join(by_hand)}"] if by_hand else []
    megabytes = sum(n.megabytes for n in missing)
    size = f" ({megabytes:,.0f} MB)" if megabytes else ""
    return f"not here{size}: {what}. {'. '.join(said)} - or set weights=FOLDER"
