"""`spectrogrand run -m ...` and `spectrogrand resume SWEEP`: planned, run, told job by job; 0 only if every job is finished."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from ..errors import ConfigError
from ..store import write_json
from .launch import CONFIGS, is_swept, launch, search, watching
from .plan import Plan, make_plan
from .points import chosen, compose_point, expand, split
from .sweep import Sweep, find_same


def is_sweep(words: Sequence[str]) -> bool:
    """Whether words ask for several runs.

    >>> is_sweep(["-m", "seed=0,1"]), is_sweep(["seed=0"])
    (True, False)
    """
    return bool({"-m", "--multirun"} & set(words)) or any(w.startswith("topics=") for w in words)


def main(typed: Sequence[str]) -> int:
    """Run a sweep; one that was begun with the same jobs and the same code is gone on with.

    `objective=song.novelty` is what a sweeper such as Optuna maximises: that scorer's mean over each run's candidates.

    Raises:
        SpectrograndError: the words, or one of the jobs, cannot be: nothing was made.
    """
    what = next((w.partition("=")[2] for w in typed if w.startswith("objective=")), None)
    typed = [w for w in typed if not w.startswith("objective=")]
    words, own = split(typed)
    if chosen(own, "sweeper", "basic") != "basic":
        return _search(words, own, typed, what)
    points = expand(words, typed)
    plan = make_plan(points)
    _say(plan.describe())
    output = Path(plan.configs[0].get("output") or "outputs").expanduser()
    sweep = find_same(output, [job.key for job in plan.jobs])
    if sweep is None:
        sweep = Sweep.create(output, typed, plan.jobs, own=own, objective=what, plan=_counts(plan))
        store = str((Path(plan.configs[0].get("store") or output / ".store")).expanduser().absolute())
        write_json(sweep.folder / CONFIGS, [{**c, "store": c.get("store") or store} for c in plan.configs])
    elif not [j for j in sweep.jobs if j.state != "finished"]:
        _say(
            f"all {len(sweep.jobs)} jobs of {sweep.folder} are finished already; choose another output=FOLDER to make them again"
        )
        return 0
    else:
        _say(f"{sweep.folder} was begun with these jobs: going on with it")
    return _run(sweep, own)


def resume(words: Sequence[str]) -> int:
    """`resume SWEEP [failed=skip] [hydra/launcher=...]`: run what is missing, with the same job numbers and names.

    Raises:
        ConfigError: no folder, or a sweeper's sweep, whose points only it can choose. StoreError: it holds no sweep.
    """
    folders = [w for w in words if "=" not in w]
    options = [w for w in words if "=" in w]
    skip = "failed=skip" in options
    own = [w for w in options if w != "failed=skip"]
    if len(folders) != 1 or any(not w.startswith(("hydra/", "hydra.")) for w in own):
        raise ConfigError("which sweep? spectrogrand resume outputs/sweep-... [failed=skip] [hydra/launcher=joblib]")
    sweep = Sweep.load(folders[0])
    if not (sweep.folder / CONFIGS).is_file():
        raise ConfigError(f"{sweep.folder} was steered by a sweeper, which chose its points: run its command again")
    return _run(sweep, own or list(sweep.fixed.get("own") or []), skip)


def _run(sweep: Sweep, own: Sequence[str], skip_failed: bool = False) -> int:
    todo = sweep.numbers("planned", "killed", "interrupted", *([] if skip_failed else ["failed"]))
    busy = sweep.numbers("running")
    if busy:
        _say(f"{len(busy)} jobs are run by another process now")
    if len(todo) < len(sweep.jobs):
        _say(f"{len(sweep.numbers('finished'))} of {len(sweep.jobs)} jobs are finished: {len(todo)} to do")
    for number in todo:  # begun anew: its attempts count from here, and it is planned until it runs
        sweep.state_file(number).unlink(missing_ok=True)
    sweep.jobs = [
        job if job.number not in todo else type(job)(job.number, job.overrides, job.name, job.key) for job in sweep.jobs
    ]
    sweep.write()
    if todo:
        with watching(sweep, len(sweep.jobs), _say):
            launch(sweep, todo, own)
    return _told(sweep)


def _search(words: Sequence[str], own: Sequence[str], typed: Sequence[str], what: str | None) -> int:
    fixed = [w for w in words if not is_swept(w)]
    config = compose_point(fixed, typed)
    output = Path(config.get("output") or "outputs").expanduser()
    store = str(Path(config.get("store") or output / ".store").expanduser().absolute())
    sweep = Sweep.create(output, typed, [], own=list(own), objective=what, store=store)
    with watching(sweep, None, _say):
        search(sweep, words, own, typed)
    best = sweep.folder / "optimization_results.yaml"
    if best.is_file():
        _say(" ".join(best.read_text("utf-8").split()))
    return _told(sweep)


def _told(sweep: Sweep) -> int:
    """The last lines: what became of the jobs; 0 only if every one is finished."""
    for job in sweep.jobs:
        if job.state != "finished":
            _say(f"job {job.number} ({job.name}) {job.state}" + (f": {job.error}" if job.error else ""))
    finished = len(sweep.numbers("finished"))
    if finished:
        from ..report.sweep_page import write_sweep_page

        _say(f"all of them on one page: {write_sweep_page(sweep.folder)}")
    _say(f"{finished} of {len(sweep.jobs)} jobs finished: spectrogrand table {sweep.folder}")
    if finished == len(sweep.jobs) and finished:
        return 0
    _say(f"run what is missing with: spectrogrand resume {sweep.folder}")
    return 1


def _counts(plan: Plan) -> dict[str, object]:
    told = vars(plan)
    return {k: told[k] for k in ("duplicates", "steps", "distinct", "ready", "unknown")}


def _say(text: str) -> None:
    sys.stderr.write(f"spectrogrand: {text}\n")
    sys.stderr.flush()
