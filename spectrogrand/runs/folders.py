"""Run directories: a name made of the topic that is never a path, and a folder that nobody else has."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

from ..errors import ConfigError, InvalidValue
from ..files import disk_errors

LONGEST = 150
"""Bytes of a topic in a file name, which may have 255 with the time and a number."""


def slug(text: str, longest: int = 48) -> str:
    """A file name made of a topic: letters and digits of any script, and dashes; never empty, never a path.

    A symbol goes by its Unicode name where a topic holds no letter at all.

    >>> slug("../../etc: A Futuristic Spaceship!"), slug("дождь в лесу"), slug("🚀")
    ('etc-a-futuristic-spaceship', 'дождь-в-лесу', 'rocket')
    """
    plain = unicodedata.normalize("NFKC", text).lower()
    if not any(c.isalnum() for c in plain):
        plain = " ".join(unicodedata.name(c, "") for c in plain if unicodedata.category(c)[0] == "S").lower()
    kept = "".join(c if unicodedata.category(c)[0] in "LMN" else "-" for c in plain)
    words = re.sub("-+", "-", kept).strip("-")
    name = words[:longest].strip("-")
    while len(name.encode("utf-8", "replace")) > LONGEST:
        name = name[:-1]
    return name.strip("-") or "run"


def fresh(output: Path, name: str, token: object = None) -> Path:
    """A directory that nobody else has: mkdir decides, so two runs at once never share one.

    Args:
        output: where.
        name: of the directory; a number is added where it is taken.
        token: of the page's job that the run belongs to, by which the page finds it: kept in a file of its own, in no record.
    """
    if re.match(r"[a-zA-Z][a-zA-Z0-9+.-]+:/", str(output)):
        raise ConfigError(f"output is a folder, not an address, got {str(output)!r}: set output=FOLDER")
    with disk_errors(output):
        output.mkdir(parents=True, exist_ok=True)
        for n in range(1, 10_000):
            folder = output / (name if n == 1 else f"{name}-{n}")
            try:
                folder.mkdir()
                if token:
                    (folder / ".job").write_text(str(token), "utf-8")
                return folder
            except FileExistsError:
                continue
    raise InvalidValue(f"10,000 runs are called {name} in {output}: choose another folder with output=FOLDER")
