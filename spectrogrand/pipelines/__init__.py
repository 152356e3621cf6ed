"""One short file per job; read audiovisual.py first. A pipeline is a module here with two functions.

`check(config) -> str` checks the settings before anything is made and says what the run is called;
`run(config, run) -> Path` makes it. `GIVES` says what each generator's slot gives and wants, which is checked with them;
`idle(config) -> set[str]`, where a pipeline has it, names the slots that these settings leave unused.
"""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .. import registry
from ..errors import SpectrograndError, UnknownName, nearest
from ..run import fitting, preflight
from ..run.run import Run


def names() -> list[str]:
    """All pipelines, without importing any.

    >>> "audiovisual" in names()
    True
    """
    return sorted(p.stem for p in Path(__file__).parent.glob("*.py") if not p.stem.startswith("_"))


def execute(config: Mapping[str, Any]) -> Path:
    """Run the pipeline that `config["pipeline"]` names, in a fresh run directory; returns the report's path.

    A run that fails or is interrupted keeps its directory, with the state and the error in run.json and a report of what was
    finished; the finished steps stay in the store, so running again goes on from there.

    Raises:
        UnknownName: no such pipeline. MissingExtra: chosen parts lack extras or weights; nothing was made.
        SpectrograndError: whatever stopped it.
    """
    pipeline = config.get("pipeline") or "audiovisual"
    if pipeline not in names():
        raise UnknownName(f"no pipeline {pipeline!r}; {nearest(str(pipeline), names())}")
    module = importlib.import_module(f"{__name__}.{pipeline}")
    name = module.check(config)
    fitting.check(config, getattr(module, "GIVES", {}))
    idle = module.idle(config) if hasattr(module, "idle") else ()
    preflight.check({k: v for k, v in config.items() if k not in idle})
    run = Run(config, name)
    try:
        with _noted(run.record["warnings"]):
            report: Path = module.run(config, run)
        return report
    except KeyboardInterrupt:
        run.finish("interrupted", "interrupted; run the same command again to go on from the finished steps")
        raise
    except SpectrograndError as error:
        run.finish("failed", str(error))
        raise
    except Exception as error:
        run.finish("failed", f"{type(error).__name__}: {error}")
        raise


@contextmanager
def _noted(record: list[str]) -> Iterator[None]:
    """What this package and its plug-ins warn of (a prompt cut short, weights that go unused), into `record`, once each.

    It is shown as ever besides. The libraries' own warnings are shown only: they speak of code, not of what was made.
    """
    with warnings.catch_warnings():  # entering forgets what was warned of before, so that a second run notes it again
        shown = warnings.showwarning

        def note(message: Any, category: Any, filename: str, lineno: int, file: Any = None, line: Any = None) -> None:
            if issubclass(category, UserWarning) and _ours(filename) and str(message) not in record:
                record.append(str(message))
            shown(message, category, filename, lineno, file, line)

        warnings.showwarning = note
        yield


def _ours(filename: str) -> bool:
    """Whether a file is this package's or a loaded plug-in's."""
    package = Path(__file__).resolve().parents[1]
    plugins = {getattr(sys.modules.get(cls.__module__), "__file__", None) for cls in registry.loaded()}
    return filename in plugins or package in Path(filename).resolve().parents
