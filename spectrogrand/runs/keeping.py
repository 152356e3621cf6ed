"""`spectrogrand store verify|prune|size`: what a store of finished steps holds, what of it is damaged, what may go."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import ConfigError, StoreError, UnknownName, nearest
from ..report.record import read_record
from ..store import MANIFEST, Entry, Store, share

UNITS = {"h": 3600.0, "d": 86_400.0, "w": 7 * 86_400.0}
VERBS = ("verify", "prune", "size")
USAGE = "spectrogrand store verify|prune|size [outputs] [--older-than=30d] [--keep-runs]"


@dataclass(frozen=True)
class Kept:
    """What a command found: entries that are sound and their bytes, and how many were removed."""

    entries: int
    bytes: int
    removed: int
    freed: int = 0


def verify(store: Store) -> Kept:
    """Read every entry against its manifest; what is not sound is removed, so that its step runs again."""
    kept = removed = size = 0
    for key in store.keys():
        entry = store.find(key)
        if entry is None:
            removed += 1
        else:
            kept, size = kept + 1, size + _bytes(entry)
    return Kept(kept, size, removed)


def prune(store: Store, older_than: float, keep: frozenset[str] = frozenset()) -> Kept:
    """Remove what no run has used for a time; a run that is going on makes again what it still needs.

    Args:
        store: of finished steps.
        older_than: seconds since an entry was made or found, to a day.
        keep: sha256 of files whose entries stay whatever their age.
    """
    kept = removed = size = freed = 0
    for key in store.keys():
        used = _used(store, key)
        entry = store.find(key)
        if entry is None:
            removed += 1
        elif time.time() - used > older_than and not keep & set(entry.files.values()):
            freed, removed = freed + _bytes(entry), removed + 1
            store.forget(key)
        else:
            kept, size = kept + 1, size + _bytes(entry)
    return Kept(kept, size, removed, freed)


def of_runs(output: Path) -> frozenset[str]:
    """sha256 of every file that the runs in a folder list as theirs; records that cannot be read have none."""
    found: set[str] = set()
    for path in output.glob("*/run.json"):
        try:
            files = read_record(path.parent).get("files")
        except StoreError:
            continue
        values = files.values() if isinstance(files, dict) else ()
        found |= {str(entry["sha256"]) for entry in values if isinstance(entry, dict) and "sha256" in entry}
    return frozenset(found)


def seconds(text: str) -> float:
    """A length of time such as 12h, 30d or 2w, in seconds.

    Raises:
        ConfigError: it is none.

    >>> seconds("2w")
    1209600.0
    """
    found = re.fullmatch(r"(\d{1,5})([hdw])", text, re.ASCII)
    if not found:
        raise ConfigError(f"--older-than is a number of hours, days or weeks such as 12h, 30d or 2w, got {text[:40]!r}")
    return int(found[1]) * UNITS[found[2]]


def main(words: Sequence[str]) -> int:
    """`store verify|prune|size [OUTPUT] [--older-than=30d] [--keep-runs] [--json]`.

    Raises:
        UnknownName, ConfigError: words that mean nothing. StoreError: there is no store.
    """
    options = [w for w in words if w.startswith("--")]
    plain = [w for w in words if not w.startswith("--")]
    if not plain or len(plain) > 2:
        raise ConfigError(f"what shall be done with which store? {USAGE}")
    verb, place = plain[0], Path(plain[1] if len(plain) > 1 else "outputs").expanduser()
    if verb not in VERBS:
        raise UnknownName(f"a store can be verified, pruned or sized, not {verb!r}; {nearest(verb, VERBS)}")
    known = ("--older-than", "--keep-runs", "--json") if verb == "prune" else ("--json",)
    for option in options:
        if option.partition("=")[0] not in known:
            raise UnknownName(f"spectrogrand store {verb} has no option {option!r}; {nearest(option, known)}")
    root = place / ".store" if (place / ".store").is_dir() else place
    if not root.is_dir() or (root == place and not _looks_like_one(root)):
        raise StoreError(f"no store in {str(place)!r}: give the output folder of runs, or the folder that store= names")
    store = Store(root)
    age = next((o.partition("=")[2] for o in options if o.startswith("--older-than")), None)
    if verb == "prune":
        if age is None:
            raise ConfigError(f"say what may go: --older-than=30d is what no run has used for thirty days ({USAGE})")
        found = prune(store, seconds(age), of_runs(root.parent) if "--keep-runs" in options else frozenset())
    else:
        found = verify(store) if verb == "verify" else _sized(store)
    print(json.dumps(vars(found)) if "--json" in options else "\n".join(_told(verb, root, found)))
    return 0


def _told(verb: str, root: Path, found: Kept) -> Iterator[str]:
    yield f"{root}: {found.entries:,} finished steps, {_megabytes(found.bytes)}"
    if verb == "verify":
        yield f"{found.removed:,} damaged ones removed; they are made again when a run needs them"
    if verb == "prune":
        yield f"{found.removed:,} removed, {_megabytes(found.freed)} freed"
    if verb == "size":
        shared = _shares(root)
        yield (
            "runs share their files with it: each is stored once"
            if shared
            else "this disk cannot share blocks between files: what runs keep of it is a copy"
        )


def _sized(store: Store) -> Kept:
    count = size = 0
    for key in store.keys():
        folder = store.root / key[:2] / key
        count += 1
        size += sum(p.lstat().st_size for p in folder.glob("*")) if folder.is_dir() else 0
    return Kept(count, size, 0)


def _bytes(entry: Entry) -> int:
    total = 0
    for name in (*entry.files, MANIFEST):
        try:
            total += entry.path(name).lstat().st_size
        except OSError:  # gone since it was found
            continue
    return total


def _used(store: Store, key: str) -> float:
    try:
        return (store.root / key[:2] / key / MANIFEST).lstat().st_mtime
    except OSError:
        return 0.0


def _looks_like_one(root: Path) -> bool:
    return all(re.fullmatch(r"[0-9a-f]{2}|\..*", p.name) for p in root.iterdir())


def _shares(root: Path) -> bool:
    """Whether the store's disk lets two files share their blocks, tried on a small file."""
    import tempfile

    try:
        with tempfile.TemporaryFile(dir=root) as one, tempfile.TemporaryFile(dir=root) as two:
            one.write(bytes(65_536))
            one.flush()
            return share(one.fileno(), two.fileno())
    except OSError:
        return False


def _megabytes(count: int) -> str:
    return f"{count / 1e6:,.1f} MB"
