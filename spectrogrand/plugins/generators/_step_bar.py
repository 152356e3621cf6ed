"""A pipeline's denoising steps as a progress bar of ours, in the shape in which diffusers asks for one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from typing import Any

from ...progress import bar


class StepBar:
    """What `pipeline.progress_bar(iterable)` or `pipeline.progress_bar(total=n)` gives: a context with `update`, or an iterable.

    >>> with StepBar("sdxl", total=2) as steps:
    ...     steps.update()
    """

    def __init__(self, label: str, iterable: Iterable[Any] | None = None, total: int | None = None) -> None:
        self._label, self._items = label, None if iterable is None else list(iterable)
        self._total = len(self._items) if self._items is not None else int(total or 0)
        self._done, self._stack = 0, ExitStack()

    def __enter__(self) -> StepBar:
        self._tick = self._stack.enter_context(bar(f"{self._label}, steps"))
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def update(self, count: int = 1) -> None:
        """One or more steps are done."""
        self._done += count
        self._tick(self._done, self._total)

    def __iter__(self) -> Iterator[Any]:
        with self:
            for item in self._items or []:
                yield item
                self.update()
