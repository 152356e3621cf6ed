"""Run directories: a name made of the topic that is never a path, and a folder that nobody else has."""

from __future__ import annotations

import re
from pathlib import Path

from ..errors import InvalidValue
from ..store import disk_errors


def slug(text: str, longest: int = 48) -> str:
    """A file name made of a topic: letters, digits and dashes only, never empty, never a path.

    >>> slug("../../etc: A Futuristic Spaceship!"), slug("🚀")
    ('etc-a-futuristic-spaceship', 'untitled')
    """
    words = re.sub(r"[^a-z0-9]+", "-", text.lower().encode("ascii", "ignore").decode()).strip("-")
    return words[:longest].strip("-") or "untitled"


def fresh(output: Path, name: str) -> Path:
    """A directory that nobody else has: mkdir decides, so two runs at once never share one."""
    with disk_errors(output):
        output.mkdir(parents=True, exist_ok=True)
        for n in range(1, 10_000):
            folder = output / (name if n == 1 else f"{name}-{n}")
            try:
                folder.mkdir()
                return folder
            except FileExistsError:
                continue
    raise InvalidValue(f"10,000 runs are called {name} in {output}: choose another folder with output=FOLDER")
