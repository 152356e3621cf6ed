"""Every plug-in in one list: kind, name, what it is, licence, and whether it is ready here or what is missing."""

from __future__ import annotations

import importlib.util
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
