"""A sweep on disk: `sweep.json` says what it is and how each job stands; each job writes its own small file while it runs.

SWEEP/sweep.json            id, command, launcher, plan, and every job: number, overrides, name, state, folder, error
SWEEP/.jobs/0017.json       the state of job 17, written by the process that runs it
SWEEP/.jobs/0017.lock       held while it runs: a state "running" whose lock is free belongs to a process that died
SWEEP/0017_seed=1_.../      its run
"""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .. import __version__
from ..errors import StoreError
from ..runs.folders import fresh
from ..store import write_json

FILE = "sweep.json"
DONE = ("finished", "failed")
"""States after which a job is not run again unless it is asked for."""
LONGEST_NAME = 120


@dataclass(frozen=True)
class Job:
    """One point of a sweep.

    `state` is planned, running, finished, failed (its own error), killed (its process died) or interrupted; `attempts` counts how
    often it was begun, `objective` is what Optuna gets of it.
    """

    number: int
    overrides: tuple[str, ...]
    name: str
    key: str
    state: str = "planned"
    folder: str | None = None
    error: str | None = None
    seconds: float | None = None
    objective: float | None = None
    attempts: int = 0


@dataclass
class Sweep:
    """A sweep and its folder; `load` reads one, `create` makes one."""

    folder: Path
    id: str
    command: list[str]
    fixed: dict[str, Any]
    jobs: list[Job]
    created: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))

    @classmethod
    def create(cls, output: Path, command: Sequence[str], jobs: Sequence[Job], **fixed: Any) -> Sweep:
        """A new folder of a sweep under `output`, called by the time, which no other sweep has."""
        folder = fresh(output, f"sweep-{datetime.now():%Y%m%d-%H%M%S}")
        made = cls(folder, folder.name, list(command), {"version": __version__, **fixed}, list(jobs))
        (folder / ".jobs").mkdir()
        made.write()
        return made

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> Sweep:
        """The sweep of a folder, each job in the state that it is in now.

        Raises:
            StoreError: there is no readable sweep.json.
        """
        home = Path(folder)
        try:
            told = json.loads((home / FILE).read_text("utf-8"))
            jobs = [Job(**{**j, "overrides": tuple(j["overrides"])}) for j in told["jobs"]]
            made = cls(home, told["id"], told["command"], told["fixed"], jobs, told["created"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StoreError(
                f"no readable {FILE} in {str(folder)!r} ({type(error).__name__}): give the folder of a sweep, "
                "outputs/sweep-..."
            ) from error
        made.refresh()
        return made

    def write(self) -> None:
        """Write sweep.json as it stands."""
        jobs = [{**vars(job), "overrides": list(job.overrides)} for job in self.jobs]
        write_json(self.folder / FILE, {
            "schema": 1, "id": self.id, "created": self.created, "command": self.command, "fixed": self.fixed, "jobs": jobs,
        })  # fmt: skip

    def refresh(self) -> None:
        """Take over what the jobs' own files say; a job that says "running" and holds no lock was killed."""
        known = {job.number: job for job in self.jobs}
        for file in sorted((self.folder / ".jobs").glob("[0-9]*.json")):
            try:
                told = json.loads(file.read_text("utf-8"))
                job = known.get(told["number"]) or Job(told["number"], tuple(told["overrides"]), told["name"], "")
                known[job.number] = replace(
                    job, **{k: v for k, v in told.items() if k not in ("number", "overrides", "pid")}
                )
            except (OSError, ValueError, KeyError, TypeError):
                continue  # being written, or torn by a full disk: the job is as it was
        self.jobs = [self._alive(known[n]) for n in sorted(known)]

    def _alive(self, job: Job) -> Job:
        if job.state != "running" or self.is_running(job.number):
            return job
        return replace(job, state="killed", error=job.error or "its process died (killed, or out of memory)")

    def state_file(self, number: int) -> Path:
        """Where a job's process writes how it stands."""
        return self.folder / ".jobs" / f"{number:04d}.json"

    @contextmanager
    def holding(self, number: int) -> Iterator[bool]:
        """Hold a job while it runs; False where another process runs it."""
        path = self.state_file(number).with_suffix(".lock")
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o644)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            yield True
        finally:
            os.close(handle)

    def is_running(self, number: int) -> bool:
        """Whether a living process holds the job."""
        if not self.state_file(number).with_suffix(".lock").exists():
            return False
        with self.holding(number) as free:
            return not free

    def numbers(self, *states: str) -> list[int]:
        """Jobs in one of these states."""
        return [job.number for job in self.jobs if job.state in states]

    def count(self) -> dict[str, int]:
        """How many jobs are in each state that one is in."""
        states = [job.state for job in self.jobs]
        return {s: states.count(s) for s in dict.fromkeys(states)}


def find_same(output: Path, keys: Sequence[str]) -> Sweep | None:
    """The sweep under `output` that has just these jobs, the newest one first; None where there is none."""
    for file in sorted(output.glob(f"*/{FILE}"), reverse=True):
        try:
            found = Sweep.load(file.parent)
        except StoreError:
            continue
        if [job.key for job in found.jobs] == list(keys):
            return found
    return None


def name_job(number: int, varying: Mapping[str, Any]) -> str:
    """What a job's folder is called: its number and its overrides, as file names can hold them.

    >>> name_job(17, {"seed": 1, "stylizer": "magenta", "topic": "a/b, c: ../d"})
    '0017_seed=1_stylizer=magenta_topic=a-b-c-d'
    """
    parts = [f"{slug(key)}={slug(value)}" for key, value in varying.items()]
    return "_".join([f"{number:04d}", *parts])[:LONGEST_NAME].rstrip("-_=.")


def slug(value: Any) -> str:
    """Letters, digits, dots and dashes of a value; what is left of a topic in another script is told by its number alone."""
    text = re.sub(r"[^A-Za-z0-9.]+", "-", str(value))
    return re.sub(r"-?\.{2,}-?|-\.-", "-", text).strip("-.").replace("--", "-")[:40]
