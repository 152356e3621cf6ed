"""Which words of an English text are verbs and which are adjectives, by a dictionary of lemmas and by how the text uses them."""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache

from ..errors import require

KINDS = ("both", "verbs", "adjectives")
WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
SENTENCE = re.compile(r"(?<=[.!?:;\n•“\"(])\s*")
DEGREES = frozenset(
    "just still pretty rather very so more most quite really truly too incredibly extremely such as less highly "
    "fairly sounds feels seems remains stays is are was were".split()
)
"""Words after which an adjective is likely."""
VERBS = frozenset(
    "to will would can could may might must should shall cannot don't doesn't didn't won't not it he they we you i "
    "who which".split()
)
"""Words after which a verb is likely, and little else."""
SUBJECTS = frozenset(
    "that this track song drop melody vocal vocals music breakdown bassline beat intro tune record production lead "
    "synth".split()
)
"""Words after which a verb in the third person is likely."""
NOUNS_BEFORE = frozenset(
    "the a an his her its their our my your of in on at with from for by each every some any no".split()
)
"""Words after which a noun is likely."""
ENDINGS = re.compile(r"(?:ic|ous|ful|less|ive|able|ible|ish|esque|ical|ial|ual|onal|ant|(?<!m)ent)$")
"""What ends an adjective and seldom anything else that a dictionary of lemmas knows."""
PLAIN = frozenset(
    "good great nice new old big small other same many much few own first last next different whole full real recent "
    "such able available entire general various several main due sure only less least more most best better worst bad "
    "long short high low certain particular overall current previous original musical official amazing incredible "
    "awesome fantastic brilliant perfect excellent wonderful favorite favourite possible interesting special "
    "electronic talented famous popular present worldwide absolute definite consistent important obvious usual "
    "relevant worth similar evident remarkable notable predictable fine true progressive melodic ready well further "
    "later latest final second third proud public topic critic music magic talent moment element content student "
    "client parent agent event potential material professional exclusive familiar classic".split()
)
"""Adjectives of any review, and a few nouns that end as adjectives do."""
COMMON = frozenset(
    "be is are was were been being am have has had having do does did done doing go goes went gone going get gets got "
    "getting make makes made making take takes took taken taking say says said saying know knows knew think thinks "
    "thought see sees saw seen seem seems seemed come comes came give gives gave given giving find finds found use "
    "uses used using want wants wanted need needs needed feel feels felt look looks looked looking like likes liked "
    "let lets put puts keep keeps kept become becomes became show shows showed shown start starts started end ends "
    "ended include includes included including release releases released hear hears heard listen listens listened "
    "call calls called mean means meant try tries tried tell tells told believe believes expect expects expected "
    "consider considers wait waits love loves loved remember play plays played follow follows followed read write "
    "wrote written add adds added own owns help helps helped can will would could should may might must shall leave "
    "leaves left hope hopes thank thanks work works worked base bases based sound sounds".split()
)
"""Verbs of any review, and of none in particular."""
LIGHT = frozenset(
    "bring run turn set manage serve allow offer provide present create produce deliver feature begin stop continue "
    "seem appear happen change move live die ask answer talk speak watch meet pay buy sell send receive decide choose "
    "pick share name title drop bear date state fact collaborate premiere debut mention review blog tour stream "
    "download upload subscribe support sign team remix mix master record sample loop label recommend announce remind "
    "explain describe deserve discover impress identify imagine admire arrive prepare contribute approach rely miss "
    "lack".split()
)
"""Verbs of any article about a record: what its makers and its reviewer do, not what its music does."""

IRREGULAR = {
    "built": "build", "brought": "bring", "rose": "rise", "risen": "rise", "broke": "break", "broken": "break", "drove": "drive",
    "driven": "drive", "grew": "grow", "grown": "grow", "shook": "shake", "shaken": "shake", "swung": "swing", "burst": "burst",
    "struck": "strike", "wove": "weave", "woven": "weave", "flew": "fly", "sank": "sink", "sung": "sing", "sang": "sing",
}  # fmt: skip
"""Past forms that the dictionary takes for words of their own."""
VOWELS = "aeiou"


def describe(text: str, kinds: str = "both") -> dict[str, str]:
    """Inflected word, lower case -> how it is said of music: a verb in the third person, or "is" and an adjective.

    A word is looked up by its lemma (simplemma's English dictionary). A verb is a lemma to which the dictionary leads an -ing
    or -ed form back, and which the text uses as one: after "it", "to", "will", more often than after "the", "a", "of". An
    adjective is a known lemma with an adjective's ending, or with a comparative in the dictionary, that is used neither as a
    verb nor as a noun. Names are left out: words that the text never writes small inside a sentence.

    Args:
        text: what reviewers wrote.
        kinds: one of `KINDS`.

    >>> text = "It explodes and will explode again. A so hypnotic, dreamy lead by Dyro soars to soar; something, some of them."
    >>> found = describe(text)
    >>> sorted(set(found.values()))
    ['explodes', 'is dreamy', 'is hypnotic', 'soars']
    """
    require("simplemma", "text", "prepare corpus")
    require("sklearn", "train", "prepare corpus")
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    known = COMMON | LIGHT | ENGLISH_STOP_WORDS | DEGREES
    small, uses = _read(text)
    found: dict[str, str] = {}
    groups: dict[str, set[str]] = {}
    for word in uses:
        if word in small and word.isascii() and word.isalpha():
            groups.setdefault(lemma(word), set()).add(word)
    for base, words in sorted(groups.items()):
        if len(base) < 4 or base in known or not words.isdisjoint(known - LIGHT):
            continue
        seen = sum((uses[w] for w in words), Counter[str]())
        if (
            kinds != "adjectives"
            and is_verb(base)
            and seen["verb"] > seen["noun"]
            and seen["verb"] >= seen["adjective"]
        ):
            found |= dict.fromkeys(words, third_person(base))
        elif (
            kinds != "verbs"
            and base not in PLAIN
            and is_adjective(base)
            and seen["adjective"] + seen["other"] > seen["verb"] + seen["noun"]
        ):
            found |= dict.fromkeys(words & {base}, f"is {base}")
    return found


@lru_cache(maxsize=65536)
def lemma(word: str) -> str:
    """The dictionary's base form of a word in lower case; the word itself where the dictionary does not know it.

    >>> [lemma(w) for w in ("hypnotizing", "endears", "somethings", "rose", "dyro")]
    ['hypnotize', 'endear', 'something', 'rise', 'dyro']
    """
    import simplemma

    if word in IRREGULAR:
        return IRREGULAR[word]
    found = simplemma.lemmatize(word, lang="en").lower() if simplemma.is_known(word, lang="en") else word
    if found == word[:-1] and word.endswith(("xes", "ches", "shes", "sses", "zzes")):  # its "mixes" come from "mixe"
        return word[:-2]
    return found


@lru_cache(maxsize=65536)
def is_verb(base: str) -> bool:
    """Whether the dictionary leads an -ing or an -ed form back to this base.

    >>> [is_verb(w) for w in ("explode", "carry", "stun", "vocal", "them")]
    [True, True, True, False, False]
    """
    forms = {
        ending: {base + ending, base.removesuffix("e") + ending, base + base[-1] + ending, _y(base, ending) + ending}
        for ending in ("ing", "ed")
    }
    past = any(lemma(f) == base for f in forms["ed"]) or base in IRREGULAR.values()
    return past or any(lemma(f) == base for f in forms["ing"])


@lru_cache(maxsize=65536)
def is_adjective(base: str) -> bool:
    """Whether the dictionary knows the word, and it has an adjective's ending or a comparative.

    >>> [is_adjective(w) for w in ("hypnotic", "catchy", "warm", "relentless", "drop", "dyroic")]
    [True, True, True, True, False, False]
    """
    import simplemma

    if not simplemma.is_known(base, lang="en") or lemma(base) != base:
        return False
    if base.endswith("ly") and is_adjective(base[:-2]):  # slowly
        return False
    more = {base + "er", base.removesuffix("e") + "er", _y(base, "er") + "er"}
    most = {base + "est", base.removesuffix("e") + "est", _y(base, "est") + "est"}
    compared = any(lemma(w) == base for w in more) and any(lemma(w) == base for w in most)
    return bool(ENDINGS.search(base)) or compared


def _y(base: str, ending: str) -> str:
    return base[:-1] + "i" if base.endswith("y") and ending != "ing" else base


def _read(text: str) -> tuple[set[str], dict[str, Counter[str]]]:
    """Words that are written small somewhere inside a sentence, and of each word what stands around it."""
    small: set[str] = set()
    uses: dict[str, Counter[str]] = {}
    for sentence in SENTENCE.split(text):
        words = WORD.findall(sentence.replace("’", "'"))
        small |= {w for w in words if w[0].islower()}
        low = [w.lower() for w in words]
        for k, word in enumerate(low):
            uses.setdefault(word, Counter())[_use(low, k)] += 1
    return small, uses


def _use(words: list[str], k: int) -> str:
    before = words[k - 1] if k else ""
    if before.endswith("ly") and k > 1:  # slowly explodes: what stands before the adverb tells
        before = words[k - 2]
    if before in DEGREES and not words[k].endswith("ing"):
        return "adjective"
    if before in VERBS or (before in SUBJECTS and words[k].endswith("s")):
        return "verb"
    if before in NOUNS_BEFORE:
        return "adjective" if k + 1 < len(words) and ENDINGS.search(words[k]) else "noun"
    return "other"


def third_person(base: str) -> str:
    """A verb's third person singular.

    >>> [third_person(v) for v in ("unveil", "mesmerize", "carry", "crush", "play")]
    ['unveils', 'mesmerizes', 'carries', 'crushes', 'plays']
    """
    if base.endswith("y") and base[-2:-1] not in VOWELS:
        return base[:-1] + "ies"
    return base + ("es" if base.endswith(("s", "x", "z", "ch", "sh", "o")) else "s")
