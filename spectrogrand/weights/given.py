"""Weights that a person downloaded: taken from a file or a zip file, converted, written down beside the others."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from .. import __version__
from ..errors import ConfigError, InvalidValue, StoreError
from ..files import parse_json
from ..interfaces import Weights
from ..store import write_json
from . import files
from .convert import PICKLED, convert


def take(name: str, sources: tuple[Weights, ...], own: Path, folder: str | None = None) -> list[Path]:
    """Put the weights of a plug-in that lie in `own` where it looks for them; a pickle is converted without being run.

    Args:
        name: the plug-in's.
        sources: its weights; those that have a file's name can be taken.
        own: the downloaded file, or a zip file that holds it somewhere.
        folder: where to, in a folder of the plug-in's name; None is the user's cache.

    Raises:
        ConfigError: the plug-in has no file to take. StoreError: `own` cannot be read.
        InvalidValue: nothing in it has the wanted name, or it is torn, or of another sha256.
    """
    wanted = [one for one in sources if one.file]
    if not wanted:
        raise ConfigError(f"{name} reads a whole model, not one file: set weights=FOLDER, the folder that holds it")
    if not own.is_file():
        raise StoreError(f"cannot read {own}: there is no such file")
    base = Path(folder).expanduser() if folder else files.home()
    made = []
    for one in wanted:
        home = base / (one.folder or name)
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=home, prefix=".taking-") as draft:
            made.append(_settle(one, *_found(own, one, Path(draft)), home))
    return made


def _found(own: Path, one: Weights, draft: Path) -> tuple[Path, str]:
    """The wanted file itself, out of its zip file if it lies in one, and what it was called."""
    stem = Path(one.file).stem
    if not zipfile.is_zipfile(own) or own.suffix != ".zip":  # torch's own files are zip files, too
        return own, own.name
    try:
        with zipfile.ZipFile(own) as box:
            names = [n for n in box.namelist() if Path(n).stem == stem and Path(n).suffix in (*PICKLED, *files.SAFE)]
            if len(names) != 1:
                held = ", ".join(n for n in box.namelist()[:5]) or "nothing"
                raise InvalidValue(
                    f"{own} holds no {stem}{PICKLED[0]} or {one.file} (it holds {held}): download that one"
                )
            target = draft / Path(names[0]).name
            with box.open(names[0]) as read, target.open("wb") as write:
                shutil.copyfileobj(read, write, 1 << 20)
    except (zipfile.BadZipFile, EOFError) as error:
        raise InvalidValue(f"{own} is torn ({error}): download it again") from error
    return target, f"{own.name}: {names[0]}"


def _settle(one: Weights, got: Path, called: str, home: Path) -> Path:
    target = home / one.file
    came = files.sha256_of(got)
    if got.suffix in PICKLED and target.suffix == ".safetensors":
        done = convert(got, target).out_sha256
    elif got.suffix == target.suffix:
        shutil.copyfile(got, target)
        done = files.sha256_of(target)
    else:
        raise InvalidValue(f"{got} is no {target.suffix} file: {one.source.told(home.name)}")
    lock = read_lock(home)
    about = {"source": called, "source_sha256": came, "licence": one.licence}
    lock["files"] |= {target.name: {"sha256": done, **about}}
    write_json(home / files.LOCK, lock)
    return target


def read_lock(home: Path) -> dict[str, Any]:
    """weights-lock.json of a folder as it stands, or a new one."""
    try:
        read = parse_json((home / files.LOCK).read_text("utf-8"))
        return {
            "by": __version__,
            "files": dict(read.get("files", {})),
            "repositories": dict(read.get("repositories", {})),
        }
    except (OSError, ValueError, AttributeError, TypeError):  # none yet, or torn: what is there is looked at again
        return {"by": __version__, "files": {}, "repositories": {}}
