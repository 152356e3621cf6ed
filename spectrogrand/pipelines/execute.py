"""From a config to a finished run: settings checked, plug-ins built and looked at, everything made, the report written."""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Protocol

from .. import registry
from ..errors import PluginError, SpectrograndError, UnknownName, nearest
from ..report.page import write_report
from ..runs import preflight
from ..runs.run import Run
from ..runs.slots import Slot, check_fit
from ._settings import Common

GROUP = "spectrogrand.pipelines"


class Pipeline(Protocol):
    """What a pipeline's module holds."""

    SLOTS: Mapping[str, Slot]
    Settings: type[Common]
    run: Callable[[Run, Any], None]


def names() -> list[str]:
    """All pipelines, without importing any.

    >>> "audiovisual" in names()
    True
    """
    return sorted(_own() | set(_entries()))


def get(name: str) -> Pipeline:
    """The module of a pipeline.

    Raises:
        UnknownName: no such pipeline; the nearest one is named. PluginError: a package's own fails to import.

    >>> sorted(get("audiovisual").SLOTS)
    ['cover', 'genre', 'motion', 'song', 'stylizer']
    """
    if name not in names():
        raise UnknownName(f"no pipeline {name!r}; {nearest(str(name), names())}")
    if name not in _entries():
        module: Any = importlib.import_module(f"{__package__}.{name}")
        return module
    try:
        module = _entries()[name].load()
    except Exception as error:  # a stranger's module may raise anything; name it instead of dying inside it
        raise PluginError(f"pipeline {name!r} fails to import: {type(error).__name__}: {error}") from error
    lacking = [n for n in ("SLOTS", "Settings", "run") if not hasattr(module, n)]
    if lacking:
        raise PluginError(f"pipeline {name!r} has no {lacking[0]}: a pipeline is a module with SLOTS, Settings and run")
    return module


def all_slots() -> dict[str, Slot]:
    """The slots of every pipeline of this package: which kind of plug-in stands under which name in a config."""
    return {slot: wanted for name in sorted(_own()) for slot, wanted in get(name).SLOTS.items()}


def execute(config: Mapping[str, Any]) -> Path:
    """Run the pipeline that `config["pipeline"]` names, in a fresh run directory; returns the report's path.

    A run that fails or is interrupted keeps its directory, with the state and the error in run.json and a report of what was
    finished; the finished steps stay in the store, so running again goes on from there.

    Raises:
        UnknownName: no such pipeline.
        MissingExtra: chosen plug-ins lack extras or weights; nothing was made.
        SpectrograndError: whatever stopped it.
    """
    pipeline = get(str(config.get("pipeline") or "audiovisual"))
    settings = pipeline.Settings.read(config)
    config = settings.fill(config)
    slots = {k: v for k, v in pipeline.SLOTS.items() if k not in settings.idle()}
    check_fit(config, slots)
    parts = preflight.build(config, slots)
    preflight.check(parts)
    run = Run(config, settings.subject, slots, parts)
    state, said = "finished", None
    try:
        with _noted(run):
            pipeline.run(run, settings)
    except KeyboardInterrupt:
        state, said = "interrupted", "interrupted; run the same command again to go on from the finished steps"
        raise
    except SpectrograndError as error:
        state, said = "failed", str(error)
        raise
    except Exception as error:
        state, said = "failed", f"{type(error).__name__}: {error}"
        raise
    finally:
        run.close(state, said)
        report = write_report(run.folder)
    return report


@contextmanager
def _noted(run: Run) -> Iterator[None]:
    """What this package and its plug-ins warn of (a prompt cut short, weights that go unused), into the record, once each.

    It is shown as ever besides. The libraries' own warnings are shown only: they speak of code, not of what was made.
    """
    with warnings.catch_warnings():  # entering forgets what was warned of before, so that a second run notes it again
        shown = warnings.showwarning

        def note(message: Any, category: Any, filename: str, lineno: int, file: Any = None, line: Any = None) -> None:
            if issubclass(category, UserWarning) and _ours(filename):
                run.warn(str(message))
            shown(message, category, filename, lineno, file, line)

        warnings.showwarning = note
        yield


def _ours(filename: str) -> bool:
    """Whether a file is this package's or a loaded plug-in's."""
    package = Path(__file__).resolve().parents[1]
    plugins = {getattr(sys.modules.get(cls.__module__), "__file__", None) for cls in registry.loaded()}
    return filename in plugins or package in Path(filename).resolve().parents


@lru_cache
def _own() -> frozenset[str]:
    """The pipelines of this folder; `execute` and `results` serve them all."""
    files = Path(__file__).parent.glob("*.py")
    return frozenset(p.stem for p in files if not p.stem.startswith("_") and p.stem not in ("execute", "results"))


@lru_cache
def _entries() -> dict[str, EntryPoint]:
    return {e.name: e for e in entry_points(group=GROUP) if e.name not in _own()}
