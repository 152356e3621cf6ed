"""What the chosen parts need, as a table for a person: part, what, size, terms, and where it is or what gets it."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .preflight import Need


def show(found: Sequence[Need]) -> None:
    """The table, on standard error; below it, each on lines of its own, what no command gets."""
    from rich.console import Console

    console = Console(stderr=True, width=None if sys.stderr.isatty() else 200)
    console.print(table(found))
    for need in found:
        if need.here is None and by_hand(need):
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
        missing = "missing, by hand: see below" if by_hand(need) else f"missing: {need.remedy}"
        size = f"{need.megabytes:,.0f}" if need.megabytes >= 1 else f"{need.megabytes:.1g}" if need.megabytes else ""
        made.add_row(
            f"{need.slot.partition('.')[0].removesuffix('_scorers')}: {need.name}",
            short(need.source) or "its extra",
            size,
            "; ".join(word for word in (need.licence, need.terms) if word),
            Text("yes", "green") if need.here else Text(missing, "red"),
        )
    return made


def by_hand(need: Need) -> bool:
    """Whether its remedy is words, and no command."""
    return need.remedy.startswith("get ")


def short(source: str) -> str:
    """A source as a table names it: of an address the site and the file, the rest is `spectrogrand fetch --list`'s.

    >>> short("https://essentia.upf.edu/models/discogs/discogs-effnet-bs64-1.pb"), short("laion/clap-htsat-fused")
    ('essentia.upf.edu: discogs-effnet-bs64-1.pb', 'laion/clap-htsat-fused')
    >>> short("https://github.com/a/b (b.pt, then: spectrogrand convert b.pt b.safetensors)")
    'github.com: b.pt'
    """
    address, _, inside = source.partition(" (")
    site, _, path = address.removeprefix("https://").partition("/")
    if site == address.partition("/")[0]:
        return address
    named = re.match(r"[^,:)]+", inside)
    path = path.partition("?")[0]
    return f"{site}: {named[0] if named else Path(path).name if Path(path).suffix else path}"
