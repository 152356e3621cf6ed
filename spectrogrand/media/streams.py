"""The two streams of a video file: H.264 pictures in BT.709 and AAC sound, and the clock that both end on."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np

from ..errors import InvalidValue
from ..types import Audio, Frames
from .resampling import resample_blocks

AAC_RATES = (48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000)
"""Rates in Hz that are encoded as they are; others become 44.1 kHz (multiples of 11,025) or 48 kHz."""
_HALF = 0.5**0.5
_PLACES = {
    "L": (1, 0),
    "R": (0, 1),
    "C": (_HALF, _HALF),
    "l": (_HALF, 0),
    "r": (0, _HALF),
    "c": (0.5, 0.5),
    "-": (0, 0),
}
_LAYOUTS = {3: "LRC", 4: "LRlr", 5: "LRClr", 6: "LRC-lr", 7: "LRC-clr", 8: "LRC-lrlr"}
"""Channels in the order of WAV and FFmpeg: front, centre, low frequency (-), surround (small letters)."""


class Sound:
    """The AAC half: reads, resamples and encodes as far as the pictures have come."""

    def __init__(self, out: Any, audio: Audio) -> None:
        self._out = out
        self._rate = aac_rate(audio.rate)
        self._layout = "mono" if audio.channels == 1 else "stereo"
        # at 192 kbit/s the fast coder is nearer to the original than the default one, in less than half the time
        self._stream = out.add_stream("aac", rate=self._rate, layout=self._layout, options={"aac_coder": "fast"})
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
            if not np.isfinite(block).all():
                raise InvalidValue("the sound has samples that are not finite (NaN or infinite): nothing was written")
            frame = av.AudioFrame.from_ndarray(two_channels(block), "fltp", self._layout)
            frame.sample_rate, frame.pts, frame.time_base = self._rate, self._done, Fraction(1, self._rate)
            self._done += block.shape[1]
            self._out.mux(self._stream.encode(frame))
        if seconds is None:
            self._out.mux(self._stream.encode(None))


def timescale(frames: Frames, audio: Audio | None) -> int:
    """Ticks a second for the lengths in the file's index, such that picture and sound lengths are whole numbers.

    Where a long video would need more than 32 bits for that, the sound's rate is taken: off by half a sample at most.

    >>> timescale(Frames(lambda: [], (2, 2), 30, Fraction(30)), Audio(np.zeros((1, 44100), np.float32), 44100))
    44100
    """
    rate = 1 if audio is None else aac_rate(audio.rate)
    both = math.lcm(rate, frames.fps.numerator)
    fits = both * (frames.duration + 1) < 2**31
    return both if fits else rate if audio is not None else 1000


def add_video(out: Any, size: tuple[int, int], fps: Fraction, options: dict[str, str], threads: int) -> Any:
    """An H.264 stream with our tags in an open container; `size` is (rows, columns), made even."""
    # x264's AVX-512 macroblock tree reads memory that nobody wrote where a side is no multiple of 128 pixels, so that the
    # same pictures gave other bytes from run to run; its portable arithmetic does not, and agrees between processors.
    # No B-frames: at fast presets they are coarser than their neighbours, and on dark covers that flicker drowns the beat
    # (beat F1 of a motion video 0.80 with them, 1.00 without, as in the pictures themselves; the file grows by a third).
    options = {"x264-params": "cpu-independent=1:bframes=0", **options}
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


class ToYuv:
    """RGB (row, column, rgb) to yuv420p frames of even size, BT.709, limited range; tables are made once, not a picture.

    >>> frame = ToYuv()(np.zeros((3, 5, 3), np.uint8))
    >>> frame.format.name, frame.height, frame.width
    ('yuv420p', 4, 6)
    """

    def __init__(self) -> None:
        from av.video.reformatter import Interpolation, VideoReformatter

        self._reformatter = VideoReformatter()
        # chroma is the mean of its 2 x 2 pixels: of swscale's ways the fastest, and the nearest after decoding
        self._how = Interpolation.AREA | Interpolation.FULL_CHR_H_INP

    def __call__(self, picture: np.ndarray) -> Any:
        """Convert one picture; it is not kept."""
        import av

        rows, columns = picture.shape[:2]
        if rows % 2 or columns % 2:
            picture = np.pad(picture, ((0, rows % 2), (0, columns % 2), (0, 0)), mode="edge")
        frame = av.VideoFrame.from_numpy_buffer(np.ascontiguousarray(picture), "rgb24")
        # one thread: the others belong to the encoder
        made = self._reformatter.reformat(
            frame, format="yuv420p", dst_colorspace="ITU709", interpolation=self._how, threads=1
        )
        made.colorspace = made.color_primaries = made.color_trc = 1
        made.color_range = 1
        return made


def two_channels(block: np.ndarray) -> np.ndarray:
    """(channel, time) with one or two channels, clipped to [-1, 1]; more are mixed down.

    Front channels at full level, centre to both sides and surrounds to their side at -3 dB, low-frequency channel left
    out (ITU-R BS.775-4, table 2); then all is scaled so that full scale stays full scale.

    >>> (100 * two_channels(np.eye(6, dtype=np.float32)[:, :3])).round().tolist()
    [[41.0, 0.0, 29.0], [0.0, 41.0, 29.0]]
    """
    channels = len(block)
    if channels > 2:
        matrix = np.array([_PLACES[place] for place in _LAYOUTS[channels]], np.float32).T
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
