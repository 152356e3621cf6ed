"""Before anything is generated: are every chosen part's extra and weights here, and under which terms? One table, no network."""

from __future__ import annotations

import importlib.util
import inspect
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import registry
from ..errors import ConfigError, MissingExtra, MissingOption, SpectrograndError, UnknownName, nearest
from ..interfaces import Component, Weights
from ..media.limits import open_local
from ..models import devices
from ..types import Audio
from ..weights import files as weights
from ..weights import hub
from .needs import short, show
from .slots import Slots, chosen

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


def check(parts: Mapping[str, Component]) -> list[Need]:
    """Look for what built plug-ins need, show the table where there is anything to show, and stop where something is missing.

    Args:
        parts: by place, as `build` gives them; the ones inside them are looked at, too.

    Raises:
        MissingExtra: one error that lists all that is missing, with the command that fetches it.
        SpectrograndError: weights that are here are not a plug-in's own, or its files cannot be read; the slot is named.
    """
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
        raise type(error)(f"{slot}: {error}") from error


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
