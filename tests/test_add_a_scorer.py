"""docs/add-a-scorer.md, followed literally: its three files go into a copy of the project, then its test runs."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "add-a-scorer.md"


def test_the_page_works_as_written(tmp_path):
    text = PAGE.read_text("utf-8")
    blocks = re.findall(r"```(?:python|yaml)\n(.*?)```", text, re.S)
    files = re.findall(r"^\*\*\d\. .*?`([\w/]+\.\w+)`", text, re.M)
    assert len(blocks) == len(files) == 3, "one file, one YAML, one test"
    for folder in ("spectrogrand", "conf"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "tests").mkdir()
    for name, block in zip(files, blocks, strict=True):
        (tmp_path / name).write_text(block, "utf-8")

    def python(*words):
        return subprocess.run(
            [sys.executable, *words],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=300,
            env=_environment(tmp_path),
        )

    tests = python("-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_brightness.py")
    assert "2 passed" in tests.stdout, tests.stdout + tests.stderr
    listed = python("-m", "spectrogrand", "list", "scorers", "--json")
    assert '"brightness"' in listed.stdout, listed.stderr
    words = re.search(r"^    spectrogrand run topic=.*?'(cover_scorers=\[[\w,]+\])'\n", text, re.M)[1]
    code = f"from spectrogrand.config import compose; print(list(compose([{words!r}])['cover_scorers']))"
    composed = python("-c", code)
    assert composed.stdout.strip() == "['aesthetics', 'cover_surprise', 'brightness']", composed.stderr


def _environment(folder):
    import os

    return {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
