"""From a config to a finished run: settings checked, plug-ins built and looked at, everything made, the report written."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .. import registry
from ..errors import SpectrograndError
from ..report.page import write_report
from ..report.tags import tag_videos, write_command
from ..runs import preflight
from ..runs.run import Run
from ..runs.slots import Slot, check_fit


def all_slots() -> dict[str, Slot]:
    """The slots of every pipeline: which kind of plug-in stands under which name in a config."""
    return {
        slot: wanted for name in registry.pipeline_names() for slot, wanted in registry.get_pipeline(name).SLOTS.items()
    }


def execute(config: Mapping[str, Any], words: Sequence[str] = (), folder: str | None = None) -> Path:
    """Run the pipeline that `config["pipeline"]` names, in a fresh run directory; returns the report's path.

    `words` is how the run was asked for on the command line, where it was.

    A run that fails or is interrupted keeps its directory, with the state and the error in run.json and a report of what was
    finished; the finished steps stay in the store, so running again goes on from there.

    Args:
        config: plain data, as composed.
        folder: what the run directory is called; None: by its topic and the time.

    Raises:
        UnknownName: no such pipeline.
        MissingExtra: chosen plug-ins lack extras or weights; nothing was made.
        SpectrograndError: whatever stopped it.
    """
    if config.get("plugins") is not None:
        registry.allow(config["plugins"])
    pipeline = registry.get_pipeline(str(config.get("pipeline") or "audiovisual"))
    settings = pipeline.Settings.read(config)
    config = settings.fill(config)
    idle = settings.idle() | set(config.get("kept") or {})
    slots = {k: v for k, v in pipeline.SLOTS.items() if k not in idle}
    check_fit(config, slots)
    parts = preflight.build(config, slots)
    preflight.check(parts, settings.licences)
    settings.check_parts(parts)
    run = Run(config, settings.subject, slots, parts, folder)
    run.note(command=write_command(words), tags=settings.describe())
    state, said = "finished", None
    try:
        with _noted(run):
            pipeline.run(run, settings)
    except KeyboardInterrupt:
        state, said = "interrupted", "interrupted; run the same command again to go on from the finished steps"
        raise
    except SpectrograndError as error:
        state, said, error.noted = "failed", str(error), True
        raise
    except Exception as error:
        state, said = "failed", f"{type(error).__name__}: {error}"
        raise
    finally:
        run.close(state, said)
        tag_videos(run.folder)
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
