"""What the text embedders share: the axes, how raw scores become bounded ones, and how a sentence becomes weighted words."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import InvalidValue
from ...types import Topic

STEERING = ("energy", "valence", "tension", "brightness", "space", "era")
"""Each in [-1, 1]: calm to wild, sad to happy, relaxed to threatening, dark to light, small and close to vast, past to future."""
MOTIFS = ("space", "city", "sea", "mountains", "forest", "machines", "faces", "geometry", "waves", "abstract")
AXES = STEERING + tuple(f"motif_{m}" for m in MOTIFS)
DATA = Path(__file__).resolve().parents[2] / "data"
_TOKEN = re.compile(r"[a-z]+(?:'[a-z]+)?|\d+")
_NEGATIONS = frozenset("not no never without neither nor cannot non lacks lacking".split())
_UNMARKED = frozenset(
    "dont doesnt didnt cant couldnt wont wouldnt shouldnt isnt arent wasnt werent hasnt havent hadnt aint mustnt neednt".split()
)
"""Contractions as they are typed in haste; "wont" and "cant" are rarer as words than as these."""
_STOP = frozenset(
    "a an the of to in on at by for from with and or but as is are was were be been being am it its this that these "
    "those i you he she we they me my your his her our their them us who whom which what there here so than then "
    "too very just into onto over under about up down out off again can could will would shall should may might "
    "must do does did done has have had having if because while when "
    "where how why all any both each few more most other some such only own same s t d ll m re ve don one also get got "
    "let like".split()
)
_CONTEXT = frozenset("music song songs track tune sound house electronic album cover".split())
_DRAWN = frozenset(
    "black white heavy medium light large small sign symbol with emoji modifier fitzpatrick variation".split()
)
"""Words of Unicode names that tell how a sign is drawn: the red heart is called "heavy black heart"."""
_ENDINGS = (
    ("ies", ("y", "ie")), ("es", ("e", "")), ("s", ("",)), ("ing", ("", "e")), ("ied", ("y",)), ("ed", ("", "e")),
    ("iest", ("y",)), ("est", ("", "e")), ("er", ("", "e")), ("ly", ("",)), ("ness", ("",)), ("y", ("",)),
)  # fmt: skip
_SLOPE, _SHARPNESS = 0.5, 0.9
"""Chosen so that ordinary topics spread over [-1, 1] without saturating, and a clear motif gets most of the weight."""


def anchors() -> dict[str, Any]:
    """The pole sentences of every axis and the phrases of every motif, from `data/lexicon_anchors.json`."""
    return json.loads((DATA / "lexicon_anchors.json").read_text())


def text_of(item: Topic | str) -> str:
    """The text of a topic or a plain string, whitespace collapsed.

    Raises:
        InvalidValue: neither a Topic nor a string.
    """
    if isinstance(item, Topic):
        return item.text
    if not isinstance(item, str):
        raise InvalidValue(f"a text embedder reads a Topic or a str, got {type(item).__name__}: pass Topic('...')")
    return " ".join(item.split())


def bounded(scores: np.ndarray) -> np.ndarray:
    """Standard scores (item, axis) to what plug-ins promise: steering in [-1, 1] by tanh, motifs a softmax over the ten families.

    >>> bounded(np.zeros((1, 16)))[0, 6:].sum().round(6).item()
    1.0
    """
    steering = np.tanh(_SLOPE * scores[:, : len(STEERING)])
    logits = _SHARPNESS * scores[:, len(STEERING) :]
    motifs = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.concatenate([steering, motifs / motifs.sum(axis=1, keepdims=True)], axis=1).astype(np.float32)


def tokens(text: str) -> list[str]:
    """Lower-case English words of a text; accents are dropped, emoji and symbols become the words of their Unicode names.

    >>> tokens("Déjà-vu in TOKYO 🚀")
    ['deja', 'vu', 'in', 'tokyo', 'rocket']
    """
    plain = []
    for char in unicodedata.normalize("NFKD", text.replace("\u2019", "'").replace("\u2018", "'")):
        kind = unicodedata.category(char)
        if kind in ("So", "Sm") or (kind == "Sk" and ord(char) > 0x1F000):
            name = unicodedata.name(char, "").lower().split()
            plain.append(f" {' '.join(word for word in name if word not in _DRAWN)} ")
        elif kind != "Mn":
            plain.append(char.lower())
    return _TOKEN.findall("".join(plain))


def stems(word: str) -> Iterator[str]:
    """The word, then plainer forms of it to look up: without 's, plural, -ing, -ed, -er, -ly.

    >>> list(stems("glowing"))
    ['glowing', 'glow', 'glowe']
    """
    yield word
    base = word.split("'")[0]
    if base != word:
        yield base
    for ending, swaps in _ENDINGS:
        if base.endswith(ending) and len(base) - len(ending) >= 3:
            stem = base[: -len(ending)]
            for swap in swaps:
                yield stem + swap
            if len(stem) > 3 and stem[-1] == stem[-2] and ending in ("ing", "ed", "er"):
                yield stem[:-1]
            return


def negates(word: str) -> bool:
    """Whether a word turns the next content word round: not, never, without, don't, can't, wont.

    >>> [negates(w) for w in ("don't", "cant", "never", "don", "happy")]
    [True, True, True, False, False]
    """
    return word in _NEGATIONS or word in _UNMARKED or word.endswith("n't")


def weighted(words: Sequence[str], weights: Mapping[str, float]) -> list[tuple[str, float]]:
    """Content words with their weight; a word in the scope of a negation has a negative weight ("not a happy song").

    `weights` knows every word of the table. The words "music", "song" and so on count only when nothing else does.
    """
    found: list[tuple[str, float]] = []
    negated = False
    for word in words:
        if negates(word):
            negated = True
        elif word not in _STOP and word in weights:
            found.append((word, -weights[word] if negated else weights[word]))
            negated = False
    topical = [pair for pair in found if pair[0] not in _CONTEXT]
    return topical or found
