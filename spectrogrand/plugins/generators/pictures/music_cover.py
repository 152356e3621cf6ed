"""Covers that follow the music without a model: the painter of procedural covers, steered by what the song feels like."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ....albums.brief import AlbumBrief
from ....audio.emotion import Emotion, estimate
from ....engines.painting import scenes, typefaces
from ....errors import InvalidValue
from ....interfaces import Card, Generator
from ....registry import inner, register
from ....types import Image

SIZES = (16, 4096)
PLACES = {
    "space": (-0.50, -0.30), "city": (-0.30, 0.40), "sea": (0.25, -0.55), "mountains": (-0.20, -0.50), "forest": (0.45, -0.25),
    "machines": (-0.55, 0.65), "faces": (-0.90, 0.20), "geometry": (0.30, 0.50), "waves": (0.10, 0.15), "abstract": (-0.10, 0.00),
}  # fmt: skip
"""Motifs by the (valence, arousal) of the music that they suit."""
_REACH = 0.7
"""Distance in that plane at which a motif's chance falls to 1 / e."""


@register("music_cover")
class MusicCover(Generator):
    """Paints an album's cover from the song's measured feeling and the words of its title and genre.

    The brief's colour, chosen from the song's arousal and valence, leads the palette. The painter's axes are the words'
    scores mixed with what was measured: energy with arousal, valence with valence, tension with tension, brightness with
    the spectral centroid. A motif's share is its share in the words times exp(-d^2 / 0.49), d its distance to the song in
    `PLACES`: clear words choose the motif, vague ones leave it to the music.

    Args:
        size: side of the square picture in pixels, 16 to 4096; the same picture is drawn at every size.
        title: True sets the album's title on the cover, a text sets that text, False none.
        music: how much of the axes is the music's, 0 to 1; the rest is the words'. At 0 the music has no say in motifs either.
        text: the text encoder, an embedder's config; its class attribute `axes` names its columns.

    Raises:
        InvalidValue: a setting outside its range, or a brief that is none.

    >>> brief = AlbumBrief("Rain", "jazz", "dark blue", "blends", album="Rain")
    >>> MusicCover(size=64).generate([brief], [0])[0].size
    (64, 64)
    """

    source = AlbumBrief
    artefact = Image
    parts = {"text": "embedders"}
    card = Card(
        summary="album covers painted from a song's measured feeling and its title and genre; no weights",
        paper="Palmer et al. 2013, Music-color associations are mediated by emotion, PNAS 110(22)",
        modules=("scipy", "PIL", "matplotlib"),
    )

    def __init__(
        self, size: int = 1024, title: bool | str = False, music: float = 0.7, text: Mapping[str, Any] | None = None
    ) -> None:
        if isinstance(size, bool) or not isinstance(size, int) or not SIZES[0] <= size <= SIZES[1]:
            raise InvalidValue(f"a cover's size is a whole number from {SIZES[0]} to {SIZES[1]} pixels, got {size!r}")
        if not isinstance(title, bool | str) or (isinstance(title, str) and len(title) > 80):
            raise InvalidValue(f"title is true, false or a text of at most 80 characters, got {title!r}")
        if isinstance(music, bool) or not isinstance(music, int | float) or not 0 <= music <= 1:
            raise InvalidValue(f"music is the music's share from 0 to 1, got {music!r}")
        self.size, self.title, self.music = size, title, float(music)
        self.text = dict(text) if text is not None else {"name": "lexicon"}

    def generate(self, sources: Sequence[AlbumBrief], seeds: Sequence[int]) -> list[Image]:
        """One cover per (brief, seed); each depends on its own pair alone."""
        made = []
        for brief, seed in zip(sources, seeds, strict=True):
            if not isinstance(brief, AlbumBrief):
                raise InvalidValue(f"music_cover draws an AlbumBrief, got {type(brief).__name__}: pipeline=album_cover")
            feeling = brief.feeling or (estimate(brief.song) if brief.song is not None else None)
            row = steered(self._row(f"{brief.album} {brief.genre}"), feeling, self.music)
            words = self.title if isinstance(self.title, str) else brief.album[:80] * self.title
            heard = feeling if self.music > 0 else None  # two songs that feel nearly alike still get two covers
            own = zlib.crc32(repr(heard).encode()) if heard is not None else 0
            painting = scenes.paint(replace(brief, song=None), row, int(seed) + own, self.size, words)
            made.append(Image(painting.pixels, painting.notes))
        return made

    def identity(self) -> Mapping[str, Any]:
        """What the encoder depends on: the cover depends on it too."""
        return {
            "text": {"settings": dict(self.text), **inner(self, "text").identity()},
            "faces": list(typefaces.names()),
        }

    def _row(self, words: str) -> dict[str, float]:
        encoder = inner(self, "text")
        axes = tuple(getattr(encoder, "axes", ()))
        vector = np.asarray(encoder.embed([words]), np.float32)
        if vector.shape != (1, len(axes)) or not axes or not np.isfinite(vector).all():
            raise InvalidValue(
                f"text encoder {self.text.get('name')!r} gave {vector.shape}, not named axes: use lexicon"
            )
        return {name: float(value) for name, value in zip(axes, vector[0], strict=True)}


def steered(row: Mapping[str, float], feeling: Emotion | None, share: float) -> dict[str, float]:
    """The words' axes and motif shares, moved by the music; unchanged without a feeling or at share 0.

    >>> wild = Emotion(0.8, 0.0, 0.4, 150.0, 8.0, 3000.0, -8.0, 0.0)
    >>> steered({"energy": 0.0, "motif_sea": 0.5, "motif_machines": 0.5}, wild, 0.7)["energy"].__round__(2)
    0.56
    """
    if feeling is None or share == 0:
        return dict(row)
    bright = float(np.tanh(np.log2(max(feeling.brightness, 50.0) / 1500) / 1.2))
    heard = {"energy": feeling.arousal, "valence": feeling.valence, "tension": feeling.tension, "brightness": bright}
    moved = {k: (1 - share) * v + share * heard[k] if k in heard else v for k, v in row.items()}
    suits = {}
    for name, place in PLACES.items():
        squared = (place[0] - feeling.valence) ** 2 + (place[1] - feeling.arousal) ** 2
        suits[f"motif_{name}"] = float(np.exp(-squared / _REACH**2))
    total = sum(row.get(k, 0.0) * v for k, v in suits.items())
    return moved | {k: row[k] * v / total for k, v in suits.items() if k in row and total > 0}
