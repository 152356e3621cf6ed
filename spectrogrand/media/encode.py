"""Writes video: frames are made in the caller's thread while H.264 and AAC are encoded in another, memory flat."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InvalidValue, MediaError
from ..files import replacing, why_not
from ..types import Audio, Frames
from .streams import Sound, ToYuv, add_video, timescale

_AHEAD = 4  # pictures that may wait for the encoder


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
    """Write an MP4: H.264 (yuv420p, BT.709, limited range), AAC 192 kbit/s, index in front; frame k shows at k/fps.

    Odd sizes are padded to even ones by repeating the last row or column: nothing is cut away. Sound with more than two
    channels is mixed down to two. Pictures are made here while a background thread encodes; at most four wait.
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
        InvalidValue: sound and pictures differ by more than a frame, NaN samples, or an unknown preset, crf or threads.
        MediaError: the folder is missing or not writable, the disk is full, or the encoder fails; nothing stays behind.

    >>> import tempfile
    >>> from fractions import Fraction
    >>> from spectrogrand.media import load_video
    >>> pictures = [np.full((16, 16, 3), 10 * k, np.uint8) for k in range(5)]
    >>> grey = Frames(lambda: pictures, (16, 16), 5, Fraction(30000, 1001))
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
            for k, picture in enumerate(_made(frames)):
                encoder.put(picture)
                if progress is not None:
                    progress(k + 1, frames.count)
            encoder.finish()
        finally:
            encoder.stop()


def _check(frames: Frames, audio: Audio | None, preset: str, crf: int, threads: int) -> None:
    presets = (
        "ultrafast",
        "superfast",
        "veryfast",
        "faster",
        "fast",
        "medium",
        "slow",
        "slower",
        "veryslow",
        "placebo",
    )
    if preset not in presets:
        raise InvalidValue(f"no preset {preset!r}: choose one of {', '.join(presets)}")
    if not 0 <= crf <= 51 or not 1 <= threads <= 64:
        raise InvalidValue(f"crf is 0 to 51 and threads 1 to 64, got {crf} and {threads}")
    if max(frames.size) > 16384:
        raise MediaError(
            f"H.264 holds pictures up to 16,384 a side, got {frames.size} (rows, columns): make smaller frames"
        )
    if audio is not None and abs(audio.duration - frames.duration) > 1 / frames.fps:
        raise InvalidValue(
            f"the sound lasts {float(audio.duration):.3f} s and the pictures {float(frames.duration):.3f} s:"
            " they must agree to one frame, use frame_count(audio.duration, fps)"
        )


def _made(frames: Frames) -> Iterator[np.ndarray]:
    """The pictures; a file error while making one is told apart from a file error while writing the video."""
    try:
        yield from frames
    except OSError as error:
        raise MediaError(f"a picture of the video could not be made: {error}") from error


class _Encoder:
    """A container being written by its own thread; `put` hands over pictures, already converted."""

    def __init__(
        self, temporary: Path, target: Path, frames: Frames, audio: Audio | None, options: dict[str, str], threads: int
    ) -> None:
        self._temporary, self._target = temporary, target
        self._frames, self._audio, self._options, self._threads = frames, audio, options, threads
        self._waiting: queue.Queue[Any] = queue.Queue(_AHEAD)
        self._error: BaseException | None = None
        self._stopped = threading.Event()
        self._last: tuple[np.ndarray, Any] | None = None
        self._signed = True
        self._to_yuv = ToYuv()
        self._thread = threading.Thread(target=self._run, name="spectrogrand-encoder", daemon=True)
        self._thread.start()

    def put(self, picture: np.ndarray) -> None:
        """Convert a picture and hand it over. A read-only array that comes again is converted once."""
        if self._last is not None and self._last[0] is picture and not picture.flags.writeable:
            converted = self._last[1]
        else:
            converted = self._to_yuv(picture)
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
        ticks = timescale(self._frames, self._audio)
        options = {"movflags": "+faststart", "fflags": "+bitexact", "movie_timescale": str(ticks)}
        with av.open(str(self._temporary), "w", format="mp4", container_options=options) as out:
            video = add_video(out, self._frames.size, fps, self._options, self._threads)
            sound = Sound(out, self._audio) if self._audio is not None else None
            for k, frame in enumerate(self._pictures()):
                frame.pts, frame.time_base = k, 1 / fps
                self._mux(out, video, frame)
                if sound is not None:
                    sound.until((k + 1) / fps)
            if self._stopped.is_set():
                return
            self._mux(out, video, None)
            if sound is not None:
                sound.until(None)

    def _mux(self, out: Any, video: Any, frame: Any) -> None:
        """Encode a picture (None: the rest) and write what comes out; the first packet loses x264's signature."""
        from av.bitstream import BitStreamFilterContext

        for packet in video.encode(frame):
            if not self._signed:
                out.mux(packet)
                continue
            self._signed = False
            unsigned = BitStreamFilterContext("filter_units=remove_types=6", video)
            out.mux([*unsigned.filter(packet), *unsigned.filter(None)])
