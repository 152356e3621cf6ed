"""Vocabulary: which things a topic names, how many, in which colour; read from a shipped table in fifteen languages."""

from __future__ import annotations

import json
import lzma
import re
from dataclasses import dataclass, replace
from functools import lru_cache

from .bodies import WHOLE, has_body
from .inflection import TO_KATAKANA, forms
from .senses import (
    AIR,
    ALIASES,
    COLOUR_WORDS,
    COUNTS,
    DATA,
    EMBLEMS,
    GROUNDS,
    MANNERS,
    NO_THINGS,
    RELATIONS,
    STOP,
    WORN,
)


@dataclass(frozen=True)
class Shape:
    """An outline: its English name, the font it lies in ("n" Noto Emoji, "i" icons) and its code point there."""

    name: str
    font: str
    code: int


@dataclass(frozen=True)
class Thing:
    """What a topic names: the word as written, its shape, how many of it, its colour (None where no colour is said).

    `relation`: how the thing named before stands to it: "on", "in", "under", "over", "beside" or "" ("a cat on a piano": the
    piano's is "on"). `aloft`: the topic says that it flies ("a whale above the city"). `manners`: "broken", "large", "small".
    """

    word: str
    shape: Shape
    count: int = 1
    colour: str | None = None
    relation: str = ""
    aloft: bool = False
    manners: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reading:
    """The things that a topic names, in its order; `around`, words for weather, hours and grounds with what they mean
    ("Regen", "rain"); `emblems`, words that a small outline beside the things stands for ("dance", "musical note"); `manners`,
    words for what a thing is like; and its words of meaning that name nothing of these."""

    things: tuple[Thing, ...]
    missed: tuple[str, ...]
    around: tuple[tuple[str, str], ...] = ()
    emblems: tuple[tuple[str, str], ...] = ()
    manners: tuple[tuple[str, str], ...] = ()

    def meaning(self, *keys: str) -> str | None:
        """The first of what is around that is one of the keys."""
        return next((key for _, key in self.around if key in keys), None)


_DOING = re.compile(
    r"^(?!(?:build|paint|wedd|earr|ceil|lightn|even|morn|pudd|duckl|dumpl|stock|cloth|carv|swimming pool|r|k|w|str|spr|st|vik|"
    r"sw|th|bl|starl|nestl|seedl|herr|offspr|bowstr)ing)[a-z]+ing$"
)
"""English words for what somebody does ("balancing"), which name no thing."""
_DRESSED = re.compile(r"\b(?:man|woman|person|boy|girl|child|human|prince|princess|dance|robot|singer|elf|mage)\b")
_BEHIND = re.compile("[\u0900-\u097f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|üstünde|altında|içinde|üzerinde")
"""Relations of languages that say them behind what they refer to (Hindi, Japanese, Chinese, Korean, Turkish)."""
LIGHTS = ("crescent moon", "sun", "full moon", "sun with face")
"""What a landscape's own light stands for."""
SURROUNDINGS = {
    "snowflake": "snow", "cloud with snow": "snow", "cloud with rain": "rain", "cloud with lightning": "storm",
    "cloud with lightning and rain": "storm", "fog": "fog", "sunset": "dusk", "sunrise": "dawn", "night with stars": "night",
    "cityscape at dusk": "city", "cityscape": "city", "desert": "dunes", "water wave": "sea", "milky way": "stars",
    "sunrise over mountains": "dawn", "national park": "forest", "beach with umbrella": "dunes", "waves": "sea",
    "forest": "forest",
    "grass": "meadow", "snowflake melt": "snow", "weather": "rain", "tsunami": "sea", "wind face": "wind", "city": "city",
}  # fmt: skip
"""Shapes that stand for what is around instead of for a thing."""


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


@lru_cache(maxsize=1)
def _by_name() -> dict[str, Shape]:
    found: dict[str, Shape] = {}
    for shape in _table()[0]:
        found.setdefault(shape.name, shape)
    return found


def named(name: str) -> Shape:
    """The shape of an English name.

    >>> named("fox").font
    'n'
    """
    head = name.removesuffix(WHOLE)
    found = _by_name()[head]
    return found if head == name else made_whole(found)


def made_whole(shape: Shape) -> Shape:
    """The shape with its body where it is a head to which a body is known, else the shape.

    >>> made_whole(named("fox")).name, made_whole(named("bicycle")).name
    ('fox whole', 'bicycle')
    """
    return Shape(shape.name + WHOLE, shape.font, shape.code) if has_body(shape.name) else shape


def look_up(word: str) -> Shape | None:
    """The shape that a word stands for, also from its English or German plural; None where it stands for none.

    Two words are also tried the other way round: icons are named by the noun first ("car sports").

    >>> look_up("foxes").name, look_up("qqqq")
    ('fox', None)
    """
    every, _, words = _table()
    word = word.lower()
    tried = forms(word)
    if word.count(" ") == 1:
        tried.insert(1, " ".join(word.split()[::-1]))
    for form in tried:
        if form in ALIASES and ALIASES[form] in _by_name():
            return _by_name()[ALIASES[form]]
    found = next((words[form] for form in tried if form in words), None)
    return every[found[0]] if found else None


def read(topic: str) -> Reading:
    """What a topic names; compounds ("hot air balloon") before their parts, emoji as they stand.

    Scripts without spaces (Japanese, Chinese) are read by the longest word that the table has.

    >>> [(t.shape.name, t.count) for t in read("two foxes").things]
    [('fox', 2)]
    >>> read("two foxes in the snow").around
    (('snow', 'snow'),)
    """
    return _Reader().read(topic)


class _Reader:
    """Reads one topic from left to right, carrying count, colour and relation to the next thing."""

    def __init__(self) -> None:
        self.every, self.emoji, self.words = _table()
        self.things: list[Thing] = []
        self.around: list[tuple[str, str]] = []
        self.missed: list[str] = []
        self.count, self.colour, self.relation = 1, None, ""  # type: tuple[int, str | None, str]
        self.fresh = False
        self.emblems: list[tuple[str, str]] = []
        self.manners: list[tuple[str, str]] = []
        self.like: list[tuple[str, str]] = []  # what the next thing is like
        self.after = ""  # what was read last: "thing" or "ground"
        self.behind = ""  # the relation that a language says behind the thing it refers to

    def read(self, topic: str) -> Reading:
        tokens = _tokens(re.sub("[\u2019']s\\b", "", topic), self.emoji)[:60]
        k = 0
        while k < len(tokens):
            k += self.step(tokens, k)
        if self.behind and len(self.things) > 1 and self.things[-1].relation in ("", "beside"):
            self.things[-1] = replace(self.things[-1], relation=self.behind)
        self.things = [t for k, t in enumerate(self.things) if not self.holds(k, topic)]
        if self.like and self.things:
            self.things[-1] = self.likened(self.things[-1])
        self.missed += [word for word, _ in self.like]
        if not self.things:
            self.missed += [word for word, _ in self.emblems]
            self.emblems = []
        order = {word: k for k, word in reversed(list(enumerate(tokens)))}
        missed = [w for w in dict.fromkeys(self.missed) if w not in {t.word for t in self.things}]
        missed.sort(key=lambda w: order.get(w, len(tokens)))
        return Reading(tuple(self.things), tuple(missed), tuple(dict.fromkeys(self.around)),
                       tuple(dict.fromkeys(self.emblems)), tuple(dict.fromkeys(self.manners)))  # fmt: skip

    def likened(self, thing: Thing) -> Thing:
        """The thing with what was said of it before its name."""
        like = tuple(key for _, key in self.like)
        self.manners += self.like
        self.like = []
        return replace(thing, aloft=thing.aloft or "aloft" in like, manners=(*thing.manners, *like))

    def holds(self, k: int, topic: str) -> bool:
        """Whether thing k is only what the next one comes in ("a bowl of cherries")."""
        later = self.things[k + 1].word if k + 1 < len(self.things) else None
        held = re.compile(r"bowl|cup|glass|bottle|plate|basket|pile|slice|box|jar|pot|bag|bucket|field|pair")
        return bool(later and held.search(self.things[k].shape.name) and f"{self.things[k].word} of {later}" in topic)

    def step(self, tokens: list[str], k: int) -> int:
        """Read what stands at token k: how many tokens it took."""
        for n in range(min(4, len(tokens) - k), 1, -1):
            ends = {tokens[k].lower(), tokens[k + n - 1].lower()}
            part = " ".join(tokens[k : k + n])
            if not ends & (STOP | RELATIONS.keys() | COUNTS.keys()) and (shape := look_up(part)):
                if not (n == 2 and tokens[k].lower() in COLOUR_WORDS):
                    self.take(part, shape)
                    return n
        self.word(tokens[k], last=not any(t.lower() not in STOP | COLOUR_WORDS.keys() for t in tokens[k + 1 :]))
        return 1

    def word(self, token: str, last: bool) -> None:
        lower = self.known_form(token.lower())
        was_fresh, self.fresh = self.fresh, False
        if token in self.emoji:
            self.take(token, self.every[self.emoji[token]])
        elif lower in COLOUR_WORDS and not (last and not was_fresh and lower == "orange"):
            if (
                was_fresh
                and self.things
                and self.things[-1].colour is None
                and (last or not lower.isascii() or lower not in COLOUR_WORDS.values())
            ):
                self.things[-1] = replace(self.things[-1], colour=COLOUR_WORDS[lower])
                self.fresh = True
            else:
                self.colour = COLOUR_WORDS[lower]
        elif lower in COUNTS:
            self.count = COUNTS[lower]
        elif lower in RELATIONS:
            if _BEHIND.match(lower) and RELATIONS[lower] != "beside":
                self.behind = RELATIONS[lower] if self.after == "thing" else ""
            else:
                self.relation = RELATIONS[lower]
        elif lower in AIR or lower in GROUNDS:
            self.around.append((token, AIR.get(lower) or GROUNDS[lower]))
            if lower in GROUNDS and self.relation == "over" and self.things:
                self.things[-1] = replace(self.things[-1], aloft=True)
            self.count, self.relation, self.after = 1, "", "ground"
        elif lower in STOP or lower.isdigit():
            self.fresh = was_fresh
        elif lower in MANNERS:
            self.like.append((token, MANNERS[lower]))
        elif lower in EMBLEMS:
            self.emblems.append((token, EMBLEMS[lower]))
        elif (lower in NO_THINGS or _DOING.search(lower)) and lower not in ALIASES:
            self.missed.append(token)
            self.fresh = was_fresh
        elif shape := look_up(token):
            self.take(token, shape)
        else:
            self.unspaced(token)

    def take(self, word: str, shape: Shape) -> None:
        if shape.name in SURROUNDINGS:
            self.around.append((word, SURROUNDINGS[shape.name]))
        elif (
            self.relation == "in"
            and self.things
            and WORN.search(shape.name)
            and _DRESSED.search(self.things[-1].shape.name)
        ):
            self.things[-1] = replace(self.things[-1], colour=self.colour or self.things[-1].colour)
            self.manners.append((word, "worn"))
        elif all(t.shape != shape for t in self.things):
            self.things.append(Thing(word, shape, self.count, self.colour, self.relation if self.things else ""))
            self.things[-1] = self.likened(self.things[-1])
            if self.behind and len(self.things) > 1:  # "the tree's under cat": the cat is under the tree
                first, second = self.things[-2:]
                self.things[-2:] = [replace(second, relation=first.relation), replace(first, relation=self.behind)]
        self.after, self.behind = "thing", ""
        self.count, self.colour, self.relation, self.fresh = 1, None, "", True

    def unspaced(self, token: str) -> None:
        """Words inside a run of Han, kana or Hangul; other tokens are missed as they stand."""
        if not re.search("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]", token):
            for part in self.parts(token):
                self.take(*part)
            return
        k, hit = 0, False
        while k < len(token):
            n = next((n for n in range(min(8, len(token) - k), 0, -1) if self.knows(token[k : k + n])), 0)
            if n:
                self.word(token[k : k + n], last=False)
                hit = True
            k += max(n, 1)
        if not hit:
            self.missed.append(token)

    def known_form(self, lower: str) -> str:
        """The word of weather, ground or colour that a word in another script is a form of, else the word."""
        if lower.isascii() or lower in STOP or self.knows(lower):
            return lower
        return next((form for form in forms(lower) if form in AIR or form in GROUNDS or form in COLOUR_WORDS), lower)

    def parts(self, token: str) -> list[tuple[str, Shape]]:
        """The two things of a compound ("treehouse"); none and a missed word where it is no compound."""
        lower = token.lower()
        for k in range(len(lower) - 3, 2, -1):
            first, second = lower[:k], lower[k:]
            if {first, second} & (STOP | NO_THINGS | RELATIONS.keys()) or not {
                first,
                second,
            } <= self.words.keys() | ALIASES.keys():
                continue
            shapes = [look_up(first), look_up(second)]
            if all(s is not None and (first + " " + second) != s.name for s in shapes):
                return [(token, s) for s in shapes if s is not None]
        self.missed.append(token)
        self.count, self.colour, self.relation = 1, None, ""
        return []

    def knows(self, word: str) -> bool:
        if len(word) > 2 and "\u3040" <= word[0] <= "\u309f" and word.translate(TO_KATAKANA) in self.words:
            return True
        return any(
            word in table
            for table in (ALIASES, AIR, GROUNDS, COUNTS, COLOUR_WORDS, RELATIONS, STOP, MANNERS, EMBLEMS, self.words)
        )


def _tokens(topic: str, emoji: dict[str, int]) -> list[str]:
    longest = sorted(map(re.escape, emoji), key=len, reverse=True)
    marks = re.compile("(" + "|".join(longest) + r")|([^\W_]+(?:[\u0900-\u097f\u0610-\u065f]+[^\W_]*)*)")
    return [m[0] for m in marks.finditer(topic.replace("\ufe0f", "").replace("-", " "))]


def is_shape(name: str) -> bool:
    """Whether there is a shape of that English name.

    >>> is_shape("fox"), is_shape("no such thing")
    (True, False)
    """
    head = name.removesuffix(WHOLE)
    return head in _by_name() and (head == name or has_body(head))
