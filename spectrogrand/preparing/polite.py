"""Pages and catalogue answers from the web, politely: robots.txt obeyed, slowly, again after a pause, and never asked twice."""

from __future__ import annotations

import json
import os
import time
import urllib.error
import urllib.request
import urllib.robotparser
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .. import __version__
from ..errors import ConfigError, MediaError
from ..files import parse_json, sync_handle

AGENT = f"spectrogrand/{__version__} (research; one request at a time)"
PASSING = (408, 425, 429, 500, 502, 503, 504)
"""Answers after which another try may do better."""
LONGEST_PAUSE = 120.0


class Gone(MediaError):
    """An address that gives nothing, and will not: not found, or refused."""


@dataclass
class Polite:
    """Asks web servers for text, one request at a time.

    Args:
        per_second: most requests in a second, to all hosts together; a slower Crawl-delay of the host's robots.txt holds.
        tries: of each address, with pauses of 1, 2, 4, ... seconds, or as long as the server's Retry-After says.
        robots: True asks a host's robots.txt first and leaves alone what it forbids to programs (RFC 9309: one that cannot be
            read for the server's fault forbids all, one that is not there allows all). False is for an API that its owner
            offers to programs, asked with the user's own key.
        timeout: seconds without a byte.
        most: bytes of an answer.
    """

    per_second: float = 1.0
    tries: int = 4
    robots: bool = True
    timeout: float = 20.0
    most: int = 20_000_000
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    _last: float = field(default=float("-inf"), init=False)
    _rules: dict[str, urllib.robotparser.RobotFileParser] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        if not 0 < self.per_second <= 20 or not 1 <= self.tries <= 10:
            raise ConfigError(
                f"polite asking makes up to 20 requests a second and 1 to 10 tries, got {self.per_second} and {self.tries}"
            )

    def get(self, address: str, headers: Mapping[str, str] | None = None) -> str:
        """The text at an address.

        Raises:
            Gone: no web address, forbidden by robots.txt, not there, or refused. MediaError: no answer after all tries.
        """
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise Gone(f"{shown(address)!r} is no http address")
        host = f"{parts.scheme}://{parts.netloc}"
        delay = 1 / self.per_second
        if self.robots:
            rules = self._rules_of(host)
            if not rules.can_fetch(AGENT, address):
                raise Gone(f"{host}/robots.txt forbids programs to read {parts.path}: ask its owner for another way")
            delay = max(delay, float(rules.crawl_delay(AGENT) or 0))
        return self._read(address, headers or {}, delay).decode("utf-8", "replace")

    def _rules_of(self, host: str) -> urllib.robotparser.RobotFileParser:
        if host not in self._rules:
            rules = urllib.robotparser.RobotFileParser()
            try:
                lines = (
                    self._read(f"{host}/robots.txt", {}, 1 / self.per_second).decode("utf-8", "replace").splitlines()
                )
            except Gone:
                lines = []
            except MediaError:
                lines = ["User-agent: *", "Disallow: /"]
            rules.parse(lines)
            self._rules[host] = rules
        return self._rules[host]

    def _read(self, address: str, headers: Mapping[str, str], delay: float) -> bytes:
        said, pause = "", 0.0
        for turn in range(self.tries):
            if pause:
                self.sleep(pause)
            if self.clock() < self._last + delay:
                self.sleep(self._last + delay - self.clock())
            self._last = self.clock()
            pause = 2.0**turn
            request = urllib.request.Request(address, headers={"User-Agent": AGENT, **headers})
            try:
                with urllib.request.urlopen(request, timeout=self.timeout) as answer:
                    data: bytes = answer.read(self.most + 1)
                if len(data) > self.most:
                    raise Gone(f"{shown(address)!r} has more than {self.most:,} bytes")
                return data
            except urllib.error.HTTPError as error:
                said = f"answered {error.code}"
                if error.code in (401, 403):
                    raise Gone(f"{shown(address)!r} {said}: the key is wrong or has no right to it") from None
                if error.code not in PASSING:
                    raise Gone(f"{shown(address)!r} {said}") from None
                asked = error.headers.get("Retry-After", "") if error.headers else ""
                if asked.isdigit():
                    pause = min(float(asked), LONGEST_PAUSE)
            except (OSError, ValueError) as error:
                said = f"gave no answer ({type(error).__name__})"
        raise MediaError(f"{shown(address)!r} {said}, {self.tries} times: run it again later")


class Queue:
    """Answers that have been had, one JSON line each, on disk as they come: a killed collection goes on where it stopped.

    A last line that a kill has torn is dropped.

    >>> import tempfile
    >>> place = Path(tempfile.mkdtemp(), "answers.jsonl")
    >>> Queue(place).add("a", {"found": 1})
    >>> Queue(place).done
    {'a': {'found': 1}}
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.done: dict[str, Any] = {}
        whole = 0
        if path.is_file():
            with open(path, "rb") as file:
                for line in file:
                    try:
                        found = parse_json(line) if line.endswith(b"\n") else None
                    except ValueError:
                        found = None
                    if not isinstance(found, dict) or "key" not in found:
                        break
                    self.done[str(found["key"])] = found.get("answer")
                    whole += len(line)
            if whole < path.stat().st_size:
                os.truncate(path, whole)

    def add(self, key: str, answer: Any) -> None:
        """Write an answer and flush it to disk."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(json.dumps({"key": key, "answer": answer}, ensure_ascii=False) + "\n")
            file.flush()
            sync_handle(file.fileno())
        self.done[key] = answer


def shown(address: str) -> str:
    """An address for messages: without its query, where keys stand.

    >>> shown("https://example.org/search?q=a&token=secret")
    'https://example.org/search'
    """
    return address.partition("?")[0][:200]
