"""Names to plug-in classes, lazily: listing names imports nothing, loading one imports one file.

Three places are searched: classes registered in this process, files of this package (`spectrogrand/plugins/scorers/novelty.py` is
scorer "novelty"), and the entry-point group `spectrogrand.plugins` of installed packages, whose entries are called
`<kind>.<name>`, for example `scorers.brightness = "my_package.brightness:Brightness"`.
"""

from __future__ import annotations

import importlib
import inspect
import os
import re
import warnings
from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, TypeVar

from .errors import ConfigError, MissingOption, PluginError, UnknownName, nearest
from .interfaces import KINDS, Component

GROUP, PIPELINES = "spectrogrand.plugins", "spectrogrand.pipelines"
ALLOWED = "SPECTROGRAND_PLUGINS"
"""The environment variable that says which plug-ins of other packages are used: all, none, or names."""
"""Entry-point groups of installed packages."""
C = TypeVar("C", bound=type[Component])
_classes: dict[tuple[str, str], type[Component]] = {}


def register(name: str) -> Callable[[C], C]:
    """Class decorator: file the class under its kind and `name`.

    Raises:
        PluginError: the class implements no interface, has no card, or the name is taken by another class.
    """

    def file(cls: C) -> C:
        kind = getattr(cls, "kind", "")
        if kind not in KINDS:
            raise PluginError(f"{cls.__name__} implements none of the interfaces: subclass one of {_listed(KINDS)}")
        if not hasattr(cls, "card"):
            raise PluginError(f"{kind} {name!r} has no card: set the class attribute card = Card(summary=...)")
        other = _classes.get((kind, name)) or _other_home(kind, name, cls)
        if other is not None and _place(other) != _place(cls):
            raise PluginError(f"{kind} {name!r} is registered twice: by {_place(other)} and by {_place(cls)}")
        cls.name = name
        _classes[kind, name] = cls
        return cls

    return file


def names(kind: str) -> list[str]:
    """All names of a kind, sorted, without importing any plug-in.

    >>> "novelty" in names("scorers")
    True
    """
    _known_kind(kind)
    return sorted({n for k, n in _classes if k == kind} | {*_files(kind), *_entries(kind)})


def get(kind: str, name: str) -> type[Component]:
    """The class called `name`, imported now if it has not been.

    Raises:
        UnknownName: no such kind or name; the nearest match and all names are in the message.
        PluginError: the plug-in's module fails to import or does not register itself.
    """
    _known_kind(kind)
    if (kind, name) in _classes:
        return _classes[kind, name]
    if name in _files(kind):
        importlib.import_module(_files(kind)[name])
    elif name in _entries(kind):
        _load_entry(kind, name)
    else:
        raise UnknownName(f"no {kind} {name!r}; {nearest(name, names(kind))}")
    if (kind, name) not in _classes:
        raise PluginError(
            f"the module of {kind} {name!r} registers no such name: put @register({name!r}) above its class"
        )
    return _classes[kind, name]


def inner(part: Component, name: str) -> Any:
    """The plug-in that another one holds under the setting `name` of its `parts`: built once, closed with its holder.

    Args:
        part: the holder; its attribute `name` is a plug-in's name, a mapping of name and settings, or None.
        name: one of its `parts`.

    Returns:
        The plug-in, or None where none is chosen.

    >>> inner(build("generators", "house_synth"), "text").name
    'lexicon'
    """
    held: dict[str, Component] = part.__dict__.setdefault("_held", {})
    if name not in held:
        chosen = part.__dict__.get(name, part.settings.get(name))
        if not chosen:
            return None
        held[name] = build(part.parts[name], chosen)
    return held[name]


def allow(which: Any) -> None:
    """Say which plug-ins of other installed packages may be looked at and imported, in this process and those it starts.

    Args:
        which: "all", "none", or names, of packages ("my-plugins") or of plug-ins ("scorers.mine"), as a list or with commas.

    Raises:
        ConfigError: neither.

    >>> allow("all")
    """
    names = [str(n).strip() for n in (which.strip("[]").split(",") if isinstance(which, str) else which or ())]
    if (
        not names
        or not all(re.fullmatch(r"[\w.-]+", n) for n in names)
        or (len(names) > 1 and {"all", "none"} & set(names))
    ):
        raise ConfigError(f"plugins is all, none or a list of packages' names, got {which!r:.80}: set plugins=none")
    os.environ[ALLOWED] = ",".join(names)
    _entries.cache_clear()
    _pipeline_entries.cache_clear()


def _allowed(entry: EntryPoint) -> bool:
    names = {n.strip() for n in os.environ.get(ALLOWED, "all").split(",")}
    package = entry.dist.name if entry.dist is not None else ""
    known = {entry.name, package, package.replace("_", "-").lower()}
    return "all" in names or bool(known & names)


def loaded() -> list[type[Component]]:
    """All classes that this process has loaded."""
    return list(_classes.values())


def build(kind: str, config: str | Mapping[str, Any], **settings: Any) -> Any:
    """Make a plug-in from its name and settings, or from a mapping that holds both.

    Args:
        kind: of plug-in: "generators", "scorers", ...
        config: its name, or a mapping of `name` and constructor arguments.
        settings: constructor arguments; they count for more than those in `config`.

    Raises:
        UnknownName: an unknown plug-in or an unknown option of a known one.
        ConfigError: no `name`. MissingOption: a required option is missing.

    >>> build("scorers", {"name": "danceability"}).aspect
    'value'
    """
    settings = {**({"name": config} if isinstance(config, str) else dict(config)), **settings}
    if not isinstance(settings.get("name"), str):
        raise ConfigError(f"a {kind} config needs a name: {{name: ...}}, one of {_listed(names(kind))}")
    name = settings.pop("name")
    cls = get(kind, name)
    options = {k: p for k, p in inspect.signature(cls).parameters.items() if p.kind is not p.VAR_KEYWORD}
    for key in settings:
        if key not in options:
            raise UnknownName(f"{kind} {name!r} has no option {key!r}; {nearest(key, options)}")
    missing = [k for k, p in options.items() if p.default is p.empty and settings.get(k) is None]
    if missing:
        raise MissingOption(f"{kind} {name!r} needs {' and '.join(missing)}: set {missing[0]}=...")
    bound = {k: settings.get(k, p.default) for k, p in options.items()}
    made = cls(**bound)
    made.settings = {"name": name, **bound}
    return made


def defaults(cls: type[Component]) -> dict[str, Any]:
    """What a plug-in's settings are where nobody sets them.

    >>> defaults(get("scorers", "danceability"))
    {}
    """
    options = inspect.signature(cls).parameters.items()
    return {k: p.default for k, p in options if p.default is not p.empty}


def pipeline_names() -> list[str]:
    """All pipelines, of this package and of installed ones, without importing any.

    >>> "audiovisual" in pipeline_names()
    True
    """
    return sorted({*_own_pipelines(), *_pipeline_entries()})


def get_pipeline(name: str) -> Any:
    """The module of a pipeline, imported now if it has not been: it holds `SLOTS`, `Settings` and `run`.

    Raises:
        UnknownName: no such pipeline; the nearest one is named.
        PluginError: a package's own fails to import, or lacks one of the three names.

    >>> sorted(get_pipeline("audiovisual").SLOTS)
    ['cover', 'genre', 'motion', 'song', 'stylizer']
    """
    if name in _own_pipelines():
        return importlib.import_module(f"{__package__}.pipelines.{name}")
    if name not in _pipeline_entries():
        raise UnknownName(f"no pipeline {name!r}; {nearest(str(name), pipeline_names())}")
    try:
        module = _pipeline_entries()[name].load()
    except Exception as error:  # a stranger's module may raise anything; name it instead of dying inside it
        raise PluginError(f"pipeline {name!r} fails to import: {type(error).__name__}: {error}") from error
    for wanted in ("SLOTS", "Settings", "run"):
        if not hasattr(module, wanted):
            raise PluginError(f"pipeline {name!r} has no {wanted}: a pipeline is a module with SLOTS, Settings and run")
    return module


@lru_cache
def _own_pipelines() -> frozenset[str]:
    """The pipelines of this package; `execute`, `results` and `wrapping` serve them all."""
    files = (Path(__file__).parent / "pipelines").glob("*.py")
    return frozenset(
        p.stem for p in files if not p.stem.startswith("_") and p.stem not in ("execute", "results", "wrapping")
    )


@lru_cache
def _pipeline_entries() -> dict[str, EntryPoint]:
    return {e.name: e for e in entry_points(group=PIPELINES) if e.name not in _own_pipelines() and _allowed(e)}


def _load_entry(kind: str, name: str) -> None:
    entry = _entries(kind)[name]
    try:
        loaded = entry.load()
    except Exception as error:  # a stranger's module may raise anything; name it instead of dying inside it
        raise PluginError(
            f"plug-in {kind} {name!r} ({entry.value}) fails to import: {type(error).__name__}: {error}"
        ) from error
    if (kind, name) not in _classes and inspect.isclass(loaded) and issubclass(loaded, Component):
        register(name)(loaded)


def _other_home(kind: str, name: str, cls: type) -> type | None:
    """The packaged class of this name, where a class from elsewhere asks for it: a built-in is never shadowed."""
    home = _files(kind).get(name)
    if home is not None and cls.__module__ != home:
        importlib.import_module(home)
        return _classes.get((kind, name))
    return None


@lru_cache
def _files(kind: str) -> dict[str, str]:
    """Name -> module of the plug-ins that lie in this package's folder of that kind, or in a room of it."""
    package = Path(__file__).parent
    found = (p for p in sorted((package / "plugins" / kind).rglob("*.py")) if not p.stem.startswith("_"))
    return {p.stem: ".".join([str(__package__), *p.relative_to(package).with_suffix("").parts]) for p in found}


@lru_cache
def _entries(kind: str) -> dict[str, EntryPoint]:
    found: dict[str, EntryPoint] = {}
    for entry in filter(_allowed, entry_points(group=GROUP)):
        its_kind, _, name = entry.name.partition(".")
        if its_kind not in KINDS or not name:
            warnings.warn(f"entry point {entry.name!r} ({entry.value}) skipped: call it <kind>.<name>", stacklevel=2)
        elif its_kind == kind:
            if name in _files(kind) or name in found:
                warnings.warn(f"entry point {entry.name!r} ({entry.value}) skipped: the name is taken", stacklevel=2)
            else:
                found[name] = entry
    return found


def _known_kind(kind: str) -> None:
    if kind not in KINDS:
        raise UnknownName(f"no kind of plug-in {kind!r}; {nearest(kind, KINDS)}")


def _place(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


def _listed(known: Any) -> str:
    return ", ".join(sorted(known))
