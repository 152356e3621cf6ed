"""run.json -> report.html: one page that opens from disk and shows the result, the candidates and why it was chosen."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from .record import read_record
from .view import view


def write_report(run_dir: str | Path) -> Path:
    """Write `report.html` beside the `run.json` of a run directory, finished or not; returns its path.

    Every missing part is left out. Links are relative, all text is escaped, nothing is loaded from the network.

    Raises:
        StoreError: no readable run.json there.
        MediaError: the page cannot be written (no permission, full disk).

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "run.json").write_text('{"topic": "<b>sea</b>", "state": "failed", "error": "no song was left"}')
    >>> "&lt;b&gt;sea&lt;/b&gt;" in write_report(folder).read_text()
    True
    """
    from ..media import replacing

    folder = Path(run_dir)
    target = folder / "report.html"
    page = render(read_record(folder), folder)
    with replacing(target) as draft:
        draft.write_text(page, encoding="utf-8")
    return target


def render(record: Mapping[str, Any], folder: Path) -> str:
    """The page of a run's record as HTML text; files are linked only where they lie inside `folder`."""
    return str(templates().get_template("report.html.j2").render(view(record, folder)))


@lru_cache(maxsize=1)
def templates() -> Any:
    """The package's page templates, compiled once."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("spectrogrand", "data"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
