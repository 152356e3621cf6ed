"""What a sound file's header promises about its length, for readers that would believe it or ignore it in silence."""

from __future__ import annotations

import io
import os
import struct
from pathlib import Path
from typing import Any, BinaryIO

from ..errors import MediaError
from .limits import check_length
from .sniff import tags_end

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


def ogg_links(file: BinaryIO, path: Path) -> list[tuple[int, int]]:
    """[first, last) byte of each link of a chained Ogg file (RFC 3533, 4), one for a plain file, none for other files.

    Follows every page to its end, as libsndfile reads a file that is cut in two without a word. A stream that nobody ended
    (no end-of-stream flag) is whole as long as its last page is.

    Raises:
        MediaError: a page ends beyond the file, or it holds nothing but half a page.
    """
    file.seek(0)
    if file.read(4) != b"OggS":
        file.seek(0)
        return []
    size = os.fstat(file.fileno()).st_size
    links: list[int] = []
    at, bodies, whole = 0, True, 0
    while at < size:
        file.seek(at)
        head = file.read(27)
        if len(head) == 27 and head[:4] == b"OggS":
            segments = file.read(head[26])
            end = at + 27 + len(segments) + sum(segments)
            if len(segments) < head[26] or end > size:
                raise MediaError(f"{str(path)!r} stops before the end of its stream: it is cut off, get a whole copy")
            begins = bool(head[5] & 2)
            if begins and bodies:
                links.append(at)
            bodies, whole, at = not begins, whole + 1, end
            continue
        file.seek(at)  # bytes between pages: decoders look for the next mark
        skipped = file.read(1 << 17)
        further = skipped.find(b"OggS", 1)
        if further < 0:
            if len(skipped) > 26 and len(skipped) == 1 << 17:
                at += len(skipped) - 3
                continue
            if head[:4] == b"OggS" or whole < 2:
                raise MediaError(f"{str(path)!r} stops before the end of its stream: it is cut off, get a whole copy")
            break  # a tag behind the last page
        at += further
    file.seek(0)
    return list(zip(links, [*links[1:], size], strict=True))


class Part(io.RawIOBase):
    """Bytes [first, last) of an open file as a file of their own."""

    def __init__(self, file: BinaryIO, first: int, last: int) -> None:
        self._file, self._first, self._size, self._at = file, first, last - first, 0

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move as a file does, never before the first byte."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        """Bytes from the first."""
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer as far as the bytes go."""
        self._file.seek(self._first + self._at)
        data = self._file.read(max(0, min(len(buffer), self._size - self._at)))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


def xing_present(file: BinaryIO) -> bool:
    """Whether an MP3's first frame counts the frames (Xing, Info or VBRI tag), so that its length is a promise."""
    file.seek(tags_end(file))
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
