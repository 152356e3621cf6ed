"""Which words of an English text are used as verbs, told from the text itself: endings and what stands before them."""

from __future__ import annotations

import re
from collections import Counter

BEFORE = frozenset(
    "to will would can could may might must should shall cannot don't doesn't didn't won't not it he she they we you i that "
    "which who this track song drop melody vocal vocals music breakdown bassline beat intro tune record production".split()
)
"""Words after which a verb is likely."""
NOUNS_BEFORE = frozenset(
    "the a an his her its their our my your of in on at with from for by each every some any no".split()
)
"""Words after which a noun is likely."""
COMMON = frozenset(
    "be is are was were been being am have has had having do does did done doing go goes went gone going get gets got getting "
    "make makes made making take takes took taken taking say says said saying know knows knew think thinks thought see sees saw "
    "seen seem seems seemed come comes came give gives gave given giving find finds found use uses used using want wants wanted "
    "need needs needed feel feels felt look looks looked looking like likes liked let lets put puts keep keeps kept become "
    "becomes became show shows showed shown start starts started end ends ended include includes included including release "
    "releases released hear hears heard listen listens listened call calls called mean means meant try tries tried tell tells "
    "told believe believes expect expects expected consider considers wait waits love loves loved remember play plays played "
    "follow follows followed read write wrote written add adds added own owns need help helps helped can will would could should "
    "may might must shall leave leaves left hope hopes thank thanks work works worked base bases based sound sounds".split()
)
"""Verbs of any review, and of none in particular."""
IRREGULAR = {
    "built": "build", "brought": "bring", "rose": "rise", "risen": "rise", "broke": "break", "broken": "break", "drove": "drive",
    "driven": "drive", "grew": "grow", "grown": "grow", "shook": "shake", "shaken": "shake", "swung": "swing", "burst": "burst",
    "struck": "strike", "wove": "weave", "woven": "weave", "flew": "fly", "sank": "sink", "sung": "sing", "sang": "sing",
}  # fmt: skip
VOWELS = "aeiou"


def verbs(text: str) -> dict[str, str]:
    """Inflected word -> its base form, for words that the text uses as verbs.

    A base form counts as a verb where the text has at least two of its forms (explode, explodes, exploded, exploding), or uses
    one after words like "to", "will", "it" and never after "the", "a", "of". Verbs of any review are left out.

    >>> found = verbs("It slowly explodes and will explode again. The melody soars to soar. The house, a house, houses.")
    >>> sorted(set(found.values()))
    ['explode', 'soar']
    """
    words = re.findall(r"[a-z]+(?:'[a-z]+)?", text.lower())
    counts = Counter(words)
    after: dict[str, Counter[str]] = {w: Counter() for w in counts}
    for k, word in enumerate(words):
        before = words[k - 1] if k else ""
        if before.endswith("ly") and k > 1:  # slowly explodes: what stands before the adverb tells
            before = words[k - 2]
        after[word]["verb" if before in BEFORE else "noun" if before in NOUNS_BEFORE else "other"] += 1
    forms: dict[str, set[str]] = {}
    for word in counts:
        for base in bases(word):
            if base in counts or any(
                other != word and base in bases(other) for other in (base + "s", base + "ed", base + "ing")
            ):
                forms.setdefault(base, set()).add(word)
            elif word.endswith("s") and after[word]["verb"]:
                forms.setdefault(base, set()).add(word)
    found: dict[str, str] = {}
    for base, kinds in sorted(forms.items()):
        if base in COMMON or len(base) < 4 or kinds & COMMON:
            continue
        seen = sum((after[w] for w in kinds), Counter())
        own = after.get(base, Counter())
        plural = all(w == base or (w.endswith("s") and not after[w]["verb"]) for w in kinds)
        told = not plural or (len(kinds) > 1 and own["verb"] > own["noun"])
        if told and seen["verb"] > seen["noun"]:
            found |= dict.fromkeys(kinds, base)
    return found


def bases(word: str) -> list[str]:
    """Base forms that a word may come from, itself first.

    >>> bases("hypnotizes"), bases("stunning"), bases("carries")
    (['hypnotizes', 'hypnotiz', 'hypnotize'], ['stunning', 'stunn', 'stunne', 'stun'], ['carries', 'carri', 'carrie', 'carry'])
    """
    made = [word]
    if word in IRREGULAR:
        return [*made, IRREGULAR[word]]
    for ending in ("ing", "ed", "es", "s"):
        stem = word.removesuffix(ending)
        if stem != word and len(stem) >= 3:
            if ending == "es":
                made += [stem, stem + "e"]
            elif ending == "s":
                made += [stem] if not word.endswith(("ss", "us", "is")) else []
            else:
                made += [stem, stem + "e"]
                if len(stem) > 3 and stem[-1] == stem[-2] and stem[-1] not in "ls":
                    made.append(stem[:-1])
            if stem.endswith("i"):
                made.append(stem[:-1] + "y")
            break
    return list(dict.fromkeys(made))


def third_person(base: str) -> str:
    """A verb's third person singular.

    >>> [third_person(v) for v in ("unveil", "mesmerize", "carry", "crush", "play")]
    ['unveils', 'mesmerizes', 'carries', 'crushes', 'plays']
    """
    if base.endswith("y") and base[-2:-1] not in VOWELS:
        return base[:-1] + "ies"
    return base + ("es" if base.endswith(("s", "x", "z", "ch", "sh", "o")) else "s")
