"""A sweep's words as points: Hydra's grammar says what they are, and each point becomes the plain config of one run."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ..config import conf_folder, pipeline_of, quoted, translated, words_for_hydra
from ..errors import ConfigError, MissingExtra

LAID_OVER = ("topic", "seed")
"""Settings that nothing else is composed by: points that differ in them only are composed once."""
PLUGINS = {
    "joblib": "hydra-joblib-launcher", "submitit_local": "hydra-submitit-launcher",
    "submitit_slurm": "hydra-submitit-launcher", "optuna": "hydra-optuna-sweeper",
}  # fmt: skip
Point = tuple[tuple[str, ...], dict[str, Any], dict[str, Any]]
"""Overrides as Hydra takes them, what varies by key, and the composed config."""


def split(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """The words of a sweep for Hydra: those of the jobs, and those of Hydra itself (launcher, sweeper).

    Raises:
        ConfigError: a flag that a sweep has none of.
    """
    quoted = words_for_hydra(list(words))
    flags = [w for w in quoted if w.startswith("-") and w not in ("-m", "--multirun")]
    if flags:
        raise ConfigError(f"a sweep takes no {flags[0]}: leave it out, or leave out -m")
    settings = [w for w in quoted if not w.startswith("-")]
    own = [w for w in settings if w.lstrip("+~").startswith(("hydra/", "hydra."))]
    return [w for w in settings if w not in own], own


def expand(words: Sequence[str], typed: Sequence[str]) -> list[Point]:
    """Every point of a sweep, in Hydra's order: the last word varies fastest.

    Args:
        words: of the jobs, as `split` gives them.
        typed: the words as they were typed.

    Raises:
        ConfigError, UnknownName: words that make no config, before any job is made.
    """
    from hydra import initialize_config_dir
    from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    try:
        with initialize_config_dir(str(conf_folder()), version_base="1.3"):
            parser = OverridesParser.create()
            parsed = parser.parse_overrides(list(words))
            (jobs,) = BasicSweeper.split_arguments(parsed, None)
            swept = {o.get_key_element() for o in parsed if o.is_sweep_override()}
            composed: dict[tuple[str, ...], Any] = {}
            return [_point(job, swept, parser, composed, typed) for job in jobs]
    except (HydraException, OmegaConfBaseException, ValueError) as error:
        raise translated(error, list(typed)) from error


def compose_point(words: Sequence[str], typed: Sequence[str]) -> dict[str, Any]:
    """The config of one point, composed by itself: what a sweeper that invents its points calls.

    Raises:
        ConfigError, UnknownName: words that make no config.
    """
    return expand(words, typed)[0][2]


def _point(
    job: Sequence[str], swept: set[str], parser: Any, composed: dict[tuple[str, ...], Any], typed: Sequence[str]
) -> Point:
    from hydra import compose
    from omegaconf import OmegaConf, open_dict

    keys = {word: word.partition("=")[0] for word in job}
    over = [w for w in job if keys[w] in LAID_OVER and keys[w] in swept]
    rest = tuple(w for w in job if w not in over)
    if rest not in composed:
        composed[rest] = compose("config", [*rest, *over])
    config = copy.deepcopy(composed[rest])
    values = {o.key_or_group: o.value() for o in parser.parse_overrides(over)}
    with open_dict(config):
        for key, value in values.items():
            config[key] = value
    plain = OmegaConf.to_container(config, resolve=True)
    assert isinstance(plain, dict)
    varying = {keys[w].lstrip("+"): _shown(w.partition("=")[2]) for w in job if keys[w] in swept}
    return tuple(job), varying, {str(k): v for k, v in plain.items()} | pipeline_of(typed)


def _shown(value: str) -> str:
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"" else value


@contextmanager
def hydra_apart() -> Iterator[None]:
    """Hydra's state of the process is as it was when the block ends: whoever composes a config after a sweep still can."""
    from hydra.core.global_hydra import GlobalHydra
    from hydra.core.hydra_config import HydraConfig

    kept, told = GlobalHydra.instance().hydra, HydraConfig.instance().cfg
    GlobalHydra.instance().clear()
    try:
        yield
    finally:
        GlobalHydra.instance().hydra = kept
        HydraConfig.instance().cfg = told


def master(own: Sequence[str], folder: str, config_name: str) -> tuple[Any, Any]:
    """Hydra, and its config of a whole sweep, which launchers and sweepers are built from.

    Args:
        own: Hydra's own words.
        folder: of the sweep.
        config_name: what a launcher composes for each job.

    Raises:
        MissingExtra: a launcher or sweeper that is not installed. ConfigError: what else Hydra says.
    """
    from hydra._internal.hydra import Hydra
    from hydra._internal.utils import create_config_search_path
    from hydra.errors import HydraException
    from hydra.types import RunMode
    from omegaconf.errors import OmegaConfBaseException

    hydra = Hydra.create_main_hydra2("run", create_config_search_path(str(conf_folder())))
    words = [*own, f"hydra.sweep.dir={quoted(folder)}"]
    try:
        config = hydra.compose_config(config_name, words, RunMode.MULTIRUN, with_log_configuration=False)
    except (HydraException, OmegaConfBaseException, ValueError) as error:
        for word in own:
            key, _, choice = word.partition("=")
            if key in ("hydra/launcher", "hydra/sweeper") and choice in PLUGINS:
                line = "pip install 'spectrogrand[sweeps]'"
                raise MissingExtra(f"{word} needs {PLUGINS[choice]}, which is not installed: {line}", line) from error
        raise translated(error, list(own)) from error
    return hydra, config


def chosen(own: Sequence[str], group: str, default: str) -> str:
    """Which launcher or sweeper Hydra's own words choose."""
    return next((w.partition("=")[2] for w in reversed(own) if w.startswith(f"hydra/{group}=")), default)
