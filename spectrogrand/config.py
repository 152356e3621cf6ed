"""Hydra, kept in one room: command-line words become plain dictionaries, one per run.

Free text (topics, paths) never meets Hydra's grammar as typed: it is quoted first, so that `My Song (Mix), Pt 2.mp3` or
`${oc.env:HOME}` is just text. OmegaConf objects stop here; what leaves is dict, list, str, int, float, bool and None.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from .errors import ConfigError, SpectrograndError, UnknownName, nearest

TEXT_KEYS = {"topic", "output", "store"}
LISTABLE = {"artworks"}
"""Text, or a list of texts in Hydra's grammar: `artworks=my art (2).png`, `artworks=[a.png,b.png]`."""
TEXT_ENDINGS = (
    "path", "weights", "references", "lyrics", "picture", "file", "folder", "index", "album", "artist",
    "genres", "lyric_file", "fusion", "vectors", "melody", "negative_prompt",
)  # fmt: skip
Job = Callable[[dict[str, Any]], int]


def conf_folder() -> Path:
    """The configs: inside an installed package, or beside it in a checkout."""
    here = Path(__file__).parent
    for folder in (here / "conf", here.parent / "conf"):
        if (folder / "config.yaml").is_file():
            return folder
    raise ConfigError(f"no conf/config.yaml beside {here}: reinstall spectrogrand")


def quoted(text: str) -> str:
    """Text as a Hydra value that means exactly this text.

    Inside single quotes Hydra reads `\\\\'` as a quote and halves backslashes before one; OmegaConf then reads `\\\\${` as `${`.

    >>> quoted("it's ${x}")
    "'it\\\\'s \\\\${x}'"
    """
    text = re.sub(r"(\\*)\$\{", lambda m: m[1] * 2 + "\\${", text)
    text = re.sub(r"(\\*)'", lambda m: m[1] * 2 + "\\'", text)
    text = re.sub(r"(\\+)$", lambda m: m[1] * 2, text)
    return f"'{text}'"


def words_for_hydra(words: list[str]) -> list[str]:
    """The command line's words with free text quoted and `topics=FILE` expanded into a sweep over its lines.

    >>> words_for_hydra(["topic=a, b", "seed=1"])
    ["topic='a, b'", 'seed=1']
    """
    out = []
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or key.startswith("-"):
            if not word.startswith("-"):
                raise ConfigError(f"{word!r} is no setting: write name=value, for example topic={word!r}")
            out.append(word)
        elif key == "topics":
            out.append("topic=" + ",".join(map(quoted, _topics(value))))
        elif (
            key.lstrip("+") in TEXT_KEYS
            or key.rsplit(".", 1)[-1] in TEXT_ENDINGS
            # `prompt` alone is one of album_cover's, and a sweep's commas stand between choices
            or (key.endswith(".prompt") and value[:1] not in ("'", '"') and not {"-m", "--multirun"} & set(words))
            or (key in LISTABLE and not value.startswith("["))
        ):
            out.append(f"{key}={quoted(value)}" if value not in ("null", "~") else f"{key}=null")
        else:
            out.append(word)
    if any(w.startswith("topics=") for w in words) and not {"-m", "--multirun"} & set(words):
        out.insert(0, "--multirun")
    return sorted(out, key=lambda w: not w.startswith("-"))  # Hydra wants its flags before the settings


def run_hydra(words: list[str], job: Job) -> int:
    """Compose the config and run `job` once, or once per point of a sweep; returns the worst exit code.

    Raises:
        ConfigError, UnknownName: what Hydra has to say about the words, in one line. Errors of a single run pass through. In
        a sweep our own errors are printed and the sweep goes on; a defect (any other error) is raised once the sweep ended.
    """
    import hydra
    from hydra.errors import HydraException
    from omegaconf import DictConfig, OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    sweep = bool({"-m", "--multirun"} & set(words)) or any(w.startswith("topics=") for w in words)
    codes: list[int] = []
    stopped: list[Exception] = []

    def task(config: DictConfig) -> None:
        plain = OmegaConf.to_container(config, resolve=True, throw_on_missing=False)
        assert isinstance(plain, dict)
        try:
            codes.append(job({str(k): v for k, v in plain.items()}))
        except Exception as error:  # kept out of Hydra, which would print a paragraph of its own about it
            if not sweep or not isinstance(error, SpectrograndError):
                stopped.append(error)
                return
            sys.stderr.write(f"spectrogrand: {' '.join(str(error).split())}\n")
            codes.append(1)

    quiet = {"HYDRA_FULL_ERROR": os.environ.get("HYDRA_FULL_ERROR"), "argv": sys.argv}
    os.environ["HYDRA_FULL_ERROR"] = "1"  # makes Hydra raise its errors instead of printing them and exiting
    sys.argv = ["spectrogrand run", *words_for_hydra(words)]
    try:
        hydra.main(version_base="1.3", config_path=str(conf_folder()), config_name="config")(task)()
    except (HydraException, OmegaConfBaseException, ValueError) as error:
        raise _translated(error, words) from error
    finally:
        sys.argv = quiet["argv"]  # type: ignore[assignment]
        if quiet["HYDRA_FULL_ERROR"] is None:
            del os.environ["HYDRA_FULL_ERROR"]
    if stopped:
        raise stopped[0]
    return max(codes, default=0)


def compose(words: Sequence[str] = (), values: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The plain config of one run, without running it: for tests, scripts and notebooks.

    Args:
        words: settings as on the command line.
        values: settings as plain values, laid over the words; the name of a plug-in or of a config chooses it for a slot.

    Raises:
        ConfigError: words that make no config. UnknownName: no such setting or choice.

    >>> compose(["topic=the sea", "seed=3"])["seed"]
    3
    """
    words = list(words)
    for name, value in dict(values or {}).items():
        if isinstance(value, str) and name in _groups() and (conf_folder() / name / f"{value}.yaml").is_file():
            words.append(f"{name}={value}")
    quoted_words = words_for_hydra(words)
    if any(w.startswith("-") for w in quoted_words):
        raise ConfigError("compose gives the config of one run: leave out topics=, -m and other flags")
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    try:
        return _composed(quoted_words, values)
    except (HydraException, OmegaConfBaseException, ValueError) as error:
        raise _translated(error, words) from error


def _composed(quoted_words: list[str], values: Mapping[str, Any] | None = None) -> dict[str, Any]:
    from hydra import compose as compose_
    from hydra import initialize_config_dir
    from omegaconf import OmegaConf

    with initialize_config_dir(str(conf_folder()), version_base="1.3"):
        config = compose_("config", quoted_words)
        OmegaConf.set_struct(config, False)
        for name, value in dict(values or {}).items():
            if name not in config:
                raise UnknownName(f"no setting {name!r}; {nearest(name, map(str, config))}")
            if isinstance(value, str) and name in _groups():
                if f"{name}={value}" in quoted_words:
                    continue
                value = {"name": value}
            config[name] = _escaped(value)
        plain = OmegaConf.to_container(config, resolve=True)
    assert isinstance(plain, dict)
    return {str(k): v for k, v in plain.items()}


def _escaped(value: Any) -> Any:
    """A plain value in which `${` means itself to OmegaConf."""
    if isinstance(value, str):
        return re.sub(r"(\\*)\$\{", lambda m: m[1] * 2 + "\\${", value)
    if isinstance(value, Mapping):
        return {k: _escaped(v) for k, v in value.items()}
    return [_escaped(v) for v in value] if isinstance(value, list) else value


def _topics(file: str) -> list[str]:
    try:
        lines = Path(file).expanduser().read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"cannot read topics from {file} ({error}): give a text file with one topic a line"
        ) from error
    topics = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    if not topics:
        raise ConfigError(f"{file} holds no topics: write one a line")
    return topics


def _translated(error: Exception, words: list[str]) -> SpectrograndError:
    """Hydra's paragraphs as one line with the nearest match."""
    text = str(error)
    unknown = re.search(r"Could not (?:find|load) '([^']+)'", text)
    if unknown:
        group, _, choice = unknown[1].rpartition("/")
        folder = conf_folder() / group
        if folder.is_dir():
            return UnknownName(
                f"no choice {choice!r} for {group}; {nearest(choice, (p.stem for p in folder.glob('*.yaml')))}"
            )
    emptied = [w.partition("=")[0] for w in words if w.endswith("=null") and w.partition("=")[0] in _groups()]
    if "Config group override must be a string or a list" in text and emptied:
        none = "=[] for none" if emptied[0].endswith("_scorers") or emptied[0] == "gates" else "=NAME for another"
        return ConfigError(f"{emptied[0]} cannot be null: set {emptied[0]}{none}")
    key = re.search(r"Could not (?:override|append to config\. An item is already at) '([^']+)'", text)
    if key:
        return UnknownName(f"no setting {key[1]!r}; {nearest(key[1], _keys(key[1], words))}")
    return ConfigError(" ".join(text.split()))


def _keys(like: str, words: list[str]) -> list[str]:
    """Settings that could have been meant: those of the same slot for `slot.option`, else the top ones and the slots."""
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    choices = [
        w for w in words if (k := w.partition("=")[0]) != like and "." not in k and k in _groups() and "," not in w
    ]
    try:
        config = _composed(words_for_hydra(choices))
    except (HydraException, OmegaConfBaseException, ValueError):  # they do not fit together either
        config = _composed([])
    slot, _, _ = like.partition(".")
    inside = config.get(slot)
    if "." in like and isinstance(inside, dict):
        return [f"{slot}.{k}" for k in inside]
    return [*config]


def _groups() -> set[str]:
    return {p.name for p in conf_folder().iterdir() if p.is_dir()}
