"""Every plug-in in one list: kind, name, what it is, licence, and whether it is ready here or what is missing."""

from __future__ import annotations

import importlib.util
import inspect
import re
from typing import Any

from .. import registry
from ..errors import SpectrograndError
from ..interfaces import KINDS
from ..weights.sources import missing_weights


def rows(kinds: list[str] | None = None) -> list[dict[str, Any]]:
    """One row per plug-in, sorted by kind and name; a plug-in that cannot be imported is a row that says why.

    >>> [r["kind"] for r in rows(["gates"])][:1]
    ['gates']
    """
    return [_row(kind, name) for kind in kinds or KINDS for name in registry.names(kind)]


def _row(kind: str, name: str) -> dict[str, Any]:
    try:
        card = registry.get(kind, name).card
    except SpectrograndError as error:
        return {
            "kind": kind,
            "name": name,
            "summary": "",
            "licence": "",
            "terms": "",
            "extra": "",
            "weights": [],
            "state": str(error),
        }
    lacking = [m for m in card.modules if importlib.util.find_spec(m) is None]
    missing = [] if lacking else missing_weights(kind, name)
    state = f"needs {', '.join(lacking)}: pip install 'spectrogrand[{card.extra}]'" if lacking else "ready"
    state = f"needs weights: {' && '.join(missing)}" if missing else state
    return {
        "kind": kind, "name": name, "summary": card.summary, "licence": card.licence, "terms": card.terms,
        "extra": card.extra or "core", "weights": [w.record() for w in card.weights], "state": state,
    }  # fmt: skip


def options(kind: str, name: str) -> list[dict[str, str]]:
    """One row per option of a plug-in: its name, its default ("required" where it has none) and what its docstring says.

    >>> options("gates", "silence")
    [{'option': 'floor', 'default': '-60.0', 'what': 'dBFS.'}]
    """
    cls = registry.get(kind, name)
    parameters = inspect.signature(cls).parameters
    told = _told(inspect.getdoc(cls) or "", list(parameters))
    return [
        {
            "option": parameter.name,
            "default": "required" if parameter.default is parameter.empty else repr(parameter.default),
            "what": told.get(parameter.name, ""),
        }
        for parameter in parameters.values()
    ]


def _told(docstring: str, names: list[str]) -> dict[str, str]:
    """What a docstring's Args say of each parameter, in one line."""
    _, _, rest = docstring.partition("Args:\n")
    block = " ".join(re.split(r"\n\S|\n\n(?=\S)", rest)[0].split())
    one = "|".join(map(re.escape, names)) or "(?!)"
    # a name, or several with commas, at the beginning of the block or of a sentence
    begins = list(re.finditer(rf"(?:^|(?<=[.:;] ))((?:{one})(?:, (?:{one}))*): ", block))
    ends = [*(b.start() for b in begins[1:]), len(block)][: len(begins)]
    return {n: block[b.end() : e].strip() for b, e in zip(begins, ends, strict=True) for n in b[1].split(", ")}
