"""From a topic and a genre to the briefs of its covers: the genre's colours and words, as the published prompts have them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..checks import check_mapping
from ..errors import ConfigError
from ..types import GENRES, CoverBrief, Topic


def check_words(name: str, value: Any) -> Mapping[str, Any]:
    """Colours and words for every genre.

    Raises:
        ConfigError: a genre has none.
    """
    words = check_mapping(name, value)
    for genre in GENRES:
        if genre not in words:
            raise ConfigError(f"words has no colours and words for {genre}: choose words=published or add them")
    return words


def write_briefs(topic: Topic, genre: str, words: Mapping[str, Any], count: int) -> list[CoverBrief]:
    """`count` briefs walking the genre's grid of colours and words, colours fastest, so that a few already vary both.

    >>> words = {"bass": {"colours": ["black", "purple"], "words": ["ascends", "explodes"]}}
    >>> [f"{b.colour} {b.word}" for b in write_briefs(Topic("the sea"), "bass", words, 4)]
    ['black ascends', 'purple explodes', 'black explodes', 'purple ascends']
    """
    colours, sayings = words[genre]["colours"], words[genre]["words"]
    grid = [(colours[i % len(colours)], sayings[(i + i // len(colours)) % len(sayings)]) for i in range(count)]
    return [CoverBrief(topic.text, genre, colour, word) for colour, word in grid]
