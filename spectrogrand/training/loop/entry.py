"""The door of every training script: command-line words become plain dictionaries, errors one line, `-m` a sweep.

    if __name__ == "__main__":
        sys.exit(main("genre", fit))

reads `train/conf/genre.yaml` and its groups and calls `fit(config)` with plain data: no OmegaConf object goes further, because
one inside a checkpoint makes it unloadable under `weights_only`. Hydra composes and does no more: it changes no folder,
writes no log and starts no jobs, so that `trainer.devices=8` can start the same command once per process.
"""

from __future__ import annotations

import errno
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ...errors import ConfigError, SpectrograndError, UnknownName, nearest
from . import loggers
from .memory import large_pages
from .words import compose, points, tell, usage

INTERRUPTED, TERMINATED = 130, 143
REFUSALS = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS, errno.ENOENT, errno.ENOTDIR)
"""What an operating system says where a folder cannot be written: no fault of the program, so one line."""


def main(name: str, job: Callable[[dict[str, Any]], object], words: Sequence[str] | None = None) -> int:
    """Compose `train/conf/{name}.yaml` with the command line's words and run `job`; returns the exit code.

    `-m` (or `--multirun`) runs the product of comma-separated choices one after the other, past those that fail; with
    `hydra/launcher=` or `hydra/sweeper=` Hydra's own plug-ins run them, and a point's value is its validation measure. Exit
    codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted (Ctrl-C), 143 ended by SIGTERM; of a sweep the worst, which stops
    where one of its trainings was stopped.
    """
    large_pages()
    given = list(sys.argv[1:] if words is None else words)
    try:
        if {"-h", "--help"} & set(given):
            print(usage(name))
            return 0
        if any(w.lstrip("+").startswith("hydra/") for w in given):
            from .sweeps import by_hydra

            return by_hydra(name, job, given)
        found = points(given)
        if len(found) == 1:
            _run(job, compose(name, found[0]))
            return 0
        failed = [code for point in found if (code := attempt(name, job, point))]
        if failed:
            sys.stderr.write(f"train {name}: {len(failed)} of {len(found)} points failed\n")
        return max(failed, default=0)
    except SpectrograndError as error:
        return tell(name, error)
    except OSError as error:
        if error.errno not in REFUSALS:
            raise
        place = f": {error.filename}" if error.filename else ""
        sys.stderr.write(f"train {name}: {error.strerror or error}{place}; mend that and run again\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write(f"train {name}: interrupted; the same command goes on from the last checkpoint\n")
        return INTERRUPTED
    except SystemExit as stop:
        stopped = _stopped(stop)
        if stopped is None:
            raise
        told = "interrupted" if stopped == INTERRUPTED else "ended by SIGTERM"
        sys.stderr.write(f"train {name}: {told}; the same command resumes from the last checkpoint\n")
        return stopped
    return 0


def attempt(name: str, job: Callable[[dict[str, Any]], object], point: Sequence[str]) -> int:
    """Run one point of a sweep; its exit code, an error of ours told with the point's words, any other shown whole."""
    try:
        _run(job, compose(name, point))
    except SpectrograndError as error:
        return tell(f"{name} {' '.join(point)}", error)
    except Exception as error:
        if isinstance(error, OSError) and error.errno in REFUSALS:
            raise  # a full disk is every point's
        traceback.print_exc()
        sys.stderr.write(f"train {name} {' '.join(point)}: failed as above\n")
        return 1
    return 0


def _run(job: Callable[[dict[str, Any]], object], config: dict[str, Any]) -> None:
    try:
        job(config)
    finally:
        loggers.finish()


def _stopped(stop: SystemExit) -> int | None:
    """The exit code of a training that a signal stopped; None where it left for another reason.

    Lightning turns Ctrl-C into `exit(1)` and SIGTERM into a SystemExit of its own without a code, which Python takes for success.
    """
    if type(stop).__name__ == "SIGTERMException":
        return TERMINATED
    return INTERRUPTED if isinstance(stop.__context__, KeyboardInterrupt) else None


def bound(function: Callable[..., Any], config: Mapping[str, Any], what: str, **more: Any) -> Any:
    """Call `function` with a config's settings (all but `name`) and `more`, unknown and missing ones told in one line.

    Raises:
        UnknownName: a setting that the function does not take. ConfigError: one that it needs is null.
    """
    import inspect

    settings = {k: v for k, v in config.items() if k != "name"}
    options = {k: p for k, p in inspect.signature(function).parameters.items() if k not in more}
    for key in settings:
        if key not in options:
            raise UnknownName(f"{what} has no setting {key!r}; {nearest(key, options)}")
    lacking = [k for k, p in options.items() if p.default is p.empty and settings.get(k) is None]
    if lacking:
        raise ConfigError(f"{what} needs {' and '.join(lacking)}: set {lacking[0]}=...")
    return function(**settings, **more)
