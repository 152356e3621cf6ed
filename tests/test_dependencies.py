"""What makes a step stale: one changed line of a drawing function or a feature, or a setting; only dependent steps are remade."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
TINY = ["topic=rain", "song.duration=4", "size=64", "fps=6", "seed=3"]
DRAWING, FEATURE = ("engines/painting/light.py", "glow"), ("audio/features.py", "analyse")
DYNAMIC = {"dynamic_content video", "dynamic_style video", "motion video"}


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """A copy of the package whose lines may be changed."""
    folder = tmp_path_factory.mktemp("package")
    skip = shutil.ignore_patterns("__pycache__")
    shutil.copytree(REPOSITORY / "spectrogrand", folder / "spectrogrand", ignore=skip)
    shutil.copytree(REPOSITORY / "conf", folder / "conf", ignore=skip)
    return folder


def made(package, output, *words):
    """The steps that a run of the copied package made and did not find."""
    done = subprocess.run(
        [sys.executable, "-m", "spectrogrand", "run", *words, f"output={output}"],
        env={**os.environ, "PYTHONPATH": str(package)}, capture_output=True, text=True, check=False, cwd=package,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    (newest,) = sorted(output.glob("*/run.json"), key=lambda p: p.stat().st_mtime_ns)[-1:]
    return {step["slot"] for step in json.loads(newest.read_text("utf-8"))["steps"] if step["made"]}


def one_line_more(package, file, function):
    """Put a line into a function that changes nothing but the source; returns what takes it out again."""
    path = package / "spectrogrand" / file
    before = path.read_text("utf-8")
    (node,) = [n for n in ast.walk(ast.parse(before)) if isinstance(n, ast.FunctionDef) and n.name == function]
    first = node.body[1] if isinstance(node.body[0], ast.Expr) else node.body[0]
    lines = before.splitlines()
    lines.insert(first.lineno - 1, " " * first.col_offset + "_changed = None")
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return lambda: path.write_text(before, "utf-8")


CASES = {
    "audiovisual": (
        ["songs=2", "covers=2"],
        {DRAWING: {"cover"}, FEATURE: DYNAMIC, "stylizer.detail=64": set()},
        ("fps=5", DYNAMIC | {"static video"}),
    ),
}


def test_exactly_the_dependent_steps_are_made_again(package, tmp_path):
    words = [*TINY, "songs=2", "covers=2"]
    assert made(package, tmp_path, *words) >= {"song", "genre", "cover", "song scores", "cover scores", *DYNAMIC}
    assert made(package, tmp_path, *words) == set(), "the same again makes nothing"
    for place, dependent in ((DRAWING, {"cover"}), (FEATURE, DYNAMIC)):
        back = one_line_more(package, *place)
        try:
            assert made(package, tmp_path, *words) == dependent, place
        finally:
            back()
    assert made(package, tmp_path, *words, "fps=5") == DYNAMIC | {"static video"}
