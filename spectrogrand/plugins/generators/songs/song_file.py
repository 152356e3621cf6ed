"""song_file: the user's own song, from a sound file or the sound of a video."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ....audio.features import analyse
from ....audio.rhythm.metre import METRES
from ....audio.stft import mix_of
from ....errors import InvalidValue
from ....interfaces import Card, Generator
from ....media import load_audio
from ....media.limits import digest, open_local
from ....media.sniff import sniff
from ....registry import register
from ....types import Audio, Plan, Topic


@register("song_file")
class SongFile(Generator):
    """Reads the song at `path`; every seed and every topic gives the same sound, decoded once a call.

    Args:
        path: wav, flac, ogg, mp3, m4a, or a video with sound; `~` is the home folder.
        stream: which sound of a video, counted from 0; None takes the one flagged default.
        metre: "2/4", "3/4", "4/4", "5/4", "6/8" or "7/8" where it is known; None finds it by listening.

    Raises:
        InvalidValue: another metre, or a stream below 0.

    >>> SongFile(path="no such folder/Song (Mix), Pt 2.mp3").generate([Topic("mine")], [0])
    Traceback (most recent call last):
    spectrogrand.errors.MediaError: no sound file 'no such folder/Song (Mix), Pt 2.mp3': ...
    """

    source, artefact, given = Topic, Audio, True
    card = Card(summary="The user's own song: wav, flac, ogg, mp3, m4a, or the sound of a video.")

    def __init__(self, path: str, stream: int | None = None, metre: str | None = None) -> None:
        if metre is not None and metre not in METRES:
            raise InvalidValue(f"the metre is one of {', '.join(METRES)} or null (found by listening), got {metre!r}")
        if stream is not None and (isinstance(stream, bool) or not isinstance(stream, int) or stream < 0):
            raise InvalidValue(f"a stream is a whole number from 0 or null (the default one), got {stream!r}")
        self.path, self.stream, self.metre = path, stream, metre

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
        song = load_audio(self.path) if self.stream is None else load_audio(self.path, stream=self.stream)
        mix = mix_of(song)
        if mix.offsets.any():
            most = float(np.abs(mix.offsets).max())
            warnings.warn(
                f"the song has a constant offset of {100 * most:.1f} % of full scale: it is taken off", stacklevel=2
            )
            song = Audio(np.ascontiguousarray(song.samples - mix.offsets[:, None]), song.rate)
        if self.metre is not None:
            heard = analyse(song, self.metre)
            plan = Plan(heard.tempo, "", "", "", tuple(map(float, heard.beats)), tuple(map(float, heard.downbeats)))
            song = replace(song, plan=plan) if len(heard.beats) else song
        return [song for _ in sources]
