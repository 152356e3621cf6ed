"""What a page may link: web addresses of people's songs, and nothing that runs."""

from __future__ import annotations

from urllib.parse import urlsplit


def web(where: str) -> bool:
    """Whether this is a web address that a page may link.

    >>> web("https://example.org/a.mp3"), web("javascript:alert(1)"), web("//host/a"), web("http://[")
    (True, False, False, False)
    """
    try:
        parts = urlsplit(where)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False
