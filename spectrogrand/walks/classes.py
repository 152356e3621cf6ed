"""Lyrics -> ImageNet classes, by similarity of sentences: per line, per verse in its context, or as one set for the whole text.

With lines l, classes c, embeddings e and a share of common words, s(l, c) = cos(e_l, e_c) + words * overlap(l, c):

- `best` (published): each line's nearest class; lines in order of that similarity; the first K different classes.
- `random` (published): K drawn from the lines' nearest classes.
- `set`: the K classes whose mean embedding is nearest to the mean of all lines, chosen greedily. It replaces the published
  `ransac`, the best of some random sets under a doc2vec model that is trained on the lyrics at hand.
- `contextual`: per verse; see `contextual_choice`. "Dough" in a song about money is not food.

Where the lines name fewer than K different classes, the next nearest of every line follow, so a choice always ends (the
published `best` waits for ever). The names are embedded once (the published way embeds all 1000 again for every line).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from ..errors import InvalidValue, UnknownName, nearest

DATA = Path(__file__).parents[1] / "data"
STRATEGIES = ("best", "random", "set", "contextual")
MAX_BYTES, MAX_LINES = 1 << 20, 4000
Embed = Callable[[Sequence[str]], np.ndarray]
_HEADING = re.compile(r"\[.*\]$")
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
_STOP = frozenset(
    "a an and at but by for from in is it its my no not of on or so that the this to up was with you your i me we".split()
)


@lru_cache(maxsize=1)
def class_names() -> tuple[str, ...]:
    """The 1000 ImageNet classes in order (imagenet-simple-labels, public domain).

    >>> len(class_names()), class_names()[961]
    (1000, 'dough')
    """
    return tuple(json.loads((DATA / "imagenet_classes.json").read_text("utf-8")))


@lru_cache(maxsize=1)
def themes() -> dict[str, tuple[frozenset[str], tuple[int, ...]]]:
    """Theme -> (words that speak of it, classes that show it), from `data/lyric_themes.json`."""
    plain = json.loads((DATA / "lyric_themes.json").read_text("utf-8"))
    ids = {name: k for k, name in enumerate(class_names())}
    return {
        theme: (frozenset(entry["words"].split()), tuple(ids[name] for name in entry["classes"].split("; ")))
        for theme, entry in plain.items()
    }


def read_lyrics(path: str | Path) -> list[list[str]]:
    """The verses of a text file, each a list of lines; `[Chorus]` and other headings are left out, as published.

    Raises:
        InvalidValue: no such file, over 1 MB or 4,000 lines, not text, or no line in it.
    """
    place = Path(path).expanduser()
    if not place.is_file():
        raise InvalidValue(f"no lyrics file {str(path)!r}: lyrics names a text file")
    if place.stat().st_size > MAX_BYTES:
        raise InvalidValue(
            f"{place.name} has {place.stat().st_size:,} bytes, lyrics have at most {MAX_BYTES:,}: name one song's"
        )
    raw = place.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    strange = sum(not (c.isprintable() or c.isspace()) for c in text)
    if "\0" in text or strange > len(text) / 100:
        raise InvalidValue(f"{place.name} is no text: lyrics names a text file with one line of the song a line")
    verses: list[list[str]] = [[]]
    for line in (" ".join(line.split()) for line in text.splitlines()):
        if not line:
            verses.append([])
        elif not _HEADING.match(line) and _WORD.search(line):
            verses[-1].append(line[:500])
    found = [verse for verse in verses if verse]
    if not found:
        raise InvalidValue(f"{place.name} holds no line of words: lyrics names a text file, or leave it out")
    if sum(map(len, found)) > MAX_LINES:
        raise InvalidValue(f"{place.name} has over {MAX_LINES:,} lines: name one song's")
    return found


def choose(
    verses: Sequence[Sequence[str]], embed: Embed, names: np.ndarray, *, count: int = 12, strategy: str = "best",
    words: float = 0.0, seed: int = 0,
) -> list[int]:  # fmt: skip
    """`count` different class ids for a song's lyrics.

    Args:
        verses: lines by verse.
        embed: texts -> shape=(text, axis).
        names: the embedded class names, shape=(1000, axis); see `class_names`.
        words: how much words count that a line and a class's name share. 0 is the published way, for sentence models;
            1 helps embedders that know moods and not things.
        seed: of `random`.

    Raises:
        UnknownName: no such strategy.
    """
    if strategy not in STRATEGIES:
        raise UnknownName(f"no way to choose classes {strategy!r}; {nearest(str(strategy), STRATEGIES)}")
    if strategy == "contextual":
        return contextual_choice(verses, embed, names, count=count, words=words)
    lines = list(dict.fromkeys(line for verse in verses for line in verse))
    vectors = embed(lines)
    if strategy == "set":
        return set_choice(vectors, names, count)
    scores = cosine(vectors, names) + (words * overlaps(lines) if words else 0.0)
    ranked = ranking(scores)
    if strategy == "random":
        pool = sorted(set(np.argmax(scores, axis=1).tolist()))
        drawn = np.random.default_rng(seed).permutation(pool).tolist()
        return list(dict.fromkeys([*drawn, *ranked]))[:count]
    return ranked[:count]


def ranking(scores: np.ndarray) -> list[int]:
    """Classes by scores of shape=(line, class): the lines' nearest in order of similarity, then their second nearest, ...

    >>> ranking(np.array([[0.9, 0.1, 0.8], [0.2, 0.1, 0.3]]))
    [0, 2, 1]
    """
    order = np.argsort(-scores, axis=1, kind="stable")[:, :64]
    similar = np.take_along_axis(scores, order, axis=1)
    found: dict[int, None] = {}
    for rank in range(order.shape[1]):
        best = np.lexsort((order[:, rank], -similar[:, rank]))
        found.update(dict.fromkeys(order[best, rank].tolist()))
    return list(found)


def set_choice(lines: np.ndarray, names: np.ndarray, count: int) -> list[int]:
    """The set of `count` rows of `names` whose mean is nearest by cosine to the mean of `lines`, one greedy step at a time."""
    rows = unit(names.astype(np.float64))
    target = unit(unit(lines.astype(np.float64)).mean(axis=0)[None])[0]
    chosen: list[int] = []
    total = np.zeros(rows.shape[1])
    for _ in range(count):
        sums = total + rows
        near = sums @ target / np.maximum(np.linalg.norm(sums, axis=1), 1e-12)
        near[chosen] = -np.inf
        chosen.append(int(np.argmax(near)))
        total += rows[chosen[-1]]
    return chosen


def contextual_choice(
    verses: Sequence[Sequence[str]], embed: Embed, names: np.ndarray, *, count: int, words: float = 0.0
) -> list[int]:
    """Classes that suit what each verse is about and how it feels, verses taking turns.

    A verse's themes are counted over its words, a word that speaks of several themes counting less for each, the rest of
    the song lending a third; their shares are squared, so that the leading theme leads. A class then scores

        cos(e_verse, e_class) + (themes' share of those that show it) + words * overlap * (that share)

    so a literal match counts only as far as the verse is about such things; a class of no theme counts as of half of one.
    """
    texts = [" ".join(verse) for verse in verses]
    near = cosine(embed(texts), names)
    shares = theme_shares(texts)
    shows = np.zeros((len(shares[0]), len(names)))
    for row, (_, classes) in zip(shows, themes().values(), strict=True):
        row[list(classes)] = 1.0
    support = shares @ shows
    suits = np.where(shows.any(axis=0), support, 0.5)
    scores = near + support + (words * overlaps(texts) * suits if words else 0.0)
    chosen: list[int] = []
    while len(chosen) < count:
        row = scores[len(chosen) % len(scores)].copy()
        row[chosen] = -np.inf
        chosen.append(int(np.argmax(row)))
    return chosen


def theme_shares(texts: Sequence[str]) -> np.ndarray:
    """How much each text is about each theme of `themes`, shape=(text, theme), rows summing to 1, or to 0 where none shows.

    >>> names = list(themes())
    >>> names[int(theme_shares(["all that dough in the bank, count the cash"])[0].argmax())]
    'money'
    >>> names[int(theme_shares(["knead the dough, bake it in the oven with butter"])[0].argmax())]
    'food'
    """
    vocabularies = [vocabulary for vocabulary, _ in themes().values()]
    counts = np.zeros((len(texts), len(vocabularies)))
    for row, text in zip(counts, texts, strict=True):
        for word in set(_tokens(text)):
            about = [k for k, vocabulary in enumerate(vocabularies) if word in vocabulary]
            row[about] += 1.0 / max(1, len(about)) ** 2
    shares = np.square(counts + counts.sum(axis=0) / (3 * max(1, len(texts))))
    total = shares.sum(axis=1, keepdims=True)
    return np.asarray(shares / np.where(total > 0, total, 1))


def overlaps(lines: Sequence[str]) -> np.ndarray:
    """Share of a class's name that a line speaks, shape=(line, class): rare words of the names weigh more; 1 is all of it."""
    vocabulary, weights = _name_words()
    out = np.zeros((len(lines), weights.shape[1]))
    for row, line in zip(out, lines, strict=True):
        known = sorted({vocabulary[t] for word in _tokens(line) for t in _plain(word) if t in vocabulary})
        row += weights[known].sum(axis=0)
    return out


def cosine(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Cosine similarity of rows, float64, shape=(row of a, row of b); 0 where a row is all zeros."""
    return np.asarray(unit(a.astype(np.float64)) @ unit(b.astype(np.float64)).T)


def unit(x: np.ndarray) -> np.ndarray:
    """Rows of length 1; rows of zeros stay."""
    return np.asarray(x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12))


def _tokens(text: str) -> list[str]:
    return [word for word in _WORD.findall(text.lower().replace("\u2019", "'")) if word not in _STOP]


def _plain(word: str) -> list[str]:
    """A word and its singular."""
    return [word, word[:-1]] if len(word) > 3 and word.endswith("s") else [word]


@lru_cache(maxsize=1)
def _name_words() -> tuple[Mapping[str, int], np.ndarray]:
    """Words of the class names, and each one's share of each name, shape=(word, class)."""
    spoken = [sorted(set(_tokens(name))) for name in class_names()]
    vocabulary = {word: k for k, word in enumerate(sorted({w for words in spoken for w in words}))}
    counts = np.zeros((len(vocabulary), len(spoken)))
    for column, words in enumerate(spoken):
        counts[[vocabulary[w] for w in words], column] = 1.0
    rare = counts * np.log(len(spoken) / counts.sum(axis=1, keepdims=True))
    return vocabulary, rare / np.maximum(rare.sum(axis=0, keepdims=True), 1e-12)
