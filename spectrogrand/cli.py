"""The short commands of the command line; each takes its words and returns an exit code."""

from __future__ import annotations

import json
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .errors import ConfigError, MediaError, SpectrograndError, UnknownName, nearest

SOUND_ENDINGS = (".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a", ".aac", ".aif", ".aiff")
FLAGS_WITH_A_VALUE = (
    "--cfg",
    "-c",
    "--package",
    "-p",
    "--config-path",
    "-cp",
    "--config-name",
    "-cn",
    "--config-dir",
    "-cd",
)

NARROW = 60
"""Columns of a terminal in which a table would be a column of single letters: lines of text instead."""


def run(words: list[str]) -> int:
    """`run`: one run, or a sweep; SIGTERM stops it as Ctrl-C does. `--open` shows the video when it is there."""
    from .config import run_hydra
    from .runs.sweeping import note_failure, with_songs
    from .sweeps import command

    opened = "--open" in words
    words = as_settings([w for w in words if w != "--open"])
    _allow(words)
    with _stopping():
        if command.is_sweep(words) and not _asks(words):
            return command.main(with_songs(words))
        listed = with_songs(words)
        several = (
            len({"-m", "--multirun"} & set(listed)) > 0
        )  # songs_from=FOLDER: a song that fails is told, and the next is made

        def make(config: dict[str, Any]) -> int:
            try:
                return _make(config, words, opened)
            except SpectrograndError as error:
                if not several:
                    raise
                sys.stderr.write(f"spectrogrand: {' '.join(str(error).split())}\n")
                if not getattr(error, "noted", False):
                    note_failure(config, error)
                return 1

        return run_hydra(listed, make)


def again(words: list[str]) -> int:
    """`again RUN [song=2] [cover=3] [keep=song,cover] [setting=value ...]`: a new run that reuses all it may."""
    from .pipelines._again import config_again

    opened = "--open" in words
    words = [w for w in words if w != "--open"]
    if not words or "=" in words[0] or words[0].startswith("-"):
        raise ConfigError("which run? give its folder first: spectrogrand again outputs/RUN song=2")
    folder = Path(words[0]).expanduser()
    if not folder.is_dir():
        raise ConfigError(f"no folder {folder}: give the folder of a run, such as outputs/RUN")
    config, said = config_again(folder, words[1:])
    for line in said:
        sys.stderr.write(f"spectrogrand: {line}\n")
    with _stopping():
        return _make(config, [], opened)


def as_settings(words: list[str]) -> list[str]:
    """What a maker types as the settings that it means.

    Words without a name are the topic, or the song where they name a sound file. `song.path=` alone implies `song=file`,
    `cover.path=` alone `cover=file`; a song with a picture in it brings its own cover; `videos=motion,static` is a list.

    Raises:
        ConfigError: a topic is given twice.

    >>> as_settings(["a cat in the rain", "videos=motion,static"])
    ['topic=a cat in the rain', 'videos=[motion,static]']
    >>> as_settings(["song.path=a.mp3"])
    ['song=file', 'song.path=a.mp3']
    """
    bare: list[str] = []
    kept: list[str] = []
    value_follows = False
    for word in words:
        if value_follows or word.startswith(("-", "~")) or re.match(r"\+{0,2}[A-Za-z_][\w./@]*=", word):
            kept.append(word)
        else:
            bare.append(word)
        value_follows = word in FLAGS_WITH_A_VALUE
    given = {w.partition("=")[0] for w in kept}
    if len(bare) == 1 and bare[0].lower().endswith(SOUND_ENDINGS) and Path(bare[0]).expanduser().is_file():
        kept, bare = [f"song.path={bare[0]}", *kept], []
        given.add("song.path")
    if bare:
        topic = " ".join(bare)
        if given & {"topic", "topics"}:
            raise ConfigError(f"{topic!r} is no setting, and the topic is given already: write name=value")
        kept.insert(0, f"topic={topic}")
    own_cover = not any(w in ("pipeline=image_to_music", "pipeline=recommendation") for w in kept)
    for slot in ("song", *(["cover"] if own_cover else [])):
        if f"{slot}.path" in given and slot not in given:
            kept.insert(0, f"{slot}=file")
    path = next((w.partition("=")[2] for w in kept if w.startswith("song.path=")), None)
    if path and own_cover and not {"cover", "pipeline"} & given and _has_artwork(path):
        kept.insert(0, "cover=artwork")
    sweep = {"-m", "--multirun"} & set(kept) or "topics" in given
    return [
        f"videos=[{w[7:]}]" if w.startswith("videos=") and "," in w and w[7] not in "['\"" and not sweep else w
        for w in kept
    ]


def _has_artwork(path: str) -> bool:
    """Whether a song brings its own cover."""
    from .media import read_tags

    try:
        return read_tags(path).artwork
    except MediaError:  # said when the song is read
        return False


@contextmanager
def _stopping() -> Iterator[None]:
    """SIGTERM stops what runs as Ctrl-C does."""
    import signal

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop) if threading.current_thread() is threading.main_thread() else None
    try:
        yield
    finally:
        if before is not None:
            signal.signal(signal.SIGTERM, before)


def _asks(words: list[str]) -> bool:
    """Whether Hydra itself is asked: for help, or for the config of a job."""
    return any(
        w in ("-h", "--help", "--hydra-help", "-c", "--cfg", "--info", "-i") or w.startswith("--cfg=") for w in words
    )


def _allow(words: list[str]) -> list[str]:
    """Take note of `plugins=`, before any plug-in is looked at; returns the words that say it."""
    from .registry import allow

    said = [w for w in words if w.startswith("plugins=")]
    for word in said:
        allow(word.partition("=")[2])
    return said


def resume(words: list[str]) -> int:
    """`resume SWEEP`: what is missing of a sweep, with the same job numbers."""
    from .sweeps import command

    return command.resume(words)


def _make(config: dict[str, Any], words: list[str], opened: bool) -> int:
    """One run: its report's path is printed, and beside it, for people, what was made and what can be done next."""
    from .pipelines.execute import execute
    from .report.closing import closing, main_video
    from .report.record import read_record

    report = execute(config, words)
    record = read_record(report.parent)
    sys.stderr.write(closing(record, report.parent) + "\n")
    print(report, flush=True)
    if opened:
        import webbrowser

        shown = main_video(record, report.parent)
        if not webbrowser.open(shown.resolve().as_uri()):
            sys.stderr.write(f"spectrogrand: nothing here opens videos: open {shown} yourself\n")
    return 0


def list_plugins(words: list[str]) -> int:
    """`list [KIND...] [NAME] [--json]`: every plug-in and whether it is ready here, or one with its options."""
    from . import registry
    from .interfaces import KINDS
    from .runs.listing import rows

    words = [w for w in words if w not in _allow(words)]
    kinds = [w for w in words if not w.startswith("-")]
    known = {name: kind for kind in KINDS for name in registry.names(kind)}
    for word in words:
        if word in known:
            return _one_plugin(known[word], word, "--json" in words)
        if word not in KINDS and word != "--json":
            raise UnknownName(
                f"spectrogrand list takes kinds of plug-in, one's name and --json, not {word!r}; "
                f"{nearest(word, [*KINDS, *known, '--json'])}"
            )
    found = rows(kinds or None)
    if "--json" in words:
        print(json.dumps(found, indent=1, ensure_ascii=False))
        return 0
    from rich.console import Console
    from rich.table import Table

    width = Console().width if sys.stdout.isatty() else 220
    if width < NARROW:
        for row in found:
            print(f"{row['kind']} {row['name']}: {row['summary']} ({row['licence']}; {row['state']})")
        return 0
    table = Table("kind", "name", "what it is", "licence", "here", box=None, header_style="bold")
    for row in found:
        table.add_row(row["kind"], row["name"], row["summary"], row["licence"], row["state"])
    Console(width=width).print(table)
    return 0


def _one_plugin(kind: str, name: str, as_json: bool) -> int:
    """A plug-in with its licence, its state here and all its options."""
    from .runs.listing import options, rows

    (row,) = [r for r in rows([kind]) if r["name"] == name]
    found = options(kind, name)
    if as_json:
        print(json.dumps({**row, "options": found}, indent=1, ensure_ascii=False))
        return 0
    from rich.console import Console
    from rich.table import Table

    shown = Table("option", "default", "what it is", box=None, header_style="bold")
    for option in found:
        shown.add_row(option["option"], option["default"], option["what"])
    console = Console(width=None if sys.stdout.isatty() else 160, markup=False, highlight=False)
    console.print(f"{name} ({kind[:-1]}): {row['summary']}")
    console.print("  ".join(str(row[k]) for k in ("licence", "terms", "state") if row[k]))
    if found:
        console.print()
        console.print(shown)
    return 0


TABLE = ("--by=", "--pair=", "--csv", "--markdown", "--latex", "--parquet=", "--html")


def table(words: list[str]) -> int:
    """`table RUNS... [--by KEY,... [--pair KEY,...]] [--csv|--markdown|--latex|--parquet=FILE|--html]`: a sweep as one table."""
    from .report.tables import comparison, formats
    from .report.tables import table as tables

    folders, options = _table_words(words)
    found = tables.table(folders)
    if not found.rows:  # a folder of trainings holds no runs
        from .report.tables.trainings import training_table

        found = training_table(folders)
    if "--html" in options:
        from .report.sweep_page import write_sweep_page

        print(write_sweep_page(folders[0], options.get("--by")))
        return 0
    if "--parquet" in options:
        formats.write_parquet(found, Path(options["--parquet"]))
        print(options["--parquet"])
        return 0
    if "--by" in options:
        pair = options.get("--pair", "topic,seed").split(",")
        compared = comparison.compare(found, options["--by"].split(","), pair)
        write = formats.comparison_csv if "--csv" in options else formats.comparison_markdown
        print((formats.comparison_latex if "--latex" in options else write)(compared))
        return 0
    if "--latex" in options:
        raise ConfigError("LaTeX is for a comparison: say what by, spectrogrand table SWEEP --by stylizer --latex")
    print(tables.as_csv(found) if "--csv" in options else tables.as_markdown(found))
    return 0


def _table_words(words: list[str]) -> tuple[list[Path], dict[str, str]]:
    """Folders and options; `--by stylizer` is `--by=stylizer`."""
    folders, options, left = [], {}, list(words)
    while left:
        word = left.pop(0)
        if not word.startswith("--"):
            folders.append(Path(word))
            continue
        name, equals, value = word.partition("=")
        if f"{name}=" in TABLE and not equals:
            if not left:
                raise ConfigError(f"{name} needs a value: {name}=...")
            value = left.pop(0)
        elif name not in TABLE and f"{name}=" not in TABLE:
            raise UnknownName(f"spectrogrand table has no option {word!r}; {nearest(word, TABLE)}")
        options[name] = value
    if not folders:
        raise ConfigError("which runs? give one or more folders: spectrogrand table outputs")
    for folder in folders:
        if not folder.exists():
            raise ConfigError(f"no folder {folder}: give the output folder of a run or a sweep")
    return folders, options


def convert(words: list[str]) -> int:
    """`convert FILE OUT.safetensors`: a published checkpoint, read without running anything in it."""
    from .weights.convert import convert as convert_file

    if len(words) != 2 or any(w.startswith("-") for w in words):
        raise ConfigError("say which file becomes which: spectrogrand convert checkpoint.pth weights.safetensors")
    print(convert_file(*words))
    return 0


def reference(words: list[str]) -> int:
    """`reference FOLDER OUT.safetensors [embedder=NAME ...]`: one's own songs or pictures as a reference set."""
    from .references.make import make_reference

    given = dict(w.split("=", 1) for w in words if w.startswith(("embedder=", "embedder.")) and "=" in w)
    words = [w for w in words if w.partition("=")[0] not in given]
    if len(words) != 2 or any(w.startswith("-") for w in words):
        raise ConfigError("say which folder becomes which file: spectrogrand reference my_songs mine.safetensors")
    part = {k.partition(".")[2]: v for k, v in given.items() if "." in k}
    part["name"] = given.get("embedder", "timbre_rhythm")
    print(f"{words[1]}: {make_reference(*words, embedder=part)} songs or pictures")
    return 0


def why(words: list[str]) -> int:
    """`why RUN...`: each candidate of a run, its scores, what failed it, and the winner's lead against the noise."""
    from .report.why import explain

    if not words or any(w.startswith("-") for w in words):
        raise ConfigError("which run? give the folder of a run: spectrogrand why outputs/RUN")
    print("\n\n".join(explain(word) for word in words))
    return 0
