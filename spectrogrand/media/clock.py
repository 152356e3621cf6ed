"""When the streams of a file begin, and where a sound's time stamps leave gaps."""

from __future__ import annotations

import os
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from ..errors import MediaError
from .limits import LIMITS, Limits, open_local
from .sniff import SOUND_FILE, open_container, sniff

STAMPED = ("mov", "matroska", "flv", "avi")
"""Containers whose time stamps are meant: in the others they only count what came before."""
GAP = 0.05
"""Seconds from which a jump of the time stamps is a gap and no rounding."""


class SoundClock:
    """Says how many silent samples belong before each decoded frame of one sound stream."""

    def __init__(self, container: Any, stream: Any, demuxer: str) -> None:
        self._stamped = demuxer in STAMPED
        self._tick = Fraction(stream.time_base or 1)
        self._begin = film_start(container) if self._stamped else None
        self._last = float(container.duration) / 1e6 + 1 if container.duration and self._stamped else 0.0
        self._expected: float | None = None
        self.lead = 0.0
        """Seconds of silence before the sound's first sample."""
        self.decoded = 0.0
        """Seconds since then, gaps included."""

    def before(self, frame: Any) -> Iterator[int]:
        """The length of the silence before this frame, if there is any."""
        rate, length = frame.sample_rate, frame.samples / frame.sample_rate
        stamp = None if frame.pts is None or not self._stamped else float(frame.pts * (frame.time_base or self._tick))
        if stamp is not None:
            first = self._expected is None
            expected = (
                self._expected if self._expected is not None else stamp if self._begin is None else float(self._begin)
            )
            gap = stamp - expected
            # stamps that lie would fill hours: what reaches beyond the file's own length is not believed
            if gap > (0.001 if first else GAP) and self.lead + self.decoded + gap <= self._last:
                if first:
                    self.lead = gap
                else:
                    self.decoded += gap
                yield round(gap * rate)
            self._expected = stamp + length
        elif self._expected is not None:
            self._expected += length
        self.decoded += length


def film_start(container: Any) -> Fraction | None:
    """Seconds at which a file's moving pictures begin, or None where it has none (a cover does not count)."""
    stream = film_of(container)
    if stream is None or stream.start_time is None:
        return None
    return Fraction(stream.start_time * stream.time_base)


def film_of(container: Any) -> Any:
    """The stream of moving pictures: flagged default before others, covers and posters never; None where there is none."""
    moving = [s for s in container.streams.video if not s.disposition & s.disposition.attached_pic]
    moving = [s for s in moving if not _still(s)] or moving
    return next((s for s in moving if s.disposition & s.disposition.default), moving[0] if moving else None)


def _still(stream: Any) -> bool:
    """Whether a stream is coded as a still picture is: beside another stream it is a poster."""
    codec = "" if stream.codec_context is None else stream.codec_context.name
    return codec in ("mjpeg", "png", "bmp", "webp", "gif", "tiff", "apng")


def sound_offset(path: str | os.PathLike[str], *, stream: int | None = None, limits: Limits = LIMITS) -> float:
    """Seconds by which a video's sound begins before its pictures: 0.0 where it does not.

    `load_audio` begins with the sound, or with silence where the pictures are first; this is what to leave out of its sound to
    begin with the pictures.

    Raises:
        MediaError: the file cannot be read.
    """
    import av

    found, file = open_local(path, "video", limits)
    with file:
        reader = sniff(file)
        if reader is None or reader == SOUND_FILE or reader not in STAMPED:
            return 0.0
        try:
            with open_container(file, reader) as container:
                sounds = container.streams.audio
                begin = film_start(container)
                if begin is None or not sounds:
                    return 0.0
                chosen = (
                    sounds[stream] if stream is not None
                    else next((s for s in sounds if s.disposition & s.disposition.default), sounds[0])
                )  # fmt: skip
                # the first frame and not the first packet: decoders leave out the coder's own delay
                heard = next((f for f in container.decode(chosen) if f.pts is not None), None)
                return (
                    0.0 if heard is None else max(0.0, float(begin - heard.pts * (heard.time_base or chosen.time_base)))
                )
        except (av.error.FFmpegError, ValueError, IndexError, UnicodeError, EOFError) as error:
            said = str(getattr(error, "strerror", None) or error).lower()
            raise MediaError(f"the video {str(found)!r} cannot be read ({said}): it is damaged or cut off") from error
