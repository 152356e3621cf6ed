"""A run made again: the config of a past run with changes, candidates chosen by hand, and artefacts that are kept."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .. import __version__, registry
from ..config import compose
from ..errors import ConfigError, nearest
from ..report.record import read_record

KEPT_FILES = {"song": "song.wav", "cover": "cover.png"}
"""What a run's folder holds of each artefact that can be kept."""
FOLLOWING = ("size", "fps")
"""Settings that plug-ins follow unless they have their own."""


def config_again(folder: Path, words: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    """The config of a new run, made of a past one's.

    Args:
        folder: of the past run.
        words: settings as on the command line, laid over those of the past run; `song=2` or `cover=3` takes that candidate,
            `keep=song,cover` takes the past run's own whatever else changes.

    Returns:
        The config, and what there is to say: a version that differs, a file that is gone.

    Raises:
        StoreError: no run there. ConfigError: no such candidate, nothing to keep. UnknownName: no such setting.
    """
    record = read_record(folder)
    old = record.get("config")
    if not isinstance(old, Mapping) or not old:
        raise ConfigError(f"{folder}/run.json holds no config: it cannot be made again")
    said: list[str] = []
    if record.get("version") != __version__:
        said.append(
            f"the run was made by spectrogrand {record.get('version')}, this is {__version__}: what differs is made anew"
        )
    chosen, keep, changes = _sorted(words, record, folder)
    config = _changed({k: v for k, v in old.items() if k != "job"}, changes)
    for slot in KEPT_FILES:
        if (
            slot not in keep
            and slot not in chosen
            and _is_gone(config.get(slot))
            and (folder / KEPT_FILES[slot]).is_file()
        ):
            said.append(f"{config[slot]['path']} is gone: the {slot} is taken from the run")
            keep.append(slot)
    by_hand = {k: v for k, v in dict(old.get("chosen") or {}).items() if k not in keep and not _touches(k, changes)}
    config["chosen"] = {**by_hand, **chosen} or None
    still = [k for k in dict(old.get("kept") or {}) if k not in chosen and not _touches(k, changes)]
    config["kept"] = {k: str(folder.absolute()) for k in dict.fromkeys([*keep, *still])} or None
    if not any(w.startswith("output=") for w in changes):
        config["output"] = str(folder.parent)
    return config, said


def _sorted(
    words: Sequence[str], record: Mapping[str, Any], folder: Path
) -> tuple[dict[str, int], list[str], list[str]]:
    """Candidates chosen by hand, slots whose artefact is kept, and all other words."""
    chosen: dict[str, int] = {}
    keep: list[str] = []
    changes: list[str] = []
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or word.startswith("-"):
            raise ConfigError(f"spectrogrand again takes settings such as song=2 or seed=1, not {word!r}")
        if key == "keep":
            keep += [part.strip() for part in value.strip("[]").split(",") if part.strip()]
        elif key in ("experiment", "pipeline"):
            raise ConfigError(f"again keeps the pipeline of its run: start anew with spectrogrand run {word}")
        elif value.strip().lstrip("-").isdecimal() and key in (record.get("choices") or {}):
            chosen[key] = _candidate(key, int(value), record["choices"][key])
        else:
            changes.append(word)
    for slot in keep:
        if slot not in KEPT_FILES:
            raise ConfigError(f"keep takes song, cover or both, got {slot!r}; {nearest(slot, KEPT_FILES)}")
        if slot in chosen:
            raise ConfigError(f"{slot}={chosen[slot]} takes another {slot} and keep={slot} the same: give one of them")
        if not (folder / KEPT_FILES[slot]).is_file():
            raise ConfigError(f"{folder} holds no {KEPT_FILES[slot]} to keep: leave keep={slot} out")
    return chosen, keep, changes


def _candidate(slot: str, index: int, choice: Mapping[str, Any]) -> int:
    rows = {row.get("index"): row for row in choice.get("candidates") or []}
    if index not in rows:
        there = f"0 to {len(rows) - 1}" if len(rows) > 1 else "0 alone"
        raise ConfigError(f"the run has no {slot} {index}, only {there}")
    if rows[index].get("failed"):
        raise ConfigError(f"{slot} {index} cannot be used: it {rows[index]['failed']}")
    return index


def _changed(old: dict[str, Any], changes: Sequence[str]) -> dict[str, Any]:
    """A past run's config with the settings of some words, each checked as on the command line."""
    if not changes:
        return copy.deepcopy(old)
    keys = [w.partition("=")[0].lstrip("+") for w in changes]
    words = [f"pipeline={old.get('pipeline', 'audiovisual')}"]
    for slot in registry.get_pipeline(str(old.get("pipeline", "audiovisual"))).SLOTS:
        part = old.get(slot)
        if isinstance(part, Mapping) and part.get("name") and slot not in keys:
            words.append(f"{slot}={_choice(slot, str(part['name']))}")
    composed = compose([*words, *changes])
    new = copy.deepcopy(old)
    for key in keys:
        path = key.split(".")
        value: Any = composed
        for step in path:
            value = value[step] if isinstance(value, Mapping) and step in value else None
        node = new
        for step in path[:-1]:
            if not isinstance(node.get(step), dict):
                node[step] = {}
            node = node[step]
        node[path[-1]] = copy.deepcopy(value)
    for name in set(FOLLOWING) & set(keys):
        for slot, part in new.items():
            if (
                isinstance(part, dict)
                and "name" in part
                and f"{slot}.{name}" not in keys
                and part.get(name) == old.get(name)
            ):
                part[name] = new[name]
    if "shape" in keys:  # plug-ins were told the old one's rows and columns
        for slot in ("motion", "morph", "walk"):
            if isinstance(new.get(slot), dict) and isinstance(new[slot].get("size"), list):
                new[slot]["size"] = new.get("size")
    return new


def _choice(slot: str, name: str) -> str:
    """The config of a slot that names a plug-in: "file" for song_file; the plug-in's own name where none does."""
    from ..config import conf_folder

    for path in sorted((conf_folder() / slot).glob("*.yaml")):
        if any(line.split("#")[0].strip() == f"name: {name}" for line in path.read_text("utf-8").splitlines()):
            return path.stem
    return name


def _touches(slot: str, changes: Sequence[str]) -> bool:
    """Whether some words choose another plug-in for a slot."""
    return any(w.partition("=")[0] == slot for w in changes)


def _is_gone(part: Any) -> bool:
    return (
        isinstance(part, Mapping) and isinstance(part.get("path"), str) and not Path(part["path"]).expanduser().exists()
    )
