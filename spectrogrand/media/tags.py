"""Tags of sound and video files: read from a user's song, written into finished videos without encoding them again."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import MediaError
from ..files import replacing
from ..types import Image
from .limits import LIMITS, Limits, open_local
from .sniff import SOUND_FILE, open_container, other_demuxer, sniff

LONGEST, LONGEST_LYRICS = 200, 1 << 16
"""Characters that are read of a title and of lyrics: what is longer is no title."""
LONGEST_WRITTEN = 2000
_LYRICS = ("lyrics", "unsyncedlyrics", "unsynced lyrics")


@dataclass(frozen=True)
class Tags:
    """What a sound file says of itself; "" and False where it says nothing."""

    title: str = ""
    artist: str = ""
    album: str = ""
    lyrics: str = ""
    artwork: bool = False
    """Whether a picture is embedded: `load_image` of the same file reads it."""


def read_tags(path: str | os.PathLike[str], *, limits: Limits = LIMITS) -> Tags:
    """Title, artist, album and lyrics from ID3, Vorbis comments, MP4 atoms or RIFF chunks.

    Control characters become spaces, over-long values are cut: a tag is text from a stranger.

    Raises:
        MediaError: the file is missing, or is no sound.

    >>> read_tags("nothing.mp3")
    Traceback (most recent call last):
    spectrogrand.errors.MediaError: no sound file 'nothing.mp3': ...
    """
    import av

    found, file = open_local(path, "sound", limits)
    with file:
        reader = sniff(file)
        if reader == SOUND_FILE:
            reader = other_demuxer(file)
        if reader is None:
            raise MediaError(f"{str(found)!r} is no sound that tags can be read from")
        file.seek(0)
        try:
            with open_container(file, reader) as container:
                said: dict[str, str] = {}
                for part in (*container.streams, container):
                    said |= {str(k).lower(): str(v) for k, v in dict(part.metadata).items()}
                still = any(av.stream.Disposition.attached_pic in s.disposition for s in container.streams.video)
        except (av.error.FFmpegError, ValueError, UnicodeError, EOFError) as error:
            raise MediaError(f"the tags of {str(found)!r} cannot be read: {error}") from error
    lyrics = next((v for k, v in said.items() if k in _LYRICS or k.startswith("lyrics-")), "")
    short = {k: " ".join(_printable(said.get(k, "")).split())[:LONGEST].strip() for k in ("title", "artist", "album")}
    return Tags(**short, lyrics=_printable(lyrics, keep="\n")[:LONGEST_LYRICS].strip(), artwork=still)


def write_tags(path: Path, tags: Mapping[str, str], thumbnail: Image | None = None) -> None:
    """Put tags and a thumbnail into an MP4; pictures and sound are copied packet by packet, not encoded again.

    Args:
        path: of the video; it is replaced as a whole or not at all.
        tags: "title", "artist", "comment" and so on; empty ones are left out, long ones cut to 2,000 characters.
        thumbnail: shown by file managers and players; None for none.

    Raises:
        MediaError: the file is no video of ours, or cannot be written.
    """
    import av

    try:
        with replacing(path) as draft, av.open(str(path), format="mp4") as source:
            kept = [s for s in source.streams if s.type in ("video", "audio") and not _is_still(s)]
            options = {"movflags": "+faststart", "fflags": "+bitexact", "movie_timescale": str(_ticks(kept))}
            with av.open(str(draft), "w", format="mp4", container_options=options) as out:
                streams = {s.index: out.add_stream_from_template(s) for s in kept}
                for key, value in tags.items():
                    if text := _printable(value).strip()[:LONGEST_WRITTEN]:
                        out.metadata[key] = text
                if thumbnail is not None:
                    _add_thumbnail(out, thumbnail)
                for packet in source.demux(kept):
                    if packet.dts is not None:
                        packet.stream = streams[packet.stream.index]
                        out.mux(packet)
    except (av.error.FFmpegError, ValueError) as error:
        raise MediaError(f"the tags of {str(path)!r} cannot be written: {error}") from error


def _is_still(stream: Any) -> bool:
    import av

    return stream.type == "video" and av.stream.Disposition.attached_pic in stream.disposition


def _add_thumbnail(out: Any, picture: Image) -> None:
    import av

    rows, columns = picture.size
    stream = out.add_stream("png", rate=1)
    stream.width, stream.height, stream.pix_fmt = columns, rows, "rgb24"
    stream.disposition = av.stream.Disposition.attached_pic
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture.pixels), "rgb24")
    frame.pts = 0
    for packet in (*stream.encode(frame), *stream.encode(None)):
        out.mux(packet)


def _ticks(streams: list[Any]) -> int:
    """Ticks a second in which both streams' lengths are whole numbers, as `streams.timescale` chooses them."""
    rate = next((s.rate for s in streams if s.type == "audio"), 1)
    film = next((s for s in streams if s.type == "video"), None)
    if film is None:
        return int(rate)
    both = math.lcm(int(rate), Fraction(film.average_rate or 1).numerator)
    seconds = float(film.duration or 0) * float(film.time_base or 0) + 1
    return both if both * seconds < 2**31 else int(rate) if rate > 1 else 1000


def _printable(text: str, keep: str = "") -> str:
    return "".join(c if c.isprintable() or c in keep else " " for c in text)
