"""Content-addressed results: a finished step is found again by its key, a torn one is not there.

An entry is a folder `<root>/<key[:2]>/<key>` of files and a manifest `entry.json` with the sha256 of each. It is written to a
temporary folder beside it, every file is synced, and one rename publishes it, so that a reader sees all of it or nothing, and
of two writers of one key the first wins and both are right. Nothing is pickled.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import StoreError
from .files import disk_errors, indented, sync, sync_handle

MANIFEST = "entry.json"
STALE_SECONDS = 86_400
TRIES = 3
"""How often a step is made that another program takes away as soon as it is there."""
_CLONE = 0x40049409
"""Linux's FICLONE: two files share their blocks until one of them is written to (btrfs, XFS, bcachefs)."""
LONGEST_MANIFEST = 1 << 24


@dataclass(frozen=True)
class Entry:
    """A finished step: its folder and the sha256 of each of its files."""

    folder: Path
    files: dict[str, str]

    @property
    def digest(self) -> str:
        """One sha256 over all files: what later steps take as the hash of this input."""
        return digest(self.files)

    def path(self, name: str) -> Path:
        """Path of one of its files."""
        return self.folder / name

    def checked(self) -> Path:
        """The folder, each file in it as it was when the entry was found.

        Raises:
            Changed: one is gone or another.
        """
        if _checked(self.folder) != self.files:
            raise Changed(f"{self.folder} changed in the store: run again")
        return self.folder


def digest(plain: Any) -> str:
    """sha256 of plain data as canonical JSON.

    >>> digest({"b": 1, "a": [2.5, None]}) == digest({"a": [2.5, None], "b": 1})
    True
    """
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def file_digest(path: Path) -> str:
    """sha256 of a file's bytes."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_json(path: Path, plain: Any) -> None:
    """Write JSON so that a reader sees the old text or the new one, never half of it.

    A byte of a file's name that is no text becomes an escape, such as \\udce9, which reads back as the same.
    """
    with disk_errors(path.parent):
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
                file.write(indented(plain))
                file.flush()
                sync_handle(file.fileno())
            with suppress(OSError):  # a network share may refuse it, and has rights of its own
                os.chmod(name, 0o644)
            os.replace(name, path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise


class Store:
    """Finished steps under one folder, made on first use; safe for several processes at once.

    Whatever is found wrong in it is made again: nothing in it is needed, all of it saves time.
    """

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = Path(root).absolute()

    def find(self, key: str) -> Entry | None:
        """The finished entry of this key, checked against its manifest, or None.

        Whatever else lies there is removed, so that the step runs again: an entry whose bytes changed since (a disk fault, an
        edited file), files that are missing, links or folders, a manifest that is none, a file in the folder's place.
        """
        folder = self._folder(key)
        if not os.path.lexists(folder):
            return None
        files = _checked(folder)
        if files is None:
            _remove(folder)
            return None
        with suppress(OSError):  # when it was used last, by which `spectrogrand store prune` goes
            if time.time() - (folder / MANIFEST).stat().st_mtime > STALE_SECONDS:
                os.utime(folder / MANIFEST)
        return Entry(folder, files)

    def get_or_make(self, key: str, make: Callable[[Path], Any]) -> tuple[Entry, bool]:
        """The finished entry of this key: found, or made now.

        Args:
            key: of the step.
            make: fills the folder that it is given.

        Returns:
            The entry, and whether it was found.

        >>> import tempfile
        >>> store = Store(tempfile.mkdtemp())
        >>> [store.get_or_make("ab" * 32, lambda folder: (folder / "a.txt").write_text("a"))[1] for _ in range(2)]
        [False, True]
        """
        entry = self.find(key)
        if entry is not None:
            return entry, True
        with self.claimed(key):
            entry = self.find(key)
            if entry is not None:  # whoever held it has made it
                return entry, True
            for _ in range(TRIES):
                with self.writing(key) as folder:
                    make(folder)
                entry = self.find(key)
                if entry is not None:
                    return entry, False
        raise StoreError(f"a finished step vanished from {self.root}: is another program emptying it? Run again")

    def forget(self, key: str) -> None:
        """Remove whatever lies under a key, so that its step runs again."""
        _remove(self._folder(key))

    def keys(self) -> Iterator[str]:
        """The keys under which something lies, sound or not, in order."""
        for part in sorted(self.root.glob("[0-9a-f][0-9a-f]")):
            if part.is_dir():
                yield from sorted(p.name for p in part.iterdir() if not p.name.startswith("."))

    @contextmanager
    def claimed(self, key: str, wait: bool = True) -> Iterator[bool]:
        """Hold a key while its step is made, so that of several processes one makes it and the others wait for it.

        The claim ends with the block, or with the process however it ends: the next one takes it over. Where the disk knows no
        locks nothing is claimed; a step may then be made twice, and either one is right.

        Args:
            key: of the step. Look for the entry once more inside: its holder may just have published it.
            wait: for a claim that another holds; else the block is entered with False.

        >>> import tempfile
        >>> store = Store(tempfile.mkdtemp())
        >>> with store.claimed("ab" * 32) as mine, store.claimed("ab" * 32, wait=False) as also:
        ...     mine, also
        (True, False)
        """
        path = self.root / ".claims" / key
        with disk_errors(self.root):
            path.parent.mkdir(parents=True, exist_ok=True)
        while True:
            with disk_errors(self.root):
                handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o644)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except OSError as error:
                os.close(handle)
                yield error.errno not in (errno.EWOULDBLOCK, errno.EACCES)
                return
            except BaseException:
                os.close(handle)
                raise
            if _is_file(handle, path):
                break
            os.close(handle)  # its last holder has just removed it
        try:
            yield True
        finally:
            with suppress(OSError):
                path.unlink()
            os.close(handle)

    @contextmanager
    def writing(self, key: str) -> Iterator[Path]:
        """A temporary folder to fill; leaving the block publishes it under `key`, an exception removes it.

        Raises:
            StoreError: the store cannot be written, or the disk is full.
        """
        folder = self._folder(key)
        with disk_errors(self.root):
            if os.path.lexists(folder.parent) and not folder.parent.is_dir():
                _remove(folder.parent)
            folder.parent.mkdir(parents=True, exist_ok=True)
            _sweep(folder.parent)
            draft = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{key[:8]}."))
            held = _lock(draft)
        with disk_errors(self.root, only_full=True):  # what fills the draft may fail over files of its own
            try:
                yield draft
                files = {p.name: file_digest(p) for p in sorted(draft.iterdir())}
                for name in files:
                    sync(draft / name)
                write_json(draft / MANIFEST, {"files": files})
                sync(draft)
                self._publish(draft, folder)
                sync(folder.parent)
            except BaseException:
                shutil.rmtree(draft, ignore_errors=True)
                raise
            finally:
                if held is not None:
                    os.close(held)

    def _publish(self, draft: Path, folder: Path) -> None:
        if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
            _remove(folder)
        try:
            os.rename(draft, folder)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
            if _checked(folder) is None:  # what lies there is no sound entry: ours takes its place
                _remove(folder)
                os.rename(draft, folder)
            else:
                shutil.rmtree(draft)  # another process finished the same step first; its bytes are as good

    def _folder(self, key: str) -> Path:
        return self.root / key[:2] / key


def _is_file(handle: int, path: Path) -> bool:
    """Whether an open file is still the one of that name."""
    try:
        return os.path.samestat(os.fstat(handle), os.stat(path))
    except OSError:
        return False


def _checked(folder: Path) -> dict[str, str] | None:
    """The files of a sound entry with their sha256; None where it is missing or anything about it is wrong."""
    manifest = folder / MANIFEST
    try:
        if folder.is_symlink() or manifest.is_symlink() or manifest.stat().st_size > LONGEST_MANIFEST:
            return None
        files = json.loads(manifest.read_text("utf-8"))["files"]
        if not all(isinstance(v, str) and _is_name(k) for k, v in files.items()):
            return None
        for name, sha in files.items():
            path = folder / name
            if not stat.S_ISREG(path.lstat().st_mode) or file_digest(path) != sha:
                return None
        if any(p.name != MANIFEST and p.name not in files and p.name[:1] != "." for p in folder.iterdir()):
            return None  # somebody put a file beside them, and readers go by names
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return dict(files)


def _is_name(name: str) -> bool:
    return bool(name) and name not in (".", "..") and "/" not in name and "\x00" not in name


def _remove(path: Path) -> None:
    """Take away whatever lies there: a folder with all in it, a file, a link (not what it points at)."""
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    except OSError:  # another process has just removed it, or it may not be removed: writing will say so
        return


def _sweep(folder: Path) -> None:
    """Remove drafts that a kill left behind: no process holds their lock, and nothing in them has changed for a day."""
    for draft in folder.glob(".*"):
        try:
            if time.time() - newest(draft) > STALE_SECONDS and not _held(draft):
                _remove(draft)
        except OSError:  # its writer has just published it
            continue


def newest(folder: Path) -> float:
    """The latest time at which a folder or anything inside it changed, in seconds since 1970."""
    times = [folder.lstat().st_mtime]
    for path in folder.rglob("*"):
        with suppress(OSError):  # it has just been renamed
            times.append(path.lstat().st_mtime)
    return max(times)


def _lock(draft: Path) -> int | None:
    """Hold a draft for this process until the handle is closed (or the process dies); None where the disk knows no locks."""
    handle = os.open(draft, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        return None
    return handle


def _held(draft: Path) -> bool:
    """Whether a living process writes this draft."""
    handle = os.open(draft, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno in (errno.EWOULDBLOCK, errno.EACCES)
    finally:
        os.close(handle)
    return False


class Changed(StoreError):
    """A stored file is gone, or is not what it was when it was found."""


def place(source: Path, target: Path, sha256: str | None = None) -> None:
    """Put a stored file into a run directory, never torn.

    Where the disk can share blocks between files (`Store` and runs on one btrfs or XFS) it is stored once; elsewhere it is
    copied. Never a hard link: editing the file of one run would alter the store and every other run.

    Args:
        source: the stored file.
        target: where to. sha256: what it must be; None takes what is there.

    Raises:
        Changed: the source is gone or has another sha256. StoreError: the target cannot be written.
    """
    with disk_errors(target.parent):
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_name(f".{target.name}.{os.getpid()}")
        try:
            try:
                read = open(source, "rb")  # closed below; its errors are not the target's
            except OSError as error:
                raise Changed(f"{source} is gone from the store: run again") from error
            with read, open(draft, "wb") as written:
                if not share(read.fileno(), written.fileno()):
                    shutil.copyfileobj(read, written, 1 << 20)
            if sha256 is not None and file_digest(draft) != sha256:
                raise Changed(f"{source} changed in the store: run again")
            os.replace(draft, target)
        finally:
            draft.unlink(missing_ok=True)


def share(source: int, target: int) -> bool:
    """Let a new file share the blocks of another, both given as open handles; whether the disk can."""
    try:
        fcntl.ioctl(target, _CLONE, source)
    except OSError:
        return False
    return True
