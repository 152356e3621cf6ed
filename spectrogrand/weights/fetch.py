"""`spectrogrand fetch NAME...`: weights of plug-ins from pinned places, resumed where they stopped, checked, never half there."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .. import registry
from ..errors import ConfigError, InvalidValue, MissingExtra, StoreError, UnknownName, nearest, require
from ..files import parse_json
from ..interfaces import KINDS, Weights
from ..store import write_json
from . import download as downloads
from . import files as weights
from . import hub
from .convert import PICKLED, convert
from .given import read_lock, take
from .sources import HubRepo, Url

READ = (".json", ".txt", ".model", ".safetensors", ".tflite")
"""What of a hub repository is fetched: what a load reads, and nothing that could run code."""
HELP = """spectrogrand fetch NAME... [weights=FOLDER]   the weights of plug-ins, into FOLDER/NAME (else the user's cache)
spectrogrand fetch NAME SETTING=VALUE         those that a setting chooses: fetch magenta backend=tfhub
spectrogrand fetch NAME from=FILE.zip         weights that you downloaded yourself: the file, or a zip file that holds it
spectrogrand fetch --list                     what can be fetched, how large it is, and under which terms"""


def main(words: list[str]) -> int:
    """`fetch NAME... [weights=FOLDER]`, `fetch NAME SETTING=VALUE`, `fetch --list`."""
    names = [w for w in words if not w.startswith("-") and "=" not in w]
    given = {k: v for k, _, v in (w.partition("=") for w in words if "=" in w and not w.startswith("-"))}
    folder, own = given.pop("weights", None), given.pop("from", None)
    settings = {k: _plain(v) for k, v in given.items()}
    for option in (w for w in words if w.startswith("-")):
        if option not in ("--list", "--help", "-h"):
            raise UnknownName(f"spectrogrand fetch has no option {option!r}; {nearest(option, ['--list', '--help'])}")
    if {"--help", "-h"} & set(words):
        sys.stdout.write(HELP + "\n")
        return 0
    if "--list" in words:
        show_list()
        return 0
    if not names:
        raise ConfigError("fetch the weights of which plug-ins? give their names: spectrogrand fetch clap, or --list")
    if settings and len(names) > 1:
        raise ConfigError(
            f"{next(iter(settings))}=... is a setting of one plug-in, got {', '.join(names)}: fetch it alone"
        )
    chosen = {name: _sources(name, settings) for name in names}
    if own is not None:
        if len(names) > 1:
            raise ConfigError(
                f"from={own} holds the weights of one plug-in, got {', '.join(names)}: take them one by one"
            )
        for place in take(names[0], chosen[names[0]], Path(own).expanduser(), folder):
            sys.stdout.write(f"{place}\n")
        return 0
    for name, sources in chosen.items():
        for place in fetch(name, sources, folder):
            sys.stdout.write(f"{place}\n")
    return 0


def known() -> dict[str, tuple[Weights, ...]]:
    """Every plug-in that has weights, by name; one name in two kinds has the weights of both."""
    found: dict[str, tuple[Weights, ...]] = {}
    for kind in KINDS:
        for name in registry.names(kind):
            try:
                card = registry.get(kind, name).card
            except (MissingExtra, StoreError, UnknownName, ConfigError):
                continue
            if card.weights:
                found[name] = found.get(name, ()) + card.weights
    return found


def fetch(name: str, sources: tuple[Weights, ...], folder: str | None = None) -> list[Path]:
    """Fetch all weights of a plug-in; what is there already, whole and right, is kept.

    Hub repositories go to the hub's own cache (or FOLDER/NAME), files to FOLDER/NAME or `weights.home()`/NAME.

    Raises:
        MissingExtra: no connection, or a source that has to be visited by hand.
        InvalidValue: a file has another sha256 than its pin. StoreError: it cannot be written.
    """
    base = Path(folder).expanduser() if folder else weights.home()
    made = []
    for one in sources:
        home = base / (one.folder or name)
        if isinstance(one.source, HubRepo):
            made.append(_repository(one, home if folder else None, home))
        elif isinstance(one.source, Url):
            made.append(_file(one, one.source, home))
        else:
            raise MissingExtra(f"{name}: {one.source.told(name)}")
    return made


def _file(one: Weights, source: Url, home: Path) -> Path:
    """One file by HTTPS; a published pickle is converted, an archive is unpacked; the lock says what came from where."""
    url, target = source.address, home / (one.file or Path(source.address).name)
    pin = source.sha256 or None
    lock = read_lock(home)
    before = lock["files"].get(target.name, {})
    if target.is_file() and before.get("source") == url and before.get("sha256") == weights.sha256_of(target):
        return target
    home.mkdir(parents=True, exist_ok=True)
    if pin and target.is_file() and weights.sha256_of(target) == pin:
        got, done = target, {target.name: pin}
    else:
        got = downloads.fetch_file(url, home / f".{target.name}.download", sha256=pin, name=target.name)
        done = {}
    came = weights.sha256_of(got)
    if got != target:
        try:
            done = _settle(url, got, target)
        finally:
            got.unlink(missing_ok=True)
    about = {"source": url, "source_sha256": came, "licence": one.licence}
    lock["files"] |= {file: {"sha256": sha256, **about} for file, sha256 in done.items()}
    write_json(home / weights.LOCK, lock)
    return target


def _settle(url: str, got: Path, target: Path) -> dict[str, str]:
    """What was downloaded into its place: as it is, converted, or unpacked. Returns each file's sha256."""
    from urllib.parse import urlsplit

    suffix = Path(urlsplit(url).path).suffix
    if suffix in PICKLED and target.suffix == ".safetensors":
        raw = got.with_name(got.name + suffix)
        got.rename(raw)
        try:
            return {target.name: convert(raw, target).out_sha256}
        finally:
            raw.unlink(missing_ok=True)
    if downloads.is_archive(got):
        folder = Path(tempfile.mkdtemp(dir=target.parent, prefix=".unpacking-"))
        try:
            files = downloads.unpack(got, folder)
            for file in files:
                (target.parent / file).parent.mkdir(parents=True, exist_ok=True)
                (folder / file).replace(target.parent / file)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return {file: weights.sha256_of(target.parent / file) for file in files}
    got.replace(target)
    return {target.name: weights.sha256_of(target)}


def _repository(one: Weights, local: Path | None, home: Path) -> Path:
    """A hub repository at its pinned revision; huggingface_hub resumes it and shows the bars; large files are checked.

    The hub says what the sha256 of its large files is; the library compares their lengths alone.
    """
    require("huggingface_hub", "models", "fetching from the hub")
    from huggingface_hub import HfApi, constants, snapshot_download
    from huggingface_hub.errors import GatedRepoError

    repository = hub.repository(one)
    downloads.reachable(constants.ENDPOINT, repository)
    options: dict[str, Any] = {"local_dir": local} if local else {}
    try:
        revision = hub.revision(one)
        about = HfApi().model_info(repository, revision=revision, files_metadata=True)
        # by "main" and not by its commit where nothing is pinned: the cache then knows what "main" was
        names = within([f.rfilename for f in about.siblings or []], getattr(one.source, "folders", ()))
        at, wanted = (about.sha if local else revision), wanted_of(names)
        place = Path(snapshot_download(repository, revision=at, allow_patterns=wanted, **options))
    except Exception as error:  # the hub's library raises its own, requests' and httpx' errors
        if isinstance(error, GatedRepoError):
            raise MissingExtra(
                f"{repository} is given only to who has accepted its terms: accept them at https://huggingface.co/{repository}, "
                "log in with hf auth login (or set HF_TOKEN), and run the same command again"
            ) from error
        said = " ".join(str(error).split())[:200] or type(error).__name__
        raise MissingExtra(
            f"{repository} was not fetched ({said}): run the same command again, it goes on from there"
        ) from error
    pins = {f.rfilename: f.lfs.sha256 for f in about.siblings or [] if f.lfs}
    for name in wanted:
        _check(place / name, pins.get(name), repository)
    for old in (w for w in wanted if w.endswith(".bin")):
        name = Path(old).name.replace("pytorch_model", "model")
        convert(place / old, (place / old).with_name(name).with_suffix(".safetensors"))
    lock = read_lock(home)
    if local:  # the hub's cache names its files by their sha256
        origin = {"source": repository, "licence": one.licence}
        files = sorted(p for p in place.rglob("*.safetensors") if ".cache" not in p.parts)
        lock["files"] |= {p.relative_to(place).as_posix(): {"sha256": weights.sha256_of(p), **origin} for p in files}
    lock["repositories"][repository] = {"revision": about.sha, "licence": one.licence}
    home.mkdir(parents=True, exist_ok=True)
    write_json(home / weights.LOCK, lock)
    return place


def _check(path: Path, pin: str | None, repository: str) -> None:
    """Throw a file away that is not the one that the hub names."""
    if pin is None or (came := weights.sha256_of(path)) == pin:
        return
    blob = path.resolve()
    for wrong in {path, blob}:
        wrong.unlink(missing_ok=True)
    raise InvalidValue(
        f"{path.name} of {repository} came with sha256 {came}, not {pin}: it was thrown away, run the same command again"
    )


def within(names: list[str], folders: tuple[str, ...]) -> list[str]:
    """Those of a repository's files that lie in `folders`; all of them where none are named.

    >>> within(["model_index.json", "vae/config.json", "unet/config.json"], ("vae",))
    ['vae/config.json']
    """
    return [n for n in names if not folders or n.partition("/")[0] in folders]


def wanted_of(names: list[str]) -> list[str]:
    """Which files of a hub repository a load needs: no second copies in other precisions, no single-file copies of a pipeline.

    A folder whose only weights are a pickle (`pytorch_model.bin`) gives that, to be converted; sharded pickles are left.

    >>> wanted_of(["config.json", "model.safetensors", "model.fp16.safetensors", "pytorch_model.bin", "run.py"])
    ['config.json', 'model.safetensors']
    """
    made = [n for n in names if n.endswith(READ)]
    if "model_index.json" in names:
        made = [n for n in made if "/" in n or not n.endswith(".safetensors")]
    usual = {Path(n).parent for n in made if n.endswith(".safetensors") and not hub.VARIANT.search(n)}
    made = [n for n in made if not (hub.VARIANT.search(n) and Path(n).parent in usual)]
    folders = {str(Path(n).parent) for n in made if n.endswith(".safetensors")}
    pickled = [n for n in names if Path(n).name in ("pytorch_model.bin", "diffusion_pytorch_model.bin")]
    return made + [n for n in pickled if str(Path(n).parent) not in folders]


def _plain(word: str) -> Any:
    """A setting's value as a config has it: true, false, a number, or text.

    >>> [_plain(w) for w in ("true", "512", "tfhub")]
    [True, 512, 'tfhub']
    """
    try:
        value = parse_json(word)
    except ValueError:
        return word
    return value if isinstance(value, bool | int | float) else word


def _sources(name: str, settings: Mapping[str, Any] | None = None) -> tuple[Weights, ...]:
    """The weights of a plug-in, with settings those that they choose (magenta's backend=tfhub)."""
    kinds = [k for k in KINDS if name in registry.names(k)]
    if not kinds:
        raise UnknownName(f"no plug-in {name!r} has weights; {nearest(name, known())}")
    found: tuple[Weights, ...] = ()
    for kind in kinds:
        made = registry.build(kind, {"name": name, **settings}) if settings else registry.get(kind, name)
        found += made.card.weights
    if not found:
        raise ConfigError(f"{name} needs no weights")
    return tuple(dict.fromkeys(found))


def show_list() -> None:
    """What can be fetched, as a table."""
    from rich.console import Console
    from rich.table import Table

    made = Table("name", "from", "revision", "MB", "licence", box=None, header_style="bold")
    for name, sources in sorted(known().items()):
        for one in sources:
            made.add_row(
                name,
                one.source.label,
                one.source.pin if " " in one.source.pin else one.source.pin[:12],
                f"{one.megabytes:,.1f}",
                one.licence,
            )
    Console(width=None if sys.stdout.isatty() else 250).print(made)
