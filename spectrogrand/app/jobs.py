"""A queue of jobs: one at a time, each in a process of its own, so that it can be watched, cancelled and cannot harm the page."""

from __future__ import annotations

import os
import re
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import SpectrograndError, StoreError
from ..media.limits import TRUST
from ..report.record import load_record
from .tidying import sweep_indexes

MOST_WAITING = 30
MOST_OF_ONE = 3
"""Jobs that one visitor may have waiting or running at a time."""
GRACE = 15.0
"""Seconds that a cancelled job has to write its record before it is killed."""
KEPT = 200
"""Finished jobs that are remembered."""


class Busy(SpectrograndError):
    """More jobs wait than the page takes."""


@dataclass
class Job:
    """One job: its commands (words for `spectrogrand`), where it stands, and the run folder once there is one."""

    commands: Sequence[Sequence[str]]
    token: str
    state: str = "waiting"
    error: str = ""
    begun: float = 0.0
    folder: Path | None = None
    process: subprocess.Popen[bytes] | None = None
    visitor: str = ""

    @property
    def over(self) -> bool:
        """Whether nothing more happens to it."""
        return self.state in ("finished", "failed", "cancelled")


class Jobs:
    """First come, first served; a job is `python -m spectrogrand WORDS`, without a shell.

    >>> import tempfile
    >>> jobs = Jobs(Path(tempfile.mkdtemp()))
    >>> jobs.ahead(jobs.add(lambda token: [["--version"]])) in (0, 1)
    True
    """

    def __init__(self, output: Path, most_waiting: int = MOST_WAITING) -> None:
        self.output, self.most_waiting = output, most_waiting
        self._waiting: deque[Job] = deque()
        self._known: dict[str, Job] = {}
        self._running: Job | None = None
        self._change = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._serve, name="jobs", daemon=True)
        self._thread.start()

    def add(self, commands: Callable[[str], Sequence[Sequence[str]]], visitor: str = "") -> Job:
        """Put a job at the end of the queue; `commands` makes its words from its token.

        Args:
            commands: from the token to the words.
            visitor: whose it is; "" is the owner, who may have any number.

        Raises:
            Busy: too many wait already, of all or of this visitor; and whatever `commands` finds wrong.
        """
        token = f"job{secrets.token_hex(16)}"
        job = Job(commands(token), token, visitor=visitor)
        with self._change:
            own = sum(j.visitor == visitor and not j.over for j in self._known.values()) if visitor else 0
            if own >= MOST_OF_ONE:
                raise Busy(f"you have {own} jobs waiting or running already: wait for one of them, or cancel it")
            if len(self._waiting) >= self.most_waiting:
                raise Busy(f"{len(self._waiting)} jobs are waiting already: try again in a few minutes")
            self._waiting.append(job)
            self._known[job.token] = job
            for token in [t for t, j in self._known.items() if j.over][:-KEPT]:
                del self._known[token]
            self._change.notify()
        return job

    def find(self, token: str) -> Job | None:
        """The job of a token, as long as it is remembered."""
        with self._change:
            return self._known.get(token)

    @property
    def busy(self) -> Path | None:
        """The folder of the run that is being made; None where there is none yet."""
        with self._change:
            running = self._running
        if running is None:
            return None
        self.record(running)
        return running.folder

    def ahead(self, job: Job) -> int:
        """How many jobs come before this one."""
        with self._change:
            if job not in self._waiting:
                return 0
            return self._waiting.index(job) + (self._running is not None)

    def cancel(self, token: str, visitor: str | None = None) -> None:
        """Take a job out of the queue, or end its process as Ctrl-C would; nothing where there is no such job.

        Args:
            token: the job's.
            visitor: who asks; another's job is left alone. None is the owner.
        """
        with self._change:
            job = self._known.get(token)
            if job is None or job.over or (visitor is not None and job.visitor != visitor):
                return
            job.state = "cancelled"
            if job in self._waiting:
                self._waiting.remove(job)
        _end(job)

    def clear(self) -> int:
        """Cancel every job that waits; returns how many. The one that runs goes on."""
        with self._change:
            waiting = [job.token for job in self._waiting]
        for token in waiting:
            self.cancel(token)
        return len(waiting)

    def close(self) -> None:
        """End everything: the page stops."""
        with self._change:
            self._closed = True
            todo = [*self._waiting, *([self._running] if self._running else [])]
            self._change.notify()
        for job in todo:
            self.cancel(job.token)
        self._thread.join(GRACE)

    def record(self, job: Job) -> dict[str, Any]:
        """What the job's run has written so far; empty before it begins."""
        job.folder = job.folder or self._folder(job)
        return read(job.folder) if job.folder else {}

    def _folder(self, job: Job) -> Path | None:
        """The run whose configuration holds the job's token."""
        if not job.begun or not self.output.is_dir():
            return None
        for path in sorted(self.output.glob("*/run.json"), key=_changed, reverse=True):
            if _changed(path) < job.begun - 60:
                break
            if _token(path.parent) == job.token:
                return path.parent
        return None

    def _serve(self) -> None:
        while True:
            with self._change:
                while not self._waiting and not self._closed:
                    self._change.wait()
                if self._closed:
                    return
                job = self._running = self._waiting.popleft()
                job.state, job.begun = "running", time.time()
            try:
                self._run(job)
            except OSError as error:
                job.state, job.error = (
                    "failed",
                    f"the job could not be started ({error}): free some memory and try again",
                )
            finally:
                with self._change:
                    self._running = None

    def _run(self, job: Job) -> None:
        if job.commands and job.commands[0][0] == "index":  # nobody reads an index now: jobs run one at a time
            sweep_indexes(self.output / ".indexes", Path(job.commands[0][2]))
        for words in job.commands:
            with tempfile.TemporaryFile() as said:
                with self._change:
                    if job.state == "cancelled":
                        return
                    command = [sys.executable, "-m", "spectrogrand", *words]
                    job.process = subprocess.Popen(
                        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=said, start_new_session=True,
                        env={**os.environ, TRUST: "low"},
                    )  # fmt: skip
                code = job.process.wait()
                said.seek(0)
                lines = said.read()[-8000:].decode("utf-8", "replace").strip().splitlines()
            with self._change:
                if job.state == "cancelled":
                    return
                if code:
                    job.state, job.error = "failed", _without_folders(_why(code, lines), self.output / ".uploads")
                    return
        job.state = "finished"


def _token(folder: Path) -> str:
    """The token of the job that made a run; "" where another than the page did."""
    try:
        return (folder / ".job").read_text("utf-8")
    except (OSError, ValueError):
        return ""


def read(folder: Path) -> dict[str, Any]:
    """A run's record; empty where it cannot be read (it is being written, or is no run).

    >>> read(Path("no such run"))
    {}
    """
    try:
        return load_record(folder)
    except StoreError:
        return {}


def _why(code: int, lines: Sequence[str]) -> str:
    """One line about a failed process: what it said itself, or what its end means."""
    if code in (-9, 137):
        return "the job was killed, most likely for want of memory: choose a smaller picture, fewer candidates or a shorter song"
    broken = max((i for i, line in enumerate(lines) if line.startswith("Traceback ")), default=0)
    told = [line.removeprefix("spectrogrand: ") for line in lines[broken:] if line.startswith("spectrogrand: ")]
    if told:
        return told[-1]
    said = lines[-1] if lines else f"exit code {code}"
    return f"the job stopped by a defect ({said}): try other settings, and report it with the run's run.json"


def _without_folders(text: str, uploads: Path) -> str:
    """A message with uploads named as the visitor knows them, by their own name alone.

    >>> _without_folders("'/tmp/.uploads/0a9ad6e5/in.png' is empty", Path("/tmp/.uploads"))
    "'in.png' is empty"
    """
    return re.sub(re.escape(str(uploads)) + r"/[0-9a-f]+/", "", text)


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _end(job: Job) -> None:
    """SIGTERM, which a run takes as Ctrl-C and writes its record; SIGKILL to the whole group if it does not listen."""
    process = job.process
    if process is None or process.poll() is not None:
        return
    _signal(process, signal.SIGTERM)
    try:
        process.wait(GRACE)
    except subprocess.TimeoutExpired:
        _signal(process, signal.SIGKILL)


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    try:
        os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError):  # it has ended meanwhile
        return
