"""Inflection: which words of a dictionary a word of a topic may be a form of, in the languages that the table has."""

from __future__ import annotations

import re
from collections.abc import Sequence

ENGLISH = (("ies", "y"), ("ves", "f"), ("es", ""), ("s", ""), ("en", ""), ("e", ""), ("n", ""))
"""Endings of the plural in English and German, and what stands in their place."""
LATIN = (
    ("aux", "al"), ("eaux", "eau"), ("x", ""), ("ces", "z"), ("ones", "ón"), ("anes", "án"), ("ões", "ão"), ("ães", "ão"),
    ("ais", "al"), ("éis", "el"), ("ns", "m"), ("i", "o"), ("i", "e"), ("i", ""), ("e", "a"), ("che", "ca"), ("chi", "co"),
    ("ghi", "go"), ("er", ""), ("ern", ""), ("en", "e"), ("es", "e"), ("em", ""), ("lar", ""), ("ler", ""), ("ları", ""),
    ("leri", ""), ("nın", ""), ("nin", ""), ("ın", ""), ("da", ""), ("de", ""), ("dan", ""), ("den", ""), ("nya", ""),
)  # fmt: skip
"""Endings in French, Spanish, Portuguese, Italian, German, Turkish and Indonesian."""
CYRILLIC = (
    "ями ами ыми ими ого его ому ему ою ею ую юю ая яя ое ее ые ие ой ей ом ем ём ым им ых их ах ях ам ям ов ев ёв ии ия ию "
    "ью а я о е ы и у ю ь й"
).split()
STEMS_END = ("", "а", "я", "о", "е", "ь", "й", "ый", "ий", "ой", "ия", "ие", "ы", "и")
ARABIC = ("وال", "بال", "كال", "فال", "ال", "لل", "و", "ب", "ل", "ك")
HINDI = (
    ("ियों", "ी"),
    ("ियाँ", "ी"),
    ("ियां", "ी"),
    ("ुओं", "ु"),
    ("ों", ""),
    ("ों", "ा"),
    ("ें", ""),
    ("े", "ा"),
    ("ां", "ाँ"),
    ("ाँ", "ां"),
)
TO_KATAKANA = {code: code + 0x60 for code in range(0x3041, 0x3097)}
TO_HIRAGANA = {code + 0x60: code for code in range(0x3041, 0x3097)}
"""The two ways in which Japanese writes a sound."""
PLAIN = str.maketrans("äöüÄÖÜ", "aouAOU")


def forms(word: str) -> list[str]:
    """The word as it stands, then what it may be a form of: plurals, cases, articles written with the word.

    >>> forms("foxes")[1:3]
    ['fox', 'foxe']
    >>> "велосипед" in forms("велосипеде"), "قطة" in forms("القطة"), "haus" in forms("häuser"), "gatto" in forms("gatti")
    (True, True, True, True)
    """
    found = [word]
    if word.isascii():
        found += _ended(word, ENGLISH)
    first = word[:1]
    if "\u3040" <= first <= "\u30ff":
        found += [word.translate(TO_KATAKANA), word.translate(TO_HIRAGANA)]
    if "\u0400" <= first <= "\u04ff":
        found += [
            word[: -len(e)] + n for e in CYRILLIC if word.endswith(e) and len(word) > len(e) + 2 for n in STEMS_END
        ]
        found += [word + n for n in STEMS_END]
    elif "\u0600" <= first <= "\u06ff":
        bare = re.sub("[\u064b-\u0652\u0640]", "", word)
        found += [bare, *(bare[len(p) :] for p in ARABIC if bare.startswith(p) and len(bare) > len(p) + 2)]
    elif "\u0900" <= first <= "\u097f":
        found += _ended(word, HINDI, 1)
    elif first.isalpha() and first < "\u0250":
        plain = word.translate(PLAIN)
        found += _ended(word, LATIN)
        if plain != word:
            found += [plain, *_ended(plain, (("er", ""), ("e", ""), ("en", ""), ("n", ""), ("ern", "")))]
    return list(dict.fromkeys(found))


def _ended(word: str, endings: Sequence[tuple[str, str]], least: int = 2) -> list[str]:
    return [word[: -len(e)] + n for e, n in endings if word.endswith(e) and len(word) > len(e) + least]
