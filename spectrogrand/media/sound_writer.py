"""Writes sound as 16-bit WAV, RF64 beyond 4 GiB: streamed, whole or not at all, the same bytes every time."""

from __future__ import annotations

import os
import struct
from collections.abc import Mapping

import numpy as np

from ..errors import InvalidValue
from ..files import replacing
from ..types import Audio

BLOCK = 1 << 16


def save_audio(path: str | os.PathLike[str], audio: Audio, tags: Mapping[str, str] | None = None) -> None:
    """Write 16-bit PCM, rounded to nearest and clipped to [-1, 1 - 2^-15]; full scale is 32768, as readers take it.

    Reading it back and writing it again changes no byte. No date, name or version is written. `tags` ("title", "artist",
    "genre", "comment") are written after the samples as a RIFF INFO list.

    Raises:
        InvalidValue: NaN or infinite samples.
        MediaError: the folder is missing or not writable, or the disk is full; nothing is left behind.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_audio(folder + "/a.wav", Audio(np.zeros((2, 100), np.float32), 8000))
    ...     os.path.getsize(folder + "/a.wav")
    444
    """
    with replacing(path) as temporary, open(temporary, "wb") as file:
        # libsndfile would write this as well, but says "System error" for a full disk
        after = _info(tags or {})
        file.write(header(audio.channels, audio.rate, audio.samples.shape[1], len(after)))
        for block in audio.blocks(BLOCK):
            if not np.isfinite(block).all():
                raise InvalidValue("the sound has samples that are not finite (NaN or infinite): nothing was written")
            whole = np.clip(np.rint(block.T * np.float32(32768)), -32768, 32767)
            file.write(np.ascontiguousarray(whole, "<i2").data)
        file.write(after)


def _info(tags: Mapping[str, str]) -> bytes:
    """A LIST chunk of type INFO, or nothing."""
    names = {"title": b"INAM", "artist": b"IART", "genre": b"IGNR", "comment": b"ICMT"}
    body = b""
    for tag, text in tags.items():
        if tag not in names:
            raise InvalidValue(f"no tag {tag!r} in a WAV file; there are {', '.join(names)}")
        content = text.encode("utf-8") + b"\0"
        body += names[tag] + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)
    return b"LIST" + struct.pack("<I", 4 + len(body)) + b"INFO" + body if body else b""


def header(channels: int, rate: int, length: int, after: int = 0) -> bytes:
    """The bytes before the samples: RIFF, or RF64 (EBU Tech 3306) where 32 bits do not hold the size.

    `after` is the number of bytes that follow the samples.

    >>> header(2, 44100, 10)[:4], header(2, 44100, 2**31)[:4]
    (b'RIFF', b'RF64')
    """
    data = 2 * channels * length
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, channels, rate, 2 * channels * rate, 2 * channels, 16)
    if data + after + 36 < 2**32 - 1:
        return struct.pack("<4sI4s", b"RIFF", data + after + 36, b"WAVE") + form + struct.pack("<4sI", b"data", data)
    sizes = struct.pack("<4sIQQQI", b"ds64", 28, data + after + 72, data, length, 0)
    unknown = 0xFFFFFFFF
    return struct.pack("<4sI4s", b"RF64", unknown, b"WAVE") + sizes + form + struct.pack("<4sI", b"data", unknown)
