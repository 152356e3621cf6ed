"""The door of every training script: command-line words become plain dictionaries, errors one line, `-m` a sweep.

    if __name__ == "__main__":
        sys.exit(main("genre", fit))

reads `train/conf/genre.yaml` and its groups and calls `fit(config)` with plain data: no OmegaConf object goes further, because
one inside a checkpoint makes it unloadable under `weights_only`. Hydra composes and does no more: it changes no folder,
writes no log and starts no jobs, so that `trainer.devices=8` can start the same command once per process.
"""

from __future__ import annotations

import errno
import itertools
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ...config import quoted
from ...errors import ConfigError, SpectrograndError, UnknownName, nearest
from . import settings
from .memory import large_pages

_PACKAGED = Path(__file__).parents[1] / "conf"
CONF = _PACKAGED if _PACKAGED.is_dir() else Path(__file__).parents[3] / "train" / "conf"
TEXT = (
    "root", "path", "weights", "initial", "output", "folder", "file", "cache", "csv", "ckpt_path", "squeezenet", "export",
)  # fmt: skip
"""Last words of settings whose values are taken as typed: paths with commas, quotes and `=` mean themselves."""
INTERRUPTED, TERMINATED = 130, 143
REFUSALS = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS, errno.ENOENT, errno.ENOTDIR)
"""What an operating system says where a folder cannot be written: no fault of the program, so one line."""


def main(name: str, job: Callable[[dict[str, Any]], object], words: Sequence[str] | None = None) -> int:
    """Compose `train/conf/{name}.yaml` with the command line's words and run `job`; returns the exit code.

    `-m` (or `--multirun`) runs the product of comma-separated choices one after the other, past those that fail; with
    `hydra/launcher=` or `hydra/sweeper=` Hydra's own plug-ins run them, and a point's value is its validation measure. Exit
    codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted (Ctrl-C), 143 ended by SIGTERM; of a sweep the worst, which stops
    where one of its trainings was stopped.
    """
    large_pages()
    given = list(sys.argv[1:] if words is None else words)
    try:
        if {"-h", "--help"} & set(given):
            print(usage(name))
            return 0
        if any(w.lstrip("+").startswith("hydra/") for w in given):
            from .sweeps import by_hydra

            return by_hydra(name, job, given)
        found = points(given)
        if len(found) == 1:
            job(compose(name, found[0]))
            return 0
        failed = [code for point in found if (code := attempt(name, job, point))]
        if failed:
            sys.stderr.write(f"train {name}: {len(failed)} of {len(found)} points failed\n")
        return max(failed, default=0)
    except SpectrograndError as error:
        return tell(name, error)
    except OSError as error:
        if error.errno not in REFUSALS:
            raise
        place = f": {error.filename}" if error.filename else ""
        sys.stderr.write(f"train {name}: {error.strerror or error}{place}; mend that and run again\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write(f"train {name}: interrupted; the same command goes on from the last checkpoint\n")
        return INTERRUPTED
    except SystemExit as stop:
        stopped = _stopped(stop)
        if stopped is None:
            raise
        told = "interrupted" if stopped == INTERRUPTED else "ended by SIGTERM"
        sys.stderr.write(f"train {name}: {told}; the same command resumes from the last checkpoint\n")
        return stopped
    return 0


def attempt(name: str, job: Callable[[dict[str, Any]], object], point: Sequence[str]) -> int:
    """Run one point of a sweep; its exit code, an error of ours told with the point's words."""
    try:
        job(compose(name, point))
    except SpectrograndError as error:
        return tell(f"{name} {' '.join(point)}", error)
    return 0


def tell(what: str, error: SpectrograndError) -> int:
    """Write an error's one line; returns the exit code that it stands for."""
    sys.stderr.write(f"train {what}: {' '.join(str(error).split())}\n")
    return 2 if isinstance(error, UnknownName | ConfigError) else 1


def _stopped(stop: SystemExit) -> int | None:
    """The exit code of a training that a signal stopped; None where it left for another reason.

    Lightning turns Ctrl-C into `exit(1)` and SIGTERM into a SystemExit of its own without a code, which Python takes for success.
    """
    if type(stop).__name__ == "SIGTERMException":
        return TERMINATED
    return INTERRUPTED if isinstance(stop.__context__, KeyboardInterrupt) else None


def compose(name: str, words: Sequence[str] = ()) -> dict[str, Any]:
    """The plain config that the words make of `train/conf/{name}.yaml`.

    Raises:
        UnknownName: no such choice or setting, with the nearest. ConfigError: what else Hydra has to say, in one line.
    """
    from hydra import compose as compose_
    from hydra import initialize_config_dir
    from hydra.errors import HydraException
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    settings.renamed(name, words)
    try:
        with initialize_config_dir(str(CONF), version_base="1.3"):
            plain = OmegaConf.to_container(compose_(name, [quoted_word(w) for w in words]), resolve=True)
    except (HydraException, OmegaConfBaseException, ValueError) as error:
        raise translated(error, name) from error
    assert isinstance(plain, dict)
    return {str(key): value for key, value in plain.items()}


def points(words: Sequence[str]) -> list[list[str]]:
    """One list of words per run: the words themselves, or with `-m` the product of their comma-separated values.

    >>> points(["-m", "seed=0,1", "data=housex"])
    [['seed=0', 'data=housex'], ['seed=1', 'data=housex']]
    """
    plain = [w for w in words if w not in ("-m", "--multirun")]
    for word in plain:
        if word.startswith("-") or "=" not in word.lstrip("~"):
            raise ConfigError(f"{word!r} is no setting: write name=value, for example data.root=DIR")
    if len(plain) == len(words):
        return [plain]
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    parser, choices = OverridesParser.create(), []
    for word in plain:
        try:
            override = parser.parse_override(quoted_word(word))
            swept = override.is_sweep_override()
            choices.append(
                [f"{override.key_or_group}={v}" for v in override.sweep_string_iterator()] if swept else [word]
            )
        except HydraException as error:
            raise ConfigError(" ".join(str(error).split())) from error
    return [list(point) for point in itertools.product(*choices)]


def usage(name: str) -> str:
    """Every group with its choices, and the composed default config."""
    import yaml

    groups = sorted(p for p in CONF.iterdir() if p.is_dir())
    lines = [f"python train/{name}.py [GROUP=CHOICE ...] [SETTING=VALUE ...] [-m]", "", "Groups:"]
    lines += [f"  {g.name}: {', '.join(sorted(p.stem for p in g.glob('*.yaml')))}" for g in groups]
    return "\n".join([*lines, "", "Settings:", yaml.safe_dump(compose(name), sort_keys=False)])


def bound(function: Callable[..., Any], config: Mapping[str, Any], what: str, **more: Any) -> Any:
    """Call `function` with a config's settings (all but `name`) and `more`, unknown and missing ones told in one line.

    Raises:
        UnknownName: a setting that the function does not take. ConfigError: one that it needs is null.
    """
    import inspect

    settings = {k: v for k, v in config.items() if k != "name"}
    options = {k: p for k, p in inspect.signature(function).parameters.items() if k not in more}
    for key in settings:
        if key not in options:
            raise UnknownName(f"{what} has no setting {key!r}; {nearest(key, options)}")
    lacking = [k for k, p in options.items() if p.default is p.empty and settings.get(k) is None]
    if lacking:
        raise ConfigError(f"{what} needs {' and '.join(lacking)}: set {lacking[0]}=...")
    return function(**settings, **more)


def quoted_word(word: str) -> str:
    """A word whose value is text, quoted for Hydra; others as they are."""
    key, equals, value = word.partition("=")
    text = equals and key.rsplit(".", 1)[-1] in TEXT and value not in ("null", "~", "")
    return f"{key}={quoted(value)}" if text else word


def translated(error: Exception, name: str) -> SpectrograndError:
    """Hydra's paragraphs as one line with the nearest match."""
    import re

    text = str(error)
    choice = re.search(r"Could not (?:find|load) '([^']+)'", text)
    if choice:
        group, _, wanted = choice[1].rpartition("/")
        known = [p.stem for p in (CONF / group).glob("*.yaml")]
        return UnknownName(f"no choice {wanted!r} for {group or 'the script'}; {nearest(wanted, known)}")
    key = re.search(r"Could not (?:override|append to config\. An item is already at) '([^']+)'", text)
    if key:
        config: Any = compose(name)
        *path, _ = key[1].split(".")
        for part in path:
            config = config.get(part) if isinstance(config, dict) else None
        inside = [".".join([*path, k]) for k in config] if isinstance(config, dict) else list(compose(name))
        return UnknownName(f"no setting {key[1]!r}; {nearest(key[1], inside)}")
    return ConfigError(" ".join(text.split()))
