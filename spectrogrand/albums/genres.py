"""Tags of records to one genre each: one documented map for what people, shops and encyclopaedias write."""

from __future__ import annotations

import ast
import json
import re
from functools import lru_cache
from pathlib import Path

DATA = Path(__file__).parents[1] / "data" / "album_genres.json"
LONGEST = 4000


def tags(text: str) -> list[str]:
    """The tags in a cell of a table, lower case, each once, in order: separated by , ; / | or written as a list.

    >>> tags("['Synth-pop', 'Disco']"), tags("Folk rock; jazz / Folk Rock"), tags("  ")
    (['synth-pop', 'disco'], ['folk rock', 'jazz'], [])
    """
    text = text[:LONGEST].strip()
    parts: list[str] = []
    if text.startswith("[") and text.endswith("]"):
        try:
            found = ast.literal_eval(text)
            parts = [str(p) for p in found if isinstance(p, str)]
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            text = text[1:-1]
    if not parts:
        parts = re.split(r"[,;/|]", text)
    cleaned = (" ".join(re.sub(r"\[\d+\]", "", p).strip(" '\"\t").lower().split()) for p in parts)
    return list(dict.fromkeys(c for c in cleaned if c))


def singular(text: str) -> str:
    """The one genre of a cell of tags: that of its first tag that the map knows, "" where it knows none.

    >>> singular("Synth-pop; disco"), singular("pop punk"), singular("nordic folk rock"), singular("sound of rain")
    ('pop', 'punk', 'rock', '')
    """
    return next((genre for tag in tags(text) if (genre := _genre(tag))), "")


def known() -> tuple[str, ...]:
    """The genres that `singular` may answer.

    >>> len(known())
    16
    """
    return tuple(genre for genre, _ in _map()[1])


@lru_cache(maxsize=4096)
def _genre(tag: str) -> str:
    whole, rules = _map()
    for spelling in (tag, tag.replace("-", " ")):
        if spelling in whole:
            return whole[spelling]
    words = f" {tag.replace('-', ' ')} "
    return next((genre for genre, phrases in rules if any(f" {p} " in words for p in phrases)), "")


@lru_cache(maxsize=1)
def _map() -> tuple[dict[str, str], list[tuple[str, tuple[str, ...]]]]:
    data = json.loads(DATA.read_text("utf-8"))
    rules = [(genre, tuple(p.replace("-", " ") for p in phrases)) for genre, phrases in data["rules"]]
    return dict(data["tags"]), rules
