"""One file over HTTPS: resumed where it stopped, checked, renamed into place; and archives unpacked inside their folder."""

from __future__ import annotations

import hashlib
import os
import sys
import tarfile
import threading
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from ..errors import InvalidValue, MissingExtra, StoreError
from ..files import sync_handle
from ..progress import bar

BLOCK = 1 << 20
PATIENCE = 30.0
"""Seconds after which a place that does not answer at all is called out of reach; SPECTROGRAND_PATIENCE sets others."""
FIRST = 2.0
"""Seconds for the first try; each further one waits twice as long, and the first wait that is in vain is told."""
STALL = 30.0
"""Seconds without a byte after which a download is given up; the next one goes on from there."""
MOST = 64 << 30
"""Bytes that an archive may unpack to."""


def patience() -> float:
    """Seconds that a place may take to answer: SPECTROGRAND_PATIENCE, else `PATIENCE`.

    Raises:
        InvalidValue: the environment's is no number of seconds above 0.
    """
    said = os.environ.get("SPECTROGRAND_PATIENCE", "")
    try:
        seconds = float(said) if said else PATIENCE
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 86_400:
        raise InvalidValue(f"SPECTROGRAND_PATIENCE is a number of seconds above 0, got {said!r}")
    return seconds


def reachable(url: str, what: str) -> None:
    """Check that the place answers at all, whatever it answers: "no network" is known at once, a slow one is asked again.

    Raises:
        MissingExtra: there is no way to it, or it has not answered within `patience()`.
    """
    secure(url)
    said: list[str] = []
    tired = threading.Event()

    def ask(seconds: float) -> None:
        try:
            urlopen(Request(url, method="HEAD"), timeout=seconds).close()
            said.append("")
        except HTTPError:  # an answer
            said.append("")
        except (OSError, ValueError) as error:
            reason = getattr(error, "reason", error)
            if not isinstance(reason, TimeoutError):
                said.append(str(reason))
        tired.set()

    left, wait, tries = patience(), FIRST, 0
    while left > 0 and not said:
        wait = min(wait, left)
        tired.clear()
        asking = threading.Thread(target=ask, args=(wait,), daemon=True)
        asking.start()  # a name server may hang for longer than any timeout of ours
        tired.wait(wait)
        left, wait, tries = left - wait, wait * 2, tries + 1
        if not said and left > 0 and tries == 1:
            sys.stderr.write(f"{urlsplit(url).netloc} is slow to answer: waiting up to {left:g} s more\n")
    reason = said[0] if said else f"no answer in {patience():g} s; SPECTROGRAND_PATIENCE=SECONDS waits longer"
    if reason:
        raise MissingExtra(
            f"{what} is out of reach ({urlsplit(url).netloc}: {reason}): connect, or copy it and set weights=FOLDER"
        )


def fetch_file(url: str, target: Path, *, sha256: str | None = None, name: str = "") -> Path:
    """Download to `target`; `target.part` keeps what an interrupted download got, and the next one asks for the rest.

    Args:
        sha256: 64 hex digits that the file must have; None takes any.
        name: what to call it in messages.

    Raises:
        MissingExtra: no connection, or it broke off; the same call goes on from there.
        InvalidValue: the sha256 is another one (what came is thrown away). StoreError: it cannot be written.
    """
    name = name or target.name
    reachable(url, name)
    part = target.with_name(target.name + ".part")
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        done = part.stat().st_size if part.exists() else 0
        with bar(f"fetching {name}") as tick:
            _receive(url, part, done, name, tick)
    except HTTPError as error:
        raise MissingExtra(f"{name} cannot be had from {url} (HTTP {error.code} {error.reason})") from error
    except (URLError, TimeoutError, ConnectionError) as error:
        raise _broke_off(name, part, str(getattr(error, "reason", error))) from error
    except OSError as error:
        raise StoreError(f"cannot write {part}: {error.strerror or error}") from error
    with open(part, "rb") as file:
        got = hashlib.file_digest(file, "sha256").hexdigest()
    if sha256 is not None and got != sha256:
        part.unlink()
        raise InvalidValue(f"{url} gave a file with sha256 {got}, not {sha256}: it was thrown away; try again later")
    os.replace(part, target)
    return target


def _receive(url: str, part: Path, done: int, name: str, tick: Any) -> None:
    request = Request(url, headers={"Range": f"bytes={done}-"} if done else {})
    try:
        answer = urlopen(request, timeout=STALL)
    except HTTPError as error:
        if error.code != 416 or not done:
            raise
        part.unlink()  # what is here is longer than the file: from the beginning
        return _receive(url, part, 0, name, tick)
    with answer:
        if urlsplit(answer.geturl()).scheme != urlsplit(url).scheme:
            raise MissingExtra(f"{url} leads to {answer.geturl()}, which is not https: not followed")
        resumed = (
            done > 0 and answer.status == 206 and answer.headers.get("Content-Range", "").startswith(f"bytes {done}-")
        )
        if not resumed:
            done = 0
        length = answer.headers.get("Content-Length")
        total = done + int(length) if length else None
        with open(part, "ab" if resumed else "wb") as file:
            while block := answer.read(BLOCK):
                file.write(block)
                done += len(block)
                tick(done, total or done)
            file.flush()
            sync_handle(file.fileno())
    if total is not None and done < total:
        raise _broke_off(name, part, "the connection closed early", done, total)


def _broke_off(name: str, part: Path, reason: str, done: int | None = None, total: int | None = None) -> MissingExtra:
    here = done if done is not None else part.stat().st_size if part.exists() else 0
    of = f" of {total / 1e6:,.1f}" if total else ""
    again = "run the same command again, it goes on from there"
    return MissingExtra(f"the download of {name} broke off at {here / 1e6:,.1f}{of} MB ({reason}): {again}")


def secure(url: str) -> None:
    """Check that an address is https, or on this machine.

    Raises:
        InvalidValue: it is not.
    """
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1")):
        raise InvalidValue(f"{url} is not fetched: only https is")


def is_archive(path: Path) -> bool:
    """Whether a file is a tar archive, compressed or not."""
    return tarfile.is_tarfile(path)


def unpack(path: Path, folder: Path) -> list[str]:
    """Unpack a tar archive's plain files inside `folder`; returns their names, sorted.

    Raises:
        InvalidValue: the archive is torn, too large, or reaches out of the folder.
    """
    try:
        with tarfile.open(path) as box:
            members = [m for m in box.getmembers() if m.isfile()]
            if sum(m.size for m in members) > MOST:
                raise InvalidValue(f"{path.name} unpacks to more than {MOST >> 30} GB: not unpacked")
            box.extractall(folder, members, filter="data")
    except (tarfile.TarError, EOFError, OSError) as error:
        raise InvalidValue(f"{path.name} is a torn or hostile archive ({error}): fetch it again") from error
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
