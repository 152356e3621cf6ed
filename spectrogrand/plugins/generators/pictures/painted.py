"""Keyframes without a model of their own: a cover generator paints what the caption says in the colours of its movement."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ....errors import InvalidValue
from ....interfaces import Card, Generator
from ....registry import inner, register
from ....types import GENRES, MAX_TOPIC, CoverBrief, Image
from ....walks.storyboard import Keyframe

INKS = {
    "neon": ("electric blue", "purple", "hot pink", "cyan"), "pastel": ("light pink", "light blue", "lavender", "pale yellow"),
    "earthy": ("terracotta", "ochre", "forest green", "brown"), "sepia": ("sepia", "brown", "grey"),
    "soft": ("light blue", "pale pink", "sea green", "lavender"), "flat": ("red", "yellow", "light blue"),
    "bold": ("red", "orange", "yellow", "teal"), "warm": ("orange", "red", "gold"), "dark": ("black", "dark blue", "dark red"),
    "swirling": ("orange", "purple", "hot pink", "teal"), "vibrant": ("purple", "red", "teal", "orange"),
    "black": ("black",), "red": ("red",), "gold": ("gold",), "green": ("green",), "yellow": ("yellow",),
    "blue": ("dark blue",), "purple": ("purple",), "bright": ("light blue", "yellow", "orange"),
    "quiet": ("light blue", "grey", "dark blue"), "slow": ("dark blue", "purple"), "minor": ("dark blue", "purple", "teal"),
    "major": ("orange", "light blue", "green"), "fast": ("red", "orange"), "loud": ("red", "purple"),
}  # fmt: skip
"""Colours that a word of a movement or a caption stands for; the first words of the table that occur win."""
SCENES = {
    "heavy bass": ("a deep ocean", "a mountain under stars", "a thunderstorm", "a planet"),
    "driving percussion": ("machines", "a city at night", "a robot", "an erupting volcano"),
    "sustained tones": ("the calm sea", "misty mountains", "an endless desert", "northern lights"),
    "many short sounds": ("a crowd of stars", "a garden of flowers", "falling rain", "crystals"),
    "few, long sounds": ("an empty horizon", "a lighthouse", "the moon over water", "a lonely tree"),
    "dark": ("a forest at night", "a cave", "an abandoned temple"),
    "bright": ("the sun over a meadow", "a waterfall", "glass towers"),
    "warm": ("a sunset", "palm trees by the sea", "autumn leaves"), "quiet": ("snow", "a lake at dawn"),
    "fast": ("a spaceship", "galloping horses", "a train"), "slow": ("drifting clouds", "a sailing boat"),
    "silence": ("an empty room", "fog"),
}  # fmt: skip
"""What a sound that a caption names may look like: music itself is no motif, its moods are."""
GESTURES = ("unveils", "surprises", "ascends", "explodes", "balances", "hypnotizes", "blends", "stuns")


@register("painted")
class Painted(Generator):
    """Paints each keyframe through a cover generator; where there are artworks it draws them in the painting's style.

    The brief's topic is the user's, or a scene that one of the caption's sounds stands for (`SCENES`; the caption itself
    where none does), with the movement; its colour is one of those that the movement's words stand for, its gesture one of
    the published ones, all by the seed. Artworks are taken in turn, as content; the painting is the style.

    Args:
        cover: a generator's config, from `CoverBrief` to `Image`.
        stylizer: a stylizer's config, used where a keyframe has artworks.
        size: side of the square pictures in pixels, 16 to 4096.

    >>> Painted(size=32).generate([Keyframe("Calm music.")], [3])[0].size
    (32, 32)
    """

    parts = {"cover": "generators", "stylizer": "stylizers"}
    card = Card("keyframes painted from captions and their art movements by a cover generator; artworks in that style")
    source = Keyframe
    artefact = Image

    def __init__(
        self, *, cover: dict[str, Any] | str = "procedural_cover", stylizer: dict[str, Any] | str = "sliced_transport",
        size: int = 768,
    ) -> None:  # fmt: skip
        if isinstance(size, bool) or not isinstance(size, int) or not 16 <= size <= 4096:
            raise InvalidValue(f"painted takes size as a whole number of pixels from 16 to 4096, got {size!r}")
        paint: dict[str, Any] = {"name": cover} if isinstance(cover, str) else dict(cover)
        if paint.get("name") == "procedural_cover":
            paint.setdefault("size", size)
        self.cover, self.stylizer, self.size = paint, stylizer, size

    def generate(self, sources: Sequence[Keyframe], seeds: Sequence[int]) -> list[Image]:
        """One picture per (keyframe, seed).

        Raises:
            InvalidValue: a source that is no keyframe, or a cover generator that makes no pictures.
        """
        for source in sources:
            if not isinstance(source, Keyframe):
                raise InvalidValue(f"painted draws a Keyframe, got {type(source).__name__}")
        paint = inner(self, "cover")
        if paint.artefact is not Image or paint.source is not CoverBrief:
            raise InvalidValue(
                f"painted wants a cover generator that takes briefs, not {paint.name}: use procedural_cover"
            )
        made = paint.generate([_brief(k, int(n)) for k, n in zip(sources, seeds, strict=True)], list(seeds))
        return [self._with_artwork(k, int(n), p) for k, n, p in zip(sources, seeds, made, strict=True)]

    def identity(self) -> Mapping[str, Any]:
        """What the nested parts depend on."""
        return {"cover": dict(inner(self, "cover").identity())}

    def _with_artwork(self, keyframe: Keyframe, seed: int, painting: Image) -> Image:
        painting = painting.resized(self.size, self.size)
        if not keyframe.artworks:
            return painting
        content = keyframe.artworks[seed % len(keyframe.artworks)].resized(self.size, self.size)
        frames = inner(self, "stylizer").stylize(content, painting)
        return Image(next(iter(frames)))


def _brief(keyframe: Keyframe, seed: int) -> CoverBrief:
    movement = keyframe.movement or ""
    words = set(re.findall(r"[a-z]+", f"{movement} {keyframe.caption}".lower()))
    inks = next((inks for word, inks in INKS.items() if word in words), ("dark blue", "orange", "purple"))
    seen = [scene for sound, scenes in SCENES.items() if sound in keyframe.caption.lower() for scene in scenes]
    subject = keyframe.topic or (seen[(seed * 7) % len(seen)] if seen else keyframe.caption)
    topic = " ".join(f"{subject}, {movement}".strip(", ").split())[:MAX_TOPIC]
    genre = keyframe.genre if keyframe.genre in GENRES else GENRES[seed % len(GENRES)]
    return CoverBrief(topic, genre, inks[seed % len(inks)], GESTURES[(seed * 3) % len(GESTURES)])
