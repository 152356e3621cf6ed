"""song_file: the user's own song, from a sound file or the sound of a video."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ....interfaces import Card, Generator
from ....media import load_audio
from ....media.limits import digest, open_local
from ....media.sniff import sniff
from ....registry import register
from ....types import Audio, Topic


@register("song_file")
class SongFile(Generator):
    """Reads the song at `path`; every seed and every topic gives the same sound, decoded once a call.

    Args:
        path: wav, flac, ogg, mp3, m4a, or a video with sound; `~` is the home folder.

    >>> SongFile(path="no such folder/Song (Mix), Pt 2.mp3").generate([Topic("mine")], [0])
    Traceback (most recent call last):
    spectrogrand.errors.MediaError: no sound file 'no such folder/Song (Mix), Pt 2.mp3': ...
    """

    source, artefact, given = Topic, Audio, True
    card = Card(summary="The user's own song: wav, flac, ogg, mp3, m4a, or the sound of a video.")

    def __init__(self, path: str) -> None:
        self.path = path

    def identity(self) -> Mapping[str, Any]:
        """The sha256 of the file: what was made from other contents is made again.

        Raises:
            MediaError: the file is missing (with the nearest name in its folder), a folder, empty or over the limits.
        """
        return {"sha256": digest(self.path, "sound")}

    def inspect(self) -> None:
        """Look at the file's first bytes before anything is made; what they do not tell is decoded.

        Raises:
            MediaError: the file cannot be read as sound.
        """
        with open_local(self.path, "sound")[1] as file:
            known = sniff(file)
        if known is None:
            load_audio(self.path)  # says what it is instead

    def generate(self, sources: Sequence[Any], seeds: Sequence[int]) -> list[Any]:
        """The same `Audio` for each (topic, seed).

        Raises:
            MediaError: the file cannot be read as sound.
        """
        if not sources:
            return []
        song = load_audio(self.path)
        return [song for _ in sources]
