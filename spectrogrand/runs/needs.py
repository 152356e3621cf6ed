"""What the chosen parts need, as a table for a person: part, what, size, terms, and where it is or what gets it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Need:
    """One thing that a chosen part needs: its extra (`source` is then "") or one of its weights."""

    slot: str
    kind: str
    name: str
    what: str
    """It in a few words, for a table."""
    source: str
    megabytes: float
    licence: str
    terms: str
    here: str | None
    """Where it is; None where it is missing."""
    remedy: str
    """What gets it."""
    commanded: bool = True
    """Whether the remedy is a command; else it is words for a person."""


def show(found: Sequence[Need]) -> None:
    """The table, on standard error; below it, each on lines of its own, what no command gets."""
    from rich.console import Console

    console = Console(stderr=True, width=None if sys.stderr.isatty() else 200)
    console.print(table(found))
    for need in found:
        if need.here is None and not need.commanded:
            console.print(f" {need.name}: {need.remedy}", style="red", markup=False, highlight=False, soft_wrap=True)


def table(found: Sequence[Need]) -> Any:
    """One row per need; nothing in it is cut off where the window is narrow."""
    from rich.table import Table
    from rich.text import Text

    made = Table("part", "needs", box=None, header_style="bold")
    made.add_column("MB", justify="right", no_wrap=True)
    made.add_column("licence and terms")
    made.add_column("here")
    for column in made.columns:
        column.overflow = "fold"
    for need in found:
        missing = "missing, by hand: see below" if not need.commanded else f"missing: {need.remedy}"
        size = f"{need.megabytes:,.0f}" if need.megabytes >= 1 else f"{need.megabytes:.1g}" if need.megabytes else ""
        made.add_row(
            f"{need.slot.partition('.')[0].removesuffix('_scorers')}: {need.name}",
            need.what,
            size,
            "; ".join(word for word in (need.licence, need.terms) if word),
            Text("yes", "green") if need.here else Text(missing, "red"),
        )
    return made
