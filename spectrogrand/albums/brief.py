"""What an album cover is made from: the record's words, the song and what it feels like; prompts and colours that follow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..audio.emotion import Emotion
from ..errors import InvalidValue, UnknownName, nearest
from ..types import Audio, CoverBrief

PROMPTS = ("album_genre", "album_genre_emotions", "lyrics")
"""The published ways to prompt (No-Pain-No-GAN, experiments 3, 2 and 1; experiment 4 is the first with fused music)."""
COLOURS = {
    "yellow": (0.80, 0.35), "orange": (0.60, 0.75), "gold": (0.45, 0.30), "magenta": (0.20, 0.60), "red": (-0.15, 0.85),
    "crimson": (-0.50, 0.60), "black": (-0.85, 0.30), "purple": (-0.35, 0.25), "teal": (0.00, -0.15), "green": (0.45, -0.10),
    "pink": (0.80, -0.05), "turquoise": (0.30, 0.15), "dark blue": (-0.60, -0.35), "slate": (-0.50, -0.80),
    "grey": (-0.85, -0.70), "lavender": (0.05, -0.80), "light blue": (0.55, -0.60),
}  # fmt: skip
"""Colours by (valence, arousal), after Palmer, Schloss, Xu and Prado-Leon, Music-color associations are mediated by emotion,
PNAS 110(22), 2013: faster music in major goes with more saturated, lighter, yellower colours, slower music in minor with
desaturated, darker, bluer ones."""
WORDS = {
    "explodes": 0.70, "stuns": 0.50, "ascends": 0.35, "surprises": 0.20, "hypnotizes": 0.05, "balances": -0.15,
    "unveils": -0.35, "blends": -0.60,
}  # fmt: skip
"""The published words (ICVGIP 2024) by the arousal that they fit."""
LYRIC_WORDS = 60
"""Words of a lyric that become a prompt: about what CLIP's window of 77 tokens holds."""


@dataclass(frozen=True)
class AlbumBrief(CoverBrief):
    """What an album's cover is made from; a `CoverBrief` too, so that every generator of covers takes it.

    `topic` is what is painted (the album's title), `colour` and `word` follow the music (`looks`). `style` says which
    of `PROMPTS` the prompt is. `song` is None where only words are known.

    Raises:
        InvalidValue: no album, or a lyrics prompt without lyrics. UnknownName: no such prompt.

    >>> AlbumBrief("Blue Train", "jazz", "dark blue", "blends", album="Blue Train").prompt
    "Create an album cover for the album 'Blue Train'. The genre is jazz."
    """

    album: str = ""
    artist: str = ""
    emotions: tuple[str, ...] = ()
    lyrics: str = ""
    style: str = "album_genre"
    feeling: Emotion | None = None
    song: Audio | None = None

    def __post_init__(self) -> None:
        if self.style not in PROMPTS:
            raise UnknownName(f"no prompt {self.style!r}; {nearest(str(self.style), PROMPTS)}")
        if not self.album.strip():
            raise InvalidValue('a cover needs the album\'s title: set album="..."')
        if self.style == "lyrics" and not self.lyrics.strip():
            raise InvalidValue(
                "the prompt is the lyrics and there are none: set lyric_file=FILE, or prompt=album_genre"
            )

    @property
    def prompt(self) -> str:
        """The published sentence of the brief's style; a genre or emotions that are not known leave no sentence.

        The artist is never named: a prompt that names one asks for a copy of somebody's covers.
        """
        if self.style == "lyrics":
            return " ".join(self.lyrics.split()[:LYRIC_WORDS])
        text = f"Create an album cover for the album '{self.album}'."
        if self.genre:
            text += f" The genre is {self.genre}."
        if self.style == "album_genre_emotions" and self.emotions:
            text += f" The emotions are {', '.join(self.emotions)}."
        return text


def looks(feeling: Emotion, count: int) -> list[tuple[str, str]]:
    """`count` pairs of a colour and a word that fit what a song feels like, the best first; no pair comes twice before all
    colours have been used.

    >>> glad = Emotion(0.5, 0.8, 0.0, 128.0, 5.0, 2500.0, -9.0, 0.9)
    >>> looks(glad, 2)
    [('yellow', 'stuns'), ('orange', 'ascends')]
    """
    place = np.array([feeling.valence, feeling.arousal])
    colours = sorted(COLOURS, key=lambda c: (float(np.sum((np.array(COLOURS[c]) - place) ** 2)), c))
    words = sorted(WORDS, key=lambda w: (abs(WORDS[w] - feeling.arousal), w))[:3]
    return [(colours[i % len(colours)], words[(i + i // len(colours)) % len(words)]) for i in range(count)]
