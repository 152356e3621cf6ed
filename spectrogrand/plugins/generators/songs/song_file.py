"""song_file: the user's own song, from a sound file or the sound of a video."""

from __future__ import annotations

import math
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
        start, end: seconds, or "1:30", between which the song is taken; None for its own start and end.
        metre: "2/4", "3/4", "4/4", "5/4", "6/8" or "7/8" where it is known; None finds it by listening.

    Raises:
        InvalidValue: another metre, or a stream below 0.

    >>> SongFile(path="no such folder/Song (Mix), Pt 2.mp3").generate([Topic("mine")], [0])
    Traceback (most recent call last):
    spectrogrand.errors.MediaError: no sound file 'no such folder/Song (Mix), Pt 2.mp3': ...
    """

    source, artefact, given = Topic, Audio, True
    card = Card(summary="The user's own song: wav, flac, ogg, mp3, m4a, or the sound of a video.")

    def __init__(
        self,
        path: str,
        stream: int | None = None,
        metre: str | None = None,
        start: str | float | None = None,
        end: str | float | None = None,
    ) -> None:
        if metre is not None and metre not in METRES:
            raise InvalidValue(f"the metre is one of {', '.join(METRES)} or null (found by listening), got {metre!r}")
        if stream is not None and (isinstance(stream, bool) or not isinstance(stream, int) or stream < 0):
            raise InvalidValue(f"a stream is a whole number from 0 or null (the default one), got {stream!r}")
        self.path, self.stream, self.metre = path, stream, metre
        self.start, self.end = start, end
        first, last = seconds_of("start", start) or 0.0, seconds_of("end", end)
        if last is not None and last <= first:
            raise InvalidValue(f"a song ends after it starts, got start={start} and end={end}")

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
        song = self._cut(song)
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

    def _cut(self, song: Audio) -> Audio:
        """The part of the song that is wanted.

        Raises:
            InvalidValue: it begins after the song's end.
        """
        if self.start is None and self.end is None:
            return song
        first, last = seconds_of("start", self.start) or 0.0, seconds_of("end", self.end)
        length = float(song.duration)
        if first >= length:
            raise InvalidValue(
                f"the song lasts {length:.1f} s and was to start at {first:g} s: set song.start below that"
            )
        if last is not None and last > length:
            warnings.warn(f"the song lasts {length:.1f} s, song.end={self.end} is beyond it", stacklevel=3)
        stop = song.samples.shape[1] if last is None else min(song.samples.shape[1], round(last * song.rate))
        begin = min(round(first * song.rate), stop - 1)
        return Audio(np.ascontiguousarray(song.samples[:, begin:stop]), song.rate)


def seconds_of(name: str, value: str | float | None) -> float | None:
    """A time as seconds: 90, "90.5" or "1:30.5"; None for None.

    Raises:
        InvalidValue: something else, or below 0.

    >>> seconds_of("start", "1:30.5"), seconds_of("end", 7), seconds_of("end", None)
    (90.5, 7.0, None)
    """
    if value is None:
        return None
    parts = str(value).strip().split(":")
    try:
        numbers = [float(part) for part in parts]
        found = sum(n * 60**k for k, n in enumerate(reversed(numbers)))
    except ValueError:
        found = math.nan
    if isinstance(value, bool) or len(parts) > 3 or not 0 <= found < math.inf:
        raise InvalidValue(f"song_file takes {name} in seconds or as 1:30, got {value!r}")
    return found
