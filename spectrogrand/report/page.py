"""run.json -> report.html: one page that opens from disk and shows the result, the candidates and why it was chosen."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import StoreError
from ..files import parse_json
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


def read_record(folder: Path) -> dict[str, Any]:
    """The record of a run, from the run.json in its folder.

    Raises:
        StoreError: there is none, or it cannot be read.
    """
    try:
        record = parse_json((folder / "run.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StoreError(f"no readable run.json in {str(folder)!r} ({error}): give the folder of a run") from error
    if not isinstance(record, dict):
        raise StoreError(f"run.json in {str(folder)!r} holds no record: give the folder of a run")
    return record


def render(record: Mapping[str, Any], folder: Path) -> str:
    """The page of a run's record as HTML text; files are linked only where they lie inside `folder`."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    pages = Environment(
        loader=PackageLoader("spectrogrand", "data"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    return pages.get_template("report.html.j2").render(view(record, folder))
