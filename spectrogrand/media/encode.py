"""Writes video: frames are made in the caller's thread while H.264 and AAC are encoded in another, memory flat."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InvalidValue, MediaError
from ..types import Audio, Frames
from .atomic import replacing, why_not
from .resampling import resample_blocks

AAC_RATES = (48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000)
"""Rates in Hz that are encoded as they are; others become 44.1 kHz (multiples of 11,025) or 48 kHz."""
_AHEAD = 8  # pictures that may wait for the encoder


def save_video(
    path: str | os.PathLike[str],
    frames: Frames,
    audio: Audio | None = None,
    *,
    preset: str = "veryfast",
    crf: int = 20,
    threads: int = 2,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Write an MP4: H.264 (yuv420p, BT.709, limited range), AAC 192 kbit/s, index in front; frame k shows at k/fps exactly.

    Odd sizes are padded to even ones by repeating the last row or column, so that nothing is cut away. Sound with more than
    two channels is mixed down to two. Pictures are made here while a background thread encodes; at most eight wait.
    The same input gives the same bytes for one version of the encoders and one number of threads.

    Args:
        path: the file to write; it appears whole or not at all.
        frames: pictures, with their count and rate.
        audio: the sound, whose duration is within one frame of the pictures', or None.
        preset: of libx264, from "ultrafast" to "placebo".
        crf: of libx264, 0 (lossless) to 51; 18 is hard to tell from the original.
        threads: of libx264; part of what decides the bytes.
        progress: called with (pictures done, count) after each picture.

    Raises:
        InvalidValue: sound and pictures differ by more than a frame, or an unknown preset, crf or thread count.
        MediaError: the folder is missing or not writable, the disk is full, or the encoder fails; nothing is left behind.

    >>> import tempfile
    >>> from spectrogrand.media import load_video
    >>> grey = Frames(lambda: (np.full((16, 16, 3), 10 * k, np.uint8) for k in range(5)), (16, 16), 5, Fraction(30000, 1001))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_video(folder + "/a.mp4", grey)
    ...     video = load_video(folder + "/a.mp4")
    >>> video.count, video.fps, video.size
    (5, Fraction(30000, 1001), (16, 16))
    """
    _check(frames, audio, preset, crf, threads)
    with replacing(path) as temporary:
        encoder = _Encoder(temporary, Path(path), frames, audio, {"preset": preset, "crf": str(crf)}, threads)
        try:
            for k, picture in enumerate(frames):
                encoder.put(picture)
                if progress is not None:
                    progress(k + 1, frames.count)
            encoder.finish()
        finally:
            encoder.stop()


def _check(frames: Frames, audio: Audio | None, preset: str, crf: int, threads: int) -> None:
    presets = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow", "placebo")
    if preset not in presets:
        raise InvalidValue(f"no preset {preset!r}: choose one of {', '.join(presets)}")
    if not 0 <= crf <= 51 or not 1 <= threads <= 64:
        raise InvalidValue(f"crf is 0 to 51 and threads 1 to 64, got {crf} and {threads}")
    if max(frames.size) > 16384:
        raise MediaError(f"H.264 holds pictures up to 16,384 a side, got {frames.size} (rows, columns): make smaller frames")
    if audio is not None and abs(audio.duration - frames.duration) > 1 / frames.fps:
        raise InvalidValue(
            f"the sound lasts {float(audio.duration):.3f} s and the pictures {float(frames.duration):.3f} s:"
            " they must agree to one frame, use frame_count(audio.duration, fps)"
        )


class _Encoder:
    """A container being written by its own thread; `put` hands over pictures, already converted."""

    def __init__(self, temporary: Path, target: Path, frames: Frames, audio: Audio | None, options: dict[str, str], threads: int) -> None:
        self._temporary, self._target = temporary, target
        self._frames, self._audio, self._options, self._threads = frames, audio, options, threads
        self._waiting: queue.Queue[Any] = queue.Queue(_AHEAD)
        self._error: BaseException | None = None
        self._stopped = threading.Event()
        self._last: tuple[np.ndarray, Any] | None = None
        self._thread = threading.Thread(target=self._run, name="spectrogrand-encoder", daemon=True)
        self._thread.start()

    def put(self, picture: np.ndarray) -> None:
        """Convert a picture and hand it over. A read-only array that comes again is converted once."""
        if self._last is not None and self._last[0] is picture and not picture.flags.writeable:
            converted = self._last[1]
        else:
            converted = to_yuv(picture)
            self._last = (picture, converted)
        self._hand_over(converted)

    def finish(self) -> None:
        """Wait until everything is written."""
        self._hand_over(None)
        self._thread.join()
        self._raise()

    def stop(self) -> None:
        """End the thread, whatever its state."""
        self._stopped.set()
        self._thread.join()

    def _hand_over(self, item: Any) -> None:
        while True:
            self._raise()
            try:
                return self._waiting.put(item, timeout=0.2)
            except queue.Full:
                continue

    def _raise(self) -> None:
        import av

        error = self._error
        if isinstance(error, av.error.FFmpegError):
            if isinstance(error, OSError) and error.errno and error.errno < 1000:
                raise MediaError(why_not(self._target, OSError(error.errno, os.strerror(error.errno)))) from error
            raise MediaError(f"{str(self._target)!r} was not encoded: {error.strerror or error}".lower()) from error
        if error is not None:
            raise error

    def _run(self) -> None:
        try:
            self._encode()
        except BaseException as error:  # carried to the caller's thread, raised there
            self._error = error

    def _pictures(self) -> Iterator[Any]:
        while not self._stopped.is_set():
            try:
                item = self._waiting.get(timeout=0.2)
            except queue.Empty:
                continue
            if item is None:
                return
            yield item

    def _encode(self) -> None:
        import av

        fps = self._frames.fps
        with av.open(str(self._temporary), "w", format="mp4", container_options={"movflags": "+faststart", "fflags": "+bitexact"}) as out:
            video = add_video(out, self._frames.size, fps, self._options, self._threads)
            sound = _Sound(out, self._audio) if self._audio is not None else None
            for k, frame in enumerate(self._pictures()):
                frame.pts, frame.time_base = k, 1 / fps
                for packet in video.encode(frame):
                    out.mux(packet)
                if sound is not None:
                    sound.until((k + 1) / fps)
            if self._stopped.is_set():
                return
            out.mux(video.encode(None))
            if sound is not None:
                sound.until(None)


class _Sound:
    """The AAC half: reads, resamples and encodes as far as the pictures have come."""

    def __init__(self, out: Any, audio: Audio) -> None:
        self._out = out
        self._rate = aac_rate(audio.rate)
        self._layout = "mono" if audio.channels == 1 else "stereo"
        self._stream = out.add_stream("aac", rate=self._rate, layout=self._layout)
        context = self._stream.codec_context
        context.bit_rate = 192_000
        context.flags |= _bitexact()
        self._blocks = resample_blocks(audio, self._rate, 1 << 15)
        self._done = 0

    def until(self, seconds: Fraction | None) -> None:
        """Encode up to a time, or to the end (None)."""
        import av

        while seconds is None or self._done < seconds * self._rate:
            block = next(self._blocks, None)
            if block is None:
                break
            frame = av.AudioFrame.from_ndarray(two_channels(block), "fltp", self._layout)
            frame.sample_rate, frame.pts, frame.time_base = self._rate, self._done, Fraction(1, self._rate)
            self._done += block.shape[1]
            self._out.mux(self._stream.encode(frame))
        if seconds is None:
            self._out.mux(self._stream.encode(None))


def add_video(out: Any, size: tuple[int, int], fps: Fraction, options: dict[str, str], threads: int) -> Any:
    """An H.264 stream with our tags in an open container; `size` is (rows, columns), made even."""
    stream = out.add_stream("libx264", rate=fps, options=options)
    stream.width, stream.height = (size[1] + 1) // 2 * 2, (size[0] + 1) // 2 * 2
    stream.pix_fmt = "yuv420p"
    context = stream.codec_context
    context.time_base = 1 / fps
    context.thread_count = threads
    context.thread_type = "FRAME"  # PyAV's default cuts each picture into slices: slower, and worse pictures
    context.colorspace = context.color_primaries = context.color_trc = 1  # BT.709
    context.color_range = 1  # limited
    context.flags |= _bitexact()
    return stream


def to_yuv(picture: np.ndarray) -> Any:
    """RGB (row, column, rgb) as a yuv420p frame of even size, BT.709, limited range."""
    import av

    rows, columns = picture.shape[:2]
    if rows % 2 or columns % 2:
        picture = np.pad(picture, ((0, rows % 2), (0, columns % 2), (0, 0)), mode="edge")
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), "rgb24")
    made = frame.reformat(format="yuv420p", dst_colorspace="ITU709")
    made.colorspace = made.color_primaries = made.color_trc = 1
    made.color_range = 1
    return made


def two_channels(block: np.ndarray) -> np.ndarray:
    """(channel, time) with one or two channels, clipped to [-1, 1]; more are mixed down, odd ones left, even ones right.

    Surround sound (5.1, 7.1) keeps its front channels at full level; the centre goes to both sides at -3 dB, the
    surrounds at -3 dB, the low-frequency channel is left out (ITU-R BS.775-4, table 2); then all is scaled to fit.
    """
    channels = len(block)
    if channels > 2:
        g = 0.7071067811865476
        weights = {6: [(1, 0), (0, 1), (g, g), (0, 0), (g, 0), (0, g)], 8: [(1, 0), (0, 1), (g, g), (0, 0), (g, 0), (0, g), (g, 0), (0, g)]}
        matrix = np.array(weights.get(channels) or [(1 - k % 2, k % 2) for k in range(channels)], np.float32).T
        block = (matrix / matrix.sum(axis=1, keepdims=True)) @ block
    return np.ascontiguousarray(np.clip(block, -1, 1), np.float32)


def aac_rate(rate: int) -> int:
    """The rate in Hz at which a sound is encoded.

    >>> aac_rate(44100), aac_rate(96000), aac_rate(88200), aac_rate(1000)
    (44100, 48000, 44100, 48000)
    """
    return rate if rate in AAC_RATES else 44100 if rate % 11025 == 0 else 48000


def _bitexact() -> Any:
    from av.codec.context import Flags

    return Flags.bitexact
