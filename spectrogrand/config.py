"""Hydra, kept in one room: command-line words become plain dictionaries, one per run.

Free text (topics, paths) never meets Hydra's grammar as typed: it is quoted first, so that `My Song (Mix), Pt 2.mp3` or
`${oc.env:HOME}` is just text. OmegaConf objects stop here; what leaves is dict, list, str, int, float, bool and None.
"""

from __future__ import annotations

import dataclasses
import inspect
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from . import registry
from .errors import ConfigError, SpectrograndError, UnknownName, nearest

TEXT = {"topic", "output", "store", "weights"}
"""Text of every run; what is text in a pipeline's settings or in a plug-in's is told by their types."""
FILES = (".yaml", ".yml")
"""A value of `words` that ends so is a file of the user's own."""
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
    sweep, kinds = bool({"-m", "--multirun"} & set(words)), _Kinds(words)
    for word in words:
        key, equals, value = word.partition("=")
        bare = key.lstrip("+~")
        if not equals or key.startswith("-"):
            if not word.startswith(("-", "~")):
                raise ConfigError(f"{word!r} is no setting: write name=value, for example topic={word!r}")
            out.append(word)
        elif key == "pipeline" and kinds.bare_pipeline == value:
            out.append("~pipeline")  # its name is put in once the rest is composed: a group takes no plain value
        elif key == "words" and value.endswith(FILES):
            named = ",".join(map(quoted, value.split(","))) if sweep else quoted(value)
            out += [*([] if kinds.bare_pipeline else ["~words"]), f"++words.file={named}"]
        elif key in _groups() and (chosen := kinds.without_yaml(key, value)):
            out += chosen
        elif key in _groups() and kinds.bare_pipeline:
            out.append(f"+{word}")
        elif key == "topics":
            out.append("topic=" + ",".join(map(quoted, _topics(value))))
        else:
            between_quotes = value[:1] in ("'", '"') and (
                sweep or ("." in bare and len(value) > 1 and value[-1] == value[0])
            )
            kind = None if between_quotes else kinds.of(bare)
            grammar = kind is None or (kind == "listed" and value.startswith("[")) or _is_other(kind, value)
            typed = value if grammar else "null" if value in ("null", "~") else quoted(value)
            added = key == bare and (kinds.is_option(bare) or (kinds.bare_pipeline and kinds.is_setting(bare)))
            out.append(f"{'++' if added else ''}{key}={typed}")
    if any(w.startswith("topics=") for w in words) and not {"-m", "--multirun"} & set(words):
        out.insert(0, "--multirun")
    return sorted(out, key=lambda w: not w.startswith("-"))  # Hydra wants its flags before the settings


class _Kinds:
    """Which settings are text: those that a pipeline's `Settings` or a plug-in's constructor declares as text.

    Nothing is composed or imported before a word asks for it.
    """

    def __init__(self, words: Sequence[str]) -> None:
        self._words = list(words)

    def of(self, key: str) -> str | None:
        """ "text", "text or bool"; "listed" where a list of texts is meant, too; None where the value is in Hydra's grammar."""
        if key in TEXT:
            return "text"
        if "." in key:
            return self._of_option(key)
        if key in _groups() or key in ("pipeline", "experiment", "seed", "fps", "size", "selection"):
            return None
        fields = [f for f in self._fields() if f.name == key and f.metadata.get("text")]
        return None if not fields else "listed" if fields[0].metadata.get("listed") else "text"

    @cached_property
    def bare_pipeline(self) -> str | None:
        """The chosen pipeline where it has no YAML of ours: a package's own, whose settings have their defaults in its class."""
        names = [w.partition("=")[2] for w in self._words if w.startswith("pipeline=")]
        own = [n for n in names if not (conf_folder() / "pipeline" / f"{n}.yaml").is_file()]
        return own[0] if own and own[0] in registry.pipeline_names() else None

    def is_setting(self, key: str) -> bool:
        """Whether this names a field of the chosen pipeline's `Settings`."""
        return any(f.name == key for f in self._fields())

    def is_option(self, key: str) -> bool:
        """Whether this names an option of a chosen plug-in, which its YAML need not list."""
        return self._option(key) is not None

    def options_of(self, slot: str, chosen: Mapping[str, Any]) -> list[str]:
        """What the plug-in that a slot names takes; empty for a slot of scorers or gates, which names several."""
        try:
            return [*inspect.signature(registry.get(self._slots[slot], str(chosen["name"]))).parameters]
        except (KeyError, SpectrograndError):
            return []

    def without_yaml(self, group: str, value: str) -> list[str]:
        """Words that choose plug-ins by their names alone, those of installed packages, say; empty where each has a YAML."""
        scored = group.removesuffix("_scorers") if group.endswith("_scorers") else None
        listed = value.startswith("[") and value.endswith("]")
        names = [n.strip() for n in value.strip("[]").split(",")]
        folder = conf_folder() / group
        kind = "gates" if group == "gates" else "scorers" if scored else None
        if kind is None:
            if all((folder / f"{n}.yaml").is_file() for n in names) or listed:
                return []  # the slots need not be looked at: nearly always
            kind = self._slots.get(group)
        new = [n for n in names if not (folder / f"{n}.yaml").is_file() and kind and n in registry.names(kind)]
        if not new:
            return []
        for n in names:
            if n not in new and not (folder / f"{n}.yaml").is_file():
                known = [*registry.names(str(kind)), *(p.stem for p in folder.glob("*.yaml"))]
                raise UnknownName(f"no choice {n!r} for {group}; {nearest(n, known)}")
        if not scored and group != "gates":
            choices = ",".join(n for n in names if n in registry.names(str(kind)))
            return [*([] if self.bare_pipeline else [f"~{group}"]), f"++{group}.name={choices}"]
        entries = [
            f"++{group}.{n}={{scorer:{{name:{n}}},weight:1.0}}" if scored else f"++{group}.{n}={{name:{n}}}"
            for n in new
        ]
        known = [n for n in names if n not in new]
        return [*([] if self.bare_pipeline and not known else [f"{group}=[{','.join(known)}]"]), *entries]

    def _fields(self) -> list[Any]:
        names = [w.partition("=")[2] for w in self._words if w.startswith("pipeline=")]
        known = [n for n in (names or registry.pipeline_names()) if n in registry.pipeline_names()]
        return [f for n in known for f in dataclasses.fields(registry.get_pipeline(n).Settings)]

    def _of_option(self, key: str) -> str | None:
        parameter = self._option(key)
        if parameter is None:
            return None
        types = {part.strip() for part in str(parameter.annotation).split("|")} - {"None"}
        if "str" in types and types <= {"str", "bool", "int", "float"}:
            return "text" if types == {"str"} else "text or " + " ".join(sorted(types - {"str"}))
        return "listed" if types and all("str" in t and "Mapping" not in t for t in types) else None

    @lru_cache(maxsize=64)  # noqa: B019  # one small object a command line
    def _option(self, key: str) -> inspect.Parameter | None:
        """The constructor's parameter that a dotted key sets, or None where the key leads to no plug-in's option."""
        head, *path = key.split(".")
        if not path or (head not in _groups() and head not in self._config):
            return None
        node: Any = self._config.get(head)
        kind = self._slots.get(head)
        if head == "gates" or head.endswith("_scorers"):
            node, path = (node or {}).get(path[0]) if isinstance(node, Mapping) else None, path[1:]
            kind = "gates" if head == "gates" else "scorers"
            if kind == "scorers" and path[:1] == ["scorer"]:
                node, path = node.get("scorer") if isinstance(node, Mapping) else None, path[1:]
        while path and kind and (name := node.get("name") if isinstance(node, Mapping) else node):
            try:
                cls = registry.get(kind, str(name))
            except SpectrograndError:  # said when it is built
                return None
            option, *path = path
            if not path:
                return inspect.signature(cls).parameters.get(option)
            kind = cls.parts.get(option)
            node = node.get(option) if isinstance(node, Mapping) and option in node else _default(cls, option)
        return None

    @cached_property
    def _config(self) -> dict[str, Any]:
        groups = [
            w.split(",")[0] for w in self._words if (k := w.partition("=")[0]) in _groups() and "[" not in w and k
        ]
        groups = [w for w in groups if (conf_folder() / w.partition("=")[0] / f"{w.partition('=')[2]}.yaml").is_file()]
        groups += [w for w in self._words if w.partition("=")[0] in _groups() and "[" in w]
        named = {
            k: v for k, _, v in (w.partition("=") for w in self._words) if k in _groups() and not v.startswith("[")
        }
        bare = {
            k: {"name": v.split(",")[0]} for k, v in named.items()
            if not (conf_folder() / k / f"{v.split(',')[0]}.yaml").is_file()
        }  # fmt: skip
        from hydra.errors import HydraException
        from omegaconf.errors import OmegaConfBaseException

        try:
            return _composed([] if self.bare_pipeline else groups, resolve=False) | bare
        except (HydraException, OmegaConfBaseException, ValueError):  # said when the words are composed in earnest
            return {}

    @cached_property
    def _slots(self) -> dict[str, str]:
        names = registry.pipeline_names()
        return {s: slot.kind.kind for n in names for s, slot in registry.get_pipeline(n).SLOTS.items()}


def _is_other(kind: str, value: str) -> bool:
    """Whether a value is the number, true or false that an option takes beside text."""
    if "bool" in kind and value in ("true", "false"):
        return True
    return ("int" in kind or "float" in kind) and re.fullmatch(r"[-+]?\d+(\.\d*)?", value) is not None


def _default(cls: type, option: str) -> Any:
    parameter = inspect.signature(cls).parameters.get(option)
    return None if parameter is None or parameter.default is parameter.empty else parameter.default


def run_hydra(words: list[str], job: Job) -> int:
    """Compose the config and run `job` once, or do what a flag of Hydra's asks (`--cfg job`); returns the exit code.

    Args:
        words: of the command line.
        job: a run.

    Raises:
        ConfigError, UnknownName: what Hydra has to say about the words, in one line. Errors of the run pass through.
    """
    import hydra
    from hydra.errors import HydraException
    from omegaconf import DictConfig, OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    codes: list[int] = []
    stopped: list[Exception] = []

    def task(config: DictConfig) -> None:
        plain = OmegaConf.to_container(config, resolve=True, throw_on_missing=False)
        assert isinstance(plain, dict)
        try:
            codes.append(job({str(k): v for k, v in plain.items()} | pipeline_of(words)))
        except Exception as error:  # kept out of Hydra, which would print a paragraph of its own about it
            stopped.append(error)

    quiet = {"HYDRA_FULL_ERROR": os.environ.get("HYDRA_FULL_ERROR"), "argv": sys.argv}
    os.environ["HYDRA_FULL_ERROR"] = "1"  # makes Hydra raise its errors instead of printing them and exiting
    sys.argv = ["spectrogrand run", *words_for_hydra(words)]
    try:
        hydra.main(version_base="1.3", config_path=str(conf_folder()), config_name="config")(task)()
    except (HydraException, OmegaConfBaseException, ValueError) as error:
        raise translated(error, words) from error
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
        return _composed(quoted_words, values) | pipeline_of(words)
    except (HydraException, OmegaConfBaseException, ValueError) as error:
        raise translated(error, words) from error


def _composed(quoted_words: list[str], values: Mapping[str, Any] | None = None, resolve: bool = True) -> dict[str, Any]:
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
                value = {"file" if name == "words" and value.endswith(FILES) else "name": value}
            config[name] = _escaped(value)
        plain = OmegaConf.to_container(config, resolve=resolve)
    assert isinstance(plain, dict)
    return {str(k): v for k, v in plain.items()}


def pipeline_of(words: Sequence[str]) -> dict[str, str]:
    """The name of a package's own pipeline, which no YAML of ours holds."""
    bare = _Kinds(words).bare_pipeline
    return {"pipeline": bare} if bare else {}


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


def translated(error: Exception, words: list[str]) -> SpectrograndError:
    """Hydra's paragraphs as one line with the nearest match."""
    text = str(error)
    unknown = re.search(r"Could not (?:find|load) '([^']+)'", text)
    if unknown:
        group, _, choice = unknown[1].rpartition("/")
        folder = conf_folder() / group
        if folder.is_dir():
            known = [p.stem for p in folder.glob("*.yaml")]
            return UnknownName(f"no choice {choice!r} for {group}; {nearest(choice, known)}")
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
    inside = config.get(slot := like.partition(".")[0])
    if "." not in like or not isinstance(inside, dict):
        return [*config]
    return [f"{slot}.{k}" for k in dict.fromkeys([*inside, *_Kinds(words).options_of(slot, inside)])]


def _groups() -> set[str]:
    return {p.name for p in conf_folder().iterdir() if p.is_dir()}
