"""Reads sound: wav, flac and ogg by libsndfile, mp3, m4a and the sound of videos by FFmpeg, long ones onto disk."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ..errors import MediaError
from ..types import Audio
from .limits import LIMITS, Limits, check_length, check_seconds, open_local
from .promises import Reach, ogg_is_whole, riff_promise, xing_present
from .sink import Sink
from .sniff import EXPECTED, SOUND_FILE, describe, open_container, sniff

BLOCK = 1 << 16


def load_audio(
    path: str | os.PathLike[str], *, workspace: str | os.PathLike[str] | None = None, limits: Limits = LIMITS
) -> Audio:
    """Read a sound at its own rate, with all its channels.

    Formats: wav (8 to 32 bit, float32, float64), rf64, aiff, flac, ogg (Vorbis, Opus), mp3, m4a/aac, and the first
    sound of a video (mp4, mov, mkv, webm, avi, flv). The format is read from the first bytes, never from the name.
    An MP3 without a length tag promises no length, so that a cut one is read as far as it goes.
    Sounds over ten minutes become a read-only `numpy.memmap` over a float32 file (time, channel): read them with
    `blocks`. That file is removed when the last array over it is gone, or at exit.

    Args:
        path: a local file; `~` is expanded.
        workspace: folder for the file behind a long sound; None: a private temporary folder.
        limits: largest file and longest sound.

    Returns:
        float32 samples, shape=(channel, time), full scale = [-1, 1] (float files may go beyond), rate in Hz.

    Raises:
        MediaError: missing, empty, not a sound, cut off (over 1 % shorter or longer than its header promises), NaN or
            infinite samples, over 8 channels, a rate outside 1 kHz to 768 kHz, or over the limits.

    >>> load_audio("no such folder/song.wav")
    Traceback (most recent call last):
    spectrogrand.errors.MediaError: no sound file 'no such folder/song.wav': the folder ...
    """
    found, file = open_local(path, "sound", limits)
    with file:
        reader = sniff(file)
        if reader is None:
            raise MediaError(f"{str(found)!r} is no sound: it is {describe(file)}, expected {EXPECTED}")
        sink = Sink(found, workspace, limits)
        with closing(sink):
            blocks = (
                _by_libsndfile(file, found, sink, limits)
                if reader == SOUND_FILE
                else _by_ffmpeg(file, found, reader, sink, limits)
            )
            for block in blocks:
                sink.write(block)
            return sink.audio()


def _by_libsndfile(file: BinaryIO, path: Path, sink: Sink, limits: Limits) -> Iterator[np.ndarray]:
    """Blocks (time, channel) of a wav, flac, ogg, aiff, au or caf."""
    import soundfile

    riff_promise(file, path)
    ogg_is_whole(file, path)
    try:
        with soundfile.SoundFile(file) as sound:
            sink.begin(sound.samplerate, sound.channels)
            check_seconds(sound.frames / sound.samplerate, path, limits)
            count = 0
            while len(block := sound.read(BLOCK, dtype="float32", always_2d=True)):
                count += len(block)
                yield block
            check_length(sound.frames / sound.samplerate, count / sound.samplerate, path)
    except (soundfile.SoundFileError, RuntimeError, ValueError, TypeError) as error:
        said = str(getattr(error, "error_string", error)).rstrip(".").removeprefix("Error : ")
        raise MediaError(
            f"the sound {str(path)!r} cannot be decoded ({said}): it is damaged or cut off, export it again"
        ) from error


def _by_ffmpeg(file: BinaryIO, path: Path, demuxer: str, sink: Sink, limits: Limits) -> Iterator[np.ndarray]:
    """Blocks (time, channel) of anything compressed."""
    import av

    trusted = demuxer != "mp3" or xing_present(file)  # without that tag the length is a guess from the bit rate
    bad = good = count = 0
    try:
        with open_container(file, demuxer) as container:
            if not container.streams.audio:
                raise MediaError(f"{str(path)!r} has no sound in it: choose a file with a sound track")
            stream = container.streams.audio[0]
            promised = (
                float(stream.duration * stream.time_base) if stream.duration and stream.time_base and trusted else None
            )
            check_seconds(promised or 0.0, path, limits)
            reach = Reach(container, demuxer)
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
                    count += frame.samples
                    yield _floats(frame)
            reach.check(path)
    except (av.error.FFmpegError, ValueError, IndexError, UnicodeError, EOFError) as error:
        said = str(getattr(error, "strerror", None) or error).lower()
        raise MediaError(
            f"the sound {str(path)!r} cannot be decoded ({said}): it is damaged or cut off, export it again"
        ) from error
    if not good:
        raise MediaError(f"{str(path)!r} holds no sound that can be decoded: it is damaged or cut off, export it again")
    if bad > max(1, good // 100):
        raise MediaError(f"{bad:,} of the {bad + good:,} packets of {str(path)!r} are damaged: get a whole copy")
    if promised is not None and sink.rate:
        check_length(promised, count / sink.rate, path, slack=0.1)
        if demuxer == "mov":  # the index of these says where the sound ends inside its last packet
            sink.cut(round(promised * sink.rate))


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
