"""What a sound file's header promises about its length, for readers that would believe it or ignore it in silence."""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import Any, BinaryIO

from ..errors import MediaError
from .limits import check_length
from .sniff import id3_size

_UNKNOWN = (0xFFFFFFFF, 0x7FFFFFFF, 0x7FFFF000, 0x80000000)
"""Data sizes that streaming writers leave when they cannot know: taken as "to the end of the file"."""


def riff_promise(file: BinaryIO, path: Path) -> None:
    """Compare the size in a RIFF, RIFX, RF64 or AIFF header with the file; libsndfile corrects it in silence.

    Raises:
        MediaError: no format or data chunk, over 1 % more promised than there is, or as much left over behind it.
    """
    size = os.fstat(file.fileno()).st_size
    file.seek(0)
    head = file.read(12)
    if head[:4] == b"FORM" and struct.unpack(">I", head[4:8])[0] + 8 > 1.01 * size:
        raise MediaError(f"{str(path)!r} is shorter than its header promises: it is cut off, get a whole copy")
    if head[:4] not in (b"RIFF", b"RIFX", b"RF64") or head[8:12] != b"WAVE":
        file.seek(0)
        return
    order = ">" if head[:4] == b"RIFX" else "<"
    bytes_a_second = 0
    long_data = None
    while True:
        chunk = file.read(8)
        if len(chunk) < 8:
            raise MediaError(f"{str(path)!r} is a WAV header without sound: it is cut off, export it again")
        name, length = struct.unpack(order + "4sI", chunk)
        if name == b"data":
            break
        body = file.read(min(length, 64))
        if name == b"fmt " and len(body) >= 12:
            bytes_a_second = struct.unpack_from(order + "I", body, 8)[0]
        if name == b"ds64" and len(body) >= 16:
            long_data = struct.unpack_from(order + "Q", body, 8)[0]
        file.seek(length - len(body) + (length & 1), os.SEEK_CUR)
    start = file.tell()
    if bytes_a_second == 0:
        raise MediaError(f"{str(path)!r} is a WAV whose header says no format: it is damaged, export it again")
    if length == 0xFFFFFFFF and long_data is not None:
        length = long_data
    elif length in _UNKNOWN:
        file.seek(0)
        return
    found = size - start if length > size - start else length + _stray(file, start + length, size, order)
    check_length(length / bytes_a_second, found / bytes_a_second, path)
    file.seek(0)


def _stray(file: BinaryIO, position: int, size: int, order: str) -> int:
    """Bytes behind the data that no further chunk accounts for: sound that the header does not speak of."""
    position += position & 1
    while position + 8 <= size:
        file.seek(position)
        name, length = struct.unpack(order + "4sI", file.read(8))
        if not all(32 <= c < 127 for c in name) or position + 8 + length > size:
            break
        position += 8 + length + (length & 1)
    return max(0, size - position)


def ogg_is_whole(file: BinaryIO, path: Path) -> None:
    """Follow the last Ogg page (RFC 3533, 6) to its end; libsndfile reads a file that is cut in two without a word.

    Raises:
        MediaError: the last page ends beyond the file, or the stream was never ended.
    """
    file.seek(0)
    if file.read(4) == b"OggS":
        size = os.fstat(file.fileno()).st_size
        tail_at = max(0, size - 2 * 65307)  # a page has at most 65,307 bytes
        file.seek(tail_at)
        tail = file.read()
        at = tail.rfind(b"OggS")
        segments = tail[at + 27 : at + 27 + tail[at + 26]] if 0 <= at <= len(tail) - 27 else b""
        whole = (
            at >= 0 and len(segments) == tail[at + 26] and at + 27 + len(segments) + sum(segments) <= len(tail)
            if segments
            else False
        )
        if not whole or not tail[at + 5] & 4:
            raise MediaError(f"{str(path)!r} stops before the end of its stream: it is cut off, get a whole copy")
    file.seek(0)


def xing_present(file: BinaryIO) -> bool:
    """Whether an MP3's first frame counts the frames (Xing, Info or VBRI tag), so that its length is a promise."""
    file.seek(0)
    head = file.read(10)
    file.seek(10 + id3_size(head) if head[:3] == b"ID3" and len(head) == 10 else 0)
    first = file.read(2048)
    file.seek(0)
    return any(tag in first for tag in (b"Xing", b"Info", b"VBRI"))


class Reach:
    """How far the packets of a Matroska or FLV file go, against the one length that its header gives for all streams."""

    def __init__(self, container: Any, demuxer: str) -> None:
        known = demuxer in ("matroska", "flv") and container.duration
        self._promised = container.duration / 1e6 if known else None
        self._end = 0.0

    def see(self, packet: Any) -> None:
        """Take note of a packet of any stream."""
        stamp = packet.dts if packet.pts is None else packet.pts
        if stamp is not None:
            self._end = max(self._end, float((stamp + (packet.duration or 0)) * packet.time_base))

    def check(self, path: Path) -> None:
        """Raise MediaError where the packets end before the header says."""
        if self._promised is not None:
            check_length(self._promised, self._end, path, slack=0.2)
