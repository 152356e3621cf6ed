"""Topic -> steering axes and cover motifs from a shipped table of word scores: the core's text encoder, no torch."""

from __future__ import annotations

import difflib
import hashlib
import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np

from ...errors import InvalidValue
from ...interfaces import Card, Embedder
from ...registry import register
from ...types import Topic
from ._words import AXES, DATA, STEERING, bounded, negates, stems, text_of, tokens, weighted

TABLE = DATA / "lexicon.safetensors"
_ERA = STEERING.index("era")


@register("lexicon")
class Lexicon(Embedder):
    """Scores a topic on `axes` as the weighted combination of its words' scores.

    A word's score on an axis is its standardised projection, in the sentence model all-MiniLM-L6-v2 (Reimers &
    Gurevych, Sentence-BERT, EMNLP 2019), onto the direction between two sets of pole sentences
    (`data/lexicon_anchors.json`), corrected so that word pairs add up to what the model says of the pair
    (`train/lexicon.py`). With word weights w = a / (a + p) for a word of probability p (Arora et al., ICLR 2017, eq. 3,
    a = 5e-4) a topic's score is sum(w s) / sqrt(sum(w^2)): a strong word is not diluted by plain ones. Then tanh for
    the steering axes, softmax for the motifs.

    Words not in the table are tried without their endings, as a compound ("moonbase"), as a near spelling, and else
    ignored; a negated word ("not happy") counts half, in the other direction; emoji count by their names; a year counts
    for the era. Text without a known word (other scripts included) is neutral: steering 0, motifs 0.1 each.

    >>> Lexicon().embed(["a futuristic spaceship"])[0, Lexicon.axes.index("era")].item() > 0.9
    True
    """

    artefact = Topic
    axes: ClassVar[tuple[str, ...]] = AXES
    card = Card(
        summary="topic words to energy, valence, tension, brightness, space, era and ten cover motifs, from a shipped table",
        paper="Reimers & Gurevych, Sentence-BERT, EMNLP 2019; Arora, Liang & Ma, ICLR 2017",
        terms="scores computed with all-MiniLM-L6-v2 (Apache-2.0) for the words of symspellpy's English list (MIT; made of "
        "Google Books Ngram, CC BY 3.0, and SCOWL)",
    )

    def embed(self, batch: Sequence[Topic | str]) -> np.ndarray:
        """Scores in the order of `axes`, float32, shape=(item, axis): six in [-1, 1], then ten in [0, 1] that sum to 1.

        Raises:
            InvalidValue: an item that is neither a Topic nor a string.
        """
        if isinstance(batch, (str, Topic)):
            raise InvalidValue("embed reads a list of topics: write embed([topic])")
        texts = [text_of(item) for item in batch]
        return bounded(np.array([self._scores(t) for t in texts]).reshape(len(texts), len(AXES)))

    def identity(self) -> Mapping[str, Any]:
        """The sha256 of the word table."""
        return {"table": _table_hash()}

    def _scores(self, text: str) -> np.ndarray:
        rows, weights = _table()
        words = [found for token in tokens(text) for found in _known(token)]
        pairs = weighted(words, weights)
        total = np.zeros(len(AXES))
        for word, weight in pairs:
            row = rows[word]
            if weight > 0:
                total += weight * row
            else:  # "not happy" is a little sad, yet "no sea" shows nothing else instead of the sea
                total[: len(STEERING)] += 0.5 * weight * row[: len(STEERING)]
        norm = np.full(len(AXES), sum(weight**2 for _, weight in pairs))
        years = _years(text)
        total[_ERA] += sum(np.clip((year - 1995) / 40, -5, 5) for year in years)
        norm[_ERA] += len(years)
        return np.asarray(total / np.sqrt(np.maximum(norm, 1e-9)))


@lru_cache(maxsize=1)
def _table() -> tuple[dict[str, np.ndarray], dict[str, float]]:
    """Scores (float32, shape=(axis,), in standard deviations of the vocabulary) and weights in [0, 1] of every word."""
    from safetensors.numpy import load_file

    data = load_file(TABLE)
    words = data["words"].tobytes().decode().split("\n")
    scores = data["scores"].astype(np.float32) * data["step"]
    return dict(zip(words, scores, strict=False)), dict(zip(words, (data["weights"] / 255.0).tolist(), strict=False))


@lru_cache(maxsize=1)
def _table_hash() -> str:
    return hashlib.sha256(TABLE.read_bytes()).hexdigest()


def _years(text: str) -> list[int]:
    """Years from 1000 to 2999, and decades such as "80s", that a text names.

    >>> _years("from the 80s to 2150")
    [2150, 1980]
    """
    years = [int(y) for y in re.findall(r"\b[12]\d{3}(?=s?\b)", text)]
    return years + [1900 + int(d) for d in re.findall(r"(?<!\d)([2-9]0)s\b", text)]


@lru_cache(maxsize=1)
def _sorted_words() -> list[str]:
    return sorted(_table()[0])


@lru_cache(maxsize=4096)
def _known(token: str) -> tuple[str, ...]:
    """The table's words that stand for a token: itself, a plainer form, the two halves of a compound, or a near spelling."""
    rows, _ = _table()
    if len(token) == 1 or token.isdigit():
        return ()
    if negates(token):
        return (token,)  # its stem may be a word ("don't" is no "don"); `weighted` must see it whole
    for stem in stems(token):
        if stem in rows:
            return (stem,)
    for cut in sorted(range(3, len(token) - 2), key=lambda c: abs(2 * c - len(token))):
        if token[:cut] in rows and token[cut:] in rows:
            return (token[:cut], token[cut:])
    if len(token) < 5:
        return ()
    names = _sorted_words()
    at = bisect_left(names, token[:3])
    to = bisect_left(names, token[:3] + "\x7f")
    return tuple(
        difflib.get_close_matches(token, [n for n in names[at:to] if abs(len(n) - len(token)) < 3], n=1, cutoff=0.84)
    )
