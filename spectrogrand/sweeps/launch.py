"""Hydra's launchers run the jobs; whatever they report, each job's own file says what became of it."""

from __future__ import annotations

import json
import math
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..errors import ConfigError, SpectrograndError
from ..report.values import seconds
from ..store import write_json
from .points import compose_point, hydra_apart, master
from .sweep import Sweep, name_job
from .work import run_job

CONFIGS = ".jobs/configs.json"
POLL = 0.5
TRIES = 2
"""How often a job is begun whose process died: the second time by itself, so that it can take no other one with it."""


class Task:
    """What a launcher calls in its process: it finds the job's config in the sweep's folder by the number that Hydra composed."""

    def __init__(self, folder: Path) -> None:
        self.folder = str(folder.resolve())
        self.__name__ = self.__qualname__ = "spectrogrand_job"

    def __call__(self, config: Any) -> float:
        """Run it; returns its objective."""
        sweep, number = Sweep.load(self.folder), int(config.job)
        configs = json.loads((sweep.folder / CONFIGS).read_text("utf-8"))
        (job,) = [j for j in sweep.jobs if j.number == number]
        return run_job(sweep, number, configs[number], job.name, job.overrides)


class Trial:
    """The same for a sweeper that invents its points: the config is composed of the overrides that it chose."""

    def __init__(self, folder: Path, words: Sequence[str], typed: Sequence[str]) -> None:
        self.folder, self.words, self.typed = str(folder.resolve()), list(words), list(typed)
        self.__name__ = self.__qualname__ = "spectrogrand_trial"

    def __call__(self, config: Any) -> float:
        """Run it; returns its objective."""
        from hydra.core.hydra_config import HydraConfig

        told = HydraConfig.get()
        swept = {w.lstrip("+").partition("=")[0] for w in self.words if is_swept(w)}
        point = [str(w) for w in told.overrides.task if str(w).lstrip("+").partition("=")[0] in swept]
        fixed = [w for w in self.words if not is_swept(w)]
        sweep, number = Sweep.load(self.folder), int(told.job.num)
        name = name_job(number, dict(w.partition("=")[::2] for w in point))
        try:
            with hydra_apart():
                composed = compose_point([*fixed, *point], self.typed)
        except SpectrograndError as error:
            said = " ".join(str(error).split())
            write_json(sweep.state_file(number), {
                "number": number, "name": name, "overrides": point, "state": "failed", "error": said, "attempts": 1,
            })  # fmt: skip
            sys.stderr.write(f"spectrogrand: job {number} ({name}) failed: {said}\n")
            return math.nan
        composed |= {k: sweep.fixed[k] for k in ("output", "store") if sweep.fixed.get(k)}
        return run_job(sweep, number, composed, name, tuple(point))


def is_swept(word: str) -> bool:
    """Whether a word gives a sweeper several values, or a range, to choose from."""
    from hydra.core.override_parser.overrides_parser import OverridesParser

    (parsed,) = OverridesParser.create().parse_overrides([word])
    return bool(parsed.is_sweep_override())


@hydra_apart()
def launch(sweep: Sweep, numbers: Sequence[int], own: Sequence[str]) -> None:
    """Run these jobs with the launcher that Hydra's own words choose, until each has an end.

    A launcher whose worker was killed gives up on all it had: what it left is launched again, and each job that was running
    when it happened by itself.

    Raises:
        MissingExtra: the launcher is not installed.
    """
    from hydra._internal.callbacks import Callbacks
    from hydra.core.plugins import Plugins
    from hydra.types import HydraContext

    hydra, config = master(own, str(sweep.folder), "sweep")
    context = HydraContext(config_loader=hydra.config_loader, callbacks=Callbacks(config))
    left, alone = list(numbers), False
    while left:
        for some in [[n] for n in left] if alone else [left]:
            launcher = Plugins.instance().instantiate_launcher(
                hydra_context=context, task_function=Task(sweep.folder), config=config
            )
            try:
                with _quiet():
                    launcher.launch([[f"job={n}"] for n in some], initial_job_idx=some[0])
            except Exception as error:  # its own trouble: a dead worker, a job that it lost; each job's file tells
                sys.stderr.write(
                    f"spectrogrand: the launcher stopped ({type(error).__name__}): going on with what is left\n"
                )
        _wait(sweep)
        sweep.refresh()
        by = {job.number: job for job in sweep.jobs}
        died = [n for n in numbers if by[n].state == "killed" and by[n].attempts < TRIES]
        begun = [n for n in left if by[n].state == "planned"]
        if begun and len(begun) < len(left):
            left, alone = begun, False
        else:
            left, alone = (died, True) if died and not (alone and died == left) else ([], False)


@hydra_apart()
def search(sweep: Sweep, words: Sequence[str], own: Sequence[str], typed: Sequence[str]) -> None:
    """Let a sweeper such as Optuna choose the points and tell it each one's objective.

    Raises:
        MissingExtra: the sweeper is not installed. ConfigError: what it says of its settings.
    """
    from hydra._internal.callbacks import Callbacks
    from hydra.core.plugins import Plugins
    from hydra.types import HydraContext
    from omegaconf import open_dict

    hydra, config = master(own, str(sweep.folder), "config")
    with open_dict(config):  # what is fixed goes past the sweeper, which would lose its quotes
        config.hydra.overrides.hydra = [*config.hydra.overrides.hydra, *(w for w in words if not is_swept(w))]
    context = HydraContext(config_loader=hydra.config_loader, callbacks=Callbacks(config))
    task = Trial(sweep.folder, words, typed)
    sweeper = Plugins.instance().instantiate_sweeper(config=config, hydra_context=context, task_function=task)
    try:
        with _quiet():
            sweeper.sweep(arguments=[w for w in words if is_swept(w)])
    except SpectrograndError:
        raise
    except Exception as error:  # Optuna has no best of trials that all failed; each job's file tells
        sweep.refresh()
        if not sweep.jobs:
            raise ConfigError(f"the sweeper refused its settings: {' '.join(str(error).split())}") from error
        sys.stderr.write(f"spectrogrand: the sweeper stopped: {' '.join(str(error).split())}\n")
    _wait(sweep)


def _wait(sweep: Sweep) -> None:
    """Until no job runs any more: a launcher that gave up has left some running in processes of their own."""
    while any(sweep.is_running(job.number) for job in sweep.jobs):
        time.sleep(POLL)


@contextmanager
def _quiet() -> Iterator[None]:
    """Optuna's and Hydra's own chatter is left out; our lines stay."""
    import logging

    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)


@contextmanager
def watching(sweep: Sweep, total: int | None, say: Callable[[str], object]) -> Iterator[None]:
    """While jobs run, keep sweep.json up to date and say how many are done and how long the rest will take."""
    done_before = len(sweep.numbers("finished", "failed"))
    begun, stop, last, said = time.monotonic(), threading.Event(), [""], [str(done_before)]

    def look() -> None:
        own = Sweep(sweep.folder, sweep.id, sweep.command, sweep.fixed, list(sweep.jobs), sweep.created)
        own.refresh()
        now = json.dumps(own.count())
        if now == last[0]:
            return
        own.write()
        last[0] = now
        line = progress(own, total, done_before, time.monotonic() - begun)
        if not line.startswith(f"{said[0]}/"):
            said[0] = line.partition("/")[0]
            say(line)

    def watch() -> None:
        while not stop.wait(POLL):
            look()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        look()
        sweep.refresh()
        sweep.write()


def progress(sweep: Sweep, total: int | None, before: int, elapsed: float) -> str:
    """ "17/72, 1 failed, about 3:20 min left"."""
    states = sweep.count()
    done = states.get("finished", 0) + states.get("failed", 0)
    every = total or len(sweep.jobs)
    bad = [f"{n} {s}" for s, n in states.items() if s in ("failed", "killed", "interrupted")]
    rest = (every - done) * elapsed / (done - before) if done > before else None
    left = [f"about {seconds(rest)} left"] if rest and done < every else []
    return ", ".join([f"{done}/{every}", *bad, *left])
