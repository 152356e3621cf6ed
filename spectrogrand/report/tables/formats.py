"""A comparison as Markdown, CSV, LaTeX, a data frame and parquet."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ...errors import require
from .comparison import Comparison
from .table import Table, escape_csv, escape_markdown

HEAD = ("measure", "a", "b", "a - b", "95 % interval", "p", "p (Holm)", "effect", "pairs")


def comparison_markdown(found: Comparison) -> str:
    """Two tables, means and differences, and what a reader must know."""
    head = [", ".join(found.by), "runs", *found.measures]
    rows = [[name, str(g["runs"]), *(_interval(g[m]) for m in found.measures)] for name, g in found.groups.items()]
    text = "Means with 95 % intervals (topics and seeds are clusters):\n\n" + _grid(head, rows)
    if found.differences:
        text += (
            f"\nDifferences of runs with the same {' and '.join(found.pair)} (permutation test, Holm's correction):\n\n"
        )
        text += _grid(HEAD, [_cells(d) for d in found.differences])
    return text + "".join(f"\n- {escape_markdown(note)}" for note in found.notes) + ("\n" if found.notes else "")


def comparison_csv(found: Comparison) -> str:
    """One line a mean, then one a difference; the first cell says which."""
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\n").writerow
    write(["row", "measure", "group", "against", "mean", "low", "high", "p", "p_holm", "effect", "n"])
    for name, group in found.groups.items():
        for m in found.measures:
            if group[m]:
                write(["mean", m, escape_csv(name), "", *group[m], "", "", "", group["runs"]])
    for d in found.differences:
        numbers = [d.mean, d.low, d.high, d.p, d.p_holm, d.effect, d.pairs]
        write(["difference", d.measure, escape_csv(d.a), escape_csv(d.b), *numbers])
    return out.getvalue()


def comparison_latex(found: Comparison) -> str:
    """Two `tabular`s with booktabs' rules, ready to be put into a paper."""
    head = [", ".join(found.by), "runs", *found.measures]
    rows = [[name, str(g["runs"]), *(_interval(g[m]) for m in found.measures)] for name, g in found.groups.items()]
    text = _tabular(head, rows)
    return text + ("\n" + _tabular(HEAD, [_cells(d) for d in found.differences]) if found.differences else "")


def to_frame(found: Table) -> Any:
    """Every run as a row of a pandas DataFrame, all columns and the run's folder.

    Raises:
        MissingExtra: pandas is not installed.
    """
    require("pandas", "tables", "a data frame")
    import pandas

    rows = [{**row, "folder": folder} for row, folder in zip(found.rows, found.folders, strict=True)]
    return pandas.DataFrame(rows, columns=[*found.columns, "folder"])


def write_parquet(found: Table, path: Path) -> None:
    """`to_frame` as a parquet file.

    Raises:
        MissingExtra: pandas or pyarrow is not installed. MediaError: it cannot be written.
    """
    from ...files import replacing

    require("pyarrow", "tables", "parquet")
    frame = to_frame(found)
    for name in frame.columns:  # a column of several types is text
        if frame[name].dtype == object and len({type(v) for v in frame[name].dropna()}) > 1:
            frame[name] = frame[name].map(lambda v: None if v is None else str(v))
    with replacing(path) as draft:
        frame.to_parquet(draft, engine="pyarrow", index=False)


def difference_rows(found: Comparison) -> list[dict[str, Any]]:
    """The differences as plain rows."""
    return [asdict(d) for d in found.differences]


def _cells(d: Any) -> list[str]:
    ends = "" if math.isnan(d.low) else f"{d.low:.3g} to {d.high:.3g}"
    return [
        d.measure,
        d.a,
        d.b,
        f"{d.mean:.3g}",
        ends,
        f"{d.p:.3g}",
        f"{d.p_holm:.3g}",
        f"{d.effect:.2f}",
        str(d.pairs),
    ]


def _interval(found: tuple[float, float, float] | None) -> str:
    if found is None:
        return ""
    mean, low, high = found
    return f"{mean:.3g}" if math.isnan(low) else f"{mean:.3g} ({low:.3g} to {high:.3g})"


def _grid(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [
        [escape_markdown(c) for c in head],
        ["---"] * len(head),
        *([escape_markdown(c) for c in row] for row in rows),
    ]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


_LATEX = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"} | {
    c: f"\\{c}" for c in "&%$#_{}"
}


def _tabular(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    def line(cells: Sequence[str]) -> str:
        return " & ".join("".join(_LATEX.get(c, c) for c in cell) for cell in cells) + r" \\" + "\n"

    body = "".join(map(line, rows))
    return f"\\begin{{tabular}}{{{'l' * len(head)}}}\n\\toprule\n{line(head)}\\midrule\n{body}\\bottomrule\n\\end{{tabular}}\n"
