"""Words: which words of a topic a picture shows and which it does not, in one line, from its painter's notes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .values import items, mapping


def tell_words(notes: Any) -> str:
    """What a picture's notes say of the topic's words, "" where they say nothing.

    >>> tell_words({"shown": [{"word": "foxes"}, {"word": "snow"}], "missed": ["quiet"], "finish": "neon"})
    'shown: foxes, snow; not shown: quiet (neon)'
    >>> tell_words({"shown": [], "missed": ["longing"], "finish": "type"})
    'not shown: longing (set as type)'
    >>> tell_words({"missed": ["憧れ"], "finish": "type", "unset": "no face here has the letters 憧れ"})
    'not shown: 憧れ (set as type); no face here has the letters 憧れ'
    >>> tell_words(None)
    ''
    """
    notes = mapping(notes)
    shown = [str(mapping(entry).get("word")) for entry in items(notes.get("shown")) if mapping(entry).get("word")]
    missed = [str(word) for word in items(notes.get("missed"))]
    parts = [f"shown: {', '.join(shown)}" if shown else "", f"not shown: {', '.join(missed)}" if missed else ""]
    text = "; ".join(part for part in parts if part)
    finish = str(notes.get("finish") or "")
    lost = f"; {notes['unset']}" if notes.get("unset") else ""
    if not text or not finish:
        return text + lost
    return f"{text} ({'set as type' if finish.startswith('type') else finish}){lost}"


def tell_chosen(record: Mapping[str, Any], slot: str = "cover") -> str:
    """The same of a run's chosen picture, "" where nothing is written down."""
    choice = mapping(mapping(record.get("choices")).get(slot))
    for candidate in items(choice.get("candidates")):
        if mapping(candidate).get("index") == choice.get("chosen"):
            return tell_words(mapping(candidate).get("notes"))
    return ""
