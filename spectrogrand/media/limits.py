"""What may be read: the limits, and the checks of a path that come before any decoder sees it."""

from __future__ import annotations

import difflib
import io
import os
import re
import stat
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from ..errors import MediaError


@dataclass(frozen=True)
class Limits:
    """The largest media that are read.

    Attributes:
        pixels: of one picture or video frame (rows x columns).
        seconds: of a sound or a video.
        bytes: of a file, and of a decoded sound (float32) on disk.
    """

    pixels: int = 100_000_000
    seconds: int = 4 * 3600
    bytes: int = 16 * 2**30


TRUST = "SPECTROGRAND_TRUST"
"""The environment variable that makes all limits smaller where it is "low": the page's jobs read strangers' files."""
LOW = Limits(pixels=25_000_000, seconds=1800, bytes=2**28)
LIMITS = LOW if os.environ.get(TRUST) == "low" else Limits()
"""The limits that every reader uses unless it is given others."""


def open_local(path: str | os.PathLike[str], what: str, limits: Limits = LIMITS) -> tuple[Path, io.BufferedReader]:
    """Open a regular local file that is neither empty nor over the size limit; `~` is expanded.

    Decoders get the open file, never its name: no name can be a URL, a playlist or a device to them.

    Args:
        path: the file.
        what: the word for it in errors: "sound", "picture" or "video".
        limits: `bytes` is used.

    Raises:
        MediaError: missing (with the nearest name in its folder), a folder, a device, empty, too large, unreadable.
    """
    address = re.match(r"([a-zA-Z][a-zA-Z0-9+.-]+)://", str(path)) if isinstance(path, str) else None
    try:
        found = Path(path).expanduser()
        info = found.stat()
    except FileNotFoundError:
        if address:
            do = (
                "give the path without file://"
                if address[1].lower() == "file"
                else "download it and give the file's path"
            )
            raise MediaError(f"{str(path)!r} is an address, expected a {what} file of this machine: {do}") from None
        raise MediaError(f"no {what} file {str(path)!r}: {_neighbour(found)}") from None
    except (OSError, ValueError, TypeError, RuntimeError) as error:
        raise MediaError(
            f"the {what} file {str(path)!r} cannot be read: {_reason(error)}; give the path of a file"
        ) from error
    if stat.S_ISDIR(info.st_mode):
        raise MediaError(f"{str(found)!r} is a folder, expected a {what} file: give the path of one file in it")
    if not stat.S_ISREG(info.st_mode):
        raise MediaError(f"{str(found)!r} is a device or a pipe, expected a {what} file: copy it into a file first")
    if info.st_size == 0:
        raise MediaError(f"the {what} file {str(found)!r} is empty (0 bytes): export or download it again")
    if info.st_size > limits.bytes:
        raise MediaError(
            f"the {what} file {str(found)!r} has {info.st_size / 2**30:,.1f} GiB, at most"
            f" {limits.bytes / 2**30:,.1f} GiB are read: shorten or compress it"
        )
    try:
        return found, open(found, "rb")
    except OSError as error:
        raise MediaError(
            f"the {what} file {str(found)!r} cannot be read: {_reason(error)}; check its permissions"
        ) from error


def digest(path: str | os.PathLike[str], what: str, limits: Limits = LIMITS) -> str:
    """The sha256 of a file's bytes, in hexadecimal.

    Raises:
        MediaError: as `open_local`.
    """
    import hashlib

    with open_local(path, what, limits)[1] as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_seconds(seconds: float | Fraction, path: Path, limits: Limits) -> None:
    """Raise MediaError where `seconds` is over the limit."""
    if seconds > limits.seconds:
        raise MediaError(
            f"{str(path)!r} lasts {float(seconds):,.0f} s, at most {limits.seconds:,} s are read:"
            " cut it into shorter files"
        )


def check_pixels(rows: int, columns: int, path: Path, limits: Limits) -> None:
    """Raise MediaError where a picture's size is over the limit."""
    if rows * columns > limits.pixels:
        raise MediaError(
            f"{str(path)!r} has {columns:,} x {rows:,} pixels, at most {limits.pixels / 1e6:,.0f} million are read:"
            " scale it down"
        )


def check_length(promised: float, found: float, path: Path, *, slack: float = 0.0) -> None:
    """Compare the length that a file's header promises with what is in it, both in seconds.

    A difference up to 1 % (and up to `slack` seconds) passes: encoders count their padding differently.

    Raises:
        MediaError: "promises ... but holds ...".

    >>> check_length(10.0, 9.95, Path("a.wav"))
    >>> check_length(10.0, 4.0, Path("a.wav"))
    Traceback (most recent call last):
    spectrogrand.errors.MediaError: 'a.wav' promises 10.000 s in its header but holds 4.000 s: ...
    """
    if abs(promised - found) > max(0.01 * promised, slack):
        why = (
            "it is cut off or damaged, get a whole copy" if found < promised else "its header is wrong, export it again"
        )
        raise MediaError(f"{str(path)!r} promises {promised:.3f} s in its header but holds {found:.3f} s: {why}")


def _neighbour(path: Path) -> str:
    """Where a missing file may be: the nearest name in its folder."""
    folder = path.parent
    try:
        names = sorted(entry.name for entry in os.scandir(folder) if entry.is_file())
    except OSError:
        return f"the folder {str(folder)!r} does not exist either, check the path"
    folded = {name.casefold(): name for name in names}
    close = difflib.get_close_matches(path.name.casefold(), folded, n=1, cutoff=0.5)
    if close:
        return f"did you mean {str(folder / folded[close[0]])!r}?"
    return f"nothing in {str(folder)!r} has a similar name, check the path"


def _reason(error: Exception) -> str:
    """The operating system's words for an error, without errno and path."""
    return (getattr(error, "strerror", None) or str(error)).lower()
