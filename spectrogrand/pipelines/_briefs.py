"""From a topic and a genre to the briefs of its covers: the genre's colours and words, as the published prompts have them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..audio.emotion import Emotion
from ..checks import check_mapping
from ..errors import ConfigError
from ..types import CoverBrief, Topic

EXAMPLE = "write a line GENRE: {colours: [dark blue, red], words: [unveils, surprises]} for each"
MOODS: dict[str, dict[str, list[str]]] = {
    "joyful": {"colours": ["orange", "yellow"], "words": ["celebrates", "dances"]},
    "tense": {"colours": ["red", "black"], "words": ["threatens", "rages"]},
    "sad": {"colours": ["dark blue", "grey"], "words": ["mourns", "remembers"]},
    "calm": {"colours": ["light blue", "green"], "words": ["rests", "drifts"]},
}
"""Colours and words of the quarters of the plane of feeling, for music that is of no genre with its own: fast music in major
goes with saturated, light and yellow colours, slow music in minor with pale, dark and blue ones (Palmer et al. 2013, PNAS
110(22))."""
LARGEST = 1 << 20
"""Characters of a file of words that are read."""


def check_words(name: str, value: Any) -> dict[str, dict[str, list[str]]]:
    """Colours and words of every genre, from a mapping of them or from the YAML file that `{"file": PATH}` names.

    >>> check_words("words", {"bass": {"colours": ["black"], "words": ["ascends"]}})
    {'bass': {'colours': ['black'], 'words': ['ascends']}}

    Raises:
        ConfigError: the file cannot be read; there is no genre, or one has no colours or no words.
    """
    where = name
    if isinstance(value, Mapping) and isinstance(value.get("file"), str):
        where, value = value["file"], _read(value["file"])
    if where != name and not isinstance(value, Mapping):
        raise ConfigError(f"{where} holds no mapping of genres: {EXAMPLE}")
    found = check_mapping(where, value)
    if not found:
        raise ConfigError(f"{where} has no colours and words for any genre: {EXAMPLE}")
    for genre, both in found.items():
        if not isinstance(genre, str):
            raise ConfigError(f"{where}: the genre {genre!r} is no text: put it between quotes, '{genre}'")
        for key in ("colours", "words"):
            given = both.get(key) if isinstance(both, Mapping) else None
            if not isinstance(given, list | tuple) or not given or not all(isinstance(t, str) and t for t in given):
                raise ConfigError(f"{where}: {genre} has no list of {key}: {EXAMPLE}")
    return {genre: {key: list(both[key]) for key in ("colours", "words")} for genre, both in found.items()}


def check_classes(words: Mapping[str, Any], classes: Sequence[str]) -> None:
    """Whether every genre that a classifier may name has colours and words.

    Raises:
        ConfigError: one has none.
    """
    for genre in classes:
        if genre not in words:
            raise ConfigError(
                f"words has no colours and words for {genre}, one of the classes {', '.join(classes)}: "
                "give words=FILE.yaml with all of them"
            )


def _read(path: str) -> Any:
    import yaml

    try:
        with open(Path(path).expanduser(), encoding="utf-8-sig") as file:
            return yaml.safe_load(file.read(LARGEST))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise ConfigError(f"cannot read colours and words from {path} ({reason}): {EXAMPLE}") from error


def name_mood(feeling: Emotion) -> str:
    """The quarter of the plane of feeling: joyful, tense, sad, calm.

    >>> name_mood(Emotion(-0.3, -0.6, 0.1, 60.0, 1.0, 500.0, -30.0, -0.9))
    'sad'
    """
    if feeling.arousal >= 0:
        return "joyful" if feeling.valence >= 0 else "tense"
    return "calm" if feeling.valence >= 0 else "sad"


def write_briefs(topic: Topic, genre: str, words: Mapping[str, Any], count: int) -> list[CoverBrief]:
    """`count` briefs walking the genre's grid of colours and words, colours fastest, so that a few already vary both.

    >>> words = {"bass": {"colours": ["black", "purple"], "words": ["ascends", "explodes"]}}
    >>> [f"{b.colour} {b.word}" for b in write_briefs(Topic("the sea"), "bass", words, 4)]
    ['black ascends', 'purple explodes', 'black explodes', 'purple ascends']

    Raises:
        ConfigError: the genre has no colours and words.
    """
    check_classes(words, [genre])
    colours, sayings = words[genre]["colours"], words[genre]["words"]
    grid = [(colours[i % len(colours)], sayings[(i + i // len(colours)) % len(sayings)]) for i in range(count)]
    return [CoverBrief(topic.text, genre, colour, word) for colour, word in grid]
