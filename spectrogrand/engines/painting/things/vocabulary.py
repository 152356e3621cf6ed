"""Vocabulary: which things a topic names, how many, in which colour; read from a shipped table in fifteen languages."""

from __future__ import annotations

import json
import lzma
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

DATA = Path(__file__).parents[3] / "data" / "things"
COUNTS = {
    "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "pair": 2, "zwei": 2, "drei": 3, "dos": 2, "tres": 3,
    "deux": 2, "trois": 3, "due": 2, "tre": 3, "dois": 2, "duas": 2, "три": 3, "два": 2, "две": 2,
}  # fmt: skip
COLOURS = frozenset(
    "red orange yellow green blue purple pink black white grey gray gold silver brown turquoise teal".split()
)
STOP = frozenset(
    (
        "a an the of in on at to and or for with without under over beside by near into onto through from about like is "
        "are be old new big broken giant little tiny small calm learning it its my your our this that der die das ein "
        "eine im am und mit la le les un une el los las y o e il lo gli sobre sur sous dans et con avec de del della do "
        "da em na no под в на и "
    ).split()
)


@dataclass(frozen=True)
class Shape:
    """An outline: its English name, the font it lies in ("n" Noto Emoji, "i" icons) and its code point there."""

    name: str
    font: str
    code: int


@dataclass(frozen=True)
class Thing:
    """What a topic names: the word as written, its shape, how many of it and its colour, None where no colour is said."""

    word: str
    shape: Shape
    count: int = 1
    colour: str | None = None


@dataclass(frozen=True)
class Reading:
    """The things that a topic names, in its order, and its words of meaning that name none."""

    things: tuple[Thing, ...]
    missed: tuple[str, ...]


@lru_cache(maxsize=1)
def _table() -> tuple[list[Shape], dict[str, int], dict[str, list[int]]]:
    """Shapes, emoji to shape, words of all languages to shapes (a word of two languages takes the first's)."""
    plain = json.loads(lzma.decompress((DATA / "words.json.xz").read_bytes()))
    shapes = [Shape(name, font, code) for name, font, code, _ in plain["shapes"]]
    emoji = {text: k for k, (_, _, _, text) in enumerate(plain["shapes"]) if text}
    words: dict[str, list[int]] = {}
    for table in plain["words"].values():
        for word, found in table.items():
            words.setdefault(word, found)
    return shapes, emoji, words


def shapes() -> list[Shape]:
    """Every shape there is."""
    return list(_table()[0])


def look_up(word: str) -> Shape | None:
    """The shape that a word stands for, also from its English or German plural; None where it stands for none.

    Two words are also tried the other way round: icons are named by the noun first ("car sports").

    >>> look_up("foxes").name, look_up("qqqq")
    ('fox', None)
    """
    every, _, words = _table()
    word = word.lower()
    forms = [word]
    if word.count(" ") == 1:
        forms.append(" ".join(word.split()[::-1]))
    if word.isascii():
        for ending, instead in (("ies", "y"), ("ves", "f"), ("es", ""), ("s", ""), ("en", ""), ("e", "")):
            if word.endswith(ending) and len(word) > len(ending) + 2:
                forms.append(word[: -len(ending)] + instead)
    found = next((words[form] for form in forms if form in words), None)
    return every[found[0]] if found else None


def read(topic: str) -> Reading:
    """What a topic names; compounds ("hot air balloon") before their parts, emoji as they stand.

    Scripts without spaces (Japanese, Chinese) are read by the longest word that the table has.

    >>> [(t.shape.name, t.count) for t in read("two foxes").things]
    [('fox', 2)]
    """
    every, emoji, words = _table()
    things: list[Thing] = []
    missed: list[str] = []
    pending: tuple[int, str | None] = (1, None)

    def take(word: str, shape: Shape) -> None:
        nonlocal pending
        if all(t.shape != shape for t in things):
            things.append(Thing(word, shape, *pending))
        pending = (1, None)

    tokens = _tokens(topic, emoji)
    k = 0
    while k < len(tokens):
        for n in range(min(4, len(tokens) - k), 0, -1):
            part = " ".join(tokens[k : k + n])
            lower = part.lower()
            if part in emoji:
                take(part, every[emoji[part]])
                break
            if n == 1 and lower in COUNTS:
                pending = (COUNTS[lower], pending[1])
                break
            if n == 1 and lower in COLOURS:
                pending = (pending[0], lower)
                break
            if n == 1 and (lower in STOP or lower.isdigit()):
                break
            if shape := look_up(part):
                take(part, shape)
                break
        else:
            n = 1
            missed += _unspaced(tokens[k], take, words, every)
            pending = (1, None)
        k += n
    return Reading(tuple(things), tuple(dict.fromkeys(missed)))


def _tokens(topic: str, emoji: dict[str, int]) -> list[str]:
    longest = sorted(map(re.escape, emoji), key=len, reverse=True)
    marks = re.compile("(" + "|".join(longest) + r")|([^\W_]+(?:[\u0900-\u097f\u0610-\u065f]+[^\W_]*)*)")
    return [m[0] for m in marks.finditer(topic.replace("\ufe0f", "").replace("-", " "))]


def _unspaced(token: str, take: object, words: dict[str, list[int]], every: list[Shape]) -> list[str]:
    """Words inside a run of Han, kana or Hangul; other tokens are missed as they stand."""
    if not re.search("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]", token):
        return [token]
    k, hit = 0, False
    while k < len(token):
        n = next((n for n in range(min(8, len(token) - k), 0, -1) if token[k : k + n] in words), 0)
        if n:
            take(token[k : k + n], every[words[token[k : k + n]][0]])  # type: ignore[operator]
            hit = True
        k += max(n, 1)
    return [] if hit else [token]
