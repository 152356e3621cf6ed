"""Every error that spectrogrand raises on purpose: one root, a few children, each message one line that says what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class SpectrograndError(Exception):
    """Root of all errors raised on purpose; catching it catches them all."""

    noted = False
    """Whether a run's folder says it already."""


class InvalidValue(SpectrograndError, ValueError):
    """A value outside its contract: wrong shape, wrong range, wrong type."""


class UnknownName(SpectrograndError, LookupError):
    """A plug-in, option or slot that does not exist; the message holds the nearest match and all names."""


class ConfigError(SpectrograndError):
    """A configuration that cannot be composed or does not fit the class it configures."""


class MissingOption(ConfigError):
    """A plug-in's required option that nobody has set."""


class PluginError(SpectrograndError):
    """A plug-in that broke its contract: wrong type, wrong count, a name taken twice, a module that fails to import."""


class MediaError(SpectrograndError):
    """A sound, picture or video that cannot be read or written within the limits."""


class MissingExtra(SpectrograndError):
    """An optional dependency or weights that are not here; the message holds what gets them, and so does `remedy`."""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy
        """The command alone, "" where there is none."""


class CandidateError(SpectrograndError):
    """One candidate failed; the run goes on with the others."""


class NoCandidateLeft(SpectrograndError):
    """Every candidate of a step failed; the message says why the first one did."""


class StoreError(SpectrograndError):
    """The store or a run directory cannot be written (read-only folder, full disk) or read."""


class WorkerDied(SpectrograndError):
    """A component in its own process ended without an answer."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Say which known names look like `name`: the tail of every "unknown name" message.

    >>> nearest("tnoe", ["tone", "noise"])
    "did you mean 'tone'? (known: noise, tone)"
    >>> nearest("zzz", [])
    'none are known'
    """
    names = sorted(set(known))
    if not names:
        return "none are known"
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    listed = "known: " + ", ".join(names)
    return f"did you mean {close[0]!r}? ({listed})" if close else listed


def require(module: str, extra: str, why: str) -> None:
    """Check that an optional module can be imported.

    Raises:
        MissingExtra: with the line that installs it.

    >>> require("json", "none", "reading JSON")
    """
    import importlib.util

    if importlib.util.find_spec(module) is None:
        install = f"pip install 'spectrogrand[{extra}]'"
        raise MissingExtra(f"{why} needs {module}, which is not installed: {install}", install)
