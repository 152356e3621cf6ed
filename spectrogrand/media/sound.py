"""Reads sound: wav, flac and ogg by libsndfile, mp3, m4a and the sound of videos by FFmpeg, long ones onto disk."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from ..errors import MediaError
from ..types import Audio
from .clock import SoundClock
from .limits import LIMITS, Limits, check_length, check_seconds, open_local
from .promises import Part, Reach, ogg_links, riff_promise, xing_present
from .sink import Sink
from .sniff import EXPECTED, SOUND_FILE, describe, open_container, other_demuxer, sniff

BLOCK = 1 << 16


def load_audio(
    path: str | os.PathLike[str], *, workspace: str | os.PathLike[str] | None = None, limits: Limits = LIMITS,
    stream: int | None = None,
) -> Audio:  # fmt: skip
    """Read a sound at its own rate, with all its channels.

    Formats: wav (8 to 32 bit, float32, float64), rf64, aiff, flac, ogg (Vorbis, Opus, FLAC; all links of a chain), mp3, m4a/aac,
    and the sound of a video (mp4, mov, mkv, webm, avi, flv): the stream flagged default, else the first. The format is read from
    the first bytes, never from the name; FFmpeg reads what libsndfile refuses. Lengths come from decoding: a file that holds
    more than its tag promises is read to its end. Where time stamps leave a gap there is silence, also before a sound that
    begins after the pictures. Where the format changes on the way, the first rate and the most channels hold for all.
    Sounds over ten minutes become a read-only `numpy.memmap` over a float32 file (time, channel): read them with
    `blocks`. That file is removed when the last array over it is gone, or at exit.

    Args:
        path: a local file; `~` is expanded.
        workspace: folder for the file behind a long sound; None: a private temporary folder.
        limits: largest file and longest sound.
        stream: which sound of a video, counted from 0; None takes the one flagged default.

    Returns:
        float32 samples, shape=(channel, time), full scale = [-1, 1] (float files may go beyond), rate in Hz.

    Raises:
        MediaError: missing, empty, not a sound, cut off (over 1 % shorter than its header promises), NaN or infinite samples,
            over 8 channels, a rate outside 1 kHz to 768 kHz, no such stream, or over the limits.

    >>> load_audio("no such folder/song.wav")
    Traceback (most recent call last):
    spectrogrand.errors.MediaError: no sound file 'no such folder/song.wav': the folder ...
    """
    found, file = open_local(path, "sound", limits)
    with file:
        reader = sniff(file)
        if reader is None:
            raise MediaError(f"{str(found)!r} is no sound: it is {describe(file)}, expected {EXPECTED}")
        if reader != SOUND_FILE:
            return _collected(
                lambda sink: _by_ffmpeg(file, found, reader, sink, limits, stream), found, workspace, limits
            )
        riff_promise(file, found)
        links = ogg_links(file, found)
        try:
            return _collected(lambda sink: _by_libsndfile(file, links, found, sink, limits), found, workspace, limits)
        except _Undecodable as error:
            other = other_demuxer(file)
            try:
                if other is None:
                    raise error
                return _collected(
                    lambda sink: _by_ffmpeg(file, found, other, sink, limits, None), found, workspace, limits
                )
            except MediaError:
                raise MediaError(str(error)) from error


class _Undecodable(MediaError):
    """libsndfile gives up: FFmpeg may try."""


def _collected(
    blocks: Callable[[Sink], Iterator[np.ndarray]], path: Path, workspace: str | os.PathLike[str] | None, limits: Limits
) -> Audio:
    """Run a reader into a sink; once more where its format changed on the way, with the format that holds all of it."""
    sink = Sink(path, workspace, limits)
    with closing(sink):
        for block in blocks(sink):
            sink.write(block)
        if not sink.changed:
            return sink.audio()
    again = Sink(path, workspace, limits, (sink.rate, sink.most_channels))
    with closing(again):
        for block in blocks(again):
            again.write(block)
        return again.audio()


def _by_libsndfile(
    file: BinaryIO, links: list[tuple[int, int]], path: Path, sink: Sink, limits: Limits
) -> Iterator[np.ndarray]:
    """Blocks (time, channel) of a wav, flac, ogg, aiff, au or caf."""
    import soundfile

    try:
        for first, last in links or [(0, 0)]:
            part = Part(file, first, last) if links else file
            part.seek(0)
            with soundfile.SoundFile(part) as sound:
                sink.begin(sound.samplerate, sound.channels)
                known = 0 <= sound.frames < 2**53  # a stream's header may not know its length
                check_seconds(sound.frames / sound.samplerate if known else 0, path, limits)
                count = 0
                if not known:
                    raise _Undecodable(f"the sound {str(path)!r} cannot be decoded (its header knows no length)")
                while len(block := sound.read(BLOCK, dtype="float32", always_2d=True)):
                    count += len(block)
                    yield block
                check_length(sound.frames / sound.samplerate, count / sound.samplerate, path)
    except (soundfile.SoundFileError, RuntimeError, ValueError, TypeError) as error:
        if isinstance(error, MediaError):
            raise
        said = str(getattr(error, "error_string", error)).rstrip(".").removeprefix("Error : ")
        raise _Undecodable(
            f"the sound {str(path)!r} cannot be decoded ({said}): it is damaged or cut off, export it again"
        ) from error


def _by_ffmpeg(
    file: BinaryIO, path: Path, demuxer: str, sink: Sink, limits: Limits, number: int | None
) -> Iterator[np.ndarray]:
    """Blocks (time, channel) of anything compressed."""
    import av

    # an MP3 without that tag and raw AAC say no length: FFmpeg guesses one from the bit rate
    trusted = demuxer != "aac" and (demuxer != "mp3" or xing_present(file))
    bad = good = 0
    file.seek(0)
    try:
        with open_container(file, demuxer) as container:
            stream = _chosen(container.streams.audio, number, path)
            promised = (
                float(stream.duration * stream.time_base) if stream.duration and stream.time_base and trusted else None
            )
            check_seconds(promised or 0.0, path, limits)
            reach = Reach(container, demuxer)
            clock = SoundClock(container, stream, demuxer)
            for packet in container.demux():
                reach.see(packet)
                if packet.stream.index != stream.index:
                    continue
                try:
                    frames = packet.decode()
                except av.error.InvalidDataError:
                    bad += 1
                    continue
                for frame in frames:
                    sink.begin(frame.sample_rate, frame.layout.nb_channels)
                    good += 1
                    for silent in clock.before(frame):
                        yield np.zeros((silent, frame.layout.nb_channels), np.float32)
                    yield _floats(frame)
            reach.check(path)
    except (av.error.FFmpegError, ValueError, IndexError, UnicodeError, EOFError) as error:
        if isinstance(error, MediaError):
            raise
        said = str(getattr(error, "strerror", None) or error).lower()
        raise MediaError(
            f"the sound {str(path)!r} cannot be decoded ({said}): it is damaged or cut off, export it again"
        ) from error
    if not good:
        raise MediaError(f"{str(path)!r} holds no sound that can be decoded: it is damaged or cut off, export it again")
    if bad > max(1, good // 100):
        raise MediaError(f"{bad:,} of the {bad + good:,} packets of {str(path)!r} are damaged: get a whole copy")
    if promised is not None and clock.decoded < promised:
        check_length(promised, clock.decoded, path, slack=0.1)
    if promised is not None and demuxer == "mov":  # the index of these says where the sound ends inside its last packet
        sink.cut(round((clock.lead + promised) * sink.rate))


def _chosen(streams: Any, number: int | None, path: Path) -> Any:
    """The sound of a file that is wanted: by number, else flagged default, else the first that FFmpeg can decode."""
    usable = [s for s in streams if s.codec_context is not None]
    if not usable:
        raise MediaError(f"{str(path)!r} has no sound in it: choose a file with a sound track")
    if number is not None:
        if not 0 <= number < len(streams):
            raise MediaError(
                f"{str(path)!r} has {len(streams)} sound streams, counted from 0: there is no stream {number}"
            )
        return streams[number]
    return next((s for s in usable if s.disposition & s.disposition.default), usable[0])


def _floats(frame: object) -> np.ndarray:
    """A decoded FFmpeg frame as float32 (time, channel), full scale [-1, 1]."""
    kind: str = frame.format.name  # type: ignore[attr-defined]
    raw: np.ndarray = frame.to_ndarray()  # type: ignore[attr-defined]
    channels: int = frame.layout.nb_channels  # type: ignore[attr-defined]
    block = raw.T if kind.endswith("p") else raw.reshape(-1, channels)
    if block.dtype == np.uint8:
        return (block.astype(np.float32) - 128) / 128
    if block.dtype.kind == "i":
        return (block / float(2 ** (8 * block.dtype.itemsize - 1))).astype(np.float32)
    return block.astype(np.float32, copy=False)
