"""Reads video as a stream of pictures, with count and rate exact before the first is decoded."""

from __future__ import annotations

import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ..errors import MediaError
from ..types import Frames, Image
from .clock import film_of
from .display import ToScreen
from .limits import LIMITS, Limits, check_length, check_pixels, check_seconds, open_local
from .promises import Reach
from .sniff import SOUND_FILE, describe, open_container, sniff

_DULL, _LOOKED = 4.0, 12
"""Standard deviation of a picture's grey below which it shows nothing; brighter pictures that are remembered after one."""


def load_video(path: str | os.PathLike[str], *, limits: Limits = LIMITS) -> Frames:
    """Read a video as `Frames`: each iteration opens the file and decodes it once, in order, nothing kept in memory.

    `count` and `fps` come from the time stamps of the packets, not from the header. A video with a variable rate is
    read at its mean rate: picture k is the one that shows at the middle of [k/fps, (k+1)/fps).

    Args:
        path: a local mp4, mov, mkv, webm, avi or flv; `~` is expanded. The film is read, never its poster; turned, with square
            pixels and in sRGB (`ToScreen`).
        limits: most pixels of a frame, longest video, largest file.

    Raises:
        MediaError: missing, empty, no video, cut off, or over the limits.

    >>> load_video("nothing.mp4")
    Traceback (most recent call last):
    spectrogrand.errors.MediaError: no video file 'nothing.mp4': ...
    """
    found, file = open_local(path, "video", limits)
    with file:
        reader = sniff(file)
        if reader in (None, SOUND_FILE):
            what = "a sound" if reader else describe(file)
            raise MediaError(f"{str(found)!r} is no video: it is {what}, expected mp4, mov, mkv, webm, avi or flv")
        size, held, count, fps = _survey(file, found, reader, limits)
    check_seconds(count / fps, found, limits)

    def make() -> Iterator[np.ndarray]:
        with open_local(found, "video", limits)[1] as file:
            yield from _paced(_decoded(file, found, reader, limits), found, held, count, fps)

    return Frames(make, size, count, fps)


def first_frame(file: BinaryIO, path: Path, reader: str, limits: Limits) -> Image:
    """The first picture of an open video that shows something, or the cover embedded in an open sound file.

    Where a video fades in, that is the first one with three quarters of the contrast that its first ten seconds reach.
    """
    held: list[tuple[float, np.ndarray]] = []
    for time, pixels in _decoded(file, path, reader, limits):
        contrast = float(np.std(pixels[::4, ::4].mean(axis=2)))
        if not held and contrast >= _DULL:
            held.append((contrast, pixels))
            break
        if len(held) >= _LOOKED or time > 10:
            break
        if not held or contrast > held[-1][0] * 1.02 + 0.1:  # only what shows more than all before is kept
            held.append((contrast, pixels))
    if not held:
        raise MediaError(
            f"{str(path)!r} holds no picture that can be decoded: it is damaged or cut off, export it again"
        )
    most = max(contrast for contrast, _ in held)
    chosen = next(pixels for contrast, pixels in held if contrast >= 0.75 * most)
    chosen.flags.writeable = False
    return Image(chosen)


def _survey(file: BinaryIO, path: Path, reader: str, limits: Limits) -> tuple[tuple[int, int], int, int, Fraction]:
    """Size (rows, columns), pictures in the file, pictures to show and their rate. Only the first one is decoded."""
    import av

    size = next((p.shape[:2] for _, p in _decoded(file, path, reader, limits)), None)
    if size is None:
        raise MediaError(
            f"{str(path)!r} holds no picture that can be decoded: it is damaged or cut off, export it again"
        )
    file.seek(0)
    stamps: list[int] = []
    end = 0
    try:
        with open_container(file, reader) as container:
            stream = film_of(container)
            if stream is None:
                raise MediaError(f"{str(path)!r} is a sound with a cover, expected a video: load_image reads the cover")
            tick = Fraction(stream.time_base or Fraction(1, 90000))
            reach = Reach(container, reader)
            for packet in container.demux():
                reach.see(packet)
                if packet.stream.index != stream.index:
                    continue
                stamp = packet.dts if packet.pts is None else packet.pts
                if stamp is not None and not packet.is_discard:
                    stamps.append(int(stamp))
                    end = max(end, stamps[-1] + int(packet.duration or 0))
            reach.check(path)
            promised = stream.duration and stream.duration * tick
            rates = [
                r for given in (stream.base_rate, stream.average_rate) if given and given <= 240 for r in _meant(given)
            ]
    except (av.error.FFmpegError, ValueError, UnicodeError, EOFError) as error:
        raise _damaged(path, error) from error
    if not stamps:
        raise MediaError(f"{str(path)!r} holds no pictures: it is damaged or cut off, export it again")
    at = np.sort(np.array(stamps, np.int64)) - min(stamps)
    fps = next((rate for rate in rates if _is_steady(at, tick * rate)), None)
    span = max(end - min(stamps), int(at[-1]) + 1) * tick
    if promised:
        check_length(float(promised), float(span), path, slack=0.2)
    if fps is not None:
        return size, len(at), len(at), fps
    mean = min(Fraction(240), (len(at) / span).limit_denominator(1001) or Fraction(1))
    return size, len(at), max(1, round(span * mean)), mean


def _is_steady(at: np.ndarray, step: Fraction) -> bool:
    """Whether each picture stands nearest to its own place; `step` = ticks times rate."""
    off = at * step.numerator - np.arange(len(at)) * step.denominator
    return bool((2 * np.abs(off) < step.denominator).all())


def _decoded(file: BinaryIO, path: Path, reader: str, limits: Limits) -> Iterator[tuple[Fraction, np.ndarray]]:
    """(seconds, picture) in order of showing."""
    import av

    try:
        with open_container(file, reader) as container:
            if not container.streams.video:
                raise MediaError(f"{str(path)!r} has no picture in it, only sound: choose a picture or a video")
            stream = film_of(container) or container.streams.video[0]
            if stream.codec_context is None:  # FFmpeg knows the container and not what is in it
                raise MediaError(
                    f"the pictures of {str(path)!r} are in an unknown format: export it again as H.264 in an MP4"
                )
            screen = ToScreen(stream)
            check_pixels(*screen.size(stream.height, stream.width), path, limits)
            stream.thread_type = "AUTO"
            stream.codec_context.thread_count = 2
            tick = stream.time_base or Fraction(1, 90000)
            for index, frame in enumerate(container.decode(stream)):
                if (frame.height, frame.width) != (stream.height, stream.width):
                    raise MediaError(f"the pictures of {str(path)!r} change their size on the way: export it again")
                stamp = index if frame.pts is None else frame.pts
                yield stamp * tick, screen(frame)
    except (av.error.FFmpegError, ValueError, IndexError, UnicodeError, EOFError) as error:
        raise _damaged(path, error) from error


def _meant(rate: Fraction) -> list[Fraction]:
    """A rate that time stamps in milliseconds have rounded as it was meant, before itself: 19001/317 is 60000/1001."""
    whole = round(rate)
    exact = [Fraction(whole * 1000, 1001), Fraction(whole)] if whole else []
    return [*(e for e in exact if e != rate and abs(rate / e - 1) < Fraction(1, 20_000)), Fraction(rate)]


def _paced(
    pictures: Iterator[tuple[Fraction, np.ndarray]], path: Path, inside: int, count: int, fps: Fraction
) -> Iterator[np.ndarray]:
    """`count` pictures: for each k the latest one that shows by the middle of its time."""
    held: np.ndarray | None = None
    start: Fraction | None = None
    k = seen = 0
    for time, picture in pictures:
        seen += 1
        start = time if start is None else start
        while held is not None and k < count and (time - start) * fps >= k + Fraction(1, 2):
            yield held
            k += 1
        held = picture
    if held is None or seen < 0.99 * inside - 1:
        raise MediaError(f"only {seen:,} of the {inside:,} pictures of {str(path)!r} can be decoded: get a whole copy")
    while k < count:
        yield held
        k += 1


def _damaged(path: Path, error: Exception) -> MediaError:
    said = str(getattr(error, "strerror", None) or error).lower()
    return MediaError(f"the video {str(path)!r} cannot be decoded ({said}): it is damaged or cut off, export it again")
