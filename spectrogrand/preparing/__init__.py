"""`spectrogrand prepare WHAT ...`: raw material (tracks, cover lists, reviews) to what training and the pipelines read."""

from __future__ import annotations

import importlib
import sys

from ..errors import UnknownName, nearest

WHAT = {
    "albums": "albums:main",
    "catalogue": "catalogue:main",
    "wikipedia": "wikipedia:main",
    "housex": "housex:main",
    "mumu": "mumu:main",
    "corpus": "corpus:main",
}
"""What can be prepared: a module here and its function `(words) -> exit code`, imported when it is called."""


def main(words: list[str]) -> int:
    """`prepare WHAT ...`: call what `WHAT` names with the rest of the words.

    Raises:
        UnknownName: nothing of that name can be prepared.

    >>> main(["housx"])
    Traceback (most recent call last):
    ...
    spectrogrand.errors.UnknownName: nothing to prepare called 'housx'; did you mean 'housex'? (known: albums, ...)
    """
    if not words or words[0] in ("-h", "--help"):
        sys.stdout.write("spectrogrand prepare " + " | ".join(sorted(WHAT)) + "   (each takes --help)\n")
        return 0 if words else 2
    if words[0] not in WHAT:
        raise UnknownName(f"nothing to prepare called {words[0]!r}; {nearest(words[0], WHAT)}")
    module, _, function = WHAT[words[0]].partition(":")
    code: int = getattr(importlib.import_module(f"{__name__}.{module}"), function)(words[1:])
    return code
