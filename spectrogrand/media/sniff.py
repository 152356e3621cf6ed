"""Which format a file is, from its first bytes alone: the name may lie, and FFmpeg must never guess.

FFmpeg's own probing would take text for a playlist (ffconcat, HLS) and open the files or addresses that it lists. Here
each file gets exactly one reader, forced by name, and no playlist format is among them.
"""

from __future__ import annotations

from typing import Any, BinaryIO

from ..errors import MediaError

SOUND_FILE = "soundfile"
"""Read by libsndfile; every other value is the name of the FFmpeg demuxer to force."""

SOUNDS = (
    ".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".m4a", ".aac", ".aif", ".aiff", ".au", ".caf", ".rf64",
)  # fmt: skip
VIDEOS = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".flv")
PICTURES = (
    ".png", ".jpg", ".jpeg", ".jfif", ".webp", ".avif", ".heic", ".heif", ".gif", ".bmp", ".tif", ".tiff", ".tga", ".jp2", ".psd",
    ".qoi",
)  # fmt: skip
"""Names under which what is read here is offered: for lists and file pickers; the reader itself goes by the bytes."""
EXPECTED = "wav, flac, ogg, mp3, m4a, or a video (mp4, mov, mkv, webm, avi)"
_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")
_STILL_BRANDS = (b"avif", b"avis", b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1", b"hevc")
_KBITS = (
    (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
)
_RATES = (44100, 48000, 32000)
_JUNK = 1 << 14
"""Bytes that may lie before the first frame of an MP3: broken tags, pieces of web pages."""


def sniff(file: BinaryIO) -> str | None:
    """The reader for an open file, or None for anything that is not sound or video. The position returns to 0.

    >>> import io
    >>> [sniff(io.BytesIO(head + bytes(60))) for head in (b"fLaC", b"ffconcat version 1.0", b"\\x1aE\\xdf\\xa3")]
    ['soundfile', None, 'matroska']
    """
    file.seek(0)
    head = file.read(16)
    found = None
    if head[:4] in (b"RIFF", b"RIFX", b"RF64") and head[8:12] == b"WAVE" or head[:4] == b"riff":
        found = SOUND_FILE
    elif head[:4] in (b"fLaC", b"OggS", b".snd", b"caff") or head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        found = SOUND_FILE
    elif head[4:8] in _BOXES and head[8:12] not in _STILL_BRANDS:
        found = "mov"
    elif head[:4] == b"\x1a\x45\xdf\xa3":
        found = "matroska"
    elif head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        found = "avi"
    elif head[:3] == b"FLV":
        found = "flv"
    else:
        found = _elementary(file, head)
    file.seek(0)
    return found


def describe(file: BinaryIO) -> str:
    """What a file that is not media seems to be, for an error: a kind of file, text with its first words, or bytes."""
    file.seek(0)
    head = file.read(64)
    if is_heif(file):
        return "a HEIC picture that is damaged or cut off"
    kinds = {
        b"\x89PNG": "a PNG picture", b"\xff\xd8\xff": "a JPEG picture", b"GIF8": "a GIF picture",
        b"%PDF": "a PDF document", b"PK\x03\x04": "a zip archive", b"MThd": "a MIDI score",
        b"\x1f\x8b": "a gzip archive", b"\x30\x26\xb2\x75": "Windows Media",
    }  # fmt: skip
    for magic, kind in kinds.items():
        if head.startswith(magic):
            return kind
    text = head.decode("utf-8", "ignore")
    if len(text) >= len(head) - 3 and text.strip() and all(c.isprintable() or c.isspace() for c in text):
        return f"text that begins {' '.join(text.split())[:32]!r}"
    return f"unknown data that begins {head[:8].hex(' ')}"


def is_heif(file: BinaryIO) -> bool:
    """Whether an open file is a HEIC or HEIF picture (AVIF is not: Pillow reads it)."""
    file.seek(0)
    head = file.read(64)
    file.seek(0)
    if head[4:8] != b"ftyp" or head[8:12] in (b"avif", b"avis"):
        return False
    brands = head[8 : min(64, int.from_bytes(head[:4], "big"))]
    return head[8:12] in (b"heic", b"heix", b"hevc", b"heim", b"heis") or (
        head[8:12] in (b"mif1", b"msf1") and b"avif" not in brands
    )


def other_demuxer(file: BinaryIO) -> str | None:
    """FFmpeg's demuxer for a file that libsndfile should read and does not."""
    file.seek(tags_end(file))
    head = file.read(12)
    kinds = {b"fLaC": "flac", b"OggS": "ogg", b"RIFF": "wav", b"RIFX": "wav", b"RF64": "wav", b"FORM": "aiff", b"caff": "caf",
             b".snd": "au"}  # fmt: skip
    return kinds.get(head[:4])


def tags_end(file: BinaryIO) -> int:
    """Where the ID3v2 and APEv2 tags in front of a file end, in bytes; the position is left anywhere."""
    at = 0
    for _ in range(8):
        file.seek(at)
        head = file.read(32)
        if head[:3] == b"ID3" and len(head) >= 10:
            at += 10 + id3_size(head)
        elif head[:8] == b"APETAGEX" and len(head) == 32:
            at += 32 + int.from_bytes(head[12:16], "little")
        else:
            break
    return at


def _elementary(file: BinaryIO, head: bytes) -> str | None:
    """MP3 and ADTS AAC have no file header: accept a tag, two frames in a row, or four behind a little junk."""
    start = tags_end(file)
    file.seek(start)
    after = file.read(4)
    if start:
        if after == b"fLaC":  # a FLAC with a foreign tag in front: libsndfile skips it
            return SOUND_FILE
        return "aac" if _adts(after) else "mp3"
    if _adts(head):
        length = _adts_frame(head)
        file.seek(length)
        return "aac" if length >= 7 and _adts(file.read(4)) else None
    length = _mp3_frame(head)
    if length:
        file.seek(length)
        return "mp3" if _mp3_frame(file.read(4)) else None
    file.seek(0)
    return _behind_junk(file.read(_JUNK + 8192))


def _behind_junk(start: bytes) -> str | None:
    """Frames of one kind that follow each other four times, their first within 16 KiB: chance does not do that."""
    at = start.find(b"\xff", 1)
    while 0 < at < _JUNK:
        for kind, frame in (("mp3", _mp3_frame), ("aac", _adts_frame)):
            place, count = at, 0
            while count < 4 and (length := frame(start[place : place + 7])) > 6:
                same = start[place + 1] == start[at + 1] and (start[place + 2] ^ start[at + 2]) & 0x0C == 0
                if not same:
                    break
                place, count = place + length, count + 1
            if count == 4:
                return kind
        at = start.find(b"\xff", at + 1)
    return None


def _adts_frame(head: bytes) -> int:
    """Length in bytes of the ADTS frame that starts here, 0 where none does."""
    return (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5 if len(head) >= 6 and _adts(head) else 0


def id3_size(head: bytes) -> int:
    """Bytes of an ID3v2 tag after its ten-byte header (a "syncsafe" integer, 7 bits a byte)."""
    return (head[6] & 127) << 21 | (head[7] & 127) << 14 | (head[8] & 127) << 7 | head[9] & 127


def _adts(head: bytes) -> bool:
    return len(head) >= 4 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0 and head[2] >> 2 & 15 < 13


def _mp3_frame(head: bytes) -> int:
    """Length in bytes of the layer III frame that starts here, 0 where none does (ISO 11172-3, 2.4.2.3)."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2 or head[1] & 0x18 == 0x08:
        return 0
    version = head[1] >> 3 & 3  # 3: MPEG 1, 2: MPEG 2, 0: MPEG 2.5
    kbits_index, rate_index, padding = head[2] >> 4, head[2] >> 2 & 3, head[2] >> 1 & 1
    if kbits_index in (0, 15) or rate_index == 3:
        return 0
    rate = _RATES[rate_index] // {3: 1, 2: 2, 0: 4}[version]
    kbits = _KBITS[0 if version == 3 else 1][kbits_index]
    return (144 if version == 3 else 72) * kbits * 1000 // rate + padding


def open_container(file: BinaryIO, demuxer: str) -> Any:
    """Open a file in FFmpeg with one forced demuxer, which can reach no other file and no address."""
    import av

    walls = {"protocol_whitelist": "none"}
    return av.open(file, format=demuxer, io_open=_refuse, container_options=walls, metadata_errors="replace")


def _refuse(url: str, flags: int, options: dict[str, str]) -> None:
    raise MediaError(f"the file refers to another file ({url!r}), which is not followed: put everything into one file")
