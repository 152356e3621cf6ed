"""Progress on the terminal: silent unless someone watches and the work takes more than two seconds."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Tick = Callable[[int, int], None]
"""Called as tick(done, total)."""


@contextmanager
def bar(label: str, shown: bool | None = None) -> Iterator[Tick]:
    """A progress bar that appears after two seconds, on standard error, where it is a terminal (or `shown` says so).

    >>> with bar("drawing", shown=False) as tick:
    ...     tick(1, 10)
    """
    if not (sys.stderr.isatty() if shown is None else shown):
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    progress = Progress(*columns, console=Console(stderr=True), transient=True)
    task = progress.add_task(label, total=None)
    begun = time.monotonic()

    def tick(done: int, total: int) -> None:
        if not progress.live.is_started and time.monotonic() - begun > 2:
            progress.start()
        progress.update(task, completed=done, total=total)

    try:
        yield tick
    finally:
        progress.stop()
