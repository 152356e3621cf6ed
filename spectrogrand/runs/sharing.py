"""What a shared run may tell: no path of the machine, no token, no secret of the environment; and `spectrogrand export`."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..errors import ConfigError, StoreError
from ..files import replacing
from ..report.page import write_report
from ..report.record import load_record
from ..store import write_json

OWN_WORDS = (
    "topic",
    "subject",
    "prompt",
    "negative_prompt",
    "title",
    "album",
    "artist",
    "genres",
    "why",
    "caption",
    "query",
)
"""What a person wrote, which stays as it was written."""
DROPPED = ("job",)
"""Settings of the page's own, by which it finds a job's run: a token."""
HIDDEN = "(hidden)"
_SECRET = re.compile(r"TOKEN|SECRET|PASSW|CREDENTIAL|API_?KEY|ACCESS_?KEY|PRIVATE|AUTH|COOKIE|SESSION", re.I)
_TOKENS = re.compile(
    r"\b(hf_[A-Za-z0-9]{20,}|gh[pousr]_[A-Za-z0-9]{20,}|sk-[A-Za-z0-9_-]{20,}|AKIA[A-Z0-9]{16}|eyJ[\w-]{20,}\.[\w-]{10,}\.[\w-]{5,})"
)
_LOGIN = re.compile(r"(?<=://)[^\s/@'\"]+@")
_QUOTED = re.compile(r"(['\"])((?:~|[A-Za-z]:)?[/\\][^'\"]*)\1")
_BARE = re.compile(r"(?<![\w:/.~\\-])(?:~|[A-Za-z]:)?(?:[/\\][^\s/\\'\"(),;:<>|]+){2,}[/\\]?")
_WHOLE = re.compile(r"(?:~|[A-Za-z]:)?[/\\][^\n]*")


def cleaned(record: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """A record without what a stranger need not know: of each path outside the run only the last name stays.

    >>> cleaned({"error": "no '/home/ana/a.mp3'", "config": {"output": "/tmp/out", "topic": "/r/house"}}, Path("/tmp/out/run"))
    {'error': "no 'a.mp3'", 'config': {'output': 'out', 'topic': '/r/house'}}
    """
    hidden = {v for k, v in os.environ.items() if len(v) >= 6 and _SECRET.search(k)}
    secrets = tuple(sorted(hidden, key=lambda v: (-len(v), v)))
    run = os.path.abspath(folder)
    made = _clean(record, secrets, run)
    assert isinstance(made, dict)
    return made


def _clean(value: Any, secrets: tuple[str, ...], run: str, key: str = "") -> Any:
    if isinstance(value, Mapping):
        return {
            str(k): _clean(v, secrets, run, str(k)) for k, v in value.items() if not (k in DROPPED and key == "config")
        }
    if isinstance(value, list | tuple):
        return [_clean(v, secrets, run, key) for v in value]
    return _clean_text(value, secrets, run, key in OWN_WORDS) if isinstance(value, str) else value


@lru_cache(maxsize=4096)
def _clean_text(value: str, secrets: tuple[str, ...], run: str, own: bool) -> str:
    """One text; a record is written again after every step, and most of its texts stay."""
    for secret in secrets:
        value = value.replace(secret, HIDDEN)
    value = _LOGIN.sub("", _TOKENS.sub(HIDDEN, value))
    if own:
        return value
    value = value.replace(run + os.sep, "").replace(run, ".")
    if _WHOLE.fullmatch(value) and "://" not in value:
        return _last(value)
    value = _QUOTED.sub(lambda m: m[1] + _last(m[2]) + m[1], value)
    return _BARE.sub(lambda m: _last(m[0]), value)


def _last(path: str) -> str:
    """The last name of a path."""
    return re.split(r"[/\\]", path.rstrip("/\\"))[-1] or "."


def export(run: str | Path, out: str | Path) -> Path:
    """A clean copy of a run, or a zip file of one where `out` ends in .zip: its record, its page, and the files that it lists.

    Raises:
        StoreError: no run there, or a listed file is gone. ConfigError: there is something at `out` already.
    """
    folder, target = Path(run).expanduser(), Path(out).expanduser()
    record = cleaned(load_record(folder), folder)
    if os.path.lexists(target):
        raise ConfigError(f"{str(target)!r} is there already: give a new name")
    home = folder.resolve()
    with tempfile.TemporaryDirectory(dir=target.absolute().parent, prefix=".export-") as made:
        draft = Path(made) / "run"
        draft.mkdir()
        for name in record.get("files") or {}:
            source = folder / name
            if (
                "\x00" in name
                or not source.resolve().is_relative_to(home)
                or source.is_symlink()
                or not source.is_file()
            ):
                raise StoreError(f"{name!r} of {str(folder)!r} is gone, or lies elsewhere: run it again, then export")
            (draft / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, draft / name)
        write_json(draft / "run.json", record)
        write_report(draft)
        if target.suffix.lower() == ".zip":
            with replacing(target) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as box:
                for path in sorted(p for p in draft.rglob("*") if p.is_file()):
                    box.write(path, f"{target.stem}/{path.relative_to(draft).as_posix()}")
        else:
            os.replace(draft, target)
    return target


def main(words: Sequence[str]) -> int:
    """`export RUN [OUT]`: OUT is a new folder or a .zip file; RUN.zip beside you where it is not given.

    Raises:
        ConfigError: words that mean nothing. StoreError: no run there.
    """
    if not 1 <= len(words) <= 2 or any(w.startswith("-") for w in words):
        raise ConfigError("which run becomes what? spectrogrand export outputs/RUN [COPY or COPY.zip]")
    out = words[1] if len(words) == 2 else f"{Path(words[0]).resolve().name}.zip"
    try:
        print(export(words[0], out))
    except OSError as error:
        raise StoreError(f"cannot write {out!r} ({error.strerror}): choose another place") from error
    return 0
