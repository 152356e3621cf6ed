"""One short file per job; read audiovisual.py first. A pipeline is a module here with two functions.

`check(config) -> str` checks the settings before anything is made and says what the run is called;
`run(config, run) -> Path` makes it.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .. import preflight
from ..errors import SpectrograndError, UnknownName, nearest
from ..steps import Run


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
    preflight.check(config)
    run = Run(config, name)
    try:
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
