"""The README's Python example runs as printed, and its commands are words that the program knows."""

import doctest
import re
from pathlib import Path

import numpy as np

from spectrogrand.cli import as_settings
from spectrogrand.config import compose
from spectrogrand.media import load_video

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "README.md").read_text("utf-8")


def test_the_python_example_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    example = doctest.DocTestParser().get_doctest(TEXT, {}, "README", "README.md", 0)
    assert len(example.examples) == 10
    runner = doctest.DocTestRunner()
    runner.run(example, clear_globs=False)
    assert runner.summarize(verbose=False).failed == 0
    first, second = np.sort(example.globs["best"].choice.totals)[:-3:-1]
    assert first > second, "the example chooses something"
    video = load_video(tmp_path / "video.mp4")
    assert (video.count, video.fps, video.size) == (100, 25, (256, 256))


def test_every_run_command_composes(tmp_path):
    commands = re.findall(r"^    spectrogrand run (.*?)(?:\s+#.*)?$", TEXT, re.M)
    assert len(commands) >= 5
    import shlex

    for command in commands:
        words = [w for w in shlex.split(command) if not w.startswith("-") and not w.startswith("topics=")]
        words = as_settings(words)
        compose([w for w in words if w != "run" and "," not in w.partition("=")[2]])


def test_every_link_leads_somewhere():
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\((?!http)([^)#]+)\)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
