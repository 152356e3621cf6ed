"""Files appear whole or not at all: write beside the target, flush to disk, rename."""

from __future__ import annotations

import errno
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from .errors import InvalidValue, MediaError, StoreError

_UNSUPPORTED = (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS, errno.EPERM, errno.EACCES, errno.EBADF, errno.EROFS)
DROPPINGS = ("__MACOSX", "@eaDir", "$RECYCLE.BIN", "System Volume Information", "lost+found")
"""Folders that systems leave beside people's files."""


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary file in the target's folder; it becomes `path` when the block ends well, else it is removed.

    The temporary file keeps the target's suffix. However the block is left, by an interrupt too, no torn file stays.

    Raises:
        MediaError: the folder is missing or cannot be written, or the disk is full.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with replacing(Path(folder, "a.txt")) as temporary:
    ...         _ = temporary.write_text("whole")
    ...     [p.name for p in Path(folder).iterdir()], Path(folder, "a.txt").read_text()
    (['a.txt'], 'whole')
    """
    try:
        target = Path(os.path.abspath(Path(path).expanduser()))
        there = os.lstat(target)  # now: a name that cannot be is better told before the work than after it
    except FileNotFoundError:
        there = None
    except OSError as error:
        raise MediaError(why_not(target, error)) from error
    except (TypeError, ValueError, RuntimeError) as error:
        raise MediaError(f"{path!r} is no file to write to ({error}): give a path") from error
    if there is not None and target.is_dir():
        raise MediaError(f"{str(target)!r} is a folder: give the path of a file in it")
    temporary = target.parent / f".part-{os.getpid()}-{secrets.token_hex(6)}{target.suffix}"
    try:
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        yield temporary
        sync(temporary)
        os.replace(temporary, target)
        with suppress(OSError):  # the file is there; some network folders cannot be opened
            sync(target.parent)
    except OSError as error:
        raise MediaError(why_not(target, error)) from error
    finally:
        with suppress(OSError):  # gone after a rename, or never made
            temporary.unlink()


def walked(folder: Path) -> list[Path]:
    """The files of a folder and its sub-folders, sorted, without what systems and editors drop there; links to folders are not
    followed.

    >>> walked(Path("no such folder"))
    []
    """
    found = []
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(f for f in folders if not f.startswith(".") and f not in DROPPINGS)
        files = (
            Path(root, n)
            for n in names
            if not n.startswith(".") and n != "Thumbs.db" and not n.endswith(("~", ".part"))
        )
        found += [f for f in files if f.is_file()]
    return sorted(found)


def parse_json(text: str | bytes) -> Any:
    """JSON of anybody's: brackets 100,000 deep or a number of a million digits are wrong text like any other.

    Raises:
        InvalidValue: it is no JSON, or JSON that nobody writes.

    >>> parse_json('{"a": [1]}')
    {'a': [1]}
    """
    try:
        return json.loads(text)
    except InvalidValue:
        raise
    except RecursionError:
        raise InvalidValue("it nests deeper than any file of ours") from None
    except ValueError as error:  # no JSON, no text, or too many digits
        raise InvalidValue(str(error).splitlines()[0]) from error


def why_not(target: Path, error: OSError) -> str:
    """One line for an operating system's refusal to write `target`."""
    advice = {
        errno.ENOSPC: "the disk is full, free some space and run again",
        errno.EDQUOT: "your disk quota is used up, free some space and run again",
        errno.EFBIG: "the file grows over the largest size allowed here, raise that limit or write to another disk",
        errno.ENOENT: f"the folder {str(target.parent)!r} does not exist, make it first",
        errno.ENOTDIR: f"{str(target.parent)!r} is not a folder, choose another place",
        errno.EACCES: "no permission, choose a folder that you may write to",
        errno.EPERM: "no permission, choose a folder that you may write to",
        errno.EROFS: "the file system is read-only, choose another folder",
        errno.ENAMETOOLONG: "the name is too long, choose a shorter one",
    }
    return f"{str(target)!r} was not written: {advice.get(error.errno or 0, str(error.strerror or error).lower())}"


def sync(path: Path) -> None:
    """Flush a file or a folder to its disk, where the disk can: some network shares refuse it, and keep what was written.

    Raises:
        OSError: the disk is full or broken.
    """
    handle = os.open(path, os.O_RDONLY)
    try:
        sync_handle(handle)
    finally:
        os.close(handle)


def sync_handle(handle: int) -> None:
    """`sync` of an open file."""
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in _UNSUPPORTED:
            raise


@contextmanager
def disk_errors(folder: Path, only_full: bool = False) -> Iterator[None]:
    """Turn the operating system's refusals into one line that says what to do."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StoreError(
                f"the disk is full at {folder}: free some space and run again, finished steps are kept"
            ) from error
        if not only_full and error.errno in (
            errno.EACCES,
            errno.EPERM,
            errno.EROFS,
            errno.ENOTDIR,
            errno.EEXIST,
            errno.ENOENT,
        ):
            raise StoreError(
                f"cannot write to {folder} ({os.strerror(error.errno)}): choose another with output=FOLDER"
            ) from error
        raise


_TEXT = json.encoder.encode_basestring


def indented(plain: Any, margin: str = "\n") -> str:
    """What `json.dumps(plain, indent=1, ensure_ascii=False, allow_nan=False)` gives, several times faster.

    >>> print(indented({"a": [1, {}], "b": "\xe9"}))
    {
     "a": [
      1,
      {}
     ],
     "b": "\xe9"
    }
    """
    if isinstance(plain, dict) and plain and all(type(k) is str for k in plain):
        inner = margin + " "
        return "{" + ",".join(f"{inner}{_TEXT(k)}: {indented(v, inner)}" for k, v in plain.items()) + margin + "}"
    if isinstance(plain, list | tuple) and plain:
        inner = margin + " "
        return "[" + ",".join(inner + indented(v, inner) for v in plain) + margin + "]"
    if type(plain) is str:
        return _TEXT(plain)
    return json.dumps(plain, indent=1, ensure_ascii=False, allow_nan=False).replace("\n", margin)
