"""Pictures from the web, politely: one at a time, slowly, again after a pause, never twice, and only if they are pictures."""

from __future__ import annotations

import hashlib
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from .. import __version__, media
from ..errors import ConfigError, MediaError
from ..types import Image

AGENT = f"spectrogrand/{__version__} (research; one request at a time)"
PASSING = (408, 425, 429, 500, 502, 503, 504)
"""Answers after which another try may do better."""
LEAST = 64
"""Pixels: what is smaller is a placeholder ("no picture available")."""
LONGEST_PAUSE = 120.0


class NoPicture(MediaError):
    """An address that gives no picture, and will not."""


@dataclass
class Downloader:
    """Fetches pictures into a cache folder.

    Args:
        cache: folder; an address's file is named by the address's sha256, and what failed for good is remembered beside it.
        per_second: most requests in a second, to all hosts together.
        tries: of each address, with pauses of 1, 2, 4, ... seconds, or as long as the server's Retry-After says.
        timeout: seconds without a byte.
        most: bytes of a picture.
    """

    cache: Path
    per_second: float = 1.0
    tries: int = 4
    timeout: float = 20.0
    most: int = 20_000_000
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    _last: float = field(default=float("-inf"), init=False)

    def __post_init__(self) -> None:
        if not 0 < self.per_second <= 20 or not 1 <= self.tries <= 10:
            raise ConfigError(
                f"a polite download makes up to 20 requests a second and 1 to 10 tries, got {self.per_second} and {self.tries}"
            )

    def picture(self, address: str) -> tuple[Path, Image]:
        """The picture at an address, from the cache where it is known.

        Raises:
            NoPicture: the address is no web address, is gone, or holds something else than a picture: it is not asked for again.
            MediaError: no answer after all tries; another run asks again.
        """
        if urlsplit(address).scheme not in ("http", "https") or not urlsplit(address).netloc:
            raise NoPicture(f"{address[:200]!r} is no http address")
        name = hashlib.sha256(address.encode()).hexdigest()
        kept, failed = self.cache / name, self.cache / f"{name}.none"
        if failed.is_file():
            raise NoPicture(failed.read_text("utf-8"))
        if not kept.is_file():
            try:
                data = self._get(address)
            except NoPicture as error:
                self._write(failed, str(error).encode())
                raise
            self._write(kept, data)
        try:
            image = media.load_image(kept)
        except MediaError as error:
            return self._refuse(kept, failed, f"{address[:200]!r} is no picture: {error}")
        if min(image.size) < LEAST:
            return self._refuse(
                kept, failed, f"{address[:200]!r} is a placeholder of {image.size[1]} x {image.size[0]} pixels"
            )
        return kept, image

    def _refuse(self, kept: Path, failed: Path, why: str) -> tuple[Path, Image]:
        self._write(failed, why.replace(str(kept), "it").encode())
        kept.unlink(missing_ok=True)
        raise NoPicture(why.replace(str(kept), "it"))

    def _write(self, path: Path, data: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with media.replacing(path) as temporary:
            temporary.write_bytes(data)

    def _get(self, address: str) -> bytes:
        said, pause = "", 0.0
        for turn in range(self.tries):
            if pause:
                self.sleep(pause)
            self._wait()
            pause = 2.0**turn
            request = urllib.request.Request(address, headers={"User-Agent": AGENT, "Accept": "image/*"})
            try:
                with urllib.request.urlopen(
                    request, timeout=self.timeout
                ) as answer:  # redirects lead to http(s) and ftp only
                    length = answer.headers.get("Content-Length")
                    data: bytes = answer.read(self.most + 1)
                if len(data) > self.most:
                    raise NoPicture(f"{address[:200]!r} has more than {self.most:,} bytes")
                if length and length.isdigit() and len(data) < int(length):
                    said = f"cut off after {len(data):,} of {int(length):,} bytes"
                    continue
                return data
            except urllib.error.HTTPError as error:
                said = f"answered {error.code}"
                if error.code not in PASSING:
                    raise NoPicture(f"{address[:200]!r} {said}") from error
                asked = error.headers.get("Retry-After", "") if error.headers else ""
                if asked.isdigit():
                    pause = min(float(asked), LONGEST_PAUSE)
            except (OSError, ValueError) as error:  # URLError, timeouts, broken connections; a malformed address
                said = f"gave no answer ({type(error).__name__})"
        raise MediaError(f"{address[:200]!r} {said}, {self.tries} times: run it again later")

    def _wait(self) -> None:
        """Sleep until the next request is due."""
        due = self._last + 1 / self.per_second
        if self.clock() < due:
            self.sleep(due - self.clock())
        self._last = self.clock()
