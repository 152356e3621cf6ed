"""Which licences allow commercial use, and which plug-ins are left when only those may be used."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..errors import ConfigError
from ..interfaces import Component

CHOICES = ("any", "free")
FREE = (
    "apache-2.0",
    "mit",
    "bsd-2-clause",
    "bsd-3-clause",
    "cc0-1.0",
    "cc by 4.0",
    "openrail",
    "open rail",
    "your own",
    "yours",
)
"""How licences that allow commercial use are written on cards; OpenRAIL does, with its use restrictions."""
BOUND = re.compile(r"non-?commercial|research use|for research|research community|\bNC\b", re.IGNORECASE)
"""Words of licences and terms that forbid it."""


def allows_sale(licence: str, terms: str = "") -> bool:
    """Whether a licence, with what its card says of terms, allows commercial use. What is not known does not.

    >>> [allows_sale(*told) for told in (("MIT",), ("CC-BY-NC-4.0",), ("MIT", "HouseX: research use"), ("its own",))]
    [True, False, False, False]
    """
    known = any(word in licence.lower().replace("cc-by-4", "cc by 4") for word in FREE)
    return known and not BOUND.search(f"{licence.replace('-', ' ')} {terms}") and not BOUND.search(licence)


def refuse_bound(parts: Iterable[tuple[str, Component]]) -> None:
    """Check that every plug-in and all of its weights may be used commercially.

    Args:
        parts: (place, plug-in) pairs.

    Raises:
        ConfigError: some may not; each is named with its licence.
    """
    bound = []
    for place, part in parts:
        card = part.card
        lots = [card.licence, *(one.licence for one in card.weights)]
        wrong = next((w for w in lots if not allows_sale(w, card.terms)), None)
        if wrong is not None:
            why = wrong if not allows_sale(wrong) else card.terms
            bound.append(f"{place.partition('.')[0]}: {part.name} ({why})")
    if bound:
        raise ConfigError(
            f"licences=free refuses what may not be used commercially: {'; '.join(dict.fromkeys(bound))}. Choose other parts, "
            "or licences=any"
        )
