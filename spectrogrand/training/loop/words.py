"""Command-line words to plain dictionaries: Hydra composes them with the packaged configs, its complaints become one line."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...config import quoted
from ...errors import ConfigError, SpectrograndError, UnknownName, nearest
from . import settings

_PACKAGED = Path(__file__).parents[1] / "conf"
CONF = _PACKAGED if _PACKAGED.is_dir() else Path(__file__).parents[3] / "train" / "conf"
TEXT = (
    "root", "path", "weights", "initial", "output", "folder", "file", "cache", "csv", "ckpt_path", "squeezenet", "export",
    "caption",
)  # fmt: skip
"""Last words of settings whose values are taken as typed: paths with commas, quotes and `=` mean themselves."""


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


def tell(what: str, error: SpectrograndError) -> int:
    """Write an error's one line; returns the exit code that it stands for."""
    sys.stderr.write(f"train {what}: {' '.join(str(error).split())}\n")
    return 2 if isinstance(error, UnknownName | ConfigError) else 1


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
